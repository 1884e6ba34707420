"""The dashboard's notifications: the messages that were recorded for that channel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.callers import MerchantCaller
from app.house import TheHouse

router = APIRouter(prefix="/api/leads/notifications", tags=["notifications"])


class Notification(BaseModel):
    """One message."""

    subject: str
    text: str
    at: str


@router.get("")
async def notifications(
    caller: MerchantCaller, house: TheHouse, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[Notification]:
    """The merchant's latest, newest first."""
    found = await house.outbox.of(caller.id, "dashboard", limit)
    return [Notification(subject=message.subject, text=message.text, at=message.at) for message in found]
