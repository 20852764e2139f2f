"""Options: declared in the file, set from outside, checked before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from crm_to_xero import Mapping, MappingFileError

OPTIONS = """
mapping: acme
source: Acme
options:
  code: {type: text, default: "200", description: Account.}
  days: {type: whole, default: 30, description: Days.}
  cap: {type: amount, default: 0, description: Cap.}
  on: {type: yes_no, default: false, description: Switch.}
  roles: {type: list, default: [], description: Roles.}
  fields: {type: map, default: {po: PO__c, tax: Tax__c}, description: Fields.}
  mode: {type: text, choices: [one, two], default: one, description: Mode.}
streams:
  Deal:
    documents:
      - document: invoices
        fields:
          source_key: Id
          Reference: record[options.fields.po]
          InvoiceNumber: options.code
"""
MappingFrom = Callable[..., Mapping]


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({}, "code", "200"),
        ({"code": "0100"}, "code", "0100"),
        ({"days": 7}, "days", 7),
        ({"days": "7"}, "days", 7),
        ({"cap": 12.5}, "cap", Decimal("12.5")),
        ({"cap": "0.10"}, "cap", Decimal("0.10")),
        ({"on": "true"}, "on", True),
        ({"roles": ["a"]}, "roles", ["a"]),
        ({"fields": {"po": "Order__c"}}, "fields", {"po": "Order__c", "tax": "Tax__c"}),
        ({"fields": {"po": None}}, "fields", {"po": None, "tax": "Tax__c"}),
        ({"fields": {"x": 0.1}}, "fields", {"po": "PO__c", "tax": "Tax__c", "x": Decimal("0.1")}),
        ({"mode": "two"}, "mode", "two"),
        ({"mode": None}, "mode", "one"),
    ],
)
def test_a_value_from_outside_replaces_the_default_and_a_map_is_merged(
    mapping_from: MappingFrom, given: dict[str, Any], name: str, value: object
) -> None:
    assert mapping_from(OPTIONS, given).options[name] == value


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dayz": 1}, "mapping_options.dayz: the mapping has no such option. Did you mean days?"),
        ({"code": 200}, "mapping_options.code: text is expected, not 200; put quotes around it"),
        ({"days": 1.5}, "mapping_options.days: a whole number is expected"),
        ({"days": True}, "mapping_options.days: a number is expected"),
        ({"cap": "much"}, "mapping_options.cap: 'much' is no number"),
        ({"on": "maybe"}, "mapping_options.on: true or false is expected"),
        ({"roles": "a"}, "mapping_options.roles: a list is expected"),
        ({"fields": ["a"]}, "mapping_options.fields: a map is expected"),
        ({"mode": "three"}, "mapping_options.mode: 'three' is none of its choices: one, two"),
    ],
)
def test_a_wrong_value_is_refused_and_the_message_says_what_is_right(
    mapping_from: MappingFrom, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(MappingFileError) as caught:
        mapping_from(OPTIONS, given)
    assert says in str(caught.value)


def test_a_field_that_is_switched_off_is_null(mapping_from: MappingFrom) -> None:
    record = {"Id": "1", "PO__c": "PO 7"}
    assert mapping_from(OPTIONS).documents("Deal", record)[0].body["Reference"] == "PO 7"
    assert (
        "Reference" not in mapping_from(OPTIONS, {"fields": {"po": None}}).documents("Deal", record)[0].body
    )
