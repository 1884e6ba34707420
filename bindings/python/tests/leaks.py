"""Calls that leave nothing behind, each to be made a hundred thousand times. Run by `children.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID, uuid4

import leadledger
from ground import Caller, open_shop, open_shop_blocking
from leadledger import AsyncLedger, Customer, InvalidInput, Ledger, Refused

Run = Callable[[int], None]
AwaitedRun = Callable[[int], Awaitable[None]]


def times(call: Callable[[], object]) -> Run:
    """Calls it so many times."""

    def run(count: int) -> None:
        for _ in range(count):
            call()

    return run


def previews(_: Ledger) -> Run:
    """A pure function, with an answer."""
    return times(lambda: leadledger.preview_commission(Decimal("600.00"), share="30"))


def bad_previews(_: Ledger) -> Run:
    """A pure function that refuses."""

    def call() -> None:
        try:
            leadledger.preview_commission("not an amount")
        except InvalidInput:
            return
        raise AssertionError

    return times(call)


def reads(ledger: Ledger) -> Run:
    """A read of a record."""
    shop = open_shop_blocking(ledger)
    return times(lambda: ledger.deposit(shop.merchant, shop.deposit))


def lists(ledger: Ledger) -> Run:
    """A read of a page of records."""
    shop = open_shop_blocking(ledger)
    for _ in range(3):
        ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
    return times(lambda: ledger.leads(shop.merchant))


def books(ledger: Ledger) -> Run:
    """A whole book, and the events of its journal."""
    shop = open_shop_blocking(ledger)
    ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
    return times(lambda: (ledger.book(shop.merchant), ledger.events(shop.merchant, 0, 10)))


def refusals(ledger: Ledger) -> Run:
    """A command that the rules refuse."""
    merchant, lead = uuid4(), uuid4()

    def call() -> None:
        try:
            ledger.validate_lead(merchant, lead, score=8, feedback="well")
        except Refused:
            return
        raise AssertionError

    return times(call)


def repetitions(ledger: Ledger) -> Run:
    """A command whose key was used: the stored answer."""
    shop = open_shop_blocking(ledger)
    customer = Customer(name="A name", email="name@example.org")

    def call() -> UUID:
        done = ledger.create_lead(
            shop.merchant, shop.campaign, shop.partner, "600.00", source="instagram", customer=customer, key="once"
        )
        return done.answer.lead

    first = call()

    def again() -> None:
        assert call() == first

    return times(again)


def bad_types(ledger: Ledger) -> Run:
    """Arguments that are refused before anything is sent."""
    merchant = uuid4()

    def call() -> None:
        for value in (1.5, True, None):
            try:
                ledger.open_deposit(merchant, value)  # type: ignore[arg-type]
            except TypeError:
                continue
            raise AssertionError

    return times(call)


def watches(ledger: Ledger) -> Run:
    """Watches that come and go."""
    merchant = uuid4()

    def call() -> None:
        watch = ledger.watch(merchant)
        assert watch.next(0.0) is None
        watch.close()

    return times(call)


def subscriptions(ledger: Ledger) -> Run:
    """A subscriber that reads the same events again."""
    open_shop_blocking(ledger)
    return times(lambda: ledger.subscribe("reader").next(10))


def repeated(call: Callable[[], Awaitable[object]], together: int = 50) -> AwaitedRun:
    """Awaits it so many times, several at once."""

    async def one() -> None:
        await call()

    async def run(count: int) -> None:
        for _ in range(count // together):
            await asyncio.gather(*(one() for _ in range(together)))

    return run


async def awaited_reads(ledger: AsyncLedger) -> AwaitedRun:
    """A read of a record."""
    shop = await open_shop(Caller(ledger))
    return repeated(lambda: ledger.deposit(shop.merchant, shop.deposit))


async def awaited_refusals(ledger: AsyncLedger) -> AwaitedRun:
    """A command that the rules refuse."""
    merchant, lead = uuid4(), uuid4()

    async def call() -> None:
        try:
            await ledger.validate_lead(merchant, lead, score=8)
        except Refused:
            return
        raise AssertionError

    return repeated(call)


async def awaited_repetitions(ledger: AsyncLedger) -> AwaitedRun:
    """A command whose key was used."""
    shop = await open_shop(Caller(ledger))
    return repeated(lambda: ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00", key="once"))


async def cancelled_reads(ledger: AsyncLedger) -> AwaitedRun:
    """Reads that are cancelled while they are on their way."""
    shop = await open_shop(Caller(ledger))

    async def read() -> object:
        return await ledger.deposit(shop.merchant, shop.deposit)

    async def run(count: int) -> None:
        for _ in range(count // 50):
            tasks = [asyncio.ensure_future(read()) for _ in range(50)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run


async def awaited_watches(ledger: AsyncLedger) -> AwaitedRun:
    """Watches that are waited on, cancelled and dropped."""
    merchant = uuid4()

    async def call() -> None:
        watch = await ledger.watch(merchant)
        waiting = asyncio.ensure_future(watch.changed())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    return repeated(call)


BLOCKING: dict[str, Callable[[Ledger], Run]] = {
    work.__name__: work
    for work in (
        previews,
        bad_previews,
        reads,
        lists,
        books,
        refusals,
        repetitions,
        bad_types,
        watches,
        subscriptions,
    )
}

AWAITED: dict[str, Callable[[AsyncLedger], Awaitable[AwaitedRun]]] = {
    work.__name__: work
    for work in (awaited_reads, awaited_refusals, awaited_repetitions, cancelled_reads, awaited_watches)
}
