"""Queries with salesforce-bulk, unmodified, over https at the host and port given; the session comes on stdin, rows go to stdout."""

from __future__ import annotations

import io
import json
import sys

from salesforce_bulk import SalesforceBulk

given = json.load(sys.stdin)
client = SalesforceBulk(sessionId=given["session"], host=given["host"], API_version="61.0")
job = client.create_query_job("Contact", contentType="CSV")
batch = client.query(job, given["soql"])
client.close_job(job)
client.wait_for_batch(job, batch, timeout=60, sleep_interval=0.3)
for result in client.get_all_results_for_query_batch(batch, job):
    sys.stdout.write(io.TextIOWrapper(result, encoding="utf-8", newline="").read())
