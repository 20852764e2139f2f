"""People's hands in the organisation, and what the core does with the whole of it: seeds, dumps, copies."""

from __future__ import annotations

import json
import time

import pytest
from ikaroa_sandbox.core import Headers, Request


def one(xero, name: str, **params):
    return next(row for row in xero.get("Contacts", **params).json["Contacts"] if row["Name"] == name)


def test_a_renamed_contact_keeps_its_id_and_is_newer(xero):
    made = xero.contact("A")
    xero.edit("rename_contact", contact="A", name="B")
    found = one(xero, "B")
    assert found["ContactID"] == made["ContactID"]
    assert found["UpdatedDateUTC"] > made["UpdatedDateUTC"]


def test_people_can_edit_and_bring_back_an_archived_contact(xero):
    xero.contact("A")
    xero.edit("archive_contact", contact="A")
    xero.edit("edit_contact", contact="A", fields={"EmailAddress": "a@b.example"})
    assert one(xero, "A", includeArchived="true")["ContactStatus"] == "ARCHIVED"
    xero.edit("unarchive_contact", contact="A")
    assert one(xero, "A")["EmailAddress"] == "a@b.example"


def test_a_name_taken_since_keeps_a_contact_in_the_archive(xero):
    old = xero.contact("A")
    xero.edit("archive_contact", contact=old["ContactID"])
    xero.contact("A")
    with pytest.raises(ValueError, match="another active contact"):
        xero.edit("unarchive_contact", contact=old["ContactID"])


def test_a_merged_contact_is_archived_points_to_the_other_and_its_invoices_move(xero):
    gone, kept = xero.contact("Gone"), xero.contact("Kept")
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    invoice = {"Type": "ACCREC", "Contact": {"ContactID": gone["ContactID"]}, "LineItems": [line]}
    invoice_id = xero.put("Invoices", invoice).json["Invoices"][0]["InvoiceID"]
    xero.edit("merge_contacts", contact="Gone", into="Kept")
    single = xero.get(f"Contacts/{gone['ContactID']}").json["Contacts"][0]
    assert (single["ContactStatus"], single["MergedToContactID"]) == ("ARCHIVED", kept["ContactID"])
    assert "MergedToContactID" not in one(xero, "Gone", includeArchived="true")
    assert "MergedToContactID" in one(xero, "Gone", includeArchived="true", page=1)
    moved = xero.get(f"Invoices/{invoice_id}").json["Invoices"][0]
    assert moved["Contact"]["ContactID"] == kept["ContactID"]
    assert one(xero, "Kept")["IsCustomer"] is True


def test_contacts_made_by_people_may_share_a_name_as_demo_data_was_seen_to(xero):
    xero.edit("create_contact", fields={"Name": "Twin"})
    with pytest.raises(ValueError, match="already assigned"):
        xero.edit("create_contact", fields={"Name": "Twin"})
    xero.edit("create_contact", fields={"Name": "Twin"}, duplicate=True)
    assert [row["Name"] for row in xero.get("Contacts").json["Contacts"]] == ["Twin", "Twin"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ({"action": "dance"}, "knows no action 'dance'"),
        ({}, "knows no action"),
        ({"action": "archive_contact", "contact": "nobody"}, "no contact with id, number or name 'nobody'"),
        ({"action": "set_limits", "hour": 3}, "unknown: hour"),
        ({"action": "set_limits", "minute": "many"}, "whole number"),
        ({"action": "set_app", "scopes": "all"}, "mixed, granular, broad"),
        ({"action": "enable_currency", "code": "XXX"}, "no currency"),
        ({"action": "set_lock_dates", "period": "soon"}, "AllXsd"),
        ({"action": "set_limits", "tenant_id": "x"}, "no organisation 'x'"),
        ({"action": "edit_contact", "contact": "A", "fields": {"Shoe": 1}}, "Shoe"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(xero, command, told):
    xero.contact("A")
    before = json.dumps(xero.backend.dump(), sort_keys=True)
    with pytest.raises(ValueError, match=told):
        xero.backend.edit(command)
    assert json.dumps(xero.backend.dump(), sort_keys=True) == before


def test_revoked_refresh_tokens_are_invalid_grants(xero):
    xero.edit("revoke_refresh_tokens")
    answer = xero.sign_in({"grant_type": "refresh_token", "refresh_token": "sandbox-xero-refresh"})
    assert answer.json == {"error": "invalid_grant"}


def test_the_demo_flag_can_be_set(xero):
    xero.edit("set_organisation", demo=True, name="Demo Company (UK)")
    (found,) = xero.get("Organisation").json["Organisations"]
    assert (found["IsDemoCompany"], found["Name"]) == (True, "Demo Company (UK)")


def test_the_same_seed_and_clock_give_the_same_organisation(make_xero):
    one_, other = make_xero(5), make_xero(99)
    counts = one_.seed(7, "default")
    assert counts == other.seed(7, "default")
    assert counts["Contacts"] > 5
    assert one_.dump() == other.dump()
    other.seed(8, "default")
    assert one_.dump()["Contacts"] != other.dump()["Contacts"]


def test_seeding_again_starts_over(xero):
    xero.backend.seed(7, "default")
    before = xero.backend.dump()
    xero.contact("New")
    xero.backend.seed(7, "default")
    assert xero.backend.dump() == before


def test_a_reset_leaves_settings_and_no_records(xero):
    xero.backend.seed(7, "default")
    xero.backend.reset()
    dump = xero.backend.dump()
    assert [dump["Contacts"], dump["Items"], dump["Invoices"]] == [[], [], []]
    assert len(dump["Accounts"]) > 20
    assert xero.backend.seed(7, "empty").get("Contacts") is None


def test_a_dump_is_plain_json_with_money_as_text(xero):
    xero.put("Items", {"Code": "A", "SalesDetails": {"UnitPrice": "12.5"}})
    dump = json.loads(json.dumps(xero.backend.dump()))
    assert dump["Items"][0]["SalesDetails"]["UnitPrice"] == "12.50"
    assert dump["Organisation"]["Name"] == "Sandbox Trading Ltd"
    assert dump["Connection"]["connected"] is True


def test_restore_brings_back_rows_indexes_limits_tokens_and_keys(xero):
    xero.contact("Before", ContactNumber="N1")
    saved, dump = xero.backend.save(), xero.backend.dump()
    left = xero.get("Organisation").headers["X-MinLimit-Remaining"]
    xero.contact("After")
    xero.post("Contacts", {"ContactNumber": "N1", "Name": "Changed"})
    xero.edit("disconnect_tenant")
    xero.edit("add_organisation", name="Second Ltd")
    xero.backend.restore(saved)
    assert xero.backend.dump() == dump
    assert xero.get("Organisation").headers["X-MinLimit-Remaining"] == left
    assert xero.put("Contacts", {"Name": "After"}).status == 200
    assert xero.put("Contacts", {"Name": "Before"}).status == 400
    xero.backend.restore(saved)
    assert xero.backend.dump() == dump


def test_after_restore_the_same_calls_give_the_same_ids(xero):
    xero.sign_in()
    saved = xero.backend.save()
    first = xero.contact("A")["ContactID"]
    xero.backend.restore(saved)
    assert xero.contact("A")["ContactID"] == first


@pytest.mark.slow
def test_a_copy_of_the_books_costs_next_to_nothing_beside_making_them(xero):
    xero.edit("set_limits", minute=1000)
    began = time.process_time()
    for start in range(0, 5000, 500):
        xero.put(
            "Contacts",
            [{"Name": f"C{number}", "ContactNumber": f"N{number}"} for number in range(start, start + 500)],
        )
    making, began = time.process_time() - began, time.process_time()
    saved = xero.backend.save()
    xero.backend.restore(saved)
    assert time.process_time() - began < making / 10


def test_stamps_always_rise_even_when_the_clock_stands_or_goes_back(xero, clock):
    first = xero.contact("A")["UpdatedDateUTC"]
    second = xero.contact("B")["UpdatedDateUTC"]
    clock.advance(-3600)
    xero.sign_in()
    assert first < second < xero.contact("C")["UpdatedDateUTC"]


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        ("/connect/token", True),
        ("/connections", True),
        ("/Connections", True),
        ("/identity/connect/authorize", True),
        ("/api.xro/2.0/Contacts", True),
        ("/services/data", False),
        ("/_sandbox/journal", False),
    ],
)
def test_the_paths_that_are_xeros(xero, path, owned):
    assert xero.backend.owns(Request("GET", path)) is owned


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/connect/token"),
        ("POST", "/connections"),
        ("GET", "/api.xro/1.0/Contacts"),
        ("GET", "/api.xro/2.0"),
        ("GET", "/identity/x"),
    ],
)
def test_unknown_end_points_are_501_by_name(xero, method, path):
    xero.sign_in()
    answer = xero.backend.handle(
        Request(method, path, headers=Headers({"Authorization": f"Bearer {xero.token}"}))
    )
    assert answer.status == 501
    assert "does not simulate" in json.loads(answer.body)["Message"]
