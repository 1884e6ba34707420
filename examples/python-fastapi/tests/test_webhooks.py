"""Stripe's events: forged, stale, of the future, twice, at once, out of order, early and late."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.serving import (
    WEBHOOK_SECRET,
    Server,
    Shop,
    dispute_event,
    event_of,
    intent_event,
    refund_event,
    signed,
    signed_at,
    succeeded,
)


def outcome(answer: httpx.Response) -> tuple[int, str]:
    """What came of an event: the outcome, or the code of the error."""
    said = answer.json()
    return answer.status_code, said.get("outcome") or said["code"]


@pytest.fixture
def shop(server: Server) -> Shop:
    """A merchant with 5000.00 in the deposit."""
    return server.shop("5000.00")


def credited(shop: Shop, amount: str = "1000.00") -> Any:
    """A top-up that was paid."""
    top_up = shop.begin(amount)
    assert outcome(shop.server.stripe(succeeded(shop, top_up, amount))) == (200, "credited")
    return top_up


def test_forged_stale_and_future_events_change_nothing(server: Server, shop: Shop) -> None:
    top_up = shop.begin("1000.00")
    event = succeeded(shop, top_up, "1000.00")
    payload = json.dumps(event)
    other = json.dumps(succeeded(shop, top_up, "9000.00"))
    good = signed(payload)
    table: dict[str, str | None] = {
        "no signature": None,
        "an empty one": "",
        "nonsense": "nonsense",
        "only a time": f"t={int(time.time())}",
        "a signature of nothing": f"t={int(time.time())},v1=",
        "another secret's": signed(payload, secret="whsec_other"),
        "of an empty secret": signed(payload, secret=" "),
        "another scheme's": good.replace("v1=", "v0="),
        "another payload's": signed(other),
        "another time's": good.replace("t=", "t=1"),
        "no number": good.replace("t=", "t=x"),
        "letters that are not ASCII's": good + "é",
        "stale": signed(payload, late=-301),
        "of the future": signed(payload, late=301 + 60),
        "of a far future": signed_at(payload, WEBHOOK_SECRET, 10**15),
    }
    for what, header in table.items():
        assert outcome(server.stripe_raw(payload.encode(), header)) == (400, "invalid_signature"), what
    # The bytes count, not what they mean.
    assert outcome(server.stripe_raw(json.dumps(event, indent=1).encode(), good)) == (400, "invalid_signature")
    assert outcome(server.stripe_raw(b"\xff\xfe", good)) == (400, "invalid_signature")
    assert outcome(server.stripe_raw(b"x" * (1 << 21), good)) == (413, "body_too_large")
    assert shop.balance() == ("5000.00", "0.00", "5000.00")
    assert shop.top_up(top_up)["status"] == "pending"

    # While Stripe changes the secret there are two signatures, and any may be the one.
    rolling = good.replace(",v1=", ",v1=" + "0" * 64 + ",v1=")
    assert outcome(server.stripe_raw(payload.encode(), rolling)) == (200, "credited")
    assert outcome(server.stripe(event, late=-240)) == (200, "repeated")
    assert outcome(server.stripe(event, late=240)) == (200, "repeated")
    assert shop.balance() == ("6000.00", "0.00", "6000.00")


def test_an_event_counts_once_however_often_it_comes(server: Server, shop: Shop) -> None:
    top_up = shop.begin("1000.00")
    event = succeeded(shop, top_up, "1000.00")
    with ThreadPoolExecutor(20) as pool:
        answers = [outcome(answer) for answer in pool.map(server.stripe, [event] * 40)]
    assert sorted(answers) == [(200, "credited"), *[(200, "repeated")] * 39]
    # Another event about the same payment.
    assert outcome(server.stripe({**event, "id": "evt_other"})) == (200, "repeated")
    assert shop.balance() == ("6000.00", "0.00", "6000.00")
    assert shop.top_up(top_up)["receipt"].endswith("-000002")


def test_late_success_credits_after_failure_and_cancellation(server: Server, shop: Shop) -> None:
    for end, status in [("payment_failed", "failed"), ("canceled", "cancelled")]:
        top_up = shop.begin("500.00")
        event = intent_event(f"payment_intent.{end}", shop, top_up, "500.00", amount_received=0)
        assert outcome(server.stripe(event)) == (200, status)
        assert outcome(server.stripe(event)) == (200, f"already {status}")
        assert shop.top_up(top_up)["status"] == status
        assert outcome(server.stripe(succeeded(shop, top_up, "500.00"))) == (200, "credited")
        # Reordered: what happened before the success is told after it.
        assert outcome(server.stripe(event)) == (200, "already succeeded")
        assert shop.top_up(top_up)["status"] == "succeeded"
    assert shop.balance()[0] == "6000.00"


def test_early_events_are_asked_for_again(server: Server, shop: Shop) -> None:
    unknown = uuid4()
    for event in [
        succeeded(shop, unknown, "500.00"),
        intent_event("payment_intent.payment_failed", shop, unknown, "500.00"),
        refund_event("refund.created", unknown, "re_early", "500.00"),
        dispute_event("funds_withdrawn", unknown, "dp_early", "500.00"),
    ]:
        assert outcome(server.stripe(event)) == (409, "too_early"), event["type"]

    # A refund and a dispute that overtake the success: refused until it is there, then taken.
    top_up = shop.begin("1000.00")
    refund = refund_event("refund.created", top_up, f"re_{uuid4().hex}", "300.00")
    assert outcome(server.stripe(refund)) == (409, "too_early")
    assert outcome(server.stripe(succeeded(shop, top_up, "1000.00"))) == (200, "credited")
    assert outcome(server.stripe(refund)) == (200, "refunded")
    dispute = f"dp_{uuid4().hex}"
    won = dispute_event("funds_reinstated", top_up, dispute, "700.00")
    assert outcome(server.stripe(won)) == (409, "invalid_transition")
    assert outcome(server.stripe(dispute_event("funds_withdrawn", top_up, dispute, "700.00"))) == (200, "disputed")
    assert shop.balance()[0] == "5000.00"
    assert outcome(server.stripe(won)) == (200, "won")
    assert shop.balance()[0] == "5700.00"


def test_refunds_count_once_each(server: Server, shop: Shop) -> None:
    top_up = credited(shop, "1000.00")
    first, second = f"re_{uuid4().hex}", f"re_{uuid4().hex}"
    waiting = refund_event("refund.created", top_up, first, "400.00", status="pending")
    assert outcome(server.stripe(waiting)) == (200, "not yet: pending")
    done = refund_event("refund.updated", top_up, first, "400.00")
    with ThreadPoolExecutor(10) as pool:
        answers = [outcome(answer) for answer in pool.map(server.stripe, [done] * 10)]
    assert sorted(answers) == [(200, "refunded"), *[(200, "repeated")] * 9]
    assert shop.balance()[0] == "5600.00"
    too_much = refund_event("refund.created", top_up, second, "600.01")
    assert outcome(server.stripe(too_much)) == (409, "refund_exceeds")
    assert outcome(server.stripe(refund_event("refund.created", top_up, second, "600.00"))) == (200, "refunded")
    assert outcome(server.stripe(done)) == (200, "repeated"), "also when all of it is gone"
    failed = refund_event("refund.updated", top_up, f"re_{uuid4().hex}", "1.00", status="failed")
    assert outcome(server.stripe(failed)) == (200, "not yet: failed")
    found = shop.top_up(top_up)
    assert (found["status"], found["received"], found["refunded"]) == ("refunded", "1000.00", "1000.00")
    assert shop.balance()[0] == "5000.00"


def test_disputes_won_and_lost(server: Server, shop: Shop) -> None:
    top_up = credited(shop, "1000.00")
    dispute = f"dp_{uuid4().hex}"
    withdrawn = dispute_event("funds_withdrawn", top_up, dispute, "1000.00")
    assert outcome(server.stripe(withdrawn)) == (200, "disputed")
    assert outcome(server.stripe(withdrawn)) == (200, "repeated")
    assert (shop.top_up(top_up)["status"], shop.balance()[0]) == ("disputed", "5000.00")
    reinstated = dispute_event("funds_reinstated", top_up, dispute, "1000.00", status="won")
    assert outcome(server.stripe(reinstated)) == (200, "won")
    assert outcome(server.stripe(reinstated)) == (200, "repeated")
    assert outcome(server.stripe(dispute_event("closed", top_up, dispute, "1000.00", status="won"))) == (200, "ignored")
    assert (shop.top_up(top_up)["status"], shop.balance()[0]) == ("succeeded", "6000.00")

    other = credited(shop, "800.00")
    dispute = f"dp_{uuid4().hex}"
    lost = dispute_event("closed", other, dispute, "800.00", status="lost")
    assert outcome(server.stripe(lost)) == (409, "invalid_transition"), "before its withdrawal"
    assert outcome(server.stripe(dispute_event("funds_withdrawn", other, dispute, "800.00"))) == (200, "disputed")
    assert outcome(server.stripe(lost)) == (200, "lost")
    assert outcome(server.stripe(lost)) == (200, "repeated")
    assert (shop.top_up(other)["status"], shop.balance()[0]) == ("refunded", "6000.00")


def test_a_dispute_beyond_the_balance_is_a_debt_that_the_next_payment_pays(server: Server) -> None:
    shop, partner = server.shop(None), server.partner()
    top_up = credited(shop, "2000.00")
    for _ in range(10):
        lead = shop.new_lead(partner, "1000.00").json()["id"]
        assert shop.merchant.post(f"/api/leads/{lead}/validate", {}).status_code == 200
    assert shop.balance()[0] == "1200.00"
    withdrawn = dispute_event("funds_withdrawn", top_up, f"dp_{uuid4().hex}", "2000.00")
    assert outcome(server.stripe(withdrawn)) == (200, "disputed")
    card = shop.merchant.get("/api/leads/deposits/balance").json()
    assert (card["current_balance"], card["status"]) == ("0.00", "suspended")
    credited(shop, "1000.00")
    card = shop.merchant.get("/api/leads/deposits/balance").json()
    assert (card["current_balance"], card["status"]) == ("200.00", "active"), "800.00 of it paid the debt"


def test_what_was_received_is_credited_and_the_currency_must_fit(server: Server, shop: Shop) -> None:
    top_up = shop.begin("1000.00")
    euros = succeeded(shop, top_up, "1000.00", currency="eur")
    assert outcome(server.stripe(euros)) == (409, "currency_mismatch")
    assert shop.top_up(top_up)["status"] == "pending"
    less = succeeded(shop, top_up, "1000.00", amount_received=99_950)
    assert outcome(server.stripe(less)) == (200, "credited")
    assert shop.top_up(top_up)["received"] == "999.50"
    assert shop.balance()[0] == "5999.50"
    assert outcome(server.stripe(succeeded(shop, top_up, "1000.00"))) == (409, "amount_mismatch")
    # Another payment for the same top-up: not credited, and not hidden either.
    second = succeeded(shop, top_up, "1000.00", id=f"pi_{uuid4().hex}")
    assert outcome(server.stripe(second)) == (409, "invalid_transition")
    # The same payment for another top-up.
    third = succeeded(shop, shop.begin("1000.00"), "1000.00", id=f"pi_{top_up.hex}")
    assert outcome(server.stripe(third)) == (409, "reference_used")
    assert shop.balance()[0] == "5999.50"
    nothing = succeeded(shop, shop.begin("1000.00"), "1000.00", amount_received=0)
    assert outcome(server.stripe(nothing)) == (422, "invalid_amount")


def test_events_of_others_and_of_no_use(server: Server, shop: Shop) -> None:
    top_up = shop.begin("1000.00")
    event = succeeded(shop, top_up, "1000.00")
    intent = event["data"]["object"]
    other = event_of("customer.created", {"id": "cus_1", "object": "customer"})
    assert outcome(server.stripe(other)) == (200, "ignored")
    for metadata in ({}, {"type": "a shop's order"}):
        foreign = event_of("payment_intent.succeeded", {**intent, "metadata": metadata})
        assert outcome(server.stripe(foreign)) == (200, "ignored")
    for metadata in ({"type": "deposit_recharge"}, {**intent["metadata"], "top_up_id": "x"}):
        older = event_of("payment_intent.succeeded", {**intent, "metadata": metadata})
        assert outcome(server.stripe(older)) == (422, "payment_unknown")
    for broken in ({"id": 5}, {**intent, "amount_received": "100000"}, {**intent, "amount_received": True}):
        assert outcome(server.stripe(event_of("payment_intent.succeeded", broken))) == (422, "unexpected_event")
    rival = server.shop("2000.00")
    elsewhere = {**intent, "metadata": {**intent["metadata"], "merchant_id": str(rival.merchant.id)}}
    assert outcome(server.stripe(event_of("payment_intent.succeeded", elsewhere))) == (409, "too_early")
    assert shop.top_up(top_up)["status"] == "pending"
    assert rival.balance()[0] == "2000.00"
