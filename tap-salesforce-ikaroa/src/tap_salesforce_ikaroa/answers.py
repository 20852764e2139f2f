"""The one place that decides what an HTTP answer of Salesforce means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec
from requests.structures import CaseInsensitiveDict

from tap_salesforce_ikaroa import errors, limits

TRANSIENT_STATUS = frozenset({406, 420, 429, 500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "UNABLE_TO_LOCK_ROW"})
OWN_FAILURES = frozenset({"UNKNOWN_EXCEPTION"})
"""Codes of a 500 for one request that Salesforce stumbles over, again and again, while it serves others."""
_BY_CODE: dict[str, type[errors.RequestError]] = {
    "QUERY_TIMEOUT": errors.QueryTimeoutError,
    "OPERATION_TOO_LARGE": errors.QueryTimeoutError,  # of who may see what: Salesforce advises shorter windows
    "QUERY_TOO_COMPLICATED": errors.QueryTooLongError,
    "INVALID_QUERY_LOCATOR": errors.LocatorExpiredError,
    "INVALID_LOCATOR": errors.LocatorExpiredError,
    "INVALID_REPLICATION_DATE": errors.HistoryGoneError,
    "EXCEEDED_ID_LIMIT": errors.TooManyIdsError,
    "INVALID_TYPE": errors.NotVisibleError,
    "NOT_FOUND": errors.NotVisibleError,
    "UNSUPPORTED_API_VERSION": errors.VersionRetiredError,
    "API_DISABLED_FOR_ORG": errors.ApiClosedError,
    "API_CURRENTLY_DISABLED": errors.ApiClosedError,
}
_BY_STATUS: dict[int, type[errors.RequestError]] = {
    401: errors.SessionExpiredError,
    404: errors.NotVisibleError,
    410: errors.VersionRetiredError,
    414: errors.QueryTooLongError,
    431: errors.QueryTooLongError,
}
_QUOTES = "'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb"
_QUOTED_NAME = re.compile(r"'([A-Za-z][A-Za-z0-9_.]{0,254})'|\"([A-Za-z][A-Za-z0-9_.]{0,254})\"")
_SHORT_FORM = re.compile(r"(?<=[a-z])'(?=(?:s|t|re|ve|ll|d|m)\b)")  # it's, don't: no quote
_QUOTE = re.compile(f"[{_QUOTES}]")
_OPEN, _CLOSE, _APOSTROPHE = (
    "\x01",
    "\x02",
    "\x03",
)  # stand for what may stay; control characters are gone by then
_names: set[str] = {"string", "integer", "number", "boolean", "object", "array", "null"}
_MAIL = re.compile(r"[^\s<>(),;:'\"]+@[^\s<>(),;:'\"]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class PlainDecimal(Decimal):
    """A decimal that never writes itself in scientific notation: `1E+3` stays readable as `1000`."""

    def __str__(self) -> str:
        return format(self, "f")


def exact(text: str) -> Decimal:
    """A JSON number with a point or exponent, digits kept."""
    value = Decimal(text)
    return PlainDecimal(value) if "E" in str(value) else value


def _no_json(constant: str) -> Any:
    raise ValueError(constant)


_decoder = msgspec.json.Decoder(float_hook=exact)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=CaseInsensitiveDict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal.

        Raises:
            UnexpectedAnswerError: the body is something else, such as a page of HTML.
        """
        return self._parsed

    @cached_property
    def _parsed(self) -> Any:
        try:
            return _decoder.decode(self.body)
        except (RecursionError, ValueError):
            pass
        try:  # slower, and it reads half a surrogate pair, which is left where a text was cut in an emoji
            return json.loads(self.body, parse_float=exact, parse_constant=_no_json)
        except (RecursionError, ValueError) as error:
            raise no_answer(self) from error


def no_answer(answer: Answer) -> errors.NoAnswerError:
    """What an answer that is none is told as."""
    kind = answer.headers.get("Content-Type", "no content type").split(";")[0]
    if "json" in kind:
        return errors.NoAnswerError(
            f"Salesforce's answer ({answer.status}) breaks off or is not JSON, though it says so. Run again; if it happens "
            "again, look for a proxy in between"
        )
    return errors.NoAnswerError(
        f"Salesforce answered {answer.status} with {kind} in the place of data: maintenance, a proxy in between, "
        "or `login_url` is not a Salesforce address. Check the address and status.salesforce.com"
    )


def is_page_for_people(answer: Answer) -> bool:
    """Whether it is a page of HTML, which no API gives."""
    return "html" in str(answer.headers.get("Content-Type", "")).lower()


def learn_names(names: Iterable[str]) -> None:
    """Notes names of objects, fields and settings: in quotes, these alone may stand in a log."""
    _names.update(name.lower() for name in names)


def safe_text(text: str) -> str:
    """Salesforce's own sentence, fit for a log: one line, bounded, without e-mail addresses and without quoted values.

    A quoted name that `learn_names` was told of stays. Of anything else in quotes nothing does, whatever quotes are in it:
    all from the first of them to the last goes, or to the end where the last is not there.
    """

    def keep_known(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        known = all(part.lower() in _names for part in name.split("."))
        return f"{_OPEN}{name}{_CLOSE}" if known else match.group()

    line = _CONTROL.sub(" ", text[: 4 * limits.ERROR_TEXT_CHARS])
    line = _SHORT_FORM.sub(_APOSTROPHE, _QUOTED_NAME.sub(keep_known, line))
    if places := [match.start() for match in _QUOTE.finditer(line)]:
        closed = len(places) % 2 == 0 and len(text) <= 4 * limits.ERROR_TEXT_CHARS
        line = f"{line[: places[0]]}'…'{line[places[-1] + 1 :] if closed else ''}"
    for mark in (_OPEN, _CLOSE, _APOSTROPHE):
        line = line.replace(mark, "'")
    line = _MAIL.sub("…", line).strip()
    return line if len(line) <= limits.ERROR_TEXT_CHARS else line[: limits.ERROR_TEXT_CHARS] + "…"


def error_of(payload: Any) -> tuple[str, str]:
    """`(errorCode, message)` from an API error (a list of objects) or an OAuth error (an object)."""
    first = payload[0] if isinstance(payload, list) and payload else payload
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or first.get("statusCode") or ""
    message = first.get("message") or first.get("error_description") or ""
    return safe_text(str(code)), safe_text(str(message))


def refusal(status: int, payload: Any) -> errors.TapError:
    """The error that an answer of 300 and above stands for."""
    code, message = error_of(payload)
    said = ": ".join(part for part in (code, message) if part) or "no reason given"
    if status == 403 and code == "REQUEST_LIMIT_EXCEEDED" and "oncurrent" not in message:
        return errors.QuotaReachedError(
            f"the org's daily API calls are used up ({said}). What was read so far is in STATE; run again later, "
            "or see `quota_percent_total` to stop before this"
        )
    if 300 <= status < 400:
        return errors.UnexpectedAnswerError(
            f"Salesforce answered with a redirect ({status}), which is not followed. Set `login_url` to the address "
            "that Setup shows under My Domain"
        )
    if code == "INVALID_FIELD":
        said = (
            said.rstrip(". ")
            + ". If it was removed or hidden during this run, run again: each run asks anew what there is"
        )
    if code.startswith("INSUFFICIENT_ACCESS"):
        said = (
            said.rstrip(". ")
            + ". Give the integration user read access (permission set), or deselect the stream"
        )
    # A 401 is a matter of the session whatever its code says.
    kind = (
        _BY_STATUS[401]
        if status == 401
        else _BY_CODE.get(code) or _BY_STATUS.get(status, errors.RequestError)
    )
    return kind(f"Salesforce refused the request ({status} {said})", code, status)


def is_transient(status: int, payload: Any) -> bool:
    """Whether the same request may well succeed a little later."""
    code, message = error_of(payload)
    if code in _BY_CODE:
        return False
    if status == 403 and code == "REQUEST_LIMIT_EXCEEDED":
        return "oncurrent" in message  # the other one is the day's
    return status in TRANSIENT_STATUS or code in TRANSIENT_CODES
