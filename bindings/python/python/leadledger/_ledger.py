"""The two ledgers, and what follows a ledger: watches and subscriptions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn

from . import _native
from ._async_operations import AsyncOperations
from ._base import Id
from ._errors import InvalidInput
from ._native import ManualClock
from ._operations import Operations
from ._records import Minimums
from .events import Event

#: How many entries a subscription that is iterated takes at once.
_BATCH = 256


def _setup(
    time_zone: str | None,
    minimums: Mapping[str, Minimums] | None,
    queue: int | None,
    batch: int | None,
    readers: int | None,
) -> dict[str, object]:
    if not (minimums is None or isinstance(minimums, Mapping)):
        raise TypeError(f"minimums: a mapping, not {type(minimums).__name__}")
    return {
        "time_zone": time_zone,
        "minimums": None if minimums is None else dict(minimums),
        "queue": queue,
        "batch": batch,
        "readers": readers,
    }


def _check_seconds(timeout: float | None) -> None:
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout: float or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise InvalidInput("invalid_timeout", "timeout: a number of seconds is not negative", {"field": "timeout"})


def _taken(events: deque[Event]) -> tuple[Event, ...]:
    taken = tuple(events)
    events.clear()
    return taken


class Ledger(Operations):
    """A ledger, for threads: each call blocks until it is answered, without the GIL.

    Share one between all threads of a process. Commands of all of them go into common commits. A process that is forked
    opens its own.

    >>> from leadledger import Ledger, Refused
    >>> from uuid import uuid4
    >>> merchant = uuid4()
    >>> with Ledger.open("memory:") as ledger:
    ...     opened = ledger.open_deposit(merchant, "5000.00", key="payment-1")
    ...     print(ledger.deposit(merchant, opened.answer).available)
    ...     try:
    ...         ledger.open_deposit(merchant, "1.00")
    ...     except Refused as refused:
    ...         print(refused.code, refused.details)
    5000.00
    below_minimum {'minimum': '2000.00'}
    """

    __slots__ = ("__weakref__", "_handle")

    _handle: _native.Handle

    def __init__(self, handle: _native.Handle) -> None:
        """Of a handle of the package's; people use `Ledger.open`."""
        self._handle = handle

    @classmethod
    def open(
        cls,
        url: str,
        *,
        time_zone: str | None = None,
        minimums: Mapping[str, Minimums] | None = None,
        clock: ManualClock | None = None,
        queue: int | None = None,
        batch: int | None = None,
        readers: int | None = None,
    ) -> Ledger:
        """Opens a ledger.

        Args:
            url: `sqlite:PATH` (made or brought up to date where needed), `memory:`, or
                `postgres://USER@HOST/DATABASE?schema=NAME` (see `migrate`).
            time_zone: Where a day and a receipt's year begin, by its IANA name; `Africa/Casablanca` where left out.
            minimums: Smallest payments, by currency; MAD has those of the domain.
            clock: Another clock than the machine's.
            queue: How many commands may wait for each worker; beyond, callers wait for room.
            batch: How many commands one commit takes at most.
            readers: How many threads run reads that are awaited.

        Raises:
            InvalidInput: The URL or a setting is none.
            StoreUnavailable: The store cannot be reached.
            StoreUnusable: It has to be migrated first, belongs to something else, or may not be written.
        """
        return cls(_native.Handle.open(url, _setup(time_zone, minimums, queue, batch, readers), clock))

    def _ask(self, name: str, given: tuple[object, ...], key: str | None = None) -> Any:
        return self._handle.ask(name, given, key).wait()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.is_closed()

    def close(self) -> None:
        """Lets what was sent finish, and closes it. Once more does nothing."""
        self._handle.close()

    def now(self) -> datetime:
        """The ledger's time."""
        return self._handle.now()

    def watch(self, merchant: Id) -> Watch:
        """Follows a merchant's book from now on.

        Args:
            merchant: Whose book.
        """
        task, watching = self._handle.ask_watch(merchant)
        task.wait()
        return Watch(watching)

    def subscribe(self, name: str) -> Subscription:
        """The reader of all books' events of this name, who goes on after what it has acknowledged.

        Args:
            name: 1 to 255 characters; a name is one reader's.
        """
        task, subscribed = self._handle.ask_subscribe(name)
        task.wait()
        return Subscription(subscribed)

    def __enter__(self) -> Ledger:
        """The ledger itself, where it is open."""
        self.now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def __reduce__(self) -> NoReturn:
        """A ledger is no value."""
        raise TypeError("a ledger cannot be copied or pickled: open one in each process")

    def __repr__(self) -> str:
        """The class."""
        return "<leadledger.Ledger>"


class Watch:
    """The events of one book from a moment on, in order, each once.

    It is told at once of what its own ledger commits, and within a second of what other processes do. It does not keep
    the ledger open, and ends with it (`Closed`).
    """

    __slots__ = ("_left", "_watching")

    def __init__(self, watching: _native.Watching) -> None:
        """Of a handle of the package's; people use `Ledger.watch`."""
        self._watching = watching
        # What an iteration that was left has taken and not given.
        self._left: deque[Event] = deque()

    def next(self, timeout: float | None = None) -> tuple[Event, ...] | None:
        """Blocks until something happens, and gives the events of one or more whole entries.

        Args:
            timeout: Seconds to wait at most; for ever where left out.

        Returns:
            The events; `None` where nothing happened in time.
        """
        _check_seconds(timeout)
        if self._left:
            return _taken(self._left)
        events: tuple[Event, ...] | None = self._watching.ask_changed().wait(timeout)
        return events

    def __iter__(self) -> Iterator[Event]:
        """The events as they happen, without end. Where one iteration is left, the next one goes on."""
        while True:
            if not self._left:
                self._left.extend(self.next() or ())
            while self._left:
                yield self._left.popleft()

    def close(self) -> None:
        """Ends it."""
        self._left.clear()
        self._watching.close()


class Subscription:
    """A named reader of all books' events, whose place the store remembers.

    Each entry comes at least once, and each book's in order: what was handled and not acknowledged comes again.

    >>> from leadledger import Ledger
    >>> from uuid import uuid4
    >>> with Ledger.open("memory:") as ledger:
    ...     _ = ledger.open_deposit(uuid4(), "5000.00")
    ...     for event in ledger.subscribe("mails"):
    ...         print(event.type)
    deposit_opened
    payment_received
    """

    __slots__ = ("_subscribed",)

    def __init__(self, subscribed: _native.Subscribed) -> None:
        """Of a handle of the package's; people use `Ledger.subscribe`."""
        self._subscribed = subscribed

    def next(self, limit: int = 100) -> tuple[Event, ...]:
        """The events after what is acknowledged: the same again until they are.

        Args:
            limit: How many entries at most, each with all its events.
        """
        events: tuple[Event, ...] = self._subscribed.ask_next(limit).wait()
        return events

    def ack(self) -> None:
        """Acknowledges, durably, what the last `next` gave.

        Raises:
            Refused: `cursor_moved`: another reader of this name has moved on.
        """
        self._subscribed.ask_ack().wait()

    def position(self) -> str | None:
        """Where it has got to; `None` where nothing was ever acknowledged."""
        position: str | None = self._subscribed.ask_position().wait()
        return position

    def seek(self, to: str | None) -> None:
        """Moves it.

        Args:
            to: A place that `position`, `all_events` or `events_end` gave; `None` for the first entry.
        """
        self._subscribed.ask_seek(to).wait()

    def __iter__(self) -> Iterator[Event]:
        """What is not acknowledged yet; what was handled is acknowledged as it goes on. Ends where there is no more."""
        while events := self.next(_BATCH):
            yield from events
            self.ack()


class AsyncLedger(AsyncOperations):
    """A ledger, for asyncio: each call is awaited, and no thread is kept for it.

    Share one between all tasks, and loops, of a process. What is cancelled after it was sent still happens; with a key
    it can be asked for again.

    >>> import asyncio
    >>> from leadledger import AsyncLedger
    >>> from uuid import uuid4
    >>> async def main() -> None:
    ...     merchant = uuid4()
    ...     async with AsyncLedger.open("memory:") as ledger:
    ...         opened = await ledger.open_deposit(merchant, 5000)
    ...         deposit = await ledger.deposit(merchant, opened.answer)
    ...         print(deposit.available)
    >>> asyncio.run(main())
    5000.00
    """

    __slots__ = ("__weakref__", "_bridges", "_handle")

    _handle: _native.Handle
    _bridges: dict[asyncio.AbstractEventLoop, _native.Bridge]

    def __init__(self, handle: _native.Handle) -> None:
        """Of a handle of the package's; people use `AsyncLedger.open`."""
        self._handle = handle
        self._bridges = {}

    @classmethod
    def open(
        cls,
        url: str,
        *,
        time_zone: str | None = None,
        minimums: Mapping[str, Minimums] | None = None,
        clock: ManualClock | None = None,
        queue: int | None = None,
        batch: int | None = None,
        readers: int | None = None,
    ) -> Opening:
        """Opens a ledger: `await` it, or use it in `async with`.

        Args and errors are those of `Ledger.open`.
        """
        setup = _setup(time_zone, minimums, queue, batch, readers)
        return Opening(cls, url, setup, clock)

    def _start(self, task: _native.Task) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        bridge = self._bridges.get(loop)
        if bridge is None:
            bridge = self._enter(loop)
        return bridge.run(task)

    def _ask(self, name: str, given: tuple[object, ...], key: str | None = None) -> Awaitable[Any]:
        return self._start(self._handle.ask(name, given, key))

    def _sweep(self) -> None:
        bridge = self._bridges.get(asyncio.get_running_loop())
        if bridge is not None:
            bridge.sweep()

    def _enter(self, loop: asyncio.AbstractEventLoop) -> _native.Bridge:
        for other in [other for other in self._bridges if other.is_closed()]:
            self._bridges.pop(other, None)
        bridge = _native.Bridge(loop)
        loop.add_reader(bridge.fileno(), bridge.drain)
        self._bridges[loop] = bridge
        return bridge

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.is_closed()

    async def close(self) -> None:
        """Lets what was sent finish, and closes it. Once more does nothing."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._handle.close)
        bridge = self._bridges.pop(loop, None)
        if bridge is not None:
            loop.remove_reader(bridge.fileno())
            bridge.drain()

    def now(self) -> datetime:
        """The ledger's time."""
        return self._handle.now()

    async def watch(self, merchant: Id) -> AsyncWatch:
        """Follows a merchant's book from now on.

        Args:
            merchant: Whose book.
        """
        task, watching = self._handle.ask_watch(merchant)
        await self._start(task)
        return AsyncWatch(self, watching)

    async def subscribe(self, name: str) -> AsyncSubscription:
        """The reader of all books' events of this name, who goes on after what it has acknowledged.

        Args:
            name: 1 to 255 characters; a name is one reader's.
        """
        task, subscribed = self._handle.ask_subscribe(name)
        await self._start(task)
        return AsyncSubscription(self, subscribed)

    async def __aenter__(self) -> AsyncLedger:
        """The ledger itself, where it is open."""
        self.now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        await self.close()

    def __reduce__(self) -> NoReturn:
        """A ledger is no value."""
        raise TypeError("a ledger cannot be copied or pickled: open one in each process")

    def __repr__(self) -> str:
        """The class."""
        return "<leadledger.AsyncLedger>"


class Opening(Awaitable[AsyncLedger]):
    """A ledger that is about to be opened: to be awaited, or used in `async with`."""

    __slots__ = ("_class", "_clock", "_opened", "_setup", "_url")

    _opened: AsyncLedger

    def __init__(self, kind: type[AsyncLedger], url: str, setup: dict[str, object], clock: ManualClock | None) -> None:
        """What `AsyncLedger.open` was given."""
        self._class = kind
        self._url = url
        self._setup = setup
        self._clock = clock

    async def _open(self) -> AsyncLedger:
        loop = asyncio.get_running_loop()
        handle = await loop.run_in_executor(None, _native.Handle.open, self._url, self._setup, self._clock)
        return self._class(handle)

    def __await__(self) -> Generator[Any, None, AsyncLedger]:
        """Opens it."""
        return self._open().__await__()

    async def __aenter__(self) -> AsyncLedger:
        """Opens it."""
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        await self._opened.close()


class AsyncWatch:
    """The events of one book from a moment on, in order, each once; see `Watch`."""

    __slots__ = ("_ledger", "_left", "_watching")

    def __init__(self, ledger: AsyncLedger, watching: _native.Watching) -> None:
        """Of a handle of the package's; people use `AsyncLedger.watch`."""
        self._ledger = ledger
        self._watching = watching
        # What an iteration that was left has taken and not given.
        self._left: deque[Event] = deque()

    async def changed(self) -> tuple[Event, ...]:
        """The events of the next entries, when there are some. A call that is cancelled loses none."""
        if self._left:
            return _taken(self._left)
        try:
            events: tuple[Event, ...] = await self._ledger._start(self._watching.ask_changed())
        except asyncio.CancelledError:
            # Nothing may ever happen in this book, so that nothing else would let go of it.
            self._ledger._sweep()
            raise
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events as they happen, without end. Where one iteration is left, the next one goes on."""
        while True:
            if not self._left:
                self._left.extend(await self.changed())
            while self._left:
                yield self._left.popleft()

    def close(self) -> None:
        """Ends it."""
        self._left.clear()
        self._watching.close()


class AsyncSubscription:
    """A named reader of all books' events, whose place the store remembers; see `Subscription`."""

    __slots__ = ("_ledger", "_subscribed")

    def __init__(self, ledger: AsyncLedger, subscribed: _native.Subscribed) -> None:
        """Of a handle of the package's; people use `AsyncLedger.subscribe`."""
        self._ledger = ledger
        self._subscribed = subscribed

    async def next(self, limit: int = 100) -> tuple[Event, ...]:
        """The events after what is acknowledged: the same again until they are.

        Args:
            limit: How many entries at most, each with all its events.
        """
        events: tuple[Event, ...] = await self._ledger._start(self._subscribed.ask_next(limit))
        return events

    async def ack(self) -> None:
        """Acknowledges, durably, what the last `next` gave.

        Raises:
            Refused: `cursor_moved`: another reader of this name has moved on.
        """
        await self._ledger._start(self._subscribed.ask_ack())

    async def position(self) -> str | None:
        """Where it has got to; `None` where nothing was ever acknowledged."""
        position: str | None = await self._ledger._start(self._subscribed.ask_position())
        return position

    async def seek(self, to: str | None) -> None:
        """Moves it.

        Args:
            to: A place that `position`, `all_events` or `events_end` gave; `None` for the first entry.
        """
        await self._ledger._start(self._subscribed.ask_seek(to))

    async def __aiter__(self) -> AsyncIterator[Event]:
        """What is not acknowledged yet; what was handled is acknowledged as it goes on. Ends where there is no more."""
        while events := await self.next(_BATCH):
            for event in events:
                yield event
            await self.ack()
