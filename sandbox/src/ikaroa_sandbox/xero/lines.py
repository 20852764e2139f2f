"""Line items: from what a client sends to what the document keeps, with every refusal Xero makes on the way.

A line is kept as a dict under its wire names, amounts as Decimal. Sources: Xero developer docs (Invoices, line items),
Xero OpenAPI 16.1.0 (the warning text), recorded traffic and public issue threads (the refusals' texts). Texts nobody has
published are named as assumed in `document_rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from ikaroa_sandbox.xero import limits, money, reading, wire

Row = dict[str, Any]

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


class Books(Protocol):
    """What lines refer to: the organisation's accounts, taxes, items and tracking categories."""

    def account(self, code: str | None, account_id: str | None = None) -> Row | None:
        """The account of this code or id, archived ones too."""

    def tax_rate(self, tax_type: str) -> Row | None:
        """The tax rate of this TaxType, with `EffectiveRate` in percent."""

    def taxable(self, account: Row, rate: Row) -> bool:
        """Whether this tax rate can be used with this account."""

    def item(self, code: str) -> Row | None:
        """The item of this code."""

    def tracking(self, sent: Mapping[str, Any]) -> Row | None:
        """Category and option that a line's tracking entry names (by name or id), or None."""


@dataclass
class LineRules:
    """What holds for the lines of one document, and where refusals and warnings are gathered."""

    books: Books
    new_id: Callable[[], str]
    line_amount_types: str
    sales: bool = True
    """Sales document (ACCREC, its credit note, a quote): the item's sales details fill in."""
    complete: bool = False
    """The document is to be approved: accounts and tax types must stand."""
    discounts: bool = True
    tax_from_account: bool = True
    unit_places: int = 2
    tax_mode_changed: bool = False
    """Kept lines get their tax anew, because the document has another LineAmountTypes than before."""
    description_required: bool = True
    unknown_tracking: str = "refused"
    unknown_line_id: str = "refused"
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_lines(sent: Sequence[Any], rules: LineRules, kept: Sequence[Row] = ()) -> list[Row]:
    """The document's lines after this write: those sent, in order; a kept line that is not named by LineItemID is gone.

    Refusals are appended to `rules.messages`, warnings to `rules.warnings`.

    Raises:
        PostDataInvalid: a value is not of its type.
    """
    by_id = {line["LineItemID"]: line for line in kept}
    found: list[Row] = []
    for raw in sent:
        if not isinstance(raw, Mapping):
            continue
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
    account = _account(raw, line, details, rules)
    _tax(raw, line, account, details, rules)
    _tracking(raw, line, rules)
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


def _account(raw: Mapping[str, Any], line: Row, details: Mapping[str, Any], rules: LineRules) -> Row | None:
    code = reading.read_text(raw.get("AccountCode")) or None
    account_id = wire.guid(raw.get("AccountID"))
    if code is None and account_id is None:
        code = details.get("AccountCode") or details.get("COGSAccountCode")
    if code is None and account_id is None:
        if rules.complete and line.get("UnitAmount") is not None:
            rules.messages.append("Account code or ID must be specified")
        return None
    account = rules.books.account(code, account_id)
    name = code or account_id
    if account is not None and account["Status"] == "ACTIVE" and takes_lines(account):
        line["AccountCode"], line["AccountID"] = account.get("Code"), account["AccountID"]
        return account
    if not rules.complete:
        rules.warnings.append(
            f"Account code '{name}' has been removed as it does not match a recognised account."
        )
    elif account is not None and account["Status"] != "ACTIVE":
        rules.messages.append(
            f"Account code '{name}' has been archived, or has been deleted. Each line item must reference a valid account."
        )
    else:
        rules.messages.append(f"Account code '{name}' is not a valid code for this document.")
    return None


def takes_lines(account: Row) -> bool:
    """Whether a document line may be coded to this account: no bank account, no control account of Xero's own."""
    return account["Type"] != "BANK" and (account.get("SystemAccount") or "ROUNDING") == "ROUNDING"


def _tax(
    raw: Mapping[str, Any], line: Row, account: Row | None, details: Mapping[str, Any], rules: LineRules
) -> None:
    line["TaxAmount"] = money.ZERO
    if line.get("UnitAmount") is None:
        return
    if rules.line_amount_types == money.NO_TAX:
        if rules.tax_from_account:
            line["TaxType"] = "NONE"
        return
    tax_type = reading.read_text(raw.get("TaxType")) or None
    if tax_type is None and rules.tax_from_account:
        tax_type = details.get("TaxType") or (account.get("TaxType") if account else None)
        named = raw.get("AccountCode") or raw.get("AccountID")
        if tax_type is None and rules.complete and not named:  # a wrong account has been refused as such
            rules.messages.append("The TaxType field is mandatory")
    if tax_type is None:
        return
    rate = _tax_rate(tax_type, account, rules)
    if rate is None:
        return
    line["TaxType"] = rate["TaxType"]
    override = reading.read_decimal(raw.get("TaxAmount"))
    if override is not None:
        line["TaxAmount"] = money.rounded(override)
    else:
        line["TaxAmount"] = money.line_tax(line["LineAmount"], rate["EffectiveRate"], rules.line_amount_types)


def _tax_rate(tax_type: str, account: Row | None, rules: LineRules) -> Row | None:
    rate = rules.books.tax_rate(tax_type)
    if rate is None:
        rules.messages.append(
            f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction."
        )
    if account is not None and (rate is None or not rules.books.taxable(account, rate)):
        rules.messages.append(
            f"The TaxType code '{tax_type}' cannot be used with account code '{account.get('Code')}'."
        )
    return rate


def _tracking(raw: Mapping[str, Any], line: Row, rules: LineRules) -> None:
    sent = reading.read_objects(raw.get("Tracking"), "Tracking")
    if len(sent) > limits.TRACKING_CATEGORIES:
        rules.messages.append(
            f"A line item has {len(sent)} tracking categories; it must not have more than {limits.TRACKING_CATEGORIES}"
        )
    found: list[Row] = []
    for entry in sent[: limits.TRACKING_CATEGORIES]:
        option = rules.books.tracking(entry)
        if option is not None:
            found.append(option)
        elif rules.unknown_tracking == "refused":
            name = entry.get("Name") or entry.get("TrackingCategoryID")
            value = entry.get("Option") or entry.get("TrackingOptionID")
            rules.messages.append(
                f"The tracking option '{value}' of category '{name}' does not exist or is archived"
            )
    line["Tracking"] = found


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
