"""Which book a campaign, a partner or a provider's reference belongs to, learned from the journal.

A ledger answers within a merchant's book. A partner who brings a lead names a campaign, and Stripe names a payment;
whose book that is has to be known first. The events of all books say it, so this keeps no table of its own: it reads
on from where it was, when it is asked. A host with a table of campaigns looks there instead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from leadledger import AsyncLedger, events

PAGE = 500


@dataclass(frozen=True)
class CampaignTerms:
    """Whose a campaign is, and its commission policy."""

    merchant: UUID
    currency: str
    minimum_value: Decimal
    threshold: Decimal
    rate: Decimal
    fixed: Decimal
    default_share: Decimal


@dataclass(frozen=True)
class Payment:
    """Whose top-up a provider's reference belongs to."""

    merchant: UUID
    top_up: UUID


class Directory:
    """What the journal of all books says of who is whose."""

    def __init__(self, ledger: AsyncLedger) -> None:
        self._ledger = ledger
        self._after: str | None = None
        self._reading = asyncio.Lock()
        self._campaigns: dict[UUID, CampaignTerms] = {}
        self._merchants: dict[UUID, dict[UUID, None]] = {}
        self._shares: dict[tuple[UUID, UUID, UUID | None], Decimal] = {}
        self._payments: dict[str, Payment] = {}

    async def merchant_of(self, campaign: UUID) -> UUID | None:
        """Whose campaign it is, which never changes; none where no book has it."""
        if campaign not in self._campaigns:
            await self._read_on()
        terms = self._campaigns.get(campaign)
        return terms.merchant if terms is not None else None

    async def campaign(self, campaign: UUID) -> CampaignTerms | None:
        """Whose campaign it is, with its terms now; none where no book has it."""
        await self._read_on()
        return self._campaigns.get(campaign)

    async def share(self, partner: UUID, campaign: UUID) -> Decimal | None:
        """The partner's agreed share there, for this campaign or else for all of the merchant's."""
        terms = await self.campaign(campaign)
        if terms is None:
            return None
        own = self._shares.get((terms.merchant, partner, campaign))
        return own if own is not None else self._shares.get((terms.merchant, partner, None))

    async def merchants_of(self, partner: UUID) -> tuple[UUID, ...]:
        """The merchants whom a partner has brought leads, in the order of the first ones."""
        await self._read_on()
        return tuple(self._merchants.get(partner, ()))

    async def payment(self, reference: str) -> Payment | None:
        """The top-up that a provider's reference was attached to or credited by."""
        if reference not in self._payments:
            await self._read_on()
        return self._payments.get(reference)

    async def _read_on(self) -> None:
        # One reader at a time: a second one would learn the same pages again.
        async with self._reading:
            while True:
                page = await self._ledger.all_events(after=self._after, limit=PAGE)
                for entry in page.items:
                    for event in entry.events:
                        self._learn(event)
                if page.next is not None:
                    self._after = page.next
                if len(page.items) < PAGE:
                    return

    def _learn(self, event: events.Event) -> None:
        if isinstance(event, (events.CampaignRegistered, events.CampaignUpdated)):
            self._campaigns[event.campaign] = CampaignTerms(
                event.merchant,
                event.currency,
                event.minimum_value,
                event.threshold,
                event.rate,
                event.fixed,
                event.default_share,
            )
        elif isinstance(event, events.AgreementSet):
            self._shares[event.merchant, event.partner, event.campaign] = event.share
        elif isinstance(event, (events.LeadCreated, events.LeadImported)):
            self._merchants.setdefault(event.partner, {})[event.merchant] = None
        elif isinstance(event, (events.ReferenceAttached, events.TopUpSucceeded)):
            self._payments[event.reference] = Payment(event.merchant, event.top_up)
