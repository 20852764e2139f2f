"""From the bytes of an event to a hint: which records it is about, and what happened to them.

Payloads are bare Avro; their schema is asked for by its id, once. What cannot be read is not passed over: it becomes a
hint that anything may have changed.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import fastavro

from tap_salesforce_ikaroa.live.bitmaps import changed_names

logger = logging.getLogger("tap-salesforce-ikaroa")

CREATE, UPDATE, DELETE, UNDELETE = "CREATE", "UPDATE", "DELETE", "UNDELETE"
GAP, OVERFLOW = "GAP_", "GAP_OVERFLOW"
_HEADER = "ChangeEventHeader"
_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    EOFError,
    AttributeError,
    OverflowError,
    OSError,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
)


@dataclass(frozen=True)
class Hint:
    """What one event says.

    `place`: its replay id. Where `everything` is set, any record of `entity` may have changed.
    """

    topic: str
    place: bytes
    entity: str = ""
    kind: str = ""
    ids: tuple[str, ...] = ()
    at: datetime | None = None
    origin: str = ""
    changed: frozenset[str] | None = None
    """Names of changed fields; None where it is not known."""
    body: Mapping[str, Any] = field(default_factory=dict)
    everything: bool = False
    notification: str = ""
    """Of an Outbound Message, which has no place."""

    @property
    def gone(self) -> bool:
        """Whether the records are deleted."""
        return self.kind in {DELETE, GAP + DELETE}

    @property
    def exact(self) -> bool:
        """Whether body and bitmaps tell all that has happened to the one record it is about."""
        return self.kind == UPDATE and self.changed is not None and len(self.ids) == 1


class Decoder:
    """Reads events of one topic. `schema_of` asks for a schema by its id."""

    def __init__(self, schema_of: Callable[[str], str], keep: frozenset[str] = frozenset()) -> None:
        """`keep`: the fields whose values a hint carries: references to roots."""
        self._schema_of, self._keep = schema_of, keep
        self._schemas: dict[str, tuple[Mapping[str, Any], Any]] = {}

    def hint(self, topic: str, place: bytes, schema_id: str, payload: bytes) -> Hint:
        """The hint of one event."""
        try:
            raw, parsed = self._schema(schema_id)
            body: Any = fastavro.schemaless_reader(io.BytesIO(payload), parsed, None)
            return self._hint(topic, place, raw, body)
        except _UNREADABLE as error:
            logger.warning(
                "%s: an event could not be read (%s); its records are looked for by polling",
                topic,
                type(error).__name__,
            )
            return Hint(topic, place, everything=True)

    def _schema(self, schema_id: str) -> tuple[Mapping[str, Any], Any]:
        if schema_id not in self._schemas:
            raw = json.loads(self._schema_of(schema_id))
            self._schemas[schema_id] = raw, fastavro.parse_schema(raw)
        return self._schemas[schema_id]

    def _hint(self, topic: str, place: bytes, schema: Mapping[str, Any], body: Mapping[str, Any]) -> Hint:
        header = body[_HEADER]
        kind, ids = str(header["changeType"]), tuple(str(row_id) for row_id in header["recordIds"])
        return Hint(
            topic=topic,
            place=place,
            entity=str(header["entityName"]),
            kind=kind,
            ids=ids,
            at=datetime.fromtimestamp(header["commitTimestamp"] / 1000, timezone.utc),
            origin=str(header.get("changeOrigin") or ""),
            changed=_changed(schema, header) if kind == UPDATE else None,
            body={name: body[name] for name in self._keep if body.get(name)},
            # A change of a field's type is told for `001*`.
            everything=kind == OVERFLOW or not ids or any(not row_id.isalnum() for row_id in ids),
        )


def _changed(schema: Mapping[str, Any], header: Mapping[str, Any]) -> frozenset[str] | None:
    try:
        bitmaps = [
            bitmap
            for part in ("changedFields", "nulledFields", "diffFields")
            for bitmap in header.get(part) or ()
        ]
        return changed_names(schema, bitmaps) or None
    except _UNREADABLE:
        return None
