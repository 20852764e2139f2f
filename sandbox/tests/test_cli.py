"""The command, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ikaroa_sandbox.cli import main

e2e = pytest.mark.e2e
COMMAND = (sys.executable, "-m", "ikaroa_sandbox.cli", "serve")


@contextmanager
def served(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [*COMMAND, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def get(url: str, context: ssl.SSLContext | None = None) -> Any:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
    )
    with opener.open(url, timeout=20) as answer:
        return json.load(answer)


@e2e
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_when_ready_serves_and_ends_well(stop: signal.Signals) -> None:
    with served("--seed", "7", "--now", "2026-11-02T09:00:00Z") as (process, facts):
        assert (facts["seed"], facts["profile"], facts["pid"]) == (7, "default", process.pid)
        assert facts["url"] == f"http://127.0.0.1:{facts['port']}"
        assert facts["salesforce"]["login_url"] == facts["url"]
        assert facts["xero"]["api_url"] == f"{facts['url']}/api.xro/2.0"
        health = get(f"{facts['url']}/_sandbox/health")
        assert health["records"]["salesforce"]["Account"] == 400
        assert health["now"].startswith("2026-11-02T09:0")
        process.send_signal(stop)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


@e2e
def test_a_port_in_use_is_one_clear_line_and_exit_code_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ikaroa-sandbox: port {port} on 127.0.0.1 cannot be used")
    assert done.stderr.count("\n") == 1


@e2e
def test_it_speaks_https_to_clients_that_need_it(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    with served("--profile", "empty", "--tls", "--tls-ca", str(ca_file)) as (_, facts):
        assert facts["url"].startswith("https://")
        assert (
            get(f"{facts['url']}/_sandbox/health", ssl.create_default_context(cafile=ca_file))["profile"]
            == "empty"
        )


@e2e
def test_its_screen_tells_a_person_what_they_need(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*COMMAND, "--profile", "empty"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        screen = ""
        while "Stop it with" not in screen:
            screen += process.stdout.readline()
        process.terminate()
        rest, _ = process.communicate(timeout=20)
    for needed in (
        "http://127.0.0.1:",
        "sandbox-salesforce-client",
        "sandbox-xero-secret",
        "/_sandbox/",
        "Ctrl-C",
    ):
        assert needed in screen
    assert "The sandbox has stopped" in rest
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "this machine only"),
        (["--tls"], "go together"),
        (["--now", "noon"], "2026-11-02T09:00:00Z"),
    ],
)
def test_what_cannot_be_started_is_one_clear_line_and_exit_code_1(options: list[str], says: str) -> None:
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 1
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_fidelity_page_is_printed_or_written(tmp_path: Path) -> None:
    page = tmp_path / "FIDELITY.md"
    printed = CliRunner().invoke(main, ["fidelity"]).stdout
    assert CliRunner().invoke(main, ["fidelity", "--write", str(page)]).exit_code == 0
    assert page.read_text() == printed
    assert printed.startswith("# Fidelity")
