"""The lattice, exhaustively: no document goes backwards, and what is dead stays so."""

from __future__ import annotations

import itertools

import pytest
from target_xero.plan.statuses import DEAD, RANKS, is_open, onward

ALLOWED = {
    "invoices": {("DRAFT", "SUBMITTED"), ("DRAFT", "AUTHORISED"), ("SUBMITTED", "AUTHORISED")},
    "credit_notes": {("DRAFT", "SUBMITTED"), ("DRAFT", "AUTHORISED"), ("SUBMITTED", "AUTHORISED")},
    "quotes": {("DRAFT", "SENT"), ("DRAFT", "ACCEPTED"), ("DRAFT", "DECLINED"), ("SENT", "ACCEPTED"), ("SENT", "DECLINED")},
}  # fmt: skip
"""Of the statuses a document may ask for (Xero developer docs); PAID and INVOICED come about by themselves."""
ASKED = {"DRAFT", "SUBMITTED", "AUTHORISED", "SENT", "ACCEPTED", "DECLINED"}


@pytest.mark.parametrize("kind", sorted(RANKS))
def test_a_status_only_ever_goes_on(kind):
    every = {*RANKS["invoices"], *RANKS["quotes"], *DEAD, "", "SOMETHING NEW"}
    found = {(a, b) for a, b in itertools.product(every, ASKED) if onward(kind, a, b)}
    assert found == ALLOWED[kind]


@pytest.mark.parametrize(
    ("kind", "open_"),
    [("invoices", {"DRAFT", "SUBMITTED"}), ("credit_notes", {"DRAFT", "SUBMITTED"}), ("quotes", {"DRAFT"})],
)
def test_only_what_is_not_approved_yet_is_changed(kind, open_):
    every = {*RANKS["invoices"], *RANKS["quotes"], *DEAD, ""}
    assert {status for status in every if is_open(kind, status)} == open_


def test_contacts_and_items_have_no_such_status():
    assert is_open("items", "")
    assert is_open("contacts", "ACTIVE")
    assert not onward("contacts", "ARCHIVED", "ACTIVE")
