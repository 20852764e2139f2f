"""README.md and FIDELITY.md say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.control import END_POINTS, PREFIX
from ikaroa_sandbox.core import Headers, Request, Response, Rule, Spoiler
from ikaroa_sandbox.fault_rules import KINDS
from ikaroa_sandbox.fidelity import NOT_SIMULATED, fidelity_page
from ikaroa_sandbox.systems import standard_systems

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def org() -> Sandbox:
    return Sandbox()


def rows(header: str) -> list[list[str]]:
    """The cells of the README's table under a header line."""
    table = README.split(header + "\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_readme_lists_every_control_end_point_as_the_code_has_it() -> None:
    listed = rows("| end point | takes | does |")
    assert [(row[0], row[2]) for row in listed] == [
        (f"`{e.method} {PREFIX}{e.path}`", e.does) for e in END_POINTS
    ]
    for row, entry in zip(listed, END_POINTS, strict=True):
        if "*" not in entry.takes:
            assert re.findall(r"`(\w+)`", row[1]) == list(entry.takes)


def test_the_readme_lists_every_kind_of_fault_as_the_code_has_it() -> None:
    assert [tuple(row) for row in rows("| do | what happens |")] == [
        (f"`{kind}`", text) for kind, text in KINDS.items()
    ]


def test_the_readme_lists_every_action_of_both_systems(org: Sandbox) -> None:
    listed = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows("| system | actions |")}
    for name in org.backends:
        with pytest.raises(ValueError, match="there are: ") as refused:
            org.edit(name, {"action": "?"})
        assert listed[name] == str(refused.value).split("there are: ")[1].split(", ")


def test_each_systems_own_kinds_of_fault_are_taken_and_answered_by_that_system(org: Sandbox) -> None:
    for system, cell in rows("| system | kinds of its own |"):
        for kind in re.findall(r"`(\w+)`", cell):
            name = system.strip("`")
            other = next(known for known in org.backends if known != name)
            assert org.faults.add({"do": kind, "system": name}), kind
            with pytest.raises(ValueError, match="there is no fault"):
                org.faults.add({"do": kind, "system": other})
            path = "/services/data" if name == "salesforce" else "/api.xro/2.0/Organisation"
            answer = org.handle(Request("GET", path))
            assert isinstance(answer, Response)
            assert next(reversed(list(org.journal))).fault == kind
            assert answer.status >= 400 or b"maintenance" in answer.body


def test_the_readme_lists_every_fault_that_spoils_an_answer(org: Sandbox) -> None:
    backend = org.backend("salesforce")
    assert isinstance(backend, Spoiler)
    assert {row[0].strip("`"): row[1] for row in rows("| of bulk jobs | what happens |")} == backend.spoils
    for kind in backend.spoils:
        assert org.faults.add({"do": kind, "system": "salesforce"}), kind
        with pytest.raises(ValueError, match="there is no fault"):
            org.faults.add({"do": kind, "system": "xero"})
    org.faults.clear()


def test_the_readme_names_the_credentials() -> None:
    for name in vars(credentials):
        if name.startswith(("SALESFORCE_", "XERO_")):
            assert f"`{getattr(credentials, name)}`" in README, name


def test_the_fidelity_page_is_current() -> None:
    page = fidelity_page(rule for system in standard_systems() for rule in system.rules)
    assert (HOME / "FIDELITY.md").read_text(encoding="utf-8") == page, (
        "run: ikaroa-sandbox fidelity --write sandbox/FIDELITY.md"
    )


def test_the_fidelity_page_counts_and_marks_rules() -> None:
    page = fidelity_page(
        [
            Rule("sage.a.one", "First | rule", "documented", "docs"),
            Rule("sage.b.two", "Second", "assumed", "inference", ("strict", "lax")),
            Rule("sage.a.three", "Third", "recorded", "traffic"),
        ]
    )
    assert "| Sage | 3 | 1 | 1 | 1 |" in page
    assert "| `sage.a.one` | First \\| rule | documented | docs |  |" in page
    assert "| `sage.b.two` | Second | assumed | inference | **strict**, lax |" in page
    assert page.index("sage.a.three") < page.index("### B"), "a subject's rules stand together"


def test_every_rule_has_a_known_mark_and_a_source_and_assumed_ones_have_variants() -> None:
    rules = [rule for system in standard_systems() for rule in system.rules]
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.mark in ("documented", "recorded", "assumed"), rule.id
        assert rule.text, rule.id
        assert rule.source, rule.id
        assert (len(rule.variants) > 1) == (rule.mark == "assumed"), rule.id


@pytest.mark.parametrize(("what", "method", "path"), NOT_SIMULATED, ids=[entry[0] for entry in NOT_SIMULATED])
def test_what_is_said_not_to_be_simulated_answers_501_by_name(
    what: str, method: str, path: str, org: Sandbox
) -> None:
    headers = {"Content-Type": "application/json"}
    if path.startswith("/services/"):
        headers["Authorization"] = f"Bearer {token(org, '/services/oauth2/token', 'salesforce')}"
    else:
        headers["Authorization"] = f"Bearer {token(org, '/connect/token', 'xero')}"
        headers["xero-tenant-id"] = org.dump("xero")["Connection"]["tenantId"]
    answer = org.handle(Request(method, path, headers=Headers(headers)))
    assert isinstance(answer, Response)
    assert answer.status == 501
    assert path.rsplit("/", maxsplit=1)[-1] in answer.body.decode()


def token(org: Sandbox, path: str, system: str) -> str:
    body = f"grant_type=client_credentials&client_id=sandbox-{system}-client&client_secret=sandbox-{system}-secret"
    form = Headers({"Content-Type": "application/x-www-form-urlencoded"})
    answer = org.handle(Request("POST", path, headers=form, body=body.encode()))
    assert isinstance(answer, Response)
    found: str = json.loads(answer.body)["access_token"]
    return found
