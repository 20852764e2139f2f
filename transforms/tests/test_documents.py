"""What a mapping makes of a record: documents, withdrawals, refusals; never an exception and never a lost record."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from crm_to_xero import Document, Mapping, RecordError, UnknownStreamError

Load = Callable[..., Mapping]


def body(mapping: Mapping, record: dict[str, Any]) -> dict[str, Any]:
    (document,) = mapping.documents("Deal", record)
    assert document.stream == "invoices"
    return document.body


def test_nothing_is_left_out_and_null_means_absent(invoices_from: Load) -> None:
    mapping = invoices_from(
        "Reference: Name\nInvoiceNumber: Number\nLineItems:\n  each: Lines\n  fields: {Description: line.Text}"
    )
    assert body(mapping, {"Id": "1", "Name": "", "Number": None}) == {"source_key": "1"}
    assert body(mapping, {"Id": "1", "Lines": []}) == {"source_key": "1", "LineItems": []}


def test_amounts_keep_their_digits(invoices_from: Load) -> None:
    record = json.loads('{"Id": "1", "Total": 1200.10, "Rate": 0.0001}', parse_float=Decimal)
    found = body(invoices_from("expected_total: Total\nCurrencyRate: Rate"), record)
    assert (str(found["expected_total"]), str(found["CurrencyRate"])) == ("1200.10", "0.0001")


@pytest.mark.parametrize(
    ("field", "value", "becomes"),
    [
        ("Reference", 7, "7"),
        ("Reference", Decimal("1E+3"), "1000"),
        ("Reference", "a\x00b", "a\ufffdb"),
        ("Reference", "half \ud83d", "half \ufffd"),
        ("expected_total", "12.50", Decimal("12.50")),
        ("expected_total", 0.1, Decimal("0.1")),
        ("Date", "2026-11-02", "2026-11-02"),
    ],
)
def test_a_value_takes_the_type_of_its_field(
    invoices_from: Load, field: str, value: object, becomes: object
) -> None:
    assert body(invoices_from(f"{field}: Value"), {"Id": "1", "Value": value})[field] == becomes


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("Reference", True, "text is expected, not true or false"),
        ("Reference", ["a"], "text is expected, not list"),
        ("expected_total", "12,50", "'12,50' is no number"),
        ("expected_total", Decimal("NaN"), "NaN is no amount"),
        ("expected_total", True, "a number is expected, not true or false"),
        ("Date", "2026-11-02T09:00:00Z", "date(…) makes one of a time stamp"),
        ("Date", "2026-02-30", "day is out of range"),
        ("LineItems", "x", "a list is expected"),
        ("LineItems", [{"Descripton": "x"}], "Did you mean Description?"),
        ("LineItems", [5], "a record is expected"),
    ],
)
def test_a_value_of_the_wrong_type_refuses_the_document_and_keeps_the_rest(
    invoices_from: Load, field: str, value: object, says: str
) -> None:
    found = body(
        invoices_from(f"{field}: Value\nUrl: Link"), {"Id": "1", "Value": value, "Link": "https://x.example"}
    )
    assert found["Url"] == "https://x.example"
    assert field not in found
    (refusal,) = found["refusals"]
    assert refusal["rule"] == "expression"
    assert refusal["field"] == field
    assert refusal["value"].startswith("Value, with Value = ")
    assert says in refusal["cure"]
    assert "acme.yml:" in refusal["cure"]


def test_a_refusal_says_expression_values_place_and_cure(invoices_from: Load) -> None:
    found = body(
        invoices_from("expected_total: Quantity * Price"),
        {"Id": "1", "Quantity": None, "Price": Decimal("5.00")},
    )
    (refusal,) = found["refusals"]
    assert refusal["field"] == "expected_total"
    assert refusal["value"] == "Quantity * Price, with Quantity = nothing, Price = 5.00"
    assert "acme.yml:10 cannot be worked out for this record" in refusal["cure"]


def test_all_that_is_wrong_is_said_at_once(invoices_from: Load) -> None:
    rule = "refuse: [{rule: no-customer, when: empty(Customer), field: contact_key, value: Customer, cure: Choose one.}]"
    found = body(
        invoices_from("expected_total: Total\nDate: Day", rule=rule),
        {"Id": "1", "Total": "x", "Day": "y", "Customer": ""},
    )
    assert [item["field"] for item in found["refusals"]] == ["expected_total", "Date", "contact_key"]
    assert found["refusals"][-1] == {
        "rule": "no-customer",
        "field": "contact_key",
        "value": "",
        "cure": "Choose one.",
    }


def test_a_named_value_that_fails_is_said_once_however_often_it_is_used(invoices_from: Load) -> None:
    mapping = invoices_from(
        "expected_total: amount\nCurrencyRate: amount\nReference: f'{amount}'",
        lets="total: decimal(Total)\namount: total * 2",
    )
    (refusal,) = body(mapping, {"Id": "1", "Total": "12,5"})["refusals"]
    assert refusal["field"] == "total"
    assert "'12,5' is no number" in refusal["cure"]


def test_a_problem_inside_a_list_names_the_element(invoices_from: Load) -> None:
    mapping = invoices_from(
        "LineItems:\n  each: Lines\n  let: {gross: line.Price * 2}\n  fields: {UnitAmount: line.Price, LineAmount: gross}"
    )
    found = body(mapping, {"Id": "1", "Lines": [{"Price": 1}, {"Price": "x"}, {"Price": None}]})
    assert [item["field"] for item in found["refusals"]] == [
        "LineItems[1].UnitAmount",
        "LineItems[1].LineAmount",
        "LineItems[2].gross",
    ]


@pytest.mark.parametrize("key", ["when", "withdraw_when", "split"])
def test_a_condition_that_cannot_be_worked_out_gives_a_refused_document(
    invoices_from: Load, key: str
) -> None:
    found = body(
        invoices_from("Reference: Name", rule=f"{key}: Amount > 0"), {"Id": "1", "Amount": None, "Name": "x"}
    )
    assert found["source_key"] == "1"
    assert found["refusals"][0]["field"] == key
    assert "Reference" not in found


def test_when_it_does_not_hold_there_is_no_document(invoices_from: Load) -> None:
    assert (
        invoices_from("Reference: Name", rule="when: Won").documents("Deal", {"Id": "1", "Won": False}) == []
    )


def test_a_withdrawn_document_carries_the_common_fields_only_and_is_not_refused(invoices_from: Load) -> None:
    rule = "withdraw_when: not Won\nrefuse: [{rule: r, when: 'True', cure: c}]"
    mapping = invoices_from("Reference: Name\nmarker: f'M-{Id}'\nsource_label: Name", rule=rule)
    assert body(mapping, {"Id": "1", "Name": "Acme"}) == {
        "source_key": "1", "marker": "M-1", "source_label": "Acme", "withdrawn": True,
    }  # fmt: skip
    assert "withdrawn" not in body(mapping, {"Id": "1", "Name": "Acme", "Won": True})


def test_a_split_gives_one_document_for_each_part(invoices_from: Load) -> None:
    mapping = invoices_from(
        "marker: f'{Id}-{n}'\nexpected_total: share(Total, n, 3)",
        rule="split: numbers(3)\nas: n\nwithdraw_when: n > 2",
    )
    found = mapping.documents("Deal", {"Id": "1", "Total": Decimal("10.00")})
    assert [
        (item.body["marker"], item.body.get("expected_total"), item.body.get("withdrawn")) for item in found
    ] == [
        ("1-1", Decimal("3.33"), None),
        ("1-2", Decimal("3.33"), None),
        ("1-3", None, True),
    ]


def test_a_record_without_its_key_is_kept_refused_under_a_key_that_stays_the_same(
    invoices_from: Load,
) -> None:
    mapping = invoices_from("Reference: Name")
    first = body(mapping, {"Name": "Acme"})
    assert first["source_key"].startswith("Deal:unidentified:")
    assert first["refusals"][0]["field"] == "source_key"
    assert body(mapping, {"Name": "Acme"})["source_key"] == first["source_key"]
    assert body(mapping, {"Name": "Other"})["source_key"] != first["source_key"]
    assert body(mapping, {"Id": "x" * 101})["refusals"][0]["field"] == "source_key"


def test_elements_written_out_are_left_out_where_only_their_constants_have_values(
    invoices_from: Load,
) -> None:
    mapping = invoices_from(
        "LineItems:\n  - {ItemCode: \"'A'\", Description: One}\n  - when: Two\n    fields: {Description: Two}"
    )
    assert body(mapping, {"Id": "1", "One": "x", "Two": "y"})["LineItems"] == [
        {"ItemCode": "A", "Description": "x"},
        {"Description": "y"},
    ]
    assert "LineItems" not in body(mapping, {"Id": "1"})


def test_index_and_names_of_the_record_are_known_inside_a_list(invoices_from: Load) -> None:
    mapping = invoices_from(
        "LineItems:\n  each: Lines\n  as: row\n  when: row.Keep\n  fields: {Description: \"f'{index} {row.T} {Name}'\"}"
    )
    found = body(
        mapping,
        {"Id": "1", "Name": "N", "Lines": [{"T": "a", "Keep": True}, {"T": "b"}, {"T": "c", "Keep": True}]},
    )
    assert [line["Description"] for line in found["LineItems"]] == ["0 a N", "2 c N"]


def test_a_named_value_may_have_the_name_of_the_field_it_is_made_of(invoices_from: Load) -> None:
    mapping = invoices_from("Reference: Name", lets="Name: text(Name)")
    assert body(mapping, {"Id": "1", "Name": " a  b "})["Reference"] == "a b"


def test_the_record_is_not_changed_and_two_runs_give_the_same(invoices_from: Load) -> None:
    mapping = invoices_from(
        "Reference: total\nexpected_total: total", lets="total: sum([l.Price for l in Lines])"
    )
    record = {"Id": "1", "Lines": [{"Price": Decimal("0.1")}, {"Price": Decimal("0.2")}]}
    before = json.dumps(record, default=str)
    assert mapping.documents("Deal", record) == mapping.documents("Deal", record)
    assert json.dumps(record, default=str) == before


def test_an_endless_list_is_refused(invoices_from: Load) -> None:
    found = body(
        invoices_from("LineItems:\n  each: Lines\n  fields: {Description: line}"),
        {"Id": "1", "Lines": ["x"] * 5001},
    )
    assert "more than 5000 elements" in found["refusals"][0]["cure"]


def test_an_unknown_stream_names_the_nearest(invoices_from: Load) -> None:
    with pytest.raises(UnknownStreamError, match="Did you mean Deal"):
        invoices_from("Reference: Name").documents("Deals", {})


@pytest.mark.parametrize("record", [None, [], "x", 5])
def test_a_record_that_is_no_object_is_an_error_of_its_sender(invoices_from: Load, record: Any) -> None:
    with pytest.raises(RecordError, match="JSON object"):
        invoices_from("Reference: Name").documents("Deal", record)


def test_the_public_names_are_those(invoices_from: Load) -> None:
    mapping = invoices_from("Reference: Name", rule="rule: won")
    assert mapping.streams == {"Deal"}
    assert mapping.outputs("Deal") == ("invoices",)
    assert mapping.reads("Deal") == {"Id", "Name"}
    assert mapping.schema("invoices")["required"] == ["source_key"]
    assert [rule.rule for rule in mapping.rules("Deal")] == ["won"]
    assert Document("invoices", {}).stream == "invoices"
