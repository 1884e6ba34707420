"""Requests that are wrong, repeated, of somebody else, or many at once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import jwt
import pytest

from app.token import issue
from tests.serving import JWT_SECRET, Account, Server, Shop, lead_body


@pytest.fixture(scope="module")
def shop(server: Server) -> Shop:
    """A merchant with money."""
    return server.shop("5000.00")


def code_of(server: Server, token: str | None, path: str = "/api/leads/deposits/balance") -> tuple[int, str]:
    headers = {} if token is None else {"Authorization": token}
    answer = server.http.get(path, headers=headers)
    return answer.status_code, answer.json()["code"]


def test_only_a_token_of_ours_is_somebody(server: Server) -> None:
    merchant = str(uuid4())
    claims: dict[str, Any] = {
        "sub": merchant,
        "aud": "authenticated",
        "exp": int(time.time()) + 60,
        "app_metadata": {"role": "merchant"},
    }

    def signed(secret: str = JWT_SECRET, algorithm: str = "HS256", **other: Any) -> str:
        changed = {name: value for name, value in {**claims, **other}.items() if value is not None}
        return "Bearer " + jwt.encode(changed, secret, algorithm=algorithm)

    assert server.http.get("/api/leads/deposits/balance", headers={"Authorization": signed()}).status_code == 200
    unsigned = "Bearer " + jwt.encode(claims, None, algorithm="none")
    table: list[tuple[str | None, int, str]] = [
        (None, 401, "token_missing"),
        ("Basic abc", 401, "token_missing"),
        ("Bearer", 401, "token_missing"),
        ("Bearer x.y.z", 401, "invalid_token"),
        ("Bearer " + "a" * 9000, 401, "invalid_token"),
        (unsigned, 401, "invalid_token"),
        (signed(secret="another secret that has also 32 bytes"), 401, "invalid_token"),
        (signed(algorithm="HS512"), 401, "invalid_token"),
        (signed(exp=int(time.time()) - 60), 401, "token_expired"),
        (signed(exp=None), 401, "invalid_token"),
        (signed(aud="anon"), 401, "invalid_token"),
        (signed(app_metadata=None, user_metadata={"role": "merchant"}), 403, "forbidden"),
        (signed(app_metadata={"role": "admin"}), 403, "forbidden"),
        (signed(sub="not a uuid"), 403, "forbidden"),
        ("Bearer " + issue(JWT_SECRET, "partner", uuid4()), 403, "forbidden"),
    ]
    for token, status, code in table:
        assert code_of(server, token) == (status, code), token
    refused = server.http.get("/api/leads/deposits/balance")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_merchant_id_of_the_metadata_goes_before_the_user(server: Server, shop: Shop) -> None:
    claims: dict[str, Any] = {
        "sub": str(uuid4()),
        "aud": "authenticated",
        "exp": int(time.time()) + 60,
        "app_metadata": {"role": "merchant", "merchant_id": str(shop.merchant.id)},
    }
    colleague = Account(server.http, shop.merchant.id, jwt.encode(claims, JWT_SECRET, algorithm="HS256"))
    assert colleague.get("/api/leads/deposits/balance").json()["deposit_id"] is not None


def test_nobody_reaches_into_anothers_book(server: Server, shop: Shop) -> None:
    partner, stranger, rival = server.partner(), server.merchant(), server.partner()
    lead = shop.new_lead(partner).json()["id"]
    deposit = shop.merchant.get("/api/leads/deposits/balance").json()["deposit_id"]
    top_up = shop.begin("500.00")
    for path, body in [(f"/api/leads/{lead}/validate", {}), (f"/api/leads/{lead}/reject", {"reason": "no"})]:
        answer = stranger.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "lead_not_found")
        assert partner.post(path, body).status_code == 403
    assert stranger.get("/api/leads/deposits/history", deposit_id=deposit).json()["code"] == "deposit_not_found"
    assert stranger.get(f"/api/leads/deposits/recharge/{top_up}").json()["code"] == "top_up_not_found"
    payment = {"amount": "500.00", "campaign_id": str(shop.campaign)}
    assert stranger.post("/api/leads/deposits/recharge", payment).json()["code"] == "campaign_not_found"
    assert stranger.get("/api/leads/my-leads").json() == {"leads": [], "next": None}
    assert rival.get("/api/leads/my-leads").json() == {"leads": [], "next": None}
    # Nor do two partners see each other's leads with the same merchant.
    own = shop.new_lead(rival).json()["id"]
    assert [found["id"] for found in rival.get("/api/leads/my-leads").json()["leads"]] == [own]
    assert rival.get("/api/leads/stats").json()["figures"]["currencies"][0]["leads"]["generated"] == 1
    named = {**lead_body(shop.campaign), "merchant_id": str(stranger.id)}
    assert partner.post("/api/leads", named).json()["code"] == "invalid_request", (
        "a body has no say in whose book it is"
    )


BAD_AMOUNTS: list[object] = [
    600,
    600.0,
    True,
    None,
    "",
    " 600",
    "6e2",
    "1e400",
    "NaN",
    "Infinity",
    "١٢",
    "600,00",
    "9" * 100,
    ["600"],
    {"amount": "600"},
]


@pytest.mark.parametrize("value", BAD_AMOUNTS, ids=repr)
def test_an_amount_is_a_plain_string(server: Server, shop: Shop, value: object) -> None:
    partner = server.partner()
    for who, path, body in [
        (partner, "/api/leads/preview-commission", {"estimated_value": value}),
        (partner, "/api/leads", lead_body(shop.campaign, value)),
        (shop.merchant, "/api/leads/deposits/recharge", {"amount": value}),
    ]:
        answer = who.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), path


def test_bad_requests_are_refused_in_one_shape(server: Server, shop: Shop) -> None:
    partner, lead = server.partner(), shop.new_lead(server.partner()).json()["id"]
    create = lead_body(shop.campaign)
    validate = f"/api/leads/{lead}/validate"
    table: list[tuple[Account, str, object, int, str]] = [
        (partner, "/api/leads", {**create, "estimated_value": "49.99"}, 422, "value_below_minimum"),
        (partner, "/api/leads", {**create, "estimated_value": "60.001"}, 422, "amount_precision"),
        (partner, "/api/leads", {**create, "estimated_value": "-5"}, 422, "invalid_amount"),
        (partner, "/api/leads", {**create, "estimated_value": "9" * 20}, 422, "amount_too_large"),
        (partner, "/api/leads", {**create, "campaign_id": str(uuid4())}, 404, "campaign_not_found"),
        (partner, "/api/leads", {**create, "campaign_id": "x"}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "source": "carrier pigeon"}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "customer_name": ""}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "customer_name": "x" * 300}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "customer_name": 5}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "customer_notes": "x" * 10_000_000}, 422, "invalid_request"),
        (partner, "/api/leads", {**create, "surprise": 1}, 422, "invalid_request"),
        (partner, "/api/leads", [], 422, "invalid_request"),
        (shop.merchant, validate, {"quality_score": 11}, 422, "invalid_score"),
        (shop.merchant, validate, {"quality_score": True}, 422, "invalid_request"),
        (shop.merchant, validate, {"quality_score": 7.5}, 422, "invalid_request"),
        (shop.merchant, f"/api/leads/{lead}/reject", {"reason": " "}, 422, "reason_required"),
        (shop.merchant, "/api/leads/deposits/recharge", {"amount": "99.99"}, 422, "below_minimum"),
        (
            shop.merchant,
            "/api/leads/deposits/recharge",
            {"amount": "500.00", "payment_method": "manual"},
            422,
            "invalid_request",
        ),
    ]
    for who, path, body, status, code in table:
        answer = who.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body, answer.text)
        assert set(answer.json()) == {"code", "message", "details"}
    values = [b"NaN", b"Infinity", b'"\\ud800"', b'"\\u0000"', b"1e400", b"[" * 100_000]
    raw = [b"", b"{", b"\xff\xfe", *(b'{"estimated_value": ' + value + b"}" for value in values)]
    for content in raw:
        headers = {"Authorization": f"Bearer {partner.token}", "Content-Type": "application/json"}
        answer = server.http.post("/api/leads/preview-commission", content=content, headers=headers)
        assert answer.status_code in (400, 422), content
        assert set(answer.json()) == {"code", "message", "details"}
    assert (server.http.get("/api/nothing").status_code, server.http.get("/api/nothing").json()["code"]) == (
        404,
        "no_such_path",
    )
    assert server.http.put("/api/leads").json()["code"] == "no_such_method"


def test_texts_that_no_store_takes(server: Server, shop: Shop) -> None:
    partner = server.partner()
    headers = {"Authorization": f"Bearer {partner.token}", "Content-Type": "application/json"}
    for name in ("a\x00b", "\ud800"):
        body = json.dumps({**lead_body(shop.campaign), "customer_name": name})
        answer = server.http.post("/api/leads", content=body.encode(), headers=headers)
        assert answer.status_code == 422, answer.text


def test_a_fault_says_where_and_repeats_nothing(server: Server, shop: Shop) -> None:
    secret = "somebody@example.com" * 20
    answer = server.partner().post("/api/leads", {**lead_body(shop.campaign), "customer_email": secret})
    assert answer.json()["details"]["faults"][0]["at"] == "body.customer_email"
    assert "somebody" not in answer.text


def test_a_key_makes_a_request_count_once(server: Server) -> None:
    shop, partner, other = server.shop("5000.00"), server.partner(), server.partner()
    first = shop.new_lead(partner, key="form-1")
    again = shop.new_lead(partner, key="form-1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    changed = shop.new_lead(partner, "700.00", key="form-1")
    assert (changed.status_code, changed.json()["code"]) == (409, "idempotency_mismatch")
    # A key is its caller's own: another's is another one, though both write in one book.
    theirs = shop.new_lead(other, "700.00", key="form-1")
    assert theirs.status_code == 201, theirs.text
    assert shop.balance() == ("5000.00", "130.00", "4870.00")
    assert shop.new_lead(partner, key="k" * 200).status_code == 422


def test_refusals_have_their_details(server: Server) -> None:
    empty, partner = server.merchant(), server.partner()
    campaign = empty.post("/api/campaigns", {}).json()["id"]
    refused = partner.post("/api/leads", {**lead_body(uuid4()), "campaign_id": campaign})
    assert (refused.status_code, refused.json()["code"]) == (402, "no_active_deposit")

    shop = server.shop("2000.00", minimum_quality=5)
    for _ in range(25):
        assert shop.new_lead(partner, "900.00").status_code == 201
    refused = shop.new_lead(partner, "900.00")
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_funds")
    assert refused.json()["details"] == {"available": "0.00", "required": "80.00"}
    lead = shop.merchant.get("/api/leads/my-leads", limit=1).json()["leads"][0]["id"]
    for body, code in [({}, "quality_required"), ({"quality_score": 4}, "quality_below_minimum")]:
        answer = shop.merchant.post(f"/api/leads/{lead}/validate", body)
        assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (422, code, {"minimum": "5"})
    assert shop.merchant.post(f"/api/leads/{lead}/reject", {"reason": "Injoignable"}).status_code == 200
    twice = shop.merchant.post(f"/api/leads/{lead}/reject", {"reason": "Injoignable"})
    assert (twice.status_code, twice.json()["details"]) == (409, {"from": "rejected", "to": "rejected"})


def test_a_merchant_who_never_paid_sees_nothing_and_what_to_pay(server: Server) -> None:
    merchant = server.merchant()
    card = merchant.get("/api/leads/deposits/balance").json()
    assert (card["status"], card["current_balance"]) == ("none", "0.00")
    assert card["presets"] == ["2000.00", "5000.00", "10000.00"]
    assert merchant.get("/api/leads/deposits/history").json() == {"deposit_id": None, "movements": [], "next": None}
    assert merchant.get("/api/leads/stats").json()["figures"]["currencies"] == []


def test_lists_go_on_page_by_page(server: Server) -> None:
    shops, partner = [server.shop("2000.00"), server.shop("2000.00")], server.partner()
    brought = [shop.new_lead(partner).json()["id"] for shop in shops for _ in range(3)]
    for account, expected in [(partner, set(brought)), (shops[0].merchant, set(brought[:3]))]:
        found: list[str] = []
        after: str | None = None
        while True:
            page = account.get("/api/leads/my-leads", limit=2, **({} if after is None else {"after": after})).json()
            assert len(page["leads"]) <= 2
            found += [lead["id"] for lead in page["leads"]]
            after = page["next"]
            if after is None:
                break
        assert len(found) == len(set(found))
        assert set(found) == expected
    only = partner.get("/api/leads/my-leads", campaign_id=shops[1].campaign).json()["leads"]
    assert {lead["id"] for lead in only} == set(brought[3:])
    for cursor in ("x", "7~", "-1~", "0", "²~", "0~nonsense"):
        assert partner.get("/api/leads/my-leads", after=cursor).status_code == 422, cursor


def test_fifty_at_once_never_take_more_than_there_is(server: Server) -> None:
    shop, partner = server.shop("2000.00"), server.partner()
    # 2000.00 covers 25 commissions of 80.00.
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(shop.new_lead, [partner] * 50, ["1000.00"] * 50))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * 25 + [402] * 25
    assert shop.balance() == ("2000.00", "2000.00", "0.00")
    leads = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(set(leads)) == 25

    # Everybody decides on everything at once: each lead ends one way.
    def decide(number: int) -> int:
        lead = leads[number % 25]
        if number < 25:
            return shop.merchant.post(f"/api/leads/{lead}/validate", {}).status_code
        return shop.merchant.post(f"/api/leads/{lead}/reject", {"reason": "trop tard"}).status_code

    with ThreadPoolExecutor(50) as pool:
        decided = list(pool.map(decide, range(50)))
    assert sorted(decided) == [200] * 25 + [409] * 25
    validated = decided[:25].count(200)
    balance = f"{2000 - 80 * validated}.00"
    assert shop.balance() == (balance, "0.00", balance)


def test_previews_know_the_campaign(server: Server, shop: Shop) -> None:
    for who in (shop.merchant, server.partner()):
        body = {"estimated_value": "2500.00", "campaign_id": str(shop.campaign)}
        preview = who.post("/api/leads/preview-commission", body).json()
        assert (preview["commission_type"], preview["commission_amount"]) == ("fixed", "80.00")
        low = who.post("/api/leads/preview-commission", {**body, "estimated_value": "10.00"})
        assert (low.status_code, low.json()["code"]) == (422, "value_below_minimum")
        body["campaign_id"] = str(uuid4())
        assert who.post("/api/leads/preview-commission", body).json()["code"] == "campaign_not_found"
