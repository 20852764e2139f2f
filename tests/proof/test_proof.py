"""A share of the proof that every change pays for: a fixed block of seeds, a fresh one, and the bad designs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1_800)]
FIXED = 60
FRESH = 40


def run(module: str, *arguments: str) -> None:
    """In a process of its own: seeds fix the order of sets, and bad designs are patched in."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", f"tests.proof.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(done.stdout[-10_000:])
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-5_000:]


def test_a_fixed_block_of_schedules_loses_and_doubles_nothing() -> None:
    run("fuzz", "--seeds", str(FIXED), "--workers", "1")


def test_a_fresh_block_of_schedules_loses_and_doubles_nothing() -> None:
    first = int(time.time()) % 1_000_000 * 1_000 + 1_000_000
    run("fuzz", "--first", str(first), "--seeds", str(FRESH), "--workers", "1")


def test_every_bad_design_is_caught() -> None:
    run("planted", "--workers", "1", "--known-first")


def test_one_seed_gives_the_same_bytes_twice() -> None:
    command = [sys.executable, "-m", "tests.proof.fuzz", "--seed", "3"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    first, second = (
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).stdout
        for _ in range(2)
    )
    assert first == second
    assert b"/api.xro/" in first
