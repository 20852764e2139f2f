"""Salesforce, simulated: one org behind its REST, Bulk and Pub/Sub APIs.

The way of a request:

    backend           session (oauth, approval: the login in a browser; identity: who it is), limits (usage), size, then
    urls              the handler of the path
    rest              query, rows, collections, trees, composite, describe, replication
    soql              a query's text to SQL, and rows to JSON
    bulk              jobs of Bulk API 2.0 and 1.0
    errors, wire      refusals and values as they go onto the wire

The org:

    state             everything it is, for save and restore; org: features, hidden fields, custom fields
    schema            its objects and fields, and how describe tells them
    store             its rows and the rules of saving, deleting, merging
    values, ids       one value in its four forms; record ids
    events            change data capture; pubsub serves it
    setup             as after signing up; seeding: as after years

    edits             a person's hand (record_edits), long ones included (transactions)
    faults            Salesforce's own words for what goes wrong on its side
    dump              the whole state, for checkers
    rules, limits     every rule that is kept; every number
"""

from __future__ import annotations

from ikaroa_sandbox.salesforce.backend import SalesforceBackend
from ikaroa_sandbox.salesforce.rules import RULES

__all__ = ["RULES", "SalesforceBackend"]
