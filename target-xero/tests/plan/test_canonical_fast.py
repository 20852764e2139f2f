"""The quick ways to canonical text and its hash give what the slow ways give."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_xero.ledger.base import dump
from target_xero.plan.canonical import canonical, content_hash
from target_xero.plan.wire import plain

pytestmark = pytest.mark.slow

JSON = st.recursive(
    st.booleans() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), JSON))
def test_the_hash_is_that_of_the_text_in_the_ledger(content):
    assert content_hash(content) == hashlib.sha256(dump(content).encode("utf-8", "surrogatepass")).hexdigest()


@settings(max_examples=60, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19))
def test_a_number_has_one_spelling_however_it_comes(number):
    for given_ in (number, str(number), format(number, "f"), f" {number} "):
        content, problems = canonical("payments", {"Amount": given_})
        assert (content, problems) == ({"Amount": plain(number)}, [])


@settings(max_examples=60, deadline=None)
@given(st.integers(-(10**19), 10**19))
def test_a_whole_number_too(number):
    assert canonical("payments", {"Amount": number})[0] == {"Amount": str(number)}
