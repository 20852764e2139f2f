"""Changes whose outcome nobody saw: what is read before they are sent again, and what waits for them."""

from __future__ import annotations

from decimal import Decimal

import pytest


def test_an_update_without_answer_is_read_before_it_is_sent_again(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Contacts")
    changed = [("contacts", [make.contact(1, AccountNumber="A-2")])]
    summary = world.run(*changed)
    assert summary.clean
    assert summary.streams["contacts"].updated == 1
    assert [call.method for call in world.xero.calls[-2:]] == ["POST", "GET"]


def item(name):
    return ("items", [{"source_key": "P1", "Code": "W-1", "Name": name}])


def test_an_item_without_answer_is_read_before_it_is_sent_again(world):
    world.run(item("Widget"))
    world.lose("/Items")
    summary = world.run(item("Widget (new)"))
    assert summary.clean
    assert summary.streams["items"].updated == 1
    item_id = world.xero.live("Items")[0]["ItemID"]
    assert [(call.method, call.path) for call in world.xero.calls[-2:]] == [
        ("POST", "/Items"),
        ("GET", f"/Items/{item_id}"),
    ]


def test_while_xero_is_away_an_item_is_sent_once_and_waits_for_the_next_run(world):
    world.run(item("Widget"))
    world.xero.advance(1000)
    before = len(world.xero.writes())
    world.lose("/Items", "before")
    world.faults |= dict.fromkeys(range(len(world.xero.calls) + 1, 40), "before")
    summary = world.run(item("Widget (new)"))
    assert len(world.xero.writes()) == before + 1
    assert (summary.streams["items"].waiting, summary.streams["items"].parked) == (1, 0)
    assert "the next run asks again" in summary.waiting_for[0]
    world.faults.clear()
    assert world.run().clean
    assert world.xero.live("Items")[0]["Name"] == "Widget (new)"


def test_an_item_made_a_moment_ago_that_a_read_does_not_show_yet_is_not_taken_for_gone(world):
    """The list shows it, and the read that follows is older."""

    def behind(call):
        number = len(world.xero.calls) - 1
        if call.method == "PUT":
            world.faults[number] = "lost"
        elif call.path.startswith("/Items/"):
            world.answers[number] = (404, None)

    world.before_call = behind
    summary = world.run(item("Widget"))
    assert (summary.streams["items"].waiting, summary.open_refusals) == (1, 0)
    world.before_call = None
    world.xero.advance(61)
    assert world.run().clean
    assert len(world.xero.writes()) == 1


@pytest.mark.parametrize(("last", "parked"), [("lost", 0), ("before", 1)])
def test_the_last_attempt_is_looked_up_too_before_an_update_is_parked(world, make, last, parked):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Contacts", *["before"] * 5, last)
    for _ in range(5):  # three at once, the others a quiet period apart
        summary = world.run(("contacts", [make.contact(1, AccountNumber="A-2")]))
        world.xero.advance(901)
    assert summary.streams["contacts"].parked == parked
    assert summary.streams["contacts"].updated == 1 - parked
    assert len(world.xero.writes()) == 7
    assert all("it was looked up each time" in problem["note"] for problem in world.problems)


def test_a_newer_change_waits_while_an_older_one_may_still_arrive(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Contacts", "late")
    world.run(("contacts", [make.contact(1, AccountNumber="A-2")]))
    summary = world.run(("contacts", [make.contact(1, AccountNumber="A-3")]))
    assert summary.streams["contacts"].waiting == 1
    world.xero.advance(1000)
    world.run()
    assert world.xero.live("Contacts")[0]["AccountNumber"] == "A-3"


def test_a_document_that_changes_while_its_first_send_is_in_doubt_is_one_document(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Invoices", "late")
    world.run(("invoices", [make.invoice(1)]))
    summary = world.run(("invoices", [make.invoice(1, price="12.00")]))
    assert summary.streams["invoices"].waiting == 2
    world.xero.advance(1000)
    assert world.run().clean
    (invoice,) = world.xero.live("Invoices")
    assert invoice["SubTotal"] == Decimal("36.00")
