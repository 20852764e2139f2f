"""Plan, approve and apply through Meltano: what is only looked at changes nothing, bookmark included."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.processes import Project, Sandbox
from tools.tally import tally

pytestmark = pytest.mark.e2e

RUN = ("run", "tap-salesforce-ikaroa", "target-xero")
WRITES = {"PUT", "POST", "DELETE"}


def meltano(project: Project, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        project.command(*words), cwd=project.root, env=project.environment(environment),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def invoke(project: Project, *words: str, **environment: str) -> list[dict[str, Any]]:
    done = meltano(project, "invoke", *words, "--json", **environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    found: list[dict[str, Any]] = json.loads(
        next(line for line in reversed(done.stdout.splitlines()) if line.startswith("["))
    )
    return found


def written(org: Sandbox, since: int = 0) -> int:
    calls = org.calls(since=since)
    return sum(call["method"] in WRITES and call["path"].startswith("/api.xro/") for call in calls)


def test_a_planned_run_leaves_everything_to_the_run_that_is_approved_and_applied(
    project: Project, org: Sandbox, tmp_path: Path
) -> None:
    plans = tmp_path / "plans"
    planned = meltano(project, *RUN, TARGET_XERO_MODE="plan", TARGET_XERO_PLAN_PATH=str(plans))
    assert planned.returncode == 0, (planned.stdout + planned.stderr)[-6000:]
    assert written(org) == 0
    (page,) = plans.glob("*.html")
    assert "To be created" in page.read_text(encoding="utf-8")

    proposed = meltano(project, *RUN, TARGET_XERO_MODE="approve", TARGET_XERO_PLAN_PATH=str(plans))
    assert proposed.returncode == 0, (proposed.stdout + proposed.stderr)[-6000:]
    assert written(org) == 0
    (plan,) = invoke(project, "target-xero:plan")
    (approval,) = invoke(project, "target-xero:approve", plan["plan_hash"], "--by", "Ben")
    assert approval["approved"] == sum(plan["counts"].values())
    invoke(project, "target-xero:apply")
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).complete
