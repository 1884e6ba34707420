"""The scenarios and vectors, through both classes and on both stores.

The files come from an independent model of the domain. `LEADLEDGER_SCENARIOS` names a folder of more.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import leadledger
from conftest import Places, Tally
from ground import CONFORMANCE, KINDS, STORES, Caller, Kind, Store, opened
from leadledger import InvalidInput, ManualClock, Refused, events

DECIMALS = {"amount", "value", "received", "share", "minimum_value", "threshold", "rate", "fixed", "default_share"}
IDS = {"merchant", "campaign", "partner", "deposit", "lead", "top_up", "payout"}


def scenario_files() -> list[Path]:
    """The project's, and those of the folder that the variable names."""
    folders = [CONFORMANCE / "scenarios"]
    more = os.environ.get("LEADLEDGER_SCENARIOS", "")
    if more:
        folders.append(Path(more))
    return [path for folder in folders for path in sorted(folder.glob("*.json"))]


def moment(text: str) -> datetime:
    """A time as the files write it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def written(at: datetime) -> str:
    """A time as the core writes it."""
    assert at.tzinfo is timezone.utc
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond:06}Z" if at.microsecond else f"{text}Z"


def typed(name: str, value: Any, step: int) -> Any:
    """A field as a caller of Python has it: each of the accepted types, in turns. What is malformed stays as it is."""
    if not isinstance(value, str):
        return value
    if name in IDS:
        try:
            return UUID(value) if step % 2 == 0 else value
        except ValueError:
            return value
    if name in DECIMALS:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            return value
        if step % 3 == 1 and amount == amount.to_integral_value():
            return int(amount)
        return amount if step % 3 == 0 else value
    return value


def answer_fields(command: str, answer: Any) -> dict[str, Any]:
    """An answer as the files write it."""
    match answer:
        case None:
            return {}
        case UUID():
            named = {
                "register_campaign": "campaign",
                "begin_top_up": "top_up",
                "request_payout": "payout",
            }
            return {named.get(command, "deposit"): str(answer)}
        case leadledger.LeadCreated():
            return {
                "lead": str(answer.lead),
                "type": answer.kind,
                "commission": str(answer.commission),
                "partner_part": str(answer.partner_part),
                "platform_part": str(answer.platform_part),
                "expires_at": written(answer.expires_at),
            }
        case leadledger.TopUpSucceeded():
            return {"deposit": str(answer.deposit), "receipt": str(answer.receipt)}
        case leadledger.DepositClosed():
            return {"paid_back": str(answer.paid_back)}
        case leadledger.WrittenOff():
            return {"written_off": str(answer.written_off)}
        case leadledger.DueSettled():
            return {"expired": answer.expired, "accepted": answer.accepted, "matured": answer.matured}
        case leadledger.BookOpened():
            fields: dict[str, Any] = answer.to_dict()
            return {**fields, "brought_in": str(answer.brought_in)}
        case _:
            raise AssertionError(f"{command} answered {answer!r}")


def decimals_of(currency: str) -> int:
    """How many decimals an amount of the currency has, as the package itself writes them."""
    preview = leadledger.preview_commission(1, currency=currency, minimum_value=0, threshold=1, fixed=0)
    exponent = preview.commission.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def state(book: leadledger.Book, currency: str) -> dict[str, Any]:
    """A book in the shape that the files call `final`, with the accounts of one currency."""
    zero = f"{Decimal(0):.{decimals_of(currency)}f}"
    platform = {row.currency: row for row in book.platform}.get(currency)
    missed = {row.currency: row for row in book.missed}.get(currency)
    return {
        "deposits": {
            str(row.id): {
                "balance": str(row.balance),
                "reserved": str(row.reserved),
                "available": str(row.available),
                "level": row.level,
                "status": shown(row.status),
            }
            for row in book.deposits
        },
        "leads": {str(row.id): row.status for row in book.leads},
        "campaigns": {str(row.id): shown(row.status) for row in book.campaigns},
        "partners": {
            str(row.partner): {
                "held": str(row.held),
                "payable": str(row.payable),
                "in_payout": str(row.in_payout),
                "paid": str(row.paid),
            }
            for row in book.partners
            if row.currency == currency
        },
        "top_ups": {str(row.id): row.status for row in book.top_ups},
        "platform": {
            name: str(getattr(platform, name)) if platform else zero
            for name in ("commission", "losses", "adjustments", "receivable")
        },
        "missed": {
            "leads": missed.leads if missed else 0,
            "commission": str(missed.commission) if missed else zero,
        },
    }


def shown(status: str) -> str:
    """A status without who said so, as the files have it."""
    return status.split("_", 1)[0]


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What of `after` differs: single rows of the sets, `platform` and `missed` whole."""
    changed: dict[str, Any] = {}
    for section, rows in after.items():
        earlier = before.get(section, {})
        if section in ("platform", "missed"):
            if earlier != rows:
                changed[section] = rows
        else:
            differing = {id: row for id, row in rows.items() if earlier.get(id) != row}
            if differing:
                changed[section] = differing
    return changed


class Player:
    """Plays one story on one ledger."""

    def __init__(self, caller: Caller, clock: ManualClock, story: dict[str, Any]) -> None:
        self.caller = caller
        self.clock = clock
        self.story = story
        self.currency: str = story.get("currency", "MAD")
        self.seen: dict[str, tuple[dict[str, Any], int]] = {}
        self.mismatches: list[str] = []
        self.steps = 0

    def compare(self, place: str, what: str, expected: Any, got: Any) -> None:
        """Notes a difference."""
        if expected != got:
            self.mismatches.append(f"{place}: {what}: expected {expected}, got {got}")

    async def play(self) -> None:
        """All steps, then the final state and the ledger's own check."""
        for index, step in enumerate(self.story["steps"]):
            self.clock.set(moment(step["at"]))
            await self.step(index, step)
            self.steps += 1
        for merchant, expected in self.story["final"].items():
            book = await self.caller.call("book", merchant)
            self.compare("at the end", "final", expected, state(book, self.currency))
            report = await self.caller.call("check", merchant)
            self.compare("at the end", "entries checked", book.entries, report.entries)

    async def step(self, index: int, step: dict[str, Any]) -> None:
        """One command, and all that must be seen after it."""
        place = f"step {index} ({step['do']})"
        merchant = step["with"]["merchant"]
        fields = {name: typed(name, value, index) for name, value in step["with"].items()}
        try:
            done = await self.caller.call(step["do"], **fields, key=step.get("key"))
        except (Refused, InvalidInput) as refused:
            self.compare(place, "answer", step.get("refused", "accepted"), refused.code)
        else:
            if "refused" in step:
                self.compare(place, "answer", {"refused": step["refused"]}, "accepted")
            else:
                got = answer_fields(step["do"], done.answer)
                self.compare(place, "answer", step["ok"], {name: got.get(name) for name in step["ok"]})
            self.compare(place, "replayed", step.get("replayed", False), done.replayed)
        before, seq = self.seen.get(merchant, ({}, 0))
        book = await self.caller.call("book", merchant)
        await self.alerts(place, step, merchant, seq)
        now = state(book, self.currency)
        self.compare(place, "changed", step["changed"], difference(before, now))
        self.seen[merchant] = (now, book.entries)

    async def alerts(self, place: str, step: dict[str, Any], merchant: str, seq: int) -> None:
        """The alerts of the entries since the step began."""
        entries = await self.caller.call("events", merchant, seq, 1_000_000)
        said = [event for entry in entries for event in entry.events]
        raised = [
            {"deposit": str(event.deposit), "level": event.level}
            for event in said
            if isinstance(event, events.AlertRaised)
        ]
        cleared = sum(isinstance(event, events.AlertCleared) for event in said)
        self.compare(place, "alerts", step.get("alerts", []), raised)
        self.compare(place, "alerts_cleared", step.get("alerts_cleared", 0), cleared)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_scenario(path: Path, kind: Kind, store: Store, places: Places, tally: Tally) -> None:
    """A story goes as its file says."""
    story = json.loads(path.read_text())
    assert story["steps"], "a story without steps would pass whatever happens"
    assert story["final"]

    async def play() -> Player:
        clock = ManualClock(moment(story["steps"][0]["at"]))
        async with opened(kind, places(store), clock=clock) as caller:
            player = Player(caller, clock, story)
            await player.play()
            return player

    player = asyncio.run(play())
    tally.files.add(str(path))
    tally.plays += 1
    tally.steps += player.steps
    tally.mismatches += len(player.mismatches)
    assert player.steps == len(story["steps"])
    assert not player.mismatches, "\n".join(player.mismatches[:20])


def rows(name: str) -> list[dict[str, Any]]:
    """A table of vectors."""
    table: list[dict[str, Any]] = json.loads((CONFORMANCE / name).read_text())
    assert table
    return table


def test_commission_vectors() -> None:
    """`preview_commission` gives what each row says, whichever way its values are written."""
    for row in rows("commission.json"):
        for form in (str, Decimal):
            terms = {name: form(row[name]) for name in ("rate", "threshold", "fixed", "share")}
            preview = leadledger.preview_commission(
                form(row["value"]),
                rate=terms["rate"],
                threshold=terms["threshold"],
                fixed=terms["fixed"],
                share=terms["share"],
            )
            got = {
                "type": preview.kind,
                "commission": str(preview.commission),
                "partner_part": str(preview.partner_part),
                "platform_part": str(preview.platform_part),
            }
            assert got == {name: row[name] for name in got}, row


def test_alert_level_vectors() -> None:
    """`alert_level` gives what each row says, with its priority."""
    for row in rows("alert_levels.json"):
        for form in (str, Decimal):
            assert leadledger.alert_level(form(row["balance"]), form(row["reference"])) == row["level"], row
