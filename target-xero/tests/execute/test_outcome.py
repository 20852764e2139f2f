"""The outcome table, row by row: expectations are Xero's documented and recorded answers."""

from __future__ import annotations

import pytest
from target_xero.denial import denied, reason
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.execute.outcome import (
    ZERO_ID,
    Next,
    amount_minor,
    elements_of,
    messages_of,
    of_call,
    of_element,
)

CALL = Call(Purpose.WRITE, "PUT", "/Invoices")
GUID = "50e7a1a5-8dd8-4c5b-9a1c-2a3a6b3f0001"


def answer(status=None, body=None, failure=None, headers=None):
    return Answer(
        CALL,
        status=status,
        body=body,
        failure=failure,
        failure_detail="read timed out",
        headers=headers or {},
    )


def whole(given, count=2, may_repeat=False):
    return of_call(given, "Invoices", count=count, may_repeat=may_repeat)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(failure=Failure.NEVER_SENT), Next.UNSENT),
        (answer(failure=Failure.AMBIGUOUS), Next.UNKNOWN),
        (answer(200, None), Next.UNKNOWN),
        (answer(200, {"Status": "OK"}), Next.UNKNOWN),
        (answer(200, ["not", "an", "envelope"]), Next.UNKNOWN),
        (answer(302), Next.UNKNOWN),
        (answer(408), Next.UNKNOWN),
        (answer(500), Next.UNKNOWN),
        (answer(501), Next.UNKNOWN),
        (answer(503), Next.UNKNOWN),
        (answer(599), Next.UNKNOWN),
        (answer(None), Next.UNKNOWN),
        (answer(401), Next.UNSENT),
        (answer(403), Next.UNSENT),
        (answer(429), Next.UNSENT),
        (
            answer(400, {"Type": "PostDataInvalidException", "Message": "not a valid AllXsd value"}),
            Next.SPLIT,
        ),
        (answer(413), Next.SPLIT),
        (answer(404), Next.UNKNOWN_SPLIT),
        (answer(412), Next.UNKNOWN_SPLIT),
    ],
)
def test_what_an_answer_says_of_a_whole_call_in_company(given, expected):
    assert whole(given).next is expected


@pytest.mark.parametrize("status", [400, 404, 405, 412, 413, 415])
def test_a_call_refused_with_one_document_rejects_that_document(status):
    verdict = whole(answer(status, {"Message": "no"}), count=1)
    assert verdict.next is Next.REJECTED
    assert str(status) in verdict.note


def test_an_unknown_contact_is_isolated_at_once_where_a_repeat_is_harmless():
    assert whole(answer(404), may_repeat=True).next is Next.SPLIT


def test_an_empty_answer_to_a_deletion_says_that_it_is_done_and_to_anything_else_says_nothing():
    assert whole(Answer(Call(Purpose.WRITE, "DELETE", "/Items/1"), status=204), count=1).next is Next.DONE
    assert whole(answer(204), count=1).next is Next.UNKNOWN
    assert whole(Answer(Call(Purpose.WRITE, "DELETE", "/Items/1"), status=200), count=1).next is Next.UNKNOWN


@pytest.mark.parametrize("status", [200, 400])
def test_elements_speak_for_themselves(status):
    key = "Elements" if status == 400 else "Invoices"
    assert whole(answer(status, {key: [{"InvoiceID": GUID}]})) is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (401, {"www-authenticate": "insufficent_scope"}, None, "scope"),
        (403, {}, {"Detail": "AuthenticationUnsuccessful"}, "AuthenticationUnsuccessful"),
        (429, {"x-rate-limit-problem": "day", "retry-after": "66975"}, None, "66975"),
        (429, {"x-rate-limit-problem": "minute"}, None, "minute limit"),
    ],
)
def test_no_access_and_no_calls_left_stop_the_run_with_a_sentence(status, headers, body, words):
    assert words in whole(answer(status, body, headers=headers)).stop


def element(of, op="create", unique=False, refused_call=False, amount=(None, None)):
    return of_element(of, "InvoiceID", op=op, unique=unique, refused_call=refused_call, amount=amount)


def refused(words="Account code is not valid", id_=ZERO_ID):
    return {
        "InvoiceID": id_,
        "Status": "DELETED",
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": words}],
    }


def test_an_element_with_an_id_is_done_and_its_warnings_are_kept():
    verdict = element(
        {"InvoiceID": GUID, "StatusAttributeString": "WARNING", "Warnings": [{"Message": "code removed"}]}
    )
    assert (verdict.next, verdict.note) == (Next.DONE, "code removed")


@pytest.mark.parametrize("missing", [None, {}, {"InvoiceID": ZERO_ID}, {"InvoiceID": 7}, {"InvoiceID": ""}])
def test_an_element_without_an_id_proves_nothing(missing):
    assert element(missing).next is Next.UNKNOWN


def test_a_refused_element_is_rejected_with_xeros_own_words():
    verdict = element(refused())
    assert (verdict.next, verdict.note) == (Next.REJECTED, "Account code is not valid")


def test_errors_without_the_attribute_still_refuse():
    assert element({"InvoiceID": ZERO_ID, "ValidationErrors": [{"Message": "no"}]}).next is Next.REJECTED


def test_an_error_without_words_is_still_a_refusal():
    assert "without saying why" in element({"InvoiceID": ZERO_ID, "StatusAttributeString": "ERROR"}).note


@pytest.mark.parametrize(
    "words",
    [
        "Invoice # must be unique.",
        "The contact name X is already assigned to another contact. The contact name must be unique across all active contacts.",
        "Another contact has this contact number. Please enter a different contact number.",
        "Price List Item with Code 'abc' already exists",
        "Please enter a unique Name.",
    ],
)
def test_a_taken_number_means_look_who_has_it(words):
    assert element(refused(words), unique=True).next is Next.CONFLICT
    assert element(refused(words), unique=True, op="update").next is Next.REJECTED
    assert element(refused(words), unique=False).next is Next.REJECTED


def test_an_error_with_a_real_id_on_a_create_contradicts_itself():
    assert element(refused(id_=GUID)).next is Next.UNKNOWN
    assert element(refused(id_=GUID), unique=True).next is Next.CONFLICT


def test_an_error_on_an_update_is_a_refusal_whatever_it_echoes():
    assert (
        element(refused("Invoice not of valid status for modification", id_=GUID), op="delete").next
        is Next.REJECTED
    )


def test_an_element_without_errors_in_a_refused_call_may_have_been_saved():
    assert element({"InvoiceID": GUID}, refused_call=True).next is Next.UNKNOWN_SPLIT


def test_a_refused_call_that_does_not_say_of_which_is_sent_in_halves_once_that_is_safe():
    assert element(None, refused_call=True).next is Next.UNKNOWN_SPLIT


def test_another_amount_than_ours_is_for_a_person():
    verdict = element({"InvoiceID": GUID}, amount=(1000, 1001))
    assert verdict.next is Next.PARKED
    assert "10.01" in verdict.note
    assert "10.00" in verdict.note
    assert element({"InvoiceID": GUID}, amount=(1000, 1000)).next is Next.DONE
    assert element({"InvoiceID": GUID}, amount=(1000, None)).next is Next.DONE
    assert element({"InvoiceID": GUID}, op="delete", amount=(1000, 0)).next is Next.DONE


def test_lists_that_are_none_are_none_and_odd_entries_are_passed_over():
    assert elements_of(answer(200, {"Invoices": "none"}), "Invoices") is None
    assert elements_of(answer(200, {"Invoices": [1, {"a": 1}]}), "Invoices") == [{"a": 1}]
    assert messages_of({"ValidationErrors": "odd"}) == ""
    assert (
        messages_of({"ValidationErrors": ["odd", {"Message": "a"}, {"Message": "a"}, {"Message": 1}]}) == "a"
    )
    assert reason(answer(404)) == "404 without a reason"


@pytest.mark.parametrize("body", [{"Detail": "no"}, {"Detail": "insufficient scope"}])
def test_a_refused_access_tells_the_id_that_xeros_support_asks_for(body):
    traced = answer(403, body, headers={"xero-correlation-id": "4c1d" * 9})
    assert f"correlation id {'4c1d' * 9})" in denied(traced)
    assert "correlation" not in denied(answer(403, body))
    endless = answer(403, body, headers={"xero-correlation-id": "x" * 9_000})
    assert len(denied(endless)) < 500


def test_amounts_are_compared_where_the_document_has_one():
    assert amount_minor("invoices", {"SubTotal": 12, "Total": 14}) == 1200
    assert amount_minor("invoices", {"SubTotal": 12, "Total": 14}, inclusive=True) == 1400
    assert amount_minor("payments", {"Amount": "3.5"}) == 350
    assert amount_minor("contacts", {"Amount": 3}) is None
    assert amount_minor("invoices", {}) is None


MISSPELT = {"www-authenticate": "insufficent_scope"}
SPELT = {"www-authenticate": 'Bearer error="insufficient_scope"'}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("PUT", "/Contacts", "accounting.contacts"),
        ("GET", "/Contacts", "accounting.contacts.read"),
        ("POST", "/Items", "accounting.settings"),
        ("PUT", f"/Invoices/{GUID}/History", "accounting.invoices"),
        ("DELETE", f"/CreditNotes/{GUID}/Allocations/{GUID}", "accounting.invoices"),
        ("PUT", "/Payments", "accounting.payments"),
        ("GET", "/TaxRates", "accounting.settings.read"),
    ],
)
@pytest.mark.parametrize(("status", "headers"), [(401, MISSPELT), (401, SPELT), (403, SPELT)])
def test_a_missing_scope_is_named_with_its_call_and_what_to_do(status, headers, method, path, scope):
    told = denied(Answer(Call(Purpose.WRITE, method, path), status=status, headers=headers))
    assert f"does not allow {method} {path}: the access lacks the scope {scope} (" in told
    assert "`target-xero login`" in told


def test_the_tokens_own_scopes_tell_what_xero_leaves_open():
    """Recorded: a 401 whose Detail is AuthorizationUnsuccessful, and no more."""
    call = Call(Purpose.WRITE, "PUT", "/Payments")
    given = {"status": 401, "body": {"Detail": "AuthorizationUnsuccessful"}}
    told = denied(Answer(call, **given, granted=("accounting.contacts", "accounting.payments.read")))
    assert "lacks the scope accounting.payments (401 AuthorizationUnsuccessful)" in told
    for enough in ("accounting.payments", "accounting.transactions"):
        told = denied(Answer(call, **given, granted=(enough,)), "the tenant")
        assert "lacks" not in told
        assert "still connected to the organisation the tenant" in told


def test_a_call_whose_scope_nobody_knows_is_told_as_it_is():
    told = denied(Answer(Call(Purpose.CONNECT, "GET", "/Elsewhere"), status=401, headers=SPELT))
    assert "lacks a scope" in told
    assert "scope" not in denied(Answer(Call(Purpose.CONNECT, "GET", "/Elsewhere"), status=403))
