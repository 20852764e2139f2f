"""`python -m bench [NAME …]`: ends with 1 when a figure misses its bar."""

from __future__ import annotations

import argparse
import sys

from bench.figures import groups


def main() -> int:
    """Prints the figures of the groups that are named, or of all."""
    known = groups()
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="The project's figures, one JSON line each."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups: {', '.join(known)} (default: all)")
    names = parser.parse_args().names
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no group {', '.join(unknown)}; there are: {', '.join(known)}")
    missed = 0
    for name in names or known:
        for figure in known[name]():
            print(figure.line(), flush=True)
            missed += figure.holds is False
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
