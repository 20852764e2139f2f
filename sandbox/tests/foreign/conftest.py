"""The sandbox on a real socket, seeded, with the real time: what clients that know nothing of it are pointed at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.server import serve_in_thread


@dataclass(frozen=True)
class Served:
    """A running sandbox: its address, and what its systems really hold."""

    url: str
    sandbox: Sandbox

    def records(self, system: str, kind: str) -> list[dict[str, Any]]:
        """The stored records of one kind."""
        dump = self.sandbox.dump(system)
        found: list[dict[str, Any]] = dump["objects"][kind] if system == "salesforce" else dump[kind]
        return found


@pytest.fixture
def served() -> Iterator[Served]:
    sandbox = Sandbox(7, clock=Clock(datetime.now(timezone.utc), time.monotonic), ticker=time.monotonic)
    with serve_in_thread(sandbox) as url:
        yield Served(url, sandbox)
