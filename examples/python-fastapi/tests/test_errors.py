"""A status for every refusal, held against a table that was written by hand."""

from __future__ import annotations

import pytest

from app.errors import STATUS_OF_REFUSAL, status_of
from leadledger import (
    REFUSALS,
    CheckFailed,
    Closed,
    Internal,
    InvalidInput,
    LeadledgerError,
    Refused,
    StoreUnavailable,
    StoreUnusable,
)

EXPECTED = {
    "campaign_not_found": 404,
    "deposit_not_found": 404,
    "lead_not_found": 404,
    "top_up_not_found": 404,
    "payout_not_found": 404,
    "insufficient_funds": 402,
    "no_active_deposit": 402,
    "debt_outstanding": 402,
    "idempotency_mismatch": 409,
    "campaign_exists": 409,
    "campaign_paused": 409,
    "deposit_exists": 409,
    "deposit_closed": 409,
    "deposit_suspended": 409,
    "reservations_pending": 409,
    "lead_exists": 409,
    "lead_expired": 409,
    "invalid_transition": 409,
    "top_up_exists": 409,
    "reference_used": 409,
    "amount_mismatch": 409,
    "refund_exceeds": 409,
    "nothing_owed": 409,
    "payout_exists": 409,
    "book_not_empty": 409,
    "invalid_amount": 422,
    "amount_precision": 422,
    "amount_too_large": 422,
    "currency_mismatch": 422,
    "invalid_policy": 422,
    "invalid_agreement": 422,
    "below_minimum": 422,
    "value_below_minimum": 422,
    "reason_required": 422,
    "invalid_score": 422,
    "quality_required": 422,
    "quality_below_minimum": 422,
    "invalid_opening": 422,
}


def test_every_refusal_of_the_ledger_is_in_the_table() -> None:
    assert set(REFUSALS) == set(EXPECTED)


@pytest.mark.parametrize(("code", "status"), EXPECTED.items())
def test_a_refusal_has_the_status_of_the_table(code: str, status: int) -> None:
    assert status_of(Refused(code, "refused", {}, False)) == status


def test_nothing_is_mapped_that_no_refusal_says() -> None:
    # `cursor_moved` is a subscription's refusal, not a command's.
    assert set(STATUS_OF_REFUSAL) - set(EXPECTED) == {"cursor_moved"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("a_code_of_a_newer_ledger", "no", {}, False), 409),
        (Refused("cursor_moved", "no", {}, False), 409),
        (InvalidInput("text_too_long", "no", {}, False), 422),
        (StoreUnavailable("store_unavailable", "no", {}, True), 503),
        (StoreUnavailable("store_outcome_unknown", "no", {}, True), 503),
        (StoreUnavailable("store_full", "no", {}, False), 503),
        (StoreUnusable("store_corrupt", "no", {}, False), 500),
        (Closed("overloaded", "no", {}, True), 503),
        (Closed("closed", "no", {}, False), 500),
        (CheckFailed("check_failed", "no", {}, False), 500),
        (Internal("internal", "no", {}, False), 500),
    ],
)
def test_other_errors(error: LeadledgerError, status: int) -> None:
    assert status_of(error) == status
