"""Every number of the Salesforce half. Sources: Salesforce REST docs, SOQL docs, Limits quick reference."""

from __future__ import annotations

API_VERSION_OLDEST = 31
API_VERSION_NEWEST = 68
"""The newest listed by /services/data; a path may name any version from the oldest on."""

URI_AND_HEADERS_BYTES_MAX = 16_384
DAILY_API_REQUESTS = 110_000
"""Enterprise Edition: 100,000 and 1,000 a licence, ten licences."""
LIMIT_WINDOW_SECONDS = 86_400
LIMIT_BUCKET_SECONDS = 60

SESSION_SECONDS = 7_200

SOQL_CHARS_MAX = 100_000
SOQL_STRING_CHARS_MAX = 4_000
OFFSET_MAX = 2_000
FIELDS_LIMIT_MAX = 200
PARENT_LEVELS_MAX = 5
PARENT_RELATIONSHIPS_MAX = 55
CHILD_QUERIES_MAX = 20
CHILD_LEVELS_MAX = 5
CHILD_LEVELS_VERSION = 58
"""From this version on sub-queries nest up to five levels; before, one."""
SEMI_JOINS_MAX = 2
CONDITION_LEVELS_MAX = 100
"""Parentheses, NOTs and sub-queries inside each other; far more than a real query has."""

BATCH_MIN, BATCH_MAX = 200, 2_000
CHILD_PAGE_ROWS = 200
LOCATOR_SECONDS = 2 * 86_400
LOCATORS_KEPT_MAX = 10_000

COLLECTION_RECORDS_MAX = 200
COLLECTION_GET_MAX = 2_000
COMPOSITE_MAX = 25

UPDATED_DAYS_MAX = 30
DELETED_DAYS_MAX = 15
REPLICATION_IDS_MAX = 600_000
MERGE_LOSERS_MAX = 2

REPLICATION_AHEAD_SECONDS = 300
"""How far ahead of the clock the end of an /updated or /deleted window may lie."""
