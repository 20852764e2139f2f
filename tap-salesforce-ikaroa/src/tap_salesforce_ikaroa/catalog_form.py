"""A catalog as a person or another tool gives it: its form is checked before the SDK takes it apart."""

from __future__ import annotations

from typing import Any, NoReturn

from tap_salesforce_ikaroa.errors import SettingsError

Json = dict[str, Any]
_CURE = "Run `--discover` for a catalog as this tap writes it"


def checked(catalog: Json) -> Json:
    """A catalog in which a stream's `replication-method`, which people and other tools write, stands where the SDK reads it.

    Raises:
        SettingsError: it has another form; the message says where.
    """
    streams = catalog.get("streams")
    if not isinstance(streams, list):
        _wrong("it has no list `streams`")
    return {**catalog, "streams": [_stream(stream, place) for place, stream in enumerate(streams, 1)]}


def _stream(stream: Any, place: int) -> Json:
    if not isinstance(stream, dict):
        _wrong(f"stream {place} is no object")
    name = stream.get("tap_stream_id") or stream.get("stream")
    if not isinstance(name, str):
        _wrong(f"stream {place} has no name (`tap_stream_id`)")
    schema, metadata = stream.get("schema") or {}, stream.get("metadata") or []
    _check_schema(schema, name)
    if not isinstance(metadata, list):
        _wrong(f"`metadata` of {name} is no list")
    for entry in metadata:
        _check_entry(entry, name)
    root: Json = next((entry["metadata"] for entry in metadata if not entry["breadcrumb"]), {})
    for part in ("replication_method", "replication_key"):
        for given in (stream.get(part), root.get(part.replace("_", "-"))):
            if not (given is None or isinstance(given, str)):
                _wrong(f"`{part}` of {name} is no text")
    return _spelled_out({**stream, "tap_stream_id": name, "schema": schema, "metadata": metadata}, root)


def _check_schema(schema: Any, stream: str, path: tuple[str, ...] = ()) -> None:
    where = f"{'.'.join(path)} in the schema of {stream}" if path else f"the schema of {stream}"
    if not isinstance(schema, dict):
        _wrong(f"{where} is no object")
    properties, items = schema.get("properties") or {}, schema.get("items")
    if not isinstance(properties, dict):
        _wrong(f"`properties` of {where} are no object")
    for name, part in properties.items():
        _check_schema(part, stream, (*path, str(name)))
    if items is not None:
        _check_schema(items, stream, (*path, "items"))


def _check_entry(entry: Any, stream: str) -> None:
    crumb = entry.get("breadcrumb") if isinstance(entry, dict) else None
    if not isinstance(crumb, list) or not all(isinstance(step, str) for step in crumb):
        _wrong(f"an entry in `metadata` of {stream} has no `breadcrumb`, which is a list of names")
    if not isinstance(entry.get("metadata"), dict):
        _wrong(
            f"an entry in `metadata` of {stream} ({'.'.join(crumb) or 'its own'}) has no object `metadata`"
        )


def _spelled_out(stream: Json, root: Json) -> Json:
    if not (method := root.get("replication-method")):
        return stream
    rest = [entry for entry in stream["metadata"] if entry["breadcrumb"]]
    own = {"breadcrumb": [], "metadata": {**root, "forced-replication-method": method}}
    return {**stream, "replication_method": method, "metadata": [own, *rest]}


def _wrong(what: str) -> NoReturn:
    raise SettingsError(f"the catalog cannot be read: {what}. {_CURE}")
