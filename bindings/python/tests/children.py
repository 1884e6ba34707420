"""What tests run in processes of their own: `python children.py NAME ARGUMENTS`.

A child says what it has reached on a line of its standard output, and waits for a line of its standard input where the
test has to do something first.
"""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from ground import open_shop_blocking
from leadledger import AsyncLedger, ForkedLedger, Ledger


def say(text: object) -> None:
    """Tells the test."""
    print(text, flush=True)


def wait_for_test() -> None:
    """Waits until the test has done its part."""
    sys.stdin.readline()


# Ctrl-C


def interrupted_command(url: str) -> None:
    """Ctrl-C while a command waits for a lock that the test holds; then the ledger is used again."""
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        say("ready")
        wait_for_test()
        try:
            say("calling")
            ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00", key="once")
        except KeyboardInterrupt:
            say("interrupted")
        wait_for_test()
        ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00", key="once")
        say(len(ledger.leads(shop.merchant).items))


def interrupted_read(url: str) -> None:
    """Ctrl-C while a read waits for a lock that the test holds."""
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        say("ready")
        wait_for_test()
        try:
            say("calling")
            ledger.deposit(shop.merchant, shop.deposit)
        except KeyboardInterrupt:
            say("interrupted")
        wait_for_test()
        found = ledger.deposit(shop.merchant, shop.deposit)
        say(found.balance if found else None)


def interrupted_watch(url: str) -> None:
    """Ctrl-C while a watch waits; then it goes on."""
    with Ledger.open(url) as ledger:
        watch = ledger.watch(uuid4())
        try:
            say("calling")
            watch.next(3600.0)
        except KeyboardInterrupt:
            say("interrupted")
        shop = open_shop_blocking(ledger)
        other = ledger.watch(shop.merchant)
        ledger.pause_campaign(shop.merchant, shop.campaign)
        say([event.type for event in other.next(60.0) or ()])
        say(watch.next(0.0))


def interrupted_iteration(url: str) -> None:
    """Ctrl-C while a `for` over a watch waits."""
    with Ledger.open(url) as ledger:
        try:
            say("calling")
            for _ in ledger.watch(uuid4()):
                pass
        except KeyboardInterrupt:
            say("interrupted")


def interrupted_loop(url: str) -> None:
    """Ctrl-C in asyncio: the loop ends as any does."""

    async def main() -> None:
        async with AsyncLedger.open(url) as ledger:
            watch = await ledger.watch(uuid4())
            say("calling")
            try:
                await watch.changed()
            finally:
                say("cancelled")

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        say("interrupted")


# The interpreter's end


class Lingering:
    """Lets other threads run in the midst of the interpreter's end, when they can no longer have what they ask for."""

    def __init__(self) -> None:
        # By then the module's own names are gone.
        self.write = os.write
        self.sleep = time.sleep

    def __del__(self) -> None:
        self.write(1, b"ending\n")
        self.sleep(0.3)


def exit_open(url: str) -> None:
    """Ends with a ledger open, and with commands behind it."""
    ledger = Ledger.open(url)
    open_shop_blocking(ledger)
    globals()["kept"] = ledger
    say("ending")


def exit_with_blocked_watch(url: str) -> None:
    """Ends while a daemon thread waits in a watch."""
    ledger = Ledger.open(url)
    watch = ledger.watch(uuid4())
    entered = threading.Event()

    def wait() -> None:
        entered.set()
        watch.next(3600.0)

    threading.Thread(target=wait, daemon=True).start()
    entered.wait()
    globals()["kept"] = ledger
    # The daemon thread keeps the names of this module.
    setattr(sys, "lingering", Lingering())  # noqa: B010 (the module has no such name)


def exit_with_blocked_command(url: str) -> None:
    """Ends while a daemon thread's command waits for a lock that the test holds."""
    ledger = Ledger.open(url)
    shop = open_shop_blocking(ledger)
    say("ready")
    wait_for_test()
    entered = threading.Event()

    def create() -> None:
        entered.set()
        ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")

    threading.Thread(target=create, daemon=True).start()
    entered.wait()
    globals()["kept"] = ledger
    # The daemon thread keeps the names of this module.
    setattr(sys, "lingering", Lingering())  # noqa: B010 (the module has no such name)


def exit_with_tasks(url: str) -> None:
    """Ends with tasks that were never finished, in a loop that was never closed."""
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        ledger = await AsyncLedger.open(url)
        watch = await ledger.watch(uuid4())
        shop_tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(watch.changed())]
        merchant = uuid4()
        shop_tasks += [asyncio.ensure_future(ledger.register_campaign(merchant)) for _ in range(50)]
        globals()["kept"] = (ledger, watch, shop_tasks)
        await asyncio.sleep(0)

    loop.run_until_complete(begin())
    globals()["loop"] = loop
    say("ending")


def exit_after_run(url: str) -> None:
    """Ends after `asyncio.run` cancelled what was going on, without closing the ledger."""

    async def main() -> None:
        ledger = await AsyncLedger.open(url)
        globals()["kept"] = ledger
        merchant = uuid4()
        tasks = [asyncio.ensure_future(ledger.register_campaign(merchant)) for _ in range(50)]
        globals()["tasks"] = tasks
        await asyncio.sleep(0)

    asyncio.run(main())
    say("ending")


def exit_from_thread(url: str) -> None:
    """`sys.exit` in a thread ends that thread, in the main one the process, with its code."""
    ledger = Ledger.open(url)

    def leave() -> None:
        open_shop_blocking(ledger)
        sys.exit(5)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    open_shop_blocking(ledger)
    say("ending")
    sys.exit(7)


def exit_in_the_middle(url: str) -> None:
    """`sys.exit` out of a `with`, and out of the loop over a watch."""
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        watch = ledger.watch(shop.merchant)
        ledger.pause_campaign(shop.merchant, shop.campaign)
        for event in watch:
            say(event.type)
            say("ending")
            sys.exit(7)


def exit_at_once(url: str) -> None:
    """`os._exit` with all open; what was acknowledged is there."""
    ledger = Ledger.open(url)
    shop = open_shop_blocking(ledger)
    ledger.watch(shop.merchant)
    say(shop.merchant)
    say("ending")
    os._exit(9)


def exit_with_late_call(url: str) -> None:
    """Uses the ledger in an `atexit` function."""
    ledger = Ledger.open(url)

    def late() -> None:
        say(len(ledger.merchants()))

    open_shop_blocking(ledger)
    atexit.register(late)
    say("ending")


# Forks


def refuses_all(ledger: Ledger) -> None:
    """In a forked child: one call of each form on the ledger that the parent opened."""
    merchant, other = uuid4(), uuid4()
    calls: dict[str, Callable[[], object]] = {
        "command": lambda: ledger.register_campaign(merchant),
        "command with fields": lambda: ledger.create_lead(merchant, other, other, "600.00", key="k"),
        "read": lambda: ledger.deposits(merchant),
        "book": lambda: ledger.book(merchant),
        "figures": lambda: ledger.merchant_figures(merchant),
        "report": lambda: ledger.daily_report(merchant, date(2026, 3, 2)),
        "audit": lambda: ledger.check_all(),
        "events": lambda: ledger.all_events(),
        "run_due_everywhere": lambda: ledger.run_due_everywhere(10),
        "watch": lambda: ledger.watch(merchant),
        "subscribe": lambda: ledger.subscribe("mailer"),
        "export": lambda: ledger.export_jsonl(os.devnull),
    }
    for name, call in calls.items():
        try:
            call()
        except ForkedLedger as refused:
            assert refused.code == "forked", refused.code
        else:
            raise AssertionError(f"{name} did not refuse")


def refuses_all_awaited(ledger: AsyncLedger) -> None:
    """The same for the other class, in a loop that the child made."""
    merchant = uuid4()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "command": lambda: ledger.register_campaign(merchant),
        "read": lambda: ledger.deposits(merchant),
        "figures": lambda: ledger.merchant_figures(merchant),
        "watch": lambda: ledger.watch(merchant),
        "subscribe": lambda: ledger.subscribe("mailer"),
    }

    async def main() -> None:
        for name, call in calls.items():
            try:
                await call()
            except ForkedLedger as refused:
                assert refused.code == "forked", refused.code
            else:
                raise AssertionError(f"{name} did not refuse")

    asyncio.new_event_loop().run_until_complete(main())


def in_fork(work: Callable[[], None]) -> int:
    """Runs it in a forked child that ends as Python ends; gives the child's exit code."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as fault:  # what a child must never do is to go on as its parent
            print(f"{type(fault).__name__}: {fault}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forks(url: str) -> None:
    """A ledger, a watch and a subscription that were opened before a fork refuse in the child; nothing else changes."""
    ledger = Ledger.open(url)
    shop = open_shop_blocking(ledger)
    watch = ledger.watch(shop.merchant)
    subscription = ledger.subscribe("reader")
    subscription.next(1)

    def refused(call: Callable[[], object]) -> None:
        try:
            call()
        except ForkedLedger:
            return
        raise AssertionError("it did not refuse")

    def closes() -> None:
        ledger.close()
        watch.close()

    say(in_fork(lambda: refuses_all(ledger)))
    say(in_fork(lambda: refused(lambda: watch.next(5.0))))
    say(in_fork(lambda: refused(lambda: subscription.next(5))))
    say(in_fork(lambda: refused(subscription.ack)))
    # Closing gives back what the child does not own, so that `with` blocks and finalizers pass.
    say(in_fork(closes))

    def own() -> None:
        with Ledger.open(url) as mine:
            mine.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
            assert len(mine.leads(shop.merchant).items) == 1

    say(in_fork(own) if url != "memory:" else 0)
    ledger.create_lead(shop.merchant, shop.campaign, shop.partner, "600.00")
    say(len(ledger.leads(shop.merchant).items))
    say([event.type for event in watch.next(60.0) or ()])
    ledger.close()


def forks_asyncio(url: str) -> None:
    """The same with `AsyncLedger`, forked from outside its loop and used again by the parent."""
    loop = asyncio.new_event_loop()
    ledger = loop.run_until_complete(_opened(url))
    merchant = uuid4()
    loop.run_until_complete(ledger.register_campaign(merchant))
    say(in_fork(lambda: refuses_all_awaited(ledger)))
    loop.run_until_complete(ledger.register_campaign(merchant))
    say(len(loop.run_until_complete(ledger.campaigns(merchant))))
    loop.run_until_complete(ledger.close())


async def _opened(url: str) -> AsyncLedger:
    return await AsyncLedger.open(url)


def works(url: str, merchant: str, campaign: str) -> int:
    """What a worker process does: a ledger of its own, one lead."""
    with Ledger.open(url) as ledger:
        ledger.create_lead(merchant, campaign, uuid4(), "600.00")
        return len(ledger.leads(merchant, limit=1000).items)


def pools(url: str, method: str) -> None:
    """Workers of `multiprocessing`, while the parent's ledger stays open."""
    with Ledger.open(url) as ledger:
        shop = open_shop_blocking(ledger)
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            counted = pool.starmap(works, [(url, str(shop.merchant), str(shop.campaign))] * 6)
        assert max(counted) == 6, counted
        say(len(ledger.leads(shop.merchant, limit=1000).items))


def inherits(url: str) -> None:
    """A forked child that inherits an open ledger ends as Python ends, with its finalizers."""
    ledger = Ledger.open(url)
    watch = ledger.watch(uuid4())
    open_shop_blocking(ledger)
    child = multiprocessing.get_context("fork").Process(target=lambda: None)
    child.start()
    child.join(60)
    say(child.exitcode)
    pid = os.fork()
    if pid == 0:
        del ledger, watch
        sys.exit(3)
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    open_shop_blocking(ledger)
    ledger.close()
    say("usable")


# Memory


def resident_bytes() -> int:
    """How much memory this process has in use."""
    with open("/proc/self/statm", encoding="ascii") as counts:
        return int(counts.read().split()[1]) * resource.getpagesize()


def grows(what: str, calls: str) -> None:
    """How many bytes the process grows by over so many calls, after a tenth of them to warm up."""
    import leaks

    count = int(calls)
    with Ledger.open("memory:") as ledger:
        work = leaks.BLOCKING.get(what)
        if work is not None:
            run = work(ledger)
            run(count // 10)
            before = resident_bytes()
            run(count)
            say(resident_bytes() - before)
            return

    async def main() -> None:
        async with AsyncLedger.open("memory:") as other:
            run = await leaks.AWAITED[what](other)
            await run(count // 10)
            before = resident_bytes()
            await run(count)
            say(resident_bytes() - before)

    asyncio.run(main())


# Other writers


def writes(url: str, merchant: str) -> None:
    """Another process that registers a campaign for each line that the test sends."""
    with Ledger.open(url) as ledger:
        say("ready")
        while sys.stdin.readline().strip():
            say(ledger.register_campaign(UUID(merchant)).answer)


def leaves_unacknowledged(url: str, name: str) -> None:
    """A subscriber that dies between handling and acknowledging."""
    ledger = Ledger.open(url)
    subscription = ledger.subscribe(name)
    for event in subscription:
        say(f"{event.merchant} {event.seq} {event.index}")
        if event.seq == 2:
            os._exit(9)


def unpickles(path: str) -> None:
    """Reads a pickle in a process that did not write it, and writes it again."""
    import pickle

    with open(path, "rb") as file:
        things = pickle.load(file)
    with open(path, "wb") as file:
        pickle.dump(things, file)
    say(len(things))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
