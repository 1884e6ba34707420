"""What the package costs: ratios within one run, since absolute times on a shared machine drift by half.

    python bench/run.py [--postgres URL] [--engine PROGRAM] [--seconds N] [--rounds N] [--only NAME]

1. `postgres`: lead cycles on one merchant by 32 asyncio tasks, against the same cycle in plain psycopg as today's
   backend does it, by 32 tasks or by 32 threads, over a pool of few or many connections, whichever is fastest here:
   plain, as a pooler in transaction mode requires, and with the statements that psycopg prepares by itself.
   The server is `--postgres`, else that of LEADLEDGER_TEST_POSTGRES; `cargo xtask postgres` starts one.
2. `sqlite`: lead cycles on one merchant by 256 asyncio tasks, against the Rust engine with 256 callers. The Rust side
   is `--engine`, else it is built: `cargo build --release -p leadledger-bench --example cycles`.
3. `preview`: what one `preview_commission` costs beyond the same call of an empty Python function and beyond the Rust
   function.

The sides take turns, and what is printed is the round with the median ratio. Every book is checked after its round.
The figures are also written to target/bench/python.json. The package must be built with `--release`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

import engine
import leadledger
import today

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    ours: str
    other: str
    figure: str
    aim: str


def median_ratio(rounds: int, ours: Callable[[], float], other: Callable[[], float]) -> tuple[float, float, float]:
    """Both sides in turns; ratio, ours and other of the round with the median ratio."""
    measured: list[tuple[float, float, float]] = []
    for number in range(rounds):
        # Whoever comes second finds the machine as the first has left it: each is first in its turn.
        if number % 2:
            second = other()
            first = ours()
        else:
            first = ours()
            second = other()
        measured.append((first / second, first, second))
    return sorted(measured)[len(measured) // 2]


def fastest(url: str, tasks: int, prepare: int | None, seconds: float) -> tuple[str, Callable[[float], float]]:
    """The way in which plain psycopg is fastest here: by tasks or threads, over few or many connections."""
    ways: dict[str, Callable[[float], float]] = {
        f"{kind}, {pool} connections": partial(way, url, tasks, pool, prepare)
        for kind, way in (("tasks", today.by_tasks), ("threads", today.by_threads))
        for pool in (1, 4, tasks)
    }
    # All ways in turns, so that a bad moment of the machine does not choose.
    tried = [{name: way(seconds) for name, way in ways.items()} for _ in range(3)]
    best = max(ways, key=lambda name: statistics.median(each[name] for each in tried))
    return best, ways[best]


def on_postgres(url: str, rounds: int, seconds: float) -> list[Row]:
    """32 tasks against plain psycopg, without and with statements that psycopg prepares by itself."""
    tasks = 32

    def ours() -> float:
        schema = f"bench_{uuid4().hex}"
        place = f"{url}{'&' if '?' in url else '?'}schema={schema}"
        leadledger.migrate(place)
        try:
            return engine.by_tasks(place, tasks, seconds)
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))

    # A server that is new makes the files of its log first, which takes longer than what is measured here.
    ours()
    rows: list[Row] = []
    for prepare, said, aim in ((None, "plain", ">= 15"), (5, "prepared", "")):
        name, other = fastest(url, tasks, prepare, seconds / 2)
        ratio, first, second = median_ratio(rounds, ours, partial(other, seconds))
        rows.append(
            Row(
                f"cycles/s, PostgreSQL, {tasks} tasks, 1 merchant",
                f"{first:.0f}",
                f"{second:.0f} (psycopg, {said}, {name})",
                f"{ratio:.1f} times",
                aim,
            )
        )
    return rows


def built_engine() -> str:
    """Builds the Rust side and says where it is."""
    command = ["cargo", "build", "--release", "--package", "leadledger-bench", "--example", "cycles"]
    said = subprocess.run(
        [*command, "--message-format=json-render-diagnostics"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    programs = [json.loads(line).get("executable") for line in said.stdout.splitlines()]
    (program,) = [program for program in programs if program]
    return str(program)


def rust(program: str, *options: str) -> float:
    """A figure of the Rust engine."""
    said = subprocess.run([program, *options], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return float(said.stdout)


def on_sqlite(program: str, rounds: int, seconds: float) -> list[Row]:
    """256 tasks against the Rust engine with 256 callers, on the same disk."""
    tasks = 256
    folder = ROOT / "target"
    folder.mkdir(exist_ok=True)

    def ours() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            return engine.by_tasks(f"sqlite:{place}/ledger.db", tasks, seconds)

    def other() -> float:
        return rust(program, "--callers", str(tasks), "--seconds", str(round(seconds)))

    ratio, first, second = median_ratio(rounds, ours, other)
    return [
        Row(
            f"cycles/s, SQLite, {tasks} tasks, 1 merchant",
            f"{first:.0f}",
            f"{second:.0f} (Rust engine)",
            f"{ratio:.2f} times",
            ">= 0.5",
        )
    ]


def of_previews(program: str) -> list[Row]:
    """Nanoseconds of one call."""
    calls = 200_000
    inside = statistics.median(rust(program, "--previews", str(calls * 5)) for _ in range(3))
    return [
        Row(
            f"preview_commission({what})",
            f"{took:.0f} ns",
            f"{inside:.0f} ns (Rust function)",
            f"{(took - inside) / 1000:.2f} us overhead",
            "< 2",
        )
        for what, took in engine.previews(calls).items()
    ]


def main() -> None:
    """Measures, prints the table, writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--postgres", default=os.environ.get("LEADLEDGER_TEST_POSTGRES", ""), metavar="URL")
    parser.add_argument("--engine", default="", metavar="PROGRAM", help="the built example `cycles` of benches/")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="N", help="of each side in each round")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", choices=["postgres", "sqlite", "preview"])
    wanted = parser.parse_args()
    rows: list[Row] = []
    if wanted.only in (None, "postgres"):
        if not wanted.postgres:
            sys.exit("no server: give --postgres URL, or set LEADLEDGER_TEST_POSTGRES (`cargo xtask postgres`)")
        rows += on_postgres(wanted.postgres, wanted.rounds, wanted.seconds)
    if wanted.only in (None, "sqlite", "preview"):
        program = wanted.engine or built_engine()
        if wanted.only != "preview":
            rows += on_sqlite(program, wanted.rounds, wanted.seconds)
        if wanted.only != "sqlite":
            rows += of_previews(program)
    table = [("", "leadledger", "against", "", "aim"), *((r.what, r.ours, r.other, r.figure, r.aim) for r in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    folder = ROOT / "target" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "python.json").write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
