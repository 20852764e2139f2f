"""Money on the wire: exact both ways."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_xero.xero import codec


@pytest.mark.parametrize("text", ["0.1", "100.10", "1234567890123.4567", "0.00000001", "-0.50"])
def test_a_decimal_is_written_digit_for_digit(text: str) -> None:
    assert codec.encode({"Amount": Decimal(text)}) == b'{"Amount":' + text.encode() + b"}"


def test_a_decimal_is_never_written_in_exponent_notation() -> None:
    assert codec.encode([Decimal("1E+3"), Decimal("1E-7")]) == b"[1000,0.0000001]"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_is_no_number_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        codec.encode({"Amount": value})


def test_numbers_are_read_as_decimals_with_their_digits() -> None:
    assert str(codec.decode(b'{"Total": 100.10}')["Total"]) == "100.10"


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"cut": ', b"\xff\xfe"])
def test_what_is_no_json_reads_as_none(content: bytes) -> None:
    assert codec.decode(content) is None


def test_text_beyond_ascii_goes_as_it_is() -> None:
    assert codec.encode({"Name": "Zoë 🐘"}) == '{"Name":"Zoë 🐘"}'.encode()
