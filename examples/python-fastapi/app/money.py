"""Amounts at the border: strings in JSON both ways, integers of minor units with payment providers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

# Bounded: a million digits are refused before anything computes with them.
PATTERN = r"^-?[0-9]{1,20}(\.[0-9]{1,9})?$"
_SHAPE = re.compile(PATTERN.strip("^$"), re.ASCII)

# Decimals of the currencies that Stripe takes here, as Stripe counts them. It departs from ISO 4217 for some
# currencies, so that one that is not in this table is refused, not guessed.
STRIPE_DECIMALS: Mapping[str, int] = {"MAD": 2, "EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}


def _read(value: object) -> Decimal:
    # JSON has no decimals: this one is the application's own.
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or _SHAPE.fullmatch(value) is None:
        raise PydanticCustomError("amount", 'an amount is a string such as "1234.50"')
    return Decimal(value)


def shown(amount: Decimal) -> str:
    """An amount as it goes out, with its currency's decimals and no exponent."""
    return format(amount, "f")


Amount = Annotated[
    Decimal,
    PlainValidator(_read),
    PlainSerializer(shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["600.00"]}),
]


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in the units that Stripe counts in; it was accepted by the ledger, so it has no more decimals."""
    return int(amount.scaleb(STRIPE_DECIMALS[currency]).to_integral_exact())


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount that Stripe means."""
    return Decimal(minor).scaleb(-STRIPE_DECIMALS[currency])


def stamp(at: datetime) -> str:
    """A moment in UTC, as JSON has it."""
    return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def plain(value: object) -> object:
    """A record's `to_dict()` as JSON: amounts, ids and times as strings, where FastAPI would make floats of amounts."""
    if isinstance(value, Decimal):
        return shown(value)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        parts = cast("dict[object, object]", value)
        return {str(plain(name)): plain(part) for name, part in parts.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in cast("Sequence[object]", value)]
    return value
