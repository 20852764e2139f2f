"""What a record costs the target in processor time, network left out: an unchanged rerun against a bare orjson loop.

Strictly read: the target's whole run, start and end included, over the same lines as `orjson.loads` and `orjson.dumps` of each,
both in this process, the best of several turns each, taken in turns so that a busy machine hits both.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from bench import documents
from bench.figures import Figure, group
from bench.house import House

EACH = 5_000
TURNS = 5


@group
def target_cpu() -> Iterator[Figure]:
    """10,000 unchanged documents: contacts and invoices."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        kinds = (documents.contact, documents.invoice)
        source = documents.write(house.folder / "in.singer", (kind(n) for kind in kinds for n in range(EACH)))
        house.run(house.target(), source)
        bare, target = [], []
        for _ in range(TURNS):
            bare.append(_cpu(lambda: _loop(source)))
            run = house.target()
            target.append(_cpu(lambda run=run: house.run(run, source)))  # type: ignore[misc]
        records = EACH * len(kinds)
        yield Figure("bare orjson loop", round(min(bare) / records * 1e6, 2), "µs a record")
        yield Figure("target, unchanged rerun", round(min(target) / records * 1e6, 2), "µs a record")
        yield Figure("target against a bare orjson loop", round(min(target) / min(bare), 2), "times", "<= 3")


def _loop(source: Path) -> None:
    with source.open("rb") as lines:
        for line in lines:
            orjson.dumps(orjson.loads(line))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
