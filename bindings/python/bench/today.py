"""The lead cycle as today's backend does it, but correct: plain psycopg, in transactions, the deposit's row locked.

The tables and statements are those of `benches/compare/today.rs`. `prepare` is psycopg's `prepare_threshold`: 5 where
nobody says; None is what a pooler in transaction mode requires, such as Supabase's.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg

if TYPE_CHECKING:
    from typing_extensions import LiteralString

SCHEMA = """
DROP SCHEMA IF EXISTS today CASCADE;
CREATE SCHEMA today;
CREATE TABLE today.company_deposits (id uuid PRIMARY KEY, merchant_id uuid NOT NULL, campaign_id uuid,
    initial_amount numeric(10,2) NOT NULL, current_balance numeric(10,2) NOT NULL,
    reserved_amount numeric(10,2) NOT NULL, status text NOT NULL, updated_at timestamp NOT NULL DEFAULT now());
CREATE INDEX ON today.company_deposits (merchant_id);
CREATE TABLE today.campaign_settings (campaign_id uuid PRIMARY KEY, merchant_id uuid NOT NULL,
    lead_generation_enabled boolean NOT NULL DEFAULT true, percentage_commission_rate numeric(5,2) NOT NULL DEFAULT 10,
    fixed_commission_amount numeric(10,2) NOT NULL DEFAULT 80, commission_threshold numeric(10,2) NOT NULL DEFAULT 800);
CREATE TABLE today.influencer_agreements (merchant_id uuid, influencer_id uuid, commission_percentage numeric(5,2),
    status text, PRIMARY KEY (merchant_id, influencer_id));
CREATE TABLE today.influencer_earnings (influencer_id uuid PRIMARY KEY, earned numeric(12,2) NOT NULL);
CREATE TABLE today.leads (id uuid PRIMARY KEY, campaign_id uuid NOT NULL, influencer_id uuid NOT NULL,
    merchant_id uuid NOT NULL, deposit_id uuid NOT NULL, source text NOT NULL, estimated_value numeric(10,2) NOT NULL,
    commission_amount numeric(10,2) NOT NULL, influencer_commission numeric(10,2) NOT NULL, status text NOT NULL,
    quality_score integer, created_at timestamp NOT NULL DEFAULT now(), validated_at timestamp);
CREATE INDEX ON today.leads (merchant_id, created_at);
CREATE TABLE today.deposit_transactions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), deposit_id uuid NOT NULL,
    merchant_id uuid NOT NULL, lead_id uuid, transaction_type text NOT NULL, amount numeric(10,2) NOT NULL,
    created_at timestamp NOT NULL DEFAULT now());
CREATE INDEX ON today.deposit_transactions (deposit_id, created_at);
"""

CREATE = (
    "SELECT lead_generation_enabled FROM today.campaign_settings WHERE campaign_id = %(campaign)s",
    "SELECT status FROM today.influencer_agreements WHERE merchant_id = %(merchant)s AND influencer_id = %(partner)s",
    "SELECT id FROM today.company_deposits WHERE id = %(deposit)s AND status = 'active' "
    "AND current_balance - reserved_amount >= 60.00 FOR UPDATE",
    "INSERT INTO today.leads (id, campaign_id, influencer_id, merchant_id, deposit_id, source, estimated_value, "
    "commission_amount, influencer_commission, status) "
    "VALUES (%(lead)s, %(campaign)s, %(partner)s, %(merchant)s, %(deposit)s, 'other', 600, 60, 18, 'pending')",
    "UPDATE today.company_deposits SET reserved_amount = reserved_amount + 60.00, updated_at = now() "
    "WHERE id = %(deposit)s",
    "INSERT INTO today.deposit_transactions (deposit_id, merchant_id, lead_id, transaction_type, amount) "
    "VALUES (%(deposit)s, %(merchant)s, %(lead)s, 'reservation', 60.00)",
)

VALIDATE = (
    "SELECT status FROM today.leads WHERE id = %(lead)s AND status = 'pending' FOR UPDATE",
    "SELECT id FROM today.company_deposits WHERE id = %(deposit)s FOR UPDATE",
    "UPDATE today.company_deposits SET current_balance = current_balance - 60.00, "
    "reserved_amount = reserved_amount - 60.00, updated_at = now() WHERE id = %(deposit)s",
    "UPDATE today.leads SET status = 'validated', quality_score = 8, validated_at = now() WHERE id = %(lead)s",
    "UPDATE today.influencer_earnings SET earned = earned + 18.00 WHERE influencer_id = %(partner)s",
    "INSERT INTO today.deposit_transactions (deposit_id, merchant_id, lead_id, transaction_type, amount) "
    "VALUES (%(deposit)s, %(merchant)s, %(lead)s, 'deduction', -60.00)",
)


@dataclass(frozen=True)
class Shop:
    """A merchant, its campaign and deposit, and the partner who brings its leads."""

    merchant: UUID
    campaign: UUID
    partner: UUID
    deposit: UUID

    def ids(self) -> dict[str, UUID]:
        """The ids of a new lead's statements."""
        return {
            "merchant": self.merchant,
            "campaign": self.campaign,
            "partner": self.partner,
            "deposit": self.deposit,
            "lead": uuid4(),
        }


def set_up(url: str) -> Shop:
    """The tables, and one shop with money for any number of leads."""
    shop = Shop(uuid4(), uuid4(), uuid4(), uuid4())
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
        connection.execute(
            "INSERT INTO today.company_deposits VALUES (%s, %s, NULL, 50000000, 50000000, 0, 'active')",
            [shop.deposit, shop.merchant],
        )
        connection.execute("INSERT INTO today.campaign_settings VALUES (%s, %s)", [shop.campaign, shop.merchant])
        connection.execute(
            "INSERT INTO today.influencer_agreements VALUES (%s, %s, 30, 'active')", [shop.merchant, shop.partner]
        )
        connection.execute("INSERT INTO today.influencer_earnings VALUES (%s, 0)", [shop.partner])
    return shop


def tear_down(url: str) -> None:
    """Takes the tables away."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA today CASCADE")


def expect_one(statement: str, touched: int) -> None:
    """Each statement of the cycle is about one row; another count is a cycle that did not happen."""
    if touched != 1:
        raise RuntimeError(f"{statement} met {touched} rows")


def by_tasks(url: str, tasks: int, pool: int, prepare: int | None, seconds: float) -> float:
    """Cycles a second of so many asyncio tasks over a pool of so many connections."""
    shop = set_up(url)
    cycles = 0

    async def transaction(
        connection: psycopg.AsyncConnection[tuple[object, ...]],
        statements: tuple[LiteralString, ...],
        ids: dict[str, UUID],
    ) -> None:
        async with connection.transaction(), connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement, ids)
                expect_one(statement, cursor.rowcount)

    async def work(free: asyncio.Queue[psycopg.AsyncConnection[tuple[object, ...]]], until: float) -> None:
        nonlocal cycles
        while time.monotonic() < until:
            ids = shop.ids()
            for statements in (CREATE, VALIDATE):
                connection = await free.get()
                await transaction(connection, statements, ids)
                free.put_nowait(connection)
            cycles += 1

    async def main() -> float:
        connections = [
            await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=prepare) for _ in range(pool)
        ]
        free: asyncio.Queue[psycopg.AsyncConnection[tuple[object, ...]]] = asyncio.Queue()
        for connection in connections:
            free.put_nowait(connection)
        begun = time.monotonic()
        await asyncio.gather(*(work(free, begun + seconds) for _ in range(tasks)))
        elapsed = time.monotonic() - begun
        for connection in connections:
            await connection.close()
        return cycles / elapsed

    try:
        return asyncio.run(main())
    finally:
        tear_down(url)


def by_threads(url: str, threads: int, pool: int, prepare: int | None, seconds: float) -> float:
    """Cycles a second of so many threads over a pool of so many connections."""
    shop = set_up(url)
    counts = [0] * threads
    faults: list[BaseException] = []
    connections = [psycopg.connect(url, autocommit=True, prepare_threshold=prepare) for _ in range(pool)]
    free: queue.SimpleQueue[psycopg.Connection[tuple[object, ...]]] = queue.SimpleQueue()
    for connection in connections:
        free.put(connection)

    def transaction(
        connection: psycopg.Connection[tuple[object, ...]], statements: tuple[LiteralString, ...], ids: dict[str, UUID]
    ) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, ids)
                expect_one(statement, cursor.rowcount)

    def work(number: int, until: float) -> None:
        try:
            while time.monotonic() < until:
                ids = shop.ids()
                for statements in (CREATE, VALIDATE):
                    connection = free.get()
                    transaction(connection, statements, ids)
                    free.put(connection)
                counts[number] += 1
        except BaseException as fault:  # told to the caller below
            faults.append(fault)

    begun = time.monotonic()
    running = [threading.Thread(target=work, args=(number, begun + seconds)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    elapsed = time.monotonic() - begun
    for connection in connections:
        connection.close()
    tear_down(url)
    if faults:
        raise faults[0]
    return sum(counts) / elapsed
