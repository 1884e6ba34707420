"""The balance as it changes, over a WebSocket.

The first message of the client is its token: `{"token": ".."}`, with `"campaign_id"` where one is wanted. Browsers
cannot set headers on a WebSocket, and a token in the query would be written into the access logs of every proxy on the
way. As no cookie is involved, another site's page has nothing to connect with.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timezone
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from app.callers import LONGEST_TOKEN, Caller, Tokens
from app.deposits import balance_of
from app.errors import Problem
from app.house import House, TheHouse
from leadledger import LeadledgerError

log = logging.getLogger(__name__)

router = APIRouter()

GREETING_SECONDS = 10
# Of the range for applications: as HTTP's statuses, with 4000 added.
UNAUTHORISED = 4401
FORBIDDEN = 4403
UNINTELLIGIBLE = 4422
TRY_AGAIN_LATER = 1013


class Greeting(BaseModel):
    """The client's first message."""

    model_config = ConfigDict(extra="forbid")

    token: StrictStr = Field(max_length=LONGEST_TOKEN, repr=False)
    campaign_id: UUID | None = None


class Refusal(Exception):
    """Why a client is sent away."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/ws/balance")
async def balance(socket: WebSocket, house: TheHouse) -> None:
    """Sends the balance, as `GET /api/leads/deposits/balance` gives it, at once and whenever it changes."""
    await socket.accept()
    try:
        caller, campaign = await _greeted(socket)
        await _push(socket, house, caller, campaign)
    except Refusal as refusal:
        await _close(socket, refusal.code, refusal.reason)
    except WebSocketDisconnect:
        pass
    except LeadledgerError as error:
        log.warning("a balance is no longer followed: %s", error.code)
        await _close(socket, TRY_AGAIN_LATER, error.code)


async def _greeted(socket: WebSocket) -> tuple[Caller, UUID | None]:
    tokens: Tokens = socket.app.state.tokens
    try:
        text = await asyncio.wait_for(socket.receive_text(), GREETING_SECONDS)
        greeting = Greeting.model_validate_json(text)
        caller = tokens.caller(greeting.token)
    except (ValidationError, KeyError) as fault:
        # A KeyError is Starlette's for a message of bytes.
        raise Refusal(UNINTELLIGIBLE, "the first message is not a token") from fault
    except asyncio.TimeoutError as fault:
        raise Refusal(UNAUTHORISED, "no token came") from fault
    except Problem as problem:
        code = UNAUTHORISED if problem.status == 401 else FORBIDDEN
        raise Refusal(code, problem.code) from problem
    if caller.role != "merchant":
        raise Refusal(FORBIDDEN, "forbidden")
    return caller, greeting.campaign_id


async def _push(socket: WebSocket, house: House, caller: Caller, campaign: UUID | None) -> None:
    """Until the client goes, the server stops, or the token ends: whichever is first."""
    # Watched before it is read: what changes in between is then told.
    watch = await house.ledger.watch(caller.id)

    async def tell() -> None:
        told = None
        while True:
            now = await balance_of(house.ledger, caller.id, campaign)
            if now != told:
                await socket.send_text(now.model_dump_json())
                told = now
            # All that has happened meanwhile comes at once: a slow client gets fewer messages, never old ones.
            await watch.changed()

    async def listen() -> None:
        # Nothing more is expected; but only who receives hears that the client has gone, or that the server stops.
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = [asyncio.create_task(tell()), asyncio.create_task(listen())]
    left = (caller.until - datetime.now(timezone.utc)).total_seconds()
    try:
        done, _ = await asyncio.wait(tasks, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise Refusal(UNAUTHORISED, "token_expired")
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        watch.close()


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    # The client may have gone in the same moment.
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code, reason)
