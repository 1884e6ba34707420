"""One ledger under many threads, and the proof that a call that waits lets the others run."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from conftest import Places
from ground import PATIENCE_SECONDS, Store, open_shop_blocking, postgres_url
from leadledger import AsyncLedger, Closed, LeadledgerError, Ledger, Refused

T = TypeVar("T")

THREADS = 64
LEADS = 8


@contextmanager
def switching() -> Generator[None, None, None]:
    """Lets Python change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def together(work: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Runs it in so many threads that begin at the same moment; a fault of one is the caller's."""
    gate = threading.Barrier(threads)

    def begin(number: int) -> T:
        gate.wait(PATIENCE_SECONDS)
        return work(number)

    with switching(), ThreadPoolExecutor(threads) as pool:
        return [future.result(PATIENCE_SECONDS) for future in [pool.submit(begin, n) for n in range(threads)]]


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_64_threads_on_one_merchant(store: Store, places: Places) -> None:
    """Every lead is there once, and the deposit holds exactly the rest."""
    with Ledger.open(places(store)) as ledger:
        shop = open_shop_blocking(ledger)

        def sell(number: int) -> list[tuple[UUID, int, int]]:
            sold: list[tuple[UUID, int, int]] = []
            for _ in range(LEADS):
                created = ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
                assert ledger.lead(shop.merchant, created.answer.lead) is not None
                validated = ledger.validate_lead(shop.merchant, created.answer.lead, score=number % 10 + 1)
                sold.append((created.answer.lead, created.seq, validated.seq))
            return sold

        sold = [lead for leads in together(sell) for lead in leads]
        count = THREADS * LEADS
        assert len({lead for lead, _, _ in sold}) == count
        seqs = [seq for _, *both in sold for seq in both]
        assert sorted(seqs) == list(range(3, 3 + 2 * count)), "two entries a lead, none twice, no gap"
        deposit = ledger.deposit(shop.merchant, shop.deposit)
        assert deposit is not None
        assert (deposit.balance, deposit.reserved) == (Decimal("1000000.00") - 60 * count, Decimal(0))
        (earned,) = ledger.partner(shop.merchant, shop.partner)
        assert earned.payable + earned.held == 18 * count
        assert ledger.check(shop.merchant).entries == 2 + 2 * count


def test_64_threads_for_the_last_lead(places: Places) -> None:
    """A deposit that pays for 33 leads is given 33, whoever asks."""
    with Ledger.open(places("sqlite")) as ledger:
        shop = open_shop_blocking(ledger, "2000.00")

        def ask(_: int) -> str:
            try:
                ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
            except Refused as refused:
                return refused.code
            return "created"

        answers = together(ask)
        assert answers.count("created") == 33
        assert answers.count("insufficient_funds") == THREADS - 33
        deposit = ledger.deposit(shop.merchant, shop.deposit)
        assert deposit is not None
        assert (deposit.reserved, deposit.available) == (Decimal("1980.00"), Decimal("20.00"))


def test_64_threads_with_one_key(places: Places) -> None:
    """One of them creates the lead; all are given it."""
    with Ledger.open(places("sqlite")) as ledger:
        shop = open_shop_blocking(ledger)

        def create(_: int) -> tuple[UUID, bool]:
            done = ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00", key="order-1")
            return done.answer.lead, done.replayed

        answers = together(create)
        assert len({lead for lead, _ in answers}) == 1
        assert [replayed for _, replayed in answers].count(False) == 1
        assert len(ledger.leads(shop.merchant).items) == 1


def test_threads_that_are_closed_under(places: Places) -> None:
    """A command is answered or refused as closed while another thread closes; what was answered is there."""
    url = places("sqlite")
    ledger = Ledger.open(url)
    shop = open_shop_blocking(ledger)
    some = threading.Event()

    def sell(_: int) -> list[UUID]:
        sold: list[UUID] = []
        while True:
            try:
                sold.append(ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00").answer.lead)
            except Closed:
                return sold
            some.set()

    with ThreadPoolExecutor(8) as pool:
        selling = [pool.submit(sell, number) for number in range(8)]
        assert some.wait(PATIENCE_SECONDS)
        ledger.close()
        sold = {lead for future in selling for lead in future.result(PATIENCE_SECONDS)}
    with pytest.raises(Closed) as closed:
        ledger.deposits(shop.merchant)
    assert closed.value.code == "closed"
    ledger.close()
    with Ledger.open(url) as again:
        assert {lead.id for lead in again.leads(shop.merchant, limit=100_000).items} >= sold
        again.check(shop.merchant)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[Any]]:
    """Starts it; what it gives, or raises, comes in the list."""
    given: list[Any] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as fault:  # the test looks at it
            given.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, given


def test_a_watch_that_waits_lets_others_run() -> None:
    """The thread that waits is told of what this one commits: it cannot have kept this one from running."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        thread, given = in_thread(lambda: watch.next(PATIENCE_SECONDS))
        ledger.pause_campaign(shop.merchant, shop.campaign)
        thread.join(PATIENCE_SECONDS)
        (events,) = given
        assert [event.type for event in events] == ["campaign_paused"]


def test_a_command_that_waits_lets_others_run(places: Places) -> None:
    """This thread holds the lock that the command waits for, and can only give it back if it runs."""
    url = places("sqlite")
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        other = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        thread, given = in_thread(lambda: ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00"))
        assert not given
        assert thread.is_alive()
        other.execute("ROLLBACK")
        other.close()
        thread.join(PATIENCE_SECONDS)
        assert given[0].seq == 3, given


@pytest.mark.parametrize("call", ["deposit", "open"])
def test_a_read_that_waits_lets_others_run(call: str, places: Places) -> None:
    """The same for a read, and for opening: the server says that they wait before the lock is given back."""
    url = places("postgres")
    schema = url.rpartition("schema=")[2]
    with Ledger.open(url) as ledger, psycopg.connect(postgres_url()) as holder:
        shop = open_shop_blocking(ledger)
        tables = [row[0] for row in holder.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])]
        names = sql.SQL(", ").join(sql.Identifier(schema, name) for name in tables)
        holder.execute(sql.SQL("LOCK TABLE {}").format(names))

        def work() -> object:
            if call == "deposit":
                return ledger.deposit(shop.merchant, shop.deposit)
            with Ledger.open(url) as second:
                return second.deposit(shop.merchant, shop.deposit)

        thread, given = in_thread(work)
        with psycopg.connect(postgres_url(), autocommit=True) as observer:
            waits = (
                "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
                "WHERE NOT l.granted AND c.relnamespace = %s::regnamespace"
            )
            while True:
                row = observer.execute(waits, [schema]).fetchone()
                if row is not None and row[0] > 0:
                    break
                assert not given, given
        holder.rollback()
        thread.join(PATIENCE_SECONDS)
        assert given[0].balance == Decimal("1000000.00"), given


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_several_loops_in_several_threads(store: Store, places: Places) -> None:
    """One `AsyncLedger`, eight threads with a loop each: every answer comes back to its own loop."""
    loops = 8

    async def opened() -> AsyncLedger:
        return await AsyncLedger.open(places(store))

    ledger = asyncio.run(opened())
    merchant, partner = uuid4(), uuid4()

    async def prepared() -> tuple[UUID, UUID]:
        campaign = (await ledger.register_campaign(merchant)).answer
        return campaign, (await ledger.open_deposit(merchant, "1000000.00")).answer

    campaign, deposit = asyncio.run(prepared())

    async def sell() -> None:
        here = asyncio.get_running_loop()
        thread = threading.get_ident()

        async def one() -> None:
            lead = (await ledger.create_lead(merchant, campaign, partner, "600.00")).answer.lead
            assert asyncio.get_running_loop() is here
            assert threading.get_ident() == thread
            await ledger.validate_lead(merchant, lead)
            found = await ledger.lead(merchant, lead)
            assert found is not None
            assert found.status == "validated"

        await asyncio.gather(*(one() for _ in range(25)))

    together(lambda _: asyncio.run(sell()), loops)

    async def counted() -> Decimal:
        found = await ledger.deposit(merchant, deposit)
        await ledger.close()
        assert found is not None
        return found.balance

    assert asyncio.run(counted()) == Decimal("1000000.00") - 60 * 25 * loops


def test_both_classes_on_one_file(places: Places) -> None:
    """A blocking and an asyncio ledger on one file, in two threads, are two writers of the same books."""
    url = places("sqlite")
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)

        async def sell() -> None:
            async with AsyncLedger.open(url) as other:
                for _ in range(20):
                    await other.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")

        thread, given = in_thread(lambda: asyncio.run(sell()))
        for _ in range(20):
            ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
        thread.join(PATIENCE_SECONDS)
        assert given == [None], given
        assert len(ledger.leads(shop.merchant).items) == 40
        ledger.check(shop.merchant)


def test_a_fault_in_one_thread_is_its_own() -> None:
    """Errors do not cross threads: each sees the code of its own call."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)

        def ask(number: int) -> None:
            for _ in range(20):
                if number % 2:
                    with pytest.raises(LeadledgerError) as fault:
                        ledger.validate_lead(shop.merchant, uuid4())
                    assert fault.value.code == "lead_not_found"
                else:
                    with pytest.raises(LeadledgerError) as fault:
                        ledger.create_lead(shop.merchant, uuid4(), shop.partner, "600.00")
                    assert fault.value.code == "campaign_not_found"

        together(ask)
