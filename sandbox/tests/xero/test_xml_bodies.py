"""Bodies in XML, as older clients send them. Their shape: Xero developer docs (requests and responses, and the examples)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ikaroa_sandbox.xero import errors, xml_bodies

XML = {"Content-Type": "application/xml"}


def test_a_contact_in_xml_is_that_of_json():
    body = """<?xml version="1.0" encoding="utf-8"?>
      <Contacts xmlns="urn:x"><Contact><Name>Zoë &amp; Söhne</Name><EmailAddress/>
        <Phones><Phone><PhoneType>MOBILE</PhoneType><PhoneNumber>1</PhoneNumber></Phone></Phones>
        <ContactPersons/><PaymentTerms><Sales><Day>5</Day><Type>DAYSAFTERBILLDATE</Type></Sales></PaymentTerms>
      </Contact><Contact><Name>B</Name></Contact></Contacts>"""
    assert xml_bodies.read(body.encode()) == {
        "Contacts": [
            {
                "Name": "Zoë & Söhne",
                "EmailAddress": "",
                "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}],
                "ContactPersons": [],
                "PaymentTerms": {"Sales": {"Day": "5", "Type": "DAYSAFTERBILLDATE"}},
            },
            {"Name": "B"},
        ]
    }


def test_one_element_may_be_the_root():
    assert xml_bodies.read(b"<HistoryRecord><Details>x</Details></HistoryRecord>") == {
        "HistoryRecords": [{"Details": "x"}]
    }


@pytest.mark.parametrize(
    "body",
    [
        b"<Contact><Name>x</Contact>",
        b'{"Name": "x"}',
        b'<!DOCTYPE a [<!ENTITY b "c">]><Contact><Name>&b;</Name></Contact>',
        "<Contact><Name>x</Name></Contact>".encode("utf-16"),
        b"<Contact>" * 100_000,
        b"<a>" * 20_000 + b"</a>" * 20_000,
    ],
)
def test_what_is_no_xml_or_has_a_document_type_is_invalid(body):
    with pytest.raises(errors.PostDataInvalid, match="XML"):
        xml_bodies.read(body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"Name": "Ann"}'),
        ("text/json; charset=utf-8", b'{"Name": "Ann"}'),
        ("application/vnd.api+json", b'{"Name": "Ann"}'),
        ("application/xml", b"<Contact><Name>Ann</Name></Contact>"),
        ("TEXT/XML; charset=utf-8", b"<Contact><Name>Ann</Name></Contact>"),
        ("application/vnd.api+xml", b"<Contact><Name>Ann</Name></Contact>"),
    ],
)
def test_the_content_type_says_how_a_body_is_read(xero, kind, body):
    answer = xero.call("PUT", "Contacts", body, headers={"Content-Type": kind})
    assert [contact["Name"] for contact in answer.json["Contacts"]] == ["Ann"]


def test_a_body_that_is_neither_json_nor_xml_is_not_simulated(xero):
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    assert xero.call("PUT", "Contacts", b"Name=Ann", headers=sent).status == 501


def test_an_invoice_is_made_and_changed_in_xml(xero):
    contact = xero.call("PUT", "Contacts", b"<Contact><Name>Ann</Name></Contact>", headers=XML)
    contact_id = contact.json["Contacts"][0]["ContactID"]
    lines = "<LineItem><Description>Work</Description><Quantity>2</Quantity><UnitAmount>12.34</UnitAmount><AccountCode>200</AccountCode>"
    tracking = (
        "<Tracking><TrackingCategory><Name>Region</Name><Option>North</Option></TrackingCategory></Tracking>"
    )
    body = f"""<Invoices><Invoice><Type>ACCREC</Type><Contact><ContactID>{contact_id}</ContactID></Contact>
      <Date>2026-11-02T00:00:00</Date><DueDate>2026-12-02</DueDate><Status>AUTHORISED</Status><SentToContact>true</SentToContact>
      <LineItems>{lines}{tracking}</LineItem></LineItems></Invoice></Invoices>"""
    made = xero.call("PUT", "Invoices", body.encode(), headers=XML).json["Invoices"][0]
    assert Decimal(str(made["SubTotal"])) == Decimal("24.68")
    assert made["SentToContact"] is True
    assert made["LineItems"][0]["Tracking"][0]["Option"] == "North"

    change = f"<Invoice><InvoiceID>{made['InvoiceID']}</InvoiceID><Reference>R</Reference></Invoice>"
    (changed,) = xero.call("POST", "Invoices", change.encode(), headers=XML).json["Invoices"]
    assert (changed["InvoiceNumber"], changed["Reference"]) == (made["InvoiceNumber"], "R")
