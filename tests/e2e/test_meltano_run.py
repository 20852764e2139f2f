"""The main job through `meltano run`, judged by the two systems' own data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.processes import Project, Sandbox
from tools.tally import tally

pytestmark = pytest.mark.e2e

RUN = ("run", "tap-salesforce-ikaroa", "target-xero")
WRITES = {"PUT", "POST", "DELETE"}


def run(project: Project, *words: str) -> str:
    done = project.run(words or RUN, capture_output=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout + done.stderr


def writes(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for call in calls if call["method"] in WRITES and call["path"].startswith("/api.xro/")]


def last(org: Sandbox) -> int:
    return max((call["seq"] for call in org.calls()), default=0)


def test_everything_owed_arrives_once_and_to_the_cent_and_a_rerun_writes_nothing(
    project: Project, org: Sandbox
) -> None:
    run(project)
    result = tally(org.snapshot("salesforce"), org.snapshot("xero"))
    assert result.complete, result
    assert all(line.created > 0 for line in result.lines)

    seen, stored = last(org), org.snapshot("xero")
    run(project)
    again = org.calls(since=seen)
    assert writes(again) == []
    assert len(again) <= 6
    assert org.snapshot("xero")["Invoices"] == stored["Invoices"]
    assert org.snapshot("xero")["Contacts"] == stored["Contacts"]


def test_one_changed_account_makes_exactly_one_contact_update(project: Project, org: Sandbox) -> None:
    run(project)
    seen, before = last(org), org.snapshot("xero")
    account = next(row for row in org.snapshot("salesforce")["objects"]["Account"] if not row["IsDeleted"])
    org.edit("salesforce", "update", object="Account", id=account["Id"], fields={"Phone": "+44 20 7946 0999"})
    run(project)
    (write,) = writes(org.calls(since=seen))
    assert (write["method"], write["path"]) == ("POST", "/api.xro/2.0/Contacts")
    result = tally(org.snapshot("salesforce"), org.snapshot("xero"), before)
    assert {line.kind: line.updated for line in result.lines} == {"contacts": 1, "items": 0, "invoices": 0}
    contact = next(
        row for row in org.snapshot("xero")["Contacts"] if row.get("ContactNumber") == account["Id"]
    )
    assert "7946 0999" in json.dumps(contact["Phones"])


def test_a_removed_line_and_a_newly_won_deal_arrive(project: Project, org: Sandbox) -> None:
    run(project)
    objects = org.snapshot("salesforce")["objects"]
    lines = [row for row in objects["OpportunityLineItem"] if not row.get("IsDeleted")]
    won = {row["Id"] for row in objects["Opportunity"] if row["IsWon"] and not row["IsDeleted"]}
    line = next(a for a in lines if a["OpportunityId"] in won
                and sum(a["OpportunityId"] == b["OpportunityId"] for b in lines) > 1)  # fmt: skip
    org.edit("salesforce", "delete", object="OpportunityLineItem", id=line["Id"])
    deal = next(row for row in objects["Opportunity"] if not row["IsClosed"] and row["AccountId"]
                and any(line["OpportunityId"] == row["Id"] for line in lines))  # fmt: skip
    org.edit("salesforce", "update", object="Opportunity", id=deal["Id"], fields={"StageName": "Closed Won"})
    run(project)
    result = tally(org.snapshot("salesforce"), org.snapshot("xero"))
    assert result.complete, result


def test_the_mapped_documents_can_be_looked_at_on_their_own(
    project: Project, org: Sandbox, tmp_path: Path
) -> None:
    project = Project(project.root, {**project.variables, "TARGET_JSONL_DESTINATION_PATH": str(tmp_path)})
    run(project, "run", "tap-salesforce-ikaroa", "salesforce-to-xero", "target-jsonl")
    contacts = [json.loads(line) for line in (tmp_path / "contacts.jsonl").read_text().splitlines()]
    assert {row["source_key"] for row in contacts} == {
        row["Id"] for row in org.snapshot("salesforce")["objects"]["Account"] if not row["IsDeleted"]
    }
    assert org.snapshot("xero")["Contacts"] == [
        row
        for row in org.snapshot("xero")["Contacts"]
        if row.get("ContactNumber") not in {c["source_key"] for c in contacts}
    ]


def test_the_mapping_in_its_own_process_gives_what_the_target_gives(project: Project, org: Sandbox) -> None:
    run(project, "run", "tap-salesforce-ikaroa", "salesforce-to-xero", "target-xero")
    assert tally(org.snapshot("salesforce"), org.snapshot("xero")).complete


def test_without_a_sandbox_one_line_says_how_to_start_it(installed: Path, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    project = Project(installed, {
        "MELTANO_HUB_URL": nobody, "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "TAP_SALESFORCE_IKAROA_LOGIN_URL": nobody, "TARGET_XERO_API_URL": nobody, "TARGET_XERO_IDENTITY_URL": nobody,
        "TARGET_XERO_LEDGER_PATH": str(tmp_path / "ledger.sqlite"),
    })  # fmt: skip
    done = project.run(RUN, capture_output=True)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "make sandbox" in output
    assert "Traceback" not in output
