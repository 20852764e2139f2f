"""From documents to intents: canonical form, checks, revisions. No HTTP, no Singer."""

from __future__ import annotations

from target_xero.plan.organisation import Organisation
from target_xero.plan.planner import Planner, PlannerSettings
from target_xero.refusal import Refusal

__all__ = ["Organisation", "Planner", "PlannerSettings", "Refusal"]
