"""Line items: from what a client sends to what the document keeps, with every refusal Xero makes on the way.

A line is kept as a dict under its wire names, amounts as Decimal. Sources: Xero developer docs (Invoices, line items),
Xero OpenAPI 16.1.0 (the warning text), recorded traffic and public issue threads (the refusals' texts). Texts nobody has
published are named as assumed in `rules_of_documents.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ikaroa_sandbox.xero import limits, money, reading, wire
from ikaroa_sandbox.xero.line_coding import read_account, read_tax, read_tracking
from ikaroa_sandbox.xero.line_rules import LineRules
from ikaroa_sandbox.xero.store import Row

_MAKES_NEW_TAX = frozenset(
    {
        "Quantity",
        "UnitAmount",
        "DiscountRate",
        "DiscountAmount",
        "LineAmount",
        "TaxAmount",
        "TaxType",
        "AccountCode",
        "AccountID",
        "ItemCode",
    }
)
"""Fields that, sent for a line that exists, make its tax be worked out anew."""

_KEPT_ON_UPDATE = (
    "ItemCode",
    "Description",
    "Quantity",
    "UnitAmount",
    "DiscountRate",
    "DiscountAmount",
    "AccountCode",
    "TaxType",
    "Tracking",
)


def read_lines(sent: Sequence[Mapping[str, Any]], rules: LineRules, kept: Sequence[Row] = ()) -> list[Row]:
    """The document's lines after this write: those sent, in order; a kept line that is not named by LineItemID is gone.

    Refusals are appended to `rules.messages`, warnings to `rules.warnings`.

    Raises:
        PostDataInvalid: a value is not of its type.
    """
    by_id = {line["LineItemID"]: line for line in kept}
    found: list[Row] = []
    for raw in sent:
        line_id = wire.guid(raw.get("LineItemID"))
        known = by_id.pop(line_id, None) if line_id and line_id != wire.ZERO_GUID else None
        if line_id and line_id != wire.ZERO_GUID and known is None and rules.unknown_line_id == "refused":
            rules.messages.append(f"The LineItemID {line_id} does not belong to a line of this document.")
        found.append(_read_line(_merged(raw, known, rules), known, rules))
    return found


def check_again(kept: Sequence[Row], rules: LineRules) -> list[Row]:
    """The document's own lines under new rules (it is approved now, or has another tax mode), nothing sent."""
    return read_lines([{"LineItemID": line["LineItemID"]} for line in kept], rules, kept)


def _merged(raw: Mapping[str, Any], known: Row | None, rules: LineRules) -> dict[str, Any]:
    """What was sent over what the line had; a tax amount is not carried over a change that makes a new one."""
    if known is None:
        return dict(raw)
    base = {name: known[name] for name in _KEPT_ON_UPDATE if name in known}
    if not rules.tax_mode_changed and _MAKES_NEW_TAX.isdisjoint(raw):
        base["TaxAmount"] = known["TaxAmount"]
    if "LineAmount" in raw and "UnitAmount" not in raw and "Quantity" not in raw:
        base.pop("UnitAmount", None)
    return {**base, **raw}


def _read_line(raw: Mapping[str, Any], known: Row | None, rules: LineRules) -> Row:
    line: Row = {"LineItemID": known["LineItemID"] if known else rules.new_id()}
    item = _item(raw, line, rules)
    details = item.get("SalesDetails" if rules.sales else "PurchaseDetails") or {} if item else {}
    _description(raw, line, item, rules)
    _amounts(raw, line, known, details, rules)
    account = read_account(raw, line, details, rules)
    read_tax(raw, line, account, details, rules)
    read_tracking(raw, line, rules)
    return line


def _item(raw: Mapping[str, Any], line: Row, rules: LineRules) -> Row | None:
    code = reading.read_text(raw.get("ItemCode"))
    if not code:
        return None
    item = rules.books.item(code)
    if item is None:
        rules.messages.append(f"Item code '{code}' is not valid")
        return None
    line["ItemCode"] = item["Code"]
    line["Item"] = {"ItemID": item["ItemID"], "Name": item.get("Name") or "", "Code": item["Code"]}
    return item


def _description(raw: Mapping[str, Any], line: Row, item: Row | None, rules: LineRules) -> None:
    text = reading.read_text(raw.get("Description"))
    if text is None and item:
        text = item.get("Description" if rules.sales else "PurchaseDescription")
    if not text:
        if rules.complete or rules.description_required:
            rules.messages.append("Description must be specified for each line item")
        return
    if len(text) > limits.LINE_DESCRIPTION:
        rules.messages.append(
            f"The Description of a line item is {len(text)} characters long; it must not be longer than {limits.LINE_DESCRIPTION}"
        )
    line["Description"] = text


def _amounts(
    raw: Mapping[str, Any], line: Row, known: Row | None, details: Mapping[str, Any], rules: LineRules
) -> None:
    quantity = reading.read_decimal(raw.get("Quantity"))
    unit = reading.read_decimal(raw.get("UnitAmount"))
    sent_total = reading.read_decimal(raw.get("LineAmount"))
    if unit is None and sent_total is None:
        unit = details.get("UnitPrice")
    if quantity is None and unit is None and sent_total is None:
        line["LineAmount"] = money.ZERO  # a line that is only a description
        return
    quantity = money.rounded(Decimal(1) if quantity is None else quantity, 4)
    if len(str(raw.get("Quantity") or "")) > limits.QUANTITY_CHARACTERS:
        rules.messages.append(
            f"The quantity value '{quantity}' is invalid. Quantity must not have more than {limits.QUANTITY_CHARACTERS} characters."
        )
    rate, amount_off = _discount(raw, rules)
    places = 4 if known is not None and unit == known.get("UnitAmount") else rules.unit_places
    if unit is None:
        unit = _unit_from_total(sent_total or money.ZERO, quantity, rate, amount_off)
        unit = money.rounded(unit, places)
        total = money.rounded(sent_total or money.ZERO)
    else:
        unit = money.rounded(unit, places)
        total = money.line_amount(quantity, unit, rate, amount_off)
        if sent_total is not None and money.rounded(sent_total) != total:
            rules.messages.append(
                f"The line total {money.rounded(sent_total)} does not match the expected line total {total}"
            )
    if abs(total) > limits.LINE_AMOUNT:
        rules.messages.append(
            f"The line total {total} is larger than {limits.LINE_AMOUNT}, the largest a line may have"
        )
    line.update(Quantity=quantity, UnitAmount=unit, LineAmount=total)
    if rate:
        line["DiscountRate"] = rate
    if amount_off:
        line["DiscountAmount"] = amount_off


def _unit_from_total(
    total: Decimal, quantity: Decimal, rate: Decimal | None, amount_off: Decimal | None
) -> Decimal:
    gross = total + (amount_off or money.ZERO)
    if rate and rate != money.HUNDRED:
        gross = total * money.HUNDRED / (money.HUNDRED - rate)
    return gross / quantity if quantity else gross


def _discount(raw: Mapping[str, Any], rules: LineRules) -> tuple[Decimal | None, Decimal | None]:
    rate = reading.read_decimal(raw.get("DiscountRate"))
    amount_off = reading.read_decimal(raw.get("DiscountAmount"))
    if (rate or amount_off) and not rules.discounts:
        rules.messages.append("A discount can only be given on sales invoices and quotes")
        return None, None
    if rate is not None and not 0 <= rate <= money.HUNDRED:
        rules.messages.append(f"The DiscountRate {rate} is not between 0 and 100")
        return None, None
    if rate:
        return money.rounded(rate, 4), None
    return None, money.rounded(amount_off, 4) if amount_off else None


def document_totals(lines: Sequence[Row], line_amount_types: str) -> money.Totals:
    """SubTotal, TotalTax and Total of a document with these lines."""
    return money.totals(((line["LineAmount"], line["TaxAmount"]) for line in lines), line_amount_types)


def total_discount(lines: Sequence[Row]) -> Decimal:
    """What the lines' discounts took off, to the cent."""
    found = money.ZERO
    for line in lines:
        if line.get("DiscountRate") or line.get("DiscountAmount"):
            found += money.rounded(line["Quantity"] * line["UnitAmount"]) - line["LineAmount"]
    return found


def present_line(line: Row, *, unit_places: int, write: bool) -> dict[str, Any]:
    """A line of an invoice or credit note as it stands on the wire."""
    shown: dict[str, Any] = {}
    for name in ("ItemCode", "Description"):
        if name in line:
            shown[name] = line[name]
    if line.get("UnitAmount") is not None:
        shown["UnitAmount"] = money.rounded(line["UnitAmount"], unit_places)
    for name in ("TaxType", "TaxAmount", "LineAmount", "AccountCode", "Item"):
        if line.get(name) is not None:
            shown[name] = line[name]
    shown["Tracking"] = line["Tracking"]
    for name in ("Quantity", "DiscountRate", "DiscountAmount"):
        if name in line:
            shown[name] = line[name]
    shown["LineItemID"] = line["LineItemID"]
    if "AccountID" in line:
        shown["AccountID"] = line["AccountID"]
    if write:
        shown["ValidationErrors"] = []
    return shown
