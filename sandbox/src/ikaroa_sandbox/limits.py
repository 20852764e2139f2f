"""Every number of the shell that bounds something. The limits of the two platforms stand with their rules."""

from __future__ import annotations

JWT_KEY_BITS = 2048

REQUEST_BODY_BYTES_MAX = 32 * 1024 * 1024
"""A body beyond this is refused with 413 before it reaches a backend, which has a lower limit of its own."""

UPLOAD_BODY_BYTES_MAX = 160 * 1024 * 1024
"""The same for an upload of a bulk job, which may have 150 MB."""

REQUEST_HEAD_BYTES_MAX = 256 * 1024
"""Request line and headers together. Well above both platforms' own limits, which must be able to answer 414 and 431."""

JOURNAL_ENTRIES_MAX = 100_000
JOURNAL_BODY_BYTES_MAX = 64 * 1024 * 1024
"""Request bodies held by the journal's entries; the oldest entries go first."""

JOURNAL_PAGE_MAX = 10_000
"""Entries that one GET of the journal answers with."""

SAVED_STATES_MAX = 100
PENDING_LATE_COMMITS_MAX = 10_000
FAULT_RULES_MAX = 1_000

FAULT_SECONDS_MAX = 86_400
LATE_COMMIT_SECONDS = 120
"""How long after its request a late commit takes effect, unless the rule says otherwise."""

SLOW_SECONDS = 3
STALE_SECONDS = 60
"""How far behind a stale read is, unless the rule says otherwise."""

STALE_STATES_MAX = 200
"""States kept for stale reads, a state for each write within the stale window."""

HOLD_SECONDS = 120
"""Real seconds that a server holds the connection of a request that gets no answer, if the client does not leave first."""

SHUTDOWN_SECONDS = 3
"""Real seconds that running requests get to finish when the server is stopped."""

START_SECONDS = 30
"""Real seconds that a server in a thread gets to start listening."""

KEEP_ALIVE_SECONDS = 75

KEEP_INTERVAL_SECONDS = 2
"""Real seconds between two looks whether the data has to be written to the file that keeps it."""
