"""A backend of a prepaid lead marketplace: FastAPI over an `AsyncLedger`."""

from __future__ import annotations
