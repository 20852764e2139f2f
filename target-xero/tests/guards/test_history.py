"""Notes in the History of documents: once, and never the reason for a failure."""

from __future__ import annotations


def notes(house):
    return [note["Details"] for note in house.books("HistoryRecords")]


def load(house, **config):
    return house.load(
        ("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)), history_notes=True, **config
    )


def test_each_write_is_noted_once_with_run_and_source(house):
    assert load(house).exit_code == 0
    assert sorted(notes(house)) == [
        "Created from Account 1 [001000000000000001, revision 1] by target-xero, run 1.",
        "Created from Deal 1 [006000000000000001, revision 1] by target-xero, run 1.",
    ]
    house.sandbox.clock.advance(120)
    load(house)
    assert len(notes(house)) == 2
    changed = house.contact(1, EmailAddress="new@example.com")
    house.load(("contacts", changed), history_notes=True)
    assert (
        notes(house)[-1] == "Changed from Account 1 [001000000000000001, revision 2] by target-xero, run 3."
    )


def test_a_note_of_a_document_with_an_endless_name_still_says_by_which_run(house):
    """A note without the run would be the same for every write, and be taken for one that is there already."""
    endless = "Account " + "x" * 5_000
    house.load(("contacts", house.contact(1, source_label=endless)), history_notes=True)
    (told,) = notes(house)
    assert told.startswith("Created from Account xxx")
    assert told.endswith("x… [001000000000000001, revision 1] by target-xero, run 1.")


def test_no_notes_unless_asked_for(house):
    house.load(("contacts", house.contact(1)))
    assert notes(house) == []


def test_a_note_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(house):
    house.fault("timeout_after", method="PUT", path="/Contacts/.*/History")
    ran = load(house)
    assert ran.exit_code == 0
    house.sandbox.clock.advance(900)
    assert load(house).exit_code == 0
    assert len(notes(house)) == len(set(notes(house))) == 2


def test_a_note_that_never_arrived_is_sent_by_the_next_run(house):
    house.fault("503_before", method="PUT", path="/Contacts/.*/History", times=1)
    assert load(house).exit_code == 0
    assert len(notes(house)) < 2
    house.forget_exchanges()
    assert load(house).exit_code == 0
    assert not [e for e in house.exchanges() if "History" in e["path"]], "it may still arrive"
    house.sandbox.clock.advance(900)
    assert load(house).exit_code == 0
    assert len(notes(house)) == len(set(notes(house))) == 2
