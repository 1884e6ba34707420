"""The lead cycle through the package: create (reserve), validate (capture and split), both durable when they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import leadledger
from leadledger import AsyncLedger

FUNDS = "50000000000.00"


def by_tasks(url: str, tasks: int, seconds: float) -> float:
    """Cycles a second of so many asyncio tasks on one merchant; the book is checked afterwards."""
    cycles = 0

    async def main() -> float:
        async with AsyncLedger.open(url) as ledger:
            merchant, partner = uuid4(), uuid4()
            campaign = (await ledger.register_campaign(merchant)).answer
            deposit = (await ledger.open_deposit(merchant, FUNDS)).answer
            value = Decimal("600.00")

            async def work(until: float) -> None:
                nonlocal cycles
                while time.monotonic() < until:
                    lead = (await ledger.create_lead(merchant, campaign, partner, value)).answer.lead
                    await ledger.validate_lead(merchant, lead, score=8)
                    cycles += 1

            begun = time.monotonic()
            await asyncio.gather(*(work(begun + seconds) for _ in range(tasks)))
            elapsed = time.monotonic() - begun
            await expect_whole(ledger, merchant, deposit, cycles)
            return cycles / elapsed

    return asyncio.run(main())


async def expect_whole(ledger: AsyncLedger, merchant: UUID, deposit: UUID, cycles: int) -> None:
    """What was counted is what the books say."""
    found = await ledger.deposit(merchant, deposit)
    if found is None or found.balance != Decimal(FUNDS) - 60 * cycles or found.reserved != 0:
        raise RuntimeError(f"after {cycles} cycles the deposit is {found}")
    await ledger.check(merchant)


def nanoseconds(call: Callable[[], object], calls: int) -> float:
    """What one call costs: the best of several batches, since what disturbs a batch only ever adds."""
    best = float("inf")
    for _ in range(7):
        begun = time.perf_counter_ns()
        for _ in range(calls):
            call()
        best = min(best, (time.perf_counter_ns() - begun) / calls)
    return best


def previews(calls: int) -> dict[str, float]:
    """Nanoseconds of one `preview_commission`, less those of a Python function that takes the same and does nothing."""
    value, share = Decimal("600.00"), Decimal(30)

    def nothing(value: object, *, share: object = None) -> None:
        """What a call costs in Python itself."""

    preview = leadledger.preview_commission
    empty = nanoseconds(lambda: nothing(value), calls)
    empty_with_share = nanoseconds(lambda: nothing(value, share=share), calls)
    return {
        "value": nanoseconds(lambda: preview(value), calls) - empty,
        "value as str": nanoseconds(lambda: preview("600.00"), calls) - empty,
        "value and share": nanoseconds(lambda: preview(value, share=share), calls) - empty_with_share,
    }
