"""What docs/ and the READMEs give to copy for cron and systemd is there and would be taken."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEDULE = ROOT / "docs/schedule.md"
FOLDER = "/srv/salesforce-xero"
_FIELD = re.compile(r"(\*|\d+)(/\d+)?$")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def unit() -> ConfigParser:
    (text,) = blocks(SCHEDULE, "ini")
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


@pytest.fixture(scope="session")
def jobs(project: dict[str, Any]) -> set[str]:
    return {job["name"] for job in project["jobs"]}


def is_the_run(command: str, jobs: set[str]) -> bool:
    words = shlex.split(command)
    return (
        words[0].endswith(".venv/bin/meltano") and "run" in words and "--force" in words and words[-1] in jobs
    )


@pytest.mark.parametrize("line", [line for block in blocks(SCHEDULE, "cron") for line in block.splitlines()])
def test_a_line_for_cron_is_one(line: str, jobs: set[str]) -> None:
    *times, command = line.split(maxsplit=5)
    assert all(_FIELD.match(time) for time in times)
    assert "%" not in command, "cron takes it for the end of a line"
    go, mask, run = command.split(" >> ")[0].split(" && ")
    assert go == f"cd {FOLDER}"
    assert mask == "umask 077"
    assert is_the_run(re.sub(r"^(\w+=\S+ )*", "", run), jobs)


def test_the_unit_for_systemd_runs_the_job_and_takes_its_end_by_a_signal_for_no_failure(
    jobs: set[str],
) -> None:
    service = unit()["Service"]
    assert service["WorkingDirectory"] == FOLDER
    assert service["ExecStart"].startswith(FOLDER), "systemd wants the whole path"
    assert is_the_run(service["ExecStart"], jobs)
    assert service["SuccessExitStatus"] == "143", "Meltano's exit code after SIGTERM"
    assert unit()["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    (text,) = blocks(SCHEDULE, "ini")
    program = tmp_path / ".venv/bin/meltano"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "salesforce-xero.service"
    file.write_text(text.replace(FOLDER, str(tmp_path)).replace("User=xero-sync", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert file.name not in done.stderr
