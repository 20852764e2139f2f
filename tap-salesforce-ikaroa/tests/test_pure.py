"""Small pure parts: SOQL text, moments and windows, error texts, types, hosts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ikaroa_sandbox.salesforce.soql.lexer import tokens, unescape
from ikaroa_sandbox.salesforce.soql.parser import parse
from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.answers import Answer, error_of, exact, learn_names, safe_text
from tap_salesforce_ikaroa.auth import _token_answer, organisation_of
from tap_salesforce_ikaroa.describe import Field, as_text, is_readable, parse_object
from tap_salesforce_ikaroa.errors import HostError, NoAnswerError, UnexpectedAnswerError
from tap_salesforce_ikaroa.hosts import AllowedHosts, path_only
from tap_salesforce_ikaroa.joins import split
from tap_salesforce_ikaroa.lines import to_lines
from tap_salesforce_ikaroa.transport import ServerClock
from tap_salesforce_ikaroa.window import Position, Window, parse_stamp

UTC = timezone.utc
MOMENTS = st.datetimes(datetime(1999, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


# --- SOQL ---------------------------------------------------------------------------------------------------------


def strings_in(query: soql.Query) -> list[str]:
    """The string values that a parser which this package did not write reads in a query."""
    parse(query.text)
    return [unescape(token.text, "", 0) for token in tokens(query.text) if token.kind == "string"]


TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=200)


@given(TEXTS)
def test_any_text_survives_the_way_into_a_query_and_ends_nowhere_else(text: str) -> None:
    query = soql.Query(("Id",), "Account", soql.compare("Name", "=", text), ("Id",))
    assert strings_in(query) == [text]


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_list_of_any_texts_is_one_condition(values: list[str]) -> None:
    query = soql.Query(("Id",), "Account", soql.is_in("Name", values))
    assert strings_in(query) == values


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Name, Secret__c",
        "Name FROM User--",
        "a'b",
        "1Name",
        "Näme",
        "Name ",
        "Owner..Name",
        "x" * 256,
        "a\n",
    ],
)
def test_what_is_no_api_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a Salesforce API name"):
        soql.name(name)


def test_values_are_written_as_soql_does() -> None:
    assert soql.literal(None) == "null"
    assert soql.literal(True) == "true"
    assert soql.literal(Decimal("1E+3")) == "1000"
    assert (
        soql.literal(datetime(2026, 11, 1, 12, tzinfo=timezone(timedelta(hours=2))))
        == "2026-11-01T10:00:00.000Z"
    )
    assert soql.literal("O'Hara\\") == "'O\\'Hara\\\\'"


# --- moments and windows ------------------------------------------------------------------------------------------


@given(MOMENTS)
def test_a_moment_is_read_back_as_it_was_written(moment: datetime) -> None:
    assert parse_stamp(soql.format_stamp(moment)) == moment
    assert parse_stamp(soql.format_stamp(moment).replace("Z", "+0000")) == moment


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31 00:00:00", "2026-01-31T00:00:00.000000Z", "2026-01-31T02:00:00+02:00",
     "2026-01-31T02:00:00.0+0200"],
)  # fmt: skip
def test_moments_are_read_in_every_usual_form(text: str) -> None:
    assert parse_stamp(text) == datetime(2026, 1, 31, tzinfo=UTC)


@given(MOMENTS, st.integers(0, 10**9), MOMENTS)
def test_two_halves_cover_exactly_the_whole(start: datetime, seconds: int, probe: datetime) -> None:
    window = Window("SystemModstamp", start, start + timedelta(seconds=seconds))
    halves = window.halves()
    if halves is None:
        assert seconds < 4  # no whole second is a second away from both ends
        return
    inside = [half.start <= probe < half.end for half in halves if half.start and half.end]
    assert sum(inside) == (window.start <= probe < window.end)


def test_a_window_goes_on_after_ties_without_skipping_one() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    window = Window("SystemModstamp", moment, moment + timedelta(days=1)).resumed(Position(moment, "001"))
    assert window.condition == (
        "((SystemModstamp > 2026-01-01T00:00:00.000Z) OR ((SystemModstamp = 2026-01-01T00:00:00.000Z) AND (Id > '001')))"
        " AND (SystemModstamp < 2026-01-02T00:00:00.000Z)"
    )


@given(st.lists(st.text("abc", min_size=1, max_size=30), unique=True), st.integers(20, 200))
def test_column_parts_hold_every_column_once_and_fit(names: list[str], room: int) -> None:
    parts = split(names, ("Id",), room)
    columns = [column for part in parts for column in part[1:]]
    assert columns == names
    assert all(part[0] == "Id" for part in parts)
    assert all(len(",".join(part)) <= room or len(part) == 2 for part in parts)


# --- answers ------------------------------------------------------------------------------------------------------


def test_an_error_text_shows_names_and_hides_values() -> None:
    learn_names(["Account", "Secret__c"])
    said = safe_text(
        "No such column 'Secret__c' on entity 'Account'\nWHERE Name = 'Jane Doe-Smith' and Email = jane@acme.example"
    )
    assert "'Secret__c'" in said
    assert "Jane" not in said
    assert "acme.example" not in said
    assert "\n" not in said
    assert len(safe_text("x" * 10_000)) <= limits.ERROR_TEXT_CHARS + 1


def test_one_quoted_word_is_a_value_unless_describe_has_told_it_as_a_name() -> None:
    learn_names(["Account", "Ext_Id__c"])
    assert (
        safe_text("duplicate value 'Smith' in 'Account.Ext_Id__c'")
        == "duplicate value '…' in 'Account.Ext_Id__c'"
    )
    assert safe_text("it's not 'Jane's Account' or 'account'") == "it's not '…' or 'account'"
    assert safe_text("it's not 'Jane O'Hara' or 'account'") == "it's not '…'", "who knows where it ends"
    assert safe_text("cut in the middle of 'Jane") == "cut in the middle of '…'"
    assert safe_text("\u201cJane\u201d is no date") == "'…' is no date"


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["''", '""', "\u201c\u201d", "\u00ab\u00bb"]),
    st.booleans(),
)
def test_nothing_of_a_quoted_value_gets_into_a_log(before: str, after: str, quotes: str, long: bool) -> None:
    learn_names(["Account", "Secret__c"])
    value = f"{quotes[0]}{before}JaneDoe{after * (2_000 if long else 1)}{quotes[1]}"
    said = safe_text(f"No value for 'Secret__c' of 'Account' can be {value}: don't")
    assert said.startswith("No value for 'Secret__c' of 'Account' can be ")
    assert "JaneDoe" not in said


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([{"message": "m", "errorCode": "C"}], ("C", "m")),
        ({"error": "invalid_grant", "error_description": "d"}, ("invalid_grant", "d")),
        ([], ("", "")),
        (None, ("", "")),
        ("text", ("", "")),
    ],
)
def test_both_shapes_of_errors_are_read(payload: object, expected: tuple[str, str]) -> None:
    assert error_of(payload) == expected


@pytest.mark.parametrize("text", ["1E+3", "1.0E7", "1.5e-9", "0.10", "12345678901234567890.123456789"])
def test_a_number_keeps_its_value_and_is_written_plainly(text: str) -> None:
    value = exact(text)
    assert value == Decimal(text)
    assert "e" not in str(value).lower()


def test_a_cut_body_is_not_taken_for_an_answer() -> None:
    with pytest.raises(UnexpectedAnswerError):
        Answer(200, {}, b'{"records": [').json()


# --- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'{"a": "cut \\ud83d"}', b'\xef\xbb\xbf{"a": "cut \\ud83d"}'])
def test_half_an_emoji_is_read_as_it_came(body: bytes) -> None:
    assert Answer(200, {}, body).json() == {"a": "cut \ud83d"}
    assert json.loads(to_lines([{"a": "cut \ud83d", "Id": "x"}])) == {"a": "cut \ud83d", "Id": "x"}


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": "x', b"", b'{"a": "\xff"}'])
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        Answer(200, {}, body).json()


def test_an_unknown_type_is_text() -> None:
    field = Field("New__c", "hologram")
    assert field.schema["type"] == ["string", "null"]
    assert field.convert is not None
    assert [field.convert(value) for value in (None, "a", 5, True)] == [None, "a", "5", "true"]


def test_binary_fields_change_events_and_retired_objects_are_left_out() -> None:
    described = parse_object(
        {
            "name": "Attachment",
            "queryable": True,
            "fields": [{"name": "Id", "type": "id"}, {"name": "Body", "type": "base64"}],
        }
    )
    assert list(described.fields) == ["Id"]
    assert not is_readable({"name": "AccountChangeEvent", "queryable": True})
    assert not is_readable({"name": "Old", "queryable": True, "deprecatedAndHidden": True})
    assert not is_readable({"name": "Internal", "queryable": False})


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"SystemModstamp": True, "LastModifiedDate": True}, "SystemModstamp"),
        ({"SystemModstamp": False, "CreatedDate": True}, "CreatedDate"),
        ({"LastModifiedDate": True}, "LastModifiedDate"),
        ({"SystemModstamp": False, "LoginTime": True}, "LoginTime"),
        ({"SystemModstamp": False}, None),
        ({}, None),
    ],
)
def test_the_replication_key_is_the_best_that_may_be_filtered_by(
    fields: dict[str, bool], key: str | None
) -> None:
    raw = [
        {"name": name, "type": "datetime", "filterable": filterable} for name, filterable in fields.items()
    ]
    assert parse_object({"name": "X", "fields": raw}).replication_key == key


def test_a_key_that_rows_cannot_be_ordered_by_is_none() -> None:
    stamp = {"name": "SystemModstamp", "type": "datetime", "sortable": False}
    created = {"name": "CreatedDate", "type": "datetime"}
    assert parse_object({"name": "X", "fields": [stamp, created]}).replication_key == "CreatedDate"


def test_a_value_that_is_no_single_one_is_json_in_a_text_field() -> None:
    value = {"type": "Flat", "rate": Decimal("1.50"), "of": ["a", None]}
    assert json.loads(as_text(value), parse_float=Decimal) == value
    assert as_text([True]) == "[true]"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("00D000000000062", "00D000000000062EAA"), ("00DXXXXXXXXXXXX", "00DXXXXXXXXXXXX255"), ("00D000000000062EAA",) * 2, ("", "")],
)  # fmt: skip
def test_an_id_of_15_characters_gets_the_three_that_tell_its_capitals(given: str, kept: str) -> None:
    assert soql.long_id(given) == kept
    assert organisation_of({"id": f"https://login.salesforce.com/id/{given}/005000000000001AAA"}) == kept


# --- hosts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "https://salesforce.com.evil.example", "https://evilsalesforce.com", "http://acme.salesforce.com",
     "https://user:pw@acme.salesforce.com", "https://127.0.0.1", "file:///etc/passwd", "https://"],
)  # fmt: skip
def test_other_hosts_are_refused_without_showing_what_is_secret(url: str) -> None:
    with pytest.raises(HostError) as caught:
        AllowedHosts("https://acme.my.salesforce.com").check(url, "the address")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.my.salesforce.com",
        "https://acme--dev.sandbox.my.salesforce.com/",
        "https://acme.lightning.force.com",
    ],
)
def test_salesforce_s_own_hosts_are_allowed(url: str) -> None:
    assert AllowedHosts("https://login.salesforce.com").check(url, "the address") == url.rstrip("/")


@pytest.mark.parametrize(
    "value",
    [
        "https://evil.example/services/data",
        "//evil.example/services/",
        "/evil",
        "services/x",
        "/services/\\x",
    ],
)
def test_a_next_page_that_is_no_path_is_not_followed(value: str) -> None:
    with pytest.raises(HostError):
        path_only(value, "nextRecordsUrl")


def test_what_no_query_can_hold_is_left_out_of_a_description(log) -> None:
    raw = {
        "name": "Thing__c",
        "fields": [
            {"name": "Id", "type": "id"},
            {"name": "Né", "type": "string"},
            {"name": "a.b", "type": "string"},
            {"name": "Id FROM User", "type": "string"},
            {"name": None, "type": "string"},
            {"name": "Of__c", "type": "reference", "relationshipName": "O; DROP", "referenceTo": ["User"]},
        ],
        "childRelationships": [{"relationshipName": "x y", "childSObject": "A", "field": "B"}],
    }
    described = parse_object(raw)
    assert list(described.fields) == ["Id", "Of__c"]
    assert described.fields["Of__c"].relationship is None
    assert not described.children
    assert "left out" in log()


@pytest.mark.parametrize("token", ["abc\r\nX-Evil: 1", "töken", "to ken", "\u20ac", "\x00"])
def test_a_token_that_no_header_can_carry_is_no_login(token: str) -> None:
    body = json.dumps({"access_token": token, "instance_url": "https://x.my.salesforce.com"}).encode()
    with pytest.raises(UnexpectedAnswerError, match="no request can carry") as caught:
        _token_answer(Answer(200, body=body))
    assert token not in str(caught.value)


def test_an_answer_as_deep_as_a_well_is_none() -> None:
    with pytest.raises(NoAnswerError):
        Answer(200, body=b"[" * 100_000 + b"]" * 100_000).json()


@pytest.mark.parametrize(
    "header",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "x",
        "",
        None,
    ],
)
def test_a_date_that_no_server_has_is_not_believed(header: str | None) -> None:
    clock = ServerClock()
    clock.learn("Mon, 02 Nov 2026 09:00:00 GMT")
    clock.learn(header)
    assert clock.now().replace(microsecond=0, second=0) == datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59:59.000-1400", "0001-01-01T00:00:00.000+1400", "2026-12-31T23:59:60.000+0000", "12:00"],
)
def test_what_is_no_moment_of_ours_is_no_stamp(text: str) -> None:
    with pytest.raises(ValueError):
        parse_stamp(text)
