"""Top-ups: the intent is recorded before the provider is called, and credited only by the provider's word."""

from __future__ import annotations

import logging
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from stripe import PaymentIntent, StripeClient, StripeError
from stripe.params import PaymentIntentCreateParams

from app.callers import IdempotencyKey, MerchantCaller
from app.errors import Problem
from app.house import House, TheHouse
from app.leads import Body, replayed
from app.money import STRIPE_DECIMALS, Amount, to_minor
from leadledger import Refused, TopUp

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/leads/deposits/recharge", tags=["payments"])

# What says in an intent's metadata that it is one of these top-ups. The server writes it; nobody else can.
KIND = "deposit_recharge"

Status = Literal["pending", "succeeded", "failed", "cancelled", "disputed", "refunded"]


class Recharge(Body):
    """How much, and how. `manual` is missing: a merchant cannot credit itself by hand."""

    amount: Amount
    payment_method: Literal["stripe", "cmi", "bank_transfer", "crypto"] = "stripe"
    campaign_id: UUID | None = None


class Begun(BaseModel):
    """A top-up, and what the browser needs to pay it, where Stripe is asked."""

    id: UUID
    status: Status
    amount: Amount
    currency: str
    payment_method: str
    payment_intent_id: str | None
    client_secret: Annotated[str | None, Field(repr=False)]


class State(BaseModel):
    """How a top-up stands."""

    id: UUID
    status: Status
    amount: Amount
    received: Amount
    refunded: Amount
    currency: str
    payment_method: str
    receipt: str | None


@router.post("", status_code=201)
async def begin(
    body: Recharge, caller: MerchantCaller, house: TheHouse, response: Response, key: IdempotencyKey = None
) -> Begun:
    """Records what a merchant means to pay, then asks Stripe for a payment. Nothing is credited here."""
    if body.payment_method == "stripe" and body.campaign_id is not None:
        # Before anything is recorded: a top-up that Stripe cannot be asked for would stay pending for ever.
        terms = await house.directory.campaign(body.campaign_id)
        if terms is not None and terms.merchant == caller.id and terms.currency not in STRIPE_DECIMALS:
            raise Problem(422, "currency_not_offered", "this currency is not paid by Stripe here")
    done = await house.ledger.begin_top_up(
        caller.id, body.amount, body.payment_method, campaign=body.campaign_id, key=caller.key(key)
    )
    replayed(response, done.replayed)
    top_up = await _found(house, caller.id, done.answer)
    intent = None
    if house.stripe is not None and top_up.method == "stripe" and top_up.status == "pending":
        intent = await _intent(house, house.stripe, caller.id, done.answer, top_up)
    return Begun(
        id=done.answer,
        status=top_up.status,
        amount=top_up.amount,
        currency=top_up.currency,
        payment_method=top_up.method,
        payment_intent_id=intent.id if intent is not None else top_up.reference,
        client_secret=intent.client_secret if intent is not None else None,
    )


@router.get("/{top_up_id}")
async def state(top_up_id: UUID, caller: MerchantCaller, house: TheHouse) -> State:
    """How a top-up stands: for the page that waits after the payment. It credits nothing."""
    top_up = await _found(house, caller.id, top_up_id)
    return State(
        id=top_up_id,
        status=top_up.status,
        amount=top_up.amount,
        received=top_up.received,
        refunded=top_up.refunded,
        currency=top_up.currency,
        payment_method=top_up.method,
        receipt=str(top_up.receipt) if top_up.receipt is not None else None,
    )


async def _found(house: House, merchant: UUID, top_up: UUID) -> TopUp:
    found = await house.ledger.top_up_state(merchant, top_up)
    if found is None:
        raise Problem(404, "top_up_not_found", "no such top-up")
    return found


async def _intent(house: House, stripe: StripeClient, merchant: UUID, id: UUID, top_up: TopUp) -> PaymentIntent:
    """The one payment of this top-up at Stripe: asked for, or, where the request came before, looked up."""
    try:
        if top_up.reference is not None:
            return await stripe.v1.payment_intents.retrieve_async(top_up.reference)
        params: PaymentIntentCreateParams = {
            "amount": to_minor(top_up.amount, top_up.currency),
            "currency": top_up.currency.lower(),
            "metadata": {"merchant_id": str(merchant), "top_up_id": str(id), "type": KIND},
        }
        # The top-up's id as Stripe's key: a request that was cut off and comes again asks for no second payment.
        intent = await stripe.v1.payment_intents.create_async(params, {"idempotency_key": f"top-up-{id}"})
    except StripeError as fault:
        log.warning("stripe did not answer for top-up %s: %s", id, fault.code or type(fault).__name__)
        raise Problem(502, "payment_provider_failed", "the payment provider cannot be asked now") from fault
    try:
        await house.ledger.attach_reference(merchant, id, intent.id)
    except Refused as refusal:
        # The payment was quicker than this request: its success has brought the reference along.
        if refusal.code != "invalid_transition":
            raise
    return intent
