"""What a Bulk result's CSV becomes: any text, cut anywhere, is the JSON that the SDK itself would write."""

from __future__ import annotations

import csv
import gzip
import io
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib.json import serialize_json
from tap_salesforce_ikaroa.answers import exact
from tap_salesforce_ikaroa.bulk.csvrows import CsvRows
from tap_salesforce_ikaroa.bulk.encoder import Encoder
from tap_salesforce_ikaroa.bulk.pages import ResultPage
from tap_salesforce_ikaroa.bulk.spill import Sorter, ordinal
from tap_salesforce_ikaroa.describe import Field
from tap_salesforce_ikaroa.errors import UnexpectedAnswerError
from tap_salesforce_ikaroa.lines import from_lines, to_lines
from tap_salesforce_ikaroa.shapes import Parent

COLUMNS = ["Id", "Name", "Notes"]
# Surrogates alone are no UTF-8; the commas, quotes, ends of lines and escapes that CSV and JSON mind come often.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\n\r\\\t\x00\x7f\u2028ü😀'), max_size=12
)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8)


def written(rows: list[tuple[str, ...]], columns: list[str] = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([columns, *rows])
    return out.getvalue().encode()


def read(data: bytes, *, cuts: tuple[int, ...] = (), columns: list[str] = COLUMNS) -> list[tuple[str, ...]]:
    reader, found = CsvRows(columns), []
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        found += reader.feed(data[start:end])
    return found + reader.finish()


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(ROWS, st.tuples(st.integers(0, 500), st.integers(0, 500)))
def test_any_text_comes_through_csv_cut_anywhere(rows: list[tuple[str, ...]], cuts: tuple[int, int]) -> None:
    found = read(written(rows), cuts=cuts)
    assert [tuple(json.loads(f'"{value}"') for value in row) for row in found] == rows


def test_ends_of_lines_and_quotes_other_than_salesforces_are_understood() -> None:
    assert read(b'Id,Name,Notes\r\n1,"a\nb",""""\r\n2,,x') == [("1", "a\\nb", '\\"'), ("2", "", "x")]


def test_a_line_that_looks_whole_inside_a_value_is_no_row() -> None:
    rows = [("1", 'a\n"2","b","c"\n', "x"), ("3", '\n"', '","')]
    assert [tuple(json.loads(f'"{value}"') for value in row) for row in read(written(rows))] == rows


def test_columns_in_another_order_are_put_in_order() -> None:
    data = b'"Notes","Id","Name"\n"a ""b""","1","x\ny"\n"c","2","z"\n'
    assert read(data) == [("1", "x\\ny", 'a \\"b\\"'), ("2", "z", "c")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'"Id","Name"\n', "other columns"),
        (b'"Id","Notes","Other"\n', "other columns"),
        (b'"Id","Id","Name"\n', "other columns"),
        (b'"Id","Name","Notes"\n"1","2"\n', "2 values in place of 3"),
        (b'"Id","Name","Notes"\n"1","2","3', "ends in the middle"),
        (b'"Id","Name","Notes"\n"1","2"x,"3"\n', "not CSV"),
        (b'"Id","Name","Notes"\n"1","2","\xff"\n', "not UTF-8"),
    ],
)
def test_what_is_no_such_csv_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=why):
        read(data)


FIELDS = [
    Field("Id", "id"),
    Field("Name", "string"),
    Field("IsDeleted", "boolean"),
    Field("Amount", "currency"),
    Field("Count__c", "int"),
    Field("SystemModstamp", "datetime"),
]


def lines(fields: list[Field], *rows: tuple[str, ...], parents: tuple[Parent, ...] = ()) -> list[str]:
    return Encoder(fields, parents).lines(rows).decode().splitlines()


def test_a_row_is_the_record_that_rest_gives() -> None:
    row = ("001", "a", "true", "1234.50", "5.0", "2026-11-22T10:00:00.000+0000")
    assert lines(FIELDS, row, ("002", "", "", "", "", "")) == [
        '{"Id":"001","Name":"a","IsDeleted":true,"Amount":1234.50,"Count__c":5,"SystemModstamp":"2026-11-22T10:00:00.000Z"}',
        '{"Id":"002","Name":null,"IsDeleted":null,"Amount":null,"Count__c":null,"SystemModstamp":null}',
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("0.0", "0.0"),
        ("-12.340", "-12.340"),
        ("1.0E7", "10000000"),
        ("1e-7", "0.0000001"),
        ("123456789012345.67", "123456789012345.67"),
    ],
)
def test_a_number_keeps_its_digits_and_is_what_rest_gives(text: str, number: str) -> None:
    assert lines([Field("Id", "id"), Field("Amount", "double")], ("1", text)) == [
        f'{{"Id":"1","Amount":{number}}}'
    ]
    assert serialize_json({"Amount": exact(text)}) == f'{{"Amount":{number}}}' or "." not in text


@pytest.mark.parametrize(
    ("kind", "text"),
    [("double", "abc"), ("double", "NaN"), ("double", "1,2"), ("boolean", "1"), ("int", "x")],
)
def test_a_value_of_another_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(UnexpectedAnswerError):
        lines([Field("Id", "id"), Field("Value", kind)], ("1", text))


CITY, STREET = Field("BillingCity", "string"), Field("BillingStreet", "textarea")
ADDRESS = Field("BillingAddress", "address", components=(("city", CITY), ("street", STREET)))


def test_an_address_is_put_together_from_its_parts_and_null_without_any() -> None:
    encoder = Encoder([Field("Id", "id"), CITY, ADDRESS], ())
    assert encoder.columns == ["Id", "BillingCity", "BillingStreet"]
    assert encoder.lines([("1", "York", "High St"), ("2", "", "")]).decode().splitlines() == [
        '{"Id":"1","BillingCity":"York","BillingAddress":{"city":"York","street":"High St"}}',
        '{"Id":"2","BillingCity":null,"BillingAddress":null}',
    ]


@pytest.mark.parametrize("with_id", [True, False])
def test_a_parent_is_null_when_there_is_none_and_an_object_of_nulls_when_it_is_empty(with_id: bool) -> None:
    fields = (*([Field("Id", "id")] if with_id else []), Field("Site", "string"), ADDRESS)
    encoder = Encoder([Field("Id", "id")], [Parent("Account", fields)])
    assert "Account.Id" in encoder.columns
    rows = [("1", "001", "", "", ""), ("2", "", "", "", "")]
    order = ["Id", "Account.Id", "Account.Site", "Account.BillingCity", "Account.BillingStreet"]
    assert encoder.columns == order
    first, second = (json.loads(line) for line in encoder.lines(rows).splitlines())
    own = {"Id": "001"} if with_id else {}
    assert first == {"Id": "1", "Account": {**own, "Site": None, "BillingAddress": None}}
    assert second == {"Id": "2", "Account": None}


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_lines_are_byte_for_byte_those_of_the_sdk(rows: list[tuple[str, ...]]) -> None:
    fields = [Field(name, "string") for name in COLUMNS]
    expected = [serialize_json({n: v or None for n, v in zip(COLUMNS, row, strict=True)}) for row in rows]
    assert Encoder(fields, ()).lines(read(written(rows))).decode().splitlines() == expected


VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda value: exact(str(value))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=3))
def test_records_are_written_byte_for_byte_as_by_the_sdk(records: list[dict[str, Any]]) -> None:
    assert to_lines(records).decode().splitlines() == [serialize_json(record) for record in records]


def test_numbers_come_back_from_lines_with_their_digits() -> None:
    assert from_lines(b'{"a":1.50}\n{"a":2}\n') == [{"a": Decimal("1.50")}, {"a": 2}]


def page(data: bytes, *, gzipped: bool) -> ResultPage:
    return ResultPage(None, None, 1, gzipped, io.BytesIO(data))


def test_a_compressed_page_that_was_cut_is_no_page() -> None:
    whole = gzip.compress(written([("1", "a", "b")]))
    assert b"".join(page(whole, gzipped=True).blocks()) == written([("1", "a", "b")])
    with pytest.raises(UnexpectedAnswerError, match="cut"):
        list(page(whole[:-12], gzipped=True).blocks())
    with pytest.raises(UnexpectedAnswerError, match="not gzip"):
        list(page(b"plain text", gzipped=True).blocks())


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.integers(0, 999), st.integers(), max_size=40), st.integers(20, 200), st.integers(1, 4)
)
def test_sorting_on_disk_sorts(values: dict[int, int], memory: int, files: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_salesforce_ikaroa.limits.SORT_BYTES", memory)
        patch.setattr("tap_salesforce_ikaroa.limits.SORT_FILES", files)
        sorter = Sorter()
        for key, value in values.items():
            sorter.add([f"{key:03d}"], [b"%d\n" % value])
        assert list(sorter.sorted()) == [(f"{key:03d}", b"%d" % values[key]) for key in sorted(values)]


@given(st.lists(st.none() | st.integers(-(10**9), 10**9)))
def test_whole_numbers_sort_by_value_and_nothing_first(values: list[int | None]) -> None:
    texts = ["" if value is None else str(value) for value in values]
    order = sorted(texts, key=lambda text: (bool(text), int(text or 0)))
    assert sorted(texts, key=ordinal) == order
