"""Xero's books as they would be while a plan is made: what was read, with what was planned on top. No I/O."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_xero.plan.amounts import line_amount, lines_total
from target_xero.plan.kinds import KINDS
from target_xero.plan.organisation import Organisation
from target_xero.plan.tax import predict
from target_xero.plan.wire import parse_decimal, text_of

_SPACE = uuid.UUID("5b2b0a3a-6f0e-4a55-9c37-8f3a2e1f6d10")
"""Made-up ids are made from what they stand for, so that two rehearsals of one thing are alike."""
SALES = frozenset({"quotes", "invoices", "credit_notes"})

Element = dict[str, Any]


class Books:
    """Elements by kind and id; whatever is not here is as Xero told."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.read: dict[tuple[str, str], Element] = {}
        """As Xero told them last, whole."""
        self._changed: dict[tuple[str, str], Element] = {}
        self._paid: dict[tuple[str, str], Decimal] = {}
        """What payments of the plan move, by document."""
        self._credited: dict[tuple[str, str], Decimal] = {}
        """What allocations of the plan move, by invoice and by credit note."""

    def made_up(self, kind: str, remote_id: str) -> bool:
        """Whether this id exists in the plan only."""
        return (kind, remote_id) in self._changed and (kind, remote_id) not in self.read

    def now(self, kind: str, remote_id: str) -> Element | None:
        """A document as it would be; None: not known here."""
        found = self._changed.get((kind, remote_id)) or self.read.get((kind, remote_id))
        return self.as_planned(kind, found) if found else None

    def as_planned(self, kind: str, element: Element) -> Element:
        """An element that Xero told, with what the plan changes of it."""
        key = (kind, text_of(element, KINDS[kind].id_field))
        found = {**element, **self._changed.get(key, {})}
        moved = self._paid.get(key)
        if moved:
            open_ = "RemainingCredit" if kind == "credit_notes" else "AmountDue"
            due = (parse_decimal(found.get(open_)) or Decimal(0)) - moved
            found[open_] = due
            if kind == "invoices":
                found["AmountPaid"] = (parse_decimal(found.get("AmountPaid")) or Decimal(0)) + moved
            if found.get("Status") in ("AUTHORISED", "PAID"):
                found["Status"] = "PAID" if due == 0 else "AUTHORISED"
            if due != 0:
                found.pop("FullyPaidOnDate", None)
            gone = self._deleted("payments")
            left = [p for p in found.get("Payments") or () if text_of(p, "PaymentID") not in gone]
            found["Payments"] = left
        credited = self._credited.get(key)
        if credited:
            self._credit(kind, found, credited)
        return found

    def _credit(self, kind: str, found: Element, amount: Decimal) -> None:
        """An invoice or credit note with so much more allocated, or less."""
        open_, applied = (
            ("AmountDue", "AmountCredited") if kind == "invoices" else ("RemainingCredit", "AppliedAmount")
        )
        left = (parse_decimal(found.get(open_)) or Decimal(0)) - amount
        found[open_] = left
        found[applied] = (parse_decimal(found.get(applied)) or Decimal(0)) + amount
        if found.get("Status") in ("AUTHORISED", "PAID"):
            found["Status"] = "PAID" if left == 0 else "AUTHORISED"
        if left != 0:
            found.pop("FullyPaidOnDate", None)
        gone = self._deleted("allocations")
        if kind == "credit_notes":
            found["Allocations"] = [
                a for a in found.get("Allocations") or () if text_of(a, "AllocationID") not in gone
            ]
            return
        notes = {text_of(a, "CreditNote", "CreditNoteID") for a in gone.values()}
        found["CreditNotes"] = [
            c for c in found.get("CreditNotes") or () if text_of(c, "CreditNoteID") not in notes
        ]

    def _deleted(self, kind: str) -> dict[str, Element]:
        return {
            remote_id: element
            for (of, remote_id), element in self._changed.items()
            if of == kind and element.get("Status") == "DELETED"
        }

    def planned(self, kind: str) -> list[Element]:
        """Every document of the kind that the plan makes or changes."""
        return [element for (of, _), element in self._changed.items() if of == kind]

    # -- writes ------------------------------------------------------------------------------------------------------

    def create(self, kind: str, sent: Mapping[str, Any], intent: int) -> Element:
        """The element Xero would answer to a create."""
        element = copy.deepcopy(dict(sent))
        remote_id = str(uuid.uuid5(_SPACE, f"{self._organisation.id}/{kind}/{intent}"))
        element[KINDS[kind].id_field] = remote_id
        if kind == "contacts":
            element.setdefault("ContactStatus", "ACTIVE")
        elif kind in SALES:
            element.setdefault("Status", "DRAFT")
            element.setdefault("CurrencyCode", self._organisation.base_currency)
            self._compute(kind, element)
            element["AmountDue"] = element.get("Total", Decimal(0))
            element["AmountPaid"] = Decimal(0)
            if kind == "credit_notes":
                element["RemainingCredit"] = element["AmountDue"]
        elif kind == "allocations":
            self.allocate(sent, parse_decimal(sent.get("Amount")) or Decimal(0))
        if kind == "payments":
            self.move(sent, parse_decimal(sent.get("Amount")) or Decimal(0))
            element["Status"] = "AUTHORISED"
            element["CurrencyCode"] = self._currency_of_paid(sent)
        self._changed[kind, remote_id] = element
        return element

    def update(self, kind: str, sent: Mapping[str, Any]) -> Element:
        """The element Xero would answer to an update, a deletion or a voiding."""
        remote_id = text_of(dict(sent), KINDS[kind].id_field)
        element = {**(self.now(kind, remote_id) or {}), **copy.deepcopy(dict(sent))}
        if kind in SALES and sent.get("LineItems"):
            self._compute(kind, element)
        if kind == "allocations":
            self.allocate(element, -(parse_decimal(element.get("Amount")) or Decimal(0)))
        if kind == "payments" and sent.get("Status") == "DELETED":
            self.move(element, -(parse_decimal(element.get("Amount")) or Decimal(0)))
        self._changed[kind, remote_id] = element
        return element

    def move(self, sent: Mapping[str, Any], amount: Decimal) -> None:
        """A payment on its document; negative: taken back."""
        _add(self._paid, sent, amount)

    def allocate(self, sent: Mapping[str, Any], amount: Decimal) -> None:
        """Credit of a note on an invoice; negative: taken back."""
        _add(self._credited, sent, amount)

    def _currency_of_paid(self, sent: Mapping[str, Any]) -> str:
        """A payment is in the currency of the document it is for; empty: that is not known here."""
        for kind, owner in (("invoices", "Invoice"), ("credit_notes", "CreditNote")):
            paid = self.now(kind, text_of(dict(sent), owner, f"{owner}ID"))
            if paid is not None:
                return text_of(paid, "CurrencyCode")
        return ""

    # -- sums --------------------------------------------------------------------------------------------------------

    def _compute(self, kind: str, element: Element) -> None:
        """Lines, tax and totals as Xero makes them, as far as the tax rates are known."""
        lines: list[Element] = [dict(line) for line in element.get("LineItems") or ()]
        for name in ("SubTotal", "TotalTax", "Total"):
            element.pop(name, None)
        predicted = predict(kind, element, self._organisation)
        for n, line in enumerate(lines):
            line.setdefault("LineItemID", str(uuid.uuid5(_SPACE, f"{element[KINDS[kind].id_field]}/{n}")))
            line["LineAmount"] = line_amount(line)
            if predicted:
                line["TaxAmount"] = predicted.lines[n].tax
        element["LineItems"] = lines
        if predicted:
            element.update(SubTotal=predicted.subtotal, TotalTax=predicted.tax, Total=predicted.total)
            return
        inclusive = str(element.get("LineAmountTypes", "")).casefold() == "inclusive"
        element["Total" if inclusive else "SubTotal"] = lines_total(element)


def _add(sums: dict[tuple[str, str], Decimal], sent: Mapping[str, Any], amount: Decimal) -> None:
    for kind, owner in (("invoices", "Invoice"), ("credit_notes", "CreditNote")):
        remote_id = text_of(dict(sent), owner, f"{owner}ID")
        if remote_id:
            sums[kind, remote_id] = sums.get((kind, remote_id), Decimal(0)) + amount
