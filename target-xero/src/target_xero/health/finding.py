"""One line of a check."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(str, enum.Enum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    """A run goes, but somebody should know."""
    FAIL = "fail"
    """A run would not do its work."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do about it."""

    level: Level
    what: str
    found: str
    cure: str = ""
    organisation: str = ""
    """Its name in the setting `organisations`; empty where there is one alone."""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {
            "level": self.level.value,
            "what": self.what,
            "found": self.found,
            "cure": self.cure,
            "organisation": self.organisation,
        }


def ok(what: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.OK, what, found)


def warn(what: str, found: str, cure: str) -> Finding:
    """Somebody should know."""
    return Finding(Level.WARN, what, found, cure)


def fail(what: str, found: str, cure: str) -> Finding:
    """A run would not do its work."""
    return Finding(Level.FAIL, what, found, cure)
