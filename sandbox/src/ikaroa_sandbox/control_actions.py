"""What each control end point does: a command in, plain JSON values out, CommandError for a command that makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.core import Request, Spoiler
from ikaroa_sandbox.credentials import demo_credentials, jwt_private_key_pem
from ikaroa_sandbox.errors import CommandError, UnknownNameError
from ikaroa_sandbox.fault_rules import KINDS
from ikaroa_sandbox.journal import JournalQuery
from ikaroa_sandbox.limits import JOURNAL_PAGE_MAX, SAVED_STATES_MAX
from ikaroa_sandbox.times import iso, parse_iso

if TYPE_CHECKING:
    from ikaroa_sandbox.app import Sandbox

Command = Mapping[str, Any]


def health(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """Whether it is up, and what it began with."""
    return {
        "status": "ok",
        **sandbox.seeded,
        "now": iso(sandbox.clock.now()),
        "systems": list(sandbox.backends),
    }


def reset(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """Empties everything."""
    sandbox.reset()
    return sandbox.seeded


def seed(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """Resets, then fills both systems."""
    seed = command.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise CommandError(f'"seed" is a whole number, not {seed!r}')
    sandbox.seed(seed, command.get("profile", "default"))
    return sandbox.seeded


def edit(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """A person's hand in one system."""
    return sandbox.edit(
        str(command.get("system")), {key: value for key, value in command.items() if key != "system"}
    )


def clock(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """The time, and what is still to come."""
    sandbox.settle()
    return {
        "now": iso(sandbox.clock.now()),
        "frozen": sandbox.clock.frozen,
        "late_commits": sandbox.late.as_json(),
    }


def set_clock(sandbox: Sandbox, request: Request, command: Command) -> Any:
    """Moves, stops or starts the time."""
    moved = sandbox.clock
    if not command:
        raise CommandError('say how to move the clock: "advance_seconds", "set", "freeze" or "follow"')
    if command.get("freeze") and command.get("follow"):
        raise CommandError('"freeze" or "follow", not both')
    advance = command.get("advance_seconds", 0)
    if isinstance(advance, bool) or not isinstance(advance, (int, float)):
        raise CommandError(f'"advance_seconds" is a number, not {advance!r}')
    target = _moment(command["set"]) if "set" in command else None
    if command.get("follow") and sandbox.ticker is None:
        raise CommandError("this sandbox runs in process: its clock moves only when it is told to")
    if command.get("freeze"):
        moved.freeze()
    if target is not None:
        moved.advance((target - moved.now()).total_seconds())
    moved.advance(advance)
    if command.get("follow") and sandbox.ticker is not None:
        moved.follow(sandbox.ticker)
    return clock(sandbox, request, {})


def faults(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """The plan, what has struck, and every kind."""
    spoils = {
        kind: text
        for backend in sandbox.backends.values()
        if isinstance(backend, Spoiler)
        for kind, text in backend.spoils.items()
    }
    return {**sandbox.faults.as_json(), "late_commits": sandbox.late.as_json(), "kinds": KINDS | spoils}


def add_faults(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """One rule, or a plan."""
    return {"added": sandbox.faults.add(command), **sandbox.faults.as_json()}


def clear_faults(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """No faults from here on."""
    sandbox.faults.clear()
    return sandbox.faults.as_json()


def journal(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """The exchanges asked for, with the counts of all."""
    sandbox.settle()
    journal = sandbox.journal
    query = JournalQuery(
        since=_number(command, "since", 0),
        system=command.get("system"),
        method=command.get("method"),
        path=command.get("path"),
        limit=min(_number(command, "limit", JOURNAL_PAGE_MAX), JOURNAL_PAGE_MAX),
    )
    counts = [
        {"system": system, "method": method, "outcome": outcome, "status": status, "count": count}
        for (system, method, outcome, status), count in journal.counts.items()
    ]
    entries = [entry.as_json() for entry in journal.select(query)]
    return {"last_seq": journal.last_seq, "dropped": journal.dropped, "counts": counts, "entries": entries}


def clear_journal(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """Forgets every exchange."""
    sandbox.journal.clear()
    return {"last_seq": sandbox.journal.last_seq}


def snapshot(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """The whole state of one system or of all."""
    return sandbox.dump(command.get("system"))


def save(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """Keeps everything under a name."""
    name = _name(command)
    if name not in sandbox.saved and len(sandbox.saved) >= SAVED_STATES_MAX:
        raise CommandError(f"{SAVED_STATES_MAX} states are saved already; save under one of their names")
    sandbox.saved[name] = sandbox.save()
    return {"saved": list(sandbox.saved)}


def restore(sandbox: Sandbox, _request: Request, command: Command) -> Any:
    """Puts back what was kept under a name."""
    name = _name(command)
    if name not in sandbox.saved:
        raise UnknownNameError("saved state", name, tuple(sandbox.saved))
    sandbox.restore(sandbox.saved[name])
    return {"restored": name, "now": iso(sandbox.clock.now())}


def variants(sandbox: Sandbox, _request: Request, _command: Command) -> Any:
    """Every rule with its variant in force."""
    return {
        rule.id: {
            "variant": sandbox.variants[rule.id],
            "variants": rule.variants,
            "mark": rule.mark,
            "text": rule.text,
        }
        for rule in sandbox.variants.rules.values()
    }


def choose_variants(sandbox: Sandbox, request: Request, command: Command) -> Any:
    """Chooses variants, all or none."""
    choices = command.get("choose", {})
    if not isinstance(choices, dict):
        raise CommandError('"choose" is an object: rule -> variant')
    for rule_id in choices:
        if rule_id not in sandbox.variants.rules:
            raise UnknownNameError("rule", rule_id, tuple(sandbox.variants.rules))
    if command.get("default"):
        sandbox.default_variants()
    if "seed" in command:
        sandbox.draw_variants(command["seed"])
    for rule_id, variant in choices.items():
        sandbox.variants.choose(rule_id, variant)
    return variants(sandbox, request, {})


def credentials(_sandbox: Sandbox, request: Request, _command: Command) -> Any:
    """What a client needs to sign in."""
    credentials: dict[str, Any] = demo_credentials(request.base_url)
    credentials["salesforce"]["jwt_private_key"] = jwt_private_key_pem()
    return credentials


def _name(command: Command) -> str:
    name = command.get("name")
    if not isinstance(name, str) or not name:
        raise CommandError('"name" says which saved state')
    return name


def _number(command: Command, key: str, default: int) -> int:
    text = command.get(key)
    if text is None:
        return default
    if not str(text).isdigit():
        raise CommandError(f"{key} is a whole number, not {text!r}")
    return int(text)


def _moment(text: object) -> datetime:
    try:
        return parse_iso(str(text))
    except ValueError as error:
        raise CommandError(f'"set" is a time such as 2026-11-02T09:00:00Z, not {text!r}') from error
