"""Xero: identity, limits and the accounting API of one organisation, stateful and with the platform's own rules.

The way of a request:

    backend           which part of Xero it is for
    identity          /connect and /connections; tokens and scopes are what it gives out, tenant what they open
    gateway           token, tenant, limits (throttle), Idempotency-Key (idempotency), then
    api               the family of end points (a `resource.Resource`) that the path names
    read, write       what is the same for every family: params, paging, `where`, batches, summarizeErrors, answers
    errors, wire      refusals and values as they go onto the wire; reading is the way in, xml_bodies that of older clients

A `where` expression: lexer, where (the parser), operands; properties knows what Xero has and the sandbox does not filter by.

The families (registry lists them):

    contacts          contact_rules (what is accepted), slots (addresses, phones), contact_views, contact_groups
    invoices, credit_notes    on trade_documents; document_updates says what may still be changed
    quotes, payments (payment_views), allocations
    documents         what invoices, credit notes and quotes share in reading: contact, dates, lock dates, sums
    lines             one line: line_rules (what it is read by), line_coding (account, tax, tracking), money (the sums)
    balances          what is paid, credited and due; books: the settings that documents look up
    accounts, items, tracking, settings, organisation
    attachments, history, invoice_email    end points below a record
    document_resources    makes the document families over one store

The data:

    store             tables with indexes, undo and copies; folding says which names and codes are the same
    chart             what every organisation starts with; seeding and seed_documents: what a seeded one holds
    edits             a person's hand: contact_edits, document_edits
    dumping           the whole state, for checkers

    rules             every rule that is kept, with rules_of_documents; sources: where they are known from
    limits            every number
"""

from __future__ import annotations

from ikaroa_sandbox.xero.backend import XeroBackend

__all__ = ["XeroBackend"]
