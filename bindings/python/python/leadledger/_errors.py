"""What goes wrong, as one tree of exceptions: each has a permanent `code`, a message and details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "CheckFailed",
    "Closed",
    "ForkedLedger",
    "Internal",
    "InvalidInput",
    "LeadledgerError",
    "Refused",
    "StoreUnavailable",
    "StoreUnusable",
]


class LeadledgerError(Exception):
    """Anything that the ledger says no with. A wrong type of a value is a `TypeError` instead.

    Attributes:
        code: The permanent code, such as `insufficient_funds`.
        message: For people, in English; never holds a password or personal data.
        details: What the message says, by name; amounts are strings.
        transient: Whether the same call may succeed later, unchanged.
    """

    code: str
    message: str
    details: dict[str, Any]
    transient: bool

    def __init__(
        self,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        transient: bool = False,
    ) -> None:
        """With what it says."""
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.transient = transient

    def __str__(self) -> str:
        """The message, and the code."""
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles with everything that it says, and what was noted on it."""
        return (type(self), (self.code, self.message, self.details, self.transient), self.__dict__)


class Refused(LeadledgerError):
    """The rules refuse: an answer, and nothing changed.

    `REFUSALS` has every code that a command can be refused with, and what it says. Beside these, a subscription is
    refused with `cursor_moved`, and an import with `import_book_differs`.
    """


class InvalidInput(LeadledgerError, ValueError):
    """A value that could never be part of a command, an address or a setting."""


class StoreUnavailable(LeadledgerError):
    """The store cannot do its work now, or has no room.

    After the code `store_outcome_unknown` the command may be applied: send it again with the same key.
    """


class StoreUnusable(LeadledgerError):
    """The store is set up in a way that cannot keep this ledger, is somebody else's, or is damaged."""


class CheckFailed(LeadledgerError):
    """Books that do not agree with their journal; a proof that proves nothing."""


class Closed(LeadledgerError):
    """The ledger was closed."""


class ForkedLedger(Closed):
    """The ledger was opened before the process forked: open one in each process."""


class Internal(LeadledgerError):
    """A fault in the ledger itself."""
