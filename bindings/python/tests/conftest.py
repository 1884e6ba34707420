"""Fixtures of all tests, and the line on the scenarios that were played."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from ground import Store, new_place


class Places(Protocol):
    """Makes empty places for ledgers."""

    def __call__(self, store: Store) -> str:
        """The URL of one on this kind of store."""
        ...


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Places for ledgers, which are gone after the test."""
    with ExitStack() as stack:
        yield lambda store: stack.enter_context(new_place(store, tmp_path))


@dataclass
class Tally:
    """What of the scenarios was played in this run."""

    files: set[str] = field(default_factory=set[str])
    plays: int = 0
    steps: int = 0
    mismatches: int = 0


TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    """Begins the count."""
    config.stash[TALLY] = Tally()


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Tally:
    """The count, to add to."""
    return pytestconfig.stash[TALLY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line on the scenarios, where any were played."""
    tally = config.stash[TALLY]
    if tally.plays:
        terminalreporter.write_line(
            f"scenarios: {len(tally.files)} files, {tally.plays} plays (two classes, two stores), "
            f"{tally.steps} steps, {tally.mismatches} mismatches"
        )
