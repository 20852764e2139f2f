"""`make test-fast`: one pytest for each part of the tests, side by side, and one result.

Each process loads and collects its own part alone. Workers that share one run must each collect all of it first, which
takes a quarter of their time.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack

from tools.processes import ROOT

_TAP = sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("tap-salesforce-ikaroa/tests/**/test_*.py"))
PARTS = (
    _TAP[::2],
    _TAP[1::2],
    ["target-xero/tests"],
    ["sandbox/tests"],
    ["transforms/tests", "tests"],
)
"""None much longer than the others; the tap's would be."""


def main(which: str) -> int:
    """Runs the tests that the marker expression `which` picks; 1 when any failed, or a part has none.

    A part's output is shown when its process has ended; the last line counts all of them.
    """
    started = time.monotonic()
    total: Counter[str] = Counter()
    failed = 0
    with ExitStack() as opened:
        running = []
        for folders in PARTS:
            output = opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            command = (sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-m", which, *folders)
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)  # noqa: S603 - our own
            running.append((process, output))
        for process, output in running:
            failed |= process.wait() != 0
            output.seek(0)
            text = output.read()
            print(text, end="", flush=True)
            for summary in re.findall(r"^\d+ [a-z]+.* in [\d.]+s.*$", text, re.MULTILINE)[-1:]:
                total.update({word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", summary)})
    del total["deselected"]
    counts = ", ".join(f"{count:,} {word}" for word, count in total.items())
    print(f"== {'FAILED: ' if failed else ''}{counts} in {time.monotonic() - started:.0f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
