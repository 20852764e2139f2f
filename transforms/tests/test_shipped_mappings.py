"""The mappings that come with the package: their examples, and that no record whatever breaks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
import simplejson
from crm_to_xero import Mapping, load_mapping, shipped
from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.examples import Example, compare, examples_text, gaps, read_examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = ["hubspot", "salesforce"]


def examples_of(name: str) -> list[Example]:
    source = examples_text(name)
    assert source is not None
    return read_examples(*source)


CASES = [(name, example) for name in NAMES for example in examples_of(name)]


def test_these_come_with_the_package() -> None:
    assert shipped() == NAMES


@pytest.mark.parametrize(
    ("name", "example"), CASES, ids=[f"{name}: {example.name}" for name, example in CASES]
)
def test_an_example_holds_and_its_documents_are_as_their_schema_says(
    name: str, example: Example, shipped_mapping: Callable[..., Mapping]
) -> None:
    documents = shipped_mapping(name, example.options).documents(example.stream, example.record)
    assert list(compare(example, documents)) == []
    for document in documents:
        check(document.stream, document.body)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_option_and_field_has_an_example(name: str) -> None:
    assert gaps(load_mapping(name), examples_of(name)) == []


VALIDATORS = {stream: jsonschema.Draft202012Validator(schema) for stream, schema in DOCUMENTS.items()}


def check(stream: str, body: dict[str, Any]) -> None:
    line = simplejson.dumps(body, use_decimal=True)
    VALIDATORS[stream].validate(json.loads(line))
    line.encode("utf-8")
    assert not list(floats(body))


def floats(value: Any) -> Any:
    if isinstance(value, dict):
        for item in value.values():
            yield from floats(item)
    elif isinstance(value, list):
        for item in value:
            yield from floats(item)
    elif isinstance(value, float):
        yield value


SALESFORCE = load_mapping(
    "salesforce",
    {
        "lead_contact": True, "lead_invoice": True, "payments": True, "instalments": True, "most_instalments": 3, "archive_deleted": True,
        "contact_roles": ["x"], "service_date": True, "record_url": "https://x.example", "payment_accounts": {"GBP": "090"},
        "tracking": [{"name": "Region", "from": "Product2.Family"}],
    },
)  # fmt: skip
HUBSPOT = load_mapping("hubspot")
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.text(st.characters(exclude_categories=[]), max_size=12),
    st.sampled_from(
        [
            "2026-11-02",
            "2026-11-02T23:59:59.000+0000",
            "NET30",
            "true",
            "a@b.co",
            "x" * 300,
            "1E+400",
            "-0.005",
            "😀" * 30,
        ]
    ),
)
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


def records(mapping: Mapping, stream: str) -> st.SearchStrategy[dict[str, Any]]:
    """Records with the fields the mapping reads, each with any value at all, or missing."""
    tree: dict[str, Any] = {}
    for path in sorted(mapping.reads(stream)):
        *parents, last = path.split(".")
        at = tree
        for name in parents:
            at = at.setdefault(name, {})
            if not isinstance(at, dict):
                break
        else:
            at.setdefault(last, None)
    children = [
        "Id",
        "IsDeleted",
        "Quantity",
        "UnitPrice",
        "Discount",
        "TotalPrice",
        "Description",
        "Name",
        "Email",
        "Billing__c",
    ]
    row = st.fixed_dictionaries({}, optional=dict.fromkeys(children, SCALAR))

    def build(part: Any) -> Any:
        if not part:
            return st.one_of(SCALAR, ANYTHING, st.lists(row, max_size=3))
        return st.one_of(
            st.none(), st.fixed_dictionaries({}, optional={name: build(item) for name, item in part.items()})
        )

    fields = {name: build(item) for name, item in tree.items() if name != "Id"}
    return st.fixed_dictionaries({"Id": st.one_of(st.just("0061"), SCALAR)}, optional=fields)


MAPPINGS = {"salesforce": SALESFORCE, "hubspot": HUBSPOT}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stream"), [(name, stream) for name in MAPPINGS for stream in sorted(MAPPINGS[name].streams)]
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_record_breaks_a_mapping_and_every_document_is_as_its_schema_says(
    name: str, stream: str, data: st.DataObject
) -> None:
    record = data.draw(records(MAPPINGS[name], stream))
    for document in MAPPINGS[name].documents(stream, record):
        check(document.stream, document.body)


@pytest.mark.parametrize("stream", sorted(SALESFORCE.streams))
def test_a_record_of_nothing_but_its_key_is_never_an_expression_error(stream: str) -> None:
    for document in load_mapping("salesforce").documents(stream, {"Id": "x"}):
        assert all(item["rule"] != "expression" for item in document.body.get("refusals", []))


def test_amounts_go_through_digit_by_digit() -> None:
    record = {
        "Id": "006", "IsWon": True, "Name": "A", "AccountId": "001", "CloseDate": "2026-11-02",
        "OpportunityLineItems": [{"Id": "k", "Quantity": Decimal("2.000"), "UnitPrice": Decimal("600.0500"), "TotalPrice": Decimal("1200.10")}],
    }  # fmt: skip
    (line,) = load_mapping("salesforce").documents("Opportunity", record)[0].body["LineItems"]
    assert [str(line[name]) for name in ("Quantity", "UnitAmount", "expected_amount")] == [
        "2.000",
        "600.0500",
        "1200.10",
    ]


def test_a_marker_is_never_part_of_another() -> None:
    mapping = load_mapping("salesforce", {"instalments": True, "payments": True})
    record = {
        "Id": "006000000000001AAA",
        "IsWon": True,
        "Name": "A",
        "AccountId": "001",
        "Amount": 5,
        "CloseDate": "2026-11-02",
    }
    markers = {item.body["marker"] for item in mapping.documents("Opportunity", record)}
    assert len(markers) == 13  # twelve parts (the credit note has the first one's) and the payment
    assert not [(one, other) for one in markers for other in markers if one != other and one in other]
