"""What an answer to a write means. The only place that decides; nothing else reads a status code of a write.

Of the whole call:

    answer                                    may it have happened?   next
    ----------------------------------------  ----------------------  -------------------------------------------------
    never sent (DNS, refused connect, …)      no                      planned; the attempt does not count
    time-out, reset, broken answer            maybe                   unknown
    2xx with the list of elements             see below               each element by itself
    204 to a DELETE                           yes                     done
    2xx that does not parse, without list     maybe                   unknown
    3xx (we follow none), 408, every 5xx      maybe                   unknown
    400 with Elements                         see below               each element by itself; one without errors, or
                                                                      that is not there: unknown, and in halves
    400 without Elements, 413                 no: it was not read     alone: rejected; in company: planned, in halves
    404, other 4xx                            class U, update: no     alone: rejected; in company: planned, in halves
                                              class N in company:     unknown, and in halves once it is known
                                              maybe
    401, 403                                  no                      planned; the run stops
    429                                       no                      planned; the run stops (short limits are waited for
                                                                      before an answer gets here)

Of one element:

    ERROR, a number or name is taken,         no, but perhaps once    unknown; look up who has it: adopt or refuse
      class U create                          before
    ERROR, create, with a real id             maybe (contradiction)   unknown
    ERROR                                     no                      rejected, with Xero's own words
    OK or WARNING, id, amount as sent         yes                     done
    OK or WARNING, id, another amount         yes                     parked, and linked
    no id, zero id, no element                maybe                   unknown

State is never read from an ERROR element: it echoes what was asked for. A 400 is not believed to be all or nothing. The 400
that cannot be read at all (malformed data) has no Elements; that one is refused before any document is looked at.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_xero.denial import denied, reason
from target_xero.exchange import Answer, Failure
from target_xero.plan.wire import minor, show_minor, text_of

ZERO_ID = "00000000-0000-0000-0000-000000000000"
_TAKEN = re.compile(
    r"must be unique|already (?:been )?assigned|already exists|already in use|unique name|has this contact number",
    re.IGNORECASE,
)


class Next(enum.Enum):
    """What follows from an answer."""

    DONE = "done"
    REJECTED = "rejected"
    UNSENT = "planned again, as if never tried"
    SPLIT = "planned again, in smaller company"
    UNKNOWN = "unknown"
    UNKNOWN_SPLIT = "unknown, in smaller company once it is known"
    CONFLICT = "unknown, taken by somebody"
    PARKED = "parked, and linked"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a call or of one element."""

    next: Next
    note: str = ""
    stop: str | None = None
    """Why the whole run must end; None: it goes on."""


def of_call(  # noqa: PLR0911 (the table)
    answer: Answer, container: str, *, count: int, may_repeat: bool
) -> Verdict | None:
    """What the answer says of the whole call; None when each of its elements speaks for itself.

    Args:
        answer: what came of the call.
        container: the key of the list of elements in the body.
        count: how many documents the call carried.
        may_repeat: a second effect is impossible (class U, or an update that sets values).
    """
    if answer.failure is Failure.NEVER_SENT:
        return Verdict(Next.UNSENT, f"Xero could not be reached ({answer.failure_detail}).")
    if answer.failure is Failure.AMBIGUOUS:
        return Verdict(Next.UNKNOWN, f"No answer came ({answer.failure_detail}); it may have arrived.")
    status = answer.status or 0
    if status == 204 and answer.call.method == "DELETE":  # Xero OpenAPI 16.1.0: it has nothing more to say
        return Verdict(Next.DONE)
    if 200 <= status < 300:
        if elements_of(answer, container) is None:
            return Verdict(Next.UNKNOWN, f"Xero's answer {status} could not be read.")
        return None
    if status in (401, 403):
        return Verdict(Next.UNSENT, stop=denied(answer))
    if status == 429:
        return Verdict(Next.UNSENT, stop=limited(answer))
    if 400 <= status < 500 and status != 408:
        return _refused_call(answer, status, container, count=count, may_repeat=may_repeat)
    return Verdict(Next.UNKNOWN, f"Xero answered {status}; it may have been carried out.")


def _refused_call(
    answer: Answer, status: int, container: str, *, count: int, may_repeat: bool
) -> Verdict | None:
    if status == 400 and elements_of(answer, container):
        return None
    note = f"Xero refused the call: {reason(answer)}"
    if count == 1:
        return Verdict(Next.REJECTED, note)
    return Verdict(Next.SPLIT if status in (400, 413) or may_repeat else Next.UNKNOWN_SPLIT, note)


def of_element(  # noqa: PLR0911 (the table)
    element: Mapping[str, Any] | None,
    id_field: str,
    *,
    op: str,
    unique: bool,
    refused_call: bool,
    amount: tuple[int | None, int | None],
) -> Verdict:
    """What one element of the answer says.

    Args:
        element: as Xero returned it; None when there is none for this document.
        id_field: the name of its id.
        op: what was asked: `create`, `update`, `delete`.
        unique: class U.
        refused_call: the call as a whole was refused (400), so an element without errors proves nothing.
        amount: hundredths as the document says and as the element says; None: nothing to compare.
    """
    unclear = Next.UNKNOWN_SPLIT if refused_call else Next.UNKNOWN
    if element is None:
        return Verdict(unclear, "Xero's answer does not mention it.")
    remote_id = text_of(dict(element), id_field)
    has_id = bool(remote_id) and remote_id != ZERO_ID
    if is_error(element):
        note = messages_of(element) or "Xero refused it without saying why."
        if op == "create" and unique and (has_id or _TAKEN.search(note)):
            return Verdict(Next.CONFLICT, note)
        if op == "create" and has_id:
            return Verdict(Next.UNKNOWN, note)
        return Verdict(Next.REJECTED, note)
    if refused_call or not has_id:
        return Verdict(unclear, "Xero's answer does not say whether it was saved.")
    expected, found = amount
    if op != "delete" and expected is not None and found is not None and expected != found:
        return Verdict(
            Next.PARKED,
            f"It is in Xero, but Xero made {show_minor(found)} of it and the source says {show_minor(expected)}. "
            "Correct it in Xero or in the source, then run `target-xero retry`.",
        )
    return Verdict(Next.DONE, messages_of(element, "Warnings"))


def elements_of(answer: Answer, container: str) -> list[dict[str, Any]] | None:
    """The elements of an answer: its list, or `Elements` of a refusal; None when there is no such list."""
    if not isinstance(answer.body, dict):
        return None
    found = answer.body.get("Elements" if answer.status == 400 else container)
    if not isinstance(found, list):
        return None
    return [element for element in found if isinstance(element, dict)]


def is_error(element: Mapping[str, Any]) -> bool:
    """Whether Xero refused this element."""
    return element.get("StatusAttributeString") == "ERROR" or bool(element.get("ValidationErrors"))


def messages_of(element: Mapping[str, Any], key: str = "ValidationErrors") -> str:
    """Xero's own words about an element."""
    found = element.get(key)
    words = (
        [text_of(entry, "Message") for entry in found if isinstance(entry, dict)]
        if isinstance(found, list)
        else []
    )
    return "; ".join(dict.fromkeys(word for word in words if word))


def limited(answer: Answer) -> str:
    """The sentence for a 429 that could not be waited for."""
    problem = answer.headers.get("x-rate-limit-problem", "rate")
    after = answer.headers.get("retry-after")
    when = f" Xero takes calls again in {after} seconds." if after else ""
    if problem.lower().startswith("day"):
        return f"Today's limit of calls to this organisation is used up.{when} What is left goes with a later run."
    return f"Xero keeps refusing calls for its {problem} limit.{when} What is left goes with a later run."


def amount_minor(kind: str, element: Mapping[str, Any], *, inclusive: bool = False) -> int | None:
    """The amount of an element that the document's own amount is compared with, in hundredths."""
    if kind in ("payments", "allocations"):
        return minor(element.get("Amount"))
    if kind in ("contacts", "items"):
        return None
    return minor(element.get("Total" if inclusive else "SubTotal"))
