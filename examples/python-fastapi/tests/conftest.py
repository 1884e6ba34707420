"""The stores, and one server on each for the whole session: every test brings its own merchants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

import leadledger
from tests.serving import Server, listening, serving

POSTGRES = "LEADLEDGER_TEST_POSTGRES"
POOLER = "LEADLEDGER_TEST_PGBOUNCER"


def with_schema(url: str, schema: str) -> str:
    """The same server, another schema."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query), ("schema", schema)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A migrated schema of this session's own."""
    server = os.environ.get(POSTGRES)
    if not server:
        pytest.skip(f"{POSTGRES} is not set")
    schema = f"fastapi_{uuid4().hex[:12]}"
    url = with_schema(server, schema)
    leadledger.migrate(url)
    yield url
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())


@pytest.fixture(scope="session")
def pooled_url(postgres_url: str) -> str:
    """The same schema through a pooler in transaction mode, as Supabase's port 6543 is one."""
    pooler = os.environ.get(POOLER)
    if not pooler:
        pytest.skip(f"{POOLER} is not set")
    [schema] = [value for name, value in parse_qsl(urlsplit(postgres_url).query) if name == "schema"]
    return with_schema(pooler, schema)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a ledger: SQLite always, PostgreSQL where there is a server."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path_factory.mktemp('store') / 'ledger.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def server(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application under uvicorn. Its jobs are off: tests run them by hand."""
    folder: Path = tmp_path_factory.mktemp("server")
    with serving(folder, store, APP_JOBS="off") as running:
        yield running
        assert running.process.poll() is None, running.log.read_text()
        running.stop()
        assert "Traceback" not in running.log.read_text(), running.log.read_text()


@pytest.fixture(scope="session")
def stripe_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the stand-in for Stripe."""
    log = tmp_path_factory.mktemp("stripe") / "stripe.log"
    with listening(("tests.stripe_server", "{fd}"), {}, log) as (base, _):
        yield base
