"""Whatever is paid, credited, taken back, saved and restored: every document adds up, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

D = Decimal
STEP = st.tuples(
    st.sampled_from(["pay", "allocate", "unpay", "unallocate", "refund", "void", "edit", "save", "restore"]),
    st.integers(0, 5),
    st.decimals("0.01", "130", places=2),
)


def check(dump: dict[str, Any]) -> None:
    """An independent account of the dumped rows."""
    paid: dict[str, Decimal] = {}
    for payment in dump["Payments"]:
        if payment["Status"] == "AUTHORISED":
            paid[payment["DocumentID"]] = paid.get(payment["DocumentID"], D(0)) + D(payment["Amount"])
    credited: dict[str, Decimal] = {}
    applied: dict[str, Decimal] = {}
    for entry in dump["Allocations"]:
        credited[entry["InvoiceID"]] = credited.get(entry["InvoiceID"], D(0)) + D(entry["Amount"])
        applied[entry["CreditNoteID"]] = applied.get(entry["CreditNoteID"], D(0)) + D(entry["Amount"])
    for row in dump["Invoices"]:
        total, due = D(row["Total"]), D(row["AmountDue"])
        assert D(row["AmountPaid"]) == paid.get(row["InvoiceID"], D(0))
        assert D(row["AmountCredited"]) == credited.get(row["InvoiceID"], D(0))
        assert D(row["AmountPaid"]) + D(row["AmountCredited"]) + due == total
        assert due >= 0
        if row["Status"] in ("PAID", "AUTHORISED"):
            assert (row["Status"] == "PAID") == (due == 0)
            assert ("FullyPaidOnDate" in row) == (due == 0)
        else:
            assert due == total
    for row in dump["CreditNotes"]:
        used = applied.get(row["CreditNoteID"], D(0)) + paid.get(row["CreditNoteID"], D(0))
        assert D(row["RemainingCredit"]) == D(row["Total"]) - used
        assert D(row["RemainingCredit"]) >= 0


def step(org: Any, act: str, index: int, amount: Decimal, saved: list[Any]) -> None:
    dump = org.backend.dump()
    invoice = dump["Invoices"][index]
    note = dump["CreditNotes"][index % len(dump["CreditNotes"])]
    live = [payment for payment in dump["Payments"] if payment["Status"] == "AUTHORISED"]
    if act == "pay":
        org.put("Payments", org.pay_body(invoice, str(amount)))
    elif act == "refund":
        document = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Invoice": None}
        org.put("Payments", org.pay_body(invoice, str(amount), **document))
    elif act == "allocate":
        entry = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": str(amount)}
        org.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", entry)
    elif act == "unpay" and live:
        org.post(f"Payments/{live[index % len(live)]['PaymentID']}", {"Status": "DELETED"})
    elif act == "unallocate" and dump["Allocations"]:
        entry = dump["Allocations"][index % len(dump["Allocations"])]
        org.call("DELETE", f"CreditNotes/{entry['CreditNoteID']}/Allocations/{entry['AllocationID']}")
    elif act == "void":
        org.post(f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})
    elif act == "edit":
        line = {"Description": "x", "Quantity": 1, "UnitAmount": str(amount), "AccountCode": "200"}
        org.post(f"Invoices/{invoice['InvoiceID']}", {"LineItems": [line]})
    elif act == "save":
        saved.append((org.backend.save(), org.backend.dump()))
    elif act == "restore" and saved:
        state, dumped = saved[-1]
        org.backend.restore(state)
        assert org.backend.dump() == dumped


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=1, max_size=25))
def test_no_sequence_of_acts_makes_a_cent_appear_or_vanish(
    org: Any, steps: list[tuple[str, int, Decimal]]
) -> None:
    org.backend.reset()
    org.backend.seed(7, "empty")
    org._token = None
    org.call("PUT", "Contacts", {"Name": "Old Mill Bakery"})
    for _ in range(6):
        org.invoice()
    for _ in range(2):
        org.credit_note()
    saved: list[Any] = []
    for act, index, amount in steps:
        step(org, act, index, amount, saved)
        check(org.backend.dump())


def test_the_seeded_organisation_adds_up(org: Any) -> None:
    check(org.backend.dump())


def test_restore_brings_back_numbers_payments_and_series(org: Any) -> None:
    state, before = org.backend.save(), org.backend.dump()
    invoice = org.invoice()
    org.pay(invoice, "50")
    org.backend.restore(state)
    assert org.backend.dump() == before
    org._token = None
    assert org.invoice()["InvoiceNumber"] == invoice["InvoiceNumber"]
