"""Functions for mapping expressions: the Singer SDK's own, as far as they are pure, and ours."""

from __future__ import annotations

from crm_to_xero.functions import dates, money, text
from crm_to_xero.functions.registry import ENTRIES, Entry, Function

__all__ = ["ENTRIES", "Entry", "Function", "dates", "money", "text"]
