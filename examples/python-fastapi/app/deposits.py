"""Deposits: the balance as the dashboard shows it, and every movement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.callers import MerchantCaller
from app.errors import Problem
from app.house import TheHouse
from app.money import Amount
from leadledger import AsyncLedger, BalanceCard, Deposit

router = APIRouter(prefix="/api/leads/deposits", tags=["deposits"])

# What merchants without a deposit are offered; a deposit's card says the same of itself.
PRESETS = [Decimal("2000.00"), Decimal("5000.00"), Decimal("10000.00")]
NOTHING = Decimal("0.00")


class Balance(BaseModel):
    """A deposit's card, under the names that the existing dashboard reads.

    Its `status` is `active`, `suspended` or `closed`; `none` where nothing was paid in yet.
    """

    deposit_id: UUID | None
    campaign_id: UUID | None
    status: str
    currency: str
    current_balance: Amount
    reserved_amount: Amount
    available_balance: Amount
    initial_amount: Amount
    percent: Amount | None
    alert_level: str | None
    alert_priority: int | None
    alert_color: str | None
    alert_color_hex: str | None
    alert_label: str | None
    leads_left: int | None
    days_left: int | None
    paused_campaigns: list[UUID]
    presets: list[Amount]


class Movement(BaseModel):
    """One movement of a deposit."""

    seq: int
    at: datetime
    kind: str
    lead_id: UUID | None
    amount: Amount
    balance_after: Amount


class History(BaseModel):
    """A page of a deposit's movements, newest first, and where the next one begins."""

    deposit_id: UUID | None
    movements: list[Movement]
    next: str | None


NO_DEPOSIT = Balance(
    deposit_id=None,
    campaign_id=None,
    status="none",
    currency="MAD",
    current_balance=NOTHING,
    reserved_amount=NOTHING,
    available_balance=NOTHING,
    initial_amount=NOTHING,
    percent=None,
    alert_level=None,
    alert_priority=None,
    alert_color=None,
    alert_color_hex=None,
    alert_label=None,
    leads_left=None,
    days_left=None,
    paused_campaigns=[],
    presets=PRESETS,
)


def in_use(deposits: Iterable[Deposit], campaign: UUID | None) -> Deposit | None:
    """The deposit that pays for a campaign's leads: its own open one, else the merchant-wide one.

    Without a campaign: the merchant-wide one, else the first that is open.
    """
    open_ones = [deposit for deposit in deposits if deposit.status != "closed"]
    for scope in (campaign, None):
        for deposit in open_ones:
            if deposit.campaign == scope:
                return deposit
    return open_ones[0] if open_ones and campaign is None else None


async def balance_of(ledger: AsyncLedger, merchant: UUID, campaign: UUID | None) -> Balance:
    """The card of the deposit in use."""
    deposit = in_use(await ledger.deposits(merchant), campaign)
    card = await ledger.balance_card(merchant, deposit.id) if deposit is not None else None
    return NO_DEPOSIT if card is None else _shown(card)


def _shown(card: BalanceCard) -> Balance:
    level = card.level
    return Balance(
        deposit_id=card.deposit,
        campaign_id=card.campaign,
        status=card.status,
        currency=card.currency,
        current_balance=card.balance,
        reserved_amount=card.reserved,
        available_balance=card.available,
        initial_amount=card.reference,
        percent=card.percent,
        alert_level=level.level if level is not None else None,
        alert_priority=level.priority if level is not None else None,
        alert_color=level.colour if level is not None else None,
        alert_color_hex=level.hex if level is not None else None,
        alert_label=level.label if level is not None else None,
        leads_left=card.leads_left,
        days_left=card.days_left,
        paused_campaigns=list(card.paused_campaigns),
        presets=list(card.presets),
    )


@router.get("/balance")
async def balance(caller: MerchantCaller, house: TheHouse, campaign_id: UUID | None = None) -> Balance:
    """What is in the deposit, what pending leads hold of it, how low it is, and how long it lasts."""
    return await balance_of(house.ledger, caller.id, campaign_id)


@router.get("/history")
async def history(
    caller: MerchantCaller,
    house: TheHouse,
    deposit_id: UUID | None = None,
    after: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> History:
    """A deposit's movements: payments, commissions, corrections. Of the deposit in use, unless one is named."""
    wanted = deposit_id
    if wanted is None:
        used = in_use(await house.ledger.deposits(caller.id), None)
        if used is None:
            return History(deposit_id=None, movements=[], next=None)
        wanted = used.id
    statement = await house.ledger.statement(caller.id, wanted, after=after, limit=limit)
    if statement is None:
        raise Problem(404, "deposit_not_found", "no such deposit")
    movements = [
        Movement(
            seq=line.seq,
            at=line.at,
            kind=line.kind,
            lead_id=line.lead,
            amount=line.amount,
            balance_after=line.balance_after,
        )
        for line in statement.lines
    ]
    return History(deposit_id=wanted, movements=movements, next=statement.next)
