"""`python -m target_xero`."""

from __future__ import annotations

from target_xero.cli import main

main()
