"""A data import: many records of one object at once, all with one time stamp or a steady distance apart.

A template is checked and completed as a record of its own, with its `{n}` still in it; the rows are then copies of what
came of it, so that a hundred thousand take a few seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from ikaroa_sandbox.salesforce import limits, wire
from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.schema.model import ObjectType
from ikaroa_sandbox.salesforce.seeding.plan import words
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store import accept, records
from ikaroa_sandbox.salesforce.store.database import Row, to_stored_row

MARK = "{n}"
STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


def load(
    state: State, item: ObjectType, count: int, fields: dict[str, Any] | None, apart_seconds: int = 0
) -> dict[str, Any]:
    """Inserts `count` records made of one template; `{n}` in a text becomes the record's number, from 1.

    A list of values is gone through in turn. Without fields, the object's own template is used (see words.yaml). Record n
    is stamped `apart_seconds` times (count - n) before now. Each turn of the template is checked once; side effects
    (history, roll-ups, person accounts) do not happen.
    """
    if item.name not in records.IMPORTABLE:
        raise ValueError(f"{item.name} cannot be loaded in bulk; {', '.join(sorted(records.IMPORTABLE))} can")
    if fields is None:
        fields = words()["imports"].get(item.name)
    if fields is None:
        raise ValueError(f"`fields` is missing; {', '.join(words()['imports'])} have a template of their own")
    turns = _turns(fields)
    if not count:
        return {"count": 0, "first": "", "last": ""}
    if any(field.autonumber for field in item.fields.values()) or not _text_only(item, fields):
        rows = _one_by_one(state, item, count, turns)
    else:
        rows = _copies(state, item, count, turns, apart_seconds)
    first = last = ""
    while chunk := list(islice(rows, limits.IMPORT_CHUNK_ROWS)):
        place = [field.name for field in item.stored_fields].index("Id")
        first, last = first or str(chunk[0][place]), str(chunk[-1][place])
        state.db.insert_stored(item, chunk)
    return {"count": count, "first": first, "last": last}


def _turns(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The template once for each of its turns."""
    longest = max((len(value) for value in fields.values() if isinstance(value, list)), default=1)
    if not 0 < longest <= limits.IMPORT_TURNS_MAX:
        raise ValueError(f"a list of `fields` has from 1 to {limits.IMPORT_TURNS_MAX} values, not {longest}")
    return [
        {key: value[turn % len(value)] if isinstance(value, list) else value for key, value in fields.items()}
        for turn in range(longest)
    ]


def _text_only(item: ObjectType, fields: dict[str, Any]) -> bool:
    """Whether the number of a record goes into texts alone: a date or a number of it must be read record by record."""
    marked = [
        item.field(name)
        for name, value in fields.items()
        if any(
            MARK in text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
        )
    ]
    return all(
        field is not None
        and not field.restricted
        and field.type in {"string", "email", "phone", "url", "textarea"}
        for field in marked
    )


def _filled(template: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        key: value.replace(MARK, str(number)) if isinstance(value, str) else value
        for key, value in template.items()
    }


def _prepared(state: State, item: ObjectType, body: dict[str, Any], *, check: bool) -> Row:
    context = state.context
    values = accept.accept(context, state.org.full, item, body, accept.INSERT)
    row = records.prepared(context, item, values)
    if check:
        accept.check_row(context, item, row, values)
    return row


def _one_by_one(
    state: State, item: ObjectType, count: int, turns: list[dict[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        body = _filled(turns[(number - 1) % len(turns)], number)
        yield to_stored_row(item, _prepared(state, item, body, check=number <= len(turns)))


def _copies(
    state: State, item: ObjectType, count: int, turns: list[dict[str, Any]], apart_seconds: int
) -> Iterator[tuple[Any, ...]]:
    context = state.context
    counted = dict(context.counters)
    names = [field.name for field in item.stored_fields]
    places = {name: names.index(name) for name in names}
    stamps = [places[name] for name in STAMPS if name in places]
    prototypes = []
    for turn, template in enumerate(turns[:count]):
        for number in {turn + 1, count}:  # the shortest and the longest number, for what a field can hold
            _prepared(state, item, _filled(template, number), check=True)
        marked = to_stored_row(item, _prepared(state, item, template, check=False))
        prototypes.append(
            (marked, [n for n, value in enumerate(marked) if isinstance(value, str) and MARK in value])
        )
    context.counters = counted  # the trials used none
    if item.name == "Account" and any(proto[places["IsPersonAccount"]] for proto, _ in prototypes):
        raise RecordError("INVALID_FIELD", "Person accounts cannot be loaded in bulk")
    now = wire.parse_stored(context.now())
    for number in range(1, count + 1):
        prototype, marks = prototypes[(number - 1) % len(prototypes)]
        row = list(prototype)
        row[places["Id"]] = context.next_id(item)
        text = str(number)
        for place in marks:
            row[place] = row[place].replace(MARK, text)
        if apart_seconds:
            stamp = wire.stored_time(now - timedelta(seconds=apart_seconds * (count - number)))
            for place in stamps:
                row[place] = stamp
        yield tuple(row)
