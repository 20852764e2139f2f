"""The ledger: what we owe Xero, what Xero has, and which run did it. SQL only: no HTTP, no Singer."""

from __future__ import annotations

from target_xero.ledger.ledger import Ledger
from target_xero.ledger.model import Intent, Link, NewIntent, State, Tenant
from target_xero.ledger.summary import RunSummary, StreamSummary

__all__ = ["Intent", "Ledger", "Link", "NewIntent", "RunSummary", "State", "StreamSummary", "Tenant"]
