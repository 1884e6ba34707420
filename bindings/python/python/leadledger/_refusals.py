"""Every code with which the rules refuse.

Written by bindings/python/generate from the Rust code's own tables: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

__all__ = [
    "REFUSALS",
    "RefusalCode",
]

RefusalCode = Literal[
    "invalid_amount",
    "amount_precision",
    "amount_too_large",
    "currency_mismatch",
    "idempotency_mismatch",
    "invalid_policy",
    "invalid_agreement",
    "campaign_not_found",
    "campaign_exists",
    "campaign_paused",
    "deposit_not_found",
    "deposit_exists",
    "deposit_closed",
    "deposit_suspended",
    "reservations_pending",
    "debt_outstanding",
    "no_active_deposit",
    "insufficient_funds",
    "below_minimum",
    "value_below_minimum",
    "reason_required",
    "invalid_score",
    "quality_required",
    "quality_below_minimum",
    "lead_not_found",
    "lead_exists",
    "lead_expired",
    "invalid_transition",
    "top_up_not_found",
    "top_up_exists",
    "reference_used",
    "amount_mismatch",
    "refund_exceeds",
    "nothing_owed",
    "book_not_empty",
    "invalid_opening",
    "payout_not_found",
    "payout_exists",
]

REFUSALS: Final[Mapping[RefusalCode, str]] = MappingProxyType(
    {
        "invalid_amount": "Zero or negative where a positive amount is needed.",
        "amount_precision": "More decimals than the currency has.",
        "amount_too_large": "An amount or a balance beyond 2^63-1 minor units.",
        "currency_mismatch": "The command says another currency than the thing it names has.",
        "idempotency_mismatch": "The key was used with another payload.",
        "invalid_policy": "Commission terms or validation rules outside their bounds.",
        "invalid_agreement": "A share or delay outside its bounds.",
        "campaign_not_found": "No such campaign in this book.",
        "campaign_exists": "The id was used.",
        "campaign_paused": "The campaign takes no leads now.",
        "deposit_not_found": "No such deposit in this book.",
        "deposit_exists": "The id was used, or a deposit is open for this scope.",
        "deposit_closed": "The deposit is closed for good.",
        "deposit_suspended": "The deposit takes no new reservations.",
        "reservations_pending": "Leads still hold parts of the deposit.",
        "debt_outstanding": "The merchant still owes.",
        "no_active_deposit": "Neither the campaign nor the merchant has an open deposit.",
        "insufficient_funds": "What is available does not cover it.",
        "below_minimum": "Below the smallest amount for this payment.",
        "value_below_minimum": "A lead below the campaign's smallest value.",
        "reason_required": "A reason is mandatory.",
        "invalid_score": "A quality score outside 1..=10.",
        "quality_required": "The campaign requires a score.",
        "quality_below_minimum": "The score is below the campaign's minimum.",
        "lead_not_found": "No such lead in this book.",
        "lead_exists": "The id was used.",
        "lead_expired": "The time to decide on the lead is over.",
        "invalid_transition": "The thing is in a state from which this move is not allowed.",
        "top_up_not_found": "No such top-up in this book.",
        "top_up_exists": "The id was used.",
        "reference_used": "The provider's reference belongs to another top-up.",
        "amount_mismatch": "The same payment was reported with another amount.",
        "refund_exceeds": "More than what is left of the top-up.",
        "nothing_owed": "There is nothing to write off.",
        "book_not_empty": "What is to be opened has entries already.",
        "invalid_opening": "An opening that does not fit together.",
        "payout_not_found": "No such payout in this book.",
        "payout_exists": "The id was used.",
    }
)
"""Each code of `Refused` that a command can have, and what it says."""
