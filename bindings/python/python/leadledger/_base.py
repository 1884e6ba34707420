"""What all records are, and the types that values may come in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

Amount: TypeAlias = Decimal | int | str
"""An amount or a percentage: never a float, which could not hold it. Text is plain decimal, such as `"600.00"`."""

Id: TypeAlias = UUID | str
"""An id: a UUID, or its text."""

Answer = TypeVar("Answer")


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        """`UNSET`."""
        return "UNSET"


UNSET: Final = Unset.UNSET
"""What is left out, where `None` says something else."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger gives and takes: immutable, compared by value.

    Amounts are `Decimal` with the decimals of their currency, ids are `UUID`, moments are `datetime` in UTC, days are
    `date`, choices are their names, and lists are tuples.
    """

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; records inside become dictionaries, and tuples lists. Other values stay as they are."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Record | tuple[Any, ...] | dict[Any, Any] | Decimal | UUID | date | int | str | None) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Done(Record, Generic[Answer]):
    """An accepted command, durable.

    Attributes:
        answer: What the command answers: a record, an id, or `None`.
        seq: The number of its entry in the merchant's book.
        at: The entry's time.
        replayed: Whether it was accepted before, with the same key, and nothing changed now.
    """

    answer: Answer
    seq: int
    at: datetime
    replayed: bool
