"""A ledger as an earlier load would have left it, without the load."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import insert
from target_xero.ledger import Ledger
from target_xero.ledger.schema import link
from target_xero.plan.canonical import canonical, content_hash

BATCH = 10_000


def link_of(
    tenant: str, stream: str, document: dict[str, Any], *, changed: bool = False
) -> dict[str, object]:
    """The link of a document that was written before; `changed`: with other content than it has now."""
    key = document["source_key"]
    return {
        "tenant": tenant, "kind": stream, "source_key": key, "remote_id": key, "marker": document.get("marker") or "",
        "content_hash": "0" * 64 if changed else content_hash(canonical(stream, document)[0]),
        "number": "", "status": "DRAFT",
    }  # fmt: skip


def fill(ledger: Ledger, links: Iterable[dict[str, object]]) -> None:
    """Puts links into an open ledger."""
    left = iter(links)
    with ledger.atomic() as connection:
        while batch := list(islice(left, BATCH)):
            connection.execute(insert(link), batch)
