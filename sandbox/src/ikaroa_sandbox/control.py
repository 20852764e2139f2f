"""The control end points under `/_sandbox/`: for people, demos and checkers; no client of either system ever needs them.

They read and change the sandbox itself, answer JSON, and are neither journalled nor struck by faults.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox import control_actions as actions
from ikaroa_sandbox import control_page
from ikaroa_sandbox.control_actions import Command
from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.credentials import demo_credentials
from ikaroa_sandbox.errors import CommandError, UnknownNameError

if TYPE_CHECKING:
    from ikaroa_sandbox.app import Sandbox

PREFIX = "/_sandbox"

Action = Callable[["Sandbox", Request, Command], Any]


@dataclass(frozen=True)
class EndPoint:
    """One control end point. `takes` names what its JSON body (POST) or its query (GET, DELETE) may hold."""

    method: str
    path: str
    does: str
    takes: tuple[str, ...]
    action: Action


def handle(sandbox: Sandbox, request: Request) -> Response:
    """Answers a control request: 200 with JSON, 400 or 404 with `{"error": sentence}`."""
    path = request.path[len(PREFIX) :].rstrip("/") or "/"
    methods = _TABLE.get(path)
    if methods is None:
        return _json(
            404, {"error": str(UnknownNameError("control end point", PREFIX + path, sorted(_TABLE)))}
        )
    end_point = methods.get(request.method)
    if end_point is None:
        allowed = ", ".join(methods)
        return _json(
            405, {"error": f"{PREFIX}{path} takes {allowed}, not {request.method}"}, {"Allow": allowed}
        )
    try:
        command = _command(request)
        unknown = sorted(set(command) - set(end_point.takes)) if "*" not in end_point.takes else []
        if unknown:
            takes = ", ".join(end_point.takes) or "nothing"
            raise CommandError(f"{request.method} {PREFIX}{path} takes {takes}; not {', '.join(unknown)}")
        if path == "/" and control_page.wanted(request.headers.get("Accept", "")):
            return _page(sandbox, request)
        return _json(200, end_point.action(sandbox, request, command))
    except ValueError as error:
        return _json(400, {"error": str(error)})


def _command(request: Request) -> dict[str, Any]:
    if request.method in ("GET", "DELETE"):
        return dict(request.params())
    if not request.body.strip():
        return {}
    try:
        command = json.loads(request.body)
    except ValueError as error:
        raise CommandError(f"the body is not JSON: {error}") from error
    if not isinstance(command, dict):
        raise CommandError(f"the body is a JSON object, not {type(command).__name__}")
    return command


def _page(sandbox: Sandbox, request: Request) -> Response:
    sandbox.settle()
    body = control_page.page(sandbox, demo_credentials(request.base_url), PREFIX, END_POINTS)
    return Response(200, {"Content-Type": "text/html; charset=utf-8"}, body)


def _json(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False, default=_plain).encode()
    return Response(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


def _plain(value: object) -> str:
    if isinstance(value, (Decimal, datetime)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _help(_sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    return {
        "sandbox": "Salesforce and Xero, simulated",
        "end_points": [
            {
                "method": entry.method,
                "path": PREFIX + entry.path,
                "does": entry.does,
                "takes": list(entry.takes),
            }
            for entry in END_POINTS
        ],
    }


END_POINTS: tuple[EndPoint, ...] = (
    EndPoint("GET", "/", "lists these end points; to a browser as a page, with how to sign in and what was said last", (), _help),
    EndPoint("GET", "/health", "whether it is up, with seed, profile, time and how many records it began with", (), actions.health),
    EndPoint("GET", "/credentials", "what a client needs to sign in to either system, JWT private key included", (), actions.credentials),
    EndPoint("POST", "/reset", "empties both systems, the journal, faults and variants; saved states stay", (), actions.reset),
    EndPoint("POST", "/seed", "resets, then fills both systems; profiles: default, messy, empty", ("seed", "profile"), actions.seed),
    EndPoint("POST", "/edit", "a person's hand in one system, outside its API; the rest is that system's command", ("*",), actions.edit),
    EndPoint("GET", "/clock", "the sandbox's time, whether it stands still, and late commits to come", (), actions.clock),
    EndPoint("POST", "/clock", "moves the time: seconds on (or back), to a moment, frozen, or following real time",
             ("advance_seconds", "set", "freeze", "follow"), actions.set_clock),
    EndPoint("GET", "/faults", "the fault plan with what has struck, and every kind of fault", (), actions.faults),
    EndPoint("POST", "/faults", 'adds one fault rule, several (`{"rules": [...]}`), or random rates', ("*",), actions.add_faults),
    EndPoint("DELETE", "/faults", "no faults from here on", (), actions.clear_faults),
    EndPoint("GET", "/journal", "exchanges after `since`, oldest first; `path` is a regular expression",
             ("since", "system", "method", "path", "limit"), actions.journal),
    EndPoint("DELETE", "/journal", "forgets every exchange; numbers go on", (), actions.clear_journal),
    EndPoint("GET", "/snapshot", "the whole state of one system, or of both by name: what a checker reads", ("system",), actions.snapshot),
    EndPoint("POST", "/save", "keeps everything as it is now under a name", ("name",), actions.save),
    EndPoint("POST", "/restore", "puts everything back as it was saved under a name", ("name",), actions.restore),
    EndPoint("GET", "/variants", "every rule with its mark and the variant in force", (), actions.variants),
    EndPoint("POST", "/variants", "chooses variants by rule, or lets a seed draw those of assumed rules, or goes back to default",
             ("choose", "seed", "default"), actions.choose_variants),
)  # fmt: skip
_TABLE: dict[str, dict[str, EndPoint]] = {}
for _end_point in END_POINTS:
    _TABLE.setdefault(_end_point.path, {})[_end_point.method] = _end_point
