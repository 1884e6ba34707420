"""Real servers for tests, and what a browser, a partner or Stripe would send them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from stripe import WebhookSignature

from app.payments import KIND
from app.token import issue

ROOT = Path(__file__).resolve().parent.parent
JWT_SECRET = "a secret of the tests, longer than any algorithm asks that somebody may try here"
WEBHOOK_SECRET = "whsec_of_the_tests"
# No test passes or fails by it: it ends one that would wait for ever.
GENEROUS_SECONDS = 60.0

UVICORN = ("uvicorn", "app.main:app", "--fd", "{fd}", "--ws-ping-interval", "5")
GUNICORN = (
    *("gunicorn", "app.main:app", "--bind", "fd://{fd}", "--workers", "2"),
    *("--worker-class", "uvicorn_worker.UvicornWorker"),
)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    base: str
    process: subprocess.Popen[bytes]
    log: Path
    http: httpx.Client

    def stop(self) -> int:
        """Asks it to end, and waits until it has; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(GENEROUS_SECONDS)

    @property
    def live(self) -> str:
        """The address of the WebSocket."""
        return self.base.replace("http://", "ws://") + "/ws/balance"

    def merchant(self) -> Account:
        """Somebody new who receives leads."""
        return Account.new(self.http, "merchant")

    def partner(self) -> Account:
        """Somebody new who brings them."""
        return Account.new(self.http, "partner")

    def shop(self, amount: str | None = "5000.00", **campaign: object) -> Shop:
        """A new merchant with a campaign and, unless it is none, a deposit that was paid in through Stripe."""
        merchant = self.merchant()
        registered = merchant.post("/api/campaigns", campaign)
        assert registered.status_code == 201, registered.text
        shop = Shop(self, merchant, UUID(registered.json()["id"]))
        if amount is not None:
            assert self.stripe(succeeded(shop, shop.begin(amount), amount)).json()["outcome"] == "credited"
        return shop

    def stripe(self, event: dict[str, Any], **signing: Any) -> httpx.Response:
        """An event, signed as Stripe signs it."""
        payload = json.dumps(event)
        return self.stripe_raw(payload.encode(), signed(payload, **signing))

    def stripe_raw(self, payload: bytes, signature: str | None) -> httpx.Response:
        """Any bytes with any signature."""
        headers = {"Content-Type": "application/json"}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        if signature is not None:
            raw.append((b"Stripe-Signature", signature.encode("latin-1")))
        return self.http.post("/webhooks/stripe", content=payload, headers=raw)


@dataclass(frozen=True)
class Account:
    """A user with a token."""

    http: httpx.Client
    id: UUID
    token: str = field(repr=False)

    @classmethod
    def new(cls, http: httpx.Client, role: str) -> Account:
        """With a token of an hour."""
        id = uuid4()
        return cls(http, id, issue(JWT_SECRET, role, id))

    def get(self, path: str, **params: object) -> httpx.Response:
        """A read."""
        query = {name: str(value) for name, value in params.items()}
        return self.http.get(path, params=query, headers=self._headers(None))

    def post(self, path: str, body: object, key: str | None = None) -> httpx.Response:
        """A command."""
        return self.http.post(path, json=body, headers=self._headers(key))

    def _headers(self, key: str | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"}
        return headers if key is None else {**headers, "Idempotency-Key": key}


@dataclass(frozen=True)
class Shop:
    """A merchant with a campaign."""

    server: Server
    merchant: Account
    campaign: UUID

    def begin(self, amount: str, key: str | None = None) -> UUID:
        """A top-up through Stripe that waits for its payment."""
        body = {"amount": amount, "payment_method": "stripe"}
        begun = self.merchant.post("/api/leads/deposits/recharge", body, key)
        assert begun.status_code == 201, begun.text
        return UUID(begun.json()["id"])

    def top_up(self, top_up: UUID) -> dict[str, Any]:
        """How a top-up stands."""
        found: dict[str, Any] = self.merchant.get(f"/api/leads/deposits/recharge/{top_up}").json()
        return found

    def balance(self) -> tuple[str, str, str]:
        """Balance, reserved, available."""
        card = self.merchant.get("/api/leads/deposits/balance").json()
        return card["current_balance"], card["reserved_amount"], card["available_balance"]

    def new_lead(self, partner: Account, value: str = "600.00", key: str | None = None) -> httpx.Response:
        """A lead that a partner brings."""
        return partner.post("/api/leads", lead_body(self.campaign, value), key)


def lead_body(campaign: UUID, value: object = "600.00") -> dict[str, object]:
    """The form of a new lead."""
    return {
        "campaign_id": str(campaign),
        "estimated_value": value,
        "source": "instagram",
        "customer_name": "Mohamed Bennani",
        "customer_email": "mohamed@example.com",
        "customer_phone": "+212 6 12 34 56 78",
    }


def signed(payload: str, secret: str = WEBHOOK_SECRET, late: int = 0) -> str:
    """The header of Stripe's signature, by Stripe's own package; `late` seconds after now."""
    return signed_at(payload, secret, int(time.time()) + late)


def signed_at(payload: str, secret: str, at: int) -> str:
    """The same, at a time in seconds."""
    made = cast("Callable[[str, str, int], str]", WebhookSignature.generate_signature_header)
    return made(payload, secret, at)


def event_of(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """An event as Stripe sends it."""
    return {"id": f"evt_{uuid4().hex}", "object": "event", "type": kind, "data": {"object": found}}


def minor(amount: str) -> int:
    """Of dirhams, in centimes."""
    whole, _, rest = amount.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def intent_event(kind: str, shop: Shop, top_up: UUID, amount: str, **other: Any) -> dict[str, Any]:
    """What Stripe says of the payment of a top-up."""
    metadata = {"type": KIND, "merchant_id": str(shop.merchant.id), "top_up_id": str(top_up)}
    intent = {
        "id": f"pi_{top_up.hex}",
        "object": "payment_intent",
        "amount": minor(amount),
        "amount_received": minor(amount),
        "currency": "mad",
        "metadata": metadata,
    }
    return event_of(kind, {**intent, **other})


def succeeded(shop: Shop, top_up: UUID, amount: str, **other: Any) -> dict[str, Any]:
    """That it was paid."""
    return intent_event("payment_intent.succeeded", shop, top_up, amount, **other)


def refund_event(kind: str, top_up: UUID, refund: str, amount: str, **other: Any) -> dict[str, Any]:
    """That some of it was given back."""
    found = {
        "id": refund,
        "object": "refund",
        "amount": minor(amount),
        "currency": "mad",
        "status": "succeeded",
        "payment_intent": f"pi_{top_up.hex}",
    }
    return event_of(kind, {**found, **other})


def dispute_event(kind: str, top_up: UUID, dispute: str, amount: str, **other: Any) -> dict[str, Any]:
    """That its payer disputes it."""
    found = {
        "id": dispute,
        "object": "dispute",
        "amount": minor(amount),
        "currency": "mad",
        "status": "needs_response",
        "payment_intent": f"pi_{top_up.hex}",
    }
    return event_of(f"charge.dispute.{kind}", {**found, **other})


@contextmanager
def listening(command: Sequence[str], environment: dict[str, str], log: Path) -> Generator[tuple[str, Any], None, None]:
    """A program that serves on a socket which is there before it: no port is guessed, and none is waited for."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        fd = listener.fileno()
        port = listener.getsockname()[1]
        arguments = [sys.executable, "-m", *(part.replace("{fd}", str(fd)) for part in command)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[fd],
            )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(GENEROUS_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def serving(
    folder: Path, url: str, command: Sequence[str] = UVICORN, **environment: str
) -> Generator[Server, None, None]:
    """The application on a ledger, ready to answer."""
    given = {
        "LEADLEDGER_URL": url,
        "APP_JWT_SECRET": JWT_SECRET,
        "APP_OUTBOX": str(folder / "notifications.db"),
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_SECRET_KEY": "",
        "STRIPE_API_BASE": "",
        **environment,
    }
    log = folder / "server.log"
    wait = GENEROUS_SECONDS
    with listening(command, given, log) as (base, process), httpx.Client(base_url=base, timeout=wait) as http:
        try:
            # It waits in the socket's backlog until the server takes it.
            assert http.get("/openapi.json").status_code == 200
        except httpx.HTTPError as fault:
            raise AssertionError(f"the server did not start:\n{log.read_text()}") from fault
        yield Server(base, process, log, http)
