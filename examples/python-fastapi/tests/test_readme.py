"""The README names what there is."""

from __future__ import annotations

import re

from tests.serving import ROOT

README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_table() -> None:
    read = set(re.findall(r'text\("([A-Z_]+)"\)', (ROOT / "app" / "settings.py").read_text()))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert read == told


def test_every_room_is_in_the_table() -> None:
    there = {f"app/{path.name}" for path in (ROOT / "app").glob("*.py")} - {"app/__init__.py"}
    told = set(re.findall(r"`(app/[a-z_]+\.py)`", README))
    assert there - told == {"app/house.py", "app/token.py"}, "what all rooms share, and a tool"
    assert told <= there
