"""What the survey of a run is asked for, and what it found, stream by stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tap_salesforce_ikaroa.bookmarks import Bookmark
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.shapes import Shape


@dataclass(frozen=True)
class Follower:
    """A stream that is read incrementally."""

    stream: str
    shape: Shape
    key: str
    bookmark: Bookmark
    deletions: bool
    """Whether deletions of the root itself are wanted."""


@dataclass
class Changes:
    """What was found for one stream."""

    known_at: datetime
    """Salesforce's time when it was asked."""
    ceiling: datetime
    """The bookmark must not pass it."""
    certain: bool = False
    """Whether the ceiling is Salesforce's own word, or only the time of asking."""
    roots: dict[str, str | None] = field(default_factory=dict)
    """Ids of roots to read again; for a deleted one, when it was deleted."""
    recheck: bool = False
    """All roots are to be read again, once in `recheck_hours`."""
    recheck_up_to: int = 0
    """All roots are to be read again now if they are no more than this."""
    at_once: bool = False
    """All roots are to be read again in this run."""
    rows: int | None = None
    """How many rows a stream has that is read from the beginning, where it was asked and told."""
    unstamped: int | None = 0
    """How many of its rows have no value of the replication key; None where it is not known."""
    recent_deletions: list[str] = field(default_factory=list)
    """Ids of child rows deleted after the new cursor: they will be told again, and are dealt with."""
    problem: TapError | None = None
    """What could not be found out, so that the stream is not read to the end whatever its rows are."""
    child_cursors: dict[str, datetime] = field(default_factory=dict)
    deletion_cursors: dict[str, datetime] = field(default_factory=dict)
