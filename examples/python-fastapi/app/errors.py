"""Errors as HTTP: a status for each code, and one shape of body, `{"code", "message", "details"}`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from leadledger import InvalidInput, LeadledgerError, Refused

log = logging.getLogger(__name__)

# What is asked for is not in the caller's book.
NOT_FOUND = ("campaign_not_found", "deposit_not_found", "lead_not_found", "top_up_not_found", "payout_not_found")
# Money is missing: a top-up cures it.
FUNDS = ("insufficient_funds", "no_active_deposit", "debt_outstanding")
# The request is understood and allowed at another time: the thing is in another state.
CONFLICT = (
    "idempotency_mismatch",
    "campaign_exists",
    "campaign_paused",
    "deposit_exists",
    "deposit_closed",
    "deposit_suspended",
    "reservations_pending",
    "lead_exists",
    "lead_expired",
    "invalid_transition",
    "top_up_exists",
    "reference_used",
    "amount_mismatch",
    "refund_exceeds",
    "nothing_owed",
    "payout_exists",
    "book_not_empty",
    "cursor_moved",
)
# The same request would be refused at any time.
RULES = (
    "invalid_amount",
    "amount_precision",
    "amount_too_large",
    "currency_mismatch",
    "invalid_policy",
    "invalid_agreement",
    "below_minimum",
    "value_below_minimum",
    "reason_required",
    "invalid_score",
    "quality_required",
    "quality_below_minimum",
    "invalid_opening",
)

STATUS_OF_REFUSAL: Mapping[str, int] = {
    code: status for status, codes in ((404, NOT_FOUND), (402, FUNDS), (409, CONFLICT), (422, RULES)) for code in codes
}

# A code of a newer ledger: a refusal says that the books are not in a state for this, so nothing is worth a retry.
STATUS_OF_UNKNOWN_REFUSAL = 409

RETRY_AFTER_SECONDS = 2


class Problem(Exception):
    """What the application itself refuses, in the shape of the ledger's errors."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})


def body(code: str, message: str, details: Mapping[str, object] | None = None) -> dict[str, object]:
    """The one shape of every error, over HTTP and WebSocket."""
    return {"code": code, "message": message, "details": dict(details or {})}


def status_of(error: LeadledgerError) -> int:
    """The HTTP status of any error of the ledger."""
    if isinstance(error, Refused):
        return STATUS_OF_REFUSAL.get(error.code, STATUS_OF_UNKNOWN_REFUSAL)
    if isinstance(error, InvalidInput):
        return 422
    # Everything else is the server's: worth a retry where the ledger says so, and only there.
    return 503 if error.transient or error.code == "store_full" else 500


async def of_ledger(request: Request, error: LeadledgerError) -> JSONResponse:
    """An error of the ledger as an answer."""
    if error.code == "store_foreign" and "after" in request.query_params:
        # The ledger is open, so the store is ours: it is the cursor of the page that is not.
        return JSONResponse(body("invalid_cursor", "the cursor is not one that a page gave"), 422)
    status = status_of(error)
    if status < 500:
        return JSONResponse(body(error.code, error.message, error.details), status)
    # What a store says of itself is for the log, not for whoever called.
    log.error("%s: %s", error.code, error.message)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.transient else {}
    return JSONResponse(body(error.code, "the ledger cannot answer now"), status, headers)


async def of_problem(_: Request, error: Problem) -> JSONResponse:
    """A problem as an answer."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return JSONResponse(body(error.code, error.message, error.details), error.status, headers)


async def of_request(_: Request, error: RequestValidationError) -> JSONResponse:
    """A request that does not fit its model. What was sent is not repeated: it may be large, or somebody's data."""
    faults = [{"at": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]} for fault in error.errors()]
    return JSONResponse(body("invalid_request", "the request does not fit", {"faults": faults}), 422)


async def of_http(_: Request, error: HTTPException) -> JSONResponse:
    """What the framework itself refuses: no such path, no such method."""
    codes = {404: "no_such_path", 405: "no_such_method"}
    code = codes.get(error.status_code, f"http_{error.status_code}")
    return JSONResponse(body(code, error.detail), error.status_code, error.headers)


async def of_bug(_: Request, __: Exception) -> JSONResponse:
    """A fault of the application; the framework logs it with its trace."""
    return JSONResponse(body("internal", "an error of the server"), 500)


def install(app: FastAPI) -> None:
    """Gives every error of the application its answer."""
    app.exception_handler(LeadledgerError)(of_ledger)
    app.exception_handler(Problem)(of_problem)
    app.exception_handler(RequestValidationError)(of_request)
    app.exception_handler(HTTPException)(of_http)
    app.exception_handler(Exception)(of_bug)
