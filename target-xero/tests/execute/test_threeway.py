"""What was agreed, what Xero has, what the source wants: every combination of the three, and of lines."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from target_xero.execute.compare import compared
from target_xero.execute.threeway import merge


@pytest.mark.parametrize(("base", "theirs", "ours"), list(itertools.product(["a", "b", "c"], repeat=3)))
def test_a_field_by_all_combinations(base, theirs, ours):
    merged = merge({"EmailAddress": base}, {"EmailAddress": theirs}, {"EmailAddress": ours}, "contacts")
    changes = compared(merged.body, {"EmailAddress": theirs})
    people, source = base != theirs, base != ours
    assert bool(merged.conflicts) == (people and source and theirs != ours)
    assert bool(changes) == (source and not people)
    assert bool(merged.kept) == (people and not source)


def test_what_people_typed_where_the_source_said_nothing_is_a_conflict_unless_xero_fills_it_in_itself():
    assert merge({}, {"TaxNumber": "GB1"}, {"TaxNumber": "GB2"}, "contacts").conflicts
    assert not merge({}, {"TaxNumber": ""}, {"TaxNumber": "GB2"}, "contacts").conflicts
    assert not merge({}, {"DueDate": "2026-11-30"}, {"DueDate": "2026-12-02"}, "invoices").conflicts


def test_without_anything_agreed_the_sources_word_goes():
    assert merge(None, {"Name": "Theirs"}, {"Name": "Ours"}, "contacts").body == {"Name": "Ours"}


def test_persons_are_one_list():
    one, two = [{"FirstName": "A"}], [{"FirstName": "B"}]
    assert merge({"ContactPersons": one}, {"ContactPersons": one}, {"ContactPersons": two}, "contacts").body
    assert (
        "ContactPersons"
        not in merge(
            {"ContactPersons": one}, {"ContactPersons": two}, {"ContactPersons": one}, "contacts"
        ).body
    )
    assert merge(
        {"ContactPersons": one}, {"ContactPersons": [*one, *two]}, {"ContactPersons": two}, "contacts"
    ).conflicts


def phones(**numbers):
    return {"Phones": [{"PhoneType": kind, "PhoneNumber": number} for kind, number in numbers.items()]}


def test_only_the_slots_that_the_source_changes_are_sent():
    merged = merge(
        phones(DEFAULT="1", FAX="2"), phones(DEFAULT="1", FAX="2"), phones(DEFAULT="1", FAX="3"), "contacts"
    )
    assert merged.body == phones(FAX="3")


def test_a_slot_that_people_have_put_right_already_is_not_sent():
    merged = merge(phones(DEFAULT="1"), phones(DEFAULT="2"), phones(DEFAULT="2"), "contacts")
    assert (merged.body, merged.kept, merged.conflicts) == ({}, [], [])


def test_inside_an_object_each_field_is_by_itself():
    def terms(bills, sales):
        return {"PaymentTerms": {"Bills": {"Day": Decimal(bills)}, "Sales": {"Day": Decimal(sales)}}}

    merged = merge(terms(1, 1), terms(2, 1), terms(1, 3), "contacts")
    assert merged.body == {"PaymentTerms": {"Sales": {"Day": Decimal(3)}}}
    assert merged.kept == ["PaymentTerms.Bills.Day 2"]


def line(id_, price, **fields):
    return {"LineItemID": id_, "Description": f"Line {id_}", "UnitAmount": Decimal(price), **fields}


def lines(merged):
    return [(entry.get("LineItemID"), entry.get("UnitAmount")) for entry in merged.body.get("LineItems", ())]


def of(*entries):
    return {"LineItems": list(entries)}


def test_lines_that_the_source_leaves_alone_are_not_sent():
    merged = merge(of(line("1", 10)), of(line("1", 11), line("9", 5)), of(line("1", 10)), "invoices")
    assert "LineItems" not in merged.body
    assert merged.lines_kept
    assert merge(of(line("1", 1)), of(), of(line("1", 1)), "invoices").kept == ["LineItems[0] deleted"]
    assert not merge(of(line("1", 10)), of(line("1", 10)), of(line("1", 10)), "invoices").kept


def test_a_line_that_only_the_source_took_away_goes():
    merged = merge(
        of(line("1", 1), line("2", 2)), of(line("1", 1), line("2", 2)), of(line("1", 1)), "invoices"
    )
    assert (lines(merged), merged.conflicts) == ([("1", Decimal(1))], [])


def test_a_line_that_the_source_took_away_and_people_changed_is_a_conflict():
    merged = merge(
        of(line("1", 1), line("2", 2)), of(line("1", 1), line("2", 3)), of(line("1", 1)), "invoices"
    )
    assert len(merged.conflicts) == 1


def test_a_line_that_both_took_away_is_gone():
    merged = merge(of(line("1", 1), line("2", 2)), of(line("1", 1)), of(line("1", 5)), "invoices")
    assert (lines(merged), merged.conflicts) == ([("1", Decimal(5))], [])


def test_peoples_own_line_is_sent_back_as_it_is():
    own = line(
        "9",
        5,
        AccountCode="260",
        TaxAmount=Decimal(1),
        Tracking=[{"Name": "Region", "Option": "North", "x": 1}],
    )
    merged = merge(of(line("1", 1)), of(line("1", 1), own), of(line("1", 2)), "invoices")
    assert merged.body["LineItems"][1] == {
        "LineItemID": "9", "Description": "Line 9", "UnitAmount": Decimal(5), "AccountCode": "260",
        "Tracking": [{"Name": "Region", "Option": "North"}],
    }  # fmt: skip


def test_where_it_is_not_known_which_line_became_which_the_sources_lines_go():
    merged = merge(of({"Description": "x"}), of(line("1", 1)), of({"Description": "y"}), "invoices")
    assert merged.body == of({"Description": "y"})


def test_a_quotes_price_that_xero_rounds_is_nobodys_edit():
    merged = merge(of(line("1", "1.2345")), of(line("1", "1.23")), of(line("1", "1.5")), "quotes")
    assert (lines(merged), merged.conflicts) == ([("1", Decimal("1.5"))], [])
