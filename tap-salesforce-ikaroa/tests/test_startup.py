"""What a plain run loads. Each run of Meltano starts the tap anew, so what is slow to import waits until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

OTHERS = {
    "grpc": "live mode",
    "google.protobuf": "live mode",
    "fastavro": "live mode",
    "defusedxml": "Outbound Messages",
    "sqlite3": "`full_compare_days`",
    "rich": "commands",
    "http.server": "`login`",
    "cryptography": "JWT and the token store",
    "pendulum": "a date in a form of one's own",
    "sqlalchemy": "nothing",
}
RUN = """
import contextlib, io, sys
from tap_salesforce_ikaroa.cli import main
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
at_start = set(sys.modules)
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import Sandbox
TapSalesforceIkaroa.http_adapter = SandboxAdapter(Sandbox(seed=1))
with_sandbox = set(sys.modules)
tap = TapSalesforceIkaroa(config={
    "login_url": "http://127.0.0.1:1", "client_id": "sandbox-salesforce-client",
    "client_secret": "sandbox-salesforce-secret", "start_date": "2026-01-31",
})
with contextlib.redirect_stdout(io.StringIO()) as out:
    tap.run()
assert '"RECORD"' in out.getvalue()
loaded = at_start | set(sys.modules) - with_sandbox
print(sorted(loaded & set(sys.argv[1:])))
"""


@pytest.mark.slow
def test_a_plain_run_loads_nothing_that_only_other_runs_need():
    done = subprocess.run([sys.executable, "-c", RUN, *OTHERS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr[-2000:]
