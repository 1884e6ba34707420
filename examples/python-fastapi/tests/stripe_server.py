"""A Stripe of the tests' own: `localstripe`, with what it lacks of the real one.

It listens on a socket that it is given, keeps nothing on disk, and says what was received of a payment.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

from aiohttp import web
from localstripe import resources, server


def _amount_received(intent: Any) -> int:
    received: int = intent.amount if intent.status == "succeeded" else 0
    return received


def _nothing(_: object) -> None:
    """In place of a file that all servers of the machine would share."""


def main(fd: int) -> None:
    """Serves until it is told to stop."""
    for owner, name, instead in (
        (resources.Store, "dump_to_disk", _nothing),
        (resources.PaymentIntent, "amount_received", property(_amount_received)),
    ):
        setattr(owner, name, instead)
    web.run_app(server.app, sock=socket.socket(fileno=fd), print=lambda *_: None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
