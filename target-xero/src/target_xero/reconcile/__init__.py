"""Every link and every cent: what the source asked for, what the ledger agreed, what Xero has now. Read only."""

from __future__ import annotations

from target_xero.reconcile.books import Books, read_books
from target_xero.reconcile.compare import compare
from target_xero.reconcile.model import Difference, Result, Totals

__all__ = ["Books", "Difference", "Result", "Totals", "compare", "read_books"]
