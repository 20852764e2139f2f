"""Bin, undelete, cascades, and the line that never goes to the bin. Salesforce object reference."""

from __future__ import annotations

import pytest


def binned(org, kind: str) -> list[str]:
    return org.column(f"SELECT Id FROM {kind} WHERE IsDeleted = true", "queryAll")


def log(org, kind: str) -> list[str]:
    org.pass_time(120)
    now = org.world.clock.now()
    answer = org.get(f"sobjects/{kind}/deleted/", start=now.replace(hour=0).isoformat(), end=now.isoformat())
    return [one["id"] for one in answer["deletedRecords"]]


def test_a_delete_moves_the_stamp_and_hides_the_row_from_query(org) -> None:
    record = org.make("Account", Name="A")
    org.pass_time(60)
    org.edit("delete", object="Account", id=record)
    assert org.column("SELECT Id FROM Account") == []
    assert org.one("Account", record, "IsDeleted", "SystemModstamp") == {
        "IsDeleted": True, "SystemModstamp": "2026-11-02T09:01:00.000+0000",
    }  # fmt: skip


def test_an_account_takes_its_contacts_and_deals_along_and_brings_them_back(shop) -> None:
    org, deal = shop.org, shop.deal()
    line = shop.line(deal)
    contact = org.make("Contact", LastName="C", AccountId=shop.account)
    earlier = org.make("Contact", LastName="Earlier", AccountId=shop.account)
    org.edit("delete", object="Contact", id=earlier)
    org.edit("delete", object="Account", id=shop.account)
    assert binned(org, "Opportunity") == [deal]
    assert binned(org, "OpportunityLineItem") == [line]
    assert set(binned(org, "Contact")) == {contact, earlier}
    org.edit("undelete", object="Account", id=shop.account)
    assert binned(org, "Account") == binned(org, "Opportunity") == binned(org, "OpportunityLineItem") == []
    assert binned(org, "Contact") == [earlier]


def test_a_line_deleted_directly_is_never_seen_again_but_in_the_log(shop) -> None:
    org, deal = shop.org, shop.deal()
    line = shop.line(deal)
    org.edit("delete", object="OpportunityLineItem", id=line)
    assert org.column("SELECT Id FROM OpportunityLineItem", "queryAll") == []
    with pytest.raises(ValueError, match="not in the recycle bin"):
        org.edit("undelete", object="OpportunityLineItem", id=line)
    assert org.error(org.send("GET", f"sobjects/OpportunityLineItem/{line}"))["errorCode"] == "NOT_FOUND"
    assert log(org, "OpportunityLineItem") == [line]


def test_a_lookup_to_a_deleted_record_is_cleared(org) -> None:
    boss = org.make("Contact", LastName="Boss")
    report = org.make("Contact", LastName="Report", ReportsToId=boss)
    org.pass_time(60)
    org.edit("delete", object="Contact", id=boss)
    assert org.one("Contact", report, "ReportsToId", "SystemModstamp") == {
        "ReportsToId": None, "SystemModstamp": "2026-11-02T09:00:00.000+0000",
    }  # fmt: skip


def test_in_the_other_reading_clearing_a_lookup_moves_the_stamp(org) -> None:
    org.choose("deletion.cleared_lookup_stamps", "stamped")
    boss = org.make("Contact", LastName="Boss")
    report = org.make("Contact", LastName="Report", ReportsToId=boss)
    org.pass_time(60)
    org.edit("delete", object="Contact", id=boss)
    assert org.one("Contact", report, "SystemModstamp") == "2026-11-02T09:01:00.000+0000"


def test_what_is_in_use_cannot_be_deleted(shop) -> None:
    shop.line(shop.deal())
    for kind, record in (("Product2", shop.product), ("PricebookEntry", shop.entry)):
        found = shop.org.error(shop.org.send("DELETE", f"sobjects/{kind}/{record}"))
        assert found["errorCode"] == "DELETE_FAILED"
    assert (
        shop.org.error(shop.org.send("DELETE", f"sobjects/Pricebook2/{shop.book}"))["errorCode"]
        == "DELETE_FAILED"
    )


def test_users_cannot_be_deleted(org) -> None:
    user = org.column("SELECT Id FROM User LIMIT 1")[0]
    assert org.send("DELETE", f"sobjects/User/{user}").status == 400


def test_the_bin_is_emptied_after_15_days(org) -> None:
    record = org.make("Account", Name="A")
    org.edit("delete", object="Account", id=record)
    org.backend.state.tokens.sessions[org.token] = org.world.clock.now().replace(year=2030)
    org.pass_time(15 * 86_400)
    assert binned(org, "Account") == [record]
    org.pass_time(1)
    assert binned(org, "Account") == []
    with pytest.raises(ValueError, match="not in the recycle bin"):
        org.edit("undelete", object="Account", id=record)


def test_emptying_the_bin_by_hand(org) -> None:
    kept, gone = (org.make("Account", Name=name) for name in "AB")
    org.edit("delete", object="Account", id=gone)
    assert org.edit("empty_bin") == {"removed": 1}
    assert org.column("SELECT Id FROM Account", "queryAll") == [kept]
    assert log(org, "Account") == [gone]


def test_a_hard_delete_takes_children_along(shop) -> None:
    deal = shop.deal()
    shop.line(deal)
    shop.org.edit("hard_delete", object="Opportunity", id=deal)
    for kind in ("Opportunity", "OpportunityLineItem"):
        assert shop.org.column(f"SELECT Id FROM {kind}", "queryAll") == []
    assert log(shop.org, "Opportunity") == [deal]


def test_a_deleted_record_can_be_neither_changed_nor_referred_to(org) -> None:
    record = org.make("Account", Name="A")
    org.edit("delete", object="Account", id=record)
    assert (
        org.error(org.send("PATCH", f"sobjects/Account/{record}", {"Name": "B"}))["errorCode"]
        == "ENTITY_IS_DELETED"
    )
    found = org.error(org.send("POST", "sobjects/Contact", {"LastName": "C", "AccountId": record}))
    assert found["errorCode"] == "ENTITY_IS_DELETED"
    with pytest.raises(ValueError, match="ENTITY_IS_DELETED"):
        org.edit("delete", object="Account", id=record)
