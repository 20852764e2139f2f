"""The Singer side of a shape: JSON Schema, metadata, and what a catalog given by the user selects of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from singer_sdk.singerlib import Catalog, CatalogEntry, Metadata, MetadataMapping, Schema, SelectionMask

from tap_salesforce_ikaroa.shapes import Child, Parent, Path, Shape

logger = logging.getLogger("tap-salesforce-ikaroa")

Json = dict[str, Any]


def schema_of(shape: Shape) -> Json:
    """The JSON Schema of a shape's records: all nullable but the key."""
    properties: Json = {field.name: field.schema for field in shape.fields}
    properties |= {parent.relationship: _parent_schema(parent) for parent in shape.parents}
    properties |= {
        child.relationship: {"type": ["array", "null"], "items": _child_schema(child)}
        for child in shape.children
    }
    return {"type": "object", "properties": properties, "required": ["Id"]}


def _parent_schema(parent: Parent) -> Json:
    return {"type": ["object", "null"], "properties": {field.name: field.schema for field in parent.fields}}


def _child_schema(child: Child) -> Json:
    properties: Json = {field.name: field.schema for field in child.fields}
    properties |= {parent.relationship: _parent_schema(parent) for parent in child.parents}
    return {"type": "object", "properties": properties}


def breadcrumb(path: Path) -> tuple[str, ...]:
    """The metadata breadcrumb of a path. A list's items add no step, which is how Meltano's select sees it too."""
    return tuple(crumb for step in path for crumb in ("properties", step))


def paths_of(shape: Shape) -> Iterator[Path]:
    """Every selectable part of a shape, outer ones first."""
    for field in shape.fields:
        yield (field.name,)
    yield from _parent_paths(shape.parents, ())
    for child in shape.children:
        yield (child.relationship,)
        for field in child.fields:
            yield (child.relationship, field.name)
        yield from _parent_paths(child.parents, (child.relationship,))


def _parent_paths(parents: tuple[Parent, ...], path: Path) -> Iterator[Path]:
    for parent in parents:
        yield (*path, parent.relationship)
        for field in parent.fields:
            yield (*path, parent.relationship, field.name)


def metadata_of(
    mapping: MetadataMapping, shape: Shape, automatic: set[str], *, fields_selected: bool
) -> None:
    """Completes the SDK's standard metadata: parts inside lists, columns that are always read, the default selection."""
    for path in paths_of(shape):
        entry = Metadata(inclusion=Metadata.InclusionType.AVAILABLE)
        if len(path) == 1 and path[0] in automatic:
            entry.inclusion = Metadata.InclusionType.AUTOMATIC
        elif not fields_selected:
            entry.selected_by_default = False
        mapping[breadcrumb(path)] = entry


def selected_shape(shape: Shape, schema: Json, mask: SelectionMask, always: set[str]) -> Shape:
    """The part of a shape that is in the catalog's schema and selected there."""
    return shape.narrowed(lambda path: bool(mask[breadcrumb(path)]) and _is_in(schema, path), always)


def _is_in(schema: Json, path: Path) -> bool:
    here = schema
    for step in path:
        properties = here.get("properties") or here.get("items", {}).get("properties") or {}
        if step not in properties:
            return False
        here = properties[step]
    return True


def reconciled(given: Catalog, shapes: dict[str, Shape]) -> Catalog:
    """A catalog as given, without what Salesforce does not show this user (any more); each such part is named.

    The schema becomes the describe's, narrowed to what is selected: a field that is gone must not come as null.
    """
    kept: list[tuple[str, CatalogEntry]] = []
    for entry in given.streams:
        shape = shapes.get(entry.tap_stream_id)
        mask = entry.metadata.resolve_selection()
        if shape is None:
            if mask[()]:
                logger.warning(
                    "stream %s is in the catalog, but no such object is visible to this user: it is skipped",
                    entry.tap_stream_id,
                )
            continue
        known = {breadcrumb(path) for path in paths_of(shape)}
        _tell_missing(entry, known, mask)
        for crumb in set(entry.metadata) - known - {()}:
            if not _inside_compound(crumb, known):
                del entry.metadata[crumb]
        schema = entry.schema.to_dict()
        if not schema.get("properties"):
            schema = schema_of(shape)
        entry.schema = Schema.from_dict(schema_of(selected_shape(shape, schema, mask, {"Id"})))
        kept.append((entry.tap_stream_id, entry))
    return Catalog(kept)


def _tell_missing(entry: CatalogEntry, known: set[tuple[str, ...]], mask: SelectionMask) -> None:
    listed = {("properties", name) for name in (entry.schema.properties or {})}
    for crumb in sorted((set(entry.metadata) | listed) - known - {()}):
        if mask[crumb] and not _inside_compound(crumb, known):
            logger.warning(
                "field %s of %s is in the catalog, but is not visible to this user (any more): "
                "it is left out of the records, and nothing is written in its place",
                ".".join(crumb[1::2]),
                entry.tap_stream_id,
            )


def _inside_compound(crumb: tuple[str, ...], known: set[tuple[str, ...]]) -> bool:
    # A part of an address or location, which the SDK lists for itself: its whole is known, and is no list or parent.
    whole = crumb[:-2]
    return bool(whole) and whole in known and not any(other[:-2] == whole for other in known)
