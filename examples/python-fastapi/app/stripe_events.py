"""Stripe's webhook: verified, then credited exactly once, in whatever order and however often it comes.

Any answer but a 2xx makes Stripe send the event again, for three days. So an event that comes before what it is about
is answered 409 and not lost, and one that fits nothing stays visible in Stripe's dashboard. The ledger makes repetition
harmless: a success is known by its PaymentIntent, a refund or dispute by its id as the idempotency key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from uuid import UUID

import stripe
from fastapi import APIRouter, Request
from pydantic import BaseModel, StrictInt, ValidationError

from app.directory import Payment
from app.errors import Problem
from app.house import House, TheHouse
from app.money import STRIPE_DECIMALS, from_minor
from app.payments import KIND
from leadledger import Refused

log = logging.getLogger(__name__)

router = APIRouter(prefix="/webhooks", tags=["payments"])

TOLERANCE_SECONDS = 300
# The sender is not known before the whole body is read.
LONGEST_BODY = 1 << 20


class Intent(BaseModel):
    """What is needed of a PaymentIntent."""

    id: str
    currency: str
    amount_received: StrictInt = 0
    metadata: dict[str, str] = {}


class Refund(BaseModel):
    """What is needed of a refund."""

    id: str
    currency: str
    amount: StrictInt
    status: str | None = None
    payment_intent: str | None = None


class Dispute(BaseModel):
    """What is needed of a dispute."""

    id: str
    currency: str
    amount: StrictInt
    status: str
    payment_intent: str | None = None


class Received(BaseModel):
    """That the event was taken, and what came of it."""

    received: bool = True
    outcome: str


@router.post("/stripe")
async def receive(request: Request, house: TheHouse) -> Received:
    """Takes one event of Stripe's. The body is verified as the bytes that came, before anything reads it."""
    secret = house.settings.stripe_webhook_secret
    if secret is None:
        raise Problem(503, "webhook_not_configured", "STRIPE_WEBHOOK_SECRET is not set")
    event = verified(await _body(request), request.headers.get("Stripe-Signature"), secret, time.time())
    # The object in it is as the event's type says, which its own model then holds it to.
    found: Mapping[str, object] = event.data.object.to_dict()
    try:
        outcome = await _handle(house, event.type, found)
    except ValidationError as fault:
        log.error("stripe %s %s does not look as expected", event.type, event.id)
        raise Problem(422, "unexpected_event", "the event's object does not look as expected") from fault
    log.info("stripe %s %s: %s", event.type, event.id, outcome)
    return Received(outcome=outcome)


def verified(payload: bytes, header: str | None, secret: str, now: float) -> stripe.Event:
    """The event, if Stripe signed it within five minutes of now; a `Problem` with 400 else."""
    forged = Problem(400, "invalid_signature", "the signature is not valid")
    # The package compares signatures as text, which fails on other letters than ASCII's.
    if header is None or not header.isascii():
        raise forged
    try:
        event: stripe.Event = stripe.Webhook.construct_event(payload, header, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, ValueError) as fault:
        raise forged from fault
    # It refuses what is too old, and takes what is signed for tomorrow: a replay kept for later.
    signed_at = int(next(item for item in header.split(",") if item.startswith("t=")).removeprefix("t="))
    if signed_at > now + TOLERANCE_SECONDS:
        raise forged
    return event


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > LONGEST_BODY:
            raise Problem(413, "body_too_large", "the body is larger than any event")
        parts.append(part)
    return b"".join(parts)


async def _handle(house: House, kind: str, found: Mapping[str, object]) -> str:
    if kind == "payment_intent.succeeded":
        return await _succeeded(house, Intent.model_validate(found))
    if kind == "payment_intent.payment_failed":
        return await _ended(house, Intent.model_validate(found), "failed")
    if kind == "payment_intent.canceled":
        return await _ended(house, Intent.model_validate(found), "cancelled")
    if kind in ("refund.created", "refund.updated"):
        return await _refunded(house, Refund.model_validate(found))
    if kind in ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed"):
        return await _disputed(house, kind, Dispute.model_validate(found))
    return "ignored"


def _top_up_of(intent: Intent) -> Payment | None:
    """Whose top-up the intent pays, as the server wrote into it; none where it is not one of ours."""
    if intent.metadata.get("type") != KIND:
        return None
    try:
        return Payment(UUID(intent.metadata["merchant_id"]), UUID(intent.metadata["top_up_id"]))
    except (KeyError, ValueError) as fault:
        # Of an older backend, perhaps: it was paid, so it must not be taken for dealt with.
        log.error("payment %s names no top-up", intent.id)
        raise Problem(422, "payment_unknown", "the payment's metadata names no top-up") from fault


async def _succeeded(house: House, intent: Intent) -> str:
    """Credits what was received, whatever the top-up's state: a late success counts."""
    payment = _top_up_of(intent)
    if payment is None:
        return "ignored"
    top_up = await house.ledger.top_up_state(payment.merchant, payment.top_up)
    if top_up is None:
        raise _early()
    _same_currency(intent.currency, top_up.currency)
    received = from_minor(intent.amount_received, top_up.currency)
    if received != top_up.amount:
        log.warning("payment %s: %s was received, %s was meant", intent.id, received, top_up.amount)
    try:
        done = await house.ledger.succeed_top_up(payment.merchant, payment.top_up, intent.id, received)
    except Refused as refusal:
        # A second payment of the same top-up, say: money that a person has to give back.
        log.error("payment %s of top-up %s is not credited: %s", intent.id, payment.top_up, refusal.code)
        raise
    return "repeated" if done.replayed else "credited"


async def _ended(house: House, intent: Intent, end: str) -> str:
    """Notes that a payment failed or was given up, unless the top-up has moved on since."""
    payment = _top_up_of(intent)
    if payment is None:
        return "ignored"
    act = house.ledger.fail_top_up if end == "failed" else house.ledger.cancel_top_up
    try:
        await act(payment.merchant, payment.top_up)
    except Refused as refusal:
        if refusal.code == "invalid_transition":
            return f"already {refusal.details['from']}"
        if refusal.code == "top_up_not_found":
            raise _early() from refusal
        raise
    return end


async def _refunded(house: House, refund: Refund) -> str:
    """Takes a refund's money back out of the deposit, once for each refund."""
    if refund.status != "succeeded":
        if refund.status in ("failed", "canceled"):
            # If it had succeeded before, its money is back at Stripe, and a person decides what becomes of it.
            log.warning("refund %s of payment %s is %s", refund.id, refund.payment_intent, refund.status)
        return f"not yet: {refund.status}"
    payment = await _payment(house, refund.payment_intent)
    if payment is None:
        return "ignored"
    currency = await _currency(house, payment)
    _same_currency(refund.currency, currency)
    amount = from_minor(refund.amount, currency)
    key = f"stripe:{refund.id}"
    done = await house.ledger.refund_top_up(payment.merchant, payment.top_up, amount=amount, key=key)
    return "repeated" if done.replayed else "refunded"


async def _disputed(house: House, kind: str, dispute: Dispute) -> str:
    """Takes a disputed payment's money back out, and in again where the dispute is won; once for each step."""
    if kind == "charge.dispute.closed" and dispute.status != "lost":
        # Won ones come as `funds_reinstated`.
        return "ignored"
    payment = await _payment(house, dispute.payment_intent)
    if payment is None:
        return "ignored"
    _same_currency(dispute.currency, await _currency(house, payment))
    place = (payment.merchant, payment.top_up)
    key = f"stripe:{dispute.id}:{kind.rpartition('.')[2]}"
    if kind == "charge.dispute.funds_withdrawn":
        return "repeated" if (await house.ledger.dispute_top_up(*place, key=key)).replayed else "disputed"
    if kind == "charge.dispute.funds_reinstated":
        return "repeated" if (await house.ledger.win_dispute(*place, key=key)).replayed else "won"
    return "repeated" if (await house.ledger.lose_dispute(*place, key=key)).replayed else "lost"


async def _payment(house: House, reference: str | None) -> Payment | None:
    """The top-up that a payment at Stripe was for. Refunds and disputes name the payment, and not what it was for."""
    if reference is None:
        return None
    payment = await house.directory.payment(reference)
    if payment is not None:
        return payment
    if house.stripe is not None:
        try:
            intent = await house.stripe.v1.payment_intents.retrieve_async(reference)
        except stripe.StripeError as fault:
            raise Problem(502, "payment_provider_failed", "the payment provider cannot be asked now") from fault
        if intent.metadata.to_dict().get("type") != KIND:
            return None
    raise _early()


async def _currency(house: House, payment: Payment) -> str:
    top_up = await house.ledger.top_up_state(payment.merchant, payment.top_up)
    if top_up is None:
        raise _early()
    return top_up.currency


def _same_currency(given: str, expected: str) -> None:
    if given.upper() != expected or expected not in STRIPE_DECIMALS:
        log.error("stripe says %s where the top-up is in %s", given, expected)
        raise Problem(409, "currency_mismatch", "the payment is in another currency than the top-up")


def _early() -> Problem:
    return Problem(409, "too_early", "the top-up is not there yet; send the event again")
