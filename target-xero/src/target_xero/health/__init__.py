"""Whether everything a run needs is there. Asks, and writes nothing anywhere."""

from __future__ import annotations

from target_xero.health.finding import Finding, Level
from target_xero.health.look import look

__all__ = ["Finding", "Level", "look"]
