"""leadledger: an embeddable double-entry ledger for prepaid lead marketplaces.

Merchants prepay deposits; each lead that a partner brings reserves a commission; the merchant validates it (the
commission is captured and split between partner and platform), rejects it, or lets it expire.

`Ledger` is for threads, `AsyncLedger` for asyncio; both have every command, read and figure under the same names.

>>> import leadledger
>>> leadledger.preview_commission("600.00").partner_part
Decimal('18.00')
"""

from __future__ import annotations

from . import _errors, _functions, _native, _records, events
from ._base import UNSET, Amount, Done, Id, Record, Unset
from ._errors import *
from ._functions import *
from ._ledger import AsyncLedger, AsyncSubscription, AsyncWatch, Ledger, Opening, Subscription, Watch
from ._native import ManualClock, __version__
from ._records import *
from .events import Event

__all__ = [
    "UNSET",
    "Amount",
    "AsyncLedger",
    "AsyncSubscription",
    "AsyncWatch",
    "Done",
    "Event",
    "Id",
    "Ledger",
    "ManualClock",
    "Opening",
    "Record",
    "Subscription",
    "Unset",
    "Watch",
    "__version__",
    "events",
]
__all__ += _errors.__all__
__all__ += _functions.__all__
__all__ += _records.__all__

_native.register(
    {**_records.CLASSES, "Done": Done},
    dict(events.CLASSES),
    {name: getattr(_errors, name) for name in _errors.__all__},
    UNSET,
)
