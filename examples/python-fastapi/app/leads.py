"""Leads: what one would cost, bringing one, deciding on it, and everybody's own list.

The names in JSON are those that the existing screens know (`estimated_value`, `commission_amount`, `customer_name`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

import leadledger
from app.callers import AnyCaller, IdempotencyKey, MerchantCaller, PartnerCaller
from app.errors import Problem
from app.house import House, TheHouse
from app.money import Amount, plain
from leadledger import Customer, Lead, LeadTexts

router = APIRouter(prefix="/api/leads", tags=["leads"])

Source = Literal["instagram", "tiktok", "whatsapp", "facebook", "direct", "other"]
Status = Literal["pending", "validated", "rejected", "expired", "converted", "lost", "reversed"]
Text = Annotated[StrictStr, Field(min_length=1, max_length=255)]
LongText = Annotated[StrictStr, Field(max_length=10_000)]

# One more read for each lead on a page.
LONGEST_PAGE = 100


class Body(BaseModel):
    """A request's body: a field that is not known is a mistake of the caller's, not noise."""

    model_config = ConfigDict(extra="forbid")


class PreviewRequest(Body):
    """A value, and for which campaign; without one, the platform's usual terms."""

    estimated_value: Amount
    campaign_id: UUID | None = None


class Preview(BaseModel):
    """What such a lead would cost the merchant, and bring the partner."""

    commission_type: Literal["percentage", "fixed"]
    commission_amount: Amount
    partner_part: Amount
    platform_part: Amount


class NewLead(Body):
    """A prospect whom a partner brings."""

    campaign_id: UUID
    estimated_value: Amount
    source: Source = "other"
    customer_name: Text
    customer_email: Text
    customer_phone: Text
    customer_company: Text | None = None
    customer_notes: LongText | None = None
    product: Text | None = None


class CreatedLead(BaseModel):
    """The lead, and the commission that it holds of the deposit."""

    id: UUID
    commission_type: Literal["percentage", "fixed"]
    commission_amount: Amount
    partner_part: Amount
    expires_at: datetime


class Validation(Body):
    """The merchant takes the lead."""

    quality_score: StrictInt | None = None
    feedback: LongText | None = None


class Rejection(Body):
    """The merchant does not take it."""

    reason: LongText


class Decided(BaseModel):
    """The lead after a decision."""

    id: UUID
    status: Status


class LeadLine(BaseModel):
    """A lead in a list."""

    id: UUID
    merchant_id: UUID
    campaign_id: UUID
    partner_id: UUID
    status: Status
    source: Source
    currency: str
    estimated_value: Amount
    commission_type: Literal["percentage", "fixed"]
    commission_amount: Amount
    partner_part: Amount
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    quality_score: int | None
    review_priority: Literal["high", "medium", "low"] | None
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    customer_company: str | None
    customer_notes: str | None
    product: str | None
    feedback: str | None
    reason: str | None


class MyLeads(BaseModel):
    """A page of leads, newest first, and where the next one begins."""

    leads: list[LeadLine]
    next: str | None


def replayed(response: Response, again: bool) -> None:
    """Says that a key was used before, and this is the first answer again."""
    if again:
        response.headers["Idempotent-Replayed"] = "true"


@router.post("/preview-commission")
async def preview(body: PreviewRequest, caller: AnyCaller, house: TheHouse) -> Preview:
    """What a lead of this value would cost. Nothing is recorded."""
    if body.campaign_id is None:
        found = leadledger.preview_commission(body.estimated_value)
    else:
        terms = await house.directory.campaign(body.campaign_id)
        if terms is None:
            raise Problem(404, "campaign_not_found", "no such campaign")
        share: Decimal | None = None
        if caller.role == "partner":
            share = await house.directory.share(caller.id, body.campaign_id)
        found = leadledger.preview_commission(
            body.estimated_value,
            share=share,
            currency=terms.currency,
            minimum_value=terms.minimum_value,
            threshold=terms.threshold,
            rate=terms.rate,
            fixed=terms.fixed,
            default_share=terms.default_share,
        )
    return Preview(
        commission_type=found.kind,
        commission_amount=found.commission,
        partner_part=found.partner_part,
        platform_part=found.platform_part,
    )


@router.post("", status_code=201)
async def create(
    body: NewLead, caller: PartnerCaller, house: TheHouse, response: Response, key: IdempotencyKey = None
) -> CreatedLead:
    """Records a lead of the calling partner's, and reserves its commission on the merchant's deposit."""
    merchant = await house.directory.merchant_of(body.campaign_id)
    if merchant is None:
        raise Problem(404, "campaign_not_found", "no such campaign")
    done = await house.ledger.create_lead(
        merchant,
        body.campaign_id,
        caller.id,
        body.estimated_value,
        source=body.source,
        product=body.product,
        customer=Customer(
            name=body.customer_name,
            email=body.customer_email,
            phone=body.customer_phone,
            company=body.customer_company,
            notes=body.customer_notes,
        ),
        key=caller.key(key),
    )
    replayed(response, done.replayed)
    lead = done.answer
    return CreatedLead(
        id=lead.lead,
        commission_type=lead.kind,
        commission_amount=lead.commission,
        partner_part=lead.partner_part,
        expires_at=lead.expires_at,
    )


@router.post("/{lead_id}/validate")
async def validate(
    lead_id: UUID,
    body: Validation,
    caller: MerchantCaller,
    house: TheHouse,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Captures the commission and splits it between partner and platform."""
    done = await house.ledger.validate_lead(
        caller.id, lead_id, score=body.quality_score, feedback=body.feedback, key=caller.key(key)
    )
    replayed(response, done.replayed)
    return Decided(id=lead_id, status="validated")


@router.post("/{lead_id}/reject")
async def reject(
    lead_id: UUID,
    body: Rejection,
    caller: MerchantCaller,
    house: TheHouse,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Gives the reservation back. A reason is mandatory."""
    done = await house.ledger.reject_lead(caller.id, lead_id, body.reason, key=caller.key(key))
    replayed(response, done.replayed)
    return Decided(id=lead_id, status="rejected")


@router.get("/my-leads")
async def my_leads(
    caller: AnyCaller,
    house: TheHouse,
    status: Status | None = None,
    campaign_id: UUID | None = None,
    source: Source | None = None,
    after: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
) -> MyLeads:
    """A merchant's leads; or those that a partner brought, merchant by merchant."""
    if caller.role == "merchant":
        found = await house.ledger.leads(
            caller.id, status=status, campaign=campaign_id, source=source, after=after, limit=limit
        )
        return MyLeads(leads=await _lines(house, caller.id, found.items), next=found.next)

    # A page stays within one book, and its cursor says in which.
    books = await house.directory.merchants_of(caller.id)
    book, inner = _place(after, len(books))
    lines: list[LeadLine] = []
    while book < len(books) and not lines:
        merchant = books[book]
        found = await house.ledger.leads(
            merchant, status=status, campaign=campaign_id, partner=caller.id, source=source, after=inner, limit=limit
        )
        lines = await _lines(house, merchant, found.items)
        book, inner = (book, found.next) if found.next is not None else (book + 1, None)
    return MyLeads(leads=lines, next=f"{book}~{inner or ''}" if book < len(books) else None)


@router.get("/stats")
async def stats(caller: AnyCaller, house: TheHouse) -> dict[str, object]:
    """What became of it all: a merchant's figures, or a partner's. Under the ledger's names."""
    if caller.role == "merchant":
        found = plain((await house.ledger.merchant_figures(caller.id)).to_dict())
    else:
        found = plain((await house.ledger.partner_figures(caller.id)).to_dict())
    return {"figures": found}


def _place(after: str | None, books: int) -> tuple[int, str | None]:
    """Which book a partner's page is in, and where in it."""
    if after is None:
        return 0, None
    number, mark, inner = after.partition("~")
    if not mark or not number.isascii() or not number.isdigit() or len(number) > 9 or int(number) >= books:
        raise Problem(422, "invalid_cursor", "the cursor is not one that a page gave")
    return int(number), inner or None


async def _lines(house: House, merchant: UUID, leads: tuple[Lead, ...]) -> list[LeadLine]:
    texts = await asyncio.gather(*(house.ledger.lead_texts(merchant, lead.id) for lead in leads))
    return [_line(merchant, lead, text) for lead, text in zip(leads, texts, strict=True)]


def _line(merchant: UUID, lead: Lead, texts: LeadTexts | None) -> LeadLine:
    customer = texts.customer if texts is not None else None
    return LeadLine(
        id=lead.id,
        merchant_id=merchant,
        campaign_id=lead.campaign,
        partner_id=lead.partner,
        status=lead.status,
        source=lead.source,
        currency=lead.currency,
        estimated_value=lead.value,
        commission_type=lead.kind,
        commission_amount=lead.commission,
        partner_part=lead.partner_part,
        created_at=lead.created_at,
        expires_at=lead.expires_at,
        decided_at=lead.decided_at,
        quality_score=lead.score,
        review_priority=lead.review_priority,
        customer_name=customer.name if customer is not None else None,
        customer_email=customer.email if customer is not None else None,
        customer_phone=customer.phone if customer is not None else None,
        customer_company=customer.company if customer is not None else None,
        customer_notes=customer.notes if customer is not None else None,
        product=texts.product if texts is not None else None,
        feedback=texts.feedback if texts is not None else None,
        reason=texts.reason if texts is not None else None,
    )
