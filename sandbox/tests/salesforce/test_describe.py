"""Describe: shapes, flags, relationships, If-Modified-Since; what hiding and features do to it."""

from __future__ import annotations

import pytest

FIELD_KEYS = {
    "aggregatable", "aiPredictionField", "autoNumber", "byteLength", "calculated", "calculatedFormula", "cascadeDelete",
    "caseSensitive", "compoundFieldName", "controllerName", "createable", "custom", "defaultValue",
    "defaultValueFormula", "defaultedOnCreate", "dependentPicklist", "deprecatedAndHidden", "digits",
    "displayLocationInDecimal", "encrypted", "externalId", "extraTypeInfo", "filterable", "filteredLookupInfo",
    "formulaTreatNullNumberAsZero", "groupable", "highScaleNumber", "htmlFormatted", "idLookup", "inlineHelpText",
    "label", "length", "mask", "maskType", "name", "nameField", "namePointing", "nillable", "permissionable",
    "picklistValues", "polymorphicForeignKey", "precision", "queryByDistance", "referenceTargetField", "referenceTo",
    "relationshipName", "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale", "searchPrefilterable",
    "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
}  # fmt: skip


def fields(org, name: str) -> dict[str, dict]:
    return {field["name"]: field for field in org.get(f"sobjects/{name}/describe")["fields"]}


def test_the_global_describe_lists_every_object(org) -> None:
    answer = org.get("sobjects")
    assert (answer["encoding"], answer["maxBatchSize"]) == ("UTF-8", 200)
    listed = {one["name"]: one for one in answer["sobjects"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "OpportunityLineItem", "Product2", "PricebookEntry",
            "Order", "OrderItem", "User", "CurrencyType", "Invoice_Schedule__c"} <= set(listed)  # fmt: skip
    assert listed["Account"]["keyPrefix"] == "001"
    assert listed["Account"]["urls"]["describe"] == "/services/data/v67.0/sobjects/Account/describe"
    assert listed["Invoice_Schedule__c"]["custom"] is True
    assert listed["OpportunityHistory"]["createable"] is False


def test_every_field_has_every_key(org) -> None:
    for one in org.get("sobjects")["sobjects"]:
        for field in fields(org, one["name"]).values():
            assert set(field) == FIELD_KEYS


def test_field_facts_follow_the_object_reference(org) -> None:
    opportunity = fields(org, "Opportunity")
    amount = opportunity["Amount"]
    assert (amount["type"], amount["precision"], amount["scale"], amount["soapType"]) == (
        "currency",
        18,
        2,
        "xsd:double",
    )
    assert opportunity["ExpectedRevenue"]["updateable"] is False
    assert opportunity["Outstanding__c"]["calculated"] is True
    assert opportunity["Ext_Id__c"]["externalId"] is True
    assert opportunity["AccountId"]["referenceTo"] == ["Account"]
    assert opportunity["AccountId"]["relationshipName"] == "Account"
    account = fields(org, "Account")
    assert account["Description"]["filterable"] is False
    assert account["BillingAddress"]["type"] == "address"
    assert account["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert account["IsPersonAccount"]["type"] == "boolean"
    assert fields(org, "Contact")["LastName"]["compoundFieldName"] == "Name"
    assert fields(org, "Contact")["LastName"]["nillable"] is False
    assert fields(org, "Invoice_Schedule__c")["Opportunity__c"]["relationshipName"] == "Opportunity__r"


def test_picklists_list_their_values(org) -> None:
    stages = [one["value"] for one in fields(org, "Opportunity")["StageName"]["picklistValues"]]
    assert "Closed Won" in stages


def test_child_relationships_name_object_and_field(org) -> None:
    children = {
        one["relationshipName"]: one for one in org.get("sobjects/Opportunity/describe")["childRelationships"]
    }
    lines = children["OpportunityLineItems"]
    assert (lines["childSObject"], lines["field"], lines["cascadeDelete"]) == (
        "OpportunityLineItem",
        "OpportunityId",
        True,
    )


def test_object_names_are_found_whatever_their_case(org) -> None:
    assert org.get("sobjects/account/describe")["name"] == "Account"


@pytest.mark.parametrize("path", ["sobjects", "sobjects/Account/describe"])
def test_what_has_not_changed_is_304(org, path: str) -> None:
    answer = org.send("GET", path)
    stamp = answer.headers["Last-Modified"]
    again = org.send("GET", path, headers={"If-Modified-Since": stamp})
    assert (again.status, again.body) == (304, b"")
    org.pass_time(60)
    org.edit("add_field", object="Account", field="New__c", length=20)
    assert org.send("GET", path, headers={"If-Modified-Since": stamp}).status == 200


def test_a_hidden_field_is_simply_not_there(org) -> None:
    record = org.make("Account", Name="A", Phone="1")
    org.edit("hide_field", object="Account", field="Phone")
    assert "Phone" not in fields(org, "Account")
    assert "Phone" not in org.get(f"sobjects/Account/{record}")
    found = org.refused("SELECT Id, Phone FROM Account")
    assert found["errorCode"] == "INVALID_FIELD"
    assert "No such column 'Phone' on entity 'Account'" in found["message"]
    answer = org.send("PATCH", f"sobjects/Account/{record}", {"Phone": "2"})
    assert org.error(answer)["errorCode"] == "INVALID_FIELD"
    org.edit("show_field", object="account", field="phone")
    assert org.one("Account", record, "Phone") == "1"


def test_a_formula_shows_its_value_though_a_field_in_it_is_hidden(org) -> None:
    day = {"CloseDate": "2026-11-02", "StageName": "Closed Won"}
    record = org.make("Opportunity", Name="A deal", Amount=100, **day)
    before = org.one("Opportunity", record, "Outstanding__c")
    org.edit("hide_field", object="Opportunity", field="Amount")
    assert org.refused("SELECT Amount FROM Opportunity")["errorCode"] == "INVALID_FIELD"
    assert org.one("Opportunity", record, "Outstanding__c") == before
    assert before


def test_a_hidden_object_takes_its_relationships_along(org) -> None:
    org.edit("hide_object", object="OpportunityLineItem")
    assert "OpportunityLineItem" not in {one["name"] for one in org.get("sobjects")["sobjects"]}
    assert org.refused("SELECT Id FROM OpportunityLineItem")["errorCode"] == "INVALID_TYPE"
    assert (
        org.refused("SELECT (SELECT Id FROM OpportunityLineItems) FROM Opportunity")["errorCode"]
        == "INVALID_TYPE"
    )
    assert org.send("GET", "sobjects/OpportunityLineItem/describe").status == 404
    assert org.send("POST", "sobjects/OpportunityLineItem", {}).status == 404


def test_a_hidden_parent_leaves_the_id_but_no_path(org) -> None:
    org.edit("hide_object", object="Account")
    assert fields(org, "Contact")["AccountId"]["relationshipName"] is None
    assert org.refused("SELECT Account.Name FROM Contact")["errorCode"] == "INVALID_FIELD"
    assert org.records("SELECT AccountId FROM Contact") == []


def test_without_products_there_are_no_lines_and_no_price_books(org) -> None:
    org.edit("feature", feature="products", on=False)
    listed = {one["name"] for one in org.get("sobjects")["sobjects"]}
    assert not {"Product2", "Pricebook2", "PricebookEntry", "OpportunityLineItem"} & listed
    assert not {"HasOpportunityLineItem", "Pricebook2Id"} & set(fields(org, "Opportunity"))
    assert "Opportunity" in listed


def test_with_one_currency_there_is_no_currency_code_anywhere(org) -> None:
    org.edit("feature", feature="multi_currency", on=False)
    for one in org.get("sobjects")["sobjects"]:
        assert "CurrencyIsoCode" not in fields(org, one["name"])
    assert org.refused("SELECT Id FROM CurrencyType")["errorCode"] == "INVALID_TYPE"


def test_without_person_accounts_the_person_fields_are_gone(org) -> None:
    org.edit("feature", feature="person_accounts", on=False)
    names = fields(org, "Account")
    assert not [
        name
        for name in names
        if name.startswith("Person") or name.endswith("__pc") or name == "IsPersonAccount"
    ]


def test_a_new_field_can_be_written_and_read_and_deleting_it_moves_every_stamp(org) -> None:
    record = org.make("Account", Name="A")
    org.edit("add_field", object="Account", field="Score__c", type="double", scale=3)
    org.change("Account", record, Score__c="1.2345")
    assert str(org.one("Account", record, "Score__c")) == "1.235"
    org.pass_time(60)
    org.edit("remove_field", object="Account", field="Score__c")
    assert "Score__c" not in fields(org, "Account")
    assert org.one("Account", record, "SystemModstamp") == "2026-11-02T09:01:00.000+0000"
    org.edit("add_field", object="Account", field="Score__c", type="double", scale=3)
    assert org.one("Account", record, "Score__c") is None


def test_a_new_lookup_joins_both_ways(org) -> None:
    org.edit(
        "add_field",
        object="Contact",
        field="Mentor__c",
        type="reference",
        to="Contact",
        children="Pupils__r",
        **{"as": "Mentor__r"},
    )
    mentor = org.make("Contact", LastName="Old")
    org.make("Contact", LastName="Young", Mentor__c=mentor)
    assert org.records("SELECT Mentor__r.Name FROM Contact WHERE LastName = 'Young'") == [
        {"Mentor__r": {"Name": "Old"}}
    ]
    (row,) = org.records("SELECT (SELECT Name FROM Pupils__r) FROM Contact WHERE LastName = 'Old'")
    assert row["Pupils__r"]["records"] == [{"Name": "Young"}]


def test_a_formula_moves_no_stamp(org) -> None:
    above = org.make("Account", Name="P", Rating="Cold")
    child = org.make("Account", Name="C", ParentId=above)
    org.pass_time(60)
    org.change("Account", above, Rating="Hot")
    assert org.one("Account", child, "Parent_Rating__c", "SystemModstamp") == {
        "Parent_Rating__c": "Hot", "SystemModstamp": "2026-11-02T09:00:00.000+0000",
    }  # fmt: skip
