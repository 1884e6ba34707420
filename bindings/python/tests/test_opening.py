"""Opening, closing, and what a ledger is told when it is opened."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

import leadledger
from conftest import Places
from ground import (
    KINDS,
    STORES,
    Kind,
    Store,
    clock_at,
    open_shop,
    open_shop_blocking,
    opened,
    postgres_url,
    with_schema,
)
from leadledger import (
    AsyncLedger,
    Closed,
    InvalidInput,
    LeadledgerError,
    Ledger,
    ManualClock,
    Minimums,
    Refused,
    StoreUnavailable,
    StoreUnusable,
)


@pytest.mark.parametrize("store", ["memory", *STORES])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_answered_is_there_again(kind: Kind, store: Store, places: Places) -> None:
    """Closing and opening; a ledger in memory begins anew."""
    url = places(store)

    async def main() -> None:
        async with opened(kind, url) as caller:
            shop = await open_shop(caller)
        async with opened(kind, url) as caller:
            assert len(await caller.call("deposits", shop.merchant)) == (0 if store == "memory" else 1)

    asyncio.run(main())


def test_a_with_block_closes() -> None:
    """However it is left, and whoever calls afterwards is told."""
    with Ledger.open("memory:") as ledger:
        pass
    with pytest.raises(Closed) as closed:
        ledger.register_campaign(uuid4())
    assert closed.value.code == "closed"
    with pytest.raises(RuntimeError, match="planted"), Ledger.open("memory:") as ledger:
        raise RuntimeError("planted")
    for call in (ledger.now, ledger.check_all, lambda: ledger.watch(uuid4()), lambda: ledger.subscribe("reader")):
        with pytest.raises(Closed):
            call()
    ledger.close()
    with pytest.raises(Closed), ledger:
        raise AssertionError("a closed ledger was entered")


def test_async_open_both_ways() -> None:
    """As a context manager, and awaited and closed by hand."""

    async def main() -> None:
        async with AsyncLedger.open("memory:") as ledger:
            await ledger.register_campaign(uuid4())
        with pytest.raises(Closed):
            await ledger.register_campaign(uuid4())
        other = await AsyncLedger.open("memory:")
        await other.register_campaign(uuid4())
        await other.close()
        await other.close()
        with pytest.raises(Closed):
            await other.check_all()
        third: AsyncLedger | None = None
        with pytest.raises(RuntimeError, match="planted"):
            async with AsyncLedger.open("memory:") as third:
                raise RuntimeError("planted")
        assert third is not None
        with pytest.raises(Closed):
            await third.check_all()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_clock_by_hand(kind: Kind) -> None:
    """What is due happens when the clock says so."""

    async def main() -> None:
        clock = clock_at()
        async with opened(kind, "memory:", clock=clock) as caller:
            shop = await open_shop(caller)
            lead = (await caller.call("create_lead", shop.merchant, shop.campaign, shop.partner, "600.00")).answer
            clock.set(lead.expires_at)
            assert clock.now() == lead.expires_at
            assert (await caller.call("lead", shop.merchant, lead.lead)).status == "expired"

    asyncio.run(main())


def test_the_time_zone_says_what_day_it_is() -> None:
    """By its IANA name; Casablanca where nobody says."""
    clock = ManualClock(datetime(2026, 3, 1, 23, 30, tzinfo=timezone.utc))
    for zone, day in (("America/New_York", 1), ("Asia/Tokyo", 2)):
        with Ledger.open("memory:", time_zone=zone, clock=clock) as ledger:
            figures = ledger.merchant_figures(uuid4())
            assert (figures.today.day, figures.time_zone) == (day, zone)
    with Ledger.open("memory:", clock=clock) as ledger:
        assert ledger.merchant_figures(uuid4()).time_zone == "Africa/Casablanca"
        assert ledger.now() == clock.now()


def test_minimums_of_another_currency() -> None:
    """A currency has those that it is given; the dirham has its own."""
    euros = Minimums(value=Decimal(5), opening="100.00", top_up=10, auto_top_up="50")
    with Ledger.open("memory:", minimums={"EUR": euros}) as ledger:
        with pytest.raises(Refused) as refused:
            ledger.open_deposit(uuid4(), "99.99", currency="EUR")
        assert refused.value.details == {"minimum": "100.00"}
        ledger.open_deposit(uuid4(), "100.00", currency="EUR")
        with pytest.raises(Refused) as refused:
            ledger.open_deposit(uuid4(), "1999.99")
        assert refused.value.details == {"minimum": "2000.00"}


def test_small_queues_and_batches(places: Places) -> None:
    """Options that make everything wait change nothing but the speed."""

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite"), queue=1, batch=1, readers=1) as ledger:
            merchant = uuid4()
            await asyncio.gather(*(ledger.register_campaign(merchant) for _ in range(100)))
            assert len(await ledger.campaigns(merchant)) == 100

    asyncio.run(main())


def test_migrating_postgres() -> None:
    """Before it nothing can be opened; twice is once; the schema is the URL's."""
    server = postgres_url()
    name = f"py_{uuid4().hex}"
    url = with_schema(server, name)
    try:
        with pytest.raises(StoreUnusable) as unusable:
            Ledger.open(url)
        assert (unusable.value.code, unusable.value.details["found"]) == ("store_outdated", 0)
        first, second = leadledger.migrate(url), leadledger.migrate(url)
        assert (first.store, first.created, second.created) == ("postgres", True, False)
        assert first.to_version == second.from_version == second.to_version
        with Ledger.open(url) as ledger:
            open_shop_blocking(ledger)
        with psycopg.connect(server) as connection:
            count = connection.execute(sql.SQL("SELECT count(*) FROM {}.books").format(sql.Identifier(name))).fetchone()
        assert count == (1,)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def test_migrating_sqlite(tmp_path: Path) -> None:
    """Opening does it too."""
    url = f"sqlite:{tmp_path / 'shop.db'}"
    assert leadledger.migrate(url).created
    assert not leadledger.migrate(url).created


def test_files_that_are_no_ledger(tmp_path: Path) -> None:
    """Each is told apart, and left as it is."""
    other = tmp_path / "letter.db"
    other.write_bytes(b"Dear Sir or Madam, this is no database at all." * 100)
    with pytest.raises(StoreUnusable) as unusable:
        Ledger.open(f"sqlite:{other}")
    assert unusable.value.code in ("store_foreign", "store_corrupt")
    assert other.read_bytes().startswith(b"Dear Sir")
    for path in (tmp_path, tmp_path / "no such folder" / "shop.db"):
        with pytest.raises((StoreUnusable, StoreUnavailable)):
            Ledger.open(f"sqlite:{path}")


def test_a_server_that_is_not_there() -> None:
    """Unavailable, and it may pass; the password is in no message."""
    for call in (Ledger.open, leadledger.migrate):
        with pytest.raises(StoreUnavailable) as away:
            call("postgres://someone:secret@127.0.0.1:1/none")
        assert (away.value.code, away.value.transient) == ("store_unavailable", True)
        assert "secret" not in repr(away.value)

    async def main() -> None:
        with pytest.raises(StoreUnavailable):
            await AsyncLedger.open("postgres://someone:secret@127.0.0.1:1/none")

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_exports_and_imports(kind: Kind, tmp_path: Path, places: Places) -> None:
    """What was written comes back to the letter; a file that is there stays, unless it may go. A cut one is refused."""
    path = tmp_path / "books.jsonl"

    async def main() -> None:
        async with opened(kind, places("sqlite")) as caller:
            shop = await open_shop(caller)
            await caller.call("create_lead", shop.merchant, shop.campaign, shop.partner, "600.00")
            report = await caller.call("export_jsonl", path)
            assert (report.books, report.entries) == (1, 3)
            with pytest.raises(InvalidInput) as there:
                await caller.call("export_jsonl", str(path))
            assert there.value.code == "file_exists"
            await caller.call("export_jsonl", os.fspath(path), merchant=shop.merchant, over=True)
            book = await caller.call("book", shop.merchant)
            assert await caller.call("export_statement_csv", shop.merchant, shop.deposit, tmp_path / "s.csv") == 1
            for tool in ("hledger", "beancount"):
                written = await caller.call("export_accounting", tmp_path / tool, format=tool)
                assert written.books == 1
                assert (tmp_path / tool).stat().st_size > 100
        async with opened(kind, places("sqlite")) as caller:
            cut = tmp_path / "cut.jsonl"
            cut.write_bytes(path.read_bytes()[:-100])
            with pytest.raises(LeadledgerError) as refused:
                await caller.call("import_jsonl", cut)
            assert refused.value.code.startswith("import_")
            with pytest.raises(InvalidInput) as missing:
                await caller.call("import_jsonl", tmp_path / "nothing")
            assert missing.value.code == "file_unreadable"
            imported = await caller.call("import_jsonl", path)
            assert (imported.new_books, imported.new_entries) == (1, 3)
            again = await caller.call("book", shop.merchant)
            assert again == book
            assert (await caller.call("import_jsonl", path)).new_entries == 0

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_proofs(kind: Kind) -> None:
    """A proof is text that stands without the ledger; a changed one proves nothing."""

    async def main() -> None:
        async with opened(kind, "memory:") as caller:
            shop = await open_shop(caller)
            proof = await caller.call("proof", shop.merchant, 1)
            report = await caller.call("check", shop.merchant)
        proven = leadledger.verify_proof(proof)
        assert (proven.merchant, proven.seq, proven.head_seq) == (shop.merchant, 1, 2)
        assert leadledger.verify_proof_against(proof, shop.merchant, report.head) == proven
        for wrong in (proof.replace("5000", "9000").replace("1000000", "2000000"), proof[:-2], "", "{}", "[]"):
            with pytest.raises(LeadledgerError) as refused:
                leadledger.verify_proof(wrong)
            assert refused.value.code.startswith(("proof_", "invalid_"))
        with pytest.raises(LeadledgerError):
            leadledger.verify_proof_against(proof, uuid4(), report.head)

    asyncio.run(main())


def test_a_ledger_that_is_dropped_is_closed(places: Places) -> None:
    """Without `close`: its file can be opened, written and checked by the next one, many times over."""
    url = places("sqlite")
    merchant: Any = uuid4()
    for number in range(20):
        ledger = Ledger.open(url)
        ledger.register_campaign(merchant)
        del ledger
        with Ledger.open(url) as other:
            assert other.book(merchant).entries == number + 1
