"""Who calls: a merchant or a partner, as a signed token says. Whose book it is never comes from a body.

The tokens are those of Supabase's legacy HS256 secret. Its top-level `role` names a role of PostgreSQL
(`authenticated`); whether the user is a merchant or a partner is in `app_metadata`, which only the backend can write.
`user_metadata` is not looked at: users write it themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import jwt
from fastapi import Depends, Header
from pydantic import BaseModel, ValidationError
from starlette.requests import HTTPConnection

from app.errors import Problem

# No honest token comes near it.
LONGEST_TOKEN = 8192


@dataclass(frozen=True)
class Caller:
    """A user who was recognised, and until when."""

    role: Literal["merchant", "partner"]
    id: UUID
    until: datetime

    def key(self, key: str | None) -> str | None:
        """An idempotency key of this caller's alone: keys are unique in a book, and several callers write one."""
        return None if key is None else f"{self.role}:{self.id}:{key}"


class Metadata(BaseModel):
    """What the backend has written of a user."""

    role: Literal["merchant", "partner"]
    merchant_id: UUID | None = None
    partner_id: UUID | None = None


class Claims(BaseModel):
    """What a verified token says of its user."""

    sub: UUID
    exp: datetime
    app_metadata: Metadata
    merchant_id: UUID | None = None
    partner_id: UUID | None = None


class Tokens:
    """Recognises callers. A host with other tokens replaces it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def caller(self, token: str) -> Caller:
        """Whoever the token is of; a `Problem` with 401 or 403 where it is of nobody."""
        if len(token) > LONGEST_TOKEN:
            raise Problem(401, "invalid_token", "the token is not valid")
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience="authenticated",
                options={"require": ["exp", "sub", "aud"]},
            )
        except jwt.ExpiredSignatureError as fault:
            raise Problem(401, "token_expired", "the token has expired") from fault
        except jwt.InvalidTokenError as fault:
            # Why exactly is nothing to tell whoever tries.
            raise Problem(401, "invalid_token", "the token is not valid") from fault
        return _caller(claims)


def _caller(claims: Mapping[str, object]) -> Caller:
    try:
        found = Claims.model_validate(claims)
    except ValidationError as fault:
        raise Problem(403, "forbidden", "the user is neither a merchant nor a partner") from fault
    metadata = found.app_metadata
    # As in the SQL of `visible_merchants()`: at the top, where an access token hook puts it, else in the metadata.
    if metadata.role == "merchant":
        id = found.merchant_id or metadata.merchant_id or found.sub
    else:
        id = found.partner_id or metadata.partner_id or found.sub
    return Caller(metadata.role, id, found.exp)


def _from_header(connection: HTTPConnection, authorization: Annotated[str | None, Header()] = None) -> Caller:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "token_missing", "a bearer token is needed")
    tokens: Tokens = connection.app.state.tokens
    return tokens.caller(token.strip())


AnyCaller = Annotated[Caller, Depends(_from_header)]


def _merchant(caller: AnyCaller) -> Caller:
    if caller.role != "merchant":
        raise Problem(403, "forbidden", "only a merchant may do this")
    return caller


def _partner(caller: AnyCaller) -> Caller:
    if caller.role != "partner":
        raise Problem(403, "forbidden", "only a partner may do this")
    return caller


MerchantCaller = Annotated[Caller, Depends(_merchant)]
PartnerCaller = Annotated[Caller, Depends(_partner)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]
