"""Contact groups. Xero developer docs (Contact Groups)."""

from __future__ import annotations

from typing import Any

import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def group(xero: Any) -> str:
    return str(xero.put("ContactGroups", {"Name": "VIPs"}).json["ContactGroups"][0]["ContactGroupID"])


def people(xero: Any, group: str) -> list[str]:
    (found,) = xero.get(f"ContactGroups/{group}").json["ContactGroups"]
    return [one["Name"] for one in found["Contacts"]]


def test_a_group_is_made_renamed_and_deleted(xero: Any, group: str) -> None:
    (listed,) = xero.get("ContactGroups").json["ContactGroups"]
    assert listed == {
        "ContactGroupID": group,
        "Name": "VIPs",
        "Status": "ACTIVE",
        "Contacts": [],
        "HasValidationErrors": False,
    }
    assert (
        xero.post(f"ContactGroups/{group}", {"Name": "Big ones"}).json["ContactGroups"][0]["Name"]
        == "Big ones"
    )
    assert xero.post(f"ContactGroups/{group}", {"Status": "DELETED"}).status == 200
    assert xero.get("ContactGroups").json["ContactGroups"] == []
    assert xero.post(f"ContactGroups/{group}", {"Name": "Back"}).status == 400


def test_contacts_are_added_once_shown_on_both_sides_and_taken_out(xero: Any, group: str) -> None:
    one, other = xero.contact("Ada")["ContactID"], xero.contact("Bob")["ContactID"]
    for _ in range(2):
        assert (
            xero.put(
                f"ContactGroups/{group}/Contacts", {"Contacts": [{"ContactID": one}, {"ContactID": other}]}
            ).status
            == 200
        )
    assert people(xero, group) == ["Ada", "Bob"]
    (contact,) = xero.get(f"Contacts/{one}").json["Contacts"]
    assert [entry["Name"] for entry in contact["ContactGroups"]] == ["VIPs"]
    assert xero.call("DELETE", f"ContactGroups/{group}/Contacts/{one}").status == 204
    assert people(xero, group) == ["Bob"]
    assert xero.call("DELETE", f"ContactGroups/{group}/Contacts/{one}").status == 404
    assert xero.call("DELETE", f"ContactGroups/{group}/Contacts").status == 204
    assert people(xero, group) == []
    (contact,) = xero.get(f"Contacts/{other}").json["Contacts"]
    assert contact["ContactGroups"] == []


def test_a_deleted_group_holds_nobody(xero: Any, group: str) -> None:
    one = xero.contact("Ada")["ContactID"]
    xero.put(f"ContactGroups/{group}/Contacts", {"Contacts": [{"ContactID": one}]})
    xero.post(f"ContactGroups/{group}", {"Status": "DELETED"})
    assert xero.get(f"Contacts/{one}").json["Contacts"][0]["ContactGroups"] == []


@pytest.mark.parametrize("body", [{}, {"Name": "vips"}, {"Name": "New", "Status": "ASLEEP"}])
def test_a_group_needs_a_name_of_its_own_and_a_status_that_exists(
    xero: Any, group: str, body: dict[str, str]
) -> None:
    assert xero.put("ContactGroups", {"ContactGroups": [body or {"Status": "ACTIVE"}]}).status == 400
    assert len(xero.get("ContactGroups").json["ContactGroups"]) == 1


def test_an_unknown_contact_or_group_is_404_and_nothing_is_added(xero: Any, group: str) -> None:
    one = xero.contact("Ada")["ContactID"]
    sent = {"Contacts": [{"ContactID": one}, {"ContactID": NOBODY}]}
    assert xero.put(f"ContactGroups/{group}/Contacts", sent).status == 404
    assert people(xero, group) == []
    assert xero.put(f"ContactGroups/{NOBODY}/Contacts", sent).status == 404
    assert xero.put(f"ContactGroups/{group}/Contacts", {"Contacts": [{"Name": "Ada"}]}).status == 400


def test_groups_are_contacts_business(xero: Any) -> None:
    xero.sign_in({"grant_type": "client_credentials", "scope": "accounting.contacts.read"})
    assert xero.get("ContactGroups").status == 200
    assert xero.put("ContactGroups", {"Name": "A"}).status == 401
