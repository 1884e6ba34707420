"""A panic in Rust is an exception like others, of the call that met it, and poisons nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ground import PATIENCE_SECONDS, Caller, open_shop, open_shop_blocking
from leadledger import AsyncLedger, Internal, LeadledgerError, Ledger, _native


def test_a_panic_is_an_internal_error() -> None:
    """`Internal`, which `except Exception` catches."""
    for _ in range(3):
        with pytest.raises(Internal) as fault:
            _native.plant_panic()
        assert fault.value.code == "internal"
        assert isinstance(fault.value, LeadledgerError)
        assert isinstance(fault.value, Exception)
        assert fault.value.message


def test_a_panic_leaves_the_ledger_usable() -> None:
    """The ledger, its other callers and its watches go on."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        for number in range(5):
            with pytest.raises(Internal):
                _native.plant_panic()
            done = ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
            assert done.seq == number + 3
            assert [event.type for event in watch.next(PATIENCE_SECONDS) or ()] == ["lead_created"]
        ledger.check(shop.merchant)


def test_panics_in_threads_are_each_their_own() -> None:
    """Half of the threads panic, half work."""
    with Ledger.open("memory:") as ledger:
        shop = open_shop_blocking(ledger)
        faults: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for _ in range(20):
                    if number % 2:
                        with pytest.raises(Internal):
                            _native.plant_panic()
                    else:
                        ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
            except BaseException as fault:  # the test looks at it
                faults.append(fault)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert not faults
        assert len(ledger.leads(shop.merchant, limit=1000).items) == 160


def test_a_panic_in_a_loop() -> None:
    """The same with asyncio: the loop and the other tasks go on."""

    async def main() -> None:
        async with AsyncLedger.open("memory:") as ledger:
            shop = await open_shop(Caller(ledger))

            async def panic() -> None:
                with pytest.raises(Internal):
                    _native.plant_panic()

            async def sell() -> None:
                await ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")

            await asyncio.gather(*(panic() if number % 2 else sell() for number in range(100)))
            assert len((await ledger.leads(shop.merchant, limit=1000)).items) == 50

    asyncio.run(main())
