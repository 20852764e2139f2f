"""One spelling for equal documents, so that equal content has an equal hash."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from crm_to_xero.documents import DOCUMENTS, FLAG, NUMBER, Schema

from target_xero.ledger.base import dump
from target_xero.limits import LINE_AMOUNT_MAX, NUMBER_DIGITS, UNIT_DECIMALS
from target_xero.plan.wire import parse_decimal, plain
from target_xero.refusal import Refusal

NOT_CONTENT = frozenset(
    {"source_key", "source_modified_at", "source_label", "source_url", "organisation", "previous_source_key"}
)
"""Fields that tell where a document comes from, not what it is: they are no reason to write to Xero."""

UNREADABLE = frozenset(
    {"not_a_number", "not_text", "not_true_or_false", "not_a_list", "not_an_object", "field_unknown"}
)
"""Rules whose breaking loses something of the document, so that it cannot go as the ledger has it."""

_DIGITS_MAX = 20
"""Numbers beyond are not even written out: `1e1000000` would be a million digits, and so would `1e-1000000`."""

Canonical = Callable[[Any, str, list[Refusal]], Any]


def canonical(stream: str, document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refusal]]:
    """The document's content, nulls and empty texts dropped, numbers as plain text; and what was not as its schema says."""
    problems: list[Refusal] = []
    content: dict[str, Any] = _CANONICAL[stream](document, "", problems)
    return content, problems


def content_hash(content: Mapping[str, Any]) -> str:
    """Of the canonical content, as `dump` writes it."""
    try:
        text = _ENCODER.encode(content)
    except UnicodeEncodeError:  # half a surrogate pair
        text = dump(content).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


_ENCODER = msgspec.json.Encoder(order="sorted")
"""Writes what `dump` writes, many times as fast."""
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?").fullmatch
"""Numbers as nearly all are written: no Decimal is needed to spell them in the one way."""


def _number(value: Any, path: str, problems: list[Refusal]) -> Any:
    kind = type(value)
    text = value if kind is str else str(value) if kind is Decimal or kind is int else ""
    if _PLAIN(text):
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(
        value, float
    ):  # a parser that did not keep the digits; the shortest spelling is the best there is
        value = Decimal(repr(value))
    number = parse_decimal(value)
    if number is None:
        problems.append(
            Refusal("not_a_number", path, str(value), "Give a plain decimal number, e.g. 1234.50.")
        )
        return str(value)
    if number.adjusted() > _DIGITS_MAX:
        problems.append(
            Refusal("too_large", path, str(value), f"Xero takes amounts up to {LINE_AMOUNT_MAX}.")
        )
        return str(value)
    if -int(number.as_tuple().exponent) > NUMBER_DIGITS:
        cure = f"Xero keeps {UNIT_DECIMALS} decimals and would round. Round it in the source."
        problems.append(Refusal("too_many_decimals", path, str(value), cure))
        return str(value)
    return plain(number)


def _text(value: Any, path: str, problems: list[Refusal]) -> Any:
    if not isinstance(value, str):
        problems.append(Refusal("not_text", path, str(value), "Give text."))
        return str(value)
    return value


def _flag(value: Any, path: str, problems: list[Refusal]) -> Any:
    if not isinstance(value, bool):
        problems.append(Refusal("not_true_or_false", path, str(value), "Give true or false."))
        return str(value)
    return value


def _list_of(item: Canonical) -> Canonical:
    def read(value: Any, path: str, problems: list[Refusal]) -> Any:
        if not isinstance(value, (list, tuple)):
            problems.append(Refusal("not_a_list", path, str(value), "Give a list."))
            return []
        found = [
            item(element, f"{path}[{n}]", problems)
            for n, element in enumerate(value)
            if element is not None and element != ""
        ]
        return [element for element in found if element != {}]

    return read


def _object_of(fields: dict[str, Canonical]) -> Canonical:
    content = {name: reader for name, reader in fields.items() if name not in NOT_CONTENT}
    texts = frozenset(name for name, reader in content.items() if reader is _text)

    def read(value: Any, path: str, problems: list[Refusal]) -> Any:
        if type(value) is not dict and not isinstance(value, Mapping):
            problems.append(Refusal("not_an_object", path, str(value), "Give an object with named fields."))
            return {}
        found: dict[str, Any] = {}
        for name, entry in value.items():
            if entry is None or entry == "":  # absent, null and empty text say nothing
                continue
            if name in texts and type(entry) is str:
                found[name] = entry
                continue
            reader = content.get(name)
            if reader is not None:
                found[name] = reader(entry, f"{path}.{name}" if path else name, problems)
            elif name not in NOT_CONTENT and not name.startswith("_sdc_"):
                near = _nearest(name, fields)
                cure = f"Did you mean {' or '.join(near)}?" if near else "Remove it from the mapping."
                where = f"{path}.{name}" if path else name
                problems.append(Refusal("field_unknown", where, str(entry), cure))
        return found

    return read


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """The most similar names; several where they are equally so, as CurrencyCode and CurrencyRate are to Currency."""
    near = difflib.get_close_matches(name, known)
    likeness = [difflib.SequenceMatcher(None, one, name).ratio() for one in near]
    return sorted(one for one, like in zip(near, likeness, strict=True) if like == likeness[0])


def _compile(schema: Schema) -> Canonical:
    if schema is NUMBER or schema == NUMBER:
        return _number
    if schema is FLAG or schema == FLAG:
        return _flag
    if "items" in schema:
        return _list_of(_compile(schema["items"]))
    if "properties" in schema:
        return _object_of({name: _compile(inner) for name, inner in schema["properties"].items()})
    return _text


_CANONICAL = {stream: _compile(schema) for stream, schema in DOCUMENTS.items()}


def _names_of(wanted: Schema, schema: Schema) -> frozenset[str]:
    found: set[str] = set()
    for name, inner in schema.get("properties", {}).items():
        if inner is wanted:
            found.add(name)
        found |= _names_of(wanted, inner)
        found |= _names_of(wanted, inner.get("items", {}))
    return frozenset(found)


NUMBER_FIELDS = frozenset().union(*(_names_of(NUMBER, schema) for schema in DOCUMENTS.values()))
"""Fields that hold numbers, wherever they stand."""
DATE_FIELDS = frozenset({"Date", "DueDate", "ExpiryDate", "ExpectedPaymentDate"})
