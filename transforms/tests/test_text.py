"""Cleaning and cutting of text."""

from __future__ import annotations

import unicodedata

import pytest
from crm_to_xero.functions.text import (
    address_lines,
    clip,
    is_email,
    join,
    length,
    letters,
    lookup,
    short_code,
    split_name,
    text,
    truth,
)
from hypothesis import given
from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)


@given(ANY_TEXT)
def test_clean_text_is_normal_trimmed_single_spaced_and_can_be_stored(raw: str) -> None:
    clean = text(raw)
    if clean is None:
        return
    assert clean == clean.strip()
    assert unicodedata.is_normalized("NFC", clean)
    assert "  " not in clean
    assert "\x00" not in clean
    clean.encode("utf-8")
    assert text(clean) == clean


@given(ANY_TEXT, st.integers(1, 40))
def test_clipped_text_fits_as_xero_counts_and_begins_like_the_whole(raw: str, most: int) -> None:
    cut = clip(raw, most)
    assert cut is not None
    assert length(cut) <= most
    assert cut == raw or raw.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize(
    ("whole", "most", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("😀😀😀", 5, "😀😀…"),
        ("e\u0301e\u0301", 3, "e\u0301…"),
        ("a👩‍👩‍👧b", 5, "a…"),
        ("👍🏽👍🏽", 6, "👍🏽…"),
    ],
)
def test_a_cut_never_parts_what_people_see_as_one_character(whole: str, most: int, cut: str) -> None:
    assert clip(whole, most) == cut


def test_an_ending_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="no room"):
        clip("abc", 2, "...")


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=31, max_size=80),
    st.text("ab", min_size=1, max_size=5),
)
def test_long_codes_fit_stay_the_same_and_differ_where_only_their_ends_do(code: str, other: str) -> None:
    short = short_code(code, 30)
    assert short is not None
    assert len(short) <= 30
    assert short == short_code(code, 30)
    assert short != short_code(code + other, 30)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("United Kingdom", "United Kingdom"),
        ("Côte d\u2019Ivoire", "Cote d Ivoire"),
        ("Österreich", "Osterreich"),
        ("日本", None),
        ("Łódź (PL)", "Lodz PL"),
        (None, None),
    ],
)
def test_a_country_is_letters_only(raw: str | None, expected: str | None) -> None:
    assert letters(raw) == expected


@pytest.mark.parametrize("address", ["a@b.co", "first.last+tag@sub.example.co.uk", "o'neil@x-y.example"])
def test_e_mail_addresses_that_xero_takes(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "jörg@example.com",
        "a@exämple.com",
        "a@localhost",
        "a b@example.com",
        "a@@example.com",
        ".a@example.com",
        "",
        None,
        5,
    ],
)
def test_e_mail_addresses_that_it_does_not(address: object) -> None:
    assert not is_email(address)


def test_surplus_address_lines_join_the_last_and_missing_ones_are_nothing() -> None:
    assert address_lines("1\n2\n3\n4\n5\n6") == ["1", "2", "3", "4, 5, 6"]
    assert address_lines("1\r\n\u20282") == ["1", "2", None, None]
    assert address_lines(None) == [None] * 4


def test_join_leaves_out_what_is_blank_but_not_zero() -> None:
    assert join("-", "a", " ", None, [], 0) == "a-0"
    assert join("-", None) is None


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [("Ann Lee", "Ann", "Lee"), ("Lee, Ann", "Ann", "Lee"), ("Plato", None, "Plato"), (" ", None, None)],
)
def test_a_name_is_split(whole: str, first: str | None, last: str | None) -> None:
    assert split_name(whole) == {"first": first, "last": last}


def test_lookup_ignores_case_and_spaces_and_is_exact_first() -> None:
    assert lookup({"a": 1, "A": 2}, "A") == 2
    assert lookup({"Hardware": 1}, " hardware ") == 1
    assert lookup({"x": 1}, None, 9) == 9
    assert lookup(None, "x", 9) == 9


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("TRUE", True), ("1", True), (None, False), ("no", False), ("", False), (0, False)],
)
def test_yes_and_no_are_understood_as_text_too(value: object, expected: bool) -> None:
    assert truth(value) is expected


def test_maybe_is_neither() -> None:
    with pytest.raises(ValueError, match="neither"):
        truth("maybe")
