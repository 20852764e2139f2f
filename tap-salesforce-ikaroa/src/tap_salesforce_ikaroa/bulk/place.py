"""Where a reading by Bulk stands, as it is kept in STATE, so that a run that was cut goes on with the same jobs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.window import Window


@dataclass
class Place:
    """The jobs of one window and how far they have been read and written."""

    jobs: dict[str, str]
    """Job ids: of the root under "", of children under their relationship."""
    form: str
    """What the jobs give: columns, objects, API version. A place of another form cannot be read on."""
    start: str | None
    """The window's start; what lies before it is not in the jobs."""
    begun: str | None = None
    """When the jobs were made."""
    ceiling: str | None = None
    """How far the bookmark may go by these jobs: what was known when they were made."""
    locator: str | None = None
    """The result page to read next; None is the first."""
    rows: int = 0
    """Rows in the pages before it."""
    top: str | None = None
    """The greatest key among them."""
    after: str | None = None
    """With children: the last root written, in the order of ids."""
    done: bool = False
    """All is read and written, and the jobs are still to be deleted."""
    complete: bool = field(default=False, compare=False)
    """Whether all jobs have ended well; not kept."""
    waited: bool = field(default=False, compare=False)
    """Whether its jobs were made some time ago, by another run or before their turn; not kept."""

    def entry(self) -> dict[str, Any]:
        """The place as it stands in STATE."""
        kept = asdict(self)
        return {name: value for name, value in kept.items() if value and name not in {"complete", "waited"}}

    def covers(self, window: Window, now: datetime) -> bool:
        """Whether these jobs reach back as far as a window does; a whole table, which nothing follows, must be of today."""
        if window.key is None and (self.begun or "") < format_stamp(now - limits.WHOLE_TABLE_AGE):
            return False
        if self.start is None or window.start is None:
            return self.start is None
        return self.start <= format_stamp(window.start)


def place_from(entry: Any) -> Place | None:
    """The place in a STATE; None if there is none, or none that this version understands."""
    try:
        place = Place(**{"start": None, **entry}, waited=True)
        known = isinstance(place.jobs, dict) and "" in place.jobs and isinstance(place.rows, int)
        texts = (place.start, place.begun, place.ceiling, place.locator, place.top, place.after)
        known = known and all(text is None or isinstance(text, str) for text in texts)
        return place if known and all(isinstance(job, str) for job in place.jobs.values()) else None
    except TypeError:
        return None


def start_of(window: Window) -> str | None:
    """A window's start as a place keeps it."""
    return format_stamp(window.start) if window.start else None
