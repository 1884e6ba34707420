"""Many tasks on one merchant, and tasks that are cancelled: what was acknowledged is there, nothing is there twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
import uvloop

from conftest import Places
from ground import PATIENCE_SECONDS, STORES, Caller, Shop, Store, open_shop
from leadledger import AsyncLedger, Closed, Refused

T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(main: Coroutine[Any, Any, T], loop: str = "asyncio") -> T:
    """Runs it to its end in a new loop of this kind, which must not find a task or callback left that failed."""
    new = LOOPS[loop]()
    faults: list[dict[str, Any]] = []
    new.set_exception_handler(lambda _, context: faults.append(context))
    try:
        return new.run_until_complete(asyncio.wait_for(main, PATIENCE_SECONDS))
    finally:
        new.run_until_complete(new.shutdown_asyncgens())
        new.close()
        assert not faults, faults


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("store", STORES)
def test_a_thousand_tasks_on_one_merchant(store: Store, loop: str, places: Places) -> None:
    """A cycle each: the deposit holds exactly the rest, and every entry has its own number."""
    tasks = 1_000

    async def main() -> None:
        async with AsyncLedger.open(places(store)) as ledger:
            shop = await open_shop(Caller(ledger))

            async def sell() -> tuple[int, int]:
                created = await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
                validated = await ledger.validate_lead(shop.merchant, created.answer.lead, score=8)
                return created.seq, validated.seq

            pairs = await asyncio.gather(*(sell() for _ in range(tasks)))
            assert all(first < second for first, second in pairs)
            assert sorted(seq for pair in pairs for seq in pair) == list(range(3, 3 + 2 * tasks))
            deposit = await ledger.deposit(shop.merchant, shop.deposit)
            assert deposit is not None
            assert (deposit.balance, deposit.reserved) == (Decimal("1000000.00") - 60 * tasks, Decimal(0))
            assert (await ledger.check(shop.merchant)).entries == 2 + 2 * tasks

    run(main(), loop)


def test_a_thousand_tasks_for_half_the_money(places: Places) -> None:
    """A deposit that pays for 500 leads is given 500."""

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite")) as ledger:
            shop = await open_shop(Caller(ledger), "30000.00")

            async def ask() -> str:
                try:
                    await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
                except Refused as refused:
                    return refused.code
                return "created"

            answers = Counter(await asyncio.gather(*(ask() for _ in range(1_000))))
            assert answers == {"created": 500, "insufficient_funds": 500}
            deposit = await ledger.deposit(shop.merchant, shop.deposit)
            assert deposit is not None
            assert (deposit.reserved, deposit.available) == (Decimal("30000.00"), Decimal(0))

    run(main())


def test_reads_and_commands_of_a_thousand_tasks_mix(places: Places) -> None:
    """Reads see whole states only: what a deposit has is what it began with less whole commissions."""

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite")) as ledger:
            shop = await open_shop(Caller(ledger))

            async def look() -> None:
                deposit = await ledger.deposit(shop.merchant, shop.deposit)
                assert deposit is not None
                assert (deposit.balance - deposit.available, deposit.reserved % 60) == (deposit.reserved, Decimal(0))

            async def sell() -> None:
                await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")

            await asyncio.gather(*(look() if number % 2 else sell() for number in range(1_000)))

    run(main())


async def left_to_chance(task: asyncio.Task[Any], chance: random.Random, way: str) -> bool:
    """Cancels a task at a random moment in one of the ways that programs do; true where it was acknowledged before."""
    if way == "cancel":
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return False
        return True
    try:
        await asyncio.wait_for(task, chance.random() * 0.02)
    except asyncio.TimeoutError:
        return False
    return True


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", ["cancel", "timeout"])
@pytest.mark.parametrize("store", STORES)
def test_cancelled_tasks_apply_once_or_not_at_all(store: Store, way: str, loop: str, places: Places) -> None:
    """Each command is sent with a key, cancelled at a random moment, and sent again: one lead each, and the answer that
    was acknowledged is the one that comes again.
    """
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    count = 300

    async def main() -> None:
        async with AsyncLedger.open(places(store)) as ledger:
            shop = await open_shop(Caller(ledger))

            def create(number: int) -> Awaitable[Any]:
                return ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00", key=f"k{number}")

            async def sent(number: int) -> Any:
                return await create(number)

            tasks = [asyncio.ensure_future(sent(number)) for number in range(count)]
            kept = await asyncio.gather(*(left_to_chance(task, chance, way) for task in tasks))
            acknowledged = {number: tasks[number].result().answer for number in range(count) if kept[number]}
            if way == "cancel":
                assert len(acknowledged) < count, "nothing was cancelled"
            for number in range(count):
                again = await create(number)
                if number in acknowledged:
                    assert again.replayed
                    assert again.answer == acknowledged[number]
            leads = (await ledger.leads(shop.merchant, limit=10 * count)).items
            assert len(leads) == count
            assert {lead.id for lead in leads} >= {answer.lead for answer in acknowledged.values()}
            deposit = await ledger.deposit(shop.merchant, shop.deposit)
            assert deposit is not None
            assert deposit.reserved == 60 * count
            await ledger.check(shop.merchant)

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_read_leaves_nothing_behind(loop: str) -> None:
    """Reads that are cancelled at once; the ledger reads on."""

    async def main() -> None:
        async with AsyncLedger.open("memory:") as ledger:
            shop = await open_shop(Caller(ledger))

            async def read() -> object:
                return await ledger.deposit(shop.merchant, shop.deposit)

            for _ in range(200):
                task = asyncio.ensure_future(read())
                await asyncio.sleep(0)
                task.cancel()
                # One that was answered by then is answered.
                assert (await asyncio.gather(task, return_exceptions=True))[0] is not None
            assert await read() is not None

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_wait_for_events_loses_none(loop: str, places: Places) -> None:
    """A watch whose waiting is cancelled again and again is still given every event once, in order."""
    count = 60

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite")) as ledger:
            shop = await open_shop(Caller(ledger))
            watch = await ledger.watch(shop.merchant)
            chance = random.Random(7)

            async def sell() -> list[UUID]:
                return [
                    (await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")).answer.lead
                    for _ in range(count)
                ]

            async def follow() -> list[UUID]:
                told: list[UUID] = []
                while len(told) < count:
                    task = asyncio.ensure_future(watch.changed())
                    for _ in range(chance.randrange(6)):
                        await asyncio.sleep(0)
                    if chance.random() < 0.7:
                        task.cancel()
                    try:
                        told += [event.lead for event in await task if event.type == "lead_created"]  # type: ignore[attr-defined]
                    except asyncio.CancelledError:
                        continue
                return told

            sold, told = await asyncio.gather(sell(), follow())
            assert told == sold

    run(main(), loop)


def test_a_loop_that_is_closed_while_answers_are_on_their_way() -> None:
    """Commands whose loop is gone are applied all the same; another loop goes on with the ledger."""
    first = asyncio.new_event_loop()
    merchant = uuid4()

    async def begin() -> AsyncLedger:
        return await AsyncLedger.open("memory:")

    ledger = first.run_until_complete(begin())

    async def send() -> list[asyncio.Future[Any]]:
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(ledger.register_campaign(merchant)) for _ in range(100)
        ]
        await asyncio.sleep(0)
        return tasks

    tasks = first.run_until_complete(send())
    for task in tasks:
        task.cancel()
    first.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    first.close()

    async def after() -> int:
        found = len(await ledger.campaigns(merchant))
        await ledger.close()
        return found

    assert 0 <= run(after()) <= 100


def test_closing_while_tasks_wait() -> None:
    """Each is answered, or told that the ledger is closed; and `close` may be awaited twice."""

    async def main() -> None:
        ledger = await AsyncLedger.open("memory:")
        shop = await open_shop(Caller(ledger))
        watch = await ledger.watch(shop.merchant)

        async def sell() -> str:
            try:
                await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
            except Closed as closed:
                return closed.code
            return "created"

        async def wait() -> str:
            try:
                while True:
                    await watch.changed()
            except Closed as closed:
                return closed.code

        waiting = asyncio.ensure_future(wait())
        selling = [asyncio.ensure_future(sell()) for _ in range(100)]
        await asyncio.sleep(0)
        await ledger.close()
        answers = Counter(await asyncio.gather(*selling))
        assert answers["created"] + answers["closed"] == 100
        assert await waiting == "closed"
        await ledger.close()
        with pytest.raises(Closed):
            await ledger.deposits(shop.merchant)

    run(main())


def test_an_awaitable_that_is_dropped_is_no_fault(places: Places) -> None:
    """A call that is never awaited, and one that is awaited from another task than the one that made it."""

    async def main() -> None:
        async with AsyncLedger.open(places("sqlite")) as ledger:
            shop: Shop = await open_shop(Caller(ledger))
            unused = ledger.deposits(shop.merchant)
            close = getattr(unused, "close", None)
            if close is not None:
                close()
            del unused
            call = ledger.deposits(shop.merchant)

            async def elsewhere() -> int:
                return len(await call)

            assert await asyncio.ensure_future(elsewhere()) == 1

    run(main())
