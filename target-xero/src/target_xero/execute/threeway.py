"""What we last agreed on, what Xero has now, what the source wants now: field by field.

    source changed    people changed in Xero    what happens
    no                yes                       stays as people have it
    yes               no                        goes to Xero
    yes, the same     yes                       nothing to do
    yes               yes, otherwise            conflict: nothing is written, both values are named

"Last agreed" is the document's revision that was last done. Where there is none (a document that was found in Xero and
never written by us) the source's word goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from target_xero.execute.compare import Difference, compared, equal, show

_SLOTS = {"Addresses": "AddressType", "Phones": "PhoneType"}
_OURS = frozenset(
    {"ContactID", "InvoiceID", "CreditNoteID", "QuoteID", "ContactNumber", "Status", "Type", "LineItemID"}
)
"""Identity and status: never merged."""
_DEFAULTED = frozenset(
    {"Date", "DueDate", "ExpiryDate", "LineAmountTypes", "CurrencyCode", "CurrencyRate", "InvoiceNumber", "QuoteNumber",
     "CreditNoteNumber", "BrandingThemeID", "Terms", "DefaultCurrency", "PaymentTerms", "ContactStatus", "Day", "ContactID",
     "Quantity", "LineAmount", "TaxType", "TaxAmount", "AccountCode", "Tracking", "ItemCode", "IncludeInEmails"}
)  # fmt: skip
"""Fields that Xero fills in by itself: where the last agreed document did not name one, Xero's value is nobody's edit."""
_LINE_FIELDS = (
    "LineItemID", "Description", "Quantity", "UnitAmount", "DiscountRate", "AccountCode", "TaxType", "ItemCode",
)  # fmt: skip
_QUOTE_UNIT = Decimal("0.01")


@dataclass(frozen=True)
class Conflict:
    """One field that both sides changed, each otherwise."""

    field: str
    base: Any
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.field}: was {show(self.base)}, now {show(self.theirs)} in Xero and {show(self.ours)} in the source"


@dataclass
class Merged:
    """An update in which people's changes stay."""

    body: dict[str, Any]
    kept: list[str] = field(default_factory=list)
    """What people changed and the source did not."""
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def lines_kept(self) -> bool:
        """Whether the lines in Xero are not those of the source, so that its sum is not Xero's."""
        return any(name.startswith("LineItems") for name in self.kept)


def merge(
    base: Mapping[str, Any] | None, current: Mapping[str, Any], wanted: Mapping[str, Any], kind: str
) -> Merged:
    """The update to send.

    Args:
        base: the element as the last agreed document makes it; None: there is none.
        current: the element as Xero has it now.
        wanted: the element as the source wants it now.
        kind: which kind of document.
    """
    if base is None:
        return Merged(dict(wanted))
    merged = Merged({})
    for name, value in wanted.items():
        if name in _OURS:
            merged.body[name] = value
        elif name == "LineItems":
            _merge_lines(merged, base.get(name) or [], current.get(name) or [], value, kind)
        elif name in _SLOTS:
            _merge_slots(merged, name, base.get(name) or [], current.get(name) or [], value)
        else:
            _merge_field(merged, merged.body, name, base.get(name), current.get(name), value, name)
    return merged


def _merge_field(
    merged: Merged, body: dict[str, Any], name: str, base: Any, theirs: Any, ours: Any, path: str
) -> None:
    if isinstance(ours, Mapping):
        inner: dict[str, Any] = {}
        for key, value in ours.items():
            _merge_field(merged, inner, key, _of(base, key), _of(theirs, key), value, f"{path}.{key}")
        if inner:
            body[name] = inner
        return
    if _same(ours, theirs) or _unsaid(name, base) or _same(base, theirs):
        body[name] = ours
    elif base == ours:
        merged.kept.append(f"{path} {show(theirs)}")
        if name in ("LineItemID", "Description") or path.startswith("LineItems"):
            body[name] = theirs  # a line is sent whole
    else:
        merged.conflicts.append(Conflict(path, base, theirs, ours))


def _unsaid(name: str, base: Any) -> bool:
    return base is None and name in _DEFAULTED


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _same(wanted: Any, found: Any) -> bool:
    """Whether what was or is wanted is what Xero has; nothing and an empty text are the same."""
    if wanted in (None, "", []) and found in (None, "", []):
        return True
    if isinstance(wanted, list):
        return isinstance(found, list) and not compared({"_": wanted}, {"_": found})
    return equal(wanted, found)


def _merge_slots(
    merged: Merged, name: str, base: Sequence[Any], theirs: Sequence[Any], ours: Sequence[Any]
) -> None:
    """Addresses and phones: Xero keeps one of each type, and one that is sent may take the place of the whole slot."""
    slot = _SLOTS[name]
    base_by, theirs_by = _by(base, slot), _by(theirs, slot)
    sent = []
    for entry in ours:
        kind = entry.get(slot)
        was, now = base_by.get(kind, {}), theirs_by.get(kind, {})
        inner: dict[str, Any] = {}
        for key, value in entry.items():
            if key == slot:
                inner[key] = value
            else:
                _merge_field(merged, inner, key, was.get(key), now.get(key), value, f"{name}[{kind}].{key}")
        if compared({"_": inner}, {"_": now}):
            rest = {key: value for key, value in now.items() if value not in (None, "")}
            sent.append({**rest, **inner})
    if sent:
        merged.body[name] = sent


def _by(entries: Sequence[Any], key: str) -> dict[Any, Mapping[str, Any]]:
    return {entry.get(key): entry for entry in entries if isinstance(entry, Mapping)}


def _merge_lines(
    merged: Merged,
    base: Sequence[Mapping[str, Any]],
    theirs: Sequence[Mapping[str, Any]],
    ours: Sequence[Mapping[str, Any]],
    kind: str,
) -> None:
    known, now = _by(base, "LineItemID"), _by(theirs, "LineItemID")
    if (
        len(known) != len(base) or None in known
    ):  # which line became which is not known: the source's lines go
        merged.body["LineItems"] = [dict(line) for line in ours]
        return
    base_lines = {id_: _as_kept(line, kind) for id_, line in known.items()}
    if list(ours) == list(base):
        merged.kept += _edits(base_lines, now)
        return
    lines: list[dict[str, Any]] = []
    for n, line in enumerate(ours):
        id_ = line.get("LineItemID")
        where = f"LineItems[{n}]"
        if id_ not in known:
            lines.append(dict(line))
        elif id_ in now:
            lines.append(_merge_line(merged, base_lines[id_], now[id_], line, where))
        elif line == known[id_]:
            merged.kept.append(f"{where} deleted")
        else:
            merged.conflicts.append(
                Conflict(where, known[id_].get("Description"), None, line.get("Description"))
            )
    wanted = {line.get("LineItemID") for line in ours}
    for id_, line in now.items():
        if id_ not in known:  # a line that people added
            lines.append(_echo(line))
            merged.kept.append(f"LineItems {show(line.get('Description'))} added")
        elif id_ not in wanted and compared(base_lines[id_], line):
            text = line.get("Description")
            merged.conflicts.append(Conflict("LineItems", known[id_].get("Description"), text, None))
    merged.body["LineItems"] = lines


def _merge_line(
    merged: Merged, base: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any], where: str
) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for name, value in ours.items():
        if name == "LineItemID":
            line[name] = value
        else:
            _merge_field(merged, line, name, base.get(name), theirs.get(name), value, f"{where}.{name}")
    return line


def _edits(base: Mapping[Any, Mapping[str, Any]], now: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    """What people did to lines that the source leaves as they were."""
    found: list[str] = []
    for n, (id_, line) in enumerate(base.items()):
        if id_ not in now:
            found.append(f"LineItems[{n}] deleted")
        else:
            changes: list[Difference] = compared(line, now[id_])
            found += [f"LineItems[{n}].{change.field} {show(change.theirs)}" for change in changes]
    return found + [
        f"LineItems {show(line.get('Description'))} added" for id_, line in now.items() if id_ not in base
    ]


def _as_kept(line: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A line as Xero keeps it: quotes round their prices to the cent."""
    kept = dict(line)
    price = kept.get("UnitAmount")
    if kind == "quotes" and isinstance(price, Decimal):
        kept["UnitAmount"] = price.quantize(_QUOTE_UNIT, ROUND_HALF_UP)
    return kept


def _echo(line: Mapping[str, Any]) -> dict[str, Any]:
    echoed = {name: line[name] for name in _LINE_FIELDS if line.get(name) not in (None, "")}
    tracking = [{"Name": t.get("Name"), "Option": t.get("Option")} for t in line.get("Tracking") or ()]
    return echoed | ({"Tracking": tracking} if tracking else {})
