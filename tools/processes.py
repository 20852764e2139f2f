"""The sandbox and Meltano as processes of their own: what the demo and the end-to-end tests start, ask and stop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once
PARTS = (
    "meltano.yml",
    "plugins",
    "requirements",
    "sandbox",
    "transforms",
    "tap-salesforce-ikaroa",
    "target-xero",
)
REQUEST_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
_STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""To this machine itself, whatever proxy the environment names."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, asked over its control end points."""

    url: str
    pid: int
    pubsub: str = ""
    """Where the Pub/Sub API is; empty unless started with `--pubsub-port`."""

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One control request; returns the answer's JSON. Raises `urllib.error.HTTPError` with the sandbox's sentence."""
        request = urllib.request.Request(  # noqa: S310 - loopback, made above
            f"{self.url}/_sandbox/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        with _STRAIGHT.open(request, timeout=REQUEST_TIMEOUT_S) as answer:
            return json.load(answer)

    def snapshot(self, system: str) -> dict[str, Any]:
        """A system's whole state (`salesforce` or `xero`)."""
        found: dict[str, Any] = self.ask("GET", f"snapshot?system={system}")
        state: dict[str, Any] = found.get(system, found)
        return state

    def edit(self, system: str, action: str, **details: Any) -> dict[str, Any]:
        """A person's hand in one of the systems."""
        done: dict[str, Any] = self.ask("POST", "edit", {"system": system, "action": action, **details})
        return done

    def advance(self, seconds: int) -> None:
        """Lets the sandbox's time pass."""
        self.ask("POST", "clock", {"advance_seconds": seconds})

    def calls(self, system: str = "xero", since: int = 0) -> list[dict[str, Any]]:
        """The exchanges the sandbox saw, newest last."""
        found: list[dict[str, Any]] = []
        while page := self.ask("GET", f"journal?system={system}&since={since}")["entries"]:
            found += page
            since = page[-1]["seq"]
        return found

    def strike(self, **rule: Any) -> None:
        """Lets a fault happen (see the sandbox's README for the kinds)."""
        self.ask("POST", "faults", rule)

    def struck(self) -> int:
        """How often a fault has struck since faults were last cleared."""
        return sum(rule["struck"] for rule in self.ask("GET", "faults")["rules"])

    def environment(self) -> dict[str, str]:
        """The settings that point both plugins here."""
        live = {"TAP_SALESFORCE_IKAROA_PUBSUB_ENDPOINT": self.pubsub} if self.pubsub else {}
        return {
            "TAP_SALESFORCE_IKAROA_LOGIN_URL": self.url,
            "TARGET_XERO_API_URL": self.url,
            "TARGET_XERO_IDENTITY_URL": self.url,
            **live,
        }


@contextmanager
def sandbox(*options: str, seed: int = 1) -> Iterator[Sandbox]:
    """Starts a sandbox on a free port and stops it at the end."""
    command = [str(BIN / "ikaroa-sandbox"), "serve", "--seed", str(seed), "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SystemExit(f"the sandbox did not start (exit code {process.wait()})")
            ready = json.loads(line)
            pubsub = ready["salesforce"].get("pubsub_endpoint", "") if "--pubsub-port" in options else ""
            yield Sandbox(ready["url"].rstrip("/"), process.pid, pubsub)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(frozen=True)
class Project:
    """A Meltano project folder and the environment its commands run in."""

    root: Path
    variables: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """The command line of a Meltano call."""
        return [str(BIN / "meltano"), *words]

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The process environment: nobody asked over the network but the package index."""
        quiet = {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1", "UV_COMPILE_BYTECODE": "1"}
        return {
            **os.environ,
            **quiet,
            "MELTANO_PROJECT_ROOT": str(self.root),
            **self.variables,
            **(extra or {}),
        }

    def run(self, words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs one Meltano command to its end."""
        return subprocess.run(  # noqa: S603
            self.command(*words), cwd=self.root, env=self.environment(), text=True, check=False, **options
        )


def installed_project(root: Path, *plugins: str) -> Project:
    """A copy of the project in a folder, its plugins (default: all) installed without a word to the Hub.

    Raises:
        RuntimeError: it could not be installed; the text is what Meltano said.
    """
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
            shutil.copytree(source, root / part, ignore=ignored)
        else:
            shutil.copy(source, root / part)
    variables = {"MELTANO_HUB_URL": NOWHERE, "MELTANO_DATABASE_URI": f"sqlite:///{root}/empty.db"}
    project = Project(root, variables)
    done = project.run(("install", *plugins), capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return project
