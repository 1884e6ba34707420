"""The application, tried from outside: real servers over HTTP and WebSocket."""

from __future__ import annotations
