"""The worked example, end to end: by the script with curl, and by a client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.serving import GENEROUS_SECONDS, JWT_SECRET, ROOT, WEBHOOK_SECRET, Server, succeeded


def test_five_thousand_in_sixty_reserved_then_captured_eighteen_to_the_partner(server: Server) -> None:
    shop, partner = server.shop("5000.00"), server.partner()
    assert shop.balance() == ("5000.00", "0.00", "5000.00")

    preview = partner.post("/api/leads/preview-commission", {"estimated_value": "600.00"}).json()
    assert preview == {
        "commission_type": "percentage",
        "commission_amount": "60.00",
        "partner_part": "18.00",
        "platform_part": "42.00",
    }

    created = shop.new_lead(partner, "600.00")
    assert created.status_code == 201, created.text
    assert (created.json()["commission_amount"], created.json()["partner_part"]) == ("60.00", "18.00")
    assert shop.balance() == ("5000.00", "60.00", "4940.00")

    [waiting] = shop.merchant.get("/api/leads/my-leads", status="pending").json()["leads"]
    assert waiting["customer_name"] == "Mohamed Bennani"
    assert (waiting["commission_amount"], waiting["review_priority"]) == ("60.00", "low")

    done = shop.merchant.post(f"/api/leads/{waiting['id']}/validate", {"quality_score": 8, "feedback": "Sérieux"})
    assert done.json() == {"id": waiting["id"], "status": "validated"}
    assert shop.balance() == ("4940.00", "0.00", "4940.00")

    [earned] = partner.get("/api/leads/stats").json()["figures"]["currencies"]
    assert (earned["earned"], earned["payable"]) == ("18.00", "18.00")
    [brought] = partner.get("/api/leads/my-leads").json()["leads"]
    assert (brought["status"], brought["quality_score"], brought["feedback"]) == ("validated", 8, "Sérieux")

    [figures] = shop.merchant.get("/api/leads/stats").json()["figures"]["currencies"]
    assert figures["money"]["paid"] == "60.00"
    assert (figures["leads"]["ever_validated"], figures["leads"]["validation_rate"]) == (1, "1.0000")

    history = shop.merchant.get("/api/leads/deposits/history").json()
    assert [(line["amount"], line["balance_after"]) for line in history["movements"]] == [
        ("-60.00", "4940.00"),
        ("5000.00", "5000.00"),
    ]
    assert history["movements"][0]["lead_id"] == waiting["id"]


def test_down_to_nothing_and_back(server: Server) -> None:
    shop, partner = server.shop("2000.00"), server.partner()
    for _ in range(25):
        lead = shop.new_lead(partner, "800.00")
        assert lead.status_code == 201, lead.text
        assert shop.merchant.post(f"/api/leads/{lead.json()['id']}/validate", {}).status_code == 200
    card = shop.merchant.get("/api/leads/deposits/balance").json()
    assert (card["current_balance"], card["alert_level"], card["alert_label"]) == ("0.00", "depleted", "Épuisé")
    assert card["paused_campaigns"] == [str(shop.campaign)]

    refused = shop.new_lead(partner, "800.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_paused")

    top_up = shop.begin("2000.00")
    assert server.stripe(succeeded(shop, top_up, "2000.00")).status_code == 200
    assert shop.new_lead(partner, "800.00").status_code == 201, "money resumes what depletion paused"


def test_the_script_tells_the_story(server: Server) -> None:
    for tool in ("bash", "curl", "openssl"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is needed to run story.sh")
    told = subprocess.run(
        ["bash", "story.sh"],
        cwd=ROOT,
        env={
            **os.environ,
            "BASE": server.base,
            "PYTHON": sys.executable,
            "APP_JWT_SECRET": JWT_SECRET,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        },
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS * 3,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    print(told.stdout)
    statuses = re.findall(r"^< (\d{3})", told.stdout, re.MULTILINE)
    assert statuses == [*["201"] * 2, *["200"] * 3, "201", *["200"] * 7, "400", "409", "200"], told.stdout
    for said in ('"partner_part":"18.00"', '"reserved_amount":"60.00"', '"outcome":"repeated"', "invalid_transition"):
        assert said in told.stdout
    balances = re.findall(r'"current_balance":"([0-9.]+)"', told.stdout)
    assert balances == ["5000.00", "5000.00", "4940.00"]
