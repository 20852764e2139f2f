"""For the tests of all packages: what is fast stays so."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("fast", max_examples=50, deadline=None)
settings.load_profile("fast")  # `--hypothesis-profile=default` looks twice as long

LATER = {"slow", "e2e", "foreign", "kill"}
"""Marks of tests that come after the fast ones."""
OUTSIDE = {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "socket.connect"}
"""What a fast test has no need of, as Python's audit events."""
_reached: list[str] = []


def pytest_configure() -> None:
    """Listens to what the interpreter tells of processes and sockets. Reports are as wide as in a pipe, which xdist is not."""
    os.environ.pop("COLUMNS", None)
    sys.addaudithook(lambda event, _: _reached.append(event) if event in OUTSIDE else None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keeps the garbage collector away from the collected tests, a million objects that live as long as it does."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Forgets what was reached between tests: a worker of xdist asks the machine for its name."""
    _reached.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """A test that starts a process or goes to a socket is not among the fast ones. After the last one others' servers end."""
    reached = sorted(set(_reached))
    yield
    if reached and not any(mark.name in LATER for mark in item.iter_markers()):
        pytest.fail(f"{', '.join(reached)} in a fast test: mark it `slow` or `e2e`", pytrace=False)
