"""Ctrl-C, the interpreter's end, forks and worker processes: each in a process of its own."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from conftest import Places
from ground import Store, child, finished, postgres_url
from leadledger import Ledger

EXIT_SECONDS = 5.0
"""An interpreter that ends is gone within this time, whatever is open."""


def line(process: subprocess.Popen[bytes]) -> str:
    """The next line that the child says."""
    assert process.stdout is not None
    text = process.stdout.readline().decode().strip()
    if not text:
        _, output, errors = finished(process)
        pytest.fail(f"the child ended; it said {output!r} and {errors!r}", pytrace=False)
    return text


def go_on(process: subprocess.Popen[bytes], text: str = "") -> None:
    """Lets the child go on."""
    assert process.stdin is not None
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()


@contextmanager
def locked(url: str) -> Generator[None, None, None]:
    """Holds a lock that every command of this ledger waits for."""
    connection = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def locked_for_reads(url: str) -> Generator[None, None, None]:
    """Holds a lock that every read of deposits waits for; PostgreSQL only."""
    schema = url.rpartition("schema=")[2]
    with psycopg.connect(postgres_url()) as connection:
        connection.execute(sql.SQL("LOCK TABLE {}.books, {}.deposits").format(*[sql.Identifier(schema)] * 2))
        yield
        connection.rollback()


def test_ctrl_c_ends_a_command_that_waits(places: Places) -> None:
    """KeyboardInterrupt comes while the lock is still held; the same key then gives one lead."""
    url = places("sqlite")
    process = child("interrupted_command", url)
    assert line(process) == "ready"
    with locked(url):
        go_on(process)
        assert line(process) == "calling"
        process.send_signal(signal.SIGINT)
        assert line(process) == "interrupted"
    go_on(process)
    code, output, errors = finished(process)
    assert (code, output.split()) == (0, ["1"]), errors


def test_ctrl_c_ends_a_read_that_waits(places: Places) -> None:
    """KeyboardInterrupt comes while the lock is still held."""
    url = places("postgres")
    process = child("interrupted_read", url)
    assert line(process) == "ready"
    with locked_for_reads(url):
        go_on(process)
        assert line(process) == "calling"
        process.send_signal(signal.SIGINT)
        assert line(process) == "interrupted"
    go_on(process)
    code, output, errors = finished(process)
    assert (code, output.split()) == (0, ["1000000.00"]), errors


def test_ctrl_c_ends_a_watch_that_waits() -> None:
    """The ledger and the watch can be used afterwards."""
    process = child("interrupted_watch", "memory:")
    assert line(process) == "calling"
    process.send_signal(signal.SIGINT)
    assert line(process) == "interrupted"
    code, output, errors = finished(process)
    assert (code, output.splitlines()) == (0, ["['campaign_paused']", "None"]), errors


@pytest.mark.parametrize(
    ("name", "said"),
    [("interrupted_iteration", ["interrupted"]), ("interrupted_loop", ["cancelled", "interrupted"])],
)
def test_ctrl_c_ends_what_waits_for_events(name: str, said: list[str]) -> None:
    """A `for` over a watch, and an `await` in a running loop."""
    process = child(name, "memory:")
    assert line(process) == "calling"
    process.send_signal(signal.SIGINT)
    code, output, errors = finished(process)
    assert (code, output.split()) == (0, said), errors


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("exit_open", 0),
        ("exit_with_blocked_watch", 0),
        ("exit_with_tasks", 0),
        ("exit_after_run", 0),
        ("exit_from_thread", 7),
        ("exit_in_the_middle", 7),
        ("exit_at_once", 9),
        ("exit_with_late_call", 0),
    ],
)
def test_the_interpreter_ends(name: str, code: int, store: Store, places: Places) -> None:
    """With the code that was asked for, in time, and without a word on standard error that is not Python's own."""
    url = places(store)
    process = child(name, url)
    said: list[str] = []
    while (text := line(process)) != "ending":
        said.append(text)
    got, output, errors = finished(process, EXIT_SECONDS)
    assert got == code, errors
    for word in ("panicked", "Fatal Python error", "Segmentation fault"):
        assert word not in errors, errors
    if name == "exit_at_once" and store != "memory":
        with Ledger.open(url) as ledger:
            assert len(ledger.deposits(UUID(said[0]))) == 1
    if name == "exit_with_late_call":
        assert output.split() == ["1"], errors


def test_the_interpreter_ends_while_a_command_waits(places: Places) -> None:
    """A lock that somebody else holds keeps nobody from ending."""
    url = places("sqlite")
    process = child("exit_with_blocked_command", url)
    assert line(process) == "ready"
    with locked(url):
        go_on(process)
        assert line(process) == "ending"
        code, _, errors = finished(process, EXIT_SECONDS)
    assert code == 0, errors
    assert "panicked" not in errors


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_a_fork_refuses_its_parents_ledger(store: Store, places: Places) -> None:
    """Every form of call is refused in the child, which can open its own; the parent goes on."""
    code, output, errors = finished(child("forks", places(store)))
    said = output.splitlines()
    assert code == 0, (said, errors)
    leads = "1" if store == "memory" else "2"
    assert said[:7] == [*["0"] * 6, leads], errors
    assert "lead_created" in said[7]


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_a_fork_refuses_its_parents_async_ledger(store: Store, places: Places) -> None:
    """The same for asyncio."""
    code, output, errors = finished(child("forks_asyncio", places(store)))
    assert (code, output.split()) == (0, ["0", "2"]), errors


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_processes_open_their_own(method: str, store: Store, places: Places) -> None:
    """However the workers are started, while the parent's ledger is open."""
    code, output, errors = finished(child("pools", places(store), method))
    assert (code, output.split()) == (0, ["6"]), errors


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_a_child_that_inherits_a_ledger_ends(store: Store, places: Places) -> None:
    """With its own exit code, and without closing anything of its parent's."""
    code, output, errors = finished(child("inherits", places(store)))
    assert (code, output.split()) == (0, ["0", "3", "usable"]), errors
