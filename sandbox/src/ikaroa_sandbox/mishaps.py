"""What each kind of fault does to one request: whether the system handles it, when, and what the client sees of that."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ikaroa_sandbox.core import Backend, NoResponse, Request, Response, Spoiler
from ikaroa_sandbox.fault_rules import Fault


@dataclass
class SlowResponse(Response):
    """An answer that comes `seconds` later: real ones on sockets, virtual ones in process."""

    seconds: float = 0.0


class Host(Protocol):
    """What a mishap needs of the sandbox around it."""

    def commit_later(self, backend: Backend, request: Request, seconds: float) -> None:
        """Lets the backend handle the request `seconds` of sandbox time from now."""

    def handle_duplicate(self, backend: Backend, request: Request) -> None:
        """Lets the backend handle a second copy of the request, journalled as such."""

    def handle_stale(self, backend: Backend, request: Request, seconds: float) -> Response:
        """Lets the backend answer from its state of `seconds` ago."""

    def person_edits(self, fault: Fault) -> None:
        """Carries out the fault's `edit`."""


@dataclass(frozen=True)
class Case:
    """One request that meets one fault."""

    fault: Fault
    backend: Backend
    request: Request
    host: Host

    def handle(self) -> Response:
        """The system's own handling."""
        return self.backend.handle(self.request)


Answer = Response | NoResponse
Outcome = tuple[Answer, "Response | None"]
"""What the client sees, and what the system answered inside (None: it never saw the request, or has not yet)."""


def apply_fault(fault: Fault, backend: Backend, request: Request, host: Host) -> Outcome:
    """Does what the fault says."""
    case = Case(fault, backend, request, host)
    doing = _DOING.get(fault.kind)
    if doing is not None:
        return doing(case)
    if isinstance(backend, Spoiler) and fault.kind in backend.spoils:
        handled = case.handle()
        return backend.spoil(fault.kind, request, handled, fault.given_seconds), handled
    status, _, moment = fault.kind.partition("_")
    if moment in ("before", "after") and status.isdigit():
        done = case.handle() if moment == "after" else None
        return _own_error(case, status), done
    return _own_error(case, fault.kind), None


_GENERIC_STATUS = {"429": 429, "500": 500, "502": 502, "503": 503, "504": 504}


def _own_error(case: Case, kind: str) -> Response:
    """The platform's own shape for an error; a bare status where the platform has none of that name."""
    own = case.backend.fault(kind, case.request)
    if own is not None:
        return own
    status = _GENERIC_STATUS.get(kind.partition("_")[0], 500)
    return Response(
        status, {"Content-Type": "text/plain; charset=utf-8"}, f"{status} (sandbox fault {kind})".encode()
    )


def _html(status: int) -> Response:
    page = (
        "<!DOCTYPE html>\n<html><head><title>Scheduled maintenance</title></head>\n"
        "<body><h1>We are down for maintenance</h1><p>Please try again in a few minutes.</p></body></html>\n"
    )
    return Response(status, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


def _late_commit(case: Case) -> Outcome:
    case.host.commit_later(case.backend, case.request, case.fault.seconds)
    if case.fault.answer in ("timeout", "reset"):
        return NoResponse(case.fault.answer), None
    return _own_error(case, case.fault.answer), None


def _cut(handled: Response, length: int) -> Outcome:
    """The answer's head with its true length, and only `length` bytes of the body before the connection ends."""
    headers = {**handled.headers, "Content-Length": str(len(handled.body))}
    return NoResponse("truncated", Response(handled.status, headers, handled.body[:length])), handled


def _reset_mid_body(case: Case) -> Outcome:
    handled = case.handle()
    if not handled.body:
        return NoResponse("reset"), handled  # no middle to cut
    return _cut(handled, len(handled.body) // 2)


def _reset_after_body(case: Case) -> Outcome:
    handled = case.handle()
    return _cut(handled, len(handled.body))


def _truncated_json(case: Case) -> Outcome:
    handled = case.handle()
    return dataclasses.replace(
        handled, headers=dict(handled.headers), body=handled.body[: len(handled.body) * 2 // 3]
    ), handled


def _wrong_content_type(case: Case) -> Outcome:
    handled = case.handle()
    headers = {name: value for name, value in handled.headers.items() if name.lower() != "content-type"}
    return dataclasses.replace(handled, headers={**headers, "Content-Type": "text/plain"}), handled


def _duplicate(case: Case) -> Outcome:
    case.host.handle_duplicate(case.backend, case.request)
    handled = case.handle()
    return handled, handled


def _slow(case: Case) -> Outcome:
    handled = case.handle()
    return SlowResponse(
        handled.status, dict(handled.headers), handled.body, handled.effects, case.fault.seconds
    ), handled


def _expire_tokens(case: Case) -> Outcome:
    case.backend.expire_tokens()
    handled = case.handle()
    return handled, handled


def _stale(case: Case) -> Outcome:
    if case.request.method not in ("GET", "HEAD"):
        handled = case.handle()
    else:
        handled = case.host.handle_stale(case.backend, case.request, case.fault.seconds)
    return handled, handled


def _edit(case: Case) -> Outcome:
    case.host.person_edits(case.fault)
    handled = case.handle()
    return handled, handled


_DOING: dict[str, Callable[[Case], Outcome]] = {
    "timeout_before": lambda _case: (NoResponse("timeout"), None),
    "timeout_after": lambda case: (NoResponse("timeout"), case.handle()),
    "late_commit": _late_commit,
    "connect_failed": lambda _case: (NoResponse("connect_failed"), None),
    "reset_before": lambda _case: (NoResponse("reset"), None),
    "reset_after": lambda case: (NoResponse("reset"), case.handle()),
    "reset_mid_body": _reset_mid_body,
    "reset_after_body": _reset_after_body,
    "truncated_json": _truncated_json,
    "html_page_before": lambda case: (_html(case.fault.status or 503), None),
    "html_page_after": lambda case: (_html(case.fault.status or 200), case.handle()),
    "wrong_content_type": _wrong_content_type,
    "duplicate": _duplicate,
    "slow": _slow,
    "expire_tokens": _expire_tokens,
    "stale": _stale,
    "edit": _edit,
}
