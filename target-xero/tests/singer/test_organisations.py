"""Several Xero organisations from one source: each document in exactly one of them, whatever happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ikaroa_sandbox.xero import organisation as first_organisation

pytestmark = pytest.mark.slow
on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
"""Once with the ledger in a file, once in PostgreSQL."""

UK = first_organisation.TENANT_ID
IE = "7c1e6f0a-3b52-4d19-8a77-0d5be1c2a9f4"
ACCESS = {
    "client_id": "sandbox-xero-client",
    "client_secret": "sandbox-xero-secret",
    "auth_method": "refresh_token",
    "refresh_token": "sandbox-xero-refresh",
    "token_store_key": "ab" * 32,
}
BY_FIELD = [
    {"name": "UK", "tenant_id": UK, "when": "organisation == 'UK'"},
    {"name": "Ireland", "tenant_id": IE, "when": "organisation == 'Ireland'"},
]


@pytest.fixture
def two(house: Any) -> Any:
    house.sandbox.edit("xero", {"action": "add_organisation", "name": "Sandbox Ireland Ltd", "id": IE})
    house.config.update(ACCESS, organisations=BY_FIELD)
    return house


def names(house: Any, tenant: str) -> list[str]:
    return [c["Name"] for c in _books(house, tenant)["Contacts"]]


def _books(house: Any, tenant: str) -> Any:
    dump = house.sandbox.dump("xero")
    return dump if tenant == UK else dump["OtherOrganisations"][tenant]


def refusals(ran: Any) -> list[str]:
    return [r["rule"] for problem in ran.target.outcome.problems for r in problem["refusals"]]


def pair(house: Any, n: int, organisation: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("contacts", house.contact(n, organisation=organisation)),
        ("invoices", house.invoice(n, n, organisation=organisation)),
    ]


@on_both
def test_each_document_goes_to_its_organisation_and_to_no_other(two: Any) -> None:
    ran = two.load(*pair(two, 1, "UK"), *pair(two, 2, "Ireland"))
    assert ran.exit_code == 0, ran.told
    assert "Customer 1" in names(two, UK)
    assert "Customer 2" not in names(two, UK)
    assert names(two, IE) == ["Customer 2"]
    assert [i["Reference"] for i in _books(two, IE)["Invoices"]] == ["SF-006000000000000002"]
    assert len(ran.states) == 1


def test_an_unchanged_rerun_writes_to_neither(two: Any) -> None:
    documents = [*pair(two, 1, "UK"), *pair(two, 2, "Ireland")]
    two.load(*documents)
    two.forget_exchanges()
    ran = two.load(*documents)
    assert (ran.exit_code, two.writes) == (0, 0)
    assert ran.target.outcome.summary.stream("invoices").unchanged == 2


def test_a_condition_may_look_at_the_document_itself(two: Any) -> None:
    two.config["organisations"] = [
        {"name": "UK", "tenant_id": UK, "when": "stream == 'contacts' or CurrencyCode == 'GBP'"},
        {
            "name": "Ireland",
            "tenant_id": IE,
            "when": "document.get('CurrencyCode') == 'EUR'",
            "takes_all": ["contacts"],
        },
    ]
    one, two_ = two.invoice(1, 1), two.invoice(2, 1, CurrencyCode="EUR")
    ran = two.load(("contacts", two.contact(1)), ("invoices", one), ("invoices", two_))
    assert ran.exit_code == 0, ran.told
    assert [i["CurrencyCode"] for i in _books(two, IE)["Invoices"]] == ["EUR"]
    assert names(two, IE) == ["Customer 1"]
    assert "Customer 1" in names(two, UK)


@pytest.mark.parametrize(
    ("organisation", "rule"), [(None, "route_none"), ("France", "route_none"), ("both", "route_several")]
)
def test_a_document_of_no_or_several_organisations_is_kept_and_named_and_the_rest_goes_on(
    two: Any, organisation: str | None, rule: str
) -> None:
    two.config["organisations"] = [
        {**entry, "when": f"{entry['when']} or organisation == 'both'"} for entry in BY_FIELD
    ]
    ran = two.load(("contacts", two.contact(1, organisation=organisation)), *pair(two, 2, "Ireland"))
    assert ran.exit_code == 1
    assert refusals(ran) == [rule]
    assert "UK" in ran.err
    assert "Ireland" in ran.err
    assert len(_books(two, IE)["Invoices"]) == 1
    assert "Customer 1" not in [*names(two, UK), *names(two, IE)]
    assert len(ran.states) == 1, "the ledger has it: nothing comes again"


def test_what_belonged_nowhere_goes_by_itself_once_the_condition_is_corrected(two: Any) -> None:
    two.load(("contacts", two.contact(1, organisation="France")))
    two.config["organisations"] = [BY_FIELD[0], {**BY_FIELD[1], "when": "organisation == 'France'"}]
    ran = two.run([])
    assert ran.exit_code == 0, ran.told
    assert names(two, IE) == ["Customer 1"]


def test_what_belonged_nowhere_goes_once_the_source_says_where(two: Any) -> None:
    two.load(("contacts", two.contact(1)))
    ran = two.load(("contacts", two.contact(1, organisation="Ireland")))
    assert ran.exit_code == 0, ran.told
    assert names(two, IE) == ["Customer 1"]


@on_both
def test_a_document_that_changes_its_organisation_is_refused_until_it_is_gone_from_the_first(
    two: Any,
) -> None:
    two.load(*pair(two, 1, "UK"), ("contacts", two.contact(2, organisation="Ireland")))
    moved = two.invoice(1, 2, organisation="Ireland")
    ran = two.load(("invoices", moved))
    assert ran.exit_code == 1
    assert refusals(ran) == ["route_elsewhere"]
    assert _books(two, IE)["Invoices"] == []
    again = two.run([], retry_refused=True)
    assert refusals(again) == ["route_elsewhere"], "it is still there"
    number = next(i for i in _books(two, UK)["Invoices"] if i["Reference"] == moved["marker"])["InvoiceID"]
    two.sandbox.edit("xero", {"action": "delete_invoice", "invoice": number})
    ran = two.run([], retry_refused=True)
    assert ran.exit_code == 0, ran.told
    assert [i["Reference"] for i in _books(two, IE)["Invoices"]] == [moved["marker"]]


def test_a_withdrawn_document_goes_to_who_has_it_and_a_payment_to_its_invoice(two: Any) -> None:
    authorised = {"Status": "AUTHORISED"}
    two.config["allow_statuses"] = ["DRAFT", "AUTHORISED"]
    documents = [
        ("contacts", two.contact(1, organisation="Ireland")),
        ("invoices", two.invoice(1, 1, organisation="Ireland", **authorised)),
        ("invoices", two.invoice(2, 1, organisation="Ireland")),
        ("payments", {
            "source_key": "pay-1", "invoice_key": two.invoice(1, 1)["source_key"], "AccountCode": "090",
            "Date": "2026-11-02", "Amount": "5.00",
        }),
    ]  # fmt: skip
    ran = two.load(*documents)
    assert ran.exit_code == 0, ran.told
    assert len(_books(two, IE)["Payments"]) == 1
    gone = {"source_key": two.invoice(2, 1)["source_key"], "withdrawn": True}
    never = {"source_key": "nobody has it", "withdrawn": True}
    ran = two.load(("invoices", gone), ("invoices", never))
    assert ran.exit_code == 0, ran.told
    states = {i["Reference"]: i["Status"] for i in _books(two, IE)["Invoices"]}
    assert states[two.invoice(2, 1)["marker"]] == "DELETED"


@on_both
def test_an_organisation_out_of_reach_does_not_hold_up_the_others_and_loses_nothing(two: Any) -> None:
    two.sandbox.edit("xero", {"action": "disconnect_tenant", "tenant_id": IE})
    documents = [*pair(two, 1, "UK"), *pair(two, 2, "Ireland")]
    ran = two.load(*documents)
    assert ran.exit_code == 1
    assert "Ireland" in ran.last_line
    assert ran.states == []
    assert "Customer 1" in names(two, UK)
    two.sandbox.edit("xero", {"action": "connect_tenant", "tenant_id": IE})
    ran = two.load(*documents)
    assert ran.exit_code == 0, ran.told
    assert names(two, IE) == ["Customer 2"]
    assert len(ran.states) == 1


def test_two_names_that_lead_to_one_organisation_are_refused_before_a_write(two: Any) -> None:
    ran = two.load(*pair(two, 1, "UK"), organisations=[BY_FIELD[0], {**BY_FIELD[1], "tenant_id": UK}])
    assert ran.exit_code == 1
    assert "tenant_id" in ran.log
    assert two.writes == 0


def test_exchanged_tenant_ids_are_noticed(two: Any) -> None:
    two.load(*pair(two, 1, "UK"), *pair(two, 2, "Ireland"))
    two.forget_exchanges()
    exchanged = [{**BY_FIELD[0], "tenant_id": IE}, {**BY_FIELD[1], "tenant_id": UK}]
    ran = two.load(*pair(two, 3, "UK"), organisations=exchanged)
    assert ran.exit_code == 1
    assert "was the Xero organisation" in ran.log
    assert two.writes == 0


def test_a_lost_ledger_of_several_organisations_is_told_and_doubles_nothing(two: Any) -> None:
    documents = [*pair(two, 1, "UK"), *pair(two, 2, "Ireland")]
    two.load(*documents)
    (two.folder / "ledger.sqlite").unlink()
    two.sandbox.clock.advance(3600)
    two.forget_exchanges()
    ran = two.load(*documents)
    assert ran.exit_code == 0, ran.told
    assert not [e for e in two.exchanges() if e["method"] == "PUT"]
    assert "There was another ledger" in ran.told


def test_a_ledger_of_several_organisations_takes_no_run_that_names_none(two: Any) -> None:
    two.load(*pair(two, 1, "UK"), *pair(two, 2, "Ireland"))
    two.forget_exchanges()
    ran = two.load(*pair(two, 1, "UK"), organisations=[], tenant_id=UK)
    assert ran.exit_code == 1
    assert "several Xero organisations" in ran.log
    assert two.writes == 0


def test_each_organisation_has_its_own_limits_and_guards(two: Any) -> None:
    two.config["organisations"] = [BY_FIELD[0], {**BY_FIELD[1], "allow_statuses": ["DRAFT", "AUTHORISED"]}]
    approved = [
        (stream, {**document, "Status": "AUTHORISED"} if stream == "invoices" else document)
        for stream, document in (*pair(two, 1, "UK"), *pair(two, 2, "Ireland"))
    ]
    ran = two.load(*approved)
    assert refusals(ran) == ["status_not_allowed"]
    assert [i["Status"] for i in _books(two, IE)["Invoices"]] == ["AUTHORISED"]


def test_the_minute_of_one_organisation_does_not_hold_up_the_other(two: Any) -> None:
    two.config["batch_documents"] = 1
    many = [("contacts", two.contact(n, organisation="UK")) for n in range(100)]
    some = [("contacts", two.contact(1000 + n, organisation="Ireland")) for n in range(50)]
    ran = two.load(*many, *some)
    assert ran.exit_code == 0, ran.told
    minutes = (two.sandbox.clock.now() - two.started).total_seconds() / 60
    assert minutes < 2.1, "150 calls to one organisation would take more than two minutes"
    assert not [e for e in two.exchanges() if e["status"] == 429]


def test_the_report_tells_each_organisation_and_the_sum(two: Any) -> None:
    ran = two.load(*pair(two, 1, "UK"), *pair(two, 2, "Ireland"))
    assert "Xero organisation: Sandbox Trading Ltd" in ran.err
    assert "Xero organisation: Sandbox Ireland Ltd" in ran.err
    assert "All 2 organisations" in ran.err
    assert ran.last_line == "All settled: 4 documents."
    assert [part.summary.stream("invoices").created for part in ran.target.outcome.parts] == [1, 1]
    assert ran.target.outcome.summary.money["invoices"]["GBP"].documents == 4100


def test_a_renamed_organisation_is_told_not_refused(two: Any) -> None:
    two.load(*pair(two, 1, "UK"))
    two.sandbox.edit("xero", {"action": "set_organisation", "name": "Renamed Ltd"})
    ran = two.load(*pair(two, 1, "UK"))
    assert ran.exit_code == 0
    assert "Renamed Ltd" in ran.err
    assert "called Sandbox Trading Ltd" in ran.err


@on_both
def test_a_plan_of_several_organisations_writes_nothing_and_leaves_the_ledger_as_it_was(two: Any) -> None:
    documents = [*pair(two, 1, "UK"), *pair(two, 2, "Ireland")]
    ran = two.load(*documents, mode="plan")
    assert two.writes == 0, ran.told
    assert "Sandbox Ireland Ltd" in ran.told
    assert [part.shown.plan.organisation for part in ran.target.outcome.parts] == [
        "Sandbox Trading Ltd", "Sandbox Ireland Ltd",
    ]  # fmt: skip
    assert [len(part.shown.plan.documents) for part in ran.target.outcome.parts] == [2, 2]
    ran = two.load(*documents)
    assert ran.exit_code == 0, ran.told
    assert ran.target.outcome.summary.stream("invoices").created == 2


MAPPING = """
mapping: deals
source: Test CRM
options:
  account: {type: text, default: "200", description: Revenue account}
streams:
  Company:
    documents:
      - {document: contacts, fields: {source_key: Id, Name: Name, ContactNumber: Id}}
  Deal:
    documents:
      - document: invoices
        fields:
          source_key: Id
          contact_key: Company
          Type: "'ACCREC'"
          Date: "'2026-11-02'"
          DueDate: "'2026-12-02'"
          CurrencyCode: "'GBP'"
          LineItems:
            - {Description: "'Work'", Quantity: 1, UnitAmount: Amount, AccountCode: options.account}
"""


def test_with_a_mapping_the_source_record_decides_and_options_differ_by_organisation(two: Any) -> None:
    file = two.folder / "deals.yml"
    file.write_text(MAPPING)
    organisations = [
        {"name": "UK", "tenant_id": UK, "when": "record.get('Entity__c') == 'UK'"},
        {"name": "Ireland", "tenant_id": IE, "when": "record.Entity__c == 'IE'", "mapping_options": {"account": "260"}},
    ]  # fmt: skip
    messages = [
        {**two.schema("Company", Id={"type": "string"}), "key_properties": ["Id"]},
        {**two.schema("Deal", Id={"type": "string"}), "key_properties": ["Id"]},
        *(two.record("Company", Id=f"c-{e}", Name=f"Company {e}", Entity__c=e) for e in ("UK", "IE")),
        *(two.record("Deal", Id=f"d-{e}", Company=f"c-{e}", Amount=10, Entity__c=e) for e in ("UK", "IE")),
        two.record("Deal", Id="d-lost", Company="c-UK", Amount=10, Entity__c=None),
        two.state(1),
    ]
    ran = two.run(messages, mapping=str(file), organisations=organisations)
    assert refusals(ran) == ["route_none"]
    codes = {
        tenant: [line["AccountCode"] for i in _books(two, tenant)["Invoices"] if i["Reference"].startswith("d-")
                 for line in i["LineItems"]]
        for tenant in (UK, IE)
    }  # fmt: skip
    assert codes == {UK: ["200"], IE: ["260"]}
    organisations[0]["when"] = "record.Entity__c != 'IE'"
    ran = two.run([], mapping=str(file), organisations=organisations)
    assert ran.exit_code == 0, ran.told
    assert len([i for i in _books(two, UK)["Invoices"] if i["Reference"] == "d-lost"]) == 1


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("UK", "an object is expected"),
        ({"tenant_id": UK}, "give it a `name`"),
        ({"name": "UK"}, "tenant_id is missing"),
        ({"name": "UK", "tenant_id": UK, "when": "CurencyCode == 'EUR'"}, "Did you mean CurrencyCode?"),
        ({"name": "UK", "tenant_id": UK, "when": "CurrencyCode == "}, "is no expression"),
        ({"name": "UK", "tenant_id": UK, "wen": "True"}, "Did you mean when?"),
        ({"name": "UK", "tenant_id": UK, "takes_all": ["things"]}, "takes_all is a list of document streams"),
        ({"name": "UK", "tenant_id": UK, "max_documents": "many"}, "max_documents"),
        ({"name": "UK", "tenant_id": UK, "client_secret": 4711}, "client_secret: text is expected"),
    ],
)
def test_a_wrong_entry_is_named_with_its_cure_before_anything_is_read(
    two: Any, entry: Any, told: str
) -> None:
    from target_xero.errors import ConfigurationError  # noqa: PLC0415
    from target_xero.settings import Settings  # noqa: PLC0415

    with pytest.raises(ConfigurationError, match=r"setting organisations") as raised:
        Settings.read({**ACCESS, "organisations": json.dumps([entry])})
    assert told in str(raised.value)
    assert "4711" not in str(raised.value)


@on_both
def test_several_organisations_are_planned_approved_and_applied_each_by_its_own_hash(two: Any) -> None:
    documents = [*pair(two, 1, "UK"), *pair(two, 2, "Ireland")]
    before = names(two, UK), names(two, IE)
    assert two.load(*documents, mode="plan").exit_code == 0
    assert (names(two, UK), names(two, IE)) == before
    assert two.load(*documents, mode="approve", run_by="Anna").states
    plans = json.loads(two.command("plan", "--json", mode="approve").stdout)
    assert [plan["organisation"]["name"] for plan in plans] == ["Sandbox Trading Ltd", "Sandbox Ireland Ltd"]
    assert two.command("approve", plans[1]["plan_hash"], mode="approve").exit_code == 0
    two.command("apply", mode="approve")
    assert (names(two, UK), names(two, IE)) == (before[0], ["Customer 2"])
