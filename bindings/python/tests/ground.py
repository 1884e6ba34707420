"""What the tests share: where ledgers are kept, a shop that sells leads, and one way to call both classes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

import leadledger
from leadledger import AsyncLedger, Ledger, ManualClock

Kind = Literal["blocking", "asyncio"]
Store = Literal["memory", "sqlite", "postgres"]

KINDS: tuple[Kind, ...] = ("blocking", "asyncio")
STORES: tuple[Store, ...] = ("sqlite", "postgres")

TESTS = Path(__file__).resolve().parent
CONFORMANCE = TESTS.parents[2] / "core" / "conformance"
"""The vectors that every store and every binding plays."""

POSTGRES_VARIABLE = "LEADLEDGER_TEST_POSTGRES"

PATIENCE_SECONDS = 60.0
"""How long a test waits for what must come. Nothing is asserted about how long it took."""

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
"""A moment to begin at."""


def postgres_url() -> str:
    """The server that the tests may make schemas on; without one a test fails, and is never skipped."""
    url = os.environ.get(POSTGRES_VARIABLE, "")
    if not url:
        pytest.fail(
            f"{POSTGRES_VARIABLE} is not set: `cargo xtask postgres` starts a server and prints it", pytrace=False
        )
    return url


def with_schema(url: str, name: str) -> str:
    """The URL with the name of a schema."""
    return f"{url}{'&' if '?' in url else '?'}schema={name}"


@contextmanager
def new_schema() -> Generator[str, None, None]:
    """The URL of a ledger in a schema of its own, which is dropped afterwards."""
    server = postgres_url()
    name = f"py_{uuid4().hex}"
    url = with_schema(server, name)
    leadledger.migrate(url)
    try:
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def new_place(store: Store, folder: Path) -> Generator[str, None, None]:
    """The URL of an empty ledger on this kind of store."""
    if store == "memory":
        yield "memory:"
    elif store == "sqlite":
        yield f"sqlite:{folder / f'{uuid4().hex}.db'}"
    else:
        with new_schema() as url:
            yield url


class Caller:
    """A ledger of either class, called in one way."""

    def __init__(self, ledger: Ledger | AsyncLedger) -> None:
        self.ledger = ledger

    async def call(self, name: str, /, *arguments: Any, **named: Any) -> Any:
        """Calls the method of this name; awaits its answer where that is to be awaited."""
        answer = getattr(self.ledger, name)(*arguments, **named)
        return await answer if inspect.isawaitable(answer) else answer


@asynccontextmanager
async def opened(kind: Kind, url: str, **options: Any) -> AsyncGenerator[Caller, None]:
    """A ledger of this class, closed afterwards."""
    if kind == "blocking":
        with Ledger.open(url, **options) as ledger:
            yield Caller(ledger)
    else:
        async with AsyncLedger.open(url, **options) as other:
            yield Caller(other)


@dataclass(frozen=True)
class Shop:
    """A merchant with a campaign and a deposit, and a partner who brings leads."""

    merchant: UUID
    campaign: UUID
    partner: UUID
    deposit: UUID


async def open_shop(caller: Caller, amount: Decimal | str = "1000000.00") -> Shop:
    """A new merchant's shop, with this much in its deposit."""
    merchant = uuid4()
    campaign = (await caller.call("register_campaign", merchant)).answer
    deposit = (await caller.call("open_deposit", merchant, amount)).answer
    return Shop(merchant, campaign, uuid4(), deposit)


def open_shop_blocking(ledger: Ledger, amount: Decimal | str = "1000000.00") -> Shop:
    """The same, where no loop runs."""
    merchant = uuid4()
    campaign = ledger.register_campaign(merchant).answer
    deposit = ledger.open_deposit(merchant, amount).answer
    return Shop(merchant, campaign, uuid4(), deposit)


def clock_at(moment: datetime = MORNING) -> ManualClock:
    """A clock that stands still."""
    return ManualClock(moment)


def later(**span: float) -> datetime:
    """So long after the morning."""
    return MORNING + timedelta(**span)


def child(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a function of `children.py` in a process of its own, with its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", str(TESTS / "children.py"), name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What a line was read from keeps nothing back that `communicate` would miss.
        bufsize=0,
    )


def finished(process: subprocess.Popen[bytes], seconds: float = PATIENCE_SECONDS) -> tuple[int, str, str]:
    """Its exit code, output and errors; a child that hangs is killed, and the test fails with what it said."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        pytest.fail(f"the child hangs after {seconds} s; it said {output!r} and {errors!r}", pytrace=False)
    return process.returncode, output.decode(), errors.decode()
