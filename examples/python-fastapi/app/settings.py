"""What the environment says, read once when a process starts serving."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

# HS256 is only as strong as its secret: RFC 7518 asks for as many bytes as the hash has.
SECRET_BYTES = 32


class BadSettings(Exception):
    """The environment does not say what the application needs."""


@dataclass(frozen=True)
class Settings:
    """Where the ledger is, and what the outside world shares with the application."""

    jwt_secret: str = field(repr=False)
    ledger_url: str = field(default="sqlite:leadledger.db", repr=False)
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Africa/Casablanca"))
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_api_base: str | None = None
    outbox: str = "notifications.db"
    jobs: bool = True
    alerts_every_seconds: int = 3600

    def __post_init__(self) -> None:
        if len(self.jwt_secret.encode()) < SECRET_BYTES:
            raise BadSettings(f"APP_JWT_SECRET must have at least {SECRET_BYTES} bytes")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """An empty variable counts as one that is not set: an empty secret must never verify anything."""
        given = os.environ if environment is None else environment

        def text(name: str) -> str | None:
            return given.get(name) or None

        return cls(
            jwt_secret=text("APP_JWT_SECRET") or "",
            ledger_url=text("LEADLEDGER_URL") or "sqlite:leadledger.db",
            time_zone=ZoneInfo(text("LEADLEDGER_TIME_ZONE") or "Africa/Casablanca"),
            stripe_webhook_secret=text("STRIPE_WEBHOOK_SECRET"),
            stripe_secret_key=text("STRIPE_SECRET_KEY"),
            stripe_api_base=text("STRIPE_API_BASE"),
            outbox=text("APP_OUTBOX") or "notifications.db",
            jobs=(text("APP_JOBS") or "on") == "on",
            alerts_every_seconds=int(text("APP_ALERTS_EVERY_SECONDS") or 3600),
        )
