"""Does the ledger say what its audit chain says? Recomputes the chain and compares every intent and link with it.

What it finds: a row of the chain that was changed, left out or cut off at the end; an intent or a link that was changed, added or
removed behind the ledger's back. What it cannot find: a chain that somebody wrote anew from its first row to its last, with the
heads in `meta` and in the runs. Against that the newest hash is written down elsewhere (`expected`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, or_, select

from target_xero.ledger import schema
from target_xero.ledger.audit import START, canonical, chained, digest, read_head
from target_xero.ledger.base import LedgerBase
from target_xero.ledger.schema import audit, intent, link

_SHOWN = 200
_INTENT = (
    "tenant",
    "kind",
    "key",
    "revision",
    "state",
    "content",
    "document",
    "marker",
    "amount",
    "remote",
    "xero",
    "total",
)


@dataclass
class Verdict:
    """What was found."""

    rows: int = 0
    """Rows of the chain."""
    intents: int = 0
    links: int = 0
    head: str = START
    """The newest hash."""
    differences: list[str] = field(default_factory=list)
    """One sentence each; the first some hundred."""
    more: int = 0
    """Differences beyond those."""

    @property
    def holds(self) -> bool:
        """Nothing was found."""
        return not self.differences

    def differs(self, sentence: str) -> None:
        """Keeps a difference."""
        if len(self.differences) < _SHOWN:
            self.differences.append(sentence)
        else:
            self.more += 1


class VerifyLedger(LedgerBase):
    """Reads only."""

    def verify(self, expected: str = "") -> Verdict:
        """Recomputes the chain and compares the ledger with it.

        Args:
            expected: a hash that was written down earlier; it must be in the chain.
        """
        verdict, replay = Verdict(), _Replay()
        with self.atomic() as connection:
            hashes = _check_chain(connection, verdict, replay)
            if expected and expected not in hashes:
                verdict.differs(
                    f"The hash {expected} that was written down is not in the chain: its rows were replaced or cut off."
                )
            _check_intents(connection, verdict, replay)
            _check_links(connection, verdict, replay)
        return verdict

    def verify_document(self, tenant: str, kind: str, key: str) -> Verdict:
        """The same for one document: the entries that tell of it, and that their chain is whole.

        Args:
            tenant: the organisation's id.
            kind: of the document.
            key: its key at the source, as the ledger has it now.
        """
        verdict, replay = Verdict(), _Replay()
        mine = (intent.c.tenant == tenant, intent.c.kind == kind, intent.c.source_key == key)
        with self.atomic() as connection:
            _check_heads(connection, verdict)
            ids = connection.execute(select(intent.c.id).where(*mine)).scalars().all()
            told = [
                audit.c.entries.contains(text, autoescape=True) for text in (canonical(key), *map(str, ids))
            ]
            rows = connection.execute(select(audit).where(or_(*told)).order_by(audit.c.seq)).mappings()
            for row in rows.all():
                _check_row(dict(row), verdict, replay)
            replay.keep(tenant, kind, key)
            verdict.rows = replay.entries
            _check_intents(connection, verdict, replay, *mine)
            _check_links(
                connection,
                verdict,
                replay,
                link.c.tenant == tenant,
                link.c.kind == kind,
                link.c.source_key == key,
            )
        return verdict


class _Replay:
    """The intents and links that the chain tells of."""

    def __init__(self) -> None:
        self.intents: dict[int, dict[str, Any]] = {}
        self.links: dict[tuple[str, str, str], str] = {}
        self.entries = 0
        """Rows of the chain that were read."""

    def keep(self, tenant: str, kind: str, key: str) -> None:
        """Of this document only: the entries tell of others, too."""
        self.intents = {
            id_: known
            for id_, known in self.intents.items()
            if (known.get("tenant"), known.get("kind"), known.get("key")) == (tenant, kind, key)
        }
        self.links = {name: remote for name, remote in self.links.items() if name == (tenant, kind, key)}

    def take(self, tenant: str, entry: dict[str, Any]) -> None:
        """One entry; one that tells nothing of rows is passed over."""
        tenant = entry.get("tenant") or tenant
        do = entry["do"]
        if do == "planned":
            self.intents[entry["intent"]] = {"tenant": tenant, **entry}
        elif do == "moved":
            for id_ in entry["intents"]:
                self.intents.setdefault(id_, {})["state"] = entry["state"]
        elif do == "settled":
            self.intents.setdefault(entry["intent"], {}).update(
                {name: entry[name] for name in ("state", "remote", "xero", "total")}
            )
        elif do == "linked":
            self.links[tenant, entry["kind"], entry["key"]] = entry["remote"]
        elif do == "unlinked":
            self.links.pop((tenant, entry["kind"], entry["key"]), None)
        elif do == "rekeyed":
            self._rekey(tenant, entry)

    def _rekey(self, tenant: str, entry: dict[str, Any]) -> None:
        for id_ in entry["intents"]:
            known = self.intents.setdefault(id_, {})
            known.update(key=entry["to"], revision=known.get("revision", 0) + entry["offset"])
        remote = self.links.pop((tenant, entry["kind"], entry["key"]), None)
        if remote is not None:
            self.links[tenant, entry["kind"], entry["to"]] = remote


def _check_chain(connection: Connection, verdict: Verdict, replay: _Replay) -> dict[str, int]:
    """Every row by itself and against the one before; then the heads. Returns the hashes, with their rows' epochs."""
    previous, hashes = START, {START: 0}
    for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
        verdict.rows += 1
        if row["seq"] != verdict.rows:
            verdict.differs(f"Row {verdict.rows} of the audit chain is missing.")
            verdict.rows = row["seq"]
        elif row["previous_hash"] != previous:
            verdict.differs(f"Row {row['seq']} of the audit chain does not follow from the row before it.")
        _check_row(dict(row), verdict, replay)
        previous = row["hash"]
        hashes[previous] = row["epoch"]
    verdict.head = previous
    if read_head(connection) != (verdict.rows, previous):
        verdict.differs(
            f"The audit chain ends at row {verdict.rows}, which is not where the ledger says: rows were cut off or added."
        )
    heads = select(schema.run.c.epoch, schema.run.c.head).order_by(schema.run.c.epoch)
    for epoch, head in connection.execute(heads):
        if head is not None and hashes.get(head) != epoch:
            verdict.differs(
                f"Run {epoch} ended with the hash {head}, which is not in the audit chain: rows were replaced or cut off."
            )
    return hashes


def _check_row(row: dict[str, Any], verdict: Verdict, replay: _Replay) -> None:
    """A row by itself; what it tells is taken in."""
    if chained(row) != row["hash"]:
        verdict.differs(
            f"Row {row['seq']} of the audit chain was changed: its hash is not that of its content."
        )
    replay.entries += 1
    try:
        for entry in json.loads(row["entries"]):
            replay.take(row["tenant"], entry)
    except (ValueError, KeyError, TypeError, AttributeError):
        verdict.differs(f"Row {row['seq']} of the audit chain cannot be read.")


def _check_heads(connection: Connection, verdict: Verdict) -> None:
    """Whether the rows follow one from the other, without what they tell."""
    previous, last = START, 0
    for seq, before, hash_ in connection.execute(
        select(audit.c.seq, audit.c.previous_hash, audit.c.hash).order_by(audit.c.seq)
    ):
        if seq != last + 1 or before != previous:
            verdict.differs(f"Row {seq} of the audit chain does not follow from the row before it.")
        previous, last = hash_, seq
    verdict.head = previous
    if read_head(connection) != (last, previous):
        verdict.differs(f"The audit chain ends at row {last}, which is not where the ledger says.")


def _check_intents(connection: Connection, verdict: Verdict, replay: _Replay, *which: Any) -> None:
    for row in connection.execute(select(intent).where(*which).order_by(intent.c.id)):
        verdict.intents += 1
        known = replay.intents.pop(row.id, None)
        name = f"{row.kind} {row.source_key}, revision {row.revision} (intent {row.id})"
        if known is None:
            verdict.differs(
                f"{name}: the audit chain knows nothing of it; it was added behind the ledger's back."
            )
            continue
        found = (
            row.tenant, row.kind, row.source_key, row.revision, row.state, row.content_hash, digest(row.document), row.marker,
            row.amount_minor, row.remote_id, row.xero_amount_minor, row.xero_total_minor,
        )  # fmt: skip
        for field_, value in zip(_INTENT, found, strict=True):
            if known.get(field_) != value:
                was = known.get(field_)
                verdict.differs(f"{name}: {field_} is {value}, and the audit chain says {was}.")
    for id_, known in replay.intents.items():
        verdict.differs(f"{known.get('kind')} {known.get('key')} (intent {id_}): its row was removed.")


def _check_links(connection: Connection, verdict: Verdict, replay: _Replay, *which: Any) -> None:
    for tenant, kind, key, remote in connection.execute(
        select(link.c.tenant, link.c.kind, link.c.source_key, link.c.remote_id).where(*which)
    ):
        verdict.links += 1
        known = replay.links.pop((tenant, kind, key), None)
        if known is None:
            verdict.differs(
                f"The link of {kind} {key}: the audit chain knows nothing of it; it was added behind the ledger's back."
            )
        elif known != remote:
            verdict.differs(f"The link of {kind} {key} leads to {remote}, and the audit chain says {known}.")
    for (_, kind, key), remote in replay.links.items():
        verdict.differs(f"The link of {kind} {key} to {remote} was removed.")
