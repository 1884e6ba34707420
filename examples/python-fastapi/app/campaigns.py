"""Campaigns: a merchant's offer. The commission is the platform's to set: a merchant's request has no say in it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StrictBool, StrictInt

from app.callers import IdempotencyKey, MerchantCaller
from app.house import TheHouse
from app.leads import Body, replayed

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"])


class NewCampaign(Body):
    """The rules of validation that are the merchant's own."""

    minimum_quality: StrictInt | None = None
    validation_window_hours: Annotated[StrictInt | None, Field(ge=1, le=24 * 365)] = None
    auto_stop: StrictBool | None = None


class Registered(BaseModel):
    """The campaign's id."""

    id: UUID


@router.post("", status_code=201)
async def register(
    body: NewCampaign, caller: MerchantCaller, house: TheHouse, response: Response, key: IdempotencyKey = None
) -> Registered:
    """Registers a campaign in the calling merchant's book, with the platform's terms."""
    done = await house.ledger.register_campaign(
        caller.id,
        minimum_quality=body.minimum_quality,
        validation_window_hours=body.validation_window_hours,
        auto_stop=body.auto_stop,
        key=caller.key(key),
    )
    replayed(response, done.replayed)
    return Registered(id=done.answer)
