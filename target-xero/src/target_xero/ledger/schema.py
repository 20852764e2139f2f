"""The ledger's tables. The same DDL serves SQLite and PostgreSQL: text, integers, no vendor types.

Money is integer hundredths; times are integer milliseconds on Xero's clock; documents are canonical JSON text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    exists,
    text,
)

VERSION = 7
"""Of the tables; `migrations.py` brings older ledgers here. A change of a table is a change of a step there."""

metadata = MetaData()

BigId = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

tenant = Table(
    "tenant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("base_currency", Text, nullable=False),
    Column("is_demo", Integer, nullable=False),
    Column("pinned_ms", BigInteger, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("epoch", BigId, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("summary", Text),
    Column("head", Text),
    sqlite_autoincrement=True,
)
"""`head` is the audit chain's newest hash when the run last wrote to it."""

intent = Table(
    "intent",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("op", Text, nullable=False),
    Column("uniq", Integer, nullable=False),
    Column("marker", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    Column("currency", Text, nullable=False, server_default=""),
    Column("amount_minor", BigInteger),
    Column("xero_amount_minor", BigInteger),
    Column("xero_total_minor", BigInteger),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("sent_op", Text),
    Column("last_sent_ms", BigInteger),
    Column("looked_ms", BigInteger),
    Column("conflict", Integer, nullable=False, server_default="0"),
    Column("batch_max", Integer, nullable=False),
    Column("remote_id", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("refusals", Text, nullable=False, server_default="[]"),
    Column("planned_epoch", BigInteger, nullable=False),
    Column("settled_epoch", BigInteger),
    Column("held_epoch", BigInteger, nullable=False, server_default="0"),
    Column("waits", Integer, nullable=False, server_default="0"),
    Column("proposed_by", Text),
    Column("approval", BigInteger),
    Column("before_hash", Text),
    Column("cleared", Integer, nullable=False, server_default="0"),
    Column("correlation", Text, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('proposed','planned','sent','unknown','done','rejected','parked','superseded')",
        name="intent_state",
    ),
    CheckConstraint("op IN ('save','withdraw','undo')", name="intent_op"),
    CheckConstraint("sent_op IN ('create','update','delete')", name="intent_sent_op"),
    CheckConstraint("state <> 'done' OR settled_epoch IS NOT NULL", name="intent_done_settled"),
    CheckConstraint("state NOT IN ('sent','unknown') OR last_sent_ms IS NOT NULL", name="intent_sent_when"),
    CheckConstraint("state NOT IN ('rejected','parked') OR note <> ''", name="intent_reason"),
    UniqueConstraint("tenant", "kind", "source_key", "revision", name="intent_revision"),
    sqlite_autoincrement=True,
)

OPEN = text("intent.state NOT IN ('done','superseded')")
"""The planner's question; worded exactly as its partial index, so that SQLite takes the index."""
_open = text("state NOT IN ('done','superseded')")
_planned = text("state = 'planned'")
_in_doubt = text("state IN ('sent','unknown')")

# What a PostgreSQL ledger has besides is said by `share_conditions`: merely to name it takes that whole dialect with it.
Index(
    "intent_open",
    intent.c.tenant,
    intent.c.kind,
    intent.c.source_key,
    sqlite_where=_open,
)
Index(
    "intent_marker",
    intent.c.tenant,
    intent.c.kind,
    intent.c.marker,
    sqlite_where=_open,
)
Index(
    "intent_ready",
    intent.c.tenant,
    intent.c.kind,
    intent.c.id,
    sqlite_where=_planned,
)
Index(
    "intent_in_doubt",
    intent.c.tenant,
    intent.c.kind,
    intent.c.id,
    sqlite_where=_in_doubt,
)
Index("intent_settled", intent.c.tenant, intent.c.settled_epoch)
Index("intent_remote", intent.c.tenant, intent.c.kind, intent.c.remote_id)

need = Table(
    "need",
    metadata,
    Column("intent_id", ForeignKey("intent.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Index("need_of", "kind", "source_key"),
)

link = Table(
    "link",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("intent_id", ForeignKey("intent.id")),
    Column("marker", Text, nullable=False),
    Column("number", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("status_epoch", BigInteger, nullable=False, server_default="0"),
    Column("lines", Text, nullable=False, server_default="{}"),
    Column("adopted", Integer, nullable=False, server_default="0"),
    Column("quiet_until_ms", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("tenant", "kind", "remote_id", name="link_remote"),
    Index("link_marker", "tenant", "kind", "marker"),
)

alias = Table(
    "alias",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("old_key", Text, primary_key=True),
    Column("source_key", Text, nullable=False),
)
"""Keys a document had before it was re-keyed."""

listing = Table(
    "listing",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("asked_ms", BigInteger, nullable=False),
)
"""When a list of Xero's was last read to its end, on Xero's clock: what changed since is read with If-Modified-Since."""

seen = Table(
    "seen",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("handle", Text, nullable=False, server_default=""),
    Column("name_key", Text, nullable=False, server_default=""),
    Column("facts", Text, nullable=False),
    Index("seen_handle", "tenant", "kind", "handle"),
    Index("seen_name", "tenant", "kind", "name_key"),
)
"""What Xero's lists showed: by `handle` (contact number, item code, marker) and `name_key` (folded name, or the
document that a payment belongs to), so that nothing is created that is there already."""

approval = Table(
    "approval",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_ms", BigInteger, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("applied_ms", BigInteger),
    sqlite_autoincrement=True,
)
"""Who released which plan, when. `applied_ms` is set once all of it has been dealt with."""

approved = Table(
    "approved",
    metadata,
    Column("approval", ForeignKey("approval.id"), primary_key=True),
    Column("intent_id", ForeignKey("intent.id"), primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("before_hash", Text, nullable=False),
    Index("approved_intent", "intent_id"),
)
"""What was approved: the document's revision, and the hash of what Xero had of it (empty: nothing)."""

undone = Table(
    "undone",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("undone_by", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)
"""What `undo` took back. While the source says the same, it is not made again."""

TAKEN_BACK = and_(
    undone.c.tenant == intent.c.tenant,
    undone.c.kind == intent.c.kind,
    undone.c.source_key == intent.c.source_key,
    undone.c.content_hash == intent.c.content_hash,
    intent.c.op == "save",
)
"""Whether this row of `undone` is of the intent's revision; of several with the same content the newest is meant."""

dismissed = Table(
    "dismissed",
    metadata,
    Column("intent_id", ForeignKey("intent.id"), primary_key=True),
    Column("refusals", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("dismissed_by", Text, nullable=False),
    Column("dismissed_ms", BigInteger, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
)
"""What people decided to leave refused or parked, each with the very reason it had then: with another one it is told again."""

_left = dismissed.alias("left_so")
_later = intent.alias("later")
_WAITED_FOR = (
    exists()
    .where(
        _later.c.tenant == intent.c.tenant,
        _later.c.kind == intent.c.kind,
        _later.c.source_key == intent.c.source_key,
        _later.c.id > intent.c.id,
        text("later.state NOT IN ('done','superseded')"),
    )
    .correlate(intent)
)


def leaves(decision: FromClause) -> ColumnElement[bool]:
    """Whether this row of `dismissed` is of the intent as it stands now: another reason is told again.

    So is a parked one once its source says something new, which waits for it.
    """
    of = decision.c
    return and_(
        (intent.c.state == "rejected") | ((intent.c.state == "parked") & ~_WAITED_FOR),
        of.intent_id == intent.c.id,
        of.refusals == intent.c.refusals,
        of.note == intent.c.note,
    )


DISMISSED = exists().where(leaves(_left))
"""Whether a refused or parked document is one that people decided to leave."""

remembered = Table(
    "remembered",
    metadata,
    Column("digest", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rest", BigInteger, nullable=False),
    Column("anchor", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Index("remembered_anchor", "anchor"),
    sqlite_with_rowid=False,
)
"""Records whose documents were found as Xero has them: what they came to (see `target_xero.fingerprint`), a row a document. May be
emptied at any time. `digest` and `rest` are the two halves of a fingerprint, as numbers, which are found sooner than text. `anchor`
stands for the record's first document, so that only what a record said last is kept."""

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("entries", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_epoch", "epoch"),
)
"""One row for each transaction that moved an intent or a link, never changed, each naming the hash of the one before.

`entries` is canonical JSON: keys, states, amounts, ids and hashes, no names and no text of people's."""

note = Table(
    "note",
    metadata,
    Column("intent_id", ForeignKey("intent.id"), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_ms", BigInteger, nullable=False, server_default="0"),
    Index("note_tenant", "tenant", "intent_id"),
)
"""Notes that documents are still to get in their History in Xero. One that was tried is looked for before it is sent again."""


def share_conditions(dialect: str) -> None:
    """Gives the partial indexes the conditions that they have on SQLite on another database, too. Doing it again changes nothing."""
    for table in metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_options["sqlite"]["where"]
            if condition is not None:
                index.dialect_options[dialect]["where"] = condition
