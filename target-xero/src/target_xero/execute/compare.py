"""How what we want differs from what Xero has, for documents that are written again and for sentences about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from target_xero.plan.wire import parse_date, parse_decimal, plain

_SLOTS = {"Addresses": "AddressType", "Phones": "PhoneType"}
_NOT_COMPARED = frozenset({"LineItemID", "Type"})


@dataclass(frozen=True)
class Difference:
    """One field that is sent and that Xero holds otherwise."""

    field: str
    """With its path, e.g. `LineItems[2].UnitAmount`."""
    theirs: Any
    """What Xero has; None: nothing."""
    ours: Any

    def __str__(self) -> str:
        return f"{self.field}: {show(self.theirs)} -> {show(self.ours)}"


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Each field that is sent and that Xero holds otherwise, as `Field: 'Xero's' -> 'wanted'`. Empty: nothing to change."""
    return [str(difference) for difference in compared(wanted, found)]


def compared(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> list[Difference]:
    """The differences themselves."""
    result: list[Difference] = []
    for name, value in wanted.items():
        if name in _NOT_COMPARED:
            continue
        where = f"{path}.{name}" if path else name
        theirs = found.get(name)
        if isinstance(value, Mapping):
            result += compared(value, theirs if isinstance(theirs, Mapping) else {}, where)
        elif isinstance(value, list):
            result += _lists(name, value, theirs if isinstance(theirs, list) else [], where)
        elif not equal(value, theirs):
            result.append(Difference(where, theirs, value))
    return result


def _lists(name: str, wanted: list[Any], found: list[Any], where: str) -> list[Difference]:
    slot = _SLOTS.get(name)
    if slot:
        by_slot = {entry.get(slot): entry for entry in found if isinstance(entry, dict)}
        pairs = [(entry, by_slot.get(entry.get(slot), {})) for entry in wanted]
    elif len(wanted) != len(found):
        return [Difference(where, Decimal(len(found)), Decimal(len(wanted)))]
    else:
        pairs = list(zip(wanted, found, strict=True))
    result = []
    for n, (mine, theirs) in enumerate(pairs):
        result += compared(mine, theirs if isinstance(theirs, Mapping) else {}, f"{where}[{n}]")
    return result


def equal(wanted: Any, found: Any) -> bool:
    """Whether Xero holds a value as it is sent: numbers by value, days in either spelling."""
    if isinstance(wanted, Decimal):
        return parse_decimal(found) == wanted
    if isinstance(wanted, bool) or isinstance(found, bool):
        return bool(wanted) is bool(found)
    if wanted == found:
        return True
    if isinstance(wanted, str) and isinstance(found, str):
        day = _day(wanted)
        return day is not None and parse_date(found) == day
    return False


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def show(value: Any) -> str:
    """A value for a sentence."""
    if value is None or value == "":
        return "(nothing)"
    if isinstance(value, Decimal):
        return plain(value)
    day = parse_date(value) if isinstance(value, str) and value.startswith("/Date(") else None
    return day.isoformat() if day else repr(value)
