"""Person accounts, merges, lead conversion. Salesforce object reference."""

from __future__ import annotations

import pytest


def test_a_contacts_name_is_made_of_its_parts(org) -> None:
    record = org.make("Contact", FirstName="Åsa", LastName="Öberg", Salutation="Ms.")
    assert org.one("Contact", record, "Name") == "Åsa Öberg"
    org.change("Contact", record, FirstName=None)
    assert org.one("Contact", record, "Name") == "Öberg"


def test_an_account_with_a_last_name_is_a_person_and_has_a_contact(org) -> None:
    person = org.make("Account", FirstName="Ada", LastName="Byron", PersonEmail="ada@home.example")
    found = org.one("Account", person, "Name", "IsPersonAccount", "PersonContactId")
    assert (found["Name"], found["IsPersonAccount"]) == ("Ada Byron", True)
    assert org.records("SELECT Id, Name, Email, IsPersonAccount, AccountId FROM Contact") == [
        {"Id": found["PersonContactId"], "Name": "Ada Byron", "Email": "ada@home.example", "IsPersonAccount": True,
         "AccountId": person}
    ]  # fmt: skip


def test_person_and_contact_follow_each_other(org) -> None:
    person = org.make("Account", FirstName="Ada", LastName="Byron")
    contact = org.one("Account", person, "PersonContactId")
    org.pass_time(60)
    org.change("Account", person, LastName="Lovelace", PersonEmail="ada@home.example")
    assert org.one("Contact", contact, "Name", "Email") == {
        "Name": "Ada Lovelace",
        "Email": "ada@home.example",
    }
    org.pass_time(60)
    org.change("Contact", contact, FirstName="Augusta")
    assert org.one("Account", person, "Name", "SystemModstamp") == {
        "Name": "Augusta Lovelace", "SystemModstamp": "2026-11-02T09:02:00.000+0000",
    }  # fmt: skip


def test_a_company_takes_no_person_fields(org) -> None:
    found = org.error(org.send("POST", "sobjects/Account", {"Name": "A", "PersonEmail": "a@b.example"}))
    assert found["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_merge_moves_children_and_leaves_a_trace(org) -> None:
    master, loser = (org.make("Account", Name=name) for name in ("Acme", "ACME Ltd"))
    contact = org.make("Contact", LastName="C", AccountId=loser)
    deal = org.make("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01", AccountId=loser)
    org.pass_time(60)
    org.edit("merge", object="Account", master=master, losers=[loser])
    assert org.one("Account", loser, "IsDeleted", "MasterRecordId") == {
        "IsDeleted": True,
        "MasterRecordId": master,
    }
    for kind, child in (("Contact", contact), ("Opportunity", deal)):
        assert org.one(kind, child, "AccountId", "IsDeleted", "SystemModstamp") == {
            "AccountId": master, "IsDeleted": False, "SystemModstamp": "2026-11-02T09:01:00.000+0000",
        }  # fmt: skip
    assert org.one("Account", master, "SystemModstamp") == "2026-11-02T09:01:00.000+0000"


def test_a_merge_takes_two_losers_at_most_and_never_the_master(org) -> None:
    made = [org.make("Lead", LastName=name, Company="X") for name in "ABCD"]
    for losers in ([made[0]], made[1:], []):
        with pytest.raises(ValueError, match="1 to 2 records"):
            org.edit("merge", object="Lead", master=made[0], losers=losers)
    with pytest.raises(ValueError, match="cannot be merged"):
        org.edit("merge", object="User", master=org.column("SELECT Id FROM User")[0], losers=[])


def lead(org) -> str:
    return org.make("Lead", FirstName="Ada", LastName="Byron", Company="Engines Ltd", Email="ada@engines.example",
                    Street="1 Mill Lane", City="Leeds")  # fmt: skip


def test_converting_a_lead_makes_account_contact_and_deal(org) -> None:
    record = lead(org)
    org.pass_time(60)
    made = org.edit("convert_lead", id=record)
    found = org.one("Lead", record, "IsConverted", "Status", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId",
                    "ConvertedOpportunityId", "SystemModstamp")  # fmt: skip
    assert list(found.values()) == [True, "Closed - Converted", "2026-11-02", made["AccountId"], made["ContactId"],
                                    made["OpportunityId"], "2026-11-02T09:01:00.000+0000"]  # fmt: skip
    assert org.one("Account", made["AccountId"], "Name", "BillingCity") == {
        "Name": "Engines Ltd",
        "BillingCity": "Leeds",
    }
    assert org.one("Contact", made["ContactId"], "Name", "Email", "AccountId") == {
        "Name": "Ada Byron", "Email": "ada@engines.example", "AccountId": made["AccountId"],
    }  # fmt: skip
    assert org.one("Opportunity", made["OpportunityId"], "AccountId") == made["AccountId"]


def test_conversion_can_use_what_is_there_and_leave_the_deal_out(org) -> None:
    account = org.make("Account", Name="Engines")
    contact = org.make("Contact", LastName="Byron", AccountId=account)
    made = org.edit("convert_lead", id=lead(org), account=account, contact=contact, opportunity=False)
    assert made == {"AccountId": account, "ContactId": contact, "OpportunityId": None}
    assert org.query("SELECT COUNT() FROM Opportunity")["totalSize"] == 0


def test_a_converted_lead_cannot_be_converted_or_changed_again(org) -> None:
    record = lead(org)
    org.edit("convert_lead", id=record)
    with pytest.raises(ValueError, match="CANNOT_CONVERT_LEAD"):
        org.edit("convert_lead", id=record)
    found = org.error(org.send("PATCH", f"sobjects/Lead/{record}", {"Phone": "1"}))
    assert found["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"
