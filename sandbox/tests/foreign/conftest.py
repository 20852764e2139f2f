"""The sandbox on a real socket, seeded, with the real time: what clients that know nothing of it are pointed at."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Clock
from ikaroa_sandbox.server import serve_in_thread

ROOT = Path(__file__).parents[3]


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


def run(*command: str | Path, timeout_s: int, **options: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr[-4000:]}"
    return done


@pytest.fixture(scope="session")
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command that must succeed."""
    return run


@pytest.fixture(scope="session")
def python_with() -> Callable[[str], Path]:
    """The Python of an environment with a pinned client; made once, made again when the pins change."""

    def make(client: str) -> Path:
        requirements = ROOT / "requirements" / f"{client}.txt"
        environment = ROOT / ".venvs" / f"{client}-python{sys.version_info[0]}.{sys.version_info[1]}"
        python, made_from = environment / "bin" / "python", environment / "made-from"
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
        if made_from.exists() and made_from.read_text() == digest:
            return python
        shutil.rmtree(environment, ignore_errors=True)
        uv = shutil.which(os.environ.get("UV", "uv"))
        install = ("--quiet", "--require-hashes", "-r", requirements)
        if uv:
            run(uv, "venv", "--quiet", "--python", sys.executable, environment, timeout_s=120)
            run(uv, "pip", "install", "--python", python, *install, timeout_s=600)
        else:
            run(sys.executable, "-m", "venv", environment, timeout_s=120)
            run(python, "-m", "pip", "install", "--disable-pip-version-check", *install, timeout_s=600)
        made_from.write_text(digest)
        return python

    return make
