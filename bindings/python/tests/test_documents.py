"""What the documents show is what happens: the examples in docstrings and in the README are run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadledger

READMES = [Path(__file__).resolve().parents[up] / "README.md" for up in (1, 3)]
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS


def documented() -> Iterator[doctest.DocTest]:
    """Every docstring with an example in the package, the native module's among them."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [module.name for module in pkgutil.iter_modules(leadledger.__path__, "leadledger.")]
    for name in ["leadledger", *modules]:
        module = importlib.import_module(name)
        yield from (found for found in finder.find(module, name) if found.examples)


EXAMPLES = list(documented())


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_docstrings(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example of a docstring says what happens."""
    monkeypatch.chdir(tmp_path)
    run(example)


def test_docstrings_have_examples() -> None:
    """Both classes and the package itself are shown at work."""
    shown = {example.name for example in EXAMPLES}
    assert {"leadledger", "leadledger._ledger.Ledger", "leadledger._ledger.AsyncLedger"} <= shown


@pytest.mark.parametrize("readme", READMES, ids=["package", "project"])
def test_readme(readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A README's sessions, one after the other in one place, as somebody types them."""
    monkeypatch.chdir(tmp_path)
    text = readme.read_text(encoding="utf-8")
    sessions = list(SESSION.finditer(text))
    # Every block with a prompt was found.
    assert sum(session[1].count(">>> ") for session in sessions) == text.count(">>> ") > 0
    names: dict[str, object] = {}
    for session in sessions:
        line = text.count("\n", 0, session.start(1))
        example = doctest.DocTestParser().get_doctest(session[1], names, "README", str(readme), line)
        run(example, clear_globs=False)
        names = example.globs


def run(example: doctest.DocTest, *, clear_globs: bool = True) -> None:
    """Runs it, and fails with what doctest has to say."""
    said: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append, clear_globs=clear_globs)
    assert outcome.attempted > 0
    assert outcome.failed == 0, "".join(said)
