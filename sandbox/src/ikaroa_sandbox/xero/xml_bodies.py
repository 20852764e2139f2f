"""Bodies in XML, as older clients send them: the same names as in JSON, lists as elements within an element.

    <Contact><Name>Ann</Name><Phones><Phone>…</Phone></Phones></Contact>   {"Name": "Ann", "Phones": [{…}]}

Numbers and booleans stay text, which is read like that of JSON.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from ikaroa_sandbox import xmltext
from ikaroa_sandbox.xero import errors

_LISTS = {
    "Addresses": "Address", "Allocations": "Allocation", "ContactGroups": "ContactGroup", "ContactPersons": "ContactPerson",
    "Contacts": "Contact", "CreditNotes": "CreditNote", "HistoryRecords": "HistoryRecord", "Invoices": "Invoice",
    "Items": "Item", "LineItems": "LineItem", "Options": "Option", "Payments": "Payment", "Phones": "Phone",
    "Quotes": "Quote", "Tracking": "TrackingCategory", "TrackingCategories": "TrackingCategory",
}  # fmt: skip
"""What stands in a list's element: its children's name."""
_LIST_OF = {one: many for many, one in _LISTS.items()}


def read(body: bytes) -> Any:
    """The body as its JSON would be, `{"Contacts": […]}`, also where the root is one `Contact` by itself.

    Raises:
        PostDataInvalid: it is not XML in UTF-8, or has a document type.
    """
    try:
        root = xmltext.parse(body)
        value = _value(root)
    except (ValueError, RecursionError) as error:
        raise errors.PostDataInvalid(f"XML request body could not be read, Error: {error}") from None
    name = xmltext.name_of(root)
    if name in _LIST_OF:
        return {_LIST_OF[name]: [value] if value else []}
    return {name: value}


def _value(element: Element) -> Any:
    name, children = xmltext.name_of(element), list(element)
    if not children:
        return [] if name in _LISTS and not (element.text or "").strip() else element.text or ""
    if all(xmltext.name_of(child) == _LISTS.get(name) for child in children):
        return [_value(child) for child in children]
    return {xmltext.name_of(child): _value(child) for child in children}
