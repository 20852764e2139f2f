"""Documents that meet in one run: refused ones alone in their call, and a new one beside a changed one."""

from __future__ import annotations


def test_a_call_in_which_everything_is_refused_stops_nothing_else(world, make):
    world.run(("contacts", [make.contact(1, Name="Acme")]))
    summary = world.run(
        ("contacts", [make.contact(2, Name="Acme")]),
        ("contacts", [make.contact(3)]),
        ("invoices", [make.invoice(1), make.invoice(3)]),
    )
    assert summary.streams["contacts"].refused == 1
    assert len(world.xero.live("Invoices")) == 2
    assert len(world.xero.live("Contacts")) == 2


def test_a_call_of_one_document_that_xero_refuses_ends_the_run_in_good_order(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.put("Contacts", Name="Acme", ContactStatus="ACTIVE")  # since the last look-up
    summary = world.run(
        ("contacts", [make.contact(2, Name="Acme")]), ("invoices", [make.invoice(9, contact_key="C1")])
    )
    assert summary.streams["contacts"].refused == 1
    assert len(world.xero.live("Invoices")) == 2


def test_a_new_and_a_changed_invoice_both_go_in_one_run(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    summary = world.run(("invoices", [make.invoice(1, "12.00"), make.invoice(2, contact_key="C1")]))
    assert (summary.streams["invoices"].created, summary.streams["invoices"].updated) == (1, 1)
    assert not summary.streams["invoices"].waiting
