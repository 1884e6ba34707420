"""The application: `uvicorn app.main:app`, or the same under gunicorn."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from stripe import HTTPXClient, StripeClient

from app import campaigns, deposits, errors, jobs, leads, live, notifications, payments, stripe_events
from app.callers import Tokens
from app.directory import Directory
from app.house import House
from app.outbox import Outbox
from app.settings import Settings
from leadledger import AsyncLedger


def _stripe(settings: Settings) -> StripeClient | None:
    """Stripe, where there is a key for it. Retries are safe: each request has a key of its own there."""
    if settings.stripe_secret_key is None:
        return None
    client = HTTPXClient()
    if settings.stripe_api_base is None:
        return StripeClient(settings.stripe_secret_key, http_client=client, max_network_retries=2)
    return StripeClient(
        settings.stripe_secret_key,
        http_client=client,
        max_network_retries=2,
        base_addresses={"api": settings.stripe_api_base},
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """Opens everything in the process that serves: a ledger does not pass through a fork."""
    settings = Settings.from_environment()
    outbox = Outbox(settings.outbox)
    await outbox.open()
    async with AsyncLedger.open(settings.ledger_url, time_zone=settings.time_zone.key) as ledger:
        house = House(settings, ledger, Directory(ledger), outbox, _stripe(settings))
        app.state.house = house
        app.state.tokens = Tokens(settings.jwt_secret)
        clockwork = jobs.Clockwork(house, jobs.LogSender()) if settings.jobs else None
        if clockwork is not None:
            clockwork.start()
        try:
            yield
        finally:
            if clockwork is not None:
                await clockwork.stop()


def create_app() -> FastAPI:
    """The application with all its rooms."""
    app = FastAPI(title="Leads and deposits", lifespan=_lifespan)
    errors.install(app)
    # Before the leads: their paths take anything that looks like an id.
    app.include_router(deposits.router)
    app.include_router(payments.router)
    app.include_router(notifications.router)
    app.include_router(leads.router)
    app.include_router(campaigns.router)
    app.include_router(stripe_events.router)
    app.include_router(live.router)
    return app


app = create_app()
