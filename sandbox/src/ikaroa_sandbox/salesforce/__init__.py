"""Salesforce, simulated: one org behind its REST API."""

from __future__ import annotations

from ikaroa_sandbox.salesforce.backend import SalesforceBackend
from ikaroa_sandbox.salesforce.rules import RULES

__all__ = ["RULES", "SalesforceBackend"]
