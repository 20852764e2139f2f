"""PUT and POST: bodies, `summarizeErrors`, statuses, echoes. Recorded traffic and Xero developer docs."""

from __future__ import annotations

import pytest

ZERO = "00000000-0000-0000-0000-000000000000"
MIXED = {
    "Contacts": [
        {"Name": "Good"},
        {"Name": "Bad", "EmailAddress": "no mail", "IsCustomer": True},
        {"Name": "Fine"},
    ]
}


def stored(xero) -> list[str]:
    return [row["Name"] for row in xero.backend.dump()["Contacts"]]


def test_one_bad_element_makes_a_400_for_all_and_by_default_nothing_is_saved(xero):
    answer = xero.put("Contacts", MIXED)
    assert answer.status == 400
    assert (answer.json["ErrorNumber"], answer.json["Type"]) == (10, "ValidationException")
    assert answer.json["Message"] == "A validation exception occurred"
    (element,) = answer.json["Elements"]
    assert element["ContactID"] == ZERO
    assert element["HasValidationErrors"] is True
    assert element["ValidationErrors"] == [{"Message": "Email address must be valid."}]
    assert element["IsCustomer"] is True  # as sent
    assert "StatusAttributeString" not in element
    assert stored(xero) == []


def test_in_the_other_reading_the_good_ones_are_saved_behind_the_400(xero, variants):
    variants.choose("xero.write.summarised_400", "valid_saved")
    answer = xero.put("Contacts", MIXED)
    assert answer.status == 400
    assert stored(xero) == ["Good", "Fine"]
    assert [effect["action"] for effect in answer.effects] == ["create", "create"]


@pytest.mark.parametrize(
    "params", [{"summarizeErrors": "false"}, {"SummarizeErrors": "False"}, {"summarizeerrors": "FALSE"}]
)
def test_with_summarize_errors_false_each_element_has_its_own_status_in_order(xero, params):
    answer = xero.put("Contacts", MIXED, **params)
    assert answer.status == 200
    assert [row["StatusAttributeString"] for row in answer.json["Contacts"]] == ["OK", "ERROR", "OK"]
    assert [row["Name"] for row in answer.json["Contacts"]] == ["Good", "Bad", "Fine"]
    bad = answer.json["Contacts"][1]
    assert (bad["ContactID"], bad["HasValidationErrors"]) == (ZERO, True)
    assert stored(xero) == ["Good", "Fine"]


def test_without_the_parameter_a_success_has_no_status(xero):
    (contact,) = xero.put("Contacts", {"Contacts": [{"Name": "A"}]}).json["Contacts"]
    assert "StatusAttributeString" not in contact
    assert contact["HasValidationErrors"] is False


def test_an_error_element_repeats_the_status_that_was_asked_for(xero):
    contact = xero.contact("A")
    xero.edit("archive_contact", contact=contact["ContactID"])
    body = {"Contacts": [{"ContactID": contact["ContactID"], "ContactStatus": "ACTIVE"}]}
    (element,) = xero.post("Contacts", body, summarizeErrors="false").json["Contacts"]
    assert element["ContactStatus"] == "ACTIVE"
    assert element["Name"] == "A"  # stored, not sent: recorded
    assert xero.backend.dump()["Contacts"][0]["ContactStatus"] == "ARCHIVED"


def test_elements_of_one_request_see_each_other(xero):
    answer = xero.put("Contacts", {"Contacts": [{"Name": "A"}, {"Name": "a"}]}, summarizeErrors="false")
    assert [row["StatusAttributeString"] for row in answer.json["Contacts"]] == ["OK", "ERROR"]


def test_a_refusal_to_one_record_is_always_a_400(xero):
    contact = xero.contact("A")
    answer = xero.post(
        f"Contacts/{contact['ContactID']}", {"EmailAddress": "no mail"}, summarizeErrors="false"
    )
    assert (answer.status, answer.messages) == (400, ["Email address must be valid."])


def test_an_unknown_id_ends_the_whole_request_and_nothing_of_it_stays(xero):
    body = {"Contacts": [{"Name": "A"}, {"ContactID": "00000000-0000-4000-8000-000000000001", "Name": "B"}]}
    answer = xero.post("Contacts", body, summarizeErrors="false")
    assert answer.status == 404
    assert stored(xero) == []


@pytest.mark.parametrize(
    "body",
    [
        {"Contacts": [{"Name": "A"}]},
        {"contacts": [{"Name": "A"}]},
        [{"Name": "A"}],
        {"Name": "A"},
        {"Contacts": {"Name": "A"}},
    ],
)
def test_a_body_may_be_wrapped_or_a_list_or_one_object(xero, body):
    assert xero.put("Contacts", body).status == 200
    assert stored(xero) == ["A"]


@pytest.mark.parametrize("body", [{"Contacts": []}, [], {}, b""])
def test_a_body_without_elements_is_error_17(xero, body):
    answer = xero.put("Contacts", body)
    assert (answer.status, answer.json["ErrorNumber"], answer.json["Type"]) == (
        400,
        17,
        "NoDataProcessedException",
    )
    assert "expecting Contact data" in answer.json["Message"]


@pytest.mark.parametrize("body", [b"{", b'"text"', b"[1]", b'{"Contacts": "x"}'])
def test_a_body_that_is_not_objects_in_json_is_error_14(xero, body):
    answer = xero.put("Contacts", body)
    assert (answer.status, answer.json["ErrorNumber"]) == (400, 14)


def test_unknown_fields_and_flags_that_sdks_send_are_ignored(xero):
    sent = {"Name": "A", "HasErrors": False, "HasAttachments": False, "HasValidationErrors": False, "Shoe": 1}
    assert xero.put("Contacts", {"Contacts": [sent]}).status == 200


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("Contacts", "BatchPayments", {"BankAccountNumber": "1"}),
        ("Contacts", "TrackingCategoryName", "Region"),
        ("Invoices", "RoundingAmount", 0.05),
        ("Invoices", "EnteredTotal", "120.05"),
        ("Items", "InventoryAssetAccountCode", "630"),
        ("Payments", "Particulars", "x"),
    ],
)
def test_what_the_platform_heeds_and_the_sandbox_cannot_is_501_by_name_and_nothing_is_saved(
    xero, path, field, value
):
    sent = [{"Name": "A", "Code": "A"} if path in {"Contacts", "Items"} else {}, {"Name": "B", field: value}]
    answer = xero.put(path, {path: sent if path in {"Contacts", "Items"} else sent[1:]})
    assert (answer.status, field in answer.json["Message"]) == (501, True)
    assert xero.get(path).json[path] == []


def test_a_bom_before_the_json_is_tolerated(xero):
    assert xero.put("Contacts", b'\xef\xbb\xbf{"Contacts":[{"Name":"A"}]}').status == 200


def test_effects_name_what_was_done_for_the_journal(xero):
    made = xero.put("Contacts", {"Contacts": [{"Name": "A"}]})
    guid = made.json["Contacts"][0]["ContactID"]
    assert made.effects == [{"action": "create", "object": "Contacts", "id": guid, "Name": "A"}]
    assert xero.post("Contacts", {"ContactID": guid, "Name": "B"}).effects == [
        {"action": "update", "object": "Contacts", "id": guid, "Name": "B"}
    ]
    assert xero.get("Contacts").effects == []


LINE = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}


def test_a_refused_element_leaves_nothing_of_what_it_did_on_the_way(xero):
    bad = {
        "Type": "ACCREC",
        "Contact": {"Name": "Made on the way"},
        "LineItems": [{**LINE, "AccountCode": "nope"}],
    }
    answer = xero.put(
        "Invoices",
        {"Invoices": [{**bad, "Status": "AUTHORISED", "DueDate": "2026-12-01"}]},
        summarizeErrors="false",
    )
    assert answer.json["Invoices"][0]["StatusAttributeString"] == "ERROR"
    assert stored(xero) == []
    assert answer.effects == []


def test_a_request_that_saves_nothing_uses_up_no_number(xero):
    good = {"Type": "ACCREC", "Contact": {"ContactID": xero.contact("A")["ContactID"]}, "LineItems": [LINE]}
    assert xero.put("Invoices", {"Invoices": [good, {"Type": "SHOE"}]}).status == 400
    assert xero.put("Invoices", good).json["Invoices"][0]["InvoiceNumber"] == "INV-0001"
