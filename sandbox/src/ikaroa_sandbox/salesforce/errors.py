"""What the Salesforce half answers when it refuses, grouped by what the caller should do.

    WireError                  has a `response()`: the request ends with it
    ├── TokenError             400 object `{"error", "error_description"}`: fix the credentials, sign in again
    ├── NotSimulatedError           501: the sandbox does not know this part of Salesforce, and names it
    └── SalesforceError        array `[{"message", "errorCode", "fields"?}]`
        ├── SessionError       401: sign in again, once
        ├── LimitError         403: stop, or back off
        ├── QueryError         400: the SOQL is wrong; the message shows where
        ├── ResourceError      404, 405, 410, 414, 431 …: the address is wrong
        └── RecordError        400 (404 for a record that is gone): this row is refused; its neighbours need not be

Texts are those of the Salesforce developer docs and of public error reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import wire

_CONTEXT_CHARS = 40


class WireError(Exception):
    """A request that ends with this answer."""

    status = 500

    def body(self) -> Any:
        """The answer's JSON value."""
        raise NotImplementedError

    def response(self) -> Response:
        """The answer as it goes onto the wire."""
        return wire.json_response(self.body(), self.status)


class TokenError(WireError):
    """The token end point's refusal."""

    status = 400

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description = error, description

    def body(self) -> Any:
        """OAuth's own object."""
        return {"error": self.error, "error_description": self.description}


class SalesforceError(WireError):
    """An error of the API proper."""

    status = 400

    def __init__(
        self, code: str, message: str, fields: Sequence[str] = (), status: int | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, list(fields)
        if status is not None:
            self.status = status

    def body(self) -> Any:
        """The array that every REST error is."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            error["fields"] = self.fields
        return [error]

    def row(self) -> dict[str, Any]:
        """The same error inside a row's result, where the code is called `statusCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


class NotSimulatedError(SalesforceError):
    """The sandbox cannot do this; a silent 200 would be a lie."""

    status = 501

    def __init__(self, what: str) -> None:
        super().__init__("NOT_SIMULATED", f"The sandbox's Salesforce does not know {what}")


class SessionError(SalesforceError):
    """No valid access token came with the request."""

    status = 401

    def __init__(self, code: str = "INVALID_SESSION_ID", message: str = "Session expired or invalid") -> None:
        super().__init__(code, message)


class LimitError(SalesforceError):
    """The org's API requests are used up."""

    status = 403

    def __init__(self, message: str = "TotalRequests Limit exceeded.") -> None:
        super().__init__("REQUEST_LIMIT_EXCEEDED", message)


class QueryError(SalesforceError):
    """A query that is wrong. With a position, the message shows the place as Salesforce does."""

    def __init__(self, code: str, message: str, text: str = "", position: int | None = None) -> None:
        if position is not None:
            message = f"{_pointer(text, position)}\n{message}"
        super().__init__(code, message)


def _pointer(text: str, position: int) -> str:
    row = text.count("\n", 0, position) + 1
    line_start = text.rfind("\n", 0, position) + 1
    line_end = text.find("\n", position)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    column = position - line_start
    start = max(0, column - _CONTEXT_CHARS)
    shown = line[start : column + _CONTEXT_CHARS]
    return f"\n{shown}\n{' ' * (column - start)}^\nERROR at Row:{row}:Column:{column + 1}"


class ResourceError(SalesforceError):
    """The address, the method or the size of a request is wrong."""

    status = 404


class RecordError(SalesforceError):
    """One row is refused."""


def not_found() -> ResourceError:
    """No such resource."""
    return ResourceError("NOT_FOUND", "The requested resource does not exist")


def no_such_record(value: str) -> RecordError:
    """No record has this id or external id."""
    text = f"Provided external ID field does not exist or is not accessible: {value}"
    return RecordError("NOT_FOUND", text, status=404)


def entity_deleted() -> RecordError:
    """The record is in the recycle bin, or gone."""
    return RecordError("ENTITY_IS_DELETED", "entity is deleted", status=404)


def method_not_allowed(method: str, allowed: Sequence[str]) -> ResourceError:
    """The resource is there, this verb is not for it."""
    text = f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
    return ResourceError("METHOD_NOT_ALLOWED", text, status=405)
