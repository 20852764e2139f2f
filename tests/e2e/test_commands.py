"""The commands as people call them: `meltano invoke target-xero:NAME`, and login over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tools import sandbox_reset
from tools.processes import Project, Sandbox

pytestmark = pytest.mark.e2e

RUN = ("run", "tap-salesforce-ikaroa", "target-xero")
TARGET = str(Path(sys.executable).with_name("target-xero"))
TAP = str(Path(sys.executable).with_name("tap-salesforce-ikaroa"))


def invoke(project: Project, *words: str, expected: int = 0, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        project.command("invoke", *words, "--json"), cwd=project.root, env=project.environment(environment),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == expected, (done.stdout + done.stderr)[-6000:]
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    found: dict[str, Any] = json.loads(line)
    return found


def test_meltano_invokes_check_reconcile_rejects_and_why_with_the_settings_of_the_project(
    project: Project, org: Sandbox
) -> None:
    checks = {line["what"]: line for line in invoke(project, "target-xero:check")["checks"]}
    assert "salesforce.yml" in checks["mapping"]["found"], (
        "the setting mapping of meltano.yml reaches the command"
    )
    assert checks["access"]["level"] == "ok"

    options = json.dumps({"default_account_code": "2OO"})
    told = invoke(project, "target-xero:check", expected=1, TARGET_XERO_MAPPING_OPTIONS=options)
    assert [line["what"] for line in told["checks"] if line["level"] == "fail"] == ["accounts: 2OO"]

    assert project.run(RUN, capture_output=True).returncode == 0
    reconciled = invoke(project, "target-xero:reconcile")
    assert reconciled["reconciled"] is True
    refused = invoke(project, "target-xero:rejects")
    assert (refused["documents"], refused["counts"]) == ([], [])
    stored = org.snapshot("xero")["Invoices"]
    deal = next(row for row in stored if "SF-006" in str(row.get("Reference")))
    (document,) = invoke(project, "target-xero:why", deal["InvoiceNumber"])["documents"]
    assert document["xero"]["id"] == deal["InvoiceID"]
    assert document["rules"]


def test_login_over_real_sockets_then_a_run_with_what_it_stored(org: Sandbox, tmp_path: Path) -> None:
    settings = {
        "client_id": "sandbox-xero-client",
        "api_url": org.url,
        "auth_method": "refresh_token",
        "token_store_key": "a1" * 32,
        "ledger_path": str(tmp_path / "ledger.sqlite"),
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    command = [
        TARGET,
        "login",
        "--config",
        str(config),
        "--no-browser",
        "--port",
        "0",
        "--wait",
        "60",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        address = next(line.strip() for line in process.stderr if "/identity/connect/authorize?" in line)
        page = requests.get(
            address, timeout=30
        )  # the sandbox consents, and sends the browser on to the listener
        assert page.url.endswith("/done")
        told = json.loads(process.stdout.read())
        assert process.wait(30) == 0
    assert told["organisation"]["name"] == "Sandbox Trading Ltd"

    config.write_text(json.dumps({**settings, **told["settings"]}))
    document = {"source_key": "A-1", "ContactNumber": "A-1", "Name": "Zoë's Café"}
    schema = {"properties": {"source_key": {"type": "string"}}}
    lines = [
        {"type": "SCHEMA", "stream": "contacts", "key_properties": ["source_key"], "schema": schema},
        {"type": "RECORD", "stream": "contacts", "record": document},
    ]
    source = "".join(f"{json.dumps(line)}\n" for line in lines)
    done = subprocess.run(
        [TARGET, "--config", str(config)], input=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert any(row["Name"] == "Zoë's Café" for row in org.snapshot("xero")["Contacts"])


def test_meltano_invokes_the_taps_check_with_the_settings_of_the_project_with_access_or_without(
    project: Project, org: Sandbox
) -> None:
    told = invoke(project, "tap-salesforce-ikaroa", "check")
    checks = {line["what"]: line for line in told["checks"]}
    assert told["ok"] is True
    assert checks["access"]["found"].endswith(org.url)
    assert checks["needed fields"]["level"] == "ok", (
        "the setting needed_fields of meltano.yml reaches the command"
    )
    wrong = {"TAP_SALESFORCE_IKAROA_CLIENT_SECRET": "wrong"}
    told = invoke(project, "tap-salesforce-ikaroa", "check", expected=1, **wrong)
    assert {line["what"]: line["level"] for line in told["checks"]}["access"] == "fail", (
        "no catalog is asked for first, which would end it without an answer"
    )


def test_the_taps_login_over_real_sockets_then_a_run_with_what_it_stored(
    org: Sandbox, tmp_path: Path
) -> None:
    settings = {
        "login_url": org.url,
        "client_id": "sandbox-salesforce-client",
        "client_secret": "sandbox-salesforce-secret",
        "token_store_path": str(tmp_path / "tokens.json"),
        "token_store_key": "a1" * 32,
        "streams_to_discover": ["Lead"],
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    command = [TAP, "login", "--config", str(config), "--no-browser", "--port", "0", "--wait", "60", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        callback = next(line.split()[-1] for line in process.stderr if line.startswith("Callback address"))
        address = next(line.strip() for line in process.stderr if "/services/oauth2/authorize?" in line)
        refused = requests.get(address, timeout=30)
        assert "redirect_uri_mismatch" in refused.text, "an address that the app does not have leads nowhere"
        org.edit("salesforce", "app", callbacks=[callback])
        page = requests.get(address, timeout=30)
        assert page.url.endswith("/done")
        told = json.loads(process.stdout.read())
        assert process.wait(30) == 0
    config.write_text(json.dumps({**settings, **told["settings"]}))
    done = subprocess.run([TAP, "--config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"type":"RECORD"' in done.stdout.replace('": "', '":"')


def test_a_reset_begins_anew_in_a_sandbox_that_is_running_too(org: Sandbox) -> None:
    org.edit("xero", "create_contact", fields={"Name": "Left over Ltd"})
    assert sandbox_reset.main(org.url) == 0
    assert "Left over Ltd" not in {row["Name"] for row in org.snapshot("xero")["Contacts"]}
    assert sandbox_reset.main("http://127.0.0.1:9") == 0, "none needs to run"
