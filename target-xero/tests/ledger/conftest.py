"""Ledgers for tests, in a file and in a database."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from target_xero.ledger import Ledger, NewIntent, Tenant
from target_xero.ledger.database import read_url

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
TENANT = Tenant("t-1", "Sandbox Trading Ltd", "GBP", is_demo=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request):
    """Where a ledger may be; `postgres` is a real server."""
    if request.param == "sqlite":
        return request.getfixturevalue("path")
    return read_url(request.getfixturevalue("postgres").address)


@pytest.fixture
def ledger(place):
    with Ledger(place, durable=False, lock=False) as found:
        found.begin_run(TENANT, NOW)
        yield found


@pytest.fixture
def new():
    """Makes new revisions."""

    def make(key="C1", kind="contacts", hash_="h1", **fields):
        return NewIntent(kind, key, "save", {"Name": key}, hash_, unique=True, marker=key, **fields)

    return make
