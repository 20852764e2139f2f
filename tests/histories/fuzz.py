"""Many seeds: `python -m tests.histories.fuzz --seeds 10000`, or one told in full: `--seed 123`."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.histories.play import Play, Result

CHUNK = 25
SHOWN = 20


@dataclass
class Tally:
    """What became of many seeds."""

    seeds: int = 0
    calls: int = 0
    records: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    bad: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.calls += result.calls
        self.records += result.records
        self.ended.update(result.ended)
        if result.findings:
            self.bad.append(result)


_plays: list[Play] = []


def settle_in() -> None:
    """A worker's org."""
    _plays.append(Play())
    gc.collect()
    gc.freeze()


def _worker(seeds: Iterable[int]) -> list[Result]:
    results = [_plays[0].play(seed) for seed in seeds]
    gc.collect()  # orgs put aside are in cycles, and large
    for result in results:
        result.told = []
    return results


def fuzz(first: int, count: int, workers: int) -> Tally:
    """Plays `count` seeds from `first` on."""
    tally = Tally()
    blocks = [range(n, min(n + CHUNK, first + count)) for n in range(first, first + count, CHUNK)]
    with multiprocessing.get_context("fork").Pool(workers, initializer=settle_in) as pool:
        for results in pool.imap_unordered(_worker, blocks):
            for result in results:
                tally.add(result)
                if result.findings and len(tally.bad) <= SHOWN:
                    print(f"seed {result.seed}: " + "\n    ".join(result.findings[:5]), flush=True)
                if tally.seeds % 500 == 0:
                    print(f"{tally.seeds} histories, {len(tally.bad)} bad", flush=True)
        pool.close()
        pool.join()  # else the workers are ended by a signal, of which a tap in them would tell
    return tally


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="this one only, told in full")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        result = Play().play(options.seed)
        print("\n".join([*result.told, *(result.findings or ["nothing is wrong"])]))
        return int(bool(result.findings))
    began = time.monotonic()
    tally = fuzz(options.first, options.seeds, options.workers)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = (used.ru_utime + used.ru_stime) / max(tally.seeds, 1) * 1000
    ended = ", ".join(f"{how} {count}" for how, count in tally.ended.most_common())
    print(
        f"{tally.seeds} histories from seed {options.first}: {len(tally.bad)} bad; {tally.records} records in "
        f"{tally.calls} calls; runs: {ended}; {time.monotonic() - began:.0f} s ({each:.0f} ms CPU a history)"
    )
    return int(bool(tally.bad))


if __name__ == "__main__":
    sys.exit(main())
