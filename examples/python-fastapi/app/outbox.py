"""Messages that wait to be told: each is recorded once, whoever records it and however often.

The id of a message is made from what caused it (an event's place in the journal, or a merchant and a day), and it is
the table's primary key. So several workers, or one that died between two steps, never tell the same thing twice; and
because a message is recorded before the event is acknowledged, nothing is missed either. With workers on several
machines the table belongs into the database that they share; the old backend's table of notifications will do.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID, uuid5

Answer = TypeVar("Answer")

# The names below are this application's own.
NAMESPACE = UUID("8d1d1bd0-6c8f-5b43-9d3c-4b8d9d1f5a11")

_TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'new'
) STRICT
"""


@dataclass(frozen=True)
class Message:
    """What is to be told to whom, on one channel."""

    id: UUID
    merchant: UUID
    channel: str
    subject: str
    text: str
    at: str

    @classmethod
    def of(cls, cause: str, merchant: UUID, channel: str, subject: str, text: str, at: str) -> Message:
        """With an id that is the same for the same cause and channel."""
        return cls(uuid5(NAMESPACE, f"{cause}:{channel}"), merchant, channel, subject, text, at)


class Sender(Protocol):
    """Whatever takes messages out: an SMTP relay, an SMS gateway, a push service."""

    async def send(self, message: Message) -> None:
        """Sends one, or raises."""


class Outbox:
    """The table of messages, in a SQLite file. Its calls run in threads, since SQLite blocks."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def open(self) -> None:
        """Makes the table where it is missing."""
        await self._run(lambda connection: connection.execute(_TABLE))

    async def put(self, messages: Iterable[Message]) -> int:
        """Records those that were not recorded before, and says how many these are."""
        rows = [(str(m.id), str(m.merchant), m.channel, m.subject, m.text, m.at) for m in messages]

        def insert(connection: sqlite3.Connection) -> int:
            sql = "INSERT OR IGNORE INTO messages (id, merchant, channel, subject, text, at) VALUES (?, ?, ?, ?, ?, ?)"
            return sum(connection.execute(sql, row).rowcount for row in rows)

        return await self._run(insert)

    async def of(self, merchant: UUID, channel: str, limit: int) -> list[Message]:
        """The latest of a merchant on a channel, the newest first."""

        def select(connection: sqlite3.Connection) -> list[Message]:
            sql = (
                "SELECT id, merchant, channel, subject, text, at FROM messages"
                " WHERE merchant = ? AND channel = ? ORDER BY at DESC, rowid DESC LIMIT ?"
            )
            return [_message(row) for row in connection.execute(sql, (str(merchant), channel, limit))]

        return await self._run(select)

    async def deliver(self, sender: Sender) -> int:
        """Sends what waits, and says how much that was. A message is claimed first, so that no two workers send it.

        One whose sending fails waits again. One whose sender died with it stays `claimed`, for a person to look at:
        whether it was sent is not known.
        """
        sent = 0
        while (message := await self._run(_claim)) is not None:
            try:
                await sender.send(message)
            except BaseException:
                await self._mark(message, "new")
                raise
            await self._mark(message, "sent")
            sent += 1
        return sent

    async def _mark(self, message: Message, state: str) -> None:
        sql = "UPDATE messages SET state = ? WHERE id = ?"
        await self._run(lambda connection: connection.execute(sql, (state, str(message.id))))

    async def _run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        def run() -> Answer:
            with _connection(self._path) as connection:
                return work(connection)

        return await asyncio.to_thread(run)


@contextmanager
def _connection(path: str) -> Generator[sqlite3.Connection, None, None]:
    """One for each call: connections do not pass between threads, and a SQLite file opens in no time."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def _claim(connection: sqlite3.Connection) -> Message | None:
    # What is on the dashboard is there by being recorded.
    sql = (
        "UPDATE messages SET state = 'claimed' WHERE rowid ="
        " (SELECT rowid FROM messages WHERE state = 'new' AND channel <> 'dashboard' ORDER BY rowid LIMIT 1)"
        " RETURNING id, merchant, channel, subject, text, at"
    )
    rows = connection.execute(sql).fetchall()
    return _message(rows[0]) if rows else None


def _message(row: tuple[str, str, str, str, str, str]) -> Message:
    return Message(UUID(row[0]), UUID(row[1]), row[2], row[3], row[4], row[5])
