"""Values on the wire, out and in: recorded traffic and issue threads."""

from __future__ import annotations

import random
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from ikaroa_sandbox.xero import errors, reading, wire


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1800.00"), b"1800.00"),
        (Decimal("0.1") + Decimal("0.2"), b"0.3"),
        (Decimal("9999999999.9999"), b"9999999999.9999"),
        (Decimal("1E-10"), b"0.0000000001"),
        (Decimal("-0.10"), b"-0.10"),
        (7, b"7"),
    ],
)
def test_numbers_keep_exactly_their_digits(value, text):
    assert wire.dumps({"n": value}) == b'{"n":' + text + b"}"


def test_a_decimal_beside_text_that_holds_quotes_and_control_characters_stays_apart():
    assert wire.dumps(['"', Decimal("1.0"), "a\x02b"]) == b'["\\"",1.0,"a\\u0002b"]'


def test_a_client_cannot_smuggle_a_number_into_text():
    read = reading.json_body(b'{"Name":"\\u00011.5\\u0001"}')
    assert wire.dumps(read) == b'{"Name":"1.5"}'


def test_text_goes_out_as_utf_8_not_escaped():
    assert wire.dumps({"Name": "Café 🍰"}) == '{"Name":"Café 🍰"}'.encode()


def test_dates_have_milliseconds_and_an_offset_or_none():
    moment = datetime(2026, 9, 14, tzinfo=timezone.utc)
    assert wire.ms(moment) == wire.ms(date(2026, 9, 14)) == "/Date(1789344000000+0000)/"
    assert wire.ms_bare(moment) == "/Date(1789344000000)/"
    assert wire.ms(date(1969, 12, 31)) == "/Date(-86400000+0000)/"
    assert wire.day_string(date(2026, 9, 14)) == "2026-09-14T00:00:00"
    assert (
        wire.stamp_string(datetime(2026, 9, 14, 9, 29, 59, 999, tzinfo=timezone.utc))
        == "2026-09-14T09:29:59Z"
    )


@pytest.mark.parametrize(
    "sent",
    [
        "2026-09-14",
        "2026-09-14T00:00:00",
        "2026-09-14T00:30:00+02:00",
        "/Date(1789344000000)/",
        "/Date(1789344000000+0000)/",
        "/Date(1789344000000+1300)/",
    ],
)
def test_a_date_is_read_in_every_spelling_that_clients_send(sent):
    assert reading.read_day(sent) == date(2026, 9, 14)


@pytest.mark.parametrize("sent", ["2017-12-14 00:00:00", "14/12/2017", "2017-13-01", "yesterday", 5])
def test_any_other_date_is_not_a_valid_all_xsd_value(sent):
    with pytest.raises(errors.PostDataInvalid) as caught:
        reading.read_day(sent)
    assert caught.value.content() == {
        "ErrorNumber": 14,
        "Type": "PostDataInvalidException",
        "Message": f"The string '{sent}' is not a valid AllXsd value.",
    }


def test_numbers_and_booleans_are_read_from_text_too():
    assert reading.read_decimal("1800.00") == Decimal("1800.00")
    assert reading.read_decimal(3) == Decimal(3)
    assert reading.read_decimal("") is None
    assert reading.read_bool("True") is True
    assert reading.read_bool(False) is False
    assert reading.read_text(12) == "12"


@pytest.mark.parametrize("sent", ["1,800", "NaN", "Infinity", "abc", True, [1]])
def test_what_is_no_number_is_refused(sent):
    with pytest.raises(errors.PostDataInvalid):
        reading.read_decimal(sent)


@pytest.mark.parametrize("body", [b"{", b'{"a":NaN}', b"\xff", b"<Contacts/>"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(errors.PostDataInvalid):
        reading.json_body(body)


def test_guids_are_version_four_and_repeat_with_the_seed():
    one, other = random.Random(3), random.Random(3)
    found = [wire.new_guid(one) for _ in range(50)]
    assert found == [wire.new_guid(other) for _ in range(50)]
    assert len(set(found)) == 50
    assert all(guid[14] == "4" and guid[19] in "89ab" and wire.guid(guid.upper()) == guid for guid in found)


def test_a_guid_is_recognised_without_hyphens_and_in_braces():
    plain = "50e70000-1111-4222-8333-444455556666"
    assert wire.guid(plain.replace("-", "")) == wire.guid("{" + plain.upper() + "}") == plain
    assert wire.guid("INV-0001") is None
