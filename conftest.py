"""For the tests of all packages: the garbage collector has no business with what lives as long as they do."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Takes the collected tests, a million objects, out of every later collection: a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
