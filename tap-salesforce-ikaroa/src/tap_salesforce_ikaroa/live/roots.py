"""From hints to the roots that must be read again: for the root's own events its id, for a child row's the root it is in.

A deleted child row, and the root that a moved one has left, are told by no event. They are known as long as a record that
held the row was written by this run; else the stream is polled, which reads again what may have held it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.joins import all_rows, chunks
from tap_salesforce_ikaroa.lines import Batch
from tap_salesforce_ikaroa.live.events import GAP, UPDATE, Hint
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.shapes import Child, Shape
from tap_salesforce_ikaroa.soql import Query, format_stamp

_STAMPS = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})


def topic_of(object_name: str) -> str:
    """The topic of an object's changes."""
    custom = object_name.endswith("__c")
    return f"/data/{object_name[:-1]}ChangeEvent" if custom else f"/data/{object_name}ChangeEvent"


class Links:
    """Which root a child row was last written with, for the rows that were written last."""

    def __init__(self, most: int = limits.HELD_LINKS) -> None:
        self._roots: dict[str, str] = {}
        self._most = most

    def root(self, row_id: str) -> str | None:
        """The root that showed the row, if it is known."""
        return self._roots.get(row_id)

    def learn(self, row_id: str, root: str) -> str | None:
        """Notes where a row was written; the root that showed it before, if that was another one."""
        before = self._roots.pop(row_id, None)
        self._roots[row_id] = root
        if len(self._roots) > self._most:
            del self._roots[next(iter(self._roots))]
        return before if before != root else None


@dataclass
class Wanted:
    """What is to be read for one stream. `roots`: for those said to be deleted, when."""

    roots: dict[str, str | None] = field(default_factory=dict)
    poll: bool = False
    """Events do not tell all: the stream must be polled."""
    whole: bool = False
    """Not even stamps may tell all: the poll must read the whole stream, and find what is gone."""

    def add(self, root: str, deleted_at: str | None = None) -> None:
        """Adds a root; a deletion that was told is not forgotten."""
        self.roots[root] = deleted_at or self.roots.get(root)


class Tracker:
    """Finds the roots of one stream. `skip`: names of clients whose changes are not followed."""

    def __init__(self, client: Client, shape: Shape, skip: Iterable[str] = ()) -> None:
        self._client, self._shape = client, shape
        self._skip = frozenset(skip)
        self._links = Links()
        self._stale: dict[str, None] = {}
        self._children = {topic_of(child.object.name): child for child in shape.children}
        self.topic = topic_of(shape.object.name)
        self._matters = _matter(shape)
        self._child_matters = {topic: _matter_in(child) for topic, child in self._children.items()}

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics whose events concern this stream."""
        return (self.topic, *self._children)

    def references(self, topic: str) -> frozenset[str]:
        """The fields of a topic's events whose values are needed."""
        child = self._children.get(topic)
        return frozenset({child.link}) if child else frozenset()

    def learn(self, batch: Batch) -> None:
        """Notes the child rows of records that are being written."""
        if isinstance(batch.given, bytes):  # rows in bulk: too many to keep
            return
        for record in batch.given:
            for child in self._shape.children:
                for row in record.get(child.relationship) or ():
                    if left := self._links.learn(row["Id"], record["Id"]):
                        self._stale[left] = None

    def wanted(self, hints: Iterable[Hint]) -> Wanted:
        """The roots that these hints mean."""
        wanted = Wanted(dict.fromkeys(self._stale))
        self._stale.clear()
        unknown: dict[str, dict[str, Hint]] = {}
        for hint in hints:
            if hint.topic not in self.topics or self._is_echo(hint):
                continue
            if hint.everything:
                wanted.poll = wanted.whole = True
            elif hint.topic == self.topic:
                if not (hint.exact and _indifferent(hint, self._matters)):
                    for row_id in hint.ids:
                        wanted.add(row_id, format_stamp(hint.at) if hint.gone and hint.at else None)
            elif not (hint.exact and _indifferent(hint, self._child_matters[hint.topic])):
                for row_id in self._of_child(hint, self._children[hint.topic], wanted):
                    unknown.setdefault(hint.topic, {})[row_id] = hint
        for topic, rows in unknown.items():
            self._look_up(self._children[topic], rows, wanted)
        return wanted

    def _is_echo(self, hint: Hint) -> bool:
        if not self._skip or hint.everything:
            return False
        parts = (part.partition("=") for part in hint.origin.split(";"))
        return any(name == "client" and value in self._skip for name, _, value in parts)

    def _of_child(self, hint: Hint, child: Child, wanted: Wanted) -> Iterator[str]:
        """Adds the roots that are known; gives the rows whose root must be looked up."""
        told = hint.body.get(child.link)
        gap = hint.kind.startswith(GAP)
        moved = child.movable and (
            hint.kind == GAP + UPDATE
            or (hint.kind == UPDATE and (hint.changed is None or child.link in hint.changed))
        )
        if told:
            wanted.add(str(told))
        for row_id in hint.ids:
            known = self._links.root(row_id)
            if known:
                wanted.add(known)
            if moved and (known is None or known == told):
                wanted.poll = True  # the root it has left is not known
            if gap or not (told or known):
                yield row_id

    def _look_up(self, child: Child, rows: dict[str, Hint], wanted: Wanted) -> None:
        left = dict(rows)
        for chunk in chunks((row_id for row_id in rows if soql.is_id(row_id)), limits.IDS_PER_QUERY):
            query = Query(("Id", child.link), child.object.name, soql.is_in("Id", chunk))
            for row in all_rows(self._client, query, Purpose.CHANGES, deleted=child.object.has_deleted_flag):
                left.pop(row["Id"], None)
                if row[child.link]:
                    wanted.add(row[child.link])
        if any(hint.gone and self._links.root(row_id) is None for row_id, hint in left.items()):
            wanted.poll = True


def _matter(shape: Shape) -> frozenset[str] | None:
    """The fields whose change changes the record; None where any may."""
    if any(field.calculated or field.is_compound for field in shape.fields):
        return None
    references = {
        field.name
        for parent in shape.parents
        for field in shape.object.fields.values()
        if field.relationship == parent.relationship
    }
    return frozenset(field.name for field in shape.fields) | references | {"IsDeleted"}


def _matter_in(child: Child) -> frozenset[str] | None:
    if any(field.calculated or field.is_compound for field in child.fields):
        return None
    references = {
        field.name
        for parent in child.parents
        for field in child.object.fields.values()
        if field.relationship == parent.relationship
    }
    return (
        frozenset(field.name for field in child.fields)
        | references
        | {child.link, "IsDeleted", *child.order_by}
    )


def _indifferent(hint: Hint, matter: frozenset[str] | None) -> bool:
    """Whether the change leaves the record as it is, but for its time stamps."""
    changed = (hint.changed or frozenset()) - _STAMPS
    if matter is None or any("." in name for name in changed):
        return False
    return not changed & matter
