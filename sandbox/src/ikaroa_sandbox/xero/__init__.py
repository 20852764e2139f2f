"""Xero: identity, limits and the accounting API of one organisation, stateful and with the platform's own rules."""

from __future__ import annotations

from ikaroa_sandbox.xero.backend import XeroBackend

__all__ = ["XeroBackend"]
