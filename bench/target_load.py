"""A first load into an empty organisation, on the sandbox's virtual clock: calls, pace, and what a rerun writes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import documents
from bench.figures import Figure, group
from bench.house import House

EACH = 10_000
CALLS_A_MINUTE = 60


@group
def target_load() -> Iterator[Figure]:
    """10,000 contacts, 10,000 approved invoices, 10,000 payments."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        kinds = (documents.contact, documents.invoice, documents.payment)
        source = documents.write(house.folder / "in.singer", (kind(n) for kind in kinds for n in range(EACH)))
        began = house.sandbox.clock.now()
        target = house.target(day_limit_reserve=0)
        house.run(target, source)
        _check_settled(target)
        exchanges = [entry.as_json() for entry in house.sandbox.journal]
        calls = [entry for entry in exchanges if entry["path"].startswith("/api.xro/")]
        minutes = (house.sandbox.clock.now() - began) / timedelta(minutes=1)
        # The clock stands still between waits: the last window's calls take no time of their own, so that they are left out.
        full = (len(calls) - 1) // CALLS_A_MINUTE * CALLS_A_MINUTE
        yield Figure("first load of 30,000 documents", len(calls), "calls", "<= 612")
        yield Figure(
            "share of the 60-a-minute limit used",
            round(full / (minutes * CALLS_A_MINUTE), 4),
            "share",
            ">= 0.95",
        )
        yield Figure(
            "429 answers provoked", sum(entry["status"] == 429 for entry in exchanges), "answers", "== 0"
        )
        house.sandbox.journal.clear()
        rerun = house.target(day_limit_reserve=0)
        house.run(rerun, source)
        _check_settled(rerun)
        again = [entry.as_json() for entry in house.sandbox.journal]
        writes = sum(
            entry["method"] in ("PUT", "POST") and entry["path"].startswith("/api.xro/") for entry in again
        )
        yield Figure("unchanged rerun of 30,000 documents", writes, "writes", "== 0")


def _check_settled(target: Any) -> None:
    if target.exit_code != 0:
        raise RuntimeError(f"not all settled: {target.outcome}")
