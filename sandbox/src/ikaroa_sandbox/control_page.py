"""The control end points as a page, for a person who opens `/_sandbox/` in a browser; programs get the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.journal import Exchange

if TYPE_CHECKING:
    from ikaroa_sandbox.app import Sandbox
    from ikaroa_sandbox.control import EndPoint

LAST_EXCHANGES = 20
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; } pre { overflow-x: auto; padding: .5rem; background: #8882; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2rem; }
"""


def wanted(accept: str) -> bool:
    """Whether the client is a browser: it names HTML, which no API client does."""
    return "text/html" in accept.lower()


def page(
    sandbox: Sandbox, credentials: Mapping[str, Mapping[str, str]], prefix: str, table: Iterable[EndPoint]
) -> bytes:
    """The page: what runs here, how to sign in, what the end points do, and what was said last.

    `credentials` are those of both systems, as `demo_credentials` gives them; `prefix` is the path of all end points.
    """
    login, xero = credentials["salesforce"]["login_url"], credentials["xero"]
    seeded = sandbox.seeded
    now = f"{sandbox.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    still = ", and stands still" if sandbox.clock.frozen else ""
    systems = "".join(
        f"<div><h2>{escape(name.capitalize())}</h2>{_pairs(facts)}<p>Records it began with:</p>{_pairs(seeded['records'].get(name, {}))}</div>"
        for name, facts in credentials.items()
    )
    last = list(sandbox.journal)[-LAST_EXCHANGES:]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ikaroa-sandbox</title><style>{_STYLE}</style></head><body>
<h1>ikaroa-sandbox</h1>
<p>Salesforce and Xero, simulated, on this machine alone. Seed {escape(str(seeded["seed"]))}, profile
<b>{escape(str(seeded["profile"]))}</b>. Its time is {now}{still}.</p>
<pre>TOKEN=$(curl -s {escape(xero["token_url"])} -u {xero["client_id"]}:{xero["client_secret"]} -d grant_type=client_credentials \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -s {escape(xero["api_url"])}/Contacts -H "Authorization: Bearer $TOKEN"</pre>
<div class="two">{systems}</div>
<h2>What can be done here</h2>
<p>JSON in and out; nothing of it is journalled or struck by a fault. For example:</p>
<pre>curl -s {escape(login + prefix)}/clock -d '{{"advance_seconds": 3600}}'</pre>
{_end_points(prefix, table)}
<h2>What was said last</h2>
{_exchanges(last) if last else "<p>Nothing yet.</p>"}
</body></html>
""".encode()


def _pairs(facts: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td><code>{escape(str(value))}</code></td></tr>"
        for name, value in facts.items()
    )
    return f"<table>{rows}</table><br>"


def _end_points(prefix: str, table: Iterable[EndPoint]) -> str:
    rows = []
    for entry in table:
        path = escape(prefix + entry.path)
        shown = f'<a href="{path}">{path}</a>' if entry.method == "GET" and entry.path != "/" else path
        takes = escape(", ".join(entry.takes).replace("*", "see README"))
        rows.append(
            f"<tr><td>{entry.method}</td><td><code>{shown}</code></td><td>{escape(entry.does)}</td><td>{takes}</td></tr>"
        )
    return f"<table><tr><th></th><th>end point</th><th>does</th><th>takes</th></tr>{''.join(rows)}</table>"


def _exchanges(entries: Iterable[Exchange]) -> str:
    rows = "".join(
        f"<tr><td>{entry.seq}</td><td>{entry.at:%H:%M:%S}</td><td>{escape(entry.request.method)}</td>"
        f"<td><code>{escape(entry.request.path)}</code></td><td>{entry.status or escape(entry.outcome)}</td>"
        f"<td>{escape(entry.fault or '')}</td></tr>"
        for entry in entries
    )
    return f"<table><tr><th></th><th>at</th><th></th><th>path</th><th>answer</th><th>fault</th></tr>{rows}</table>"
