"""Mode approve: nothing is written until somebody says so, and then exactly what was shown."""

from __future__ import annotations

import contextlib
import html
import json
from pathlib import Path
from typing import Any

import pytest
from target_xero import crash

pytestmark = pytest.mark.slow
on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
"""Once with the ledger in a file, once in PostgreSQL."""

AUTHOR = {"mode": "approve", "run_by": "Anna"}


class Killed(BaseException):
    """The process is gone."""


def documents(house: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1))]


def shown_hash(house: Any, **config: Any) -> str:
    answer = house.command("plan", "--json", **{**AUTHOR, **config})
    return str(json.loads(answer.stdout)[0]["plan_hash"])


def approve(house: Any, *arguments: str, **config: Any) -> Any:
    return house.command("approve", *arguments, "--json", **{**AUTHOR, **config})


def apply(house: Any, **config: Any) -> Any:
    return house.command("apply", "--json", **{**AUTHOR, **config})


def test_an_approve_run_writes_nothing_hands_its_bookmark_on_and_says_how_to_release(house: Any) -> None:
    ran = house.load(*documents(house), **AUTHOR)
    assert house.writes == 0
    assert ran.states, "the ledger owns what was proposed"
    assert "2 waiting for approval" in ran.last_line
    assert "target-xero approve" in ran.last_line
    assert "target-xero apply" in ran.last_line
    assert ran.exit_code == 0


def test_apply_without_approval_writes_nothing(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    apply(house)
    assert house.writes == 0


@on_both
def test_what_was_approved_is_carried_out_once_and_apply_again_is_nothing(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    answer = approve(house, shown_hash(house), "--comment", "month end")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)[0]["approved"] == 2
    assert house.writes == 0
    assert apply(house).exit_code == 0
    assert [i["Reference"] for i in house.books("Invoices")].count(
        f"SF-{house.invoice(1, 1)['source_key']}"
    ) == 1
    house.forget_exchanges()
    assert apply(house).exit_code == 0
    assert house.writes == 0


# -- what is shown of what cannot be approved -----------------------------------------------------------------------------


def told_everywhere(house: Any, words: str) -> dict[str, Any]:
    """The words are in the table, the saved JSON and HTML of `plan`, and in both answers of `approve`; the document itself."""
    table = house.command("plan", **AUTHOR)
    assert words in " ".join(table.stdout.split())
    (plan,) = json.loads(house.command("plan", "--json", **AUTHOR).stdout)
    (document,) = [d for d in plan["documents"] if words in d.get("reason", "")]
    page = html.unescape(Path(plan["saved"]["html"]).read_text(encoding="utf-8"))
    assert words in page
    answer = house.command("approve", **AUTHOR)
    assert words in " ".join(answer.stdout.split())
    (answered,) = json.loads(approve(house).stdout)
    assert [words in one["reason"] for one in answered["left_out"] if one["kind"] == document["kind"]] == [
        True
    ]
    return {**document, "page": page, "exit_code": answer.exit_code}


def test_a_payment_of_a_draft_invoice_is_shown_with_amount_and_why_it_waits(house: Any) -> None:
    invoice = house.invoice(1, 1)
    payment = {"source_key": "p1", "invoice_key": invoice["source_key"], "marker": "SF:1", "Date": "2026-11-02",
               "Amount": "24.60", "AccountCode": "090"}  # fmt: skip
    house.load(*documents(house), ("payments", payment), **AUTHOR)
    shown = told_everywhere(house, "is DRAFT in Xero; the payment is entered once it is approved there.")
    assert (shown["action"], shown["currency"], shown["total"]) == ("wait", "GBP", "24.60")
    assert "payment, p1, 2026-11-02, GBP 24.60 [p1]" in house.command("plan", **AUTHOR).stdout


def test_a_credit_and_rebill_proposal_is_shown_whole_and_never_approved(house: Any) -> None:
    house.load(*documents(house))
    (row,) = [r for r in house.books("Invoices") if "SF-006" in str(r.get("Reference") or "")]
    for action in ("approve_invoice", "pay_invoice"):
        house.sandbox.edit("xero", {"action": action, "invoice": row["InvoiceID"]})
    ran = house.load(("invoices", house.invoice(1, 1, lines=2)), **AUTHOR)
    assert "To release what waits" not in ran.last_line, "there is nothing that an approval could release"
    words = (
        f"Proposed (not sent): a credit note over 24.60 GBP dated 2026-11-02 against {row['InvoiceNumber']}"
    )
    shown = told_everywhere(house, words)
    assert (shown["action"], shown["rules"], shown["exit_code"]) == ("refuse", ["not_a_draft"], 1)
    proposal = shown["proposal"]
    assert (proposal["action"], proposal["credit_note"]["Total"]) == ("credit_and_rebill", "24.60")
    assert len(proposal["invoice"]["LineItems"]) == 2
    assert '"Reference": "Credit of INV-' in shown["page"]
    house.forget_exchanges()
    apply(house)
    assert house.writes == 0


def test_an_undo_says_what_it_leaves_for_a_revision_that_waits_for_approval(house: Any) -> None:
    house.load(*documents(house))
    house.load(("invoices", house.invoice(1, 1, lines=2)), **AUTHOR)
    answer = house.command("undo", "1", "--json")
    assert answer.exit_code == 1
    (plan,) = json.loads(answer.stdout)
    (invoice,) = [d for d in plan["documents"] if d["kind"] == "invoices"]
    assert invoice["action"] == "left"
    assert "A newer revision of it is not settled yet" in invoice["reason"]
    table = house.command("undo", "1")
    assert "A newer revision of it is not settled yet" in " ".join(table.stdout.split())
    assert "A newer revision of it is not settled yet" in Path(plan["saved"]["html"]).read_text(
        encoding="utf-8"
    )


def test_an_undos_proposal_for_a_paid_invoice_is_in_table_json_and_page(house: Any) -> None:
    house.load(*documents(house))
    (row,) = [r for r in house.books("Invoices") if "SF-006" in str(r.get("Reference") or "")]
    for action in ("approve_invoice", "pay_invoice"):
        house.sandbox.edit("xero", {"action": action, "invoice": row["InvoiceID"]})
    (plan,) = json.loads(house.command("undo", "1", "--json").stdout)
    (invoice,) = [d for d in plan["documents"] if d["kind"] == "invoices"]
    words = "GBP 24.60 of 24.60 is settled, and stays. Proposal: a credit note over GBP 24.60 for the same contact"
    assert words in invoice["reason"]
    assert words in " ".join(house.command("undo", "1").stdout.split())
    assert words in html.unescape(Path(plan["saved"]["html"]).read_text(encoding="utf-8"))


def test_a_later_approve_run_with_the_same_documents_keeps_the_proposals(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    before = shown_hash(house)
    house.load(*documents(house), **AUTHOR)
    assert shown_hash(house) == before


def test_a_run_that_applies_leaves_proposals_waiting(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    house.load(*documents(house))
    assert house.writes == 0


def test_an_old_hash_is_refused_and_named_with_the_new_one(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    old = shown_hash(house)
    house.load(("contacts", house.contact(1, EmailAddress="new@example.com")), **AUTHOR)
    answer = approve(house, old)
    assert answer.exit_code == 1
    assert old[:12] in answer.stderr
    assert shown_hash(house)[:12] in answer.stderr


@on_both
def test_a_source_that_changed_after_the_approval_is_refused_by_hash(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    approve(house)
    house.load(("contacts", house.contact(1, EmailAddress="new@example.com")), **AUTHOR)
    answer = apply(house)
    (changed,) = json.loads(answer.stdout)[0]["changed"]
    assert answer.exit_code == 1
    assert changed["kind"] == "contacts"
    assert "approved it as" in changed["reason"]
    assert "source now says" in changed["reason"]
    assert [row for row in house.books("Contacts") if row["Name"] == "Customer 1"] == []


@on_both
@pytest.mark.parametrize("kind", ["contacts", "invoices"])
def test_a_document_that_people_changed_after_the_approval_is_refused_and_proposed_anew(
    house: Any, kind: str
) -> None:
    house.load(*documents(house))
    new = {
        "contacts": house.contact(1, EmailAddress="new@example.com"),
        "invoices": house.invoice(1, 1, lines=2),
    }[kind]
    house.load((kind, new), **AUTHOR)
    approve(house)
    if kind == "contacts":
        (row,) = [row for row in house.books("Contacts") if row["Name"] == "Customer 1"]
        edit = {"action": "rename_contact", "contact": row["ContactID"], "name": "By hand"}
    else:
        (row,) = [r for r in house.books("Invoices") if r["Reference"].startswith("SF-006")]
        edit = {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": "2027-01-31"}}
    house.sandbox.edit("xero", edit)
    house.sandbox.clock.advance(61)
    house.forget_exchanges()
    answer = apply(house)
    (changed,) = json.loads(answer.stdout)[0]["changed"]
    assert answer.exit_code == 1
    assert "approved" in changed["reason"]
    assert "Xero now has" in changed["reason"]
    assert house.writes == 0
    approve(house)
    apply(house)
    assert house.writes == 1, "looked at again and approved again, it goes"


@on_both
def test_an_update_that_people_have_made_already_is_approved_and_done_without_a_write(house: Any) -> None:
    house.load(*documents(house))
    (row,) = [r for r in house.books("Invoices") if r["Reference"].startswith("SF-006")]
    due = "2027-01-31"
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": due}}
    )
    house.sandbox.clock.advance(61)
    house.load(("invoices", house.invoice(1, 1, DueDate=due)), **AUTHOR)
    approve(house)
    house.forget_exchanges()
    answer = apply(house)
    assert json.loads(answer.stdout)[0]["changed"] == []
    assert (answer.exit_code, house.writes) == (0, 0)
    assert json.loads(house.command("plan", "--json", **AUTHOR).stdout)[0]["documents"] == []


def test_the_author_may_not_be_the_second_approver(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    refused = approve(house, "--by", " an\u200bna ", second_approver=True)
    assert refused.exit_code == 1
    assert "second_approver" in refused.stderr
    assert approve(house, "--by", "Ben", second_approver=True).exit_code == 0


@on_both
def test_part_of_a_plan_can_be_approved(house: Any) -> None:
    house.load(*documents(house), **AUTHOR)
    assert json.loads(approve(house, "--only", "contacts").stdout)[0] | {"plan_hash": ""} == {
        "organisation": "Sandbox Trading Ltd",
        "plan_hash": "",
        "approval": 1,
        "approved_by": "Anna",
        "approved": 1,
        "still_waiting": 1,
        "left_out": [],
    }
    apply(house)
    assert [row["Name"] for row in house.books("Contacts")].count("Customer 1") == 1
    assert not [row for row in house.books("Invoices") if row["Reference"].startswith("SF-006")]


def test_what_waits_stays_waiting_when_refused_documents_are_retried(house: Any) -> None:
    house.load(("invoices", house.invoice(1, 1)), **AUTHOR)
    house.load(("contacts", house.contact(1)), **AUTHOR)
    approve(house, "--only", "contacts")
    apply(house)
    assert not [row for row in house.books("Invoices") if row["Reference"].startswith("SF-006")]
    house.run([house.state(1)], retry_refused=True)
    assert not [row for row in house.books("Invoices") if row["Reference"].startswith("SF-006")]


@pytest.mark.parametrize(
    ("house", "point"),
    [*(("sqlite", point) for point in crash.POINTS), ("postgres", "C3"), ("postgres", "C6")],
    indirect=["house"],
)
def test_an_apply_that_dies_is_finished_by_the_next_one(
    house: Any, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.load(*documents(house), **AUTHOR)
    approve(house)

    def die(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr(crash, "armed", die)
    with contextlib.suppress(Killed):
        apply(house)
    monkeypatch.setattr(crash, "armed", None)
    house.sandbox.clock.advance(3600)
    assert apply(house).exit_code == 0
    assert [row["Name"] for row in house.books("Contacts")].count("Customer 1") == 1
    assert sum(row["Reference"].startswith("SF-006") for row in house.books("Invoices")) == 1


def test_a_proposal_that_would_be_refused_is_shown_with_its_reason_and_fails_the_run(house: Any) -> None:
    ran = house.load(
        ("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, CurrencyCode="USD")), **AUTHOR
    )
    assert ran.exit_code == 1
    assert "currency_not_enabled" in ran.err
    assert house.writes == 0


def test_an_approval_is_used_up_by_the_apply_that_met_a_refusal_and_what_goes_again_is_approved_anew(
    house: Any,
) -> None:
    house.load(*documents(house), **AUTHOR)
    approve(house, shown_hash(house))
    house.sandbox.edit("xero", {"action": "set_lock_dates", "period": "2026-11-30"})
    assert apply(house).exit_code == 1
    house.sandbox.edit("xero", {"action": "set_lock_dates", "period": None})
    again = house.command("retry", "--all", **AUTHOR)
    assert "1 waiting for approval" in again.stdout
    house.forget_exchanges()
    apply(house)
    assert house.writes == 0
    assert json.loads(approve(house).stdout)[0]["approved"] == 1
    answer = json.loads(apply(house).stdout)[0]
    assert (answer["released"], house.writes) == (1, 1)


def merged_after_approval(house: Any, into: str) -> str:
    """An invoice is approved for Customer 1, who is then merged into somebody else; whose id that is."""
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    house.load(("invoices", house.invoice(1, 1)), **AUTHOR)
    plan = json.loads(house.command("plan", "--json", **AUTHOR).stdout)[0]
    assert [document["party"] for document in plan["documents"]] == ["Customer 1"]
    assert approve(house, "--by", "Ben", second_approver=True).exit_code == 0
    contacts = {row["Name"]: row["ContactID"] for row in house.books("Contacts")}
    house.sandbox.clock.advance(120)
    if into not in contacts:
        edit = {"action": "create_contact", "fields": {"Name": into}}
        contacts[into] = house.sandbox.edit("xero", edit)["ContactID"]
    house.sandbox.edit(
        "xero", {"action": "merge_contacts", "contact": contacts["Customer 1"], "into": contacts[into]}
    )
    house.sandbox.clock.advance(120)
    house.forget_exchanges()
    return contacts[into]


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("into", ["Somebody Else", "Customer 2"])
def test_an_invoice_approved_for_one_customer_never_goes_to_another_without_a_new_approval(
    house: Any, into: str
) -> None:
    """The second one is a customer of the source's, too, so that the link itself does not move."""
    survivor = merged_after_approval(house, into)
    answer = apply(house)
    (changed,) = json.loads(answer.stdout)[0]["changed"]
    assert "It was approved for 'Customer 1'" in changed["reason"]
    assert f"would now go to '{into}'" in changed["reason"]
    assert (answer.exit_code, house.writes) == (1, 0)
    plan = json.loads(house.command("plan", "--json", **AUTHOR).stdout)[0]
    assert [document["party"] for document in plan["documents"]] == [f"{into} (took the place of Customer 1)"]
    assert approve(house, "--by", "Ben", second_approver=True).exit_code == 0
    assert apply(house).exit_code == 0
    (made,) = [row for row in house.books("Invoices") if row["Reference"].startswith("SF-006")]
    assert made["ContactID"] == survivor


def test_a_contact_that_is_only_renamed_is_the_same_customer(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.load(("invoices", house.invoice(1, 1)), **AUTHOR)
    approve(house)
    contact = next(row for row in house.books("Contacts") if row["Name"] == "Customer 1")
    house.sandbox.edit(
        "xero", {"action": "rename_contact", "contact": contact["ContactID"], "name": "Customer 1 Ltd"}
    )
    assert apply(house).exit_code == 0
    assert [row["ContactID"] for row in house.books("Invoices") if row["Reference"].startswith("SF-006")] == [
        contact["ContactID"]
    ]
