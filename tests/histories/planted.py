"""Switches the mistakes on, one by one, and looks for the first seed that catches each: `python -m tests.histories.planted`."""

from __future__ import annotations

import argparse
import sys

from tests.histories.designs import DESIGNS, caught
from tests.histories.play import Play


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 1 when a mistake gets away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many to play at most for each")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", help="the name of one")
    options = parser.parse_args(arguments)
    play, away = Play(), 0
    for bad in DESIGNS.values():
        if options.only in (None, bad.name):
            seed = caught(play, bad, range(options.first, options.seeds))
            away += seed is None
            print(f"{bad.name}: {'gets away' if seed is None else f'seed {seed}'}", flush=True)
    return int(bool(away))


if __name__ == "__main__":
    sys.exit(main())
