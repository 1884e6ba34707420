"""What no argument may be, by the form of the argument; and what is good in each of its spellings."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

Form = Literal[
    "decimal", "id", "text", "name", "integer", "flag", "time", "day", "record", "cursor", "path", "span", "list"
]

TEN_MEGABYTES = 10 << 20
TEN_THOUSAND_DIGITS = 10**9_999


class Planted(Exception):
    """What a hostile object raises; it must come out as it is, if it is asked at all."""


class Hostile:
    """Raises at whatever it is asked for."""

    def __str__(self) -> str:
        raise Planted

    def __repr__(self) -> str:
        raise Planted

    def __index__(self) -> int:
        raise Planted

    def __int__(self) -> int:
        raise Planted

    def __float__(self) -> float:
        raise Planted

    def __bool__(self) -> bool:
        raise Planted

    def __fspath__(self) -> str:
        raise Planted

    def __iter__(self) -> Iterator[object]:
        raise Planted

    def __eq__(self, other: object) -> bool:
        raise Planted

    def __hash__(self) -> int:
        raise Planted


class Text(str):
    """A subclass that is as good as its base."""


class Whole(int):
    """A subclass that is as good as its base."""


class Amount(Decimal):
    """A subclass that is as good as its base."""


class Identifier(UUID):
    """A subclass that is as good as its base."""


class Instant(datetime.datetime):
    """A subclass that is as good as its base."""


class ColourOfText(str):
    """A subclass whose `__str__` is somebody else's."""

    def __str__(self) -> str:
        raise Planted


class HostileAmount(Decimal):
    """A subclass that raises when it is written or taken apart."""

    def __str__(self) -> str:
        raise Planted

    def __format__(self, specifier: str, context: Any = None) -> str:
        raise Planted

    def as_tuple(self) -> Any:
        raise Planted


class Zone(tzinfo):
    """A zone of the tests."""

    def dst(self, dt: datetime.datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime.datetime | None) -> str | None:
        return None


class NoOffset(Zone):
    """A zone that does not know its offset: its times are naive."""

    def utcoffset(self, dt: datetime.datetime | None) -> timedelta | None:
        return None


class HostileZone(Zone):
    """A zone that raises."""

    def utcoffset(self, dt: datetime.datetime | None) -> timedelta | None:
        raise Planted


@dataclass(frozen=True)
class Bad:
    """A value, and why it is one."""

    label: str
    make: Callable[[], Any]


def bad(**values: Any) -> list[Bad]:
    """A list of them; what is expensive comes as a function."""
    return [Bad(name, value if callable(value) else partial(same, value)) for name, value in values.items()]


def same(value: Any) -> Any:
    """The value."""
    return value


STRANGE = bad(
    an_object=object(), bytes=b"600.00", hostile=Hostile(), a_class=lambda: int, a_function=lambda: len, a_complex=1j
)
NO_NUMBER = bad(true=True, false=False, a_float=1.0, float_nan=float("nan"), float_infinity=float("inf"))

WRONG_TYPES: dict[Form, list[Bad]] = {
    "decimal": [*STRANGE, *NO_NUMBER, *bad(a_list=["1"], a_uuid=uuid4())],
    "id": [*STRANGE, *NO_NUMBER, *bad(an_int=5, sixteen_bytes=bytes(16), a_list=[])],
    "text": [*STRANGE, *NO_NUMBER, *bad(an_int=5, a_decimal=Decimal(1), a_list=["x"])],
    "name": [*STRANGE, *NO_NUMBER, *bad(an_int=5, a_decimal=Decimal(1), a_list=["x"])],
    "integer": [*STRANGE, *NO_NUMBER, *bad(a_string="8", a_decimal=Decimal(8), a_list=[8])],
    "flag": [*STRANGE, *bad(one=1, zero=0, a_float=1.0, a_string="true", a_list=[])],
    "time": [*STRANGE, *bad(a_float=1.0, true=True, a_string="2026-03-02T08:00:00Z", a_date=date(2026, 3, 2))],
    "day": [
        *STRANGE,
        *NO_NUMBER,
        *bad(a_string="2026-03-02", an_int=5, a_datetime=datetime.datetime(2026, 3, 2, tzinfo=timezone.utc)),
    ],
    "record": [*STRANGE, *NO_NUMBER, *bad(a_string="A name", an_int=5, a_list=[])],
    "cursor": [*STRANGE, *NO_NUMBER, *bad(an_int=5)],
    "path": [*STRANGE[:1], *STRANGE[3:], *NO_NUMBER[2:], *bad(a_list=[])],
    "span": [*STRANGE, *NO_NUMBER, *bad(an_int=5, a_string="1")],
    "list": [*STRANGE, *NO_NUMBER, *bad(an_int=5, a_string="x")],
}
"""What is a TypeError."""

BROKEN_TEXT = bad(
    nul="a\0b", surrogate="\ud800", surrogate_inside="a\udfffb", ten_megabytes=lambda: "x" * TEN_MEGABYTES
)

BAD_VALUES: dict[Form, list[Bad]] = {
    "decimal": [
        *BROKEN_TEXT,
        *bad(
            nan=Decimal("NaN"),
            signalling_nan=Decimal("sNaN"),
            infinity=Decimal("Infinity"),
            minus_infinity=Decimal("-Infinity"),
            nan_text="NaN",
            infinity_text="Infinity",
            exponent="1e400",
            small_exponent="1E2",
            empty="",
            space=" 1",
            underscore="1_000",
            comma="1,5",
            no_whole=".5",
            no_fraction="1.",
            two_signs="+-1",
            hexadecimal="0x10",
            other_digits="\u0661\u0662",
            a_word="ten",
        ),
    ],
    "id": [
        *BROKEN_TEXT,
        *bad(
            empty="",
            a_word="merchant-1",
            too_short="442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5",
            too_long="442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e0",
            not_hex="442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5g",
            space=" 442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e",
        ),
    ],
    "text": BROKEN_TEXT,
    "name": [*BROKEN_TEXT, *bad(empty="", nonsense="nonsense", capitals="Instagram", space="MAD ")],
    "integer": bad(
        beyond_64_bits=2**64,
        below_64_bits=-(2**64),
        huge=TEN_THOUSAND_DIGITS,
    ),
    "flag": [],
    "time": bad(
        beyond_the_last_year=lambda: datetime.datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
        before_the_first_year=lambda: datetime.datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ),
    "day": [],
    "record": [],
    # What else is no cursor is the store's to say.
    "cursor": BROKEN_TEXT[1:3],
    "path": bad(nul="a\0b", empty=""),
    "span": [],
    "list": [],
}
"""What is an InvalidInput."""

NAIVE = [
    Bad("naive", lambda: datetime.datetime(2026, 3, 2)),
    Bad("a zone without offset", lambda: datetime.datetime(2026, 3, 2, tzinfo=NoOffset())),
]
"""Times that say no moment."""

ENORMOUS: list[tuple[Bad, str]] = [
    (Bad("1E+400", lambda: Decimal("1E+400")), "amount_too_large"),
    (Bad("1E+999999999", lambda: Decimal("1E+999999999")), "amount_too_large"),
    (Bad("ten thousand digits", lambda: TEN_THOUSAND_DIGITS), "amount_too_large"),
    (Bad("ten megabytes of digits", lambda: "1" * TEN_MEGABYTES), "amount_too_large"),
    (Bad("2^63 minor units", lambda: Decimal(2**63) / 100), "amount_too_large"),
    (Bad("1E-400", lambda: Decimal("1E-400")), "amount_precision"),
    (Bad("1E-999999999", lambda: Decimal("1E-999999999")), "amount_precision"),
    (Bad("three decimals", lambda: "600.001"), "amount_precision"),
    (Bad("zero", lambda: 0), "invalid_amount"),
    (Bad("minus zero", lambda: Decimal("-0.00")), "invalid_amount"),
    (Bad("negative", lambda: "-600.00"), "invalid_amount"),
    (Bad("ten thousand negative digits", lambda: -TEN_THOUSAND_DIGITS), "invalid_amount"),
]
"""Amounts that are numbers, with the rule's refusal."""

AN_ID = "442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e"

GOOD_DECIMALS = [
    "600",
    "600.00",
    "600.000000",
    "+600",
    "000600.00",
    600,
    Whole(600),
    Decimal(600),
    Decimal("6E+2"),
    Decimal("600.00000000000000000000000000000000000000"),
    Amount("600.00"),
    Text("600.00"),
]
"""One amount in all its spellings."""

GOOD_IDS = [UUID(AN_ID), AN_ID, AN_ID.upper(), Identifier(AN_ID), Text(AN_ID)]
"""One id in all its spellings."""

GOOD_PATHS = [str, Path]
