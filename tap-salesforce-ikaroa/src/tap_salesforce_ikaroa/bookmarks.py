"""One stream's place in STATE.

    replication_key, replication_key_value   the greatest key value read, never past the ceiling, never backwards
    covered    {bookmark, until}             all that was committed before `until` has been read (a finished pass);
                                             holds as long as the bookmark is the one it was written with
    children   {relationship: moment}        changes of child rows before it have re-emitted their roots
    deletions  {object: moment}              deletions before it have been asked for
    settled    when the last pass ended; gone once a record is written after it. A child row made later is in no list yet
    recheck    {pending, up_to, done, seen}  all roots are to be read again (at once if they are no more than `up_to`; they
                                             could not be counted yet) / were so last; ids of deleted child rows that
                                             Salesforce will tell once more and that are dealt with

    live       see `live.places`: the replay id of each topic that live mode follows
    bulk       see `bulk.place`: the Bulk jobs that are being read, and how far
    resync     all records and all ids are to be read: an event said that events do not tell all
    refreshed  when all records were last begun to be read, the first time included, for the sake of formula fields
    compared   when all ids were last compared

Moments are text like `2026-11-02T09:00:00.000Z`: they sort as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.window import parse_stamp


class Bookmark:
    """Reads and writes a stream's state dictionary, which the SDK owns."""

    def __init__(self, state: dict[str, Any], key: str) -> None:
        self._state = state
        self._key = key

    @property
    def value(self) -> str | None:
        """The bookmark, if it belongs to this replication key."""
        value = self._state.get("replication_key_value")
        return value if value and self._state.get("replication_key", self._key) == self._key else None

    @property
    def latest(self) -> str:
        """The latest moment of which it claims anything."""
        parts = [self._state.get(part) or {} for part in ("children", "deletions")]
        moments = [moment for part in parts for moment in part.values()]
        moments += [(self._state.get("covered") or {}).get("until"), self._recheck.get("done"), self.value]
        moments += [self._state.get(what) for what in ("settled", "refreshed", "compared")]
        return max((moment for moment in moments if isinstance(moment, str)), default="")

    def forget(self) -> None:
        """Nothing is known of this stream."""
        self._state.clear()

    def start(self, start_date: datetime | None, lookback: timedelta) -> datetime | None:
        """Where the next pass begins; None means at the beginning of time."""
        base = parse_stamp(self.value) if self.value else None
        covered = self._state.get("covered") or {}
        if covered and covered.get("bookmark") == self.value:
            until = parse_stamp(covered["until"])
            base = max(base, until) if base else until
        if base is None:
            return start_date
        return max(base - lookback, start_date) if start_date else base - lookback

    def advance(self, stamp: str, ceiling: str) -> None:
        """Takes the key value of a record that has been written."""
        reached = max(self.value or "", min(stamp, ceiling))
        self._state.update(replication_key=self._key, replication_key_value=reached)

    def set_back(self, value: str | None) -> None:
        """Goes back to where the pass began: what it read was not all there is."""
        if value is not None:
            self._state.update(replication_key=self._key, replication_key_value=value)
            return
        for name in ("replication_key", "replication_key_value"):
            self._state.pop(name, None)

    def cover(self, until: datetime) -> None:
        """Notes that a pass read everything committed before this moment."""
        self._state["covered"] = {"bookmark": self.value, "until": format_stamp(until)}

    def child(self, relationship: str) -> datetime | None:
        """Up to when changes of a child list have been followed."""
        return self._moment("children", relationship)

    def deletion(self, object_name: str) -> datetime | None:
        """Up to when deletions of an object have been asked for."""
        return self._moment("deletions", object_name)

    def begin_following(self, children: dict[str, datetime], deletions: dict[str, datetime]) -> None:
        """Sets the cursors that are not there yet. One that is stays: what lies after it is not dealt with so far."""
        self.follow(
            {name: moment for name, moment in children.items() if self.child(name) is None},
            {name: moment for name, moment in deletions.items() if self.deletion(name) is None},
            self.recent_deletions,
        )

    def follow(
        self, children: dict[str, datetime], deletions: dict[str, datetime], recent: Iterable[str] = ()
    ) -> None:
        """Moves the cursors forward; none goes back. `recent`: deleted child rows that lie after the new cursors."""
        for part, moments in (("children", children), ("deletions", deletions)):
            cursors = self._state.setdefault(part, {})
            for name, moment in moments.items():
                cursors[name] = max(cursors.get(name, ""), format_stamp(moment))
        recheck = {name: value for name, value in self._recheck.items() if name != "seen"}
        if seen := sorted(recent)[: limits.RECENT_DELETIONS]:
            recheck["seen"] = seen
        if recheck or "recheck" in self._state:
            self._state["recheck"] = recheck

    @property
    def settled(self) -> datetime | None:
        """When the last pass ended, if nothing was written since."""
        return self.done("settled")

    def settle(self, moment: datetime) -> None:
        """Notes that a pass has ended, with all it wrote."""
        self.mark_done("settled", moment)

    def unsettle(self) -> bool:
        """Notes that records may be written from here on; whether that is news."""
        return self._state.pop("settled", None) is not None

    @property
    def bulk(self) -> Any:
        """The entry of Bulk jobs that a run before this one was reading."""
        return self._state.get("bulk")

    def keep_bulk(self, entry: dict[str, Any] | None) -> None:
        """Notes the Bulk jobs that are being read; None when there are none."""
        if entry is not None:
            self._state["bulk"] = entry
        else:
            self._state.pop("bulk", None)

    def done(self, what: str) -> datetime | None:
        """When something that is done every few days was done last."""
        text = self._state.get(what)
        return parse_stamp(text) if isinstance(text, str) else None

    def mark_done(self, what: str, moment: datetime) -> None:
        """Notes that it was done."""
        self._state[what] = format_stamp(moment)

    @property
    def recent_deletions(self) -> frozenset[str]:
        """Child rows that were told as deleted before, and are dealt with."""
        return frozenset(self._recheck.get("seen") or ())

    @property
    def recheck_pending(self) -> bool:
        """Whether all roots are still to be read again."""
        return bool(self._recheck.get("pending"))

    @property
    def rechecked(self) -> datetime | None:
        """When all roots were last read again."""
        return self._moment("recheck", "done")

    @property
    def recheck_up_to(self) -> int:
        """Up to how many roots what is pending does not wait for its hours: those that could not be counted."""
        return int(self._recheck.get("up_to") or 0)

    def recheck_later(self, up_to: int = 0) -> None:
        """Notes that all roots are to be read again; at once if a later count finds no more than `up_to`."""
        recheck = {**self._recheck, "pending": True, "up_to": up_to}
        self._state["recheck"] = {name: value for name, value in recheck.items() if value}

    def recheck_done(self, moment: datetime) -> None:
        """Notes that all roots were read again."""
        self._state["recheck"] = {"done": format_stamp(moment)}

    @property
    def resync_pending(self) -> bool:
        """Whether the whole stream is to be read again, its deletions included."""
        return bool(self._state.get("resync"))

    def resync_later(self) -> None:
        """Notes that the next pass reads the whole stream again."""
        self._state["resync"] = True

    def resync_done(self) -> None:
        """Notes that it did."""
        self._state.pop("resync", None)

    @property
    def _recheck(self) -> dict[str, Any]:
        return self._state.get("recheck") or {}

    def _moment(self, part: str, name: str) -> datetime | None:
        text = (self._state.get(part) or {}).get(name)
        return parse_stamp(text) if isinstance(text, str) else None
