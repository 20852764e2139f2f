"""Addresses and phones of a contact: fixed slots by type, and what may stand in them.

A contact's row keeps `Addresses` and `Phones` as `{type: {field: text}}`. Lengths: Xero OpenAPI 16.1.0. Shapes: recorded
traffic (contacts written through the API come back with every slot, filled with empty strings; contacts that came with
the organisation with the type alone).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ikaroa_sandbox.xero import errors, limits, reading

Slots = dict[str, dict[str, str]]

ADDRESS_TYPES = ("STREET", "POBOX")
"""Always answered, in this order. `DELIVERY` exists too; it is answered where it was written."""
PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")

_ADDRESS = {
    "AttentionTo": limits.ADDRESS_PLACE,
    "AddressLine1": limits.ADDRESS_LINE,
    "AddressLine2": limits.ADDRESS_LINE,
    "AddressLine3": limits.ADDRESS_LINE,
    "AddressLine4": limits.ADDRESS_LINE,
    "City": limits.ADDRESS_PLACE,
    "Region": limits.ADDRESS_PLACE,
    "PostalCode": limits.ADDRESS_CODE,
    "Country": limits.ADDRESS_CODE,
}
_ALWAYS_SHOWN = ("City", "Region", "PostalCode", "Country")
_PHONE = {
    "PhoneNumber": limits.PHONE_NUMBER,
    "PhoneAreaCode": limits.PHONE_AREA_CODE,
    "PhoneCountryCode": limits.PHONE_COUNTRY_CODE,
}


def read_addresses(
    sent: Any, kept: Mapping[str, dict[str, str]], problems: list[str], *, merge: bool
) -> Slots:
    """The addresses after a write; a type that is not sent stays as it was.

    Args:
        sent: the `Addresses` of the body.
        kept: the slots so far.
        problems: what is wrong is added here.
        merge: whether a field that is left out of a slot that is sent stays as it was.
    """
    known = (*ADDRESS_TYPES, "DELIVERY")
    slots = _read(sent, kept, "AddressType", known, _ADDRESS, problems, merge=merge)
    if any(letter.isdigit() for slot in slots.values() for letter in slot.get("Country", "")):
        problems.append("The Country field of an address can only contain letters.")
    return slots


def read_phones(sent: Any, kept: Mapping[str, dict[str, str]], problems: list[str], *, merge: bool) -> Slots:
    """The phones after a write; see `read_addresses`."""
    return _read(sent, kept, "PhoneType", (*PHONE_TYPES, "OFFICE"), _PHONE, problems, merge=merge)


def show_addresses(slots: Mapping[str, Mapping[str, str]], *, bare: bool) -> list[dict[str, str]]:
    """The slots as answered; `bare` for a contact that came with the organisation: an empty slot is its type alone."""
    kinds = [kind for kind in (*ADDRESS_TYPES, "DELIVERY") if slots.get(kind) or kind in ADDRESS_TYPES]
    return [{"AddressType": kind, **_shown_address(slots.get(kind, {}), bare=bare)} for kind in kinds]


def _shown_address(slot: Mapping[str, str], *, bare: bool) -> dict[str, str]:
    filled = {name: text for name, text in slot.items() if text}
    return {} if bare and not filled else {**filled, **{name: slot.get(name, "") for name in _ALWAYS_SHOWN}}


def show_phones(slots: Mapping[str, Mapping[str, str]], *, bare: bool) -> list[dict[str, str]]:
    """The phone slots as answered; see `show_addresses`."""
    empty = {} if bare else dict.fromkeys(_PHONE, "")
    return [
        {
            "PhoneType": kind,
            **(dict.fromkeys(_PHONE, "") if slots.get(kind) else empty),
            **slots.get(kind, {}),
        }
        for kind in PHONE_TYPES
    ]


def _read(
    sent: Any,
    kept: Mapping[str, dict[str, str]],
    type_field: str,
    known: tuple[str, ...],
    lengths: Mapping[str, int],
    problems: list[str],
    *,
    merge: bool,
) -> Slots:
    slots = dict(kept)
    for entry in reading.read_objects(sent, f"{type_field}s"):
        kind = (reading.read_text(entry.get(type_field)) or "").upper()
        if kind not in known:
            raise errors.PostDataInvalid(
                f"Error converting value \"{entry.get(type_field)}\" to type '{type_field}'."
            )
        read = {name: text for name in lengths if (text := reading.read_text(entry.get(name))) is not None}
        for name, text in read.items():
            if len(text) > lengths[name]:
                problems.append(f"The {name} field must not be longer than {lengths[name]} characters.")
        slots[kind] = {**slots.get(kind, {}), **read} if merge else read
    return slots
