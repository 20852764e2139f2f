"""Too much at once, paid otherwise, another total: the figures are named and nothing is sent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from target_xero.plan.kinds import KINDS

pytestmark = pytest.mark.slow


def contacts(house, count, **fields):
    return [("contacts", house.contact(n, **fields)) for n in range(count)]


# -- mass changes ----------------------------------------------------------------------------------------------------------


def test_more_documents_than_max_documents_are_not_begun(house):
    documents = contacts(house, 5)
    ran = house.load(*documents, max_documents=4)
    assert (ran.exit_code, house.writes, ran.states) == (1, 0, [])
    assert "would write 5 documents, and max_documents is 4" in ran.last_line
    assert "TARGET_XERO_MAX_DOCUMENTS=5 meltano run" in ran.last_line
    assert house.load(max_documents=4).exit_code == 1
    assert house.load(max_documents=5).exit_code == 0
    assert house.writes == 1


def test_what_a_limit_stops_can_be_looked_at_whole_and_the_plan_tells_of_the_limit(house):
    documents = [*contacts(house, 3), *(("invoices", house.invoice(n, n)) for n in range(3))]
    limits_ = {"max_amount": {"GBP": "61.49"}}
    assert "target-xero plan" in house.load(*documents, **limits_).last_line
    looked = house.command("plan", "--json", **limits_)
    (plan,) = json.loads(looked.stdout)
    planned = house.load(*documents, mode="plan", **limits_)
    saved = sorted((house.folder / "plans").glob("*.html"))
    for shown in (plan, planned.target.outcome.shown.plan.as_dict()):
        assert (shown["stopped"], shown["counts"]) == (None, {"create": 6})
        assert "61.50 GBP, and max_amount is 61.49 GBP" in shown["would_stop"]
        assert 'TARGET_XERO_MAX_AMOUNT=\'{"GBP": "61.50"}\' meltano run' in shown["would_stop"]
    assert (looked.exit_code, planned.exit_code, house.writes) == (1, 1, 0)
    assert all("A run would stop" in page.read_text() for page in saved)
    assert "A run would stop" in planned.err
    assert "would_stop" not in planned.err
    assert house.load(*documents, mode="plan").target.outcome.shown.plan.as_dict()["would_stop"] is None


def test_max_documents_counts_over_the_whole_run(house):
    messages = [house.schema("contacts")]
    for n in range(6):
        messages += [house.record("contacts", **house.contact(n)), house.state({"n": n})]
        if n == 2:
            messages.append("")
    ran = house.run(messages, max_documents=4, commit_interval_seconds=1)
    assert ran.exit_code == 1
    assert len([c for c in house.books("Contacts") if c["Name"].startswith("Customer")]) <= 4


def test_many_changes_of_what_is_there_already_stop_by_their_share(house, monkeypatch):
    monkeypatch.setattr("target_xero.limits.CHANGED_KNOWN_MIN", 8)
    house.load(*contacts(house, 8))
    house.sandbox.clock.advance(120)
    house.forget_exchanges()
    changed = contacts(house, 5, AccountNumber="new")
    ran = house.load(*changed)
    assert (ran.exit_code, house.writes) == (1, 0)
    assert (
        "change or withdraw 5 of 8 documents in Xero (63 %), and max_changed_percent is 50" in ran.last_line
    )
    assert house.load(*changed, max_changed_percent=63).exit_code == 0


@pytest.mark.parametrize(("known", "changed", "exit_code"), [(19, 19, 0), (20, 10, 0), (20, 11, 1)])
def test_a_share_is_looked_at_from_twenty_documents_on(house, known, changed, exit_code):
    house.load(*contacts(house, known))
    house.sandbox.clock.advance(120)
    house.forget_exchanges()
    assert house.load(*contacts(house, changed, AccountNumber="new")).exit_code == exit_code
    assert bool(house.writes) == (exit_code == 0)


def test_a_share_that_people_set_holds_for_a_small_business_too(house):
    house.load(*contacts(house, 40))
    house.sandbox.clock.advance(120)
    assert house.load(*contacts(house, 4, AccountNumber="new"), max_changed_percent=10).exit_code == 0
    house.sandbox.clock.advance(120)
    ran = house.load(*contacts(house, 5, AccountNumber="newer"), max_changed_percent=10)
    assert ran.exit_code == 1
    assert (
        "change or withdraw 5 of 40 documents in Xero (13 %), and max_changed_percent is 10" in ran.last_line
    )


def test_an_undo_is_no_mass_change(house):
    house.load(*contacts(house, 25))
    house.sandbox.clock.advance(120)
    assert house.command("undo", "1", "--apply").exit_code == 0
    left = [
        c
        for c in house.books("Contacts")
        if c["Name"].startswith("Customer") and c["ContactStatus"] == "ACTIVE"
    ]
    assert left == []


def test_what_waited_since_an_earlier_run_is_counted_when_it_goes(house, office):
    documents = contacts(house, 3)
    documents += [("invoices", house.invoice(n, n)) for n in range(3)]
    documents += [("payments", payment(n, "24.60")) for n in range(3)]
    assert house.load(*documents).exit_code == 0
    for row in office.ours():
        office.does("approve_invoice", invoice=row["InvoiceID"])
    before = len(house.books("Payments"))
    ran = house.load(max_documents=2)
    assert (ran.exit_code, len(house.books("Payments"))) == (1, before)
    assert "would write 3 documents, and max_documents is 2" in ran.last_line
    assert house.load(max_documents=3).exit_code == 0
    assert len(house.books("Payments")) == before + 3


def test_an_amount_over_the_limit_of_its_currency_stops_the_run(house, office):
    documents = [*contacts(house, 3), *(("invoices", house.invoice(n, n)) for n in range(3))]
    ran = house.load(*documents, max_amount={"GBP": "61.49", "EUR": "1"})
    assert (ran.exit_code, house.writes) == (1, 0)
    assert "write documents for 61.50 GBP, and max_amount is 61.49 GBP" in ran.last_line
    assert house.load(*documents, max_amount={"GBP": "61.50"}).exit_code == 0


def test_payments_are_summed_apart_in_the_currency_of_what_they_pay(house, office):
    house.load(*contacts(house, 1), ("invoices", house.invoice(0, 0)))
    office.does("approve_invoice", invoice=office.invoice["InvoiceID"])
    ran = house.load(("payments", payment(0, "20.00")), max_amount={"GBP": "19.99"})
    assert ran.exit_code == 1
    assert "write payments for 20.00 GBP" in ran.last_line


# -- payments --------------------------------------------------------------------------------------------------------------


def payment(n, amount, part=""):
    key = f"006{n:015d}"
    return {
        "source_key": f"{key}#payment{part}", "marker": f"SF:{key}{part}", "invoice_key": key, "AccountCode": "090",
        "Date": "2026-11-02", "Amount": amount,
    }  # fmt: skip


@pytest.fixture
def approved(house, office):
    """An approved invoice over 24.60 with tax."""
    house.load(*contacts(house, 1), ("invoices", house.invoice(0, 0)))
    office.does("approve_invoice", invoice=office.invoice["InvoiceID"])
    return office


def test_what_people_paid_is_named_and_nothing_is_paid_twice(house, approved):
    approved.does("pay_invoice", invoice=approved.invoice["InvoiceID"], amount="10.00", reference="bank 7")
    before = len(house.books("Payments"))
    ran = house.load(("payments", payment(0, "10.00")))
    told = " ".join(ran.err.split())
    assert (ran.exit_code, len(house.books("Payments"))) == (1, before)
    assert "has 10.00 paid in Xero, and 0.00 were entered by this ledger" in told
    assert "people entered 10.00 in Xero: 10.00 on 2026-11-02 (bank 7)" in told


def test_a_payment_that_people_took_back_is_told(house, approved):
    assert house.load(("payments", payment(0, "10.00"))).exit_code == 0
    approved.does("delete_payment", invoice=approved.invoice["InvoiceID"])
    ran = house.load(("payments", payment(0, "5.00", "b")))
    assert ran.exit_code == 1
    assert "10.00 of it were taken back in Xero" in " ".join(ran.err.split())


def test_of_what_is_paid_only_what_people_entered_is_told(house, approved):
    assert house.load(("payments", payment(0, "10.00", "a"))).exit_code == 0
    approved.does("pay_invoice", invoice=approved.invoice["InvoiceID"], amount="5.00", reference="bank 7")
    ran = house.load(("payments", payment(0, "1.00", "b")))
    assert ran.exit_code == 1
    (problem,) = ran.target.outcome.problems
    assert "has 15.00 paid in Xero, and 10.00 were entered by this ledger" in problem["note"]
    assert "people entered 5.00 in Xero: 5.00 on 2026-11-02 (bank 7). Nothing was entered" in problem["note"]


def test_a_payment_over_what_is_due_is_refused_with_the_figures(house, approved):
    ran = house.load(("payments", payment(0, "24.61")))
    assert ran.exit_code == 1
    assert "has 24.60 left to pay, and this payment is 24.61" in " ".join(ran.err.split())


def test_part_payments_of_one_run_share_what_is_due(house, approved):
    before = len(house.books("Payments"))
    ran = house.load(("payments", payment(0, "20.00", "a")), ("payments", payment(0, "5.00", "b")))
    assert ran.exit_code == 1
    assert len(house.books("Payments")) == before + 1
    assert "4.60" in ran.err or "24.60" in ran.err
    house.load(("payments", payment(0, "4.60", "c")))
    assert approved.invoice["Status"] == "PAID"


def credit(house, n, amount):
    """A credit note over 20.00 before tax, of which `amount` is for the first invoice."""
    note = {k: v for k, v in house.invoice(0, 0, Status="AUTHORISED").items() if k not in ("DueDate", "Type")}
    note |= {"source_key": f"N{n}", "marker": f"SF-N{n}", "Type": "ACCRECCREDIT"}
    entry = {"invoice_key": house.invoice(0, 0)["source_key"], "Amount": amount, "Date": "2026-11-02"}
    return "credit_notes", note | {"allocations": [entry]}


def test_what_credit_and_payments_of_one_run_leave_no_room_for_is_refused_with_what_to_do(house, office):
    documents = [*contacts(house, 1), ("invoices", house.invoice(0, 0, Status="AUTHORISED"))]
    documents += [credit(house, 1, "10.00"), credit(house, 2, "20.00")]
    ran = house.load(*documents, ("payments", payment(0, "15.00")), allow_statuses=["AUTHORISED"])
    assert ran.exit_code == 1
    left, due = Decimal(office.invoice["AmountDue"]), Decimal("24.60")
    amounts = {
        "allocations": {"N1": "10.00", "N2": "20.00"},
        "payments": {house.invoice(0, 0)["source_key"]: "15.00"},
    }
    for problem in ran.target.outcome.problems:  # which of them come too late, their order at Xero says
        one = KINDS[problem["kind"]].one
        amount = amounts[problem["kind"]].pop(problem["source_key"].partition("#")[0])
        assert [refusal["rule"] for refusal in problem["refusals"]] == ["more_than_due"]
        assert f"has less left to pay than this {one} of {amount}" in problem["note"]
        assert "exceeds the amount outstanding on this document" in problem["note"]
        assert Decimal(amount) > left
    assert due - sum(Decimal(amount) for taken in amounts.values() for amount in taken.values()) == left < due


def test_payments_of_invoices_made_in_the_same_run_cost_no_read(house):
    documents = contacts(house, 60)
    documents += [("invoices", house.invoice(n, n, Status="AUTHORISED")) for n in range(60)]
    documents += [("payments", payment(n, "24.60")) for n in range(60)]
    assert house.load(*documents, allow_statuses=["AUTHORISED"]).exit_code == 0
    assert house.writes == 6
    assert house.other_calls <= 6


def test_a_payment_into_an_account_of_another_currency_is_refused(house, approved):
    ran = house.load(("payments", {**payment(0, "5.00"), "AccountCode": "091"}))
    assert ran.exit_code == 1
    told = " ".join(ran.err.split())
    assert "Euro Account is kept in EUR and the invoice is in GBP" in told
    assert "090 Business Bank Account" in told


def test_a_payment_of_an_invoice_that_others_made_goes_by_the_currency_it_has_in_xero(house, office):
    house.load(*contacts(house, 1))
    ours = house.invoice(0, 0)
    by_hand = {
        "Reference": ours["marker"],
        "LineItems": [{"Description": "By hand", "UnitAmount": 30, "AccountCode": "200"}],
    }
    made = office.does("create_invoice", contact=office.contact(0)["ContactID"], fields=by_hand)
    office.does("approve_invoice", invoice=made["InvoiceID"])
    ran = house.load(("invoices", ours), ("payments", {**payment(0, "5.00"), "AccountCode": "091"}))
    told = " ".join(ran.err.split())
    assert "is AUTHORISED in Xero and is not changed any more" in told
    assert "Euro Account is kept in EUR and the invoice is in GBP" in told
    before = len(house.books("Payments"))
    house.load(("payments", payment(0, "5.00")))
    assert [p["Amount"] for p in house.books("Payments")[before:]] == ["5.00"]


# -- totals ----------------------------------------------------------------------------------------------------------------


def taxed(house, total, **fields):
    lines = [
        {"line_key": str(n), "Description": "W", "Quantity": "1", "UnitAmount": "0.33", "AccountCode": "200"}
        for n in range(3)
    ]
    return [
        *contacts(house, 1),
        ("invoices", house.invoice(0, 0, LineItems=lines, expected_total_with_tax=total, **fields)),
    ]


def test_the_total_with_tax_is_foretold_line_by_line(house, office):
    assert (
        house.load(*taxed(house, "1.20")).exit_code == 0
    )  # 3 x 0.33, and 3 x 0.07 of tax; not 0.99 x 1.2 = 1.19
    assert office.invoice["Total"] == "1.20"


def test_a_difference_is_refused_with_both_sums_and_the_tax_of_each_line(house, office):
    ran = house.load(*taxed(house, "1.19"))
    told = " ".join(ran.err.split())
    assert (ran.exit_code, office.ours()) == (1, [])
    assert (
        "The source says 1.19 with tax, Xero would make 1.20 of it (0.99 and 0.21 tax), a difference of -0.01"
        in told
    )
    assert "line 1: 0.33 at 20 % (OUTPUT2) = 0.07" in told


def test_a_rounding_line_makes_up_a_small_difference_and_none_beyond(house, office):
    assert house.load(*taxed(house, "1.19"), on_total_difference="rounding_line").exit_code == 0
    assert office.invoice["Total"] == "1.19"
    rounding = office.invoice["LineItems"][-1]
    assert (rounding["AccountCode"], rounding["TaxType"], Decimal(rounding["LineAmount"])) == (
        "860",
        "NONE",
        Decimal("-0.01"),
    )
    house.forget_exchanges()
    assert house.load(*taxed(house, "1.19"), on_total_difference="rounding_line").exit_code == 0
    assert house.writes == 0
    house.sandbox.clock.advance(120)
    assert (
        house.load(*taxed(house, "1.19", Reference="n"), on_total_difference="rounding_line").exit_code == 0
    )
    assert [line["AccountCode"] for line in office.invoice["LineItems"]] == ["200", "200", "200", "860"]
    house.sandbox.clock.advance(120)
    assert house.load(*taxed(house, "9.99"), on_total_difference="rounding_line").exit_code == 1


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
def test_the_report_calls_a_rounding_line_a_rounding_line(house, office):
    ran = house.load(*taxed(house, "1.19"), on_total_difference="rounding_line")
    (row,) = (line for line in ran.err.splitlines() if "invoices" in line and "GBP" in line)
    assert "rounding lines" in ran.err
    assert [cell.strip() for cell in row.split("│")][-5:-1] == ["0.99", "-0.01", "0.98", "1.19"]
    whole = house.load(("invoices", house.invoice(1, 0)), on_total_difference="rounding_line")
    assert "rounding" not in whole.err


def test_a_rounding_line_before_tax_and_accept(house, office):
    documents = [*contacts(house, 1), ("invoices", house.invoice(0, 0, expected_total="20.52"))]
    assert house.load(*documents).exit_code == 1
    assert house.load(*documents, on_total_difference="rounding_line").exit_code == 0
    assert office.invoice["SubTotal"] == "20.52"
    other = ("invoices", house.invoice(1, 0, expected_total="99"))
    assert house.load(other, on_total_difference="rounding_line").exit_code == 1
    assert house.load(other, on_total_difference="accept", retry_refused=True).exit_code == 0


def test_without_a_rounding_account_there_is_no_rounding_line(house, office):
    office.does("set_account_status", code="860", status="ARCHIVED")
    ran = house.load(*taxed(house, "1.19"), on_total_difference="rounding_line")
    assert ran.exit_code == 1
    assert "rounding_account_missing" in ran.err
    assert house.load(*taxed(house, "1.19"), on_total_difference="accept", retry_refused=True).exit_code == 0


@pytest.mark.parametrize(("mode", "total"), [("Inclusive", "0.99"), ("NoTax", "0.99")])
def test_prices_with_tax_and_without_any(house, office, mode, total):
    assert house.load(*taxed(house, total, LineAmountTypes=mode)).exit_code == 0
    assert office.invoice["Total"] == total


def test_a_lost_answer_to_a_rounded_invoice_is_adopted(house, office):
    house.fault("timeout_after", method="PUT", path="/Invoices")
    house.load(*taxed(house, "1.19"), on_total_difference="rounding_line")
    assert house.load(*taxed(house, "1.19"), on_total_difference="rounding_line").exit_code == 0
    assert office.invoice["Total"] == "1.19"
