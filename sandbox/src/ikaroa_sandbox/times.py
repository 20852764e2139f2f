"""Moments as text: ISO 8601, as the control end points, the journal and the command line have them."""

from __future__ import annotations

from datetime import datetime, timezone


def iso(moment: datetime) -> str:
    """A moment in UTC: `2026-11-02T09:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The moment that a text names; without a zone UTC is meant. Raises ValueError."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
