"""Lists: paging, order, filters, headers. Xero developer docs, recorded pages."""

from __future__ import annotations

import pytest


@pytest.fixture
def many(xero):
    """250 contacts, C000 to C249."""
    for start in range(0, 250, 50):
        rows = [
            {"Name": f"C{number:03}", "ContactNumber": f"N{number:03}"} for number in range(start, start + 50)
        ]
        assert xero.put("Contacts", {"Contacts": rows}).status == 200
    return xero


def names(answer) -> list[str]:
    return [row["Name"] for row in answer.json["Contacts"]]


def test_a_page_has_a_hundred_and_says_how_many_there_are(many):
    answer = many.get("Contacts", page=3)
    assert answer.json["pagination"] == {"page": 3, "pageSize": 100, "pageCount": 3, "itemCount": 250}
    assert names(answer) == [f"C{number:03}" for number in range(200, 250)]


def test_without_a_page_everything_comes_and_no_pagination_block(many):
    answer = many.get("Contacts")
    assert len(answer.json["Contacts"]) == 250
    assert "pagination" not in answer.json


def test_page_size_goes_to_a_thousand_and_more_is_cut_to_it(many):
    assert len(many.get("Contacts", page=1, pageSize=200).json["Contacts"]) == 200
    assert many.get("Contacts", page=1, pageSize=5000).json["pagination"]["pageSize"] == 1000


def test_a_page_past_the_end_is_empty(many):
    answer = many.get("Contacts", page=4)
    assert answer.json["Contacts"] == []
    assert answer.json["pagination"]["itemCount"] == 250


@pytest.mark.parametrize("page", ["0", "-1", "one"])
def test_a_page_that_is_no_number_from_one_is_named(xero, page):
    answer = xero.get("Contacts", page=page)
    assert answer.status == 501
    assert f"page={page}" in answer.json["Message"]


def test_order_takes_fields_and_directions(many):
    assert names(many.get("Contacts", page=1, pageSize=2, order="Name DESC")) == ["C249", "C248"]
    assert names(many.get("Contacts", page=1, pageSize=2, order="ContactStatus, Name ASC")) == [
        "C000",
        "C001",
    ]


def test_an_order_by_a_stranger_is_a_query_parse_exception(xero):
    answer = xero.get("Contacts", order="Shoe ASC")
    assert (answer.status, answer.json["ErrorNumber"]) == (400, 16)
    assert answer.json["Message"] == "No property or field 'Shoe' exists in type 'Contact'"


def test_without_an_order_the_last_changed_comes_last(many):
    first = many.get("Contacts", page=1, pageSize=1).json["Contacts"][0]
    many.post(f"Contacts/{first['ContactID']}", {"FirstName": "Zed"})
    assert names(many.get("Contacts"))[-1] == "C000"


def test_contact_names_are_found_without_case_and_accents(xero):
    xero.contact("Café Müller")
    assert names(xero.get("Contacts", where='Name=="CAFE muller"')) == ["Café Müller"]


def test_other_texts_compare_without_case_or_with_it(xero, variants):
    xero.put("Items", {"Items": [{"Code": "ABC"}]})
    assert len(xero.get("Items", where='Code=="abc"').json["Items"]) == 1
    variants.choose("xero.where.other_texts", "sensitive")
    assert xero.get("Items", where='Code=="abc"').json["Items"] == []


def test_contains_on_a_missing_value_is_a_500_or_no_match(xero, variants):
    xero.contact("A")
    assert xero.get("Contacts", where='AccountNumber.Contains("x")').json["Type"] == "UnknownErrorException"
    variants.choose("xero.where.missing_text", "no_match")
    assert xero.get("Contacts", where='AccountNumber.Contains("x")').json["Contacts"] == []


def test_ids_lists_those_that_exist(xero):
    one, two = xero.contact("A"), xero.contact("B")
    xero.contact("C")
    strange = "00000000-0000-4000-8000-000000000001"
    answer = xero.get("Contacts", IDs=f"{two['ContactID'].upper()},{one['ContactID']},{strange}", page=1)
    assert sorted(names(answer)) == ["A", "B"]


def test_if_modified_since_is_a_header_and_whether_it_includes_the_moment_is_open(xero, clock, variants):
    stamp = "2026-11-02T09:00:00"
    xero.contact("At the moment")
    clock.advance(5)
    xero.contact("Later")
    header = {"If-Modified-Since": stamp}
    assert names(xero.call("GET", "Contacts", headers=header)) == ["Later"]
    variants.choose("xero.read.if_modified_since", "inclusive")
    assert names(xero.call("GET", "Contacts", headers=header)) == ["At the moment", "Later"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T09:00:01",
        "2026-11-02T09:00:01.000Z",
        "2026-11-02T11:00:01+02:00",
        "2026-11-02 09:00:01",
        "Mon, 02 Nov 2026 09:00:01 GMT",
    ],
)
def test_if_modified_since_is_read_in_every_spelling_that_clients_send(xero, clock, text):
    xero.contact("Before")
    clock.advance(5)
    xero.contact("After")
    assert names(xero.call("GET", "Contacts", headers={"If-Modified-Since": text})) == ["After"]


def test_if_modified_since_as_a_parameter_is_ignored(xero):
    xero.contact("A")
    assert names(xero.get("Contacts", **{"If-Modified-Since": "2030-01-01T00:00:00"})) == ["A"]


def test_a_parameter_nobody_documents_is_named_and_not_ignored(xero):
    answer = xero.get("Contacts", contactNumbers="1")
    assert answer.status == 501
    assert "contactnumbers" in answer.json["Message"]


def test_parameter_names_and_booleans_compare_without_case(xero):
    xero.edit("archive_contact", contact=xero.contact("Old")["ContactID"])
    assert names(xero.get("Contacts", INCLUDEARCHIVED="True")) == ["Old"]


def test_over_a_hundred_thousand_rows_only_pages_of_optimised_filters_are_answered(many):
    many.edit("set_limits", high_volume=200)
    assert many.get("Contacts").status == 400
    assert many.get("Contacts", page=1).status == 200
    assert many.get("Contacts", page=1, where='Name!="x"').status == 200
    assert many.get("Contacts", page=1, where='ContactNumber!="x"').status == 400
    assert many.get("Contacts", page=1, order="ContactNumber").status == 400
    assert many.get("Contacts", where='Name=="C001"').status == 200


def test_an_answer_has_the_envelope_and_says_utf_8(xero):
    answer = xero.get("Contacts")
    assert list(answer.json) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Contacts"]
    assert answer.json["DateTimeUTC"] == "/Date(1793610000000)/"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(answer.headers["Xero-Correlation-Id"]) == 36


def test_a_get_with_an_empty_object_as_body_works(xero):
    assert xero.call("GET", "Contacts", {}).status == 200


def test_an_unknown_record_is_404_without_json(xero):
    answer = xero.get("Contacts/00000000-0000-4000-8000-000000000001")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "ManualJournals"),
        ("DELETE", "Contacts"),
        ("PATCH", "Contacts"),
        ("PUT", "TaxRates"),
        ("GET", "Contacts/{id}/CISSettings"),
    ],
)
def test_what_the_sandbox_does_not_know_is_501_by_name(xero, method, path):
    path = path.replace("{id}", xero.contact("A")["ContactID"])
    answer = xero.call(method, path, {"TaxRates": [{"Name": "x"}]} if method == "PUT" else None)
    assert answer.status == 501
    assert path.split("/")[0] in answer.json["Message"]


def test_answers_in_xml_and_forms_are_501_by_name(xero):
    assert "xml" in xero.call("GET", "Contacts", headers={"Accept": "application/xml"}).json["Message"]
    form = "application/x-www-form-urlencoded"
    sent = xero.call("PUT", "Contacts", b"xml=%3CContacts/%3E", headers={"Content-Type": form})
    assert (sent.status, form in sent.json["Message"]) == (501, True)
