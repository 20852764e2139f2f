"""What a run loads: each module that it does without costs every run some milliseconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

SPARED = ("crm_to_xero.loader", "target_xero.preview.page", "sqlalchemy.dialects.postgresql", "yaml")


@pytest.mark.e2e
def test_a_run_on_ready_made_documents_loads_no_compiler_no_plan_and_no_postgresql() -> None:
    code = f"import sys, target_xero.cli, target_xero.target; print([name for name in {SPARED!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
