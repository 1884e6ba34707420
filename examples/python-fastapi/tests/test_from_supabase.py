"""The guide for the existing backend (`docs/from-supabase.md`): its Python and SQL are run, in the page's order."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import FunctionType
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from stripe import StripeClient
from stripe.params import PaymentIntentCreateParams

import leadledger
from app.token import issue
from tests.conftest import POSTGRES, with_database
from tests.serving import JWT_SECRET, Account, Server, lead_body, serving

REPOSITORY = Path(__file__).resolve().parents[3]
GUIDE = REPOSITORY / "docs" / "from-supabase.md"
CLI = os.environ.get("LEADLEDGER_CLI") or str(
    Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "debug" / "leadledger"
)

pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="the example stands alone, without the guide")


def blocks(language: str) -> list[str]:
    """The guide's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_python_of_the_guide_runs(store: str, stripe_base: str) -> None:
    parts = blocks("python")
    assert len(parts) == 8, "a block was added or taken away: is it still run in the right order?"
    names: dict[str, Any] = {"url": store, "__name__": "guide"}

    async def run() -> None:
        try:
            for number, block in enumerate(parts):
                # Blocks await, as in the body of an async function; the page shows them without one.
                name = f"{GUIDE.name}, Python block {number + 1}"
                code = compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                outcome = FunctionType(code, names)()
                if inspect.iscoroutine(outcome):
                    await outcome
            await adopted(names, stripe_base)
        finally:
            if "ledger" in names:
                await names["ledger"].close()

    asyncio.run(run())
    # 7000.00 paid in against 60.00 spent leave it healthy: nothing to send, and nothing was.
    assert [entry for entry in names["to_send"] if str(names["merchant"]) in entry[0]] == []


async def adopted(names: dict[str, Any], stripe_base: str) -> None:
    """Runs `adopt` twice against the stand-in for Stripe."""
    stripe = StripeClient("sk_test_of_the_guide", base_addresses={"api": stripe_base})
    intents = stripe.v1.payment_intents
    begun = {"amount": 150_050, "currency": "mad", "metadata": {"merchant_id": "x"}}
    intent = await asyncio.to_thread(lambda: intents.create(cast(PaymentIntentCreateParams, begun)))
    row = {"payment_intent_id": intent.id, "merchant_id": str(names["merchant"]), "amount": 1500.5}
    for _ in range(2):
        await names["adopt"]([row], stripe)
    found = await asyncio.to_thread(lambda: intents.retrieve(intent.id))
    metadata = found.metadata.to_dict()
    assert (metadata["merchant_id"], metadata["type"]) == (str(names["merchant"]), "deposit_recharge")
    ledger: leadledger.AsyncLedger = names["ledger"]
    top_up = await ledger.top_up_state(names["merchant"], UUID(metadata["top_up_id"]))
    assert top_up is not None
    assert (top_up.amount, top_up.reference, top_up.status) == (Decimal("1500.50"), intent.id, "pending")


OLD_TABLES = """
CREATE TABLE public.company_deposits (id uuid, merchant_id uuid, campaign_id uuid, initial_amount numeric(10,2),
    current_balance numeric(10,2), reserved_amount numeric(10,2), alert_threshold numeric(10,2) DEFAULT 500,
    auto_recharge boolean, auto_recharge_amount numeric(10,2), status text, depleted_at timestamp,
    last_alert_sent timestamp, created_at timestamp);
CREATE TABLE public.deposit_transactions (id uuid, deposit_id uuid, merchant_id uuid, lead_id uuid,
    transaction_type text, amount numeric(10,2), balance_before numeric(10,2), balance_after numeric(10,2),
    payment_method text, payment_reference text, created_at timestamp);
CREATE TABLE public.leads (id uuid, campaign_id uuid, influencer_id uuid, commercial_id uuid, merchant_id uuid,
    product_id uuid, customer_name text, customer_email text, customer_phone text, customer_company text,
    customer_notes text, source text, estimated_value numeric(10,2), commission_amount numeric(10,2),
    commission_type text, influencer_percentage numeric(5,2), influencer_commission numeric(10,2), status text,
    quality_score integer, rejection_reason text, validated_at timestamp, conversion_date timestamp,
    created_at timestamp);
CREATE TABLE public.influencer_agreements (id uuid, merchant_id uuid, influencer_id uuid, commercial_id uuid,
    campaign_id uuid, commission_percentage numeric(5,2), payment_delay_days integer DEFAULT 14, status text);
CREATE TABLE public.campaign_settings (campaign_id uuid, merchant_id uuid, lead_generation_enabled boolean,
    auto_stop_on_depletion boolean, percentage_commission_rate numeric(5,2) DEFAULT 10.00,
    fixed_commission_amount numeric(10,2) DEFAULT 80.00, commission_threshold numeric(10,2) DEFAULT 800.00,
    validation_timeout_hours integer DEFAULT 72, auto_validate_after_timeout boolean,
    minimum_quality_score integer DEFAULT 5);
GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, authenticated, service_role;
"""


class Old:
    """A database as the existing backend leaves it: a merchant with a deposit, a lead that waits, one that is paid."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.merchant, self.campaign, self.partner = uuid4(), uuid4(), uuid4()
        self.deposit, self.pending, self.overdue = uuid4(), uuid4(), uuid4()

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs SQL as the owner; the rows of the last query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Without values it may be several statements, as on the page.
            cursor = connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def fill(self) -> None:
        """The rows."""
        self.run(OLD_TABLES)
        self.run(
            "INSERT INTO public.campaign_settings (campaign_id, merchant_id, lead_generation_enabled)"
            " VALUES (%s, %s, true)",
            *(self.campaign, self.merchant),
        )
        self.run(
            "INSERT INTO public.company_deposits (id, merchant_id, initial_amount, current_balance, reserved_amount,"
            " status, created_at) VALUES (%s, %s, 5000, 4940, 60, 'active', now() - interval '9 days')",
            *(self.deposit, self.merchant),
        )
        for lead, value, status, days in [
            (self.pending, Decimal(600), "pending", 1),
            (self.overdue, Decimal(500), "pending", 8),
            (uuid4(), Decimal(600), "validated", 5),
        ]:
            created = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=days)
            self.run(
                "INSERT INTO public.leads (id, campaign_id, influencer_id, merchant_id, customer_name, source,"
                " estimated_value, commission_amount, commission_type, influencer_percentage, influencer_commission,"
                " status, validated_at, created_at)"
                " VALUES (%s, %s, %s, %s, 'Client', 'tiktok', %s, %s, 'percentage', 30, %s, %s, %s, %s)",
                *(lead, self.campaign, self.partner, self.merchant),
                *(value, value / 10, value * 3 / 100, status, created if status == "validated" else None, created),
            )


@pytest.fixture
def old() -> Iterator[Old]:
    """A database of the test's own, as Supabase has it."""
    server = os.environ.get(POSTGRES)
    if not server:
        pytest.skip(f"{POSTGRES} is not set")
    if not Path(CLI).exists():
        # Who says where it is means it to be used.
        instead = pytest.fail if "LEADLEDGER_CLI" in os.environ else pytest.skip
        instead(f"there is no command line at {CLI}: LEADLEDGER_CLI says where it is")
    name = f"guide_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        for role in ("anon", "authenticated", "service_role"):
            made = f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
            connection.execute(made.encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
    found = Old(with_database(server, name))
    found.fill()
    yield found
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def cli(*arguments: str) -> str:
    """What the command line says."""
    done = subprocess.run([CLI, *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_switch_and_the_way_back(old: Old, tmp_path: Path) -> None:
    stop, balances, reserved, leads, back = blocks("sql")
    url = f"{old.url}{'&' if '?' in old.url else '?'}schema=leadledger"
    leadledger.migrate(url)
    report = cli("import", "--legacy", old.url, "--dry-run", "--url", url)
    assert "pending_too_old" in report
    old.run(stop)
    with psycopg.connect(old.url, autocommit=True) as connection:
        connection.execute("SET ROLE service_role")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE public.company_deposits SET current_balance = 0")
    cli("import", "--legacy", old.url, "--url", url)
    cli("check", "--url", url)
    # Side by side: nothing differs but the lead whose time was over, and it is in the report.
    assert old.run(balances) == []
    assert old.run(reserved) == []
    assert old.run(leads) == [(old.overdue, "pending", "expired")]

    # The new application takes over, decides on the old lead and takes a new one.
    with serving(tmp_path, url, APP_JOBS="off") as server:
        merchant = Account(server.http, old.merchant, issue(JWT_SECRET, "merchant", old.merchant))
        created = continued(server, merchant, old)
    assert old.run(leads) != [], "the old tables do not move by themselves"

    old.run(back)
    assert old.run(balances) == []
    assert [row for row in old.run(leads) if row[1] != "rejected"] == []
    [(name, status, commission)] = old.run(
        "SELECT customer_name, status, commission_amount FROM public.leads WHERE id = %s", created
    )
    assert (name, status, commission) == ("Mohamed Bennani", "pending", Decimal("80.00"))
    [(balance, held)] = old.run(
        "SELECT current_balance, reserved_amount FROM public.company_deposits WHERE id = %s", old.deposit
    )
    assert (balance, held) == (Decimal("4880.00"), Decimal("80.00"))
    with psycopg.connect(old.url, autocommit=True) as connection:
        connection.execute("SET ROLE service_role")
        connection.execute("UPDATE public.company_deposits SET current_balance = current_balance")


def continued(server: Server, merchant: Account, old: Old) -> str:
    """The old lead is validated, a new one is brought: its id."""
    assert merchant.get("/api/leads/deposits/balance").json()["reserved_amount"] == "60.00"
    validated = merchant.post(f"/api/leads/{old.pending}/validate", {"quality_score": 8})
    assert validated.status_code == 200, validated.text
    partner = Account(server.http, old.partner, issue(JWT_SECRET, "partner", old.partner))
    assert len(partner.get("/api/leads/my-leads").json()["leads"]) == 3
    created = partner.post("/api/leads", lead_body(old.campaign, "900.00"))
    assert created.status_code == 201, created.text
    found: str = created.json()["id"]
    return found
