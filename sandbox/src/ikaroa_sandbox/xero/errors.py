"""What the Xero half answers when it refuses, grouped by what is refused.

    WireError                   has a `response()`: the whole request ends with it
    ├── Unauthorised            401: token unknown, expired, or without the scope
    ├── Forbidden               403: the tenant is not connected to this token
    ├── NotFound                404: no JSON, `text/html`
    ├── BadRequest              400: `{ErrorNumber, Type, Message}`
    │   ├── PostDataInvalid     14: the body cannot be read as what the endpoint wants
    │   ├── QueryParseError     16: `where` or `order` cannot be understood
    │   ├── NoDataProcessed     17: the body holds nothing for this endpoint
    │   └── ValidationFailed    10: some element is refused and errors are summarised
    ├── UnknownError            500: Xero's own
    ├── RateLimited             429: empty body, the reason in headers
    └── NotSimulated            501: the sandbox does not know this part of Xero, and names it
    ElementInvalid              one element of a body is refused; the frame decides what becomes of the request
    TokenError                  the token end point's 400 `{"error": …}`

Shapes are those of recorded traffic and of the Xero developer docs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.xero import wire


class WireError(Exception):
    """A request that ends with this answer."""

    status = 500

    def body(self) -> tuple[str, bytes]:
        """Content type and bytes of the answer."""
        return "", b""

    def headers(self) -> dict[str, str]:
        """Headers beside the content type."""
        return {}

    def response(self) -> Response:
        """The answer as it goes onto the wire."""
        content_type, body = self.body()
        return Response(self.status, {"Content-Type": content_type, **self.headers()}, body)


class _Problem(WireError):  # noqa: N818 - named after the HTTP answer
    """The gateway's shape for 401 and 403."""

    title = ""

    def __init__(self, detail: str, instance: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail, self.instance, self.extra = detail, instance, dict(headers or {})

    def headers(self) -> dict[str, str]:
        """`WWW-Authenticate` where a scope is missing."""
        return self.extra

    def body(self) -> tuple[str, bytes]:
        """The recorded shape: Type, Title, Status, Detail, Instance, Extensions."""
        content: dict[str, Any] = {
            "Type": None,
            "Title": self.title,
            "Status": self.status,
            "Detail": self.detail,
            "Instance": self.instance,
            "Extensions": {},
        }
        return wire.JSON_UTF8, wire.dumps(content)


class Unauthorised(_Problem):
    """The token is not worth anything here: get a new one, or one with the scope."""

    status, title = 401, "Unauthorized"


class Forbidden(_Problem):
    """This token may not speak for this tenant."""

    status, title = 403, "Forbidden"


class NotFound(WireError):  # noqa: N818 - named after the HTTP answer
    """No such record, or no such end point of an existing record."""

    status = 404

    def body(self) -> tuple[str, bytes]:
        """Recorded: `text/html` and no JSON."""
        return "text/html", b"The resource you're looking for cannot be found"


class BadRequest(WireError):  # noqa: N818 - named after the HTTP answer
    """A 400 of the accounting API."""

    status = 400
    number = 0
    type = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def content(self) -> dict[str, Any]:
        """The answer's JSON."""
        return {"ErrorNumber": self.number, "Type": self.type, "Message": self.message}

    def body(self) -> tuple[str, bytes]:
        """The answer's JSON as bytes."""
        return wire.JSON_UTF8, wire.dumps(self.content())


class PostDataInvalid(BadRequest):
    """The body, or a value in it, has not the form the endpoint reads."""

    number, type = 14, "PostDataInvalidException"


class QueryParseError(BadRequest):
    """`where` or `order` is not understood."""

    number, type = 16, "QueryParseException"


class NoDataProcessed(BadRequest):
    """The body holds no element of this endpoint, or not as the endpoint reads them. `type_name`: of what, `Contact`."""

    number, type = 17, "NoDataProcessedException"

    def __init__(self, type_name: str) -> None:
        super().__init__(
            "No data has been processed for this endpoint. "
            f"This endpoint is expecting {type_name} data to be specifed in the request body."
        )


class ValidationFailed(BadRequest):
    """At least one element is refused, and the request asked for one answer to all of them."""

    number, type = 10, "ValidationException"

    def __init__(self, elements: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("A validation exception occurred")
        self.elements = list(elements)

    def content(self) -> dict[str, Any]:
        """The refused elements, each with its `ValidationErrors`."""
        return {**super().content(), "Elements": self.elements}


class UnknownError(BadRequest):
    """Xero failed on its own side; the form is the one of a 400."""

    status, number, type = 500, 500, "UnknownErrorException"

    def __init__(
        self,
        message: str = "An error occurred in Xero. Check the API Status page for current service status.",
    ) -> None:
        super().__init__(message)


class RateLimited(WireError):  # noqa: N818 - named after the HTTP answer
    """Too many requests: recorded as an empty body, everything is in the headers."""

    status = 429

    def __init__(self, problem: str, retry_after: int | None) -> None:
        super().__init__(problem)
        self.problem, self.retry_after = problem, retry_after

    def headers(self) -> dict[str, str]:
        """`X-Rate-Limit-Problem`, and `Retry-After` unless the limit is the concurrent one."""
        found = {"X-Rate-Limit-Problem": self.problem}
        if self.retry_after is not None:
            found["Retry-After"] = str(self.retry_after)
        return found


class NotSimulated(WireError):  # noqa: N818 - named after the HTTP answer
    """The sandbox does not know this part of Xero: never a silent 200."""

    status = 501

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def body(self) -> tuple[str, bytes]:
        """One sentence naming what is missing."""
        return wire.JSON_UTF8, wire.dumps(
            {"Type": "NotSimulated", "Message": f"The sandbox does not simulate {self.what}"}
        )


class ElementInvalid(Exception):  # noqa: N818 - says what the element is
    """One element of a body is refused.

    Args:
        messages: the `ValidationErrors`, in order.
        echo: what the answer repeats of the element, as wire values; without `ValidationErrors` and status, which
            the frame adds. Where the id field is missing the frame puts the zero GUID.
    """

    def __init__(self, messages: str | Sequence[str], echo: Mapping[str, Any] | None = None) -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("; ".join(self.messages))
        self.echo = dict(echo or {})


class TokenError(Exception):
    """The token end point refuses: 400 `{"error": code}`."""

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(code)
        self.code, self.description = code, description

    def content(self) -> dict[str, str]:
        """The answer's JSON."""
        return {"error": self.code, **({"error_description": self.description} if self.description else {})}
