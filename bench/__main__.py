"""`python -m bench [NAME …]`: ends with 1 when a figure misses its bar."""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench.figures import groups


def main() -> int:
    """Prints the figures of the groups that are named, or of all.

    Several have a process each: Linux counts the memory of whoever starts a process as that process's, too.
    """
    known = groups()
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="The project's figures, one JSON line each."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups: {', '.join(known)} (default: all)")
    names = parser.parse_args().names
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no group {', '.join(unknown)}; there are: {', '.join(known)}")
    names = names or list(known)
    if len(names) > 1:
        runs = [subprocess.run([sys.executable, "-m", "bench", name], check=False) for name in names]  # noqa: S603  ourselves
        return int(any(run.returncode for run in runs))
    missed = 0
    for figure in known[names[0]]():
        print(figure.line(), flush=True)
        missed += figure.holds is False
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
