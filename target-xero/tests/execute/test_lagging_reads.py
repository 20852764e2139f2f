"""Xero's reads may be a minute behind its writes: what they show of a document just written is nobody's edit and no loss."""

from __future__ import annotations

import pytest


def lag(world, past):
    """From now on single documents are read as they were: `past` is what Xero shows of them."""

    def answer_from_the_past(call):
        if call.method == "GET" and "IDs" in call.params:
            world.answers[len(world.xero.calls) - 1] = (200, {"Invoices": past})

    world.before_call = answer_from_the_past


@pytest.mark.parametrize("past", ["nothing", "the first version"])
def test_a_read_older_than_our_own_write_settles_nothing(world, make, past):
    first, second = make.invoice(1), make.invoice(1, price="11.00")
    world.run(("contacts", [make.contact(1)]), ("invoices", [first]))
    shown = [dict(row) for row in world.xero.live("Invoices")] if past != "nothing" else []
    world.xero.advance(100)
    world.run(("invoices", [second]))
    lag(world, shown)
    third = first if shown else {"source_key": "O1", "withdrawn": True}
    assert world.run(("invoices", [third])).stream("invoices").waiting == 1
    assert world.problems == []
    world.before_call = None
    world.answers = {}
    world.xero.advance(61)
    assert world.run().clean
    prices = [row["LineItems"][0]["UnitAmount"] for row in world.xero.live("Invoices")]
    assert prices == ([10] if shown else [])


def test_a_line_that_an_unanswered_update_has_added_is_not_added_again(world, make):
    first = make.invoice(1)
    world.run(("contacts", [make.contact(1)]), ("invoices", [first]))
    world.xero.advance(100)
    more = [*first["LineItems"], {**first["LineItems"][0], "line_key": "L2"}]
    writes = [n for n, call in enumerate(world.xero.calls) if call.method != "GET"]
    world.faults = dict.fromkeys(range(len(world.xero.calls), len(world.xero.calls) + 8), "lost")
    world.before_call = lambda call: (
        world.faults.pop(len(world.xero.calls) - 1, None) if call.method == "GET" else None
    )
    world.run(("invoices", [{**first, "LineItems": more}]))
    world.faults, world.before_call = {}, None
    world.xero.advance(1_000)
    assert world.run().clean
    assert len(world.xero.writes()) > len(writes)
    assert len(world.xero.live("Invoices")[0]["LineItems"]) == 2
