"""What a run wrote is taken back, as far as Xero lets one, and stays away until the source or a person wants it back."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from ikaroa_sandbox.adapter import SandboxAdapter
from target_xero import crash
from target_xero.access import Access
from target_xero.exchange import Call, Purpose

pytestmark = pytest.mark.slow
on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
"""Once with the ledger in a file, once in PostgreSQL."""


class Killed(BaseException):
    """The process is gone."""


def ours(house: Any, kind: str) -> list[dict[str, Any]]:
    """What a run made, by its marker."""
    if kind == "Contacts":
        return [row for row in house.books(kind) if str(row.get("ContactNumber") or "").startswith("001")]
    return [row for row in house.books(kind) if "SF-006" in str(row.get("Reference") or "")]


def undo(house: Any, run: int, *arguments: str) -> Any:
    return house.command("undo", str(run), "--json", *arguments)


def actions(answer: Any) -> dict[str, str]:
    return {d["kind"]: d["action"] for d in json.loads(answer.stdout)[0]["documents"]}


def load(house: Any, **invoice: Any) -> list[tuple[str, dict[str, Any]]]:
    documents = [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, **invoice))]
    assert house.load(*documents).exit_code == 0
    return documents


def test_undo_shows_its_plan_and_writes_nothing_unless_asked(house: Any) -> None:
    load(house)
    house.forget_exchanges()
    answer = undo(house, 1)
    assert answer.exit_code == 0
    assert actions(answer) == {"invoices": "delete", "contacts": "archive"}
    assert house.writes == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DRAFT"]


@on_both
def test_a_draft_is_deleted_its_contact_archived_and_both_stay_away(house: Any) -> None:
    documents = load(house)
    assert undo(house, 1, "--apply").exit_code == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DELETED"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ARCHIVED"]
    house.forget_exchanges()
    assert house.load(*documents).exit_code == 0
    assert house.writes == 0, "the same source record does not make it again"
    house.forget_exchanges()
    assert undo(house, 1, "--apply").exit_code in (0, 1)
    assert house.writes == 0, "undone once is undone"


def test_items_are_read_once_and_deleted_one_a_call(house: Any) -> None:
    house.load(
        *(("items", {"source_key": f"P-{n}", "Code": f"W-{n}", "Name": f"Widget {n}"}) for n in range(9))
    )
    for arguments, deletions in (((), 0), (("--apply",), 9)):
        house.forget_exchanges()
        assert undo(house, 1, *arguments).exit_code == 0
        calls = [e["method"] for e in house.exchanges() if "/Items" in e["path"]]
        assert calls.count("DELETE") == deletions
        assert "GET" not in calls[9 if deletions == 0 else calls.index("DELETE") :], "all were read before"
    assert not [row for row in house.books("Items") if str(row["Code"]).startswith("W-")]


def test_a_change_at_the_source_brings_an_invoice_back(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.load(("invoices", house.invoice(1, 1)))
    undo(house, 2, "--apply")
    house.load(("invoices", house.invoice(1, 1, lines=2)))
    assert sorted(row["Status"] for row in ours(house, "Invoices")) == ["DELETED", "DRAFT"]


def test_an_approved_invoice_is_voided(house: Any) -> None:
    load(house)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    answer = undo(house, 1, "--apply")
    assert actions(answer)["invoices"] == "void"
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_what_people_edited_is_left_alone_and_keeps_its_contact(house: Any) -> None:
    load(house)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": "2027-01-31"}}
    )
    answer = undo(house, 1, "--apply")
    assert answer.exit_code == 1
    assert actions(answer) == {"invoices": "left", "contacts": "left"}
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DRAFT"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ACTIVE"]


def test_a_contact_that_others_use_stays(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    (row,) = ours(house, "Contacts")
    house.sandbox.edit(
        "xero",
        {
            "action": "create_invoice",
            "fields": {
                "LineItems": [{"Description": "By hand", "UnitAmount": 5, "AccountCode": "200"}],
            },
            "contact": row["ContactID"],
        },
    )
    answer = undo(house, 1, "--apply")
    assert actions(answer) == {"contacts": "left"}
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ACTIVE"]


@on_both
def test_an_update_goes_back_to_the_revision_before_and_stays_there(house: Any) -> None:
    load(house)
    changed = ("invoices", house.invoice(1, 1, lines=2))
    house.load(changed)
    answer = undo(house, 2, "--apply")
    assert answer.exit_code == 0
    (row,) = ours(house, "Invoices")
    assert len(row["LineItems"]) == 1
    house.load(changed)
    (row,) = ours(house, "Invoices")
    assert len(row["LineItems"]) == 1


def test_a_document_written_again_since_is_undone_from_its_newest_run_on(house: Any) -> None:
    load(house)
    house.load(("invoices", house.invoice(1, 1, lines=2)))
    answer = undo(house, 1)
    (invoice,) = [d for d in json.loads(answer.stdout)[0]["documents"] if d["kind"] == "invoices"]
    assert invoice["action"] == "left"
    assert "run 2" in invoice["reason"]


def test_a_run_nobody_knows_is_an_error(house: Any) -> None:
    load(house)
    answer = undo(house, 77)
    assert answer.exit_code == 1
    assert "77" in answer.stderr


@pytest.mark.parametrize(
    ("house", "point"),
    [
        *(("sqlite", point) for point in ("C1", "C2", "C3", "C6", "C8", "C9")),
        ("postgres", "C3"),
        ("postgres", "C6"),
    ],
    indirect=["house"],
)
def test_an_undo_that_dies_is_finished_by_the_next_one(
    house: Any, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(house)

    def die(name: str) -> None:
        if name == point:
            raise Killed

    monkeypatch.setattr(crash, "armed", die)
    with contextlib.suppress(Killed):
        undo(house, 1, "--apply")
    monkeypatch.setattr(crash, "armed", None)
    house.sandbox.clock.advance(3600)
    house.run([house.state(1)])
    undo(house, 1, "--apply")
    assert [row["Status"] for row in ours(house, "Invoices")] == ["DELETED"]
    assert [row["ContactStatus"] for row in ours(house, "Contacts")] == ["ARCHIVED"]


def test_a_payment_of_ours_is_taken_back_before_its_invoice(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    payment = {
        "source_key": f"{house.invoice(1, 1)['source_key']}#payment",
        "invoice_key": house.invoice(1, 1)["source_key"],
        "marker": "SF:1",
        "Date": "2026-11-02",
        "Amount": "24.60",
        "AccountCode": "090",
    }
    assert house.load(("payments", payment)).exit_code == 0
    assert "left" in actions(undo(house, 1))["invoices"], "a paid invoice gets a proposal, nothing more"
    assert undo(house, 2, "--apply").exit_code == 0
    assert [p["Status"] for p in house.books("Payments") if "SF:1" in str(p["Reference"])] == ["DELETED"]
    assert undo(house, 1, "--apply").exit_code == 0
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_one_undo_takes_back_an_invoice_with_the_payment_the_same_run_made(house: Any) -> None:
    invoice = house.invoice(1, 1, Status="AUTHORISED")
    payment = {"source_key": "p1", "invoice_key": invoice["source_key"], "marker": "SF:1", "Date": "2026-11-02",
               "Amount": "24.60", "AccountCode": "090"}  # fmt: skip
    documents = (("contacts", house.contact(1)), ("invoices", invoice), ("payments", payment))
    ran = house.load(*documents, allow_statuses=["DRAFT", "AUTHORISED"])
    assert ran.exit_code == 0, ran.told
    house.sandbox.clock.advance(120)
    told = undo(house, 1, "--apply")
    assert told.exit_code == 0, told.output
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]
    assert [p["Status"] for p in house.books("Payments") if "SF:1" in str(p["Reference"])] == ["DELETED"]


def test_after_a_payment_was_taken_back_another_one_may_be_entered(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    invoice = house.invoice(1, 1)["source_key"]
    first = {"source_key": "p1", "invoice_key": invoice, "marker": "SF:1", "Date": "2026-11-02", "Amount": "24.60",
             "AccountCode": "090"}  # fmt: skip
    assert house.load(("payments", first)).exit_code == 0
    assert undo(house, 2, "--apply").exit_code == 0
    house.sandbox.clock.advance(120)
    second = first | {"source_key": "p2", "marker": "SF:2", "Amount": "10"}
    ran = house.load(("payments", second))
    assert ran.exit_code == 0, ran.told
    live = [
        p for p in house.books("Payments") if p["Status"] == "AUTHORISED" and "SF:" in str(p["Reference"])
    ]
    assert [str(p["Amount"]) for p in live] in (["10"], ["10.00"])


def test_an_item_nobody_uses_is_deleted(house: Any) -> None:
    item = {"source_key": "01t1", "Code": "W-1", "Name": "Widget", "SalesDetails": {"UnitPrice": "5"}}
    assert house.load(("items", item)).exit_code == 0
    assert undo(house, 1, "--apply").exit_code == 0
    assert not [row for row in house.books("Items") if row["Code"] == "W-1"]


ALLOWED = {"allow_statuses": ["DRAFT", "AUTHORISED"]}


def credited(house: Any, amount: str, number: int = 1) -> tuple[str, dict[str, Any]]:
    """A credit note over 24.60, `amount` of it against the first invoice."""
    invoice = house.invoice(1, 1)
    used = [{"invoice_key": invoice["source_key"], "Amount": amount, "Date": "2026-11-02"}]
    note = {k: v for k, v in invoice.items() if k not in ("DueDate", "Status", "Type")}
    note |= {
        "source_key": f"N{number}",
        "marker": f"SF-N{number}",
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
    }
    return "credit_notes", note | {"allocations": used}


def load_credited(house: Any, amount: str) -> list[tuple[str, dict[str, Any]]]:
    bill = ("invoices", house.invoice(1, 1, Status="AUTHORISED"))
    documents = [("contacts", house.contact(1)), bill, credited(house, amount)]
    ran = house.load(*documents, **ALLOWED)
    assert ran.exit_code == 0, ran.told
    assert len(allocations(house)) == 1
    house.sandbox.clock.advance(120)
    return documents


def allocations(house: Any) -> list[dict[str, Any]]:
    notes = {n["CreditNoteID"] for n in house.books("CreditNotes") if "SF-N" in str(n.get("Reference") or "")}
    return [a for a in house.books("Allocations") if a["CreditNoteID"] in notes]


@on_both
@pytest.mark.parametrize("amount", ["24.60", "5.00"])
def test_one_undo_takes_back_a_credit_note_its_allocation_and_the_invoice(house: Any, amount: str) -> None:
    documents = load_credited(house, amount)
    shown = undo(house, 1)
    assert shown.exit_code == 0, shown.output
    assert actions(shown) == {
        "allocations": "delete",
        "credit_notes": "void",
        "invoices": "void",
        "contacts": "archive",
    }
    assert len(allocations(house)) == 1, "shown, not done"
    told = undo(house, 1, "--apply")
    assert told.exit_code == 0, told.output
    assert allocations(house) == []
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]
    assert [row["Status"] for row in house.books("CreditNotes") if "SF-N1" in str(row["Reference"])] == [
        "VOIDED"
    ]
    house.forget_exchanges()
    again = house.load(*documents, **ALLOWED)
    assert again.exit_code == 0, again.told
    assert house.writes == 0, "the same source record does not make it again"


def test_an_allocation_alone_is_taken_back_and_stays_away(house: Any) -> None:
    documents = [("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)), credited(house, "5.00")]
    house.load(*documents, **ALLOWED)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    house.load(*documents, **ALLOWED)
    assert len(allocations(house)) == 1, "it waited for the invoice"
    house.sandbox.clock.advance(120)
    assert actions(undo(house, 2, "--apply")) == {"allocations": "delete"}
    assert allocations(house) == []
    assert [row["Status"] for row in ours(house, "Invoices")] == ["AUTHORISED"]
    house.sandbox.clock.advance(120)
    house.load(*documents, **ALLOWED)
    assert allocations(house) == []


def test_an_allocation_that_people_removed_is_no_trouble(house: Any) -> None:
    load_credited(house, "5.00")
    (entry,) = allocations(house)
    path = f"/CreditNotes/{entry['CreditNoteID']}/Allocations/{entry['AllocationID']}"
    by_hand(house, "DELETE", path)
    told = undo(house, 1, "--apply")
    assert actions(told) == {
        "allocations": "left",
        "credit_notes": "void",
        "invoices": "void",
        "contacts": "archive",
    }
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_credit_that_people_gave_an_invoice_is_named_and_stays(house: Any) -> None:
    load_credited(house, "5.00")
    (row,) = ours(house, "Invoices")
    lines = [
        {"Description": "Goodwill", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", "TaxType": "NONE"}
    ]
    note = {
        "Type": "ACCRECCREDIT",
        "Contact": {"ContactID": row["ContactID"]},
        "LineItems": lines,
        "Status": "AUTHORISED",
    }
    (made,) = by_hand(house, "PUT", "/CreditNotes", {"CreditNotes": [note]})["CreditNotes"]
    used = {"Amount": "3.00", "Date": "2026-11-02", "Invoice": {"InvoiceID": row["InvoiceID"]}}
    by_hand(house, "PUT", f"/CreditNotes/{made['CreditNoteID']}/Allocations", {"Allocations": [used]})
    told = undo(house, 1)
    assert actions(told) == {
        "allocations": "delete",
        "credit_notes": "void",
        "invoices": "left",
        "contacts": "left",
    }
    (bill,) = [d for d in json.loads(told.stdout)[0]["documents"] if d["kind"] == "invoices"]
    assert (
        f"credit note {made['CreditNoteNumber']} (GBP 3.00) is allocated to it; it stays. Remove that in Xero"
        in bill["reason"]
    )


@pytest.mark.parametrize(("kind", "amount"), [("Overpayment", "4.00"), ("Prepayment", "24.60")])
def test_money_received_before_or_beyond_a_bill_is_named_with_the_way_to_take_it_off(
    house: Any, kind: str, amount: str
) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    (row,) = ours(house, "Invoices")
    edit = house.sandbox.edit
    edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})
    edit("xero", {"action": "allocate_credit", "invoice": row["InvoiceID"], "kind": kind, "amount": amount})
    house.forget_exchanges()
    shown = undo(house, 1, "--apply")
    assert shown.exit_code == 1
    assert house.writes == 0, "the credit is the customer's, and the invoice stays as it is"
    (bill,) = [d for d in json.loads(shown.stdout)[0]["documents"] if d["kind"] == "invoices"]
    assert bill["action"] == "left"
    for words in (
        f"{kind.lower()} (GBP {amount}, of 2026-11-02, id ",
        "is allocated to it",
        "remove the allocation to Invoice INV-",
    ):
        assert words in bill["reason"]
    assert "Proposal" not in bill["reason"], "no credit note over what the customer has paid otherwise"
    edit("xero", {"action": "remove_credit", "invoice": row["InvoiceID"]})
    house.sandbox.clock.advance(120)
    assert undo(house, 1, "--apply").exit_code == 0
    assert [found["Status"] for found in ours(house, "Invoices")] == ["VOIDED"]


@pytest.mark.parametrize("fault", ["timeout_after", "timeout_before"])
def test_an_allocation_whose_removal_got_no_answer_is_looked_at_again(house: Any, fault: str) -> None:
    load_credited(house, "5.00")
    house.fault(fault, method="DELETE")
    told = undo(house, 1, "--apply")
    assert told.exit_code == (0 if fault == "timeout_after" else 1)
    house.sandbox.clock.advance(3600)
    house.run([house.state(1)])
    undo(house, 1, "--apply")
    assert allocations(house) == []
    assert [row["Status"] for row in ours(house, "Invoices")] == ["VOIDED"]


def test_nothing_is_called_settled_while_something_stays(house: Any) -> None:
    load(house)
    (row,) = ours(house, "Invoices")
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": "2027-01-31"}}
    )
    told = house.command("undo", "1", "--apply").stdout
    assert "All settled" not in told
    assert told.rstrip().endswith("Not all taken back: 0 documents are; 2 left alone for the reasons above.")


def test_a_whole_undo_says_so(house: Any) -> None:
    load(house)
    assert house.command("undo", "1", "--apply").stdout.rstrip().endswith("All taken back: 2 documents.")


def by_hand(house: Any, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What another app with the same rights does."""
    with Access(house.make().settings, adapter=SandboxAdapter(house.sandbox), timing=house.timing) as access:
        answer = access.client.send(Call(Purpose.WRITE, method, path, body=body))
        assert answer.status in (200, 204), answer.text
        return answer.body or {}


def reconciled(house: Any) -> dict[str, Any]:
    answer = house.command("reconcile", "--json")
    (told,) = json.loads(answer.stdout)["organisations"]
    assert answer.exit_code == int(not told["reconciled"])
    return told


@on_both
def test_what_was_undone_is_told_as_long_as_the_source_says_it(house: Any) -> None:
    documents = load(house)
    undo(house, 1, "--apply")
    ran = house.load(*documents)
    assert ran.exit_code == 0
    assert ran.last_line.startswith("All settled: 0 documents. 2 stay undone")
    told = reconciled(house)
    assert told["counts"] == {"undone": 2}
    (total,) = [one for one in told["totals"] if one["kind"] == "invoices"]
    assert (total["ledger"], total["xero"], total["difference"]) == ("0.00", "0.00", f"-{total['source']}")
    house.load(("invoices", {"source_key": documents[1][1]["source_key"], "withdrawn": True}))
    assert reconciled(house)["counts"] == {"undone": 1}, "the contact"


def test_an_update_that_was_undone_is_told_by_reconcile_until_it_is_brought_back(house: Any) -> None:
    load(house)
    house.load(("invoices", house.invoice(1, 1, lines=2)))
    undo(house, 2, "--apply")
    (difference,) = reconciled(house)["differences"]
    assert (difference["finding"], difference["kind"]) == ("undone", "invoices")
    assert difference["source"] > difference["ledger"] == difference["xero"]
    assert house.command("retry", "--key", difference["key"]).exit_code == 0
    assert reconciled(house)["reconciled"]


def test_going_back_to_what_was_before_and_forth_again_is_a_change(house: Any) -> None:
    _, invoice = load(house)
    changed = ("invoices", house.invoice(1, 1, lines=2))
    house.load(changed)
    undo(house, 2, "--apply")
    for document, writes in ((changed, 0), (invoice, 0), (changed, 1)):
        house.forget_exchanges()
        house.load(document)
        assert house.writes == writes
