"""Top-ups through Stripe's own package against a stateful server, which sends its webhooks to the application."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from stripe import StripeClient

from tests.serving import GENEROUS_SECONDS, WEBHOOK_SECRET, Server, Shop, serving

KEY = "sk_test_of_the_tests"


@pytest.fixture(scope="module")
def paying(store: str, stripe_base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application, which asks that Stripe for payments."""
    folder = tmp_path_factory.mktemp("paying")
    with serving(folder, store, APP_JOBS="off", STRIPE_SECRET_KEY=KEY, STRIPE_API_BASE=stripe_base) as server:
        hook = {
            "url": f"{server.base}/webhooks/stripe",
            "secret": WEBHOOK_SECRET,
            "events": ["payment_intent.succeeded", "payment_intent.payment_failed"],
        }
        # As JSON, since its form of lists is another one.
        made = httpx.post(f"{stripe_base}/_config/webhooks/app", json=hook, timeout=GENEROUS_SECONDS)
        assert made.status_code == 200, made.text
        yield server
        assert "Traceback" not in server.log.read_text(), server.log.read_text()


def until(holds: Callable[[], bool]) -> None:
    """Waits for what another program does."""
    deadline = time.monotonic() + GENEROUS_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def pay(stripe_base: str, intent: str, number: str) -> None:
    """What the browser does with Stripe: a card, then the confirmation."""
    with httpx.Client(base_url=stripe_base, auth=(KEY, ""), timeout=GENEROUS_SECONDS) as http:
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        fields = {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
        method = http.post("/v1/payment_methods", data=fields)
        assert method.status_code == 200, method.text
        found = {"payment_method": method.json()["id"]}
        assert http.post(f"/v1/payment_intents/{intent}", data=found).status_code == 200
        http.post(f"/v1/payment_intents/{intent}/confirm")


def test_a_payment_from_the_button_to_the_balance(paying: Server, stripe_base: str) -> None:
    merchant = paying.merchant()
    shop = Shop(paying, merchant, uuid4())
    body = {"amount": "5000.00", "payment_method": "stripe"}
    begun = merchant.post("/api/leads/deposits/recharge", body, "pay-1").json()
    assert begun["client_secret"].startswith(begun["payment_intent_id"])
    # The request comes again, since its answer was lost: the same payment, not a second one.
    again = merchant.post("/api/leads/deposits/recharge", body, "pay-1").json()
    assert again == begun

    stripe = StripeClient(KEY, base_addresses={"api": stripe_base})
    intent = stripe.v1.payment_intents.retrieve(begun["payment_intent_id"])
    assert (intent.amount, intent.currency) == (500_000, "mad")
    assert intent.metadata.to_dict() == {
        "merchant_id": str(merchant.id),
        "top_up_id": begun["id"],
        "type": "deposit_recharge",
    }

    pay(stripe_base, intent.id, "4242424242424242")
    until(lambda: merchant.get(f"/api/leads/deposits/recharge/{begun['id']}").json()["status"] == "succeeded")
    assert shop.balance() == ("5000.00", "0.00", "5000.00")
    # And once more: there is nothing left to pay.
    paid = merchant.post("/api/leads/deposits/recharge", body, "pay-1").json()
    assert (paid["status"], paid["client_secret"]) == ("succeeded", None)


def test_requests_at_once_ask_for_one_payment(paying: Server) -> None:
    body = {"amount": "2000.00", "payment_method": "stripe"}
    paths, bodies, keys = ["/api/leads/deposits/recharge"] * 8, [body] * 8, ["pay-1"] * 8
    # Several times, as only some meet between the question and its answer.
    for _ in range(5):
        merchant = paying.merchant()
        with ThreadPoolExecutor(8) as pool:
            answers = [answer.json() for answer in pool.map(merchant.post, paths, bodies, keys)]
        assert len({(answer["id"], answer["payment_intent_id"]) for answer in answers}) == 1
        assert answers[0]["payment_intent_id"].startswith("pi_")


def test_a_card_that_is_declined(paying: Server, stripe_base: str) -> None:
    merchant = paying.merchant()
    begun = merchant.post("/api/leads/deposits/recharge", {"amount": "2000.00"}).json()
    pay(stripe_base, begun["payment_intent_id"], "4000000000000341")
    until(lambda: merchant.get(f"/api/leads/deposits/recharge/{begun['id']}").json()["status"] == "failed")
    assert merchant.get("/api/leads/deposits/balance").json()["status"] == "none"


def test_stripe_cannot_be_reached(store: str, tmp_path: Path) -> None:
    # Port 9 is where nobody listens.
    nowhere = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": "http://127.0.0.1:9"}
    with serving(tmp_path, store, APP_JOBS="off", **nowhere) as server:
        merchant = server.merchant()
        for _ in range(2):
            answer = merchant.post("/api/leads/deposits/recharge", {"amount": "2000.00"}, "pay-1")
            assert (answer.status_code, answer.json()["code"]) == (502, "payment_provider_failed")
            assert json.loads(answer.text)["details"] == {}
