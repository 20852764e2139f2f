"""Each assumed rule has at least two readings, and each reading shows. (Those of deals, deletions and numbers: there.)"""

from __future__ import annotations

import random

import pytest


@pytest.mark.parametrize(("variant", "last"), [("last", None), ("first", 5)])
def test_where_empty_values_come_going_down(org, variant: str, last: int | None) -> None:
    org.choose("query.nulls_descending", variant)
    org.make("Account", Name="A", NumberOfEmployees=5)
    org.make("Account", Name="B")
    assert org.column("SELECT NumberOfEmployees FROM Account ORDER BY NumberOfEmployees DESC")[-1] == last


@pytest.mark.parametrize(("variant", "status"), [("400", 400), ("404", 404)])
def test_the_status_of_a_locator_that_is_gone(org, variant: str, status: int) -> None:
    org.choose("query.invalid_locator", variant)
    found = org.error(org.send("GET", "query/01gSb000Qx1Wd00MIC-2000"))
    assert (found["status"], found["errorCode"]) == (status, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(("variant", "name"), [("as_queried", "P250"), ("as_now", "Changed")])
def test_what_later_pages_show_of_a_change(org, variant: str, name: str) -> None:
    org.choose("query.later_pages", variant)
    org.edit("bulk_load", object="Contact", count=250, fields={"LastName": "P{n}"})
    headers = {"Sforce-Query-Options": "batchSize=200"}
    url = org.query("SELECT LastName FROM Contact ORDER BY Id", headers=headers)["nextRecordsUrl"]
    org.change(
        "Contact", org.column("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0], LastName="Changed"
    )
    assert org.get(url)["records"][-1]["LastName"] == name


@pytest.mark.parametrize(("variant", "name"), [("as_queried", "P250"), ("as_now", "Changed")])
def test_what_later_pages_of_a_child_set_show(org, variant: str, name: str) -> None:
    org.choose("query.later_pages", variant)
    account = org.make("Account", Name="A")
    org.edit("bulk_load", object="Contact", count=250, fields={"LastName": "P{n}", "AccountId": account})
    (row,) = org.query("SELECT (SELECT LastName FROM Contacts ORDER BY Id) FROM Account")["records"]
    org.change(
        "Contact", org.column("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0], LastName="Changed"
    )
    assert org.get(row["Contacts"]["nextRecordsUrl"])["records"][-1]["LastName"] == name


@pytest.mark.parametrize(("variant", "found"), [("exclusive", 0), ("inclusive", 1)])
def test_a_change_at_the_very_end_of_a_window(org, variant: str, found: int) -> None:
    org.choose("replication.end", variant)
    record = org.make("Account", Name="A")
    org.edit("delete", object="Lead", id=org.make("Lead", LastName="L", Company="C"))
    org.pass_time(60)
    window = {"start": "2026-11-02T08:00:00Z", "end": "2026-11-02T09:00:00Z"}
    assert org.get("sobjects/Account/updated/", **window)["ids"] == [record][:found]
    assert len(org.get("sobjects/Lead/deleted/", **window)["deletedRecords"]) == found


@pytest.mark.parametrize(("variant", "days"), [("15_days", 15), ("30_days", 30)])
def test_how_long_the_bin_keeps(org, variant: str, days: int) -> None:
    org.choose("deletion.bin_days", variant)
    org.edit("delete", object="Account", id=org.make("Account", Name="A"))
    org.backend.state.tokens.sessions[org.token] = org.world.clock.now().replace(year=2030)
    org.pass_time(days * 86_400)
    assert org.query("SELECT COUNT() FROM Account", "queryAll")["totalSize"] == 1
    org.pass_time(1)
    assert org.query("SELECT COUNT() FROM Account", "queryAll")["totalSize"] == 0


@pytest.mark.parametrize(("variant", "total"), [("half_up", "0.13"), ("half_even", "0.12")])
def test_how_half_a_cent_is_rounded(shop, variant: str, total: str) -> None:
    shop.org.choose("deals.line_total", variant)
    line = shop.line(shop.deal(), UnitPrice="0.125")
    assert str(shop.org.one("OpportunityLineItem", line, "TotalPrice")) == total


@pytest.mark.parametrize("seed", range(20))
def test_under_any_draw_of_the_variants_an_org_reads_whole(seeded, seed: int) -> None:
    seeded.world.variants.seeded(random.Random(seed))
    answer = seeded.query(
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account", headers={"Sforce-Query-Options": "batchSize=200"}
    )
    found = [one["Id"] for one in answer["records"]]
    while not answer["done"]:
        answer = seeded.get(answer["nextRecordsUrl"])
        found += [one["Id"] for one in answer["records"]]
    assert len(found) == len(set(found)) == 400
