"""Streams that were not read to the end for a reason of their own, while the others are read on.

What an error stands for says its class (`TapError.of_one_stream`). A stream that failed keeps its bookmark, so that the next
run reads what this one did not; the run ends with one error for all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tap_salesforce_ikaroa.errors import StreamsFailedError, TapError

logger = logging.getLogger("tap-salesforce-ikaroa")


class Failures:
    """Of one run."""

    def __init__(self) -> None:
        self.go_on = False
        """Whether somebody asks at the end (`conclude`); else the first failure ends it all."""
        self._errors: dict[str, TapError] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self._errors

    @contextmanager
    def told(self, stream: str, *, others: bool) -> Iterator[None]:
        """Reads a stream inside. Its own failure is kept for the end, unless there are no `others` to go on with.

        Raises:
            TapError: the whole run cannot go on.
        """
        try:
            yield
        except TapError as error:
            if not (self.go_on and others and error.of_one_stream):
                raise
            self._note(stream, error)

    def read_after_all(self, stream: str) -> None:
        """A stream was read to the end; what stood in the way before no longer counts."""
        self._errors.pop(stream, None)

    def _note(self, stream: str, error: TapError) -> None:
        known = self._errors.get(stream)
        again = known is not None and str(known) == str(error)
        logger.log(
            logging.INFO if again else logging.WARNING,
            "%s The other streams are read on",
            _sentence(stream, error),
        )
        self._errors[stream] = error

    def conclude(self, streams: int) -> None:
        """Ends a run of so many streams.

        Raises:
            StreamsFailedError: some were not read to the end.
        """
        if not self._errors:
            return
        failed = " ".join(_sentence(stream, error) for stream, error in self._errors.items())
        raise StreamsFailedError(
            f"{len(self._errors)} of {streams} streams could not be read to the end. {failed} All other streams were read. The "
            "bookmarks of those that failed stay: once the cause is gone, the next run reads what is missing. A stream that is "
            "not needed can be deselected"
        )


def _sentence(stream: str, error: TapError) -> str:
    text = str(error)
    named = text if text.startswith(stream) else f"{stream}: {text}"
    return named if named.endswith((".", "!", "?", "…")) else f"{named}."
