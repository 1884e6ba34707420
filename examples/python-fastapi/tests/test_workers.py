"""Several processes on one ledger: gunicorn with two workers, each of which opens the ledger after the fork."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect

from tests.serving import GENEROUS_SECONDS, GUNICORN, serving, succeeded


def test_two_workers_of_gunicorn_keep_one_book(store: str, tmp_path: Path) -> None:
    tried(store, tmp_path)


def test_they_do_so_through_a_transaction_pooler(pooled_url: str, tmp_path: Path) -> None:
    tried(pooled_url, tmp_path)


def tried(url: str, tmp_path: Path) -> None:
    """Leads, payments and followers at once, whichever worker each of them meets."""
    with serving(tmp_path, url, GUNICORN, APP_JOBS="on", APP_ALERTS_EVERY_SECONDS="1") as server:
        shop, partner = server.shop("2000.00"), server.partner()
        with ExitStack() as stack:
            sockets = [stack.enter_context(connect(server.live, open_timeout=GENEROUS_SECONDS)) for _ in range(6)]
            for socket in sockets:
                socket.send(json.dumps({"token": shop.merchant.token}))
                assert json.loads(socket.recv(GENEROUS_SECONDS))["current_balance"] == "2000.00"

            top_up = shop.begin("1000.00")
            event = succeeded(shop, top_up, "1000.00")

            def act(number: int) -> tuple[str, int]:
                if number % 5 == 0:
                    return "stripe", server.stripe(event).status_code
                return "lead", shop.new_lead(partner, "1000.00").status_code

            with ThreadPoolExecutor(25) as pool:
                done = list(pool.map(act, range(75)))
            assert {status for what, status in done if what == "stripe"} == {200}
            accepted = sum(1 for what, status in done if what == "lead" and status == 201)
            assert {status for what, status in done if what == "lead"} <= {201, 402}
            # 3000.00 covers 37 commissions of 80.00; the first ones may have come before the top-up.
            assert 25 <= accepted <= 37
            reserved = f"{80 * accepted}.00"
            balance, held, _ = shop.balance()
            assert (balance, held) == ("3000.00", reserved)

            # Whichever worker a client is with, it is told of what the other one did.
            for socket in sockets:
                card = {"current_balance": "", "reserved_amount": ""}
                while (card["current_balance"], card["reserved_amount"]) != ("3000.00", reserved):
                    card = json.loads(socket.recv(GENEROUS_SECONDS))
        assert server.stop() == 0
        said = server.log.read_text()
        assert len(set(re.findall(r"Booting worker with pid: (\d+)", said))) == 2, said
        assert "Traceback" not in said, said
