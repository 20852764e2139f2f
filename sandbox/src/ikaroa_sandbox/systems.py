"""The systems that are simulated, and the rules they keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ikaroa_sandbox.core import Backend, Rule, World


class System(NamedTuple):
    """One system to simulate: how to make it, and the rules it keeps."""

    make: Callable[[World], Backend]
    rules: tuple[Rule, ...]


def standard_systems() -> tuple[System, ...]:
    """Salesforce and Xero."""
    # Imported here: the shell and its tests do without either half.
    from ikaroa_sandbox.salesforce import SalesforceBackend  # noqa: PLC0415
    from ikaroa_sandbox.salesforce.rules import RULES as SALESFORCE_RULES  # noqa: PLC0415
    from ikaroa_sandbox.xero import XeroBackend  # noqa: PLC0415
    from ikaroa_sandbox.xero.rules import RULES as XERO_RULES  # noqa: PLC0415

    return System(SalesforceBackend, SALESFORCE_RULES), System(XeroBackend, XERO_RULES)
