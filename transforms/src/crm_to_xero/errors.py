"""What can go wrong, grouped by what the caller should do.

    CrmToXeroError
    ├── MappingFileError       correct the mapping file or its options; raised by `load_mapping`, before anything is read
    │   └── ExampleFileError   correct the examples beside it; raised by the check command only
    ├── UnknownStreamError     ask only for streams in `Mapping.streams`
    └── RecordError            the record is no JSON object: correct what sends it

A record that a mapping cannot work out raises nothing: it gives a document with `refusals`, so that the run goes on and the
record is not lost. `ExpressionError` carries the reason up to that document and never leaves the package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CrmToXeroError",
    "ExampleFileError",
    "ExpressionError",
    "MappingFileError",
    "RecordError",
    "UnknownStreamError",
    "nearest",
]


class CrmToXeroError(Exception):
    """Base of all errors of this package."""


class MappingFileError(CrmToXeroError):
    """A mapping file, or the options given to it, cannot be used as they are.

    The text is one line for people: `salesforce.yml:41: streams.Account.documents[0].fields.Nmae: a contact has no such
    field. Did you mean Name?`
    """

    def __init__(
        self, problem: str, *, file: str, line: int | None = None, field: str = "", cure: str = ""
    ) -> None:
        """Build the one line.

        Args:
            problem: What is wrong, a clause without the place.
            file: Name of the file as the user knows it.
            line: Line in the file, from 1; None where no line is to blame (a missing file, an option given outside).
            field: Dotted path inside the file.
            cure: What to do about it.
        """
        self.problem, self.file, self.line, self.field, self.cure = problem, file, line, field, cure
        place = file if line is None else f"{file}:{line}"
        text = f"{place}: {field}: {problem}" if field else f"{place}: {problem}"
        super().__init__(f"{text.rstrip('.')}. {cure}".rstrip())


class ExampleFileError(MappingFileError):
    """The examples beside a mapping cannot be read."""


class UnknownStreamError(CrmToXeroError):
    """`Mapping.documents` was asked for a stream that the mapping does not name."""


class RecordError(CrmToXeroError):
    """A record is not a JSON object."""


class ExpressionError(Exception):
    """One expression could not be worked out for one record; becomes a refusal in the document."""

    def __init__(
        self, reason: str, *, value: str = "", name: str = "", line: int = 0, origin: object = None
    ) -> None:
        """Keep the reason and the values that led to it.

        Args:
            reason: What went wrong.
            value: The expression and the values it had before it.
            name: The name under which the expression stands, where that is a `let`: all that uses it fails for this one reason.
            line: Its line in the file.
            origin: The scope it was worked out in.
        """
        self.reason, self.value, self.name, self.line, self.origin = reason, value, name, line, origin
        super().__init__(reason)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, else which there are; empty when there are none.

    Args:
        name: What was written.
        known: What could have been written.
    """
    names = sorted({str(item) for item in known})
    if not names:
        return ""
    folded = {item.lower(): item for item in names}
    close = difflib.get_close_matches(name.lower(), list(folded), n=1)
    if not close and name:
        close = [item for item in folded if item.startswith(name.lower())]
    if close:
        return f"Did you mean {folded[close[0]]}?"
    shown = ", ".join(names[:30])
    return f"Known: {shown}{', …' if len(names) > 30 else ''}."
