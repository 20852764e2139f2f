"""Payments: what they do to documents, what is refused. Texts: Xero OpenAPI and issue threads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"


def refused(org: Any, invoice: dict[str, Any], amount: Any = "10", **fields: Any) -> list[str]:
    answer = org.put("Payments", org.pay_body(invoice, amount, **fields))
    assert answer.status == 400, answer.content
    return answer.messages


def balance(org: Any, invoice: dict[str, Any]) -> tuple[str, Decimal, Decimal]:
    found = org.get("Invoices", invoice["InvoiceID"])
    return found["Status"], found["AmountPaid"], found["AmountDue"]


def test_a_full_payment_makes_the_invoice_paid(org: Any) -> None:
    invoice = org.invoice()
    payment = org.pay(invoice, "120.00", Date="2026-11-05", Reference="SF:006 BACS")
    assert (payment["Status"], payment["PaymentType"], payment["Reference"]) == (
        "AUTHORISED", "ACCRECPAYMENT", "SF:006 BACS",
    )  # fmt: skip
    assert balance(org, invoice) == ("PAID", D("120.00"), D("0.00"))
    assert org.get("Invoices", invoice["InvoiceID"])["FullyPaidOnDate"] == "/Date(1793836800000+0000)/"


def test_part_payments_leave_the_rest_due(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "50.00")
    assert balance(org, invoice) == ("AUTHORISED", D("50.00"), D("70.00"))
    org.pay(invoice, "70.00")
    assert balance(org, invoice) == ("PAID", D("120.00"), D("0.00"))


def test_more_than_is_outstanding_is_refused(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "100.00")
    assert refused(org, invoice, "20.01") == [TOO_MUCH]
    assert balance(org, invoice) == ("AUTHORISED", D("100.00"), D("20.00"))


def test_a_paid_invoice_answers_with_both_messages(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "120.00")
    assert refused(org, invoice, "120.00") == [NOT_AUTHORISED, TOO_MUCH]


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_only_approved_documents_are_paid(org: Any, status: str) -> None:
    assert refused(org, org.invoice(Status=status)) == [NOT_AUTHORISED]


@pytest.mark.parametrize("amount", [0, "-5", "0.004", None])
def test_zero_and_less_are_refused(org: Any, amount: Any) -> None:
    assert refused(org, org.invoice(), amount) == ["Payment amount must be greater than zero"]


@pytest.mark.parametrize("code", ["200", "610"])
def test_an_account_that_takes_no_payments_is_refused(org: Any, code: str) -> None:
    assert refused(org, org.invoice(), Account={"Code": code}) == [
        "Account type is invalid for making a payment to/from"
    ]


def test_an_unknown_account_is_refused_with_its_code_repeated(org: Any) -> None:
    answer = org.put("Payments", org.pay_body(org.invoice(), "10", Account={"Code": "100"}, Reference="r"))
    element = answer.content["Elements"][0]
    assert answer.messages == ["Account could not be found"]
    assert element["HasValidationErrors"] is True
    assert "PaymentID" not in element
    assert element["Account"]["Code"] == "100"
    assert (element["Amount"], element["Reference"]) == (D("10"), "r")


def test_an_account_with_payments_enabled_takes_them(org: Any) -> None:
    invoice = org.invoice()
    org.pay(invoice, "120.00", Account={"Code": "855"})
    assert balance(org, invoice)[0] == "PAID"


def test_account_and_invoice_go_by_id_number_or_short_form(org: Any) -> None:
    invoice = org.invoice(InvoiceNumber="SF-1")
    account = next(row for row in org.call("GET", "Accounts").content["Accounts"] if row["Code"] == "090")
    org.pay(invoice, "10", Account={"AccountID": account["AccountID"]})
    org.pay(invoice, "10", Invoice={"InvoiceNumber": "SF-1"})
    short = {"InvoiceNumber": "SF-1", "Code": "090", "Amount": "10", "Date": "2026-11-02"}
    assert org.put("Payments", short).status == 200
    assert balance(org, invoice)[1] == D("30.00")


def test_an_unknown_invoice_is_refused(org: Any) -> None:
    assert refused(org, {"InvoiceID": "11111111-2222-4333-8444-555555555555"}) == [
        "Invoice could not be found"
    ]


def test_payments_of_one_call_see_each_other(org: Any) -> None:
    invoice = org.invoice()
    elements = org.put_each("Payments", *[org.pay_body(invoice, "60.00") for _ in range(3)])
    assert [element["StatusAttributeString"] for element in elements] == ["OK", "OK", "ERROR"]
    assert balance(org, invoice) == ("PAID", D("120.00"), D("0.00"))


def test_a_summarised_refusal_keeps_none_of_the_call_or_the_valid_ones_by_variant(org: Any) -> None:
    invoice = org.invoice()
    bodies = [org.pay_body(invoice, "60.00"), org.pay_body(invoice, "0")]
    assert org.put("Payments", *bodies).status == 400
    assert balance(org, invoice) == ("AUTHORISED", D("0.00"), D("120.00"))
    org.choose("xero.write.summarised_400", "valid_saved")
    assert org.put("Payments", *bodies).status == 400
    assert balance(org, invoice) == ("AUTHORISED", D("60.00"), D("60.00"))


@pytest.mark.parametrize("wrapped", [True, False])
def test_post_on_the_collection_makes_a_payment_bare_or_wrapped(org: Any, wrapped: bool) -> None:
    invoice = org.invoice()
    body = org.pay_body(invoice, "120.00")
    answer = org.call("POST", "Payments", {"Payments": [body]} if wrapped else body)
    assert answer.status == 200
    assert balance(org, invoice)[0] == "PAID"


def test_the_same_payment_twice_is_two_payments(org: Any) -> None:
    invoice = org.invoice()
    first, second = org.pay(invoice, "10", Reference="same"), org.pay(invoice, "10", Reference="same")
    assert first["PaymentID"] != second["PaymentID"]
    assert balance(org, invoice)[1] == D("20.00")


# -- deletion --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [True, False])
def test_taking_a_payment_back_opens_the_invoice_again(org: Any, wrapped: bool) -> None:
    invoice = org.invoice()
    payment = org.pay(invoice, "120.00", Reference="kept")
    body = {"Status": "DELETED"}
    answer = org.post(f"Payments/{payment['PaymentID']}", {"Payments": [body]} if wrapped else body)
    shown = answer.content["Payments"][0]
    assert (answer.status, shown["Status"], shown["Reference"]) == (200, "DELETED", "kept")
    assert balance(org, invoice) == ("AUTHORISED", D("0.00"), D("120.00"))
    assert "FullyPaidOnDate" not in org.get("Invoices", invoice["InvoiceID"])


def test_a_payment_can_be_taken_back_once(org: Any) -> None:
    payment = org.pay(org.invoice(), "10")
    assert org.post(f"Payments/{payment['PaymentID']}", {"Status": "DELETED"}).status == 200
    assert org.post(f"Payments/{payment['PaymentID']}", {"Status": "DELETED"}).status == 400


@pytest.mark.parametrize(
    "body", [{"Amount": 5}, {"Status": "DELETED", "Reference": "x"}, {"Status": "AUTHORISED"}]
)
def test_a_payment_cannot_be_changed(org: Any, body: dict[str, Any]) -> None:
    payment = org.pay(org.invoice(), "10")
    answer = org.post(f"Payments/{payment['PaymentID']}", body)
    assert answer.messages == ["Only Status accepted for updates"]


def test_a_reconciled_payment_stays(org: Any) -> None:
    invoice = org.invoice()
    payment = org.pay(invoice, "120.00")
    org.edit("reconcile_payment", payment=payment["PaymentID"])
    answer = org.post(f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert answer.messages == ["This payment has been reconciled and cannot be deleted"]
    assert balance(org, invoice)[0] == "PAID"


def test_a_payment_moves_the_invoices_stamp_and_its_deletion_does_by_variant(org: Any) -> None:
    invoice = org.invoice()
    payments = [org.pay(invoice, "10"), org.pay(invoice, "10")]
    paid = org.get("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"]
    assert paid > invoice["UpdatedDateUTC"]
    org.post(f"Payments/{payments[0]['PaymentID']}", {"Status": "DELETED"})
    assert org.get("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"] == paid
    org.choose("xero.payments.delete_stamps_document", "stamped")
    org.post(f"Payments/{payments[1]['PaymentID']}", {"Status": "DELETED"})
    assert org.get("Invoices", invoice["InvoiceID"])["UpdatedDateUTC"] > paid


# -- the rest --------------------------------------------------------------------------------------------------------------


def test_locked_periods_take_no_payments_and_give_none_back(org: Any) -> None:
    invoice = org.invoice(Date="2026-08-15")
    payment = org.pay(invoice, "10", Date="2026-09-01")
    org.edit("set_lock_dates", end_of_year="2026-09-30")
    assert "30-Sep-2026" in refused(org, invoice, Date="2026-09-30")[0]
    assert org.post(f"Payments/{payment['PaymentID']}", {"Status": "DELETED"}).status == 400
    assert org.pay(invoice, "10", Date="2026-10-01")["Status"] == "AUTHORISED"


def test_a_long_reference_is_refused_or_cut_by_variant(org: Any) -> None:
    invoice = org.invoice()
    assert org.pay(invoice, "10", Reference="r" * 255)["Reference"] == "r" * 255
    assert len(refused(org, invoice, Reference="r" * 256)) == 1
    org.choose("xero.payments.reference", "truncated")
    assert org.pay(invoice, "10", Reference="r" * 256)["Reference"] == "r" * 118


def test_a_foreign_invoice_is_paid_in_its_currency_or_from_the_base_account(org: Any) -> None:
    invoice = org.invoice(CurrencyCode="EUR", CurrencyRate="1.20")
    from_euro = org.pay(invoice, "60.00", Account={"Code": "091"})
    assert (from_euro["Amount"], from_euro["BankAmount"]) == (D("60.00"), D("60.00"))
    from_base = org.pay(invoice, "60.00", Account={"Code": "090"})
    assert (from_base["Amount"], from_base["BankAmount"]) == (D("60.00"), D("50.00"))
    assert balance(org, invoice)[0] == "PAID"


def test_a_base_currency_invoice_cannot_be_paid_from_a_foreign_account(org: Any) -> None:
    assert len(refused(org, org.invoice(), Account={"Code": "091"})) == 1


def test_bills_and_credit_notes_are_paid_too(org: Any) -> None:
    bill = org.invoice(Type="ACCPAY", Contact=org.contact("Tamar Valley Telecom"))
    assert org.pay(bill, "120.00")["PaymentType"] == "ACCPAYPAYMENT"
    note = org.credit_note()
    refund = {
        "CreditNote": {"CreditNoteID": note["CreditNoteID"]},
        "Account": {"Code": "090"},
        "Amount": "60",
    }
    found = org.put("Payments", {**refund, "Date": "2026-11-02"}).content["Payments"][0]
    assert found["PaymentType"] == "ARCREDITPAYMENT"
    after = org.get("CreditNotes", note["CreditNoteID"])
    assert (after["Status"], after["RemainingCredit"]) == ("PAID", D("0.00"))


def test_payments_are_found_by_invoice_reference_and_status(org: Any) -> None:
    invoice = org.invoice()
    payment = org.pay(invoice, "10", Reference="SF:006AB")
    for where in (
        f'Invoice.InvoiceID==guid("{invoice["InvoiceID"]}")',
        'Reference=="SF:006AB" AND Status=="AUTHORISED"',
        'PaymentType=="ACCRECPAYMENT" AND Reference!=null AND Reference.Contains("006AB")',
    ):
        listed = org.call("GET", "Payments", query=f"page=1&where={where}").content["Payments"]
        assert [row["PaymentID"] for row in listed] == [payment["PaymentID"]], where


def test_the_journal_names_the_payment_made(org: Any) -> None:
    invoice = org.invoice()
    answer = org.put("Payments", org.pay_body(invoice, "10", Reference="SF:1"))
    made = [effect for effect in answer.effects if effect["action"] == "create"]
    assert [(effect["object"], effect["Amount"], effect["Reference"]) for effect in made] == [
        ("Payments", "10.00", "SF:1")
    ]
    assert ("update", "Invoices") in {(effect["action"], effect["object"]) for effect in answer.effects}


def test_a_payment_shows_its_invoice_short_and_its_account(org: Any) -> None:
    invoice = org.invoice()
    found = org.pay(invoice, "10")
    assert found["Invoice"]["InvoiceNumber"] == invoice["InvoiceNumber"]
    assert (found["Account"]["Code"], found["HasAccount"]) == ("090", True)
    read = org.get("Payments", found["PaymentID"])
    assert read["Account"]["Name"] == "Business Bank Account"


def test_a_payment_in_the_base_currency_has_the_rate_one_whatever_was_sent(org: Any) -> None:
    payment = org.pay(org.invoice(), "120.00", CurrencyRate="2")
    assert (payment["CurrencyRate"], payment["BankAmount"]) == (D("1"), D("120.00"))
