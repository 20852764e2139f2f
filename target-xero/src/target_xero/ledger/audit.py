"""The audit chain: one row for each transaction that moved an intent or a link, each naming the hash of the row before.

    row 41  {planned invoices 006…: 120.00 GBP}          hash h41 = SHA-256(row 41, h40)
    row 42  {sent [17, 18] as create}                    hash h42 = SHA-256(row 42, h41)

Rows are only ever added. An entry holds keys, states, amounts, Xero's ids and hashes: nothing by which a person is known. The
newest hash also stands in `meta` and in every run's row, and can be written down elsewhere (`ledger status` shows it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from target_xero.ledger import schema
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.schema import audit, intent, link, meta

HEAD = "audit_head"
START = "0" * 64
_BASELINE_ROWS = 500
_READ_HEAD = Prepared(select(meta.c.value).where(meta.c.key == HEAD).with_for_update())
_FIRST_HEAD = Prepared(insert(meta).values(key=HEAD, value=bindparam("head")))
_WRITE_HEAD = Prepared(update(meta).where(meta.c.key == HEAD).values(value=bindparam("head")))
_INSERT = Prepared(insert(audit), [column.name for column in audit.c])
_MARK_RUN = Prepared(
    update(schema.run).where(schema.run.c.epoch == bindparam("of_run")).values(head=bindparam("head_"))
)


@dataclass(frozen=True)
class Entry:
    """One transaction, as the chain keeps it."""

    seq: int
    at_ms: int
    epoch: int
    tenant: str
    actor: str
    event: str
    entries: list[dict[str, Any]]
    hash: str


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""JSON in the one form that is hashed."""


def digest(text: str) -> str:
    """A document's own hash in an entry: enough to tell that its text was changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def chained(row: dict[str, Any]) -> str:
    """The hash of a row, its predecessor's included."""
    names = ("seq", "at_ms", "epoch", "tenant", "actor", "event", "previous_hash")
    text = f"{canonical([row[name] for name in names])}\n{row['entries']}"
    return hashlib.sha256(text.encode()).hexdigest()


def append(
    connection: Connection,
    entries: Sequence[dict[str, Any]],
    *,
    at_ms: int,
    epoch: int,
    tenant: str,
    actor: str,
) -> tuple[int, str]:
    """Adds one row, inside the transaction that it tells of. Returns the new head, as `read_head` gives it."""
    seq, previous = read_head(connection)
    row: dict[str, Any] = {
        "seq": seq + 1,
        "at_ms": at_ms,
        "epoch": epoch,
        "tenant": tenant,
        "actor": actor,
        "event": ",".join(dict.fromkeys(str(entry.get("state") or entry["do"]) for entry in entries)),
        "entries": canonical(entries),
        "previous_hash": previous,
    }
    row["hash"] = chained(row)
    _INSERT.change(connection, row)
    head = canonical([row["seq"], row["hash"]])
    (_WRITE_HEAD if seq else _FIRST_HEAD).change(connection, {"head": head})
    return row["seq"], row["hash"]


def read_head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest row; (0, zeros) before the first."""
    text = _READ_HEAD.scalar(connection, {})
    seq, hash_ = json.loads(text) if text else (0, START)
    return int(seq), str(hash_)


def mark_run(connection: Connection, epoch: int, head: tuple[int, str]) -> None:
    """Writes the newest hash into the run's row."""
    _MARK_RUN.change(connection, {"of_run": epoch, "head_": head[1]})


def read(connection: Connection, where: Sequence[Any] = ()) -> Iterator[Entry]:
    """The rows, oldest first."""
    for row in connection.execute(select(audit).where(*where).order_by(audit.c.seq)):
        yield Entry(
            row.seq, row.at_ms, row.epoch, row.tenant, row.actor, row.event, json.loads(row.entries), row.hash
        )


def of_document(connection: Connection, kind: str, source_key: str) -> Iterator[Entry]:
    """The rows that tell of one document, each with only those entries."""
    named = select(intent.c.id).where(intent.c.kind == kind, intent.c.source_key == source_key)
    ids = set(connection.execute(named).scalars())
    keys = {source_key}
    found: list[Entry] = []
    rough = or_(
        *(
            audit.c.entries.contains(text, autoescape=True)
            for text in [canonical(source_key), *map(str, sorted(ids))]
        )
    )
    for row in list(read(connection, [rough]))[::-1]:  # backwards, so that older keys are known in time
        mine = [entry for entry in row.entries if _tells_of(entry, kind, keys, ids)]
        keys |= {entry["key"] for entry in mine if entry["do"] == "rekeyed"}
        if mine:
            found.append(replace(row, entries=mine))
    yield from reversed(found)


def _tells_of(entry: dict[str, Any], kind: str, keys: set[str], ids: set[int]) -> bool:
    if "intent" in entry or "intents" in entry:
        told = {entry["intent"]} if "intent" in entry else set(entry["intents"])
        return not ids.isdisjoint(told)
    return entry.get("kind") == kind and (entry.get("key") in keys or entry.get("to") in keys)


def planned_entry(row: dict[str, Any], id_: int) -> dict[str, Any]:
    """A new revision: all of it that must not change any more."""
    entry = {
        "do": "planned",
        "intent": id_,
        "kind": row["kind"],
        "key": row["source_key"],
        "revision": row["revision"],
        "op": row["op"],
        "marker": row["marker"],
        "state": row["state"],
        "content": row["content_hash"],
        "document": digest(row["document"]),
    }
    if row["amount_minor"] is not None:
        entry |= {"amount": row["amount_minor"], "currency": row["currency"]}
    return entry


def begin_chain(connection: Connection) -> None:
    """For a ledger that is older than its chain: what it holds now is where the chain begins."""
    chunk: list[dict[str, Any]] = []

    def flush(least: int) -> None:
        if len(chunk) >= least:
            append(connection, chunk, at_ms=0, epoch=0, tenant="", actor="upgrade")
            chunk.clear()

    for row in connection.execute(select(intent).order_by(intent.c.id)).mappings():
        chunk.append(
            planned_entry(dict(row), row["id"])
            | {"tenant": row["tenant"], "remote": row["remote_id"], "xero": row["xero_amount_minor"],
               "total": row["xero_total_minor"], "currency": row["currency"]}
        )  # fmt: skip
        flush(_BASELINE_ROWS)
    for row in connection.execute(select(link).order_by(link.c.kind, link.c.source_key)).mappings():
        chunk.append(
            {"do": "linked", "tenant": row["tenant"], "kind": row["kind"], "key": row["source_key"],
             "remote": row["remote_id"]}
        )  # fmt: skip
        flush(_BASELINE_ROWS)
    flush(1)
