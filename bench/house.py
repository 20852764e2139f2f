"""The target in this process, on the Xero half of the sandbox and its virtual clock."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.systems import System
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES
from target_xero.settings import Settings
from target_xero.target import TargetXero
from target_xero.xero.pacing import Timing


@dataclass
class House:
    """One organisation, one ledger, as many runs as wanted."""

    folder: Path
    sandbox: Sandbox = field(default_factory=lambda: Sandbox(seed=1, systems=[System(XeroBackend, RULES)]))

    @property
    def config(self) -> dict[str, Any]:
        """The settings of every run."""
        return {
            "client_id": "sandbox-xero-client",
            "client_secret": "sandbox-xero-secret",
            "ledger_path": str(self.folder / "ledger.sqlite"),
            "allow_statuses": ["DRAFT", "AUTHORISED"],
        }

    @property
    def settings(self) -> Settings:
        """The same, read."""
        return Settings.read(self.config)

    @property
    def timing(self) -> Timing:
        """The sandbox's clock."""
        clock = self.sandbox.clock
        return Timing(lambda: clock.now().timestamp(), clock.advance)  # type: ignore[arg-type]

    def target(self, **config: Any) -> TargetXero:
        """A target on the sandbox."""
        return TargetXero(
            config={**self.config, **config}, adapter=SandboxAdapter(self.sandbox), timing=self.timing
        )

    def run(self, target: TargetXero, path: Path) -> str:
        """Feeds a file to the target; returns what it said."""
        out, err = io.StringIO(), io.StringIO()
        with path.open() as source, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            target.listen(source)
        return err.getvalue()
