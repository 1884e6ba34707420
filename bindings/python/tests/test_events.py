"""Watches and subscriptions, blocking and awaited: nothing missed, nothing twice but what was not acknowledged."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from conftest import Places
from ground import PATIENCE_SECONDS, STORES, Caller, Store, child, finished, open_shop, open_shop_blocking
from leadledger import AsyncLedger, Closed, InvalidInput, LeadledgerError, Ledger, events


def test_a_watch_begins_now_and_gives_each_event_once() -> None:
    """What was before is not told; what comes is, whole entries at a time."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        assert watch.next(0.0) is None
        created = ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
        ledger.validate_lead(shop.merchant, created.answer.lead, score=9)
        told = watch.next(PATIENCE_SECONDS)
        assert told is not None
        first, second = told
        assert isinstance(first, events.LeadCreated)
        assert (first.merchant, first.seq, first.index, first.at) == (shop.merchant, created.seq, 0, created.at)
        assert (first.type, first.kind, str(first.commission)) == ("lead_created", "create_lead", "60.00")
        assert isinstance(second, events.LeadValidated)
        assert (second.lead, second.score, second.accepted) == (created.answer.lead, 9, False)
        assert watch.next(0.0) is None


def test_a_watch_of_another_book_is_silent() -> None:
    """Nothing of one merchant is told to another."""
    with Ledger.open("memory:") as ledger:
        watch = ledger.watch(uuid4())
        open_shop_blocking(ledger)
        assert watch.next(0.0) is None


def test_iterating_a_watch_gives_events_one_by_one_until_it_is_closed() -> None:
    """A `for` over a watch does not end by itself; it ends with the watch."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        for _ in range(3):
            ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
        told: list[int] = []
        for event in watch:
            told.append(event.seq)
            if len(told) == 3:
                break
        assert told == [3, 4, 5]
        for _ in range(3):
            ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
        assert next(iter(watch)).seq == 6
        assert next(iter(watch)).seq == 7
        assert [event.seq for event in watch.next(PATIENCE_SECONDS) or ()] == [8]
        watch.close()
        watch.close()
        with pytest.raises(Closed):
            watch.next(0.0)
        with pytest.raises(Closed):
            next(iter(watch))


def test_a_watch_ends_with_its_ledger() -> None:
    """Closing the ledger wakes who waits."""
    ledger = Ledger.open("memory:")
    watch = ledger.watch(uuid4())
    ledger.close()
    with pytest.raises(Closed) as closed:
        watch.next(PATIENCE_SECONDS)
    assert closed.value.code == "closed"


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), True, "1", b"1"])
def test_a_watch_refuses_what_is_no_time(timeout: Any) -> None:
    """Negative, not a number, and not a number of seconds at all; it can be used afterwards."""
    with Ledger.open("memory:") as ledger:
        watch = ledger.watch(uuid4())
        with pytest.raises((InvalidInput, TypeError, ValueError)):
            watch.next(timeout)
        assert watch.next(0) is None


def test_an_infinite_timeout_waits() -> None:
    """As long as it takes."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        ledger.pause_campaign(shop.merchant, shop.campaign)
        assert watch.next(float("inf")) is not None


def test_an_awaited_watch() -> None:
    """`changed` and `async for` give the same events."""

    async def main() -> None:
        async with AsyncLedger.open("memory:") as ledger:
            shop = await open_shop(Caller(ledger))
            one, two = await ledger.watch(shop.merchant), await ledger.watch(shop.merchant)

            async def follow() -> list[str]:
                told: list[str] = []
                async for event in one:
                    told.append(event.type)
                    if len(told) == 6:
                        break
                return told

            async def collect() -> list[str]:
                told: list[str] = []
                while len(told) < 6:
                    told += [event.type for event in await two.changed()]
                return told

            tasks = asyncio.gather(follow(), collect())
            for _ in range(3):
                lead = (await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")).answer.lead
                await ledger.reject_lead(shop.merchant, lead, "no answer")
            followed, collected = await asyncio.wait_for(tasks, PATIENCE_SECONDS)
            assert followed == collected == ["lead_created", "lead_rejected"] * 3
            one.close()
            with pytest.raises(Closed):
                await one.changed()

    asyncio.run(main())


@pytest.mark.parametrize("store", STORES)
def test_what_another_process_commits_is_seen(store: Store, places: Places) -> None:
    """Another process's entries come to a watch, to a subscription and to reads."""
    url = places(store)
    merchant = uuid4()
    with Ledger.open(url) as ledger:
        watch = ledger.watch(merchant)
        subscription = ledger.subscribe("reader")
        process = child("writes", url, str(merchant))
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        for number in range(3):
            process.stdin.write(b"again\n")
            process.stdin.flush()
            campaign = UUID(process.stdout.readline().decode().strip())
            told = watch.next(PATIENCE_SECONDS)
            assert told is not None
            (event,) = told
            assert isinstance(event, events.CampaignRegistered)
            assert (event.campaign, event.seq) == (campaign, number + 1)
        code, _, errors = finished(process)
        assert code == 0, errors
        assert len(ledger.campaigns(merchant)) == 3
        assert {event.type for event in patient(subscription)} == {"campaign_registered"}


def patient(subscription: Any) -> list[Any]:
    """What a subscription has, which another process's last entries may reach a little later."""
    told: list[Any] = []
    while len(told) < 3:
        told = list(subscription.next(10))
    return told


def test_a_subscription_repeats_until_it_is_acknowledged(places: Places) -> None:
    """And its place outlives the process's ledger."""
    url = places("sqlite")
    with Ledger.open(url) as ledger:
        subscription = ledger.subscribe("mailer")
        assert subscription.next(10) == ()
        assert subscription.position() is None
        open_shop_blocking(ledger)
        first = subscription.next(1)
        assert [event.type for event in first] == ["campaign_registered"]
        assert subscription.next(1) == first
        subscription.ack()
        second = subscription.next(10)
        assert [event.type for event in second] == ["deposit_opened", "payment_received"]
    with Ledger.open(url) as ledger:
        subscription = ledger.subscribe("mailer")
        assert subscription.next(10) == second
        subscription.ack()
        subscription.ack()
        assert subscription.next(10) == ()
        here = subscription.position()
        assert here == ledger.events_end()
        subscription.seek(None)
        assert subscription.next(10) == first + second
        subscription.seek(here)
        assert subscription.next(10) == ()
        other = ledger.subscribe("another")
        assert other.next(10) == first + second


def test_iterating_a_subscription_ends_and_goes_on(places: Places) -> None:
    """A `for` ends when there is no more, having acknowledged all; a later one begins with what is new."""
    with Ledger.open(places("sqlite")) as ledger:
        shop = open_shop_blocking(ledger)
        subscription = ledger.subscribe("mailer")
        assert [event.seq for event in subscription] == [1, 2, 2]
        assert list(subscription) == []
        assert subscription.position() == ledger.events_end()
        ledger.pause_campaign(shop.merchant, shop.campaign)
        ledger.resume_campaign(shop.merchant, shop.campaign)
        assert [event.type for event in subscription] == ["campaign_paused", "campaign_resumed"]


def test_leaving_a_subscription_does_not_acknowledge_what_was_not_handled(places: Places) -> None:
    """An exception in the loop's body: that entry comes again, and none before it was lost."""
    with Ledger.open(places("sqlite")) as ledger:
        for _ in range(5):
            open_shop_blocking(ledger)
        handled: list[tuple[UUID, int, int]] = []

        def handle(event: events.Event) -> None:
            if len(handled) == 7 and not failed:
                failed.append(event)
                raise RuntimeError("the mail server is away")
            handled.append((event.merchant, event.seq, event.index))

        failed: list[events.Event] = []
        with pytest.raises(RuntimeError, match="mail server"):
            for event in ledger.subscribe("mailer"):
                handle(event)
        for event in ledger.subscribe("mailer"):
            handle(event)
        everything = {
            (event.merchant, event.seq, event.index)
            for entry in ledger.all_events(limit=1000).items
            for event in entry.events
        }
        assert set(handled) == everything
        assert len(everything) == 15


def test_a_subscriber_that_dies_gets_again_what_it_did_not_acknowledge(places: Places) -> None:
    """A process that ends between handling and acknowledging."""
    url = places("sqlite")
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        ledger.pause_campaign(shop.merchant, shop.campaign)
        code, output, errors = finished(child("leaves_unacknowledged", url, "mailer"))
        assert code == 9, errors
        seen = [tuple(map(int, line.split()[1:])) for line in output.splitlines()]
        assert seen == [(1, 0), (2, 0)]
        again = [(event.seq, event.index) for event in ledger.subscribe("mailer")]
        assert again[-3:] == [(2, 0), (2, 1), (3, 0)]


def test_two_readers_of_one_name(places: Places) -> None:
    """The one that comes second is told, and goes on from the other's place."""
    with Ledger.open(places("sqlite")) as ledger:
        open_shop_blocking(ledger)
        one, two = ledger.subscribe("mailer"), ledger.subscribe("mailer")
        assert one.next(1) == two.next(1)
        one.ack()
        with pytest.raises(LeadledgerError) as moved:
            two.ack()
        assert moved.value.code == "cursor_moved"
        assert [event.seq for event in two.next(1)] == [2, 2]


def test_an_awaited_subscription(places: Places) -> None:
    """The same calls, awaited; `async for` ends when there is no more."""

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite")) as ledger:
            shop = await open_shop(Caller(ledger))
            subscription = await ledger.subscribe("mailer")
            first = await subscription.next(1)
            assert first == await subscription.next(1)
            await subscription.ack()
            assert [event.seq async for event in subscription] == [2, 2]
            assert await subscription.position() == await ledger.events_end()
            await ledger.pause_campaign(shop.merchant, shop.campaign)
            assert [event.type async for event in subscription] == ["campaign_paused"]
            await subscription.seek(None)
            assert len(await subscription.next(100)) == 4

    asyncio.run(main())


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b"])
def test_a_name_that_is_none(name: str) -> None:
    """1 to 255 characters without NUL."""
    with Ledger.open("memory:") as ledger, pytest.raises(InvalidInput) as refused:
        ledger.subscribe(name)
    assert refused.value.code in ("text_empty", "text_too_long", "text_has_nul")


def test_cursors_of_other_places_are_refused(places: Places) -> None:
    """A cursor is a store's own; somebody else's is no place in it."""
    with Ledger.open(places("sqlite")) as ledger:
        shop = open_shop_blocking(ledger)
        for cursor in ("", "nonsense", "statement:1:2:3", "x" * 10_000, "a\0b"):
            with pytest.raises(LeadledgerError):
                ledger.all_events(after=cursor)
            with pytest.raises(LeadledgerError):
                ledger.leads(shop.merchant, after=cursor)
            with pytest.raises(LeadledgerError):
                ledger.statement(shop.merchant, shop.deposit, after=cursor)
            with pytest.raises(LeadledgerError):
                ledger.subscribe("reader").seek(cursor)


def test_pages_of_all_events_are_the_whole_journal() -> None:
    """Entry by entry, with a page for each, nothing is left out."""
    with Ledger.open("memory:") as ledger:
        shops = [open_shop_blocking(ledger) for _ in range(4)]
        seen: list[tuple[UUID, int]] = []
        after: str | None = None
        while True:
            page = ledger.all_events(after=after, limit=1)
            seen += [(event.merchant, event.seq) for entry in page.items for event in entry.events if event.index == 0]
            if not page.items:
                break
            after = page.next
        assert sorted(seen) == sorted((shop.merchant, seq) for shop in shops for seq in (1, 2))
