"""Documents as Xero takes them: PascalCase names, exact numbers, ids instead of the source's keys."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_xero.ledger import Intent, Link
from target_xero.plan.canonical import NUMBER_FIELDS
from target_xero.plan.kinds import KINDS
from target_xero.plan.marks import reference
from target_xero.plan.organisation import Organisation
from target_xero.plan.statuses import onward
from target_xero.plan.wire import text_of

Linked = Mapping[tuple[str, str], Link]


def contact_number(intent: Intent) -> str:
    """The number a contact is known by: the document's own, else the source's key."""
    return str(intent.document.get("ContactNumber") or intent.source_key)


def body_of(
    intent: Intent,
    link: Link | None,
    linked: Linked,
    organisation: Organisation,
    current: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The element to send: a create without `link`, else an update of it.

    Args:
        intent: the document's revision.
        link: what it is in Xero already.
        linked: the links of the documents it needs.
        organisation: for the ids behind names.
        current: what Xero has now, where it was just read.
    """
    kind = KINDS[intent.kind]
    if intent.op == "withdraw":
        return {kind.id_field: link.remote_id if link else "", "Status": "DELETED"}
    body = {kind.id_field: link.remote_id} if link else {}
    body |= _BUILDERS[intent.kind](intent, link, linked, organisation, current or {})
    return body


def _wire(value: Any, name: str = "") -> Any:
    """Content without our own snake_case names, numbers exact."""
    if isinstance(value, dict):
        return {key: _wire(inner, key) for key, inner in value.items() if key[:1].isupper()}
    if isinstance(value, list):
        return [_wire(inner, name) for inner in value]
    return Decimal(value) if name in NUMBER_FIELDS and isinstance(value, str) else value


def _contact(
    intent: Intent, _link: object, _linked: object, _organisation: object, _current: object
) -> dict[str, Any]:
    return {**_wire(intent.document), "ContactNumber": contact_number(intent)}


def _item(
    intent: Intent, _link: object, _linked: object, _organisation: object, _current: object
) -> dict[str, Any]:
    body: dict[str, Any] = _wire(intent.document)
    if body.get("IsSold") is False:  # Xero OpenAPI 16.1.0: what is not sold keeps no sales details
        body.pop("SalesDetails", None)
    return body


def _sales(
    intent: Intent, link: Link | None, linked: Linked, organisation: Organisation, current: Mapping[str, Any]
) -> dict[str, Any]:
    document = intent.document
    body: dict[str, Any] = _wire(document)
    body["Contact"] = {"ContactID": linked["contacts", str(_needed(intent, "contacts"))].remote_id}
    body["Reference"] = reference(intent.kind, document.get("Reference"), intent.marker)
    theme = body.pop("BrandingTheme", None)
    if theme:
        body["BrandingThemeID"] = organisation.theme_id(theme)
    body["LineItems"] = [
        _line(n, line, sent, link, linked, organisation, current)
        for n, (line, sent) in enumerate(zip(document["LineItems"], body["LineItems"], strict=True))
    ]
    if link is None:
        body.setdefault("Status", "DRAFT")
    elif not onward(
        intent.kind, text_of(dict(current), "Status") or link.status, str(body.get("Status", ""))
    ):
        body.pop("Status", None)  # a document is never taken back to an earlier status
    return body


def _line(
    n: int,
    line: Mapping[str, Any],
    sent: dict[str, Any],
    link: Link | None,
    linked: Linked,
    organisation: Organisation,
    current: Mapping[str, Any],
) -> dict[str, Any]:
    if line.get("system_account"):
        account = organisation.rounding_account
        sent["AccountCode"] = account.code if account else ""
    item = linked.get(("items", str(line.get("item_key"))))
    if item and "ItemCode" not in sent:
        sent["ItemCode"] = item.number
    if link:
        known = link.lines.get(line_key(n, line))
        theirs = [text_of(entry, "LineItemID") for entry in current.get("LineItems") or ()]
        if known and (not theirs or known in theirs):
            sent["LineItemID"] = known
        elif not link.lines and n < len(theirs) and theirs[n]:
            sent["LineItemID"] = theirs[n]
    return sent


def line_key(n: int, line: Mapping[str, Any]) -> str:
    """What a line is known by in the link: its own key, or its position."""
    return str(line.get("line_key") or f"#{n}")


def line_ids(document: Mapping[str, Any], element: Mapping[str, Any]) -> dict[str, str]:
    """LineItemID by line key, from an answer that holds as many lines as were sent."""
    lines, found = document.get("LineItems") or [], element.get("LineItems") or []
    if len(lines) != len(found):
        return {}
    ids = {
        line_key(n, line): text_of(theirs, "LineItemID")
        for n, (line, theirs) in enumerate(zip(lines, found, strict=True))
    }
    return {key: id_ for key, id_ in ids.items() if id_}


def _invoice(
    intent: Intent, link: Link | None, linked: Linked, organisation: Organisation, current: Mapping[str, Any]
) -> dict[str, Any]:
    body = _sales(intent, link, linked, organisation, current)
    body["Type"] = "ACCREC" if intent.kind == "invoices" else "ACCRECCREDIT"
    if "LineAmountTypes" in body:
        body["LineAmountTypes"] = _LINE_AMOUNT_TYPES[body["LineAmountTypes"].casefold()]
    return body


_LINE_AMOUNT_TYPES = {name.casefold(): name for name in ("Exclusive", "Inclusive", "NoTax")}


def _quote(
    intent: Intent, link: Link | None, linked: Linked, organisation: Organisation, current: Mapping[str, Any]
) -> dict[str, Any]:
    """A quote's update is no partial one: without number Xero mints another, without terms it empties them."""
    body = _sales(intent, link, linked, organisation, current)
    if "LineAmountTypes" in body:
        body["LineAmountTypes"] = body["LineAmountTypes"].upper()
    if link:
        body.setdefault("QuoteNumber", text_of(dict(current), "QuoteNumber") or link.number)
        body.setdefault("Terms", text_of(dict(current), "Terms"))
        body.setdefault("Status", text_of(dict(current), "Status") or link.status)
    return body


def _payment(
    intent: Intent, _link: object, linked: Linked, _organisation: object, _current: object
) -> dict[str, Any]:
    body: dict[str, Any] = _wire(intent.document)
    body["Account"] = {"Code": body.pop("AccountCode")}
    body["Reference"] = reference("payments", intent.document.get("Reference"), intent.marker)
    for need, owner in (("invoices", "Invoice"), ("credit_notes", "CreditNote")):
        found = linked.get((need, str(_needed(intent, need))))
        if found:
            body[owner] = {f"{owner}ID": found.remote_id}
    return body


def _allocation(
    intent: Intent, _link: object, linked: Linked, _organisation: object, _current: object
) -> dict[str, Any]:
    invoice = linked["invoices", str(_needed(intent, "invoices"))]
    return {**_wire(intent.document), "Invoice": {"InvoiceID": invoice.remote_id}}


def _needed(intent: Intent, kind: str) -> str | None:
    """The key of the one document of that kind it needs, as the ledger knows it now."""
    return next((key for need, key in intent.needs if need == kind), None)


_BUILDERS: dict[str, Any] = {
    "items": _item,
    "contacts": _contact,
    "quotes": _quote,
    "invoices": _invoice,
    "credit_notes": _invoice,
    "payments": _payment,
    "allocations": _allocation,
}
