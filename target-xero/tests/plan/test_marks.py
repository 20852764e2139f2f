"""Marks: what names a document's source in Xero, and is found again there."""

from __future__ import annotations

import pytest
from target_xero.plan.marks import check_marker, check_reference, marker_in, reference


@pytest.mark.parametrize("marker", ["A · B", " A", "A ", "· A", "A\n", "m" * 101])
def test_a_mark_that_would_not_be_found_again_is_refused(marker):
    for stream in ("quotes", "invoices", "credit_notes", "payments"):
        assert [r.rule for r in check_marker(stream, marker)] == ["marker_unusable"]
    assert list(check_marker("contacts", marker)) == []


@pytest.mark.parametrize("marker", ["SF-1", "A·B", "A  B", "é", "a/b#1", "m" * 100])
def test_other_marks_are_found_again(marker):
    assert list(check_marker("invoices", marker)) == []
    for text in (None, "PO 7", "x · y"):
        assert marker_in(reference("invoices", text, marker)) == marker


@pytest.mark.parametrize(
    ("stream", "longest"), [("invoices", 255), ("credit_notes", 255), ("payments", 118), ("quotes", 4000)]
)
def test_a_reference_without_room_for_its_mark_is_refused_and_none_is_cut(stream, longest):
    marker = "SF-0061234567890ABCDE"
    fits = "x" * (longest - len(" · ") - len(marker))
    assert list(check_reference(stream, fits, marker)) == []
    assert reference(stream, fits, marker) == f"{fits} · {marker}"
    (refusal,) = check_reference(stream, f"{fits}y", marker)
    assert (refusal.rule, refusal.field, refusal.value) == ("too_long", "Reference", f"{fits}y")
    assert f"It has {len(fits) + 1} characters" in refusal.cure
    assert f"room for {len(fits)}" in refusal.cure


def test_an_emoji_in_a_reference_counts_twice_as_in_xero():
    marker = "m" * 52
    assert list(check_reference("invoices", "\N{ROCKET}" * 100, marker)) == []
    assert [r.rule for r in check_reference("invoices", "\N{ROCKET}" * 100 + "x", marker)] == ["too_long"]


def test_what_bears_no_mark_has_no_reference_to_check():
    assert list(check_reference("contacts", "x" * 5000, "C1")) == []


def test_what_an_earlier_release_took_in_is_written_as_it_was_then():
    """It was clipped, and what Xero has is compared with it."""
    long = reference("invoices", "x" * 300, "SF-1")
    assert (len(long), long[-9:]) == (255, "xx · SF-1")
