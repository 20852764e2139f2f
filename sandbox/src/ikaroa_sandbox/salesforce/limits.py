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
CODE_SECONDS = 15 * 60  # an authorisation code

SOQL_CHARS_MAX = 100_000
QUERIES_KEPT = 200
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
COMPOSITE_HEAVY_MAX = 5  # of these, queries and collections
TREE_LEVELS_MAX = 5
TREE_TYPES_MAX = 5

UPDATED_DAYS_MAX = 30
DELETED_DAYS_MAX = 15
REPLICATION_IDS_MAX = 600_000
MERGE_LOSERS_MAX = 2

REPLICATION_AHEAD_SECONDS = 300
"""How far ahead of the clock the end of an /updated or /deleted window may lie."""

# Change data capture and the Pub/Sub API (change data capture guide; Pub/Sub API docs).
DAILY_EVENT_DELIVERIES = 25_000
"""Enterprise Edition: events a day, times the number of subscribers."""
EVENT_RETENTION_SECONDS = 72 * 3_600
EVENTS_A_REQUEST_MAX = 100
KEEPALIVE_SECONDS = 270
DEMAND_SECONDS = 70
"""A stream nobody asks anything of is closed after so long."""
CHANGE_EVENT_BYTES_MAX = 1_000_000
CHANGES_A_TRANSACTION_MAX = 100_000
LONG_TEXT_CHARS = 1_000
"""Beyond it a change of a long text is told as a difference."""
CAPTURED_OBJECTS_MAX = 5
STREAMS_MAX = 64
STREAM_TICK_SECONDS = 0.2
"""How often a quiet stream looks at the sandbox's clock, which somebody may have moved."""

BULK_PAGE_ROWS = 50_000
"""Rows of a page of a bulk query's result when the client does not say."""
BULK_WAIT_SECONDS, BULK_RUN_SECONDS, BULK_ROWS_A_SECOND = 0.05, 0.2, 1_000_000
"""How long a bulk job waits before it begins, and how long it then takes: a start and a rate."""
BULK_STUCK_SECONDS = 60
"""How long the fault `job_stuck` holds a job up, unless its rule says otherwise."""
BULK_BLOCK_ROWS = 5_000
"""Rows of a result that are compressed together."""
BULK_RESULT_DAYS = 7
BULK_QUERY_JOBS_DAILY = 10_000
BULK_QUERY_STORAGE_MB_DAILY = 976_562
BULK_BATCHES_DAILY = 15_000
BULK_BATCH_ROWS = 10_000
"""Uploaded rows that count as one batch."""
BULK_TRANSACTION_ROWS = 200
"""Uploaded rows that are saved together: within them an external id may come once."""
APP_NAME = "sandbox-connected-app"
BULK_UPLOAD_BYTES_MAX = 100_000_000  # as sent; 150 MB is what base64 makes of it
BULK_MULTIPART_CHARS_MAX = 100_000
BULK_JOBS_PAGE = 1_000
BULK_RESULT_LINKS = 5
"""Links of one answer of resultPages."""
BULK_RESULT_PAGES_VERSION = 58
BULK_QUERY_VERSION, BULK_INGEST_VERSION = 47, 41
BULK_JOBS_KEPT_MAX = 10_000
BULK_CHUNK_ROWS, BULK_CHUNK_ROWS_MAX = 100_000, 250_000
"""Rows of a PK chunk of Bulk API 1.0 unless asked otherwise, and at most."""

# The edit `bulk_load`.
IMPORT_CHUNK_ROWS = 5_000
"""Rows that are inserted at once."""
IMPORT_TURNS_MAX = 1_000
"""Values of a list that its records go through in turn."""
