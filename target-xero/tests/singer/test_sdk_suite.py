"""The Singer SDK's own suite for targets, on the sandbox in this process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.systems import System
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES
from singer_sdk.testing import get_target_test_class
from target_xero.target import TargetXero
from target_xero.xero.pacing import Timing


class OnTheSandbox(TargetXero):
    """Each with a sandbox and a ledger of its own, as the suite makes a target for each test."""

    def __init__(self, *, config: dict[str, Any], **options: Any) -> None:
        sandbox = Sandbox(systems=[System(XeroBackend, RULES)])
        clock = sandbox.clock
        self.folder = tempfile.TemporaryDirectory()
        super().__init__(
            config={**config, "ledger_path": str(Path(self.folder.name) / "ledger.sqlite")},
            adapter=SandboxAdapter(sandbox),
            timing=Timing(lambda: clock.now().timestamp(), clock.advance),  # type: ignore[arg-type]
            **options,
        )

    def process_endofpipe(self) -> None:
        try:
            super().process_endofpipe()
        finally:
            self.folder.cleanup()


CONFIG = {
    "client_id": "sandbox-xero-client",
    "client_secret": "sandbox-xero-secret",
    "on_unknown_stream": "ignore",
}


TestTarget = get_target_test_class(OnTheSandbox, config=CONFIG, parse_env_config=False)
