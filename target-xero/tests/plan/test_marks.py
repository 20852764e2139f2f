"""Marks: what names a document's source in Xero, and is found again there."""

from __future__ import annotations

import pytest
from target_xero.plan.marks import check_marker, marker_in, reference


@pytest.mark.parametrize("marker", ["A · B", " A", "A ", "· A", "A\n", "m" * 101])
def test_a_mark_that_would_not_be_found_again_is_refused(marker):
    for stream in ("quotes", "invoices", "credit_notes", "payments"):
        assert [r.rule for r in check_marker(stream, marker)] == ["marker_unusable"]
    assert list(check_marker("contacts", marker)) == []


@pytest.mark.parametrize("marker", ["SF-1", "A·B", "A  B", "é", "a/b#1", "m" * 100])
def test_other_marks_are_found_again(marker):
    assert list(check_marker("invoices", marker)) == []
    for text in (None, "PO 7", "x · y"):
        assert marker_in(reference(text, marker, 255)) == marker
