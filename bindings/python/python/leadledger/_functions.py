"""What needs no ledger: previews, levels, estimates, proofs; and making a store ready.

Written by bindings/python/generate from the Rust code's own tables: do not edit.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from . import _native
from ._base import Amount, Id
from ._records import (
    Channel,
    CommissionPreview,
    Level,
    ProvenEntry,
    Ready,
    RealtimeChoice,
    ReviewPriority,
)

__all__ = [
    "alert_level",
    "channels_for",
    "estimated_days_left",
    "estimated_leads_left",
    "migrate",
    "preview_commission",
    "review_priority",
    "verify_proof",
    "verify_proof_against",
]


def migrate(
    url: str,
    *,
    roles: str | None = None,
    merchants_of: str | None = None,
    realtime: RealtimeChoice | None = None,
) -> Ready:
    """Makes the store at `url` ready, or brings its schema up to date: PostgreSQL needs that before a ledger is
    opened there, on a direct connection; a SQLite file is brought up to date by opening it, too.

    See docs/postgres.md.

    Args:
        url: Where the ledger is kept.
        roles: PostgreSQL: the roles are named `<roles>_owner`, `<roles>_writer` and `<roles>_reader`; `leadledger`
            where left out.
        merchants_of: PostgreSQL: a function of the host's, `schema.name`, that gives the merchants that the user of
            Supabase's role `authenticated` may see.
        realtime: PostgreSQL: whether commits are told to Supabase's Realtime.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: Ready = _native.compute("migrate", (url, roles, merchants_of, realtime))
    return answer


def preview_commission(
    value: Amount,
    *,
    share: Amount | None = None,
    currency: str | None = None,
    minimum_value: Amount | None = None,
    threshold: Amount | None = None,
    rate: Amount | None = None,
    fixed: Amount | None = None,
    default_share: Amount | None = None,
) -> CommissionPreview:
    """What creating a lead of `value` would answer: the same commission, the same split.

    The terms that are left out have DOMAIN.md's defaults (chapter 3); a currency other than MAD must be given
    `threshold` and `fixed`. Refuses with `invalid_amount`, `amount_precision`, `amount_too_large`,
    `value_below_minimum`, `invalid_policy`, `invalid_agreement`.

    Args:
        value: The lead's estimated value.
        share: The partner's percent of the commission; `default_share` where left out.
        currency: The currency; MAD where left out.
        minimum_value: Smallest value of a lead.
        threshold: Where the fixed commission begins.
        rate: Percent of the value below the threshold.
        fixed: The fixed commission.
        default_share: The partner's percent of the commission where no agreement says another.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: CommissionPreview = _native.compute(
        "preview_commission", (value, share, currency, minimum_value, threshold, rate, fixed, default_share)
    )
    return answer


def alert_level(
    balance: Amount,
    reference: Amount,
) -> Level:
    """The level of a balance against its reference, both of one currency, compared exactly.

    Args:
        balance: What is left.
        reference: What it is measured against.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: Level = _native.compute("alert_level", (balance, reference))
    return answer


def channels_for(level: Level) -> tuple[Channel, ...]:
    """Where an alert of a level is told; nowhere for `healthy`.

    Args:
        level: The level.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: tuple[Channel, ...] = _native.compute("channels_for", (level,))
    return answer


def review_priority(left: timedelta) -> ReviewPriority:
    """How urgent a pending lead is: under 24 hours left `high`, under 48 hours `medium`, else `low`.

    Args:
        left: How long until time alone decides on it.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: ReviewPriority = _native.compute("review_priority", (left,))
    return answer


def estimated_leads_left(
    available: Amount,
    captured: Amount,
    leads: int,
) -> Decimal | None:
    """Leads that `available` still pays for: floor(available / average commission of the last 30 days, else 60.00).

    None where that average is zero.

    Args:
        available: What no pending lead holds.
        captured: The commission of the leads captured in those days.
        leads: How many these were.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: Decimal | None = _native.compute("estimated_leads_left", (available, captured, leads))
    return answer


def estimated_days_left(
    available: Amount,
    captured: Amount,
    full_days: int,
) -> Decimal | None:
    """Days that `available` lasts: floor(available / average captured a day).

    None without any capture.

    Args:
        available: What no pending lead holds.
        captured: The commission of the leads captured in those days.
        full_days: Full local days of history, at most the last seven.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: Decimal | None = _native.compute("estimated_days_left", (available, captured, full_days))
    return answer


def verify_proof(proof: str) -> ProvenEntry:
    """Verifies that a proof holds in itself, and says what it proves.

    Whether its head is the book's is still to be compared: `verify_proof_against` does that. Fails with `proof_..`
    codes.

    Args:
        proof: The proof's JSON text.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: ProvenEntry = _native.compute("verify_proof", (proof,))
    return answer


def verify_proof_against(
    proof: str,
    merchant: Id,
    head: str,
) -> ProvenEntry:
    """Verifies a proof against a head that was noted elsewhere.

    Args:
        proof: The proof's JSON text.
        merchant: Whose book it has to be.
        head: The trusted head's hash, in 64 hexadecimal digits.

    Raises:
        InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
    """
    answer: ProvenEntry = _native.compute("verify_proof_against", (proof, merchant, head))
    return answer
