"""What queries mean: which rows they keep, in which order, in which shape. Salesforce SOQL docs."""

from __future__ import annotations

import pytest


@pytest.fixture
def five(org):
    """Five accounts that differ where queries look."""
    rows = (
        {"Name": "alpha", "Industry": "Media", "NumberOfEmployees": 10, "AnnualRevenue": 100},
        {"Name": "Beta", "Industry": "media", "NumberOfEmployees": 20, "BillingCity": "Köln"},
        {"Name": "ÄPFEL", "Industry": "Retail", "NumberOfEmployees": 30, "BillingCity": "köln"},
        {"Name": "100% Wool_Co", "NumberOfEmployees": 40, "AnnualRevenue": 250},
        {"Name": "Delta"},
    )
    for row in rows:
        org.make("Account", **row)
    return org


def names(org, where: str, tail: str = "ORDER BY CreatedDate, Id") -> list[str]:
    return org.column(f"SELECT Name FROM Account WHERE {where} {tail}")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ALPHA'", ["alpha"]),
        ("Name = 'äpfel'", ["ÄPFEL"]),
        ("Industry = 'MEDIA'", ["alpha", "Beta"]),
        ("BillingCity = 'KÖLN'", ["Beta", "ÄPFEL"]),
        ("Name LIKE 'b%'", ["Beta"]),
        ("Name LIKE '%TA'", ["Beta", "Delta"]),
        ("Name LIKE '_eta'", ["Beta"]),
        ("Name LIKE '100\\%%'", ["100% Wool_Co"]),
        ("Name LIKE '%l\\_C%'", ["100% Wool_Co"]),
        ("Name LIKE '%l_Co%' AND NOT Name LIKE '%\\_%'", []),
        ("Industry != 'Media'", ["ÄPFEL", "100% Wool_Co", "Delta"]),
        ("Industry = null", ["100% Wool_Co", "Delta"]),
        ("Industry = ''", ["100% Wool_Co", "Delta"]),
        ("Industry != ''", ["alpha", "Beta", "ÄPFEL"]),
        ("Industry IN ('media', null)", ["alpha", "Beta", "100% Wool_Co", "Delta"]),
        ("Industry NOT IN ('media')", ["ÄPFEL", "100% Wool_Co", "Delta"]),
        ("NOT (Industry = 'Media')", ["ÄPFEL", "100% Wool_Co", "Delta"]),
        ("NOT (AnnualRevenue > 50)", ["Beta", "ÄPFEL", "Delta"]),
        ("AnnualRevenue > 99.5", ["alpha", "100% Wool_Co"]),
        ("AnnualRevenue < 100.5", ["alpha"]),
        ("AnnualRevenue > 100.5", ["100% Wool_Co"]),
        ("AnnualRevenue >= 249.5", ["100% Wool_Co"]),
        ("AnnualRevenue < 249.5", ["alpha"]),
        ("AnnualRevenue = 100.5", []),
        ("AnnualRevenue != 100.5", ["alpha", "Beta", "ÄPFEL", "100% Wool_Co", "Delta"]),
        ("NumberOfEmployees >= 20 AND NumberOfEmployees < 40", ["Beta", "ÄPFEL"]),
        ("Name > 'b' AND Name < 'c'", ["Beta"]),
        ("(Name = 'Delta' OR Name = 'Beta') AND NumberOfEmployees != null", ["Beta"]),
        ("IsDeleted = true", []),
    ],
)
def test_a_condition_keeps_the_rows_it_names(five, where: str, found: list[str]) -> None:
    assert names(five, where) == found


def test_text_sorts_without_case_and_empty_values_come_first_going_up(five) -> None:
    assert five.column("SELECT Industry FROM Account ORDER BY Industry, Name") == [
        None, None, "Media", "media", "Retail",
    ]  # fmt: skip


def test_empty_values_come_last_going_down_unless_said_otherwise(five) -> None:
    down = five.column("SELECT NumberOfEmployees FROM Account ORDER BY NumberOfEmployees DESC")
    assert down == [40, 30, 20, 10, None]
    first = five.column("SELECT NumberOfEmployees FROM Account ORDER BY NumberOfEmployees DESC NULLS FIRST")
    assert first == [None, 40, 30, 20, 10]
    last = five.column("SELECT NumberOfEmployees FROM Account ORDER BY NumberOfEmployees NULLS LAST")
    assert last == [10, 20, 30, 40, None]


def test_limit_and_offset_cut_a_window(five) -> None:
    answer = five.query("SELECT Name FROM Account ORDER BY Name LIMIT 2 OFFSET 1")
    assert [one["Name"] for one in answer["records"]] == ["alpha", "Beta"]
    assert answer["totalSize"] == 2


def test_nobody_may_rely_on_the_order_of_an_unordered_query(five) -> None:
    down = five.column("SELECT Id FROM Account")
    five.choose("query.row_order", "ascending")
    assert five.column("SELECT Id FROM Account") == sorted(down)
    assert down == sorted(down, reverse=True)


def test_a_15_character_id_finds_the_record_and_its_case_counts(five) -> None:
    whole = five.column("SELECT Id FROM Account WHERE Name = 'Beta'")[0]
    assert names(five, f"Id = '{whole[:15]}'") == ["Beta"]
    assert names(five, f"Id = '{whole}'") == ["Beta"]
    assert names(five, f"Id IN ('{whole[:15]}', '{whole}')") == ["Beta"]
    assert names(five, f"Id = '{whole[:15].swapcase()}'") == []


def test_answers_carry_attributes_and_only_what_was_asked_for(five) -> None:
    (record,) = five.query("SELECT Name, Owner.Username FROM Account WHERE Name = 'Beta'")["records"]
    assert list(record) == ["attributes", "Name", "Owner"]
    assert record["attributes"]["type"] == "Account"
    assert record["attributes"]["url"].startswith("/services/data/v67.0/sobjects/Account/001")
    assert record["Owner"]["attributes"]["type"] == "User"


def test_names_come_back_as_the_schema_spells_them(five) -> None:
    (record,) = five.records("select nAME, oWNER.uSERNAME from aCCOUNT where NAME = 'beta'")
    assert list(record) == ["Name", "Owner"]
    assert list(record["Owner"]) == ["Username"]


def test_a_parent_that_is_not_there_is_null(five) -> None:
    assert five.records("SELECT Parent.Name FROM Account WHERE Name = 'Beta'") == [{"Parent": None}]


def test_parents_reach_five_levels_up(org) -> None:
    above = None
    for level in range(6):
        above = org.make("Account", Name=f"Level {level}", ParentId=above)
    path = ".".join(["Parent"] * 5)
    (record,) = org.records(f"SELECT {path}.Name FROM Account WHERE Id = '{above}'")
    for _ in range(5):
        record = record["Parent"]
    assert record == {"Name": "Level 0"}


def test_a_compound_address_is_an_object_or_null(five) -> None:
    rows = five.records(
        "SELECT Name, BillingAddress FROM Account WHERE Name IN ('Beta', 'alpha') ORDER BY Name"
    )
    assert rows[0]["BillingAddress"] is None
    assert rows[1]["BillingAddress"] == {
        "city": "Köln", "country": None, "geocodeAccuracy": None, "latitude": None, "longitude": None,
        "postalCode": None, "state": None, "street": None,
    }  # fmt: skip


def test_a_child_set_is_an_object_or_null(org) -> None:
    account = org.make("Account", Name="A")
    org.make("Account", Name="B")
    for name in ("Zoe", "Adam", "Mia"):
        org.make("Contact", LastName=name, AccountId=account)
    rows = org.records(
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2) FROM Account ORDER BY Name"
    )
    assert rows[0]["Contacts"] == {
        "totalSize": 2, "done": True, "records": [{"LastName": "Adam"}, {"LastName": "Mia"}],
    }  # fmt: skip
    assert rows[1]["Contacts"] is None


def test_a_sub_query_counts_limit_and_offset_within_each_parent(org) -> None:
    for name in ("A", "B"):
        account = org.make("Account", Name=name)
        for number in range(3):
            org.make("Contact", LastName=f"{name}{number}", AccountId=account)
    rows = org.records(
        "SELECT (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1 OFFSET 1) FROM Account ORDER BY Name"
    )
    assert [row["Contacts"]["records"] for row in rows] == [[{"LastName": "A1"}], [{"LastName": "B1"}]]


def test_sub_queries_nest(shop) -> None:
    shop.line(shop.deal(Name="Nested"), Quantity=7)
    soql = "SELECT (SELECT Name, (SELECT Quantity FROM OpportunityLineItems) FROM Opportunities) FROM Account"
    (row,) = shop.org.records(soql)
    (deal,) = row["Opportunities"]["records"]
    assert deal["OpportunityLineItems"]["records"] == [{"Quantity": 7}]


def test_a_custom_relationship_has_its_r_in_both_directions(shop) -> None:
    deal = shop.deal()
    shop.org.make("Invoice_Schedule__c", Opportunity__c=deal, Due_Date__c="2026-12-01", Amount__c="10.50")
    assert shop.org.records("SELECT Opportunity__r.Name FROM Invoice_Schedule__c") == [
        {"Opportunity__r": {"Name": "Deal"}}
    ]
    (row,) = shop.org.records("SELECT (SELECT Name FROM Invoice_Schedules__r) FROM Opportunity")
    assert row["Invoice_Schedules__r"]["records"] == [{"Name": "IS-00001"}]


def test_semi_and_anti_joins(org) -> None:
    account = org.make("Account", Name="With people")
    org.make("Account", Name="Without")
    org.make("Contact", LastName="Lonely")
    org.make("Contact", LastName="Met", AccountId=account)
    inside = "(SELECT AccountId FROM Contact WHERE LastName = 'met')"
    assert names(org, f"Id IN {inside}") == ["With people"]
    assert names(org, f"Id NOT IN {inside}") == ["Without"]
    assert names(org, "Id NOT IN (SELECT AccountId FROM Contact)") == ["Without"]


def test_multi_select_values_are_found_by_includes(org) -> None:
    for name, spoken in (("A", "English;German"), ("B", "German"), ("C", None)):
        org.make("Contact", LastName=name, Languages__c=spoken)
    soql = "SELECT LastName FROM Contact WHERE Languages__c {} ORDER BY LastName"
    assert org.column(soql.format("INCLUDES ('english;german')")) == ["A"]
    assert org.column(soql.format("INCLUDES ('French', 'German')")) == ["A", "B"]
    assert org.column(soql.format("EXCLUDES ('English')")) == ["B", "C"]
    assert org.column(soql.format("INCLUDES ('Eng')")) == []


def test_count_has_a_number_and_no_records(five) -> None:
    assert five.query("SELECT COUNT() FROM Account WHERE Name LIKE '%a%'") == {
        "totalSize": 3, "done": True, "records": [],
    }  # fmt: skip
    assert five.query("SELECT COUNT() FROM Account LIMIT 2")["totalSize"] == 2


def test_groups_go_without_case_and_unnamed_sums_are_called_expr(five) -> None:
    answer = five.query("SELECT Industry, COUNT(Id), SUM(NumberOfEmployees) n FROM Account GROUP BY Industry")
    assert [one["attributes"] for one in answer["records"]] == [{"type": "AggregateResult"}] * 3
    found = {str(one["Industry"]).lower(): (one["expr0"], one["n"]) for one in answer["records"]}
    assert found == {"none": (2, 40), "media": (2, 30), "retail": (1, 30)}


def test_having_keeps_groups(five) -> None:
    soql = (
        "SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry HAVING COUNT(Id) > 1 AND Industry != null"
    )
    assert [one["expr0"] for one in five.records(soql)] == [2]


def test_counting_a_field_leaves_its_blanks_out(five) -> None:
    assert five.records("SELECT COUNT(Industry) a, COUNT_DISTINCT(Industry) b, COUNT(Id) c FROM Account") == [
        {"a": 3, "b": 2, "c": 5}
    ]


def test_fields_all_brings_every_field_the_user_sees(five) -> None:
    (record,) = five.records("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Beta' LIMIT 1")
    described = [field["name"] for field in five.get("sobjects/Account/describe")["fields"]]
    assert list(record) == described
    (custom,) = five.records("SELECT FIELDS(CUSTOM) FROM Account WHERE Name = 'Beta' LIMIT 1")
    assert custom
    assert all(name.endswith(("__c", "__pc")) for name in custom)


def test_formula_fields_read_through_lookups_and_can_be_filtered(org) -> None:
    above = org.make("Account", Name="Parent", Rating="Hot")
    org.make("Account", Name="Child", ParentId=above)
    assert names(org, "Parent_Rating__c = 'hot'") == ["Child"]


def test_query_all_brings_the_bin(org) -> None:
    org.edit("delete", object="Account", id=org.make("Account", Name="Gone"))
    soql = "SELECT Name, IsDeleted FROM Account"
    assert org.records(soql) == []
    assert org.records(soql, "queryAll") == [{"Name": "Gone", "IsDeleted": True}]


@pytest.mark.parametrize("path", ["query", "query/", "queryAll", "queryAll/"])
def test_both_query_paths_go_with_and_without_a_slash(org, path: str) -> None:
    assert org.query("SELECT COUNT() FROM User", path)["totalSize"] == 2
