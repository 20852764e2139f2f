"""Contacts: who is created, who is changed, who is refused. Recorded traffic, Xero OpenAPI, probes by third parties."""

from __future__ import annotations

import pytest

TAKEN = "The contact name {} is already assigned to another contact. The contact name must be unique across all active contacts."
ARCHIVED = "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the API."
NUMBER = "Another contact has this contact number. Please enter a different contact number."


def dumped(xero) -> dict[str, dict]:
    return {row["Name"]: row for row in xero.backend.dump()["Contacts"]}


def test_a_put_with_a_taken_name_is_refused_in_xeros_words(xero):
    xero.contact("Café Ltd")
    answer = xero.put("Contacts", {"Contacts": [{"Name": "Café Ltd"}]})
    assert (answer.status, answer.messages) == (400, [TAKEN.format("Café Ltd")])


@pytest.mark.parametrize(
    ("variant", "clashing"),
    [
        ("without_case_and_accents", {"CAFE LTD", "café ltd"}),
        ("without_case", {"café ltd"}),
        ("exact", set()),
    ],
)
def test_which_names_count_as_the_same_is_open(xero, variants, variant, clashing):
    variants.choose("xero.contacts.name_uniqueness", variant)
    xero.contact("Café Ltd")
    for name in ("CAFE LTD", "café ltd"):
        status = xero.put("Contacts", {"Name": name}, summarizeErrors="false").json["Contacts"][0][
            "StatusAttributeString"
        ]
        assert (status == "ERROR") is (name in clashing)
        for row in xero.backend.dump()["Contacts"]:
            if row["Name"] == name:
                xero.edit("archive_contact", contact=row["ContactID"])


def test_an_archived_contacts_name_is_free_and_its_number_is_not(xero):
    old = xero.contact("A", ContactNumber="N1")
    xero.edit("archive_contact", contact=old["ContactID"])
    assert xero.put("Contacts", {"Name": "A", "ContactNumber": "n1"}).messages == [NUMBER]
    assert xero.put("Contacts", {"Name": "A", "ContactNumber": "N2"}).status == 200


def test_a_put_with_a_taken_number_is_refused(xero):
    xero.contact("A", ContactNumber="001Aa00000XyZ")
    assert xero.put("Contacts", {"Name": "B", "ContactNumber": "001Aa00000XyZ"}).messages == [NUMBER]


def test_a_put_without_a_name_is_refused(xero):
    assert xero.put("Contacts", {"EmailAddress": "a@b.example"}).messages == [
        "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber"
    ]
    assert xero.put("Contacts", {"ContactNumber": "N"}).status == 400


def test_a_post_by_id_changes_what_is_sent_and_keeps_the_rest(xero):
    made = xero.contact("A", EmailAddress="a@b.example", AccountNumber="X1", FirstName="Ann")
    changed = xero.post(
        "Contacts", {"ContactID": made["ContactID"], "LastName": "Bee", "AccountNumber": ""}
    ).json["Contacts"][0]
    assert (changed["ContactID"], changed["FirstName"], changed["LastName"]) == (
        made["ContactID"],
        "Ann",
        "Bee",
    )
    assert changed["EmailAddress"] == "a@b.example"
    assert "AccountNumber" not in changed


def test_a_post_by_number_changes_the_contact_that_has_it(xero):
    made = xero.contact("A", ContactNumber="N1")
    changed = xero.post("Contacts", {"ContactNumber": "N1", "Name": "B"}).json["Contacts"][0]
    assert (changed["ContactID"], changed["Name"]) == (made["ContactID"], "B")


def test_a_post_with_only_a_known_name_overwrites_that_contact_as_probed(xero, variants):
    made = xero.contact("A", EmailAddress="old@b.example")
    posted = xero.post("Contacts", {"Name": "a", "EmailAddress": "new@b.example"}).json["Contacts"][0]
    assert (posted["ContactID"], posted["EmailAddress"]) == (made["ContactID"], "new@b.example")
    variants.choose("xero.contacts.post_known_name", "refused")
    assert xero.post("Contacts", {"Name": "A", "EmailAddress": "x@b.example"}).messages == [TAKEN.format("A")]


def test_a_post_with_a_new_number_and_a_known_name_is_open(xero, variants):
    made = xero.contact("A", ContactNumber="N1")
    variants.choose("xero.contacts.post_new_number_known_name", "refused")
    assert xero.post("Contacts", {"Name": "A", "ContactNumber": "N2"}).messages == [TAKEN.format("A")]
    variants.choose("xero.contacts.post_new_number_known_name", "overwrites")
    posted = xero.post("Contacts", {"Name": "A", "ContactNumber": "N2"}).json["Contacts"][0]
    assert (posted["ContactID"], posted["ContactNumber"]) == (made["ContactID"], "N2")


def test_a_post_of_someone_new_creates(xero):
    assert xero.post("Contacts", {"Name": "A", "ContactNumber": "N1"}).effects[0]["action"] == "create"


def test_renaming_onto_another_contacts_name_is_refused(xero):
    xero.contact("A")
    other = xero.contact("B")
    assert xero.post(f"Contacts/{other['ContactID']}", {"Name": "A"}).messages == [TAKEN.format("A")]
    assert xero.post(f"Contacts/{other['ContactID']}", {"Name": "b"}).status == 200


def test_archiving_works_and_there_is_no_way_back(xero):
    made = xero.contact("A", ContactNumber="N1")
    archived = xero.post(f"Contacts/{made['ContactID']}", {"ContactStatus": "ARCHIVED"})
    assert archived.json["Contacts"][0]["ContactStatus"] == "ARCHIVED"
    for body in (
        {"ContactID": made["ContactID"], "ContactStatus": "ACTIVE"},
        {"ContactNumber": "N1", "FirstName": "Z"},
    ):
        assert xero.post("Contacts", body).messages == [ARCHIVED]


@pytest.mark.parametrize(("variant", "status"), [("refused", 400), ("accepted", 200)])
def test_archiving_with_an_open_invoice_is_open(xero, variants, variant, status):
    variants.choose("xero.contacts.archive_open", variant)
    made = xero.contact("A")
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    invoice = {
        "Type": "ACCREC",
        "Contact": {"ContactID": made["ContactID"]},
        "LineItems": [line],
        "Status": "AUTHORISED",
    }
    assert xero.put("Invoices", {**invoice, "DueDate": "2026-12-01"}).status == 200
    assert xero.post(f"Contacts/{made['ContactID']}", {"ContactStatus": "ARCHIVED"}).status == status


def test_lists_leave_archived_contacts_out_unless_asked(xero):
    made = xero.contact("Old")
    xero.edit("archive_contact", contact=made["ContactID"])
    assert xero.get("Contacts").json["Contacts"] == []
    assert len(xero.get("Contacts", includeArchived="true").json["Contacts"]) == 1
    assert xero.get(f"Contacts/{made['ContactID']}").status == 200


def test_one_contact_is_found_by_id_in_any_case_and_by_number(xero):
    made = xero.contact("A", ContactNumber="N1")
    for key in (made["ContactID"].upper(), "N1", "n1"):
        assert xero.get(f"Contacts/{key}").json["Contacts"][0]["ContactID"] == made["ContactID"]


def test_a_number_that_two_hold_gives_one_of_them_silently(xero):
    xero.edit("create_contact", fields={"Name": "Twin", "ContactNumber": "N1"})
    store = xero.backend.tenant.store
    row = next(iter(store.table("Contacts").rows()))
    store.table("Contacts").put({**row, "ContactID": None})
    assert len(xero.get("Contacts/N1").json["Contacts"]) == 1
    assert len(xero.get("Contacts", where='ContactNumber=="N1"').json["Contacts"]) == 2


def test_search_term_looks_into_names_numbers_and_e_mail(xero):
    xero.contact("Alpha", EmailAddress="zed@b.example")
    xero.contact("Beta", ContactNumber="ZED-1", LastName="Quill")
    assert len(xero.get("Contacts", searchTerm="zed").json["Contacts"]) == 2
    assert len(xero.get("Contacts", searchTerm="quill").json["Contacts"]) == 1


def test_a_write_answer_has_every_slot_filled_with_empty_text(xero):
    made = xero.contact(
        "A", Addresses=[{"AddressType": "STREET", "AddressLine1": "1 High St", "City": "Truro"}]
    )
    assert [row["AddressType"] for row in made["Addresses"]] == ["STREET", "POBOX"]
    assert made["Addresses"][1] == {
        "AddressType": "POBOX",
        "City": "",
        "Region": "",
        "PostalCode": "",
        "Country": "",
    }
    assert {row["PhoneType"] for row in made["Phones"]} == {"DEFAULT", "DDI", "FAX", "MOBILE"}
    assert all(row["PhoneNumber"] == "" for row in made["Phones"])


def test_contacts_that_came_with_the_organisation_have_bare_slots(xero):
    xero.backend.seed(1, "default")
    rows = xero.get("Contacts", page=1).json["Contacts"]
    assert {"PhoneType": "FAX"} in rows[0]["Phones"]


def test_a_slot_that_is_not_sent_stays(xero):
    made = xero.contact("A", Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "123"}])
    answer = xero.post(
        f"Contacts/{made['ContactID']}", {"Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "456"}]}
    )
    numbers = {row["PhoneType"]: row["PhoneNumber"] for row in answer.json["Contacts"][0]["Phones"]}
    assert (numbers["DEFAULT"], numbers["MOBILE"]) == ("123", "456")


@pytest.mark.parametrize(("variant", "city"), [("replaced", ""), ("merged", "Truro")])
def test_within_a_slot_that_is_sent_what_is_left_out_is_open(xero, variants, variant, city):
    variants.choose("xero.contacts.slot_fields", variant)
    made = xero.contact("A", Addresses=[{"AddressType": "STREET", "City": "Truro"}])
    sent = {"Addresses": [{"AddressType": "STREET", "AddressLine1": "2 High St"}]}
    street = xero.post(f"Contacts/{made['ContactID']}", sent).json["Contacts"][0]["Addresses"][0]
    assert (street["AddressLine1"], street["City"]) == ("2 High St", city)


@pytest.mark.parametrize(("variant", "count"), [("replaced", 1), ("added", 2)])
def test_contact_persons_of_a_write_replace_or_join_those_there_were(xero, variants, variant, count):
    variants.choose("xero.contacts.persons", variant)
    made = xero.contact("A", ContactPersons=[{"FirstName": "Ann", "EmailAddress": "ann@b.example"}])
    answer = xero.post(f"Contacts/{made['ContactID']}", {"ContactPersons": [{"FirstName": "Bob"}]})
    assert len(answer.json["Contacts"][0]["ContactPersons"]) == count
    untouched = xero.post(f"Contacts/{made['ContactID']}", {"FirstName": "x"})
    assert len(untouched.json["Contacts"][0]["ContactPersons"]) == count


def test_five_contact_persons_are_the_most(xero):
    five = [{"FirstName": f"P{number}"} for number in range(5)]
    assert xero.put("Contacts", {"Name": "A", "ContactPersons": five}).status == 200
    assert xero.put("Contacts", {"Name": "B", "ContactPersons": [*five, {"FirstName": "P5"}]}).status == 400


def test_is_customer_cannot_be_written_and_follows_the_first_invoice(xero):
    made = xero.contact("A", IsCustomer=True)
    assert made["IsCustomer"] is False
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    answer = xero.put(
        "Invoices", {"Type": "ACCREC", "Contact": {"ContactID": made["ContactID"]}, "LineItems": [line]}
    )
    assert answer.json["Invoices"][0]["Contact"]["IsCustomer"] is True
    assert [effect["object"] for effect in answer.effects] == ["Invoices"]


@pytest.mark.parametrize(
    "email",
    [
        "müller@b.example",
        "a@müller.example",
        "no mail",
        "a@b",
        "a@@b.example",
        "a b@c.example",
        ".a@b.example",
        "a@-b.example",
    ],
)
def test_an_e_mail_that_xero_does_not_take_is_refused(xero, email):
    assert xero.put("Contacts", {"Name": "A", "EmailAddress": email}).messages == [
        "Email address must be valid."
    ]
    persons = [{"FirstName": "P", "EmailAddress": email}]
    assert xero.put("Contacts", {"Name": "A", "ContactPersons": persons}).messages == [
        "Email address must be valid."
    ]


@pytest.mark.parametrize("email", ["a@b.example", "o'hara+x@sub.b-c.example", "a.b_c@1und1.example", ""])
def test_an_ordinary_e_mail_is_taken(xero, email):
    assert xero.put("Contacts", {"Name": "A", "EmailAddress": email}).status == 200


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"ContactNumber": "x" * 50}, True),
        ({"ContactNumber": "x" * 51}, False),
        ({"AccountNumber": "x" * 51}, False),
        ({"FirstName": "x" * 256}, False),
        ({"Addresses": [{"AddressType": "STREET", "AddressLine1": "x" * 500}]}, True),
        ({"Addresses": [{"AddressType": "STREET", "AddressLine1": "x" * 501}]}, False),
        ({"Addresses": [{"AddressType": "STREET", "City": "x" * 256}]}, False),
        ({"Addresses": [{"AddressType": "STREET", "PostalCode": "x" * 51}]}, False),
        ({"Addresses": [{"AddressType": "STREET", "Country": "Côte d'Ivoire"}]}, True),
        ({"Addresses": [{"AddressType": "STREET", "Country": "Area 51"}]}, False),
        ({"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1" * 51}]}, False),
        ({"Phones": [{"PhoneType": "DEFAULT", "PhoneAreaCode": "1" * 11}]}, False),
        ({"Phones": [{"PhoneType": "DEFAULT", "PhoneCountryCode": "1" * 21}]}, False),
    ],
)
def test_lengths_are_those_of_the_open_api_description(xero, fields, fits):
    assert (xero.put("Contacts", {"Name": "A", **fields}).status == 200) is fits


def test_every_problem_of_a_contact_is_told_at_once(xero):
    answer = xero.put("Contacts", {"Name": "A", "EmailAddress": "x", "ContactNumber": "y" * 51})
    assert len(answer.messages) == 2


@pytest.mark.parametrize(("variant", "status"), [("refused", 400), ("accepted", 200)])
def test_a_name_of_256_characters_is_open(xero, variants, variant, status):
    variants.choose("xero.contacts.name_length", variant)
    assert xero.put("Contacts", {"Name": "x" * 255}).status == 200
    assert xero.put("Contacts", {"Name": "y" * 256}).status == status


@pytest.mark.parametrize("name", [" A", "A ", "A  B"])
def test_spaces_at_the_ends_or_two_in_a_row_are_refused_or_trimmed(xero, variants, name):
    assert xero.put("Contacts", {"Name": name}).status == 400
    variants.choose("xero.contacts.name_spaces", "trimmed")
    assert xero.put("Contacts", {"Name": name}).json["Contacts"][0]["Name"] == " ".join(name.split())


@pytest.mark.parametrize("name", ["Cake 🍰 Shop", "株式会社サンプル", 'The "Best" Shop', "A & B <Ltd>"])
def test_names_keep_every_character(xero, name):
    made = xero.contact(name)
    assert xero.get(f"Contacts/{made['ContactID']}").json["Contacts"][0]["Name"] == name


@pytest.mark.parametrize(
    "fields",
    [
        {"ContactStatus": "SLEEPING"},
        {"Phones": [{"PhoneType": "PAGER"}]},
        {"ContactID": "abc"},
        {"Name": {"a": 1}},
    ],
)
def test_what_cannot_be_read_is_error_14(xero, fields):
    answer = xero.post("Contacts", {"Name": "A", **fields})
    assert (answer.status, answer.json["ErrorNumber"]) == (400, 14)


@pytest.mark.parametrize(
    "fields",
    [
        {"DefaultCurrency": "USD"},
        {"SalesDefaultAccountCode": "9999"},
        {"AccountsReceivableTaxType": "NOTHING"},
        {"PaymentTerms": {"Sales": {"Day": 32, "Type": "OFCURRENTMONTH"}}},
    ],
)
def test_defaults_must_exist_in_the_organisation(xero, fields):
    assert xero.put("Contacts", {"Name": "A", **fields}).status == 400


def test_defaults_that_exist_are_kept(xero):
    terms = {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}}
    made = xero.contact(
        "A",
        DefaultCurrency="EUR",
        SalesDefaultAccountCode="200",
        AccountsReceivableTaxType="OUTPUT2",
        PaymentTerms=terms,
    )
    assert (made["DefaultCurrency"], made["PaymentTerms"]) == ("EUR", terms)


def test_key_sets_differ_by_call_as_recorded(xero):
    made = xero.contact("A")
    single = xero.get(f"Contacts/{made['ContactID']}").json["Contacts"][0]
    page = xero.get("Contacts", page=1).json["Contacts"][0]
    summary = xero.get("Contacts", summaryOnly="true")
    assert {"SalesTrackingCategories", "PurchasesTrackingCategories"} <= made.keys()
    assert "HasAttachments" not in made
    assert {"HasAttachments", "Attachments"} <= single.keys()
    assert "HasAttachments" in page
    assert "Attachments" not in page
    dropped = {"Addresses", "Balances", "ContactGroups", "ContactPersons", "IsCustomer", "IsSupplier"}
    assert not dropped & summary.json["Contacts"][0].keys()
    assert "pagination" in summary.json  # summaryOnly pages by itself


def test_balances_are_what_is_open_and_what_is_late(xero):
    made = xero.contact("A")
    line = {"Description": "x", "Quantity": 1, "UnitAmount": "100.00", "AccountCode": "200"}
    invoice = {
        "Type": "ACCREC",
        "Contact": {"ContactID": made["ContactID"]},
        "LineItems": [line],
        "Status": "AUTHORISED",
    }
    due = ("2026-11-01", "2026-11-02", "2026-12-01")  # today is the second: due, and not late
    xero.put("Invoices", [{**invoice, "Date": "2026-10-01", "DueDate": day} for day in due])
    single = xero.get(f"Contacts/{made['ContactID']}").json["Contacts"][0]
    assert single["Balances"]["AccountsReceivable"] == {"Outstanding": 360.0, "Overdue": 120.0}
    assert "Balances" not in xero.get("Contacts").json["Contacts"][0]
