"""Record ids: the 15-character form and the 18-character one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ikaroa_sandbox.salesforce import ids

SHORT = st.text(alphabet=ids.ALPHABET, min_size=15, max_size=15)


def test_the_suffix_is_that_of_published_examples() -> None:
    assert ids.normalise("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert ids.normalise("00530000003xqAb") == "00530000003xqAbAAI"


@given(SHORT)
def test_an_id_survives_losing_its_case(short: str) -> None:
    whole = ids.normalise(short)
    assert whole is not None
    assert ids.normalise(whole.lower()) == whole
    assert ids.normalise(whole.upper()) == whole


@given(st.text(max_size=20))
def test_nothing_of_another_length_is_an_id(text: str) -> None:
    if len(text) not in (15, 18):
        assert ids.normalise(text) is None


def test_a_wrong_suffix_is_no_id() -> None:
    assert ids.normalise("001a0000006vm9rZZZ") is None


def test_new_ids_are_distinct_and_carry_the_prefix() -> None:
    made = [ids.make("006", number) for number in range(5000)]
    assert len(set(made)) == 5000
    assert all(one.startswith("006") and ids.normalise(one) == one for one in made)


def test_neighbouring_ids_differ_only_by_case_sometimes() -> None:
    short = [ids.make("006", number)[:15] for number in range(200)]
    assert len({one.lower() for one in short}) < len(short)
