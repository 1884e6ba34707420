"""What can happen in a merchant's book, one class each; `Event` is what all of them have.

Amounts are in the currency beside them. No event holds personal data or free text.

Written by bindings/python/generate from the Rust code's own tables: do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from ._base import Record

if TYPE_CHECKING:
    from ._records import (
        Basis,
        Cause,
        Channel,
        LeadStatus,
        Level,
        Method,
        OnTimeout,
        OpeningStatus,
        ReferenceKind,
        Source,
    )

__all__ = [
    "AgreementSet",
    "AlertCleared",
    "AlertRaised",
    "AlertSettingsSet",
    "AutoTopUpRequested",
    "AutoTopUpSet",
    "CampaignPaused",
    "CampaignRegistered",
    "CampaignResumed",
    "CampaignUpdated",
    "CustomerErased",
    "DepositAdjusted",
    "DepositClosed",
    "DepositImported",
    "DepositOpened",
    "DepositResumed",
    "DepositSuspended",
    "DisputeLost",
    "DisputeWon",
    "DueSettled",
    "Event",
    "LeadConverted",
    "LeadCreated",
    "LeadExpired",
    "LeadImported",
    "LeadLost",
    "LeadRejected",
    "LeadReversed",
    "LeadValidated",
    "LineKept",
    "PartMatured",
    "PaymentReceived",
    "PayoutCancelled",
    "PayoutRequested",
    "PayoutSettled",
    "ReferenceAttached",
    "TopUpBegun",
    "TopUpCancelled",
    "TopUpDisputed",
    "TopUpFailed",
    "TopUpRefunded",
    "TopUpSucceeded",
    "WrittenOff",
]


@dataclass(frozen=True, slots=True)
class Event(Record):
    """Something that happened in a merchant's book.

    Attributes:
        merchant: Whose book.
        seq: The entry's number in that book.
        index: Its place among the events of that entry, from 0. With merchant and `seq` it names the event for ever.
        at: When it happened.
        kind: The kind of the entry: the command's name, or what time alone did.
    """

    type: ClassVar[str] = ""
    """The permanent name of what happened, such as `lead_created`."""

    merchant: UUID
    seq: int
    index: int
    at: datetime
    kind: str

    def to_dict(self) -> dict[str, Any]:
        """Its `type` and its fields; see `Record.to_dict`."""
        return {"type": self.type, **Record.to_dict(self)}


@dataclass(frozen=True, slots=True)
class LeadCreated(Event):
    """A lead was recorded and its commission reserved; time alone decides on it at `expires_at`."""

    type: ClassVar[str] = "lead_created"

    lead: UUID
    campaign: UUID
    partner: UUID
    deposit: UUID
    source: Source
    currency: str
    value: Decimal
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LeadValidated(Event):
    """A lead's commission was captured: by the merchant, or, with `accepted`, by time alone.

    Attributes:
        deposit: None where the commission is nothing.
        partner: None where its part is nothing.
    """

    type: ClassVar[str] = "lead_validated"

    lead: UUID
    accepted: bool
    score: int | None
    deposit: UUID | None
    partner: UUID | None
    currency: str
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal


@dataclass(frozen=True, slots=True)
class LeadRejected(Event):
    """A lead was rejected; its reservation was released."""

    type: ClassVar[str] = "lead_rejected"

    lead: UUID


@dataclass(frozen=True, slots=True)
class LeadExpired(Event):
    """A lead expired; its reservation was released."""

    type: ClassVar[str] = "lead_expired"

    lead: UUID


@dataclass(frozen=True, slots=True)
class LeadConverted(Event):
    """A validated lead became a sale."""

    type: ClassVar[str] = "lead_converted"

    lead: UUID


@dataclass(frozen=True, slots=True)
class LeadLost(Event):
    """A validated lead came to nothing."""

    type: ClassVar[str] = "lead_lost"

    lead: UUID


@dataclass(frozen=True, slots=True)
class LeadReversed(Event):
    """A captured lead was given back: the amounts are what went back.

    Attributes:
        deposit: None where the commission was nothing.
        partner: None where its part was nothing.
    """

    type: ClassVar[str] = "lead_reversed"

    lead: UUID
    deposit: UUID | None
    partner: UUID | None
    currency: str
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal


@dataclass(frozen=True, slots=True)
class PartMatured(Event):
    """A partner's held part became payable.

    Attributes:
        partner: None where the part is nothing.
    """

    type: ClassVar[str] = "part_matured"

    lead: UUID
    partner: UUID | None
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """A deposit's level became worse than the one that was last told.

    Attributes:
        priority: 1 (attention) to 4 (depleted).
        colour: The colour's name.
        label: The French label that merchants see.
        channels: Where it is to be told.
        reference: The amount that the level is measured against.
    """

    type: ClassVar[str] = "alert_raised"

    deposit: UUID
    level: Level
    priority: int
    colour: str
    label: str
    channels: tuple[Channel, ...]
    currency: str
    balance: Decimal
    available: Decimal
    reference: Decimal


@dataclass(frozen=True, slots=True)
class AlertCleared(Event):
    """A deposit's level became better."""

    type: ClassVar[str] = "alert_cleared"

    deposit: UUID
    level: Level


@dataclass(frozen=True, slots=True)
class CampaignRegistered(Event):
    """A campaign began."""

    type: ClassVar[str] = "campaign_registered"

    campaign: UUID
    currency: str
    policy_version: int
    minimum_value: Decimal
    threshold: Decimal
    rate: Decimal
    fixed: Decimal
    default_share: Decimal
    validation_window_hours: int
    minimum_quality: int | None
    auto_stop: bool
    on_timeout: OnTimeout


@dataclass(frozen=True, slots=True)
class CampaignUpdated(Event):
    """A campaign's terms changed: these hold now."""

    type: ClassVar[str] = "campaign_updated"

    campaign: UUID
    currency: str
    policy_version: int
    minimum_value: Decimal
    threshold: Decimal
    rate: Decimal
    fixed: Decimal
    default_share: Decimal
    validation_window_hours: int
    minimum_quality: int | None
    auto_stop: bool
    on_timeout: OnTimeout


@dataclass(frozen=True, slots=True)
class CampaignPaused(Event):
    """A campaign takes no leads: a person said so, or (`ledger`) its deposit is depleted."""

    type: ClassVar[str] = "campaign_paused"

    campaign: UUID
    by: Cause


@dataclass(frozen=True, slots=True)
class CampaignResumed(Event):
    """A campaign takes leads again."""

    type: ClassVar[str] = "campaign_resumed"

    campaign: UUID
    by: Cause


@dataclass(frozen=True, slots=True)
class AgreementSet(Event):
    """A partner's terms were agreed, for one campaign or (none) for all that have no own."""

    type: ClassVar[str] = "agreement_set"

    partner: UUID
    campaign: UUID | None
    share: Decimal
    payout_delay_days: int


@dataclass(frozen=True, slots=True)
class DepositOpened(Event):
    """A deposit began, for one campaign or (none) for all that have no own."""

    type: ClassVar[str] = "deposit_opened"

    deposit: UUID
    campaign: UUID | None
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentReceived(Event):
    """A payment came in; `credited` is what the debt left of it."""

    type: ClassVar[str] = "payment_received"

    deposit: UUID
    currency: str
    amount: Decimal
    credited: Decimal
    method: Method
    reference: str | None


@dataclass(frozen=True, slots=True)
class DepositSuspended(Event):
    """A deposit takes no reservations: a person said so, or (`ledger`) the merchant owes."""

    type: ClassVar[str] = "deposit_suspended"

    deposit: UUID
    by: Cause


@dataclass(frozen=True, slots=True)
class DepositResumed(Event):
    """A deposit takes reservations again."""

    type: ClassVar[str] = "deposit_resumed"

    deposit: UUID
    by: Cause


@dataclass(frozen=True, slots=True)
class DepositClosed(Event):
    """A deposit ended; `paid_back` is what the debt left of it."""

    type: ClassVar[str] = "deposit_closed"

    deposit: UUID
    currency: str
    paid_back: Decimal
    method: Method
    reference: str | None


@dataclass(frozen=True, slots=True)
class DepositAdjusted(Event):
    """An operator corrected a deposit: `amount` was given, or, where it is negative, taken."""

    type: ClassVar[str] = "deposit_adjusted"

    deposit: UUID
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AlertSettingsSet(Event):
    """What a deposit's level is measured on and against."""

    type: ClassVar[str] = "alert_settings_set"

    deposit: UUID
    basis: Basis
    reference_kind: ReferenceKind


@dataclass(frozen=True, slots=True)
class AutoTopUpSet(Event):
    """The automatic top-up request was set; without amounts it is off."""

    type: ClassVar[str] = "auto_top_up_set"

    deposit: UUID
    currency: str
    threshold: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class AutoTopUpRequested(Event):
    """The host is asked for a payment of `amount`."""

    type: ClassVar[str] = "auto_top_up_requested"

    deposit: UUID
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TopUpBegun(Event):
    """A payment was intended."""

    type: ClassVar[str] = "top_up_begun"

    top_up: UUID
    campaign: UUID | None
    currency: str
    amount: Decimal
    method: Method


@dataclass(frozen=True, slots=True)
class ReferenceAttached(Event):
    """The provider's reference of a top-up was noted."""

    type: ClassVar[str] = "reference_attached"

    top_up: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class TopUpSucceeded(Event):
    """A top-up was paid; `payment_received` of the same entry says what was credited."""

    type: ClassVar[str] = "top_up_succeeded"

    top_up: UUID
    deposit: UUID
    currency: str
    received: Decimal
    reference: str
    receipt: str


@dataclass(frozen=True, slots=True)
class TopUpFailed(Event):
    """The provider said no."""

    type: ClassVar[str] = "top_up_failed"

    top_up: UUID


@dataclass(frozen=True, slots=True)
class TopUpCancelled(Event):
    """The payer gave up."""

    type: ClassVar[str] = "top_up_cancelled"

    top_up: UUID


@dataclass(frozen=True, slots=True)
class TopUpRefunded(Event):
    """Money of a top-up went back out."""

    type: ClassVar[str] = "top_up_refunded"

    top_up: UUID
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TopUpDisputed(Event):
    """All that was left of a top-up went back out."""

    type: ClassVar[str] = "top_up_disputed"

    top_up: UUID
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DisputeWon(Event):
    """A disputed amount was credited again, to `deposit`."""

    type: ClassVar[str] = "dispute_won"

    top_up: UUID
    deposit: UUID


@dataclass(frozen=True, slots=True)
class DisputeLost(Event):
    """A disputed amount stays out."""

    type: ClassVar[str] = "dispute_lost"

    top_up: UUID


@dataclass(frozen=True, slots=True)
class PayoutRequested(Event):
    """Earnings of a partner are on their way out."""

    type: ClassVar[str] = "payout_requested"

    payout: UUID
    partner: UUID
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PayoutSettled(Event):
    """Earnings were paid.

    Attributes:
        partner: As the postings tell.
    """

    type: ClassVar[str] = "payout_settled"

    payout: UUID
    partner: UUID | None
    currency: str
    amount: Decimal
    method: Method
    reference: str | None


@dataclass(frozen=True, slots=True)
class PayoutCancelled(Event):
    """Earnings were given back to payable.

    Attributes:
        partner: As the postings tell.
    """

    type: ClassVar[str] = "payout_cancelled"

    payout: UUID
    partner: UUID | None
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class WrittenOff(Event):
    """A debt became a loss: a partner's, or (none) the merchant's."""

    type: ClassVar[str] = "written_off"

    partner: UUID | None
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CustomerErased(Event):
    """A lead's personal data and free text were erased: whoever copied them erases the copy."""

    type: ClassVar[str] = "customer_erased"

    lead: UUID


@dataclass(frozen=True, slots=True)
class DepositImported(Event):
    """A deposit came in with the book's opening."""

    type: ClassVar[str] = "deposit_imported"

    deposit: UUID
    campaign: UUID | None
    currency: str
    balance: Decimal
    status: OpeningStatus


@dataclass(frozen=True, slots=True)
class LeadImported(Event):
    """A lead came in with the book's opening."""

    type: ClassVar[str] = "lead_imported"

    lead: UUID
    campaign: UUID
    partner: UUID
    deposit: UUID
    source: Source
    currency: str
    value: Decimal
    commission: Decimal
    partner_part: Decimal
    status: LeadStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LineKept(Event):
    """A line of an old statement is kept; it moves nothing."""

    type: ClassVar[str] = "line_kept"

    deposit: UUID
    lead: UUID | None
    line_at: datetime


@dataclass(frozen=True, slots=True)
class DueSettled(Event):
    """`run_due` was called and settled so many leads, each with an entry of its own before this one."""

    type: ClassVar[str] = "due_settled"

    expired: int
    accepted: int
    matured: int


CLASSES: dict[str, type[Event]] = {
    "lead_created": LeadCreated,
    "lead_validated": LeadValidated,
    "lead_rejected": LeadRejected,
    "lead_expired": LeadExpired,
    "lead_converted": LeadConverted,
    "lead_lost": LeadLost,
    "lead_reversed": LeadReversed,
    "part_matured": PartMatured,
    "alert_raised": AlertRaised,
    "alert_cleared": AlertCleared,
    "campaign_registered": CampaignRegistered,
    "campaign_updated": CampaignUpdated,
    "campaign_paused": CampaignPaused,
    "campaign_resumed": CampaignResumed,
    "agreement_set": AgreementSet,
    "deposit_opened": DepositOpened,
    "payment_received": PaymentReceived,
    "deposit_suspended": DepositSuspended,
    "deposit_resumed": DepositResumed,
    "deposit_closed": DepositClosed,
    "deposit_adjusted": DepositAdjusted,
    "alert_settings_set": AlertSettingsSet,
    "auto_top_up_set": AutoTopUpSet,
    "auto_top_up_requested": AutoTopUpRequested,
    "top_up_begun": TopUpBegun,
    "reference_attached": ReferenceAttached,
    "top_up_succeeded": TopUpSucceeded,
    "top_up_failed": TopUpFailed,
    "top_up_cancelled": TopUpCancelled,
    "top_up_refunded": TopUpRefunded,
    "top_up_disputed": TopUpDisputed,
    "dispute_won": DisputeWon,
    "dispute_lost": DisputeLost,
    "payout_requested": PayoutRequested,
    "payout_settled": PayoutSettled,
    "payout_cancelled": PayoutCancelled,
    "written_off": WrittenOff,
    "customer_erased": CustomerErased,
    "deposit_imported": DepositImported,
    "lead_imported": LeadImported,
    "line_kept": LineKept,
    "due_settled": DueSettled,
}
