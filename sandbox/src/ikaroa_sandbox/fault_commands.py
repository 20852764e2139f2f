"""From the JSON of a fault command to rules and rates, with one clear sentence for whatever is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ikaroa_sandbox.errors import CommandError, UnknownNameError
from ikaroa_sandbox.fault_rules import KINDS, Chance, Fault, FaultRule, Scope
from ikaroa_sandbox.limits import FAULT_SECONDS_MAX

Known = Callable[[str, "str | None"], bool]
"""Whether a kind that the shell does not know is one of a system's own (of any system when None)."""

SYSTEMS = ("salesforce", "xero")
LATE_ANSWERS = ("timeout", "reset", "500", "502", "503", "504")
_SCOPE_KEYS = frozenset({"system", "method", "path", "query", "body"})
_RULE_KEYS = _SCOPE_KEYS | {
    "id",
    "do",
    "nth",
    "every",
    "after",
    "times",
    "seconds",
    "status",
    "answer",
    "edit",
}
_PLAN_KEYS = _SCOPE_KEYS | {"rules", "rates", "seed", "budget"}


def parse_plan(
    command: Mapping[str, Any], known: Known, numbered_from: int
) -> tuple[list[FaultRule], Chance | None]:
    """One rule (`do`), or `rules` and/or `rates`. Raises CommandError for anything that is not one of these."""
    if "do" in command:
        return [_rule(command, known, numbered_from)], None
    if not {"rules", "rates"} & set(command):
        raise CommandError(f'a fault needs "do"; a plan needs "rules" or "rates". Kinds: {", ".join(KINDS)}')
    _refuse_unknown(command, _PLAN_KEYS, "fault plan")
    entries = command.get("rules", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CommandError(f'"rules" is a list of objects, not {entries!r}')
    rules = [_rule(entry, known, numbered_from + index) for index, entry in enumerate(entries)]
    return rules, _chance(command, known) if "rates" in command else None


def _rule(command: Mapping[str, Any], known: Known, number: int) -> FaultRule:
    _refuse_unknown(command, _RULE_KEYS, "fault rule")
    if "do" not in command:
        raise CommandError(f'a fault rule needs "do", one of: {", ".join(KINDS)}')
    scope = _scope(command)
    kind = _kind(command["do"], known, scope.system)
    nth, every = _nth(command.get("nth")), _whole(command, "every", least=1)
    if nth is not None and every is not None:
        raise CommandError('a fault rule has "nth" or "every", not both')
    times = _whole(command, "times", least=1)
    if times is None and nth is None and every is None:
        times = 1  # a bare rule strikes once, at the next request it is about
    edit = command.get("edit")
    if (kind == "edit") != isinstance(edit, dict):
        raise CommandError(
            '"edit" (an object, as for POST /_sandbox/edit) belongs to "do": "edit" and nothing else'
        )
    if isinstance(edit, dict) and edit.get("system") not in SYSTEMS:
        raise UnknownNameError("system", edit.get("system"), SYSTEMS)
    answer = str(command.get("answer", "timeout"))
    if answer not in LATE_ANSWERS:
        raise UnknownNameError("answer of a late commit", answer, LATE_ANSWERS)
    fault = Fault(
        kind=kind,
        rule=str(command.get("id", f"rule-{number}")),
        given_seconds=_seconds(command.get("seconds")),
        status=_whole(command, "status", least=200),
        answer=answer,
        edit=edit,
    )
    after = _whole(command, "after", least=0) or 0
    return FaultRule(fault, scope, nth, every, after, times, source=dict(command))


def _chance(command: Mapping[str, Any], known: Known) -> Chance:
    rates, scope = command["rates"], _scope(command)
    if not isinstance(rates, dict) or not rates:
        raise CommandError('"rates" is an object: kind of fault -> share of requests, 0 to 1')
    for kind, rate in rates.items():
        _kind(kind, known, scope.system)
        if kind == "edit":
            raise CommandError('"edit" needs a rule of its own: chance cannot know what to edit')
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise CommandError(f"the rate of {kind} is a number from 0 to 1, not {rate!r}")
    if sum(rates.values()) > 1:
        raise CommandError(
            f"the rates add up to {sum(rates.values()):g}; they are shares of all requests, at most 1"
        )
    seed = command.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, (int, str)):
        raise CommandError(f'"seed" is a whole number or a text, not {seed!r}')
    source = {key: value for key, value in command.items() if key != "rules"}
    return Chance(dict(rates), scope, _whole(command, "budget", least=0), seed, source)


def _scope(command: Mapping[str, Any]) -> Scope:
    system = command.get("system")
    if system is not None and system not in SYSTEMS:
        raise UnknownNameError("system", system, SYSTEMS)
    methods = command.get("method")
    if isinstance(methods, str):
        methods = [methods]
    if methods is not None and not (
        isinstance(methods, list) and all(isinstance(entry, str) for entry in methods)
    ):
        raise CommandError(f'"method" is a method or a list of them, not {methods!r}')
    return Scope(
        system=system,
        methods=frozenset(entry.upper() for entry in methods) if methods else None,
        path=_pattern(command, "path"),
        query=_pattern(command, "query"),
        body=_pattern(command, "body"),
    )


def _kind(kind: object, known: Known, system: str | None) -> str:
    if isinstance(kind, str) and (kind in KINDS or known(kind, system)):
        return kind
    raise UnknownNameError("fault", kind, tuple(KINDS))


def _pattern(command: Mapping[str, Any], key: str) -> re.Pattern[str] | None:
    text = command.get(key)
    if text is None:
        return None
    try:
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise CommandError(f"{key} {text!r} is no regular expression: {error}") from error


def _nth(value: object) -> frozenset[int] | None:
    if value is None:
        return None
    places = value if isinstance(value, list) else [value]
    if not places or not all(
        isinstance(place, int) and not isinstance(place, bool) and place > 0 for place in places
    ):
        raise CommandError(f'"nth" is a place counted from 1, or a list of them, not {value!r}')
    return frozenset(places)


def _whole(command: Mapping[str, Any], key: str, least: int) -> int | None:
    value = command.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CommandError(f'"{key}" is a whole number of at least {least}, not {value!r}')
    return value


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= FAULT_SECONDS_MAX:
        raise CommandError(f'"seconds" is a number from 0 to {FAULT_SECONDS_MAX}, not {value!r}')
    return float(value)


def _refuse_unknown(command: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    unknown = sorted(set(command) - known)
    if unknown:
        raise CommandError(
            f"a {what} has no {', '.join(map(repr, unknown))}; it has {', '.join(sorted(known))}"
        )
