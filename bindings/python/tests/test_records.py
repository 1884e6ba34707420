"""Records, events and exceptions as values: printed, compared, copied, pickled, taken apart."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import inspect
import pickle
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timezone
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import pytest

import leadledger
from ground import MORNING, child, finished, open_shop_blocking
from history import History, everything, is_table, records
from leadledger import (
    Customer,
    InvalidInput,
    LeadledgerError,
    Ledger,
    Refused,
    StoreUnavailable,
    events,
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """One history for all tests here: what is in it does not change."""
    return everything(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def by_class(history: History) -> dict[type[Any], Any]:
    """One record of each class that the history gives."""
    found: dict[type[Any], Any] = {}
    for record in records(history.given):
        found.setdefault(record.__class__, record)
    return found


def record_classes(module: Any) -> set[type[Any]]:
    """The dataclasses that a module makes public."""
    public = [getattr(module, name) for name in module.__all__]
    return {found for found in public if inspect.isclass(found) and dataclasses.is_dataclass(found)}


def test_every_event_happens(by_class: dict[type[Any], Any]) -> None:
    """The history has each event class, so that the tests below are about all of them."""
    missing = record_classes(events) - by_class.keys() - {events.Event}
    assert not missing, sorted(found.__name__ for found in missing)


def test_every_record_is_given(by_class: dict[type[Any], Any]) -> None:
    """And each record class of the package."""
    missing = record_classes(leadledger) - by_class.keys()
    # A check that fails is no part of a sound history; the other two are what records and events have in common.
    assert {found.__name__ for found in missing} <= {"CheckFailure", "Event", "Record"}


def test_records_are_frozen_slotted_and_typed(by_class: dict[type[Any], Any]) -> None:
    """A record cannot be changed, has no room for more, and holds only the types that the package promises."""
    plain = (str, int, bool, Decimal, uuid.UUID, datetime.datetime, datetime.date, tuple, dict, type(None))
    for record in by_class.values():
        assert not hasattr(record, "__dict__"), type(record)
        for field in dataclasses.fields(record):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(record, field.name, None)
            value = getattr(record, field.name)
            assert isinstance(value, plain) or dataclasses.is_dataclass(value), (type(record), field.name, value)
            assert not isinstance(value, float)
            if isinstance(value, datetime.datetime):
                assert value.tzinfo is timezone.utc, (type(record), field.name)
            if isinstance(value, Decimal):
                assert value.is_finite()
        with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
            record.no_such_field = 1


def test_the_repr_of_a_record_is_the_record(by_class: dict[type[Any], Any]) -> None:
    """Evaluated, it is equal: nothing is left out of it or written in another way."""
    for kind, record in by_class.items():
        # Some events are named as records are; no record holds both.
        names: dict[str, Any] = {type(one).__name__: type(one) for one in records(record)}
        names |= {"UUID": uuid.UUID, "Decimal": Decimal, "datetime": datetime}
        again = eval(repr(record), names)  # what the test is about
        assert again == record
        assert type(again) is kind


def test_records_compare_by_value(by_class: dict[type[Any], Any]) -> None:
    """Equal to its copies, unequal to what differs in one field, and to other classes; hashed accordingly."""
    for record in by_class.values():
        twin = copy.deepcopy(record)
        assert twin == record
        assert not twin != record
        assert record != dataclasses.astuple(record)
        if hashable(record):
            assert hash(twin) == hash(record)
        for field in dataclasses.fields(record):
            if field.init:
                assert dataclasses.replace(record, **{field.name: object()}) != record, (type(record), field.name)


def hashable(record: Any) -> bool:
    """Whether none of its fields is a dict."""
    return not any(isinstance(getattr(one, f.name), dict) for one in records(record) for f in dataclasses.fields(one))


def test_records_are_hashable(by_class: dict[type[Any], Any]) -> None:
    """All but those that hold a table."""
    for record in by_class.values():
        if hashable(record):
            assert len({record, copy.deepcopy(record)}) == 1
        else:
            with pytest.raises(TypeError):
                hash(record)


def test_records_are_pickled_and_copied(history: History, by_class: dict[type[Any], Any]) -> None:
    """With every protocol, alone and all together."""
    for record in by_class.values():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(record, protocol))
            assert again == record
            assert type(again) is type(record)
        assert copy.copy(record) == record
        assert copy.deepcopy(record) == record
    assert pickle.loads(pickle.dumps(history)) == history


def test_pickles_cross_processes(history: History, tmp_path: Path) -> None:
    """A new interpreter reads them, and what it writes is equal."""
    things = [*history.given.values(), Refused("insufficient_funds", "no", {"available": "1.00"})]
    path = tmp_path / "things"
    path.write_bytes(pickle.dumps(things))
    code, output, errors = finished(child("unpickles", str(path)))
    assert (code, output.split()) == (0, [str(len(things))]), errors
    again = pickle.loads(path.read_bytes())
    assert again[:-1] == things[:-1]
    assert (again[-1].code, again[-1].details) == ("insufficient_funds", {"available": "1.00"})


def plain(value: Any) -> Any:
    """What `to_dict` is to give for a value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": value.type, **fields} if isinstance(value, events.Event) else fields
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in cast(Sequence[Any], value)]
    if is_table(value):
        return {key: plain(one) for key, one in value.items()}
    return value


def test_to_dict_is_plain(by_class: dict[type[Any], Any]) -> None:
    """Dicts and lists all the way down, with every field under its name and the values kept."""
    for record in by_class.values():
        assert record.to_dict() == plain(record), type(record)


def test_events_say_what_they_are(history: History) -> None:
    """`type` is the class's name in the glossary; the entry's place is in each event."""
    entries = [*history.given["events"], *history.given["other events"]]
    assert entries
    for entry in entries:
        for index, event in enumerate(entry.events):
            assert (event.merchant, event.seq, event.at, event.kind) == (
                entry.merchant,
                entry.seq,
                entry.at,
                entry.kind,
            )
            assert event.index == index
            assert event.type.replace("_", "") == type(event).__name__.lower()
            assert isinstance(event, events.Event)
        assert sum(posting.amount for posting in entry.postings) == 0


def test_match_statements(history: History) -> None:
    """Classes and fields of events and answers can be matched."""
    told = [event for entry in history.given["events"] for event in entry.events]
    levels: list[str] = []
    for event in told:
        match event:
            case events.AlertRaised(level=level, priority=priority):
                levels.append(f"{level}:{priority}")
            case events.LeadValidated(accepted=True):
                raise AssertionError("nothing was accepted by time")
            case events.Event(type="alert_cleared"):
                levels.append("cleared")
            case _:
                pass
    assert "depleted:4" in levels
    assert "cleared" in levels
    match history.given["create_lead"].answer:
        case leadledger.LeadCreated(kind="percentage", commission=commission):
            assert commission == Decimal("60.00")
        case other:
            raise AssertionError(other)


def test_amounts_have_their_currencys_decimals(history: History) -> None:
    """`60.00`, not `60` or `6E+1`."""
    book = history.given["book"]
    for deposit in book.deposits:
        for amount in (deposit.balance, deposit.reserved, deposit.available, deposit.reference):
            assert amount.as_tuple().exponent == -2
    with Ledger.open("memory:") as ledger:
        for currency, places in (("JPY", 0), ("TND", -3), ("CLF", -4)):
            merchant = uuid.uuid4()
            deposit = ledger.open_deposit(merchant, "5000", currency=currency).answer
            found = ledger.deposit(merchant, deposit)
            assert found is not None
            assert (found.balance, found.balance.as_tuple().exponent) == (Decimal(5000), places)


FAULTS = ["LeadledgerError", "Refused", "InvalidInput", "StoreUnavailable", "StoreUnusable", "CheckFailed", "Closed"]


@pytest.mark.parametrize("name", [*FAULTS, "Internal", "ForkedLedger"])
def test_exceptions_are_pickled_and_copied(name: str) -> None:
    """With class, code, message, details and whether it passes."""
    kind = getattr(leadledger, name)
    assert issubclass(kind, LeadledgerError)
    assert issubclass(kind, Exception)
    fault = kind("a_code", "A message.", {"available": "1.00", "field": "x"}, transient=True)
    vars(fault)["__notes__"] = ["a note"]
    copies = [pickle.loads(pickle.dumps(fault, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in (*copies, copy.copy(fault), copy.deepcopy(fault)):
        assert type(again) is kind
        assert (again.code, again.message) == ("a_code", "A message.")
        assert again.details == {"available": "1.00", "field": "x"}
        assert again.transient is True
        assert str(again) == str(fault)
        assert vars(again)["__notes__"] == ["a note"]
    assert "a_code" in repr(fault)


def test_the_tree_of_exceptions() -> None:
    """One base; input that is wrong is a ValueError as well; nothing is caught by accident."""
    assert issubclass(InvalidInput, ValueError)
    for name in [*FAULTS[1:], "Internal", "ForkedLedger"]:
        kind = getattr(leadledger, name)
        # A ledger of another process is as good as closed.
        allowed = {name, "Closed"} if name == "ForkedLedger" else {name}
        others = [getattr(leadledger, other) for other in FAULTS[1:] if other not in allowed]
        assert not any(issubclass(kind, other) for other in others), name
        assert not issubclass(kind, OSError)


def refused_in_process(url: str) -> None:
    """Raises what a worker process raises."""
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger, "2000.00")
        for _ in range(34):
            ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_exceptions_cross_process_pools(method: str, tmp_path: Path) -> None:
    """What a worker raises is what its caller catches, details and all."""
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        future = pool.submit(refused_in_process, f"sqlite:{tmp_path / 'shop.db'}")
        with pytest.raises(Refused) as refused:
            future.result(60)
    assert refused.value.code == "insufficient_funds"
    assert refused.value.details == {"available": "20.00", "required": "60.00"}
    assert refused.value.transient is False


def test_real_exceptions_have_their_details(tmp_path: Path) -> None:
    """Codes and details of each family as the core gives them."""
    with Ledger.open("memory:") as ledger:
        merchant = uuid.uuid4()
        with pytest.raises(Refused) as refused:
            ledger.open_deposit(merchant, "10.00")
        assert (refused.value.code, refused.value.details) == ("below_minimum", {"minimum": "2000.00"})
        assert "2000.00" in str(refused.value)
        with pytest.raises(InvalidInput) as invalid:
            ledger.open_deposit(merchant, "ten")
        assert invalid.value.details["field"] == "amount"
        assert invalid.value.message
    with pytest.raises(LeadledgerError) as unusable:
        Ledger.open(f"sqlite:{tmp_path}")
    assert not isinstance(unusable.value, (Refused, InvalidInput))
    with pytest.raises(StoreUnavailable) as away:
        Ledger.open("postgres://nobody:secret@127.0.0.1:1/none")
    assert away.value.transient is True
    assert "secret" not in f"{away.value!r} {away.value} {away.value.details}"


def test_a_ledger_is_no_value() -> None:
    """It cannot be pickled or copied, and says so."""
    with Ledger.open("memory:") as ledger:
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                take(ledger)
        assert "Ledger" in repr(ledger)


def test_customers_are_made_by_hand() -> None:
    """What callers fill in themselves is a record like the others, and takes names only."""
    customer = Customer(name="A name", email="a@example.org")
    assert customer == Customer(email="a@example.org", name="A name")
    assert customer.phone is None
    assert dataclasses.replace(customer, name=None) == Customer(email="a@example.org")
    with pytest.raises(TypeError):
        Customer(nme="A name")  # type: ignore[call-arg]


def test_done_tells_when_and_where(history: History) -> None:
    """What a command gives beside its answer."""
    done = history.given["open_deposit"]
    assert (done.seq, done.at, done.replayed) == (3, MORNING, False)
