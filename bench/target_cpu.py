"""What a record costs the target in processor time, network left out: an unchanged rerun against a bare orjson loop.

Both go over the same lines in this process: the target's whole run, and `orjson.loads` and `orjson.dumps` of each; the best of
several turns each, taken in turns so that a busy machine hits both. The ledger is filled as a first load would have left it, so that
there are enough records to tell what one costs. What a run costs that has next to none (its token, its organisation, which the
sandbox answers in this same process, its summary) is told for itself and does not count as a record's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from sqlalchemy import select
from target_xero.ledger import Ledger
from target_xero.ledger.schema import tenant

from bench import documents
from bench.figures import Figure, group
from bench.house import House
from bench.ledgers import fill, link_of

EACH = 25_000
TURNS = 5
KINDS = (documents.contact, documents.invoice)


@group
def target_cpu() -> Iterator[Figure]:
    """50,000 unchanged documents: contacts and invoices."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        few = documents.write(house.folder / "few.singer", (kind(0) for kind in KINDS))
        source = documents.write(house.folder / "in.singer", (kind(n) for kind in KINDS for n in range(EACH)))
        house.run(house.target(), few)
        _fill(house)
        house.run(house.target(), source)  # reads every record, and remembers what it came to
        bare, target, nothing = [], [], []
        for _ in range(TURNS):
            bare.append(_cpu(lambda: _loop(source)))
            target.append(_run(house, source))
            nothing.append(_run(house, few))
        records = EACH * len(KINDS)
        mine = min(target) - min(nothing)
        yield Figure("bare orjson loop", round(min(bare) / records * 1e6, 2), "µs a record")
        yield Figure("target, a run of two records", round(min(nothing) * 1e3, 1), "ms")
        yield Figure("target, unchanged rerun", round(mine / records * 1e6, 2), "µs a record")
        yield Figure("target against a bare orjson loop", round(mine / min(bare), 2), "times", "<= 3")


def _fill(house: House) -> None:
    """The ledger as a first load of all documents would have left it."""
    with Ledger(house.folder / "ledger.sqlite", durable=False) as ledger:
        with ledger.atomic() as connection:
            of = connection.execute(select(tenant.c.id)).scalar_one()
        fill(ledger, (link_of(of, *kind(n)) for kind in KINDS for n in range(1, EACH)))


def _run(house: House, source: Path) -> float:
    target = house.target()
    spent = _cpu(lambda: house.run(target, source))
    summary = target.outcome.summary if target.outcome else None
    if summary is None or any(counts.total != counts.unchanged for counts in summary.streams.values()):
        raise RuntimeError(f"not all unchanged: {summary}")
    return spent


def _loop(source: Path) -> None:
    with source.open("rb") as lines:
        for line in lines:
            orjson.dumps(orjson.loads(line))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
