"""STATE as it is given, brought into the form of `bookmarks`: of this tap, of an older Salesforce tap, or edited by a person.

Moments with an offset or without milliseconds get the form that sorts. The entry of a stream that is not read is nobody's
business here: it is passed on as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tap_salesforce_ikaroa.describe import REPLICATION_KEYS
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.window import EPOCH, parse_stamp

_CURE = "Give a STATE that this tap wrote, or run once with a full refresh"
_WRAPPED = {
    "completed": {"completed", "partial", "partial_state"},  # as Meltano keeps it
    "singer_state": {"singer_state"},
    "value": {"type", "value"},  # a whole STATE message
}
_OF_THE_SDK = ("progress_markers", "replication_key_signpost", "starting_replication_value")
"""What a tap that was cut leaves behind, and what the SDK would make a bookmark of."""


def entries(state: Any) -> dict[str, Any]:
    """Each stream's entry, as it was given.

    Raises:
        SettingsError: it is no STATE.
    """
    for around, others in _WRAPPED.items():
        if isinstance(state, dict) and around in state and set(state) <= others:
            state = state[around]
    bookmarks = (state.get("bookmarks") or {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict):
        raise SettingsError(f'STATE has another form: {{"bookmarks": {{stream: …}}}} is expected. {_CURE}')
    return bookmarks


def adopted(stream: str, entry: Any) -> dict[str, Any]:
    """The entry of a stream that is read, as this tap writes it. Older taps wrote `{"SystemModstamp": …}`.

    Raises:
        SettingsError: something in it means nothing; what it stood for is not known.
    """
    if not isinstance(entry, dict):
        raise SettingsError(f"STATE of {stream} has another form: an object is expected. {_CURE}")
    foreign = next((key for key in REPLICATION_KEYS if entry.get(key)), None)
    if foreign and "replication_key_value" not in entry:
        entry = {"replication_key": foreign, "replication_key_value": entry[foreign]}
    return {
        name: _read(stream, name, value)
        for name, value in entry.items()
        if value is not None and name not in _OF_THE_SDK
    }


def _read(stream: str, part: str, value: Any) -> Any:
    try:
        return _PARTS[part](value) if part in _PARTS else value
    except (AttributeError, KeyError, TypeError, ValueError):
        kind = "no date-time" if isinstance(value, str | int) else "not what this tap writes"
        raise SettingsError(f"STATE of {stream}: `{part}` is {kind}: {str(value)[:40]!r}. {_CURE}") from None


def _stamp(value: str) -> str:
    return format_stamp(max(parse_stamp(value), EPOCH))


def _bookmark(value: str) -> str:
    return _stamp(value) if value != "" else value


def _stamps(value: Mapping[str, str]) -> dict[str, str]:
    return {name: _stamp(moment) for name, moment in value.items()}


def _covered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, "until": _stamp(value["until"])} if value else {}


def _recheck(value: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(value)
    if "done" in given:
        given["done"] = _stamp(given["done"])
    if not all(isinstance(row_id, str) for row_id in given.get("seen") or ()):
        raise ValueError("seen")
    return {**given, **({"up_to": int(given["up_to"])} if "up_to" in given else {})}


_PARTS: dict[str, Callable[[Any], Any]] = {
    "replication_key_value": _bookmark,
    "covered": _covered,
    "children": _stamps,
    "deletions": _stamps,
    "recheck": _recheck,
    "settled": _stamp,
    "refreshed": _stamp,
    "compared": _stamp,
}
"""How the parts are read whose loss would lose something. Places of Bulk jobs and of events that mean nothing are begun anew."""
