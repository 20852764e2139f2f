"""What Xero says when it does not let a call through, and the sentence for it: which call, which scope, what to do.

Xero answers a missing scope with 401 and `insufficient_scope` (or, misspelt, `insufficent_scope`) in WWW-Authenticate, and may
say no more than AuthorizationUnsuccessful; an organisation that took the access away, with 403. What the token itself says
it may do settles it where Xero leaves it open.
"""

from __future__ import annotations

from target_xero.exchange import Answer
from target_xero.limits import CORRELATION_MAX
from target_xero.plan.wire import text_of
from target_xero.xero import scopes


def reason(answer: Answer) -> str:
    """Why Xero refused a whole call, as far as it says."""
    body = answer.body if isinstance(answer.body, dict) else {}
    words = text_of(body, "Detail") or text_of(body, "Message")
    return f"{answer.status} {words}".strip() if words else f"{answer.status} without a reason"


def correlation(answer: Answer) -> str:
    """Xero's own id of the exchange, which its support asks for, to stand behind a reason; empty where there was none."""
    found = answer.headers.get("xero-correlation-id", "")[:CORRELATION_MAX]
    return f", correlation id {found}" if found else ""


def lacks_scope(answer: Answer) -> bool:
    """Whether a 401 or 403 is for want of a scope, as Xero says it."""
    said = f"{answer.headers.get('www-authenticate', '')} {reason(answer)}".lower()
    return "scope" in said or "insufficient" in said


def denied(answer: Answer, organisation: str | None = None) -> str:
    """The sentence for 401 and 403.

    Args:
        answer: the refusal, with what the access was granted.
        organisation: the organisation that the settings name, where one is to be told.
    """
    call = f"{answer.call.method} {answer.call.path}"
    told = f"{reason(answer)}{correlation(answer)}"
    needed = scopes.of_call(answer.call.method, answer.call.path)
    lacking = scopes.missing(needed, answer.granted) if answer.granted else []
    if lacking or lacks_scope(answer):
        named = " ".join(lacking or needed)
        one = f"the scope {named}" if named else "a scope"
        return (
            f"Xero does not allow {call}: the access lacks {one} ({told}). Select it for the app at developer.xero.com and, where "
            "the setting scopes is set, add it there; then authorise again: `target-xero login` for a web or PKCE app, its page at "
            "Xero for a custom connection. Nothing of this call was written."
        )
    where = f" {organisation}" if organisation else ""
    has = "has" if answer.granted else "needs"
    scope = f" It {has} the scope for this call ({' '.join(needed)})." if needed else ""
    return (
        f"Xero refuses the access ({told}) for {call}.{scope} Check that the app is still connected to the organisation{where} "
        "(`target-xero check`) and authorise again; nothing of this call was written."
    )
