"""Memory after a hundred thousand calls: what one call leaves behind, a hundred thousand make visible."""

from __future__ import annotations

import pytest

import leaks
from ground import child, finished

CALLS = 100_000

ALLOWED_BYTES = 3 << 20
"""About 31 bytes a call: less than the smallest Python object that could be left behind."""


@pytest.mark.parametrize("what", [*leaks.BLOCKING, *leaks.AWAITED])
def test_memory_does_not_grow(what: str) -> None:
    """Measured in a process of its own, after a tenth of the calls to warm up."""
    code, output, errors = finished(child("grows", what, str(CALLS)), 300.0)
    assert code == 0, errors
    grown = int(output)
    assert grown <= ALLOWED_BYTES, f"{what}: {grown} bytes over {CALLS} calls, {grown / CALLS:.1f} each"
