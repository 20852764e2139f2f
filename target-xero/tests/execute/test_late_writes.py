"""Writes whose answers were lost and that take effect late: our own doing is never taken for people's, nor undone by itself."""

from __future__ import annotations

import pytest

BLIND = (200, {"Error": "no list"})


def unanswered_and_unreadable(world, batch, path, fault):
    """A run in which a change goes out without an answer, and no read tells what became of it."""
    sent = []

    def watch(call):
        number = len(world.xero.calls) - 1
        if call.method != "GET" and call.path == path:
            world.faults[number] = fault
            sent.append(call)
        elif sent and call.path == path:
            world.answers[number] = BLIND

    world.before_call = watch
    world.run(batch)
    world.before_call = None
    assert len(sent) == 1


def in_the_end_there_is_no_invoice(world):
    """After all that was late has arrived and the run has been repeated."""
    for _ in range(6):
        world.xero.advance(70)
        summary = world.run()
    assert summary.clean
    assert world.xero.late == []
    assert world.xero.live("Invoices") == []


@pytest.mark.parametrize("fault", ["late", "lost"])
@pytest.mark.parametrize("newest", ["Newest Ltd", "Customer 1"])
def test_our_own_late_change_of_a_contact_is_no_persons_edit(world, make, fault, newest):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(100)
    unanswered_and_unreadable(world, ("contacts", [make.contact(1, Name="Newer Ltd")]), "/Contacts", fault)
    world.xero.advance(400)
    assert [row["Name"] for row in world.xero.live("Contacts")] == ["Newer Ltd"]
    world.run(("contacts", [make.contact(1, Name=newest)]))
    assert world.problems == []
    world.xero.advance(400)
    assert world.run().clean
    assert [row["Name"] for row in world.xero.live("Contacts")] == [newest]


def test_a_late_change_does_not_come_after_the_one_that_replaces_it(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(100)
    unanswered_and_unreadable(world, ("contacts", [make.contact(1, Name="Newer Ltd")]), "/Contacts", "late")
    for _ in range(5):
        world.xero.advance(70)
        world.run(("contacts", [make.contact(1, Name="Newest Ltd")]))
    world.xero.advance(400)
    assert world.run().clean
    assert [row["Name"] for row in world.xero.live("Contacts")] == ["Newest Ltd"]


def test_a_line_that_our_own_late_change_has_added_is_not_kept_beside_the_newest(world, make):
    first = make.invoice(1)
    more = [*first["LineItems"], {**first["LineItems"][0], "line_key": "L2", "Description": "More"}]
    world.run(("contacts", [make.contact(1)]), ("invoices", [first]))
    world.xero.advance(100)
    unanswered_and_unreadable(world, ("invoices", [{**first, "LineItems": more}]), "/Invoices", "late")
    world.xero.advance(400)
    assert len(world.xero.live("Invoices")[0]["LineItems"]) == 2
    world.run(("invoices", [first]))
    world.xero.advance(400)
    assert world.run().clean
    assert [line["Description"] for line in world.xero.live("Invoices")[0]["LineItems"]] == [
        line["Description"] for line in first["LineItems"]
    ]


def test_what_people_typed_while_a_change_of_ours_was_in_doubt_is_not_overwritten(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.advance(100)
    unanswered_and_unreadable(world, ("contacts", [make.contact(1, Name="Newer Ltd")]), "/Contacts", "lost")
    world.xero.advance(400)
    world.xero.live("Contacts")[0]["Name"] = "By hand Ltd"
    world.run(("contacts", [make.contact(1, Name="Newest Ltd")]))
    assert "now 'By hand Ltd' in Xero and 'Newest Ltd' in the source" in world.problems[0]["note"]
    assert [row["Name"] for row in world.xero.live("Contacts")] == ["By hand Ltd"]


@pytest.mark.parametrize("lost", [("late",), ("late", "lost"), ("late", "before")])
def test_a_document_is_not_withdrawn_while_a_create_of_it_may_still_arrive(world, make, monkeypatch, lost):
    """Xero may give the number of a deleted draft again: the first create would then make the document anew."""

    def clash(_container, element, own):
        taken = [row.get("InvoiceNumber") for row in world.xero.live("Invoices") if row["InvoiceID"] != own]
        return "Invoice # must be unique." if element.get("InvoiceNumber") in taken else None

    world.run(("contacts", [make.contact(1)]))
    monkeypatch.setattr(world.xero, "_clash", clash)
    world.lose("/Invoices", *lost)
    assert world.run(("invoices", [make.invoice(1, InvoiceNumber="SF-0001")])).clean
    summary = world.run(("invoices", [{"source_key": "O1", "withdrawn": True}]))
    assert summary.stream("invoices").waiting == 1
    assert "An earlier write of it may still arrive in Xero" in summary.waiting_for[0]
    in_the_end_there_is_no_invoice(world)


def test_a_withdrawal_waits_for_a_create_that_a_dead_run_has_left_in_doubt(world, make, fuse, crashed):
    """The run ends when the create is to be sent once more, before that is written down."""
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Invoices", "late")
    fuse.at = ("C2", fuse.passed["C2"] + 2)
    with pytest.raises(crashed):
        world.run(("invoices", [make.invoice(1, InvoiceNumber="SF-0001")]))
    assert world.xero.live("Invoices") == []
    world.run(("invoices", [{"source_key": "O1", "withdrawn": True}]))
    in_the_end_there_is_no_invoice(world)
