"""What every room of the application shares, opened once for each process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from stripe import StripeClient

from app.directory import Directory
from app.outbox import Outbox
from app.settings import Settings
from leadledger import AsyncLedger


@dataclass(frozen=True)
class House:
    """The ledger, and what stands around it."""

    settings: Settings
    ledger: AsyncLedger
    directory: Directory
    outbox: Outbox
    stripe: StripeClient | None


def _house(connection: HTTPConnection) -> House:
    house: House = connection.app.state.house
    return house


TheHouse = Annotated[House, Depends(_house)]
