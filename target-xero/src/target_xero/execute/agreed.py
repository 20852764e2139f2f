"""A document as it was last agreed with Xero, as an element of Xero's: what people changed since shows against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_xero.execute.bodies import body_of
from target_xero.execute.context import RunContext
from target_xero.ledger import Intent, Link
from target_xero.plan.kinds import needs_of
from target_xero.plan.wire import text_of


def agreed_body(
    context: RunContext, intent: Intent, link: Link, agreed: Mapping[str, Any], current: Mapping[str, Any]
) -> dict[str, Any]:
    """The element that the agreed document makes.

    Its contact may have another key by now. One that is linked no more is taken to be the contact that Xero has, so that
    everything else can be compared.
    """
    document = context.rounded(intent.kind, dict(agreed))
    marker = str(document.get("marker") or intent.source_key)
    needs = needs_of(document)
    now = context.ledger.aliases("contacts", [key for kind, key in needs if kind == "contacts"])
    needs = tuple((kind, now.get(key, key) if kind == "contacts" else key) for kind, key in needs)
    was = replace(intent, op="save", document=document, marker=marker, needs=needs)
    theirs = replace(link, remote_id=text_of(dict(current), "Contact", "ContactID"))
    linked = {need: theirs for need in needs if need[0] == "contacts"} | context.linked([was])
    return body_of(was, link, linked, context.organisation)
