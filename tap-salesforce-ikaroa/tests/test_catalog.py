"""Discovery and selection: what there is, what is chosen, and what has gone since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.errors import SettingsError

if TYPE_CHECKING:
    from conftest import Org, Sync


def entry(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    return next(one for one in catalog["streams"] if one["tap_stream_id"] == stream)


def metadata(catalog: dict[str, Any], stream: str, *path: str) -> dict[str, Any]:
    crumb = [step for name in path for step in ("properties", name)]
    return next(one["metadata"] for one in entry(catalog, stream)["metadata"] if one["breadcrumb"] == crumb)


def test_by_default_the_main_job_is_discovered_and_selected(discover) -> None:
    catalog = discover()
    assert {one["tap_stream_id"] for one in catalog["streams"]} == {
        "Account",
        "Lead",
        "Opportunity",
        "Product2",
    }
    for stream in ("Account", "Lead", "Opportunity", "Product2"):
        assert metadata(catalog, stream)["selected"] is True
        assert entry(catalog, stream)["key_properties"] == ["Id"]
        assert entry(catalog, stream)["replication_key"] == "SystemModstamp"
        assert entry(catalog, stream)["replication_method"] == "INCREMENTAL"


def test_a_star_discovers_every_queryable_object_and_selects_no_more(discover) -> None:
    catalog = discover(streams_to_discover=["*"])
    names = {one["tap_stream_id"] for one in catalog["streams"]}
    assert {"Account", "Contact", "OpportunityLineItem", "Pricebook2", "User", "Invoice_Schedule__c"} <= names
    assert not any(name.endswith("ChangeEvent") for name in names)
    selected = {one for one in names if metadata(catalog, one).get("selected")}
    assert selected == {"Account", "Lead", "Opportunity", "Product2"}


def test_what_is_discovered_by_name_is_selected(org: Org, sync: Sync) -> None:
    run = sync(streams_to_discover=["Contact", "*__c"])
    assert set(run.records) == {"Contact"}
    assert set(run.by_id("Contact")) == set(org.rows("Contact", deleted=True))


def test_where_nothing_is_selected_a_warning_says_so(sync: Sync, log) -> None:
    assert sync(streams_to_discover=["*__c"]).records == {}
    assert "no stream is selected" in log()


def test_patterns_choose_objects(discover) -> None:
    names = [one["tap_stream_id"] for one in discover(streams_to_discover=["*__c"])["streams"]]
    assert names == ["Invoice_Schedule__c"]


def test_types_are_those_of_the_fields(discover) -> None:
    properties = entry(discover(), "Opportunity")["schema"]["properties"]
    assert properties["Id"]["type"] == "string"
    assert properties["Amount"]["type"] == ["number", "null"]
    assert properties["IsWon"]["type"] == ["boolean", "null"]
    assert properties["FiscalYear"]["type"] == ["integer", "null"]
    assert properties["CloseDate"] == {"type": ["string", "null"], "format": "date"}
    assert properties["SystemModstamp"] == {"type": ["string", "null"], "format": "date-time"}
    line = properties["OpportunityLineItems"]["items"]["properties"]
    assert line["UnitPrice"]["type"] == ["number", "null"]
    assert line["Product2"]["properties"]["ProductCode"]["type"] == ["string", "null"]
    assert properties["Outstanding__c"]["description"].startswith("Formula")


def test_parts_of_aggregates_can_be_selected_one_by_one(org: Org, sync: Sync, discover) -> None:
    catalog = discover(streams_to_discover=["Opportunity"])
    wanted = {
        (),
        ("Name",),
        ("Account",),
        ("Account", "Name"),
        ("OpportunityLineItems",),
        ("OpportunityLineItems", "UnitPrice"),
        ("OpportunityLineItems", "Product2"),
        ("OpportunityLineItems", "Product2", "ProductCode"),
    }
    for one in entry(catalog, "Opportunity")["metadata"]:
        one["metadata"]["selected"] = tuple(one["breadcrumb"][1::2]) in wanted
    run = sync(catalog=catalog)
    deal = next(
        record for record in run.of("Opportunity") if record["OpportunityLineItems"] and record["Account"]
    )
    assert set(deal) == {"Id", "SystemModstamp", "IsDeleted", "Name", "Account", "OpportunityLineItems"}
    assert set(deal["Account"]) == {"Name"}
    assert set(deal["OpportunityLineItems"][0]) == {"Id", "UnitPrice", "Product2"}
    assert set(deal["OpportunityLineItems"][0]["Product2"]) == {"ProductCode"}
    schema = run.schema("Opportunity")["properties"]
    assert set(schema) == set(deal)
    assert set(schema["OpportunityLineItems"]["items"]["properties"]) == {"Id", "UnitPrice", "Product2"}
    queries = [one.request.query for one in org.exchanges if "/queryAll" in one.request.path]
    assert not any("StageName" in query for query in queries), "what is not selected is not asked for"


def test_a_child_list_can_be_left_out(sync: Sync, discover) -> None:
    catalog = discover(streams_to_discover=["Account"])
    metadata(catalog, "Account", "Contacts")["selected"] = False
    run = sync(catalog=catalog)
    assert "Contacts" not in run.of("Account")[0]
    assert "Contacts" not in run.schema("Account")["properties"]


def test_a_stream_that_is_not_selected_is_not_read(org: Org, sync: Sync, discover) -> None:
    catalog = discover()
    for stream in ("Account", "Opportunity", "Product2"):
        metadata(catalog, stream)["selected"] = False
    run = sync(catalog=catalog)
    assert set(run.records) == {"Lead"}
    assert run.calls["query"] == 1


def test_a_catalog_may_select_objects_that_are_not_discovered_by_default(sync: Sync, discover) -> None:
    catalog = discover(streams_to_discover=["Pricebook2"])
    metadata(catalog, "Pricebook2")["selected"] = True
    assert sync(catalog=catalog).counts == {"Pricebook2": 1}


@pytest.mark.parametrize("how", ["hide_field", "remove_field"])
def test_a_field_that_is_gone_since_discovery_is_named_and_left_out(
    org: Org, sync: Sync, discover, log, how: str
) -> None:
    catalog = discover()
    org.edit(how, object="Opportunity", field="PO_Number__c")
    run = sync(catalog=catalog)
    assert len(run.by_id("Opportunity")) == 40
    assert all("PO_Number__c" not in record for record in run.of("Opportunity"))
    assert "PO_Number__c" not in run.schema("Opportunity")["properties"], (
        "a target must not write null over it"
    )
    assert "field PO_Number__c of Opportunity is in the catalog" in log()


def test_a_field_that_is_gone_from_a_child_is_named_with_its_path(
    org: Org, sync: Sync, discover, log
) -> None:
    catalog = discover(streams_to_discover=["Account"])
    org.edit("hide_field", object="Contact", field="Billing__c")
    run = sync(catalog=catalog)
    assert "field Contacts.Billing__c of Account is in the catalog" in log()
    assert all("Billing__c" not in row for record in run.of("Account") for row in record["Contacts"])


def test_a_field_made_since_discovery_waits_until_it_is_selected(org: Org, sync: Sync, discover, log) -> None:
    catalog = discover(streams_to_discover=["Lead"])
    org.edit("add_field", object="Lead", field="New__c", type="string", length=10)
    assert "New__c" not in sync(catalog=catalog).of("Lead")[0]
    assert "New__c" in sync(streams_to_discover=["Lead"]).of("Lead")[0]
    assert "in the catalog" not in log()


def test_an_object_that_is_gone_since_discovery_is_named_and_skipped(
    org: Org, sync: Sync, discover, log
) -> None:
    catalog = discover()
    org.edit("hide_object", object="Lead")
    run = sync(catalog=catalog)
    assert "Lead" not in run.records
    assert len(run.by_id("Account")) == 20
    assert "stream Lead is in the catalog" in log()


def test_an_object_that_was_asked_for_by_name_and_is_not_there_is_a_warning(sync: Sync, log) -> None:
    sync(streams_to_discover=["Lead", "No_Such__c"])
    assert "No_Such__c is not there for this user" in log()


def test_nothing_visible_is_an_error_with_the_cure(org: Org, sync: Sync) -> None:
    for name in ("Account", "Lead", "Opportunity", "Product2"):
        org.edit("hide_object", object=name)
    with pytest.raises(SettingsError, match="permission set read access"):
        sync()


def test_fields_need_not_be_selected_by_default(sync: Sync) -> None:
    run = sync(select_fields_by_default=False, streams_to_discover=["Account"])
    assert set(run.of("Account")[0]) == {"Id", "SystemModstamp", "IsDeleted"}
    assert set(run.schema("Account")["properties"]) == {"Id", "SystemModstamp", "IsDeleted"}


def test_a_name_that_is_no_name_never_reaches_a_query(sync: Sync) -> None:
    with pytest.raises(SettingsError, match="not a Salesforce API name"):
        sync(streams_to_discover=["Account/../../oauth2"])


def test_an_object_without_time_stamps_is_read_in_full(org: Org, sync: Sync, discover) -> None:
    org.edit("hide_field", object="OpportunityStage", field="SystemModstamp")
    org.edit("hide_field", object="OpportunityStage", field="LastModifiedDate")
    org.edit("hide_field", object="OpportunityStage", field="CreatedDate")
    catalog = discover(streams_to_discover=["OpportunityStage"])
    assert entry(catalog, "OpportunityStage")["replication_method"] == "FULL_TABLE"
    metadata(catalog, "OpportunityStage")["selected"] = True
    run = sync(catalog=catalog)
    assert (
        len(run.by_id("OpportunityStage"))
        == len(run.of("OpportunityStage"))
        == len(org.rows("OpportunityStage"))
    )


def meltano_selects(catalog: dict[str, Any], patterns: list[str]) -> None:
    """What Meltano does to a discovered catalog with an extractor's `select`."""
    from meltano.core.plugin.singer.catalog import MetadataExecutor, select_metadata_rules, visit  # noqa: PLC0415

    visit(catalog, MetadataExecutor(select_metadata_rules(["!*.*"]) + select_metadata_rules(patterns)))


@pytest.mark.foreign
def test_meltano_s_select_reaches_into_aggregates(sync: Sync, discover) -> None:
    catalog = discover(streams_to_discover=["Opportunity"])
    chosen = [
        "Opportunity.Name",
        "Opportunity.Account.Name",
        "Opportunity.OpportunityLineItems.UnitPrice",
        "Opportunity.OpportunityLineItems.Product2.ProductCode",
    ]
    meltano_selects(catalog, chosen)
    deals = sync(catalog=catalog).of("Opportunity")
    deal = next(record for record in deals if record["OpportunityLineItems"] and record["Account"])
    assert set(deal) == {"Id", "SystemModstamp", "IsDeleted", "Name", "Account", "OpportunityLineItems"}
    assert set(deal["Account"]) == {"Name"}
    assert set(deal["OpportunityLineItems"][0]) == {"Id", "UnitPrice", "Product2"}
    assert set(deal["OpportunityLineItems"][0]["Product2"]) == {"ProductCode"}


@pytest.mark.foreign
def test_meltano_s_default_selects_what_is_discovered(org: Org, sync: Sync, discover, first) -> None:
    catalog = discover(streams_to_discover=["Opportunity"])
    meltano_selects(catalog, ["*.*"])
    assert sync(catalog=catalog).of("Opportunity")[0] == first.of("Opportunity")[0]


def test_stream_maps_and_flattening_work(sync: Sync) -> None:
    run = sync(
        streams_to_discover=["Opportunity"],
        stream_maps={"Opportunity": {"shout": "Name.upper()", "__alias__": "deals"}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )
    deal = next(record for record in run.of("deals") if record["AccountId"])
    assert deal["shout"] == deal["Name"].upper()
    assert deal["Account__Name"]
