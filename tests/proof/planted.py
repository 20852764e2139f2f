"""Switches the bad designs on, one by one: every one must be caught. `python -m tests.proof.planted` looks for the seeds.

A proof that never fails proves nothing. A seed catches a design when the design does its own harm there and the sound product
is clean on the same seed. A design that raises is broken; that is a failure of this test and never a catch.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof import fuzz
from tests.proof.designs import DESIGNS, Design
from tests.proof.house import House
from tests.proof.schedule import draw

SEEDS_MAX = 2_000
PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
BEGIN, END = "<!-- bad designs: written by make planted -->\n", "<!-- end of bad designs -->\n"


@dataclass
class Hunt:
    """What came of one design."""

    design: str
    seed: int | None = None
    """The seed that caught it; None: none did."""
    finding: str = ""
    broken: str = ""
    """The design raised: it says nothing."""
    unsound: list[int] = field(default_factory=list)
    """Seeds on which the sound product is found fault with, too."""
    seconds: float = 0.0

    @property
    def caught(self) -> bool:
        """Whether it was caught by a seed that proves it."""
        return self.seed is not None and not self.broken and not self.unsound


def hunt(name: str, seeds: Iterable[int]) -> Hunt:
    """Plays seeds with the design, and those where it does harm without it, until one catches it."""
    one, found, began = DESIGNS[name], Hunt(name), time.monotonic()
    with fuzz.house() as place:
        for seed in seeds:
            try:
                harm = _harm(place, one, seed)
            except Exception:  # noqa: BLE001  whatever it is, the patch is at fault
                found.broken = f"seed {seed}: {traceback.format_exc(limit=-3)}"
                break
            if not harm:
                continue
            if place.play(seed).findings:
                found.unsound.append(seed)
                continue
            found.seed, found.finding = seed, harm
            break
    found.seconds = time.monotonic() - began
    return found


def _harm(place: House, one: Design, seed: int) -> str:
    with one.switched_on():
        findings = place.play(seed).findings
    return next((finding for finding in findings if finding.startswith(f"{one.harm}:")), "")


def recorded() -> dict[str, int]:
    """The seed that caught each design last, as the page says."""
    rows = [line.split("|") for line in _table(PAGE.read_text(encoding="utf-8")).splitlines()]
    return {row[1].strip(" `"): int(row[4]) for row in rows if len(row) == 6 and row[4].strip().isdigit()}


def table(seeds: dict[str, int]) -> str:
    """The page's table."""
    lines = ["| bad design | what it does | its harm | caught by seed |", "|---|---|---|---:|"]
    for one in DESIGNS.values():
        seed = seeds.get(one.name, "")
        lines.append(f"| `{one.name}` | {one.sentence} | {one.harm.lower()} | {seed} |")
    return "\n".join(lines) + "\n"


def _write(caught: dict[str, int]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(before + begin + table(recorded() | caught) + end + after, encoding="utf-8")


def _table(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0]


def hunt_all(names: Sequence[str], seeds: range, workers: int, *, known_first: bool) -> Iterator[Hunt]:
    """Hunts for the designs, several at a time. `known_first`: beginning with the seed that is on the page."""
    known = recorded() if known_first else {}
    schedules = {seed: draw(seed) for seed in seeds}
    with multiprocessing.get_context("fork").Pool(workers, initializer=fuzz.settle_in) as pool:
        waiting = []
        for name in names:
            first = [known[name]] if name in known else []
            likely_first = sorted(seeds, key=lambda seed: not DESIGNS[name].likely(schedules[seed]))
            waiting.append(pool.apply_async(hunt, (name, [*first, *likely_first])))
        for entry in waiting:
            yield entry.get()


def _tell(found: Hunt) -> None:
    seed = "NOT CAUGHT" if found.seed is None else f"seed {found.seed}"
    print(f"{found.design:38} {seed:>11} {found.seconds:6.1f} s  {found.finding[:110]}", flush=True)
    if found.broken:
        print(f"    BROKEN: {found.broken}", flush=True)
    if found.unsound:
        print(f"    The sound product fails, too: seeds {found.unsound}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when a design got through, or broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="within how many each must be caught")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=sorted(DESIGNS), action="append", help="this design alone")
    parser.add_argument("--known-first", action="store_true", help="begin with the seeds in docs/proof.md")
    options = parser.parse_args(arguments)
    names = options.only or list(DESIGNS)
    caught: dict[str, int] = {}
    for found in hunt_all(names, range(options.seeds), options.workers, known_first=options.known_first):
        _tell(found)
        if found.caught and found.seed is not None:
            caught[found.design] = found.seed
            if not options.known_first:
                _write(caught)
    print(f"{len(caught)} of {len(names)} bad designs caught within {options.seeds} seeds")
    return int(len(caught) < len(names))


if __name__ == "__main__":
    fuzz.fix_order("tests.proof.planted")
    sys.exit(main())
