"""Switches the mistakes on, one by one, and looks for the first seed that catches each: `python -m tests.histories.planted`.

A proof that never fails proves nothing. A seed catches a mistake when it does its own harm there and the sound tap is clean on
the same seed. The seeds stand in docs/proof.md, from where the tests take them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.histories.designs import DESIGNS
from tests.histories.play import Play

SEEDS_MAX = 300
PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
BEGIN, END = (
    "<!-- mistakes of taps: written by make histories-planted -->\n",
    "<!-- end of mistakes of taps -->\n",
)


@dataclass
class Hunt:
    """What came of one mistake."""

    name: str
    seed: int | None = None
    """The seed that caught it; None: none did."""
    finding: str = ""
    unsound: list[int] = field(default_factory=list)
    """Seeds on which the sound tap is found fault with, too."""


def hunt(play: Play, name: str, seeds: Iterable[int]) -> Hunt:
    """Plays seeds with a mistake, and those where it does harm without it, until one catches it."""
    bad, found = DESIGNS[name], Hunt(name)
    for seed in seeds:
        with bad.switched_on():
            findings = play.play(seed).findings
        harm = next((finding for finding in findings if finding.startswith(bad.harms)), "")
        if not harm:
            continue
        if play.play(seed).findings:
            found.unsound.append(seed)
            continue
        found.seed, found.finding = seed, harm
        break
    return found


def recorded() -> dict[str, int]:
    """The seed that caught each mistake last, as the page says."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [line.split("|") for line in text.splitlines()]
    return {row[1].strip(" `"): int(row[4]) for row in rows if len(row) == 6 and row[4].strip().isdigit()}


def table(seeds: dict[str, int]) -> str:
    """The page's table."""
    lines = ["| mistake | what it does | its harm | caught by seed |", "|---|---|---|---:|"]
    lines += [
        f"| `{bad.name}` | {bad.sentence} | {bad.harms[0]} | {seeds.get(bad.name, '')} |"
        for bad in DESIGNS.values()
    ]
    return "\n".join(lines) + "\n"


def write(seeds: dict[str, int]) -> None:
    """Writes the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + begin + table(seeds) + END + after, encoding="utf-8")


_plays: list[Play] = []


def _settle_in() -> None:
    _plays.append(Play())


def _hunt(name: str, seeds: range) -> Hunt:
    return hunt(_plays[0], name, seeds)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when a mistake gets away, or the sound tap does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="within how many each must be caught")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=sorted(DESIGNS), action="append", help="this one alone")
    options = parser.parse_args(arguments)
    names, seeds, unsound = options.only or list(DESIGNS), recorded(), set()
    caught = 0
    with multiprocessing.get_context("fork").Pool(options.workers, initializer=_settle_in) as pool:
        hunts = [pool.apply_async(_hunt, (name, range(options.seeds))) for name in names]
        for found in (entry.get() for entry in hunts):
            seed = "GETS AWAY" if found.seed is None else f"seed {found.seed}"
            print(f"{found.name:42} {seed:>9}  {found.finding}", flush=True)
            unsound.update(found.unsound)
            if found.seed is not None:
                caught += 1
                seeds[found.name] = found.seed
        pool.close()
        pool.join()  # else the workers are ended by a signal, of which a tap in them would tell
    write(seeds)
    print(f"{caught} of {len(names)} mistakes caught within {options.seeds} seeds")
    if unsound:
        print(f"The sound tap fails, too: seeds {sorted(unsound)}")
    return int(caught < len(names) or bool(unsound))


if __name__ == "__main__":
    sys.exit(main())
