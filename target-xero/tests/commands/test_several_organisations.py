"""The commands where one source feeds several Xero organisations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ikaroa_sandbox.xero import organisation as first_organisation

pytestmark = pytest.mark.slow

UK = first_organisation.TENANT_ID
IE = "7c1e6f0a-3b52-4d19-8a77-0d5be1c2a9f4"


@pytest.fixture
def two(house: Any) -> Any:
    house.sandbox.edit("xero", {"action": "add_organisation", "name": "Sandbox Ireland Ltd", "id": IE})
    house.config.update(
        auth_method="refresh_token",
        refresh_token="sandbox-xero-refresh",
        token_store_key="ab" * 32,
        organisations=[
            {"name": "UK", "tenant_id": UK, "when": "organisation == 'UK'"},
            {"name": "Ireland", "tenant_id": IE, "when": "organisation == 'Ireland'"},
        ],
    )
    return house


@pytest.fixture
def ran(two: Any) -> Any:
    documents = [
        (kind, make(n, *more, organisation=name))
        for n, name in ((1, "UK"), (2, "Ireland"))
        for kind, make, more in (("contacts", two.contact, ()), ("invoices", two.invoice, (n,)))
    ]
    assert two.load(*documents).exit_code == 0
    return two


def test_each_organisation_is_reconciled_by_itself(ran: Any) -> None:
    told = json.loads(ran.command("reconcile", "--json").stdout)
    assert told["reconciled"] is True
    assert [(one["organisation"]["name"], one["compared"]) for one in told["organisations"]] == [
        ("Sandbox Trading Ltd", 2), ("Sandbox Ireland Ltd", 2),
    ]  # fmt: skip


def test_one_organisation_can_be_asked_for_by_name_or_id(ran: Any) -> None:
    for wanted in ("Sandbox Ireland Ltd", IE, "Ireland"):
        (one,) = json.loads(ran.command("reconcile", "--json", "--organisation", wanted).stdout)[
            "organisations"
        ]
        assert one["organisation"]["id"] == IE
    assert "it has" in ran.command("reconcile", "--organisation", "Nobody").stderr


def test_check_looks_at_each_before_the_first_run_and_after_it(two: Any) -> None:
    for _ in range(2):
        told = json.loads(two.command("check", "--json").stdout)
        assert told["ok"] is True, told
        assert {line["organisation"] for line in told["checks"]} == {"UK", "Ireland"}
        two.load(("contacts", two.contact(1, organisation="UK")))


def test_rejects_name_the_organisation_and_retry_goes_to_it(two: Any) -> None:
    two.load(
        ("contacts", two.contact(1, organisation="UK")), ("contacts", two.contact(2, organisation="Ireland"))
    )
    taken = two.sandbox.edit(
        "xero", {"action": "create_contact", "tenant_id": IE, "fields": {"Name": "Customer 3"}}
    )
    two.load(("contacts", two.contact(3, organisation="Ireland")))
    (document,) = json.loads(two.command("rejects", "--json").stdout)["documents"]
    assert document["organisation"]["id"] == IE
    rename = {
        "action": "rename_contact",
        "tenant_id": IE,
        "contact": taken["ContactID"],
        "name": "Somebody else",
    }
    two.sandbox.edit("xero", rename)
    done = two.command("retry", "--all")
    assert done.exit_code == 0, done.output
    assert "Customer 3" in {
        row["Name"] for row in two.sandbox.dump("xero")["OtherOrganisations"][IE]["Contacts"]
    }


def test_a_document_that_no_organisation_takes_is_among_the_rejects(two: Any) -> None:
    assert two.load(("contacts", two.contact(1, organisation="France"))).exit_code == 1
    (document,) = json.loads(two.command("rejects", "--json").stdout)["documents"]
    assert document["key"] == f"001{1:015d}"
    assert document["state"] == "refused"


def test_what_was_found_is_looked_up_and_settled_in_the_organisation_that_parked_it(ran: Any) -> None:
    again = ran.invoice(3, 2, organisation="Ireland")
    same = {name: again[name] for name in ("Date", "DueDate", "LineAmountTypes", "LineItems")}
    edit = {"action": "create_invoice", "tenant_id": IE, "contact": "Customer 2", "fields": same}
    by_hand = ran.sandbox.edit("xero", edit)["InvoiceID"]
    ran.sandbox.clock.advance(61)
    assert ran.load(("invoices", again)).exit_code == 1
    settled = ran.command("retry", "--key", again["source_key"], "--found", by_hand, "--json")
    assert settled.exit_code == 0, settled.stderr
    assert by_hand in json.loads(settled.stdout)["found"]
    ran.forget_exchanges()
    assert (ran.load(("invoices", again)).exit_code, ran.writes) == (0, 0)


def test_one_mark_may_stand_in_two_organisations(two: Any) -> None:
    """Nobody looks for a document of the one in the other."""
    documents = [
        (kind, make(n, *more, organisation=name, **marked))
        for n, name in ((1, "UK"), (2, "Ireland"))
        for kind, make, more, marked in (
            ("contacts", two.contact, (), {}),
            ("invoices", two.invoice, (n,), {"marker": "SF-1"}),
        )
    ]
    assert two.load(*documents).exit_code == 0
