"""Contacts that people archive, merge or edit after we linked them."""

from __future__ import annotations

from decimal import Decimal


def two(house):
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))


def test_an_archived_contact_is_noticed_before_its_invoice_goes(house, office):
    two(house)
    office.does("archive_contact", contact=office.contact(1)["ContactID"])
    house.forget_exchanges()
    ran = house.load(("invoices", house.invoice(1, 1)), ("invoices", house.invoice(2, 2)))
    assert ran.exit_code == 1
    assert "contact_archived" in ran.err
    assert [row["ContactID"] for row in office.ours()] == [office.contact(2)["ContactID"]]
    assert house.writes == 1
    office.does("unarchive_contact", contact=office.contact(1)["ContactID"])
    assert house.load(retry_refused=True).exit_code == 0
    assert len(office.ours()) == 2


def test_documents_of_a_merged_contact_go_to_the_surviving_one(house, office):
    two(house)
    hand = office.does("create_contact", fields={"Name": "Customer One Group"})
    office.does("merge_contacts", contact=office.contact(1)["ContactID"], into=hand["ContactID"])
    ran = house.load(("invoices", house.invoice(1, 1)))
    assert ran.exit_code == 0
    assert office.invoice["ContactID"] == hand["ContactID"]
    assert "was merged into 'Customer One Group' in Xero" in " ".join(ran.err.split())
    house.forget_exchanges()
    assert house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1))).exit_code == 0
    assert house.writes == 0


def test_a_contact_merged_into_another_of_ours_keeps_its_documents_going(house, office):
    two(house)
    office.does("merge_contacts", contact=office.contact(1)["ContactID"], into=office.contact(2)["ContactID"])
    assert house.load(("invoices", house.invoice(1, 1)), ("invoices", house.invoice(2, 2))).exit_code == 0
    assert {row["ContactID"] for row in office.ours()} == {office.contact(2)["ContactID"]}
    ran = house.load(("contacts", house.contact(1, EmailAddress="one@example.com")))
    assert ran.exit_code == 1
    assert "contact_merged" in ran.err
    assert not office.contact(2).get("EmailAddress")


def test_a_merge_of_a_merge_is_followed(house, office):
    two(house)
    first = office.does("create_contact", fields={"Name": "First"})
    last = office.does("create_contact", fields={"Name": "Last"})
    office.does("merge_contacts", contact=office.contact(1)["ContactID"], into=first["ContactID"])
    office.does("merge_contacts", contact=first["ContactID"], into=last["ContactID"])
    assert house.load(("invoices", house.invoice(1, 1))).exit_code == 0
    assert office.invoice["ContactID"] == last["ContactID"]


def test_a_change_of_a_merged_contact_goes_to_the_surviving_one(house, office):
    two(house)
    hand = office.does("create_contact", fields={"Name": "Group", "TaxNumber": "GB1"})
    office.does("merge_contacts", contact=office.contact(1)["ContactID"], into=hand["ContactID"])
    ran = house.load(("contacts", house.contact(1, EmailAddress="one@example.com")))
    assert ran.exit_code == 0
    survivor = next(c for c in house.books("Contacts") if c["ContactID"] == hand["ContactID"])
    assert (survivor["Name"], survivor["EmailAddress"], survivor["TaxNumber"]) == (
        "Group",
        "one@example.com",
        "GB1",
    )


def phone(number):
    return [{"PhoneType": "DEFAULT", "PhoneNumber": number}]


def phone_of(contact):
    slots = contact["Phones"]
    slots = slots.values() if isinstance(slots, dict) else slots
    return next(p["PhoneNumber"] for p in slots if p.get("PhoneNumber"))


def test_what_only_people_changed_stays_and_what_only_the_source_changed_goes(house, office):
    house.load(("contacts", house.contact(1, EmailAddress="a@example.com", Phones=phone("1"))))
    office.does(
        "edit_contact", contact=office.contact(1)["ContactID"], fields={"EmailAddress": "people@example.com"}
    )
    ran = house.load(("contacts", house.contact(1, EmailAddress="a@example.com", Phones=phone("2"))))
    assert ran.exit_code == 0
    assert (office.contact(1)["EmailAddress"], phone_of(office.contact(1))) == ("people@example.com", "2")
    assert "Left as people have it in Xero: EmailAddress 'people@example.com'" in " ".join(ran.err.split())


def test_what_both_changed_otherwise_is_refused_with_both_values(house, office):
    house.load(("contacts", house.contact(1, EmailAddress="a@example.com")))
    office.does(
        "edit_contact", contact=office.contact(1)["ContactID"], fields={"EmailAddress": "people@example.com"}
    )
    changed = house.contact(1, EmailAddress="b@example.com")
    ran = house.load(("contacts", changed))
    told = " ".join(ran.err.split())
    assert ran.exit_code == 1
    assert "was 'a@example.com', now 'people@example.com' in Xero and 'b@example.com' in the source" in told
    assert office.contact(1)["EmailAddress"] == "people@example.com"
    office.does(
        "edit_contact", contact=office.contact(1)["ContactID"], fields={"EmailAddress": "b@example.com"}
    )
    assert house.load(("contacts", changed), retry_refused=True).exit_code == 0


def test_an_address_line_of_the_source_does_not_wipe_what_people_added_to_it(house, office):
    street = {"AddressType": "STREET", "AddressLine1": "1 Road", "City": "York"}
    house.load(("contacts", house.contact(1, Addresses=[street])))
    theirs = {**street, "PostalCode": "YO1 1AA"}
    office.does("edit_contact", contact=office.contact(1)["ContactID"], fields={"Addresses": [theirs]})
    house.load(("contacts", house.contact(1, Addresses=[{**street, "City": "Leeds"}])))
    slots = office.contact(1)["Addresses"]
    slots = slots.values() if isinstance(slots, dict) else slots
    found = next(a for a in slots if a.get("City"))
    assert (found["City"], found["PostalCode"], found["AddressLine1"]) == ("Leeds", "YO1 1AA", "1 Road")


def test_the_contacts_cost_one_list_a_run_however_many_invoices_there_are(house):
    contacts = [("contacts", house.contact(n)) for n in range(120)]
    house.load(*contacts)
    house.forget_exchanges()
    house.load(*[("invoices", house.invoice(n, n)) for n in range(120)])
    assert house.writes == 3
    lists = [e["path"] for e in house.exchanges() if e["method"] == "GET" and e["path"].endswith("/Contacts")]
    assert len(lists) == 1
    assert Decimal(house.other_calls) <= 5
