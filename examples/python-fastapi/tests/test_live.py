"""The balance over a WebSocket: at connect, at each change, for several clients, until the end."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any
from uuid import uuid4

import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.token import issue
from tests.serving import GENEROUS_SECONDS, JWT_SECRET, Server, Shop, serving, succeeded


@contextmanager
def opened(server: Server, first: object) -> Generator[ClientConnection, None, None]:
    """A connection that has sent its first message."""
    with connect(server.live, open_timeout=GENEROUS_SECONDS) as socket:
        socket.send(first if isinstance(first, (str, bytes)) else json.dumps(first))
        yield socket


def told(socket: ClientConnection) -> tuple[str, str, str]:
    """The next balance."""
    card: dict[str, Any] = json.loads(socket.recv(GENEROUS_SECONDS))
    return card["current_balance"], card["reserved_amount"], card["available_balance"]


def test_every_client_is_told_of_every_change(server: Server) -> None:
    shop, partner = server.shop("5000.00"), server.partner()
    greeting = {"token": shop.merchant.token}
    with opened(server, greeting) as one, opened(server, greeting) as two:
        for socket in (one, two):
            assert told(socket) == ("5000.00", "0.00", "5000.00")
        lead = shop.new_lead(partner).json()["id"]
        for socket in (one, two):
            assert told(socket) == ("5000.00", "60.00", "4940.00")
        two.close()
        shop.merchant.post(f"/api/leads/{lead}/validate", {"quality_score": 8})
        assert told(one) == ("4940.00", "0.00", "4940.00")
        with opened(server, greeting) as three:
            assert told(three) == ("4940.00", "0.00", "4940.00")
        server.stripe(succeeded(shop, shop.begin("1000.00"), "1000.00"))
        assert told(one) == ("5940.00", "0.00", "5940.00")


def test_the_message_is_the_balance_of_the_endpoint(server: Server) -> None:
    shop = server.shop("5000.00")
    with opened(server, {"token": shop.merchant.token, "campaign_id": str(shop.campaign)}) as socket:
        card = json.loads(socket.recv(GENEROUS_SECONDS))
    assert card == shop.merchant.get("/api/leads/deposits/balance", campaign_id=shop.campaign).json()


def test_a_merchant_who_has_not_paid_is_told_when_it_has(server: Server) -> None:
    merchant = server.merchant()
    with opened(server, {"token": merchant.token}) as socket:
        card = json.loads(socket.recv(GENEROUS_SECONDS))
        assert (card["status"], card["current_balance"]) == ("none", "0.00")
        shop = Shop(server, merchant, uuid4())
        server.stripe(succeeded(shop, shop.begin("2000.00"), "2000.00"))
        assert told(socket) == ("2000.00", "0.00", "2000.00")


def test_others_are_not_told(server: Server) -> None:
    shop, other = server.shop("5000.00"), server.shop("2000.00")
    with opened(server, {"token": other.merchant.token}) as socket:
        assert told(socket)[0] == "2000.00"
        shop.new_lead(server.partner())
        other.new_lead(server.partner())
        # The next that comes is of its own book.
        assert told(socket) == ("2000.00", "60.00", "1940.00")


@pytest.mark.parametrize(
    ("first", "code", "reason"),
    [
        ("nonsense", 4422, "the first message is not a token"),
        (b"\x00", 4422, "the first message is not a token"),
        ({}, 4422, "the first message is not a token"),
        ({"token": 5}, 4422, "the first message is not a token"),
        ({"token": "a" * 9000}, 4422, "the first message is not a token"),
        ({"token": "x.y.z"}, 4401, "invalid_token"),
        ({"token": issue(JWT_SECRET, "merchant", uuid4(), seconds=-5)}, 4401, "token_expired"),
        ({"token": issue(JWT_SECRET, "partner", uuid4())}, 4403, "forbidden"),
    ],
)
def test_who_is_nobody_is_sent_away(server: Server, first: object, code: int, reason: str) -> None:
    with opened(server, first) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(GENEROUS_SECONDS)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)


def test_a_connection_ends_with_its_token(server: Server) -> None:
    now = int(time.time())
    claims = {"sub": str(uuid4()), "aud": "authenticated", "exp": now + 3, "app_metadata": {"role": "merchant"}}
    with opened(server, {"token": jwt.encode(claims, JWT_SECRET, algorithm="HS256")}) as socket:
        assert told(socket)[0] == "0.00"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(GENEROUS_SECONDS)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "token_expired")


def test_clients_that_vanish_leave_nothing_behind(server: Server) -> None:
    shop = server.shop("5000.00")
    for number in range(20):
        with opened(server, {"token": shop.merchant.token}) as socket:
            if number % 2:
                told(socket)
            # No closing handshake: as when a train enters a tunnel.
            socket.socket.shutdown(SHUT_RDWR)
    with opened(server, {"token": shop.merchant.token}) as socket:
        assert told(socket)[0] == "5000.00"
        shop.new_lead(server.partner())
        assert told(socket)[1] == "60.00"


def test_the_server_stops_while_clients_are_connected(store: str, tmp_path: Path) -> None:
    with serving(tmp_path, store, APP_JOBS="on") as server, ExitStack() as stack:
        shop = server.shop("5000.00")
        sockets = [stack.enter_context(opened(server, {"token": shop.merchant.token})) for _ in range(5)]
        for socket in sockets:
            told(socket)
        server.stop()
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(GENEROUS_SECONDS)
            # "Going away" or "service restart".
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in (1001, 1012)
        said = server.log.read_text()
        assert "Application shutdown complete" in said
        assert "Traceback" not in said, said
    # The book is whole, and serves again.
    with serving(tmp_path, store, APP_JOBS="off") as server:
        card = server.http.get(
            "/api/leads/deposits/balance", headers={"Authorization": f"Bearer {shop.merchant.token}"}
        ).json()
        assert card["current_balance"] == "5000.00"
