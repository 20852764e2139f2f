"""Many seeds on all cores: `python -m tests.proof.fuzz --seeds 10000`, or one seed in full: `--seed 123`."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof.house import House, Result
from tests.proof.ledgers import Ledgers

CHUNK = 20
"""Seeds that a worker takes at a time, at most: few, so that no core stands still while another one ends."""
SHOWN = 20
LARGE_PAGE = 1 << 21
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
"""From Linux's `mman-common.h`."""


@dataclass
class Tally:
    """What became of many seeds."""

    seeds: int = 0
    calls: int = 0
    deaths: int = 0
    bad: list[Result] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def house(within: str | None = None) -> Iterator[House]:
    """A house in a folder of its own, in `within` or on a disk that is none."""
    with tempfile.TemporaryDirectory(prefix="proof-", dir=within or _memory()) as folder:
        ledgers = Ledgers(Path(folder))
        with ledgers.in_use():
            yield House(ledgers)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def play(seeds: Iterable[int]) -> list[Result]:
    """Plays seeds in this process; what went well is told in numbers only."""
    with house() as place:
        return _played(place, seeds)


def _played(place: House, seeds: Iterable[int]) -> list[Result]:
    results = []
    for seed in seeds:
        result = place.play(seed)
        result.journal = []
        results.append(result)
    return results


class _Worker:
    """One house for all that a process plays, so that statements are compiled and planned once."""

    house: House
    kept = ExitStack()

    @classmethod
    def begin(cls, within: str) -> None:
        """The process begins."""
        settle_in()
        cls.house = cls.kept.enter_context(house(within))

    @classmethod
    def play(cls, seeds: list[int]) -> list[Result]:
        """Its next seeds."""
        return _played(cls.house, seeds)


def settle_in() -> None:
    """A worker's environment: small, for requests reads it at every call; no garbage that is not ours; large pages."""
    for name in set(os.environ) - {"PATH", "HOME", "TMPDIR", "PYTHONHASHSEED", "LANG", "USER", "LOGNAME"}:
        del os.environ[name]
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    _take_large_pages()


def _take_large_pages() -> None:
    """Moves what is loaded into pages of 2 MB, where Linux (6.1 or later) has them: all over small ones it is slower to find."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in maps.read_text().splitlines():
        addresses, rights, *_, inode = line.split()[:5]
        first, last = (int(address, 16) for address in addresses.split("-"))
        if rights.startswith("rw") and inode == "0" and last - first >= LARGE_PAGE:
            for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):  # a refusal changes nothing
                advise(first, last - first, advice)


def fuzz(first: int, count: int, workers: int) -> Tally:
    """Plays `count` seeds from `first` on."""
    tally, began = Tally(), time.monotonic()
    size = max(min(CHUNK, count // (workers * 4)), 1)
    blocks = [list(range(n, min(n + size, first + count))) for n in range(first, first + count, size)]
    with (
        tempfile.TemporaryDirectory(prefix="proof-", dir=_memory()) as folder,
        multiprocessing.get_context("fork").Pool(workers, _Worker.begin, (folder,)) as pool,
    ):
        for results in pool.imap_unordered(_Worker.play, blocks):
            for result in results:
                tally.seeds += 1
                tally.calls += result.calls
                tally.deaths += result.deaths
                if result.findings:
                    tally.bad.append(result)
        pool.close()
        pool.join()
    tally.wall_s = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    tally.cpu_s = used.ru_utime + used.ru_stime
    tally.bad.sort(key=lambda result: result.seed)
    return tally


def tell(result: Result) -> None:
    """One seed in full: what was to happen, every exchange, and what is wrong."""
    print("\n".join(result.told))
    for exchange in result.journal:
        entry = exchange.as_json()
        what = {name: entry[name] for name in ("status", "outcome", "fault") if entry[name]}
        print(
            f"  {entry['seq']:4} {entry['at'][11:23]} {entry['method']:4} {entry['path']} {entry['query'][:80]} {what}"
        )
        if entry["body"] and entry["method"] != "GET" and "/api.xro/" in entry["path"]:
            print(f"       > {entry['body'][:2000]}")
        for effect in entry["effects"]:
            print(f"       * {json.dumps(effect)}")
    print("\n".join(result.findings) or "nothing is wrong")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="this one only, told in full")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        with house() as place:
            result = place.play(options.seed)
        tell(result)
        return int(bool(result.findings))
    tally = fuzz(options.first, options.seeds, options.workers)
    for result in tally.bad[:SHOWN]:
        print(f"seed {result.seed}: " + "\n    ".join(result.findings[:5]))
    each = tally.cpu_s / max(tally.seeds, 1) * 1000
    print(
        f"{tally.seeds} seeds from {options.first}: {len(tally.bad)} bad; {tally.calls} calls, {tally.deaths} deaths of the "
        f"process; {tally.wall_s:.0f} s ({each:.0f} ms CPU a seed)"
    )
    return int(bool(tally.bad))


def fix_order(module: str) -> None:
    """A seed is reproduced byte for byte, the order of sets included: starts this process again where that is left to chance."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])


if __name__ == "__main__":
    fix_order("tests.proof.fuzz")
    sys.exit(main())
