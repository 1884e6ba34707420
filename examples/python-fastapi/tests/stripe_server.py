"""A Stripe of the tests' own: `localstripe`, with what it lacks of the real one.

It listens on a socket that it is given, keeps nothing on disk, says what was received of a payment, and answers a
repeated idempotency key with its first answer.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from localstripe import resources, server


def _amount_received(intent: Any) -> int:
    received: int = intent.amount if intent.status == "succeeded" else 0
    return received


def _nothing(_: object) -> None:
    """In place of a file that all servers of the machine would share."""


@web.middleware
async def _once(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """What Stripe does with an idempotency key: the second request waits for the first, and gets its answer."""
    key = request.headers.get("Idempotency-Key")
    # The package sends a key of its own with each request that the application gives none.
    if request.method != "POST" or key is None:
        return await handler(request)
    async with _answering.setdefault(key, asyncio.Lock()):
        if key not in _answers:
            answer = await handler(request)
            assert isinstance(answer, web.Response)
            _answers[key] = (answer.status, answer.text or "")
        status, text = _answers[key]
        return web.Response(status=status, text=text, content_type="application/json")


_answering: dict[str, asyncio.Lock] = {}
_answers: dict[str, tuple[int, str]] = {}


def main(fd: int) -> None:
    """Serves until it is told to stop."""
    for owner, name, instead in (
        (resources.Store, "dump_to_disk", _nothing),
        (resources.PaymentIntent, "amount_received", property(_amount_received)),
    ):
        setattr(owner, name, instead)
    server.app.middlewares.append(_once)
    web.run_app(server.app, sock=socket.socket(fileno=fd), print=lambda *_: None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
