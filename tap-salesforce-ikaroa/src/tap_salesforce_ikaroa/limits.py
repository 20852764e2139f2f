"""Every number that bounds something: the platform's limits, and ours.

Sources: Salesforce REST docs (query, getUpdated/getDeleted, composite, limits) unless a line says `ours`.
"""

from __future__ import annotations

from datetime import timedelta

# --- The platform ---------------------------------------------------------------------------------------------
URI_AND_HEADERS_BYTES = 16_384  # above: 414 or 431
PAGE_ROWS_MIN = 200  # Sforce-Query-Options: batchSize
PAGE_ROWS_MAX = 2_000
WHERE_CHARS = 4_000  # of one condition text
SUBQUERIES_PER_QUERY = 20
COMPOSITE_REQUESTS = 25  # sub-requests of one composite call, which counts as one API call
COMPOSITE_QUERIES = 5  # of these, queries
SOQL_CHARS = 100_000  # of a whole query, which only a request body can carry
BULK_WORTH_ROWS = 2_000  # rows above which Salesforce advises Bulk API 2.0 over REST
RESULT_PAGES_SINCE = 58.0  # API version that knows `resultPages`
DELETIONS_KNOWN = timedelta(days=15)  # how far back /deleted/ reaches
REPLICATION_STEP = timedelta(minutes=1)  # the shortest window of /updated/ and /deleted/
JWT_LIFE_S = 180  # of a JWT bearer assertion; Salesforce takes up to five minutes

# --- Ours -----------------------------------------------------------------------------------------------------
URI_MARGIN_BYTES = 512  # headers that proxies add on the way
CONDITION_BYTES = 4_600  # room kept in a URI for the WHERE and ORDER BY parts
IDS_PER_QUERY = 150  # 21 characters each stay under WHERE_CHARS
ROWS_AHEAD = 200  # of each stream that are asked for together with those of others
COLUMN_BYTES_MIN = 400  # a column part is never split below this
HELD_IDS = 50_000  # ids of changed roots held in memory before they are read
RECENT_DELETIONS = 1_000  # ids of deleted child rows kept in STATE until Salesforce tells them no more
RECHECK_AT_ONCE = 10_000  # roots, when child rows are gone for good; above: once in `recheck_hours`
RECHECK_MOVES_AT_ONCE = 2_000  # roots, when child rows may have moved between roots, which is rare: one page
POLL_FIRST_S = 0.5  # between two looks at a Bulk job
POLL_GROWTH = 1.5
POLL_MAX_S = 10.0
JOB_WAIT_MAX_S = 4 * 3600.0  # then the run ends; the next one finds the job by its id in STATE
BULK_JOBS = 10  # at Salesforce at once
RESULT_PAGE_ROWS = 50_000  # rows of one result page, also the step in which a cut run resumes
RESULT_PARALLEL = 3  # result pages fetched at once
RESULT_TRIES = 3  # of a page that came with other rows than announced
RESULT_IN_MEMORY_BYTES = 500_000  # of a fetched page; the rest waits in a file
WHOLE_TABLE_AGE = timedelta(
    hours=24
)  # of jobs that are still read on where no bookmark says what came after them
BLOCK_BYTES = 256 * 1024  # read and written at once
SORT_BYTES = 2_500_000  # held in memory while sorting
SORT_FILES = 128  # merged at once
BATCH_RECORDS = 200  # written at once, where records are joined from sorted files
JOIN_TRIES = 5  # re-reads of a row that keeps changing between two column parts
LOCATOR_RESTARTS = 3  # in a row without a single new row

UPDATED_WINDOW = timedelta(minutes=3)  # of the /updated/ call that only asks how far commits reach
UPDATED_AHEAD = timedelta(
    seconds=60
)  # its end: seconds are cut off by Salesforce, so it must lie ahead of now
CLOCKS_APART = timedelta(seconds=60)  # of Salesforce's servers: the Date of an answer and the stamp of a row
DELETIONS_MARGIN = timedelta(hours=1)  # stay inside DELETIONS_KNOWN although the call takes a while
WINDOW_MIN = timedelta(seconds=1)  # a window that still times out at this length is told to the user
ORGS_BEGAN = 1999  # year: no record is older

STATE_EVERY_RECORDS = 1_000
STATE_EVERY_S = 5.0

CONNECT_TIMEOUT_S = 10.0
REQUEST_TIMEOUT_S = 300  # a query may run for two minutes before its first byte
RETRIES = 6
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 60.0
RETRY_AFTER_MAX_S = 300.0  # a longer Retry-After is not waited for
CLOCK_SKEW_S = 60.0  # a JWT refused while our clock is off by more is signed again on Salesforce's clock

ERROR_TEXT_CHARS = 300
LOOKBACK_S = 600
LOOKBACK_MAX_S = 10 * 365 * 86_400
EVERY_DAYS_MAX = 3_650  # ten years: a mistyped number, not a plan
EVERY_HOURS_MAX = 24 * EVERY_DAYS_MAX
REQUEST_TIMEOUT_MAX_S = 86_400
QUOTA_PERCENT_TOTAL = 80
QUOTA_PERCENT_PER_RUN = 25
RECHECK_HOURS = 24
RETRIES_AT_A_DESK = 2  # of a command that a person waits for
REPORT_WIDTH = 140  # characters of a table that goes into a file
LOGIN_PORT = 1717
LOGIN_WAIT_S = 300
LOGIN_PAGE_S = 3.0  # for the browser to fetch its last page
LOGIN_LOOK_S = 0.5
TOPIC_ANSWER_S = 5.0  # for the Pub/Sub API to say whether a topic is there
NAME_SHOWN = 60  # characters of a setting's name that means nothing
NAME_LIKENESS = (
    0.8  # an environment variable so much like a setting's was meant to be it (0 to 1, as difflib counts)
)
CALLS_LEFT_WARN_PERCENT = 80  # of what `quota_percent_total` lets be used
API_VERSION = "67.0"

# --- Live mode (Pub/Sub API docs, unless a line says ours) ----------------------------------------------------------
PUBSUB_ENDPOINT = "api.pubsub.salesforce.com:7443"
EVENTS_ASKED = 100  # num_requested at most
KEEP_ALIVE_S = 300  # Salesforce says something at least every 270 s
UNASKED_S = 60.0  # it ends a subscription that asks for nothing for 70 s
PUBSUB_ANSWER_S = 30.0  # ours: for GetTopic and GetSchema
EVENTS_BYTES = 64 * 1024 * 1024  # ours: one answer; an event has 1 MB at most
HELD_HINTS = 20_000  # ours: not asked for more while so many wait
HELD_LINKS = 100_000  # ours: child rows whose root is kept in memory
HELD_DIGESTS = 50_000  # ours: records known as written, so that they are not written again unchanged
ROOM_LOOK_S = 0.2  # ours
LINGER_S = 0.05  # ours: how long a first hint waits for others
IDS_AT_ONCE = 200  # ours: roots read and written at once
REFUSED_RETRY_S = (
    900.0  # ours: after a refusal that may end by itself: no allowance left (of 24 hours), no access
)
TROUBLES_TOLD = 3  # ours: failures in a row before it is a warning
POLL_INTERVAL_S = 15
SAFETY_POLL_S = 300
DOORBELL_BYTES = 1_000_000  # ours: one Outbound Message, of 100 notifications at most
DOORBELL_TIMEOUT_S = 30.0  # ours
HELD_NOTIFICATIONS = 20_000  # ours: ids by which a notification sent again is known
PULSE_S = 5.0  # ours: how often subscriptions are looked after
DAY_S = 86_400.0
STOP_S = 2.0  # ours: how long threads may take to end
