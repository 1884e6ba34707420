"""Bad values in every argument of every method: the right exception, which names the argument, and a ledger that is as
usable as before.
"""

from __future__ import annotations

import asyncio
import datetime
import inspect
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

import leadledger
from bad_values import (
    AN_ID,
    BAD_VALUES,
    ENORMOUS,
    GOOD_DECIMALS,
    GOOD_IDS,
    NAIVE,
    WRONG_TYPES,
    Bad,
    ColourOfText,
    Form,
    HostileAmount,
    HostileZone,
    Instant,
    Planted,
)
from ground import KINDS, MORNING, Caller, Kind, clock_at, open_shop, opened
from leadledger import Customer, InvalidInput, LeadledgerError, Ledger, Refused

FORMS: dict[str, Form] = {
    **dict.fromkeys(["merchant", "campaign", "partner", "deposit", "lead", "top_up", "payout"], "id"),
    **dict.fromkeys(
        ["amount", "value", "received", "share", "minimum_value", "threshold", "rate", "fixed", "default_share"],
        "decimal",
    ),
    **dict.fromkeys(["reason", "feedback", "product", "reference", "key", "name"], "text"),
    **dict.fromkeys(["source", "method", "basis", "on_timeout", "currency", "status", "order", "format"], "name"),
    **dict.fromkeys(
        ["score", "validation_window_hours", "minimum_quality", "payout_delay_days", "limit", "seq", "most"], "integer"
    ),
    **dict.fromkeys(["auto_stop", "with_private", "over"], "flag"),
    **dict.fromkeys(["campaigns", "agreements", "deposits", "leads", "lines"], "list"),
    "as_of": "time",
    "day": "day",
    "customer": "record",
    "after": "cursor",
    "path": "path",
}
"""The form of each argument, by its name."""

OWN_FORMS: dict[tuple[str, str], Form] = {
    ("set_alert_settings", "reference"): "name",
    ("merchants", "after"): "id",
}
"""Where a name means something else."""

GOOD: dict[Form, Any] = {
    "id": UUID(AN_ID),
    "decimal": Decimal("600.00"),
    "text": "a text",
    "integer": 5,
    "flag": True,
    "list": (),
    "time": MORNING,
    "day": date(2026, 3, 1),
    "record": Customer(name="A name"),
    "path": os.devnull,
}

GOOD_NAMES = {
    "source": "instagram",
    "method": "stripe",
    "basis": "balance",
    "reference": "last_top_up",
    "on_timeout": "expire",
    "currency": "MAD",
    "status": "pending",
    "order": "newest",
    "format": "hledger",
}

NOT_CALLED_WITH_VALUES = {"close", "open", "now", "migrate"}


def methods() -> list[str]:
    """Every method of a ledger that takes something."""
    names = [name for name in dir(Ledger) if not name.startswith("_") and name not in NOT_CALLED_WITH_VALUES]
    return [name for name in names if callable(getattr(Ledger, name)) and parameters(name)]


def parameters(method: str) -> list[inspect.Parameter]:
    """Its arguments."""
    return [one for one in inspect.signature(getattr(Ledger, method)).parameters.values() if one.name != "self"]


def form_of(method: str, name: str) -> Form:
    """The form of an argument; one that the tables do not know is a fault of the tables."""
    return OWN_FORMS.get((method, name)) or FORMS[name]


def good(method: str, folder: Path) -> dict[str, Any]:
    """Good values for what a method requires."""
    required = [one.name for one in parameters(method) if one.default is inspect.Parameter.empty]
    return {name: good_value(method, name, folder) for name in required}


def good_value(method: str, name: str, folder: Path) -> Any:
    """A good value for one argument."""
    form = form_of(method, name)
    if form == "name":
        return GOOD_NAMES[name]
    if form == "path":
        return folder / f"{uuid4().hex}.out"
    return GOOD[form]


class Probe:
    """A ledger of either class with a shop, and the question whether it is as it was."""

    def __init__(self, caller: Caller, merchant: UUID, deposit: UUID, entries: int) -> None:
        self.caller = caller
        self.merchant = merchant
        self.deposit = deposit
        self.entries = entries

    async def is_untouched(self) -> None:
        """Reads answer, and nothing was written in the shop's book."""
        found = await self.caller.call("deposit", self.merchant, self.deposit)
        assert found.balance == Decimal("1000000.00")
        assert (await self.caller.call("book", self.merchant)).entries == self.entries

    async def is_usable(self) -> None:
        """A command is accepted as well."""
        await self.caller.call("register_campaign", uuid4())


class Probes:
    """Runs a test on a ledger of either class."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind

    def run(self, test: Any) -> None:
        """Opens the ledger, runs the test, and asks whether all is as it was."""

        async def main() -> None:
            async with opened(self.kind, "memory:", clock=clock_at()) as caller:
                shop = await open_shop(caller)
                probe = Probe(caller, shop.merchant, shop.deposit, 2)
                await test(probe)
                await probe.is_untouched()
                await probe.is_usable()

        asyncio.run(main())


@pytest.fixture(params=KINDS)
def probes(request: pytest.FixtureRequest) -> Iterator[Probes]:
    """Of both classes."""
    yield Probes(cast(Kind, request.param))


def names_it(fault: LeadledgerError | TypeError, name: str) -> bool:
    """Whether the message names the argument, in a sentence and not in ten megabytes."""
    return name in str(fault) and len(str(fault)) < 500


async def expect(
    probe: Probe, method: str, name: str, value: Bad, kind: type[Exception], folder: Path, faults: list[str]
) -> None:
    """Calls a method with one bad value, and notes what is not as it must be."""
    given = {**good(method, folder), name: value.make()}
    place = f"{method}({name}={value.label})"
    try:
        done = await probe.caller.call(method, **given)
    except kind as fault:
        if isinstance(fault, LeadledgerError) and kind is TypeError:
            faults.append(f"{place}: {fault!r}")
        if not names_it(cast(LeadledgerError, fault), name):
            faults.append(f"{place} does not name it: {str(fault)[:300]!r}")
        if isinstance(fault, InvalidInput) and fault.details.get("field") != name:
            faults.append(f"{place} has the details {str(fault.details)[:300]}")
    except BaseException as fault:  # noted; the rest of the table is asked as well
        faults.append(f"{place}: expected {kind.__name__}, got {type(fault).__name__}: {str(fault)[:200]}")
    else:
        faults.append(f"{place}: expected {kind.__name__}, got {str(done)[:200]}")


@pytest.mark.parametrize("method", methods())
def test_wrong_types(method: str, probes: Probes, tmp_path: Path) -> None:
    """A value of another type is a TypeError, in each argument, and None where it must be given."""
    faults: list[str] = []

    async def test(probe: Probe) -> None:
        for parameter in parameters(method):
            values = list(WRONG_TYPES[form_of(method, parameter.name)])
            if parameter.default is inspect.Parameter.empty:
                values.append(Bad("None", lambda: None))
            for value in values:
                await expect(probe, method, parameter.name, value, TypeError, tmp_path, faults)
            await probe.is_untouched()

    probes.run(test)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("method", methods())
def test_bad_values(method: str, probes: Probes, tmp_path: Path) -> None:
    """A value of the right type that can never be is InvalidInput, in each argument."""
    faults: list[str] = []

    async def test(probe: Probe) -> None:
        for parameter in parameters(method):
            for value in BAD_VALUES[form_of(method, parameter.name)]:
                await expect(probe, method, parameter.name, value, InvalidInput, tmp_path, faults)
            await probe.is_untouched()

    probes.run(test)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("method", methods())
def test_missing_and_unknown_arguments(method: str, probes: Probes, tmp_path: Path) -> None:
    """Python's own TypeError, before anything is asked."""

    async def test(probe: Probe) -> None:
        given = good(method, tmp_path)
        for name in given:
            with pytest.raises(TypeError, match=name):
                await probe.caller.call(method, **{other: value for other, value in given.items() if other != name})
        with pytest.raises(TypeError, match="no_such_argument"):
            await probe.caller.call(method, **given, no_such_argument=1)
        with pytest.raises(TypeError):
            await probe.caller.call(method, *given.values(), *range(30))

    probes.run(test)


@pytest.mark.parametrize(("value", "code"), ENORMOUS, ids=[value.label for value, _ in ENORMOUS])
def test_amounts_that_the_rules_refuse(value: Bad, code: str, probes: Probes) -> None:
    """A number of any size is a number: the rules say what is wrong with it, and at once."""

    async def test(probe: Probe) -> None:
        merchant = uuid4()
        for method, arguments in (
            ("open_deposit", (merchant, value.make())),
            ("top_up", (merchant, uuid4(), value.make())),
            ("create_lead", (merchant, uuid4(), uuid4(), value.make())),
            ("begin_top_up", (merchant, value.make(), "stripe")),
            ("succeed_top_up", (merchant, uuid4(), "pi_1", value.make())),
            ("request_payout", (merchant, uuid4(), value.make())),
        ):
            with pytest.raises(Refused) as refused:
                await probe.caller.call(method, *arguments)
            assert refused.value.code == code, method
            assert len(str(refused.value)) < 500

    probes.run(test)


@pytest.mark.parametrize("value", [value for value, _ in ENORMOUS[:7]], ids=[value.label for value, _ in ENORMOUS[:7]])
def test_percents_that_the_rules_refuse(value: Bad, probes: Probes) -> None:
    """Beyond a hundred, or with more decimals than a percent has."""

    async def test(probe: Probe) -> None:
        with pytest.raises(Refused) as refused:
            await probe.caller.call("set_agreement", uuid4(), uuid4(), value.make())
        assert refused.value.code == "invalid_agreement"
        for name in ("rate", "default_share"):
            with pytest.raises(Refused) as refused:
                await probe.caller.call("register_campaign", uuid4(), **{name: value.make()})
            assert refused.value.code == "invalid_policy"

    probes.run(test)


@pytest.mark.parametrize("value", GOOD_DECIMALS, ids=repr)
def test_amounts_in_all_spellings(value: Any, probes: Probes) -> None:
    """One and the same amount."""

    async def test(probe: Probe) -> None:
        shop = await open_shop(probe.caller)
        created = await probe.caller.call("create_lead", shop.merchant, shop.campaign, shop.partner, value)
        assert str(created.answer.commission) == "60.00"
        lead = await probe.caller.call("lead", shop.merchant, created.answer.lead)
        assert str(lead.value) == "600.00"
        assert type(lead.value) is Decimal

    probes.run(test)


@pytest.mark.parametrize("value", GOOD_IDS, ids=repr)
def test_ids_in_all_spellings(value: Any, probes: Probes) -> None:
    """One and the same id."""

    async def test(probe: Probe) -> None:
        done = await probe.caller.call("register_campaign", value, campaign=value)
        assert done.answer == UUID(AN_ID)
        assert type(done.answer) is UUID
        (campaign,) = await probe.caller.call("campaigns", AN_ID)
        assert campaign.id == UUID(AN_ID)

    probes.run(test)


def test_one_key_whatever_the_spelling(probes: Probes) -> None:
    """The same payload spelt in another way is the same payload."""

    async def test(probe: Probe) -> None:
        merchant = uuid4()
        first = await probe.caller.call("open_deposit", merchant, "5000.00", key="k")
        for amount in (5000, Decimal("5E+3"), "5000", Decimal("5000.000")):
            again = await probe.caller.call("open_deposit", str(merchant).upper(), amount, key="k")
            assert (again.answer, again.replayed) == (first.answer, True)
        with pytest.raises(Refused) as refused:
            await probe.caller.call("open_deposit", merchant, "5000.01", key="k")
        assert refused.value.code == "idempotency_mismatch"

    probes.run(test)


@pytest.mark.parametrize("value", NAIVE, ids=[value.label for value in NAIVE])
def test_times_that_say_no_moment(value: Bad, probes: Probes) -> None:
    """A naive time is refused wherever a moment is wanted."""

    async def test(probe: Probe) -> None:
        with pytest.raises((TypeError, InvalidInput), match="aware|zone|naive"):
            await probe.caller.call("balances", probe.merchant, value.make())
        with pytest.raises((TypeError, InvalidInput), match="aware|zone|naive"):
            leadledger.ManualClock(value.make())

    probes.run(test)


def test_times_of_every_zone(probes: Probes) -> None:
    """Aware times are moments, whatever zone they are written in, to the microsecond."""

    async def test(probe: Probe) -> None:
        for moment in (
            MORNING,
            MORNING.astimezone(timezone(timedelta(hours=5, minutes=45))),
            MORNING.astimezone(timezone(-timedelta(hours=23, minutes=59, seconds=59))),
            Instant(2026, 3, 2, 8, tzinfo=timezone.utc),
        ):
            balances = await probe.caller.call("balances", probe.merchant, moment)
            assert balances.of.at == MORNING
            assert balances.of.at.tzinfo is timezone.utc
        clock = clock_at()
        for moment in (
            datetime.datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=timezone.utc),
            datetime.datetime(1, 1, 1, tzinfo=timezone.utc),
            datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc),
        ):
            clock.set(moment)
            assert clock.now() == moment
        with pytest.raises(Planted):
            clock.set(datetime.datetime(2026, 3, 2, tzinfo=HostileZone()))
        assert clock.now() == moment

    probes.run(test)


def test_subclasses_that_are_hostile(probes: Probes) -> None:
    """What a subclass does when it is written is its own; nothing is booked by it half."""

    async def test(probe: Probe) -> None:
        for amount in (HostileAmount("600.00"), ColourOfText("600.00")):
            try:
                done = await probe.caller.call("open_deposit", uuid4(), amount)
            except (Planted, TypeError, Refused):
                continue
            raise AssertionError(done)
        merchant = uuid4()
        try:
            await probe.caller.call("register_campaign", ColourOfText(merchant))
        except (Planted, TypeError):
            pass
        else:
            assert len(await probe.caller.call("campaigns", merchant)) == 1

    probes.run(test)


def test_customers(probes: Probes) -> None:
    """Each of its fields is text, held to its length; a longer one is refused whole."""

    async def test(probe: Probe) -> None:
        shop = await open_shop(probe.caller)
        create = ("create_lead", shop.merchant, shop.campaign, shop.partner, "600.00")
        for field, most in (("name", 255), ("email", 255), ("phone", 255), ("company", 255), ("notes", 4000)):
            for text in ("a\0b", "\ud800", "é" * (most + 1), "x" * (10 << 20)):
                with pytest.raises(InvalidInput) as invalid:
                    await probe.caller.call(*create, customer=Customer(**{field: text}))
                assert "customer" in str(invalid.value) or field in str(invalid.value)
                assert len(str(invalid.value)) < 500
            for value in (5, b"x", True, 1.0):
                with pytest.raises(TypeError, match=field):
                    await probe.caller.call(*create, customer=Customer(**cast(Any, {field: value})))
            text = "é" * most
            done = await probe.caller.call(*create, customer=Customer(**{field: text}))
            texts = await probe.caller.call("lead_texts", shop.merchant, done.answer.lead)
            assert getattr(texts.customer, field) == text

    probes.run(test)


def test_texts_come_back_as_they_were(probes: Probes) -> None:
    """Every character but NUL and lone surrogates, unchanged."""
    text = "".join(map(chr, [*range(1, 0x300), 0x1F600, 0x10FFFF, 0xFEFF, 0x202E, 0x0301])) + "e\u0301\r\n"

    async def test(probe: Probe) -> None:
        shop = await open_shop(probe.caller)
        created = await probe.caller.call("create_lead", shop.merchant, shop.campaign, shop.partner, "600.00")
        await probe.caller.call("validate_lead", shop.merchant, created.answer.lead, feedback=text)
        texts = await probe.caller.call("lead_texts", shop.merchant, created.answer.lead)
        assert texts.feedback == text

    probes.run(test)


@pytest.mark.parametrize(
    "url",
    ["", "shop.db", "sqlite:", "mysql://u:secret@h/d", "sqlite:a\0b", "memory:x", "\ud800", "x" * (10 << 20)],
    ids=["empty", "a path", "no file", "mysql", "nul", "memory with a name", "surrogate", "ten megabytes"],
)
def test_urls_that_are_none(url: str) -> None:
    """InvalidInput that does not repeat the URL."""
    for call in (Ledger.open, leadledger.migrate):
        with pytest.raises(InvalidInput) as invalid:
            call(url)
        assert invalid.value.code == ("invalid_text" if url == "\ud800" else "invalid_url")
        assert "secret" not in str(invalid.value)
        assert len(str(invalid.value)) < 500


@pytest.mark.parametrize("url", [None, 1, b"memory:", Path("memory:"), True, object()], ids=repr)
def test_urls_of_another_type(url: Any) -> None:
    """A TypeError that names the argument."""
    with pytest.raises(TypeError, match="url"):
        Ledger.open(url)


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        ("time_zone", "Mars/Phobos", InvalidInput),
        ("time_zone", "", InvalidInput),
        ("time_zone", 1, TypeError),
        ("queue", 0, InvalidInput),
        ("queue", -1, InvalidInput),
        ("queue", True, TypeError),
        ("queue", 1.0, TypeError),
        ("batch", 0, InvalidInput),
        ("readers", 0, InvalidInput),
        ("clock", MORNING, TypeError),
        ("minimums", {"EUR": 5}, TypeError),
        ("minimums", [], TypeError),
        ("minimums", {"XXY": leadledger.Minimums(value=1, opening=1, top_up=1, auto_top_up=1)}, InvalidInput),
        ("minimums", {"EUR": leadledger.Minimums(value="-1", opening=1, top_up=1, auto_top_up=1)}, InvalidInput),
        ("no_such_option", 1, TypeError),
    ],
    ids=repr,
)
def test_options_of_open(option: str, value: Any, kind: type[Exception]) -> None:
    """Of both classes."""
    with pytest.raises(kind):
        Ledger.open("memory:", **{option: value})

    async def main() -> None:
        with pytest.raises(kind):
            await leadledger.AsyncLedger.open("memory:", **{option: value})

    asyncio.run(main())


def test_functions_without_a_ledger() -> None:
    """The pure functions are as strict as the methods."""

    def calls(value: Any) -> list[Callable[[], object]]:
        return [
            lambda: leadledger.preview_commission(value),
            lambda: leadledger.preview_commission("600.00", share=value),
            lambda: leadledger.preview_commission("600.00", rate=value),
            lambda: leadledger.alert_level(value, "1.00"),
        ]

    for kind, values in ((TypeError, WRONG_TYPES["decimal"]), (InvalidInput, BAD_VALUES["decimal"])):
        for value in values:
            for call in calls(value.make()):
                with pytest.raises(kind):
                    call()
    for value, code in ENORMOUS:
        with pytest.raises(Refused) as refused:
            leadledger.preview_commission(value.make())
        assert refused.value.code == code, value.label
    for wrong in (None, 5, 1.5, "1:00", MORNING):
        with pytest.raises(TypeError):
            leadledger.review_priority(cast(Any, wrong))
    with pytest.raises(InvalidInput):
        leadledger.channels_for(cast(Any, "nonsense"))
    assert leadledger.review_priority(timedelta.max) == "low"
    assert leadledger.review_priority(timedelta.min) == "high"
