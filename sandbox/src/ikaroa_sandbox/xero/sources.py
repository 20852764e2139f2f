"""Where the rules of the Xero half are known from, and how they are declared."""

from __future__ import annotations

from ikaroa_sandbox.core import Declare

SPEC = "Xero OpenAPI 16.1.0"
THREADS = "public issue threads"
PROBE = "a third party's probe of the live API"

_XERO = Declare("xero", "Xero developer docs", "recorded traffic", "inference")
documented, recorded, assumed = _XERO.documented, _XERO.recorded, _XERO.assumed
