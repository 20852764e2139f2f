"""Columns that Bulk API 2.0 does not give and that cannot be made of others: read by REST, by id, after the rows.

That is an address or a location whose parts describe does not name; one whose parts it names is put together from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.describe import Field
from tap_salesforce_ikaroa.joins import all_rows, chunks
from tap_salesforce_ikaroa.lines import Batch, Json
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.rows import columns, converter
from tap_salesforce_ikaroa.shapes import Child, Parent, Shape
from tap_salesforce_ikaroa.soql import Query


class Late:
    """The late columns of one shape's roots."""

    def __init__(self, client: Client, shape: Shape, *, deleted: bool) -> None:
        self._client, self._deleted = client, deleted
        fields, parents = _late(shape.fields), _late_parents(shape.parents)
        self._columns = columns(fields, parents)
        self._shape = replace(shape, fields=fields, parents=parents, children=())
        self._order = [field.name for field in shape.fields]
        self._convert = converter(self._shape)

    @staticmethod
    def needed(child: Child) -> bool:
        """Whether a child list has late columns, which are not read: such a shape goes by REST."""
        return bool(_late(child.fields) or _late_parents(child.parents))

    @staticmethod
    def bulk_part(child: Child) -> Child:
        """A child without its late columns."""
        return replace(child, fields=_early(child.fields), parents=_early_parents(child.parents))

    @staticmethod
    def without(shape: Shape) -> Shape:
        """A shape without its late columns."""
        return replace(shape, fields=_early(shape.fields), parents=_early_parents(shape.parents))

    def completed(self, batch: Batch) -> Batch:
        """A batch with its late columns. A row that is gone meanwhile stays without them: what they held is not known."""
        if not self._columns or not len(batch):
            return batch
        found: dict[str, Json] = {}
        for ids in chunks(batch.ids, limits.IDS_PER_QUERY):
            query = Query(["Id", *self._columns], self._shape.object.name, soql.is_in("Id", ids))
            for row in all_rows(self._client, query, Purpose.REREAD, deleted=self._deleted):
                found[row["Id"]] = self._convert(row)
        return Batch(
            [self._merged(record, found.get(record["Id"], {})) for record in batch.records], batch.ids
        )

    def _merged(self, record: Json, late: Json) -> Json:
        whole = {**record, **late}
        for name, value in late.items():
            if isinstance(record.get(name), dict) and isinstance(value, dict):
                whole[name] = {**record[name], **value}
        ordered = {name: whole[name] for name in self._order if name in whole}
        return {**ordered, **whole}


def _late(fields: Sequence[Field]) -> tuple[Field, ...]:
    return tuple(field for field in fields if field.is_compound and not field.components)


def _early(fields: Sequence[Field]) -> tuple[Field, ...]:
    return tuple(field for field in fields if not field.is_compound or field.components)


def _late_parents(parents: Sequence[Parent]) -> tuple[Parent, ...]:
    found = (replace(parent, fields=_late(parent.fields)) for parent in parents)
    return tuple(parent for parent in found if parent.fields)


def _early_parents(parents: Sequence[Parent]) -> tuple[Parent, ...]:
    return tuple(replace(parent, fields=_early(parent.fields)) for parent in parents)
