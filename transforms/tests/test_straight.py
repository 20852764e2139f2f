"""The straight way and the ordinary one: the same documents to the letter, or the straight way says nothing."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from crm_to_xero import Mapping, limits, load_mapping, shipped
from crm_to_xero.examples import Example, examples_text, read_examples
from crm_to_xero.straight import straight
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = [(name, one) for name in shipped() for one in read_examples(*(examples_text(name) or ("", "")))]
ODD = (
    None, True, False, "", " ", "true", "no", "x", "GBP", "NET30", "EOM+20", "whenever", "Zoe\u0308  Smith", "a\x00\ud800", "é😀" * 130,
    "jörg@example.com", "ann@example.com", "2026-11-30", "2026-11-30T23:30:00.000+0000", "2026-13-01", "1e3", 0, 1, 7, 10**20,
    Decimal("0.00"), Decimal("-2.50"), Decimal("19.99999"), Decimal("1200.10"), [], [None], ["a"], [{}], {}, {"Id": "1"}, "k" * 101, "a b",
)  # fmt: skip


def both_ways(mapping: Mapping, stream: str, record: dict[str, Any]) -> tuple[str, str | None]:
    """What each way gives, order and types of everything included; None where the straight way says nothing."""
    rules = mapping._rules(stream)
    before = repr(record)
    ordinary = repr(mapping._interpreted(rules, stream, record))
    key = (mapping.file, repr(sorted(mapping.options.items())), stream, tuple(record))
    if key not in WAYS:
        ways = rules.straight.__self__
        WAYS[key] = straight(ways._lets, ways._documents, tuple(record))  # type: ignore[attr-defined]
    try:
        found = WAYS[key](record)
    except Exception:  # noqa: BLE001  for which the ordinary way has words
        found = None
    assert repr(record) == before
    return ordinary, None if found is None else repr(found)


WAYS: dict[Any, Callable[[dict[str, Any]], Any]] = {}


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}: {one.name}" for name, one in EXAMPLES])
def test_an_example_goes_the_straight_way_exactly_where_nothing_is_refused(
    name: str, example: Example, shipped_mapping: Callable[..., Mapping]
) -> None:
    mapping = shipped_mapping(name, example.options)
    ordinary, found = both_ways(mapping, example.stream, example.record)
    assert found == (None if "'refusals'" in ordinary else ordinary)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Example, dict[str, Any]]:
    """A mapping's name, one of its examples, and the record of it changed.

    Some of the record's values, at any depth, are replaced, taken out, or put in from another example.
    """
    name, example = draw(st.sampled_from(EXAMPLES))
    record = copy.deepcopy(example.record)
    others = [one.record for of, one in EXAMPLES if of == name and one.stream == example.stream]
    for _ in range(draw(st.integers(0, 4))):
        place: Any = record
        while True:
            other = draw(st.sampled_from(others))
            keys = (
                sorted({*place, *(other if place is record else ())})
                if isinstance(place, dict)
                else list(range(len(place)))
            )
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key] if isinstance(place, list) else place.get(key)
            if isinstance(inner, (dict, list)) and inner and draw(st.integers(0, 3)):
                place = inner
                continue
            if isinstance(place, dict) and draw(st.integers(0, 4)) == 0:
                place.pop(key, None)
            elif place is record and draw(st.booleans()) and key in other:
                place[key] = copy.deepcopy(other[key])
            else:
                place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            break
    return name, example, record


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=cases())
def test_whatever_a_record_holds_the_straight_way_gives_the_ordinary_documents_or_none(
    shipped_mapping: Callable[..., Mapping], case: tuple[str, Example, dict[str, Any]]
) -> None:
    name, example, record = case
    ordinary, found = both_ways(shipped_mapping(name, example.options), example.stream, record)
    assert found in (None, ordinary)


MAPPING = """
    mapping: acme
    source: Acme
    streams:
      Deal:
        let:
          lines: Lines or []
          total: sum([l.Amount for l in lines])
          rate: 100 / Rate
          tags: "sorted({'t': Tags or []}['t'])"
        documents:
          - document: invoices
            split: Parts
            when: part != 'never'
            withdraw_when: Status == 'lost' and total > 0
            refuse:
              - {rule: too-much, when: total > 1000, cure: Less.}
            fields:
              source_key: f'{Id}-{part}'
              Reference: "join(' ', *tags)"
              CurrencyRate: rate if Rate else None
              CurrencyCode: "'GBP' if Country is None or Country == 'UK' else text(Country).upper()"
              expected_total: total
              Status: "'DRAFT'"
              LineItems:
                each: lines
                let: {share: "l.Amount / total if total else None", l: line}
                when: line.Amount is not None
                fields:
                  line_key: index
                  Quantity: 1
                  UnitAmount: share
                  Tracking:
                    - {when: index > 0, fields: {Name: "'Region'", Option: "line['Region']"}}
"""


@pytest.mark.slow
@settings(max_examples=80)
@given(
    record=st.fixed_dictionaries(
        {"Id": st.sampled_from(["D1", None, "", 5])},
        optional={
            "Parts": st.sampled_from([[1], ["a", "never"], [], None, "x"]),
            "Status": st.sampled_from(["lost", "won", None]),
            "Rate": st.sampled_from([None, 0, Decimal("1.25"), "3"]),
            "Country": st.sampled_from([None, "UK", "fr", 5]),
            "Tags": st.sampled_from([["b", "a", "b"], None, [1], "ab"]),
            "Lines": st.lists(
                st.fixed_dictionaries(
                    {"Amount": st.sampled_from([None, 5, Decimal("0.10"), 2000])},
                    optional={"Region": st.sampled_from(["North", None, ""])},
                ),
                max_size=3,
            ),
        },
    )
)
def test_lists_parts_conditions_and_what_only_the_evaluator_can_do(
    acme: Mapping, record: dict[str, Any]
) -> None:
    ordinary, found = both_ways(acme, "Deal", record)
    assert found in (None, ordinary)
    if "'refusals'" not in ordinary and "Rate" not in record:
        assert found == ordinary


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    path = tmp_path_factory.mktemp("straight") / "acme.yml"
    path.write_text(textwrap.dedent(MAPPING), encoding="utf-8")
    return load_mapping(str(path))


@pytest.mark.slow
def test_code_is_written_for_fields_that_come_often_and_for_so_many_sets_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STRAIGHT_KEPT", 3)
    mapping = load_mapping("salesforce")
    ways = mapping._rules("Account").straight.__self__._ways  # type: ignore[attr-defined]
    for number in range(limits.STRAIGHT_KEPT + 5):
        fields = {"Id": "001", "Name": "A", f"Extra{number}__c": 1}
        documents = [mapping.documents("Account", fields) for _ in range(limits.STRAIGHT_AFTER + 1)]
        assert documents[0] == documents[-1]
    assert len(ways) == limits.STRAIGHT_KEPT


def test_a_field_with_the_name_of_a_named_value_goes_the_ordinary_way() -> None:
    mapping = load_mapping("salesforce")
    _, found = both_ways(mapping, "Account", {"Id": "001", "Name": "A", " person": True})
    assert found is None
