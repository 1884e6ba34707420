"""Everything of the core is here under its own name, in both classes alike, and says what it does."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import leadledger
from ground import TESTS
from leadledger import AsyncLedger, Ledger, events

CORE = TESTS.parents[2] / "core" / "src"

NOT_FOR_PYTHON = {
    # Ways to begin that are `open` here, and what the engine has for Rust alone.
    "open",
    "with",
    "with_shared",
    "submit",
    "events_of",
}


def found(path: Path, pattern: str) -> list[str]:
    """What a pattern finds in a file of the core; a pattern that finds nothing is a fault of the test."""
    names: list[str] = re.findall(pattern, path.read_text())
    assert names, path
    return names


def commands() -> list[str]:
    """The names of all commands, as the core declares them."""
    return found(CORE / "command.rs", r"\n    \w+ \(\w+ = \"(\w+)\"\) =>")


def reads() -> list[str]:
    """The names of all reads, figures, audits and exports."""
    names: list[str] = []
    for file in ("reads.rs", "figures.rs", "audits.rs", "exports.rs"):
        names += found(CORE / "ledger" / file, r"\n    pub fn (\w+)")
    return [name for name in names if name not in ("wait", *NOT_FOR_PYTHON)]


@pytest.mark.parametrize("kind", [Ledger, AsyncLedger])
def test_every_command_and_read_has_its_method(kind: type[Any]) -> None:
    """By the core's own source."""
    names = [*commands(), *reads(), "watch", "subscribe", "now", "close", "open"]
    assert len(commands()) > 30
    assert len(reads()) > 25
    missing = [name for name in names if not callable(getattr(kind, name, None))]
    assert not missing


def test_every_event_has_its_class() -> None:
    """By the core's own source."""
    variants = found(CORE / "event" / "body.rs", r"\n    (\w+) = \"\w+\" \{")
    names = found(CORE / "event" / "body.rs", r"\n    \w+ = \"(\w+)\" \{")
    assert len(variants) > 35
    for variant, name in zip(variants, names, strict=True):
        kind = getattr(events, variant)
        assert issubclass(kind, events.Event)
        assert variant in events.__all__
        assert kind.type == name


def test_every_commands_fields_are_arguments() -> None:
    """Required ones by place or name and in the core's order; optional ones by name; and a key."""
    text = (CORE / "command.rs").read_text()
    bodies = re.findall(r"\n    \w+ \(\w+ = \"(\w+)\"\) => [^{]*\{(.*?)\n    \}", text, re.DOTALL)
    assert len(bodies) == len(commands())
    for name, body in bodies:
        required, optional = re.split(r"\n        ;", body)
        fields = [re.findall(r"\n        (\w+): ", part) for part in (required, optional)]
        for kind in (Ledger, AsyncLedger):
            parameters = list(inspect.signature(getattr(kind, name)).parameters.values())[1:]
            by_place = [one for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
            by_name = [one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
            assert len(by_place) + len(by_name) == len(parameters)
            assert [one.name for one in by_place] == ["merchant", *fields[0]], name
            assert by_name == [*fields[1], "key"], name
            # What the rules ask for themselves has a default: a reason that is missing is refused by them.
            left_out = {one.name for one in by_place if one.default is not inspect.Parameter.empty}
            assert left_out <= ({"reason"} if name != "open_book" else set(fields[0])), name


def public(kind: type[Any]) -> set[str]:
    """The names of its public attributes."""
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_classes_are_alike() -> None:
    """The same methods with the same arguments; those of one are awaited."""
    assert public(Ledger) == public(AsyncLedger)
    for name in public(Ledger) - {"open"}:
        one, other = getattr(Ledger, name), getattr(AsyncLedger, name)
        if callable(one):
            assert str(inspect.signature(one)).partition("->")[0] == str(inspect.signature(other)).partition("->")[0]


@pytest.mark.parametrize("module", [leadledger, events], ids=lambda module: module.__name__)
def test_everything_public_is_documented(module: ModuleType) -> None:
    """Modules, classes, functions and methods have a docstring of their own; fields of records are told in it."""
    assert module.__doc__
    undocumented: list[str] = []
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            if not thing.__doc__:
                undocumented.append(name)
            for member in public(thing):
                if callable(getattr(thing, member)) and not getattr(thing, member).__doc__:
                    undocumented.append(f"{name}.{member}")
            # The fields of an event are the glossary's, as the core has them.
            if dataclasses.is_dataclass(thing) and not issubclass(thing, events.Event):
                text = thing.__doc__ or ""
                undocumented += [f"{name}.{f.name}" for f in dataclasses.fields(thing) if f.name not in text]
        elif inspect.isroutine(thing) and not thing.__doc__:
            undocumented.append(name)
    assert not undocumented


def test_the_version_is_the_packages() -> None:
    """As the installed metadata says."""
    from importlib.metadata import version

    assert leadledger.__version__ == version("leadledger")


def test_every_refusal_is_listed() -> None:
    """Each code of the core, and no other, with what it says."""
    codes = found(CORE / "refusal.rs", r"= \"(\w+)\", \"")
    assert list(leadledger.REFUSALS) == codes
    assert all(says.endswith(".") for says in leadledger.REFUSALS.values())
