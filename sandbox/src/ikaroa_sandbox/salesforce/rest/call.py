"""One API request on its way through the handlers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ikaroa_sandbox.core import Request
from ikaroa_sandbox.salesforce import errors, ids
from ikaroa_sandbox.salesforce.schema.model import Field, ObjectType

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.state import State

METHOD_OVERRIDE = "_HttpMethod"
"""The parameter by which clients that cannot send PATCH ask for it in a POST."""
_OPTION = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """A request below `/services/data/vNN.0`, with the org it is for. `parts` are the decoded parts of its path."""

    state: State
    request: Request
    version: int
    parts: tuple[str, ...]
    nested: bool = False
    """Whether it came inside a composite request."""

    @property
    def base(self) -> str:
        """The path of this version's API."""
        return f"/services/data/v{self.version}.0"

    def params(self, *known: str) -> dict[str, str]:
        """The query's parameters by name. Raises NotSimulatedError for one that the sandbox does not know."""
        found = {name: value for name, value in self.request.params() if name != METHOD_OVERRIDE}
        for name in found:
            if name not in known:
                raise errors.NotSimulatedError(
                    f"the parameter {name!r} of {self.request.method} {self.request.path}"
                )
        return found

    def object(self, name: str) -> ObjectType:
        """An object that the user may see. Raises ResourceError (NOT_FOUND)."""
        found = self.state.org.visible.get(name)
        if found is None:
            raise errors.not_found()
        return found

    def json(self) -> Any:
        """The body. Raises RecordError (JSON_PARSER_ERROR) when it is not JSON."""
        try:
            return self.request.json()
        except (ValueError, RecursionError) as error:
            detail = str(error).split(":", maxsplit=1)[0]
            raise errors.RecordError(
                "JSON_PARSER_ERROR", f"The HTTP entity body is not valid JSON: {detail}"
            ) from None

    def json_object(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise errors.RecordError(
                "JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object"
            )
        return body

    def header_time(self, name: str) -> datetime | None:
        """The moment in a header of HTTP's own form. Raises ResourceError for one that is none."""
        text = self.request.headers.get(name)
        if not text:
            return None
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            raise errors.ResourceError(
                "MALFORMED_HEADER", f"Bad value for {name}: {text}", status=400
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

    def batch_size(self) -> int | None:
        """The page size that the client would like."""
        found = _OPTION.search(self.request.headers.get("Sforce-Query-Options", ""))
        return int(found[1]) if found else None


def record_id(item: ObjectType, text: str) -> str:
    """The 18-character id in a path. Raises ResourceError or RecordError as Salesforce does."""
    found = ids.normalise(text)
    if found is None or found[:3] != item.prefix:
        raise errors.no_such_record(text)
    return found


def key_field(item: ObjectType, name: str) -> Field:
    """The external id field in a path. Raises ResourceError (NOT_FOUND), or NotSimulatedError for a record's relationship."""
    given = ids.normalise(name)
    if given is not None and given[:3] == item.prefix:
        raise errors.NotSimulatedError(f"records by a relationship's path: sobjects/{item.name}/{name}/…")
    found = item.field(name)
    if found is None or not (found.external or found.idlookup or found.type == "id"):
        raise errors.ResourceError(
            "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}"
        )
    return found
