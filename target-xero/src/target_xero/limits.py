"""Every number that limits us, in one place, with where it comes from."""

from __future__ import annotations

# One call (Xero developer docs, "API limits": 3.5 MB a request, at most 50 elements recommended).
BATCH_ELEMENTS_MAX = 50
BATCH_BYTES_MAX = 3_000_000
IDS_PER_CALL_MAX = 40
"""GUIDs or numbers in one query string; longer lists were seen to be refused for their length."""
WHERE_MAX = 1_000
"""Characters of a `where` clause that asks for several things at once."""
PAGE_SIZE = 1_000
"""The largest page of the lists that take `pageSize`."""
PAGE_SIZE_PLAIN = 100
"""The page of lists that do not take `pageSize` (quotes)."""
IDEMPOTENCY_KEY_MAX = 128

# Rate (Xero developer docs, "API limits").
CALLS_PER_MINUTE = 60
CALLS_AT_ONCE = 5
FLIGHTS_MAX = 4
"""Requests we keep in flight; one below Xero's limit, so that a person's own tool still gets through."""

# Time.
REQUEST_TIMEOUT_S = 30
LATEST_EFFECT_S = 300
"""The longest time after which Xero may still carry out a request whose answer we never saw."""
QUIET_PERIOD_S = 900
"""Default wait before a write without a unique number may be repeated; at least the two above together."""
STALE_READ_S = 60
"""How far a read may lag behind a write: what it shows of a document that we wrote since then is not believed."""
DAY_BEHIND_S = 43_200
"""By how much the day of an organisation is behind UTC at most: Xero dates by the organisation's own zone."""
SEND_WITHIN_S = 2
"""From the ledger's `sent` to the first byte. A process that stood still for longer (a frozen machine) does not send: the quiet
period would be counted from too early a moment."""
LISTING_OVERLAP_S = 300
"""How far a list read with If-Modified-Since reaches back behind the last one: stale reads last up to a minute."""

# Attempts.
ATTEMPTS_MAX = 6
"""Sends of one document's revision before it is parked for a person."""
PROMPT_SENDS = 3
"""So many of them may follow one another at once where a second effect is impossible; each further one waits for the quiet
period, so that an outage of Xero of less than some 45 minutes parks nothing."""
LISTING_FAILURES_MAX = 3
"""Failed reads of one list before a run goes on without it."""
FAILURES_IN_A_ROW_MAX = 8
"""Answers without sense in a row (5xx, time-outs, no connection) before a run stops."""

# What one run may do unless the settings say otherwise.
DOCUMENTS_A_RUN = 100_000
CHANGED_PERCENT = 50
CHANGED_KNOWN_MIN = 20
"""Of fewer documents than this in Xero a share says nothing: one customer's edits would be half of them."""
GUARD_WINDOW_S = 86_400
"""What one run may do is what it may do within this time: a live run of weeks does each day what other runs do."""
GUARD_SAMPLE_S = 3_600
"""How often a run notes how many documents are in Xero, of which a share may be changed."""
ROUNDING_MAX = "1.00"
"""The largest difference to the source's total that a rounding line makes up; what is more is no matter of rounding."""
HISTORY_LABEL_MAX = 500
"""Of a source's name for a document, so much is in a note in its History; Xero takes 2,500 characters in all."""
MERGES_FOLLOWED_MAX = 5
"""A contact merged into one that was merged again: so many steps are followed."""

# Text (Xero OpenAPI 16.1.0, `maxLength`, and the developer docs of each endpoint).
KEY_MAX = 100
"""The longest source key of the document contract."""
NAME_MAX = 255
NUMBER_MAX = 255
REFERENCE_MAX = 255
QUOTE_REFERENCE_MAX = 4_000
PAYMENT_REFERENCE_MAX = 118
"""Xero documents no limit for a payment's reference; this is ours, the shortest that others assume."""
PERSONS_MAX = 5
TRACKING_MAX = 2
QUANTITY_MAX = 13
"""Characters of a quantity."""
MONTH_DAYS = 31
LINE_AMOUNT_MAX = "9999999999.99"
UNIT_DECIMALS = 4
MONEY_DECIMALS = 2

# The ledger.
KEYS_PER_SELECT = 500
LEDGER_MAPPED_BYTES = 64 * 1024 * 1024
"""Of a ledger's file, read where the system keeps it in memory instead of being copied page by page: what a record came to lies
scattered over it."""
LEDGER_LOCK_TIMEOUT_S = 30
"""How long a statement waits for another session's lock on a row or a file."""

# The client: connections, answers, waits.
CONNECT_TIMEOUT_S = 10
ANSWER_TIMEOUT_S = 60
"""A whole answer, however slowly its bytes drip in; `REQUEST_TIMEOUT_S` is the silence we bear between two of them."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
IDLE_CONNECTION_S = 5
"""A pooled connection that was idle for longer is closed, not used: a write must not find out that Xero closed it, too."""
FAILURE_TEXT_MAX = 200
CORRELATION_MAX = 64
"""Xero's correlation ids are GUIDs; no more of a header is kept."""
MINUTE_WINDOW_S = 60.05
"""Xero's minute and a hair, so that two clocks' rounding never puts a 61st call into it."""
RETRY_AFTER_MAX_S = 120
"""A `Retry-After` beyond it is no minute limit; a run does not sit it out."""
REFUSED_WAIT_MAX_S = 240
"""How long one call may be held back by 429s in all; with the quiet period it stays clear of any doubt about its effect."""
CONCURRENT_PAUSE_S = 0.5
CONCURRENT_PAUSE_MAX_S = 8.0
UNTOLD_PAUSE_S = 10.0
"""After a 429 that does not say how long."""
DAY_LIMIT_RESERVE = 20
"""Of 1,000 or 5,000 calls a day: enough for a person to look things up when a run has used up the rest."""
SLEEP_SLICE_S = 0.25
"""The longest single sleep, so that a request to stop is heard."""
SLEEP_SHORTEST_S = 0.01

# Tokens (Xero developer docs, "OAuth 2.0": an access token lives 30 minutes).
TOKEN_LIFETIME_S = 1_800
TOKEN_MARGIN_S = 120
"""A token with less life than this is renewed before the next call."""
TOKEN_ATTEMPTS = 3
TOKEN_PAUSE_S = 2.0
LOGIN_PORT = 8743
LOGIN_WAIT_S = 300
"""How long a person has for the consent; Xero's code lives five minutes, too."""
LOGIN_PAGE_S = 3
"""How long the browser has to fetch the page that says so."""
CLOCK_WARN_S = 60
"""A local clock further off than this is worth a word."""
OAUTH_WORD_MAX = 40
"""OAuth's error words are short; anything longer is not one."""

# The Singer side.
COMMIT_INTERVAL_S = 60
"""How often, at the latest, what was read is settled in Xero and STATE goes out."""
COMMIT_DOCUMENTS = 5_000
"""Or after so many documents."""
POLL_S = 0.5
"""How long the reader waits for input before it looks whether there is something else to do."""
SILENCE_S = 0.1
"""A tap that has sent nothing for so long pauses: what it sent is settled rather than waiting for more."""
LIVE_COMMIT_S = 1.0
"""With a tap that never pauses: how old the last commit must be for a bookmark with few documents before it to bring one…"""
LIVE_COMMIT_DOCUMENTS = 100
"""… which is up to so many. More are a load: it goes in full calls, at the commit interval."""
STATE_EVERY_S = 0.5
"""Between two STATEs. Meltano writes each three times into its database (10 ms) and passes nothing on meanwhile."""
NAME_SHOWN = 60
"""Of a name that means nothing, so much is repeated."""
VALUE_SHOWN = 200
"""Of a value that breaks a rule, so much is kept with the refusal and told: reports, CSVs and alerts are for people."""
NAME_LIKENESS = 0.8
"""An environment variable so much like a setting's was meant to be it (0 to 1, as difflib counts)."""
REFUSALS_SHOWN = 20
REFUSALS_LISTED = 50
"""What `rejects` shows of a long list unless it is asked for more."""
READ_BYTES = 64 * 1024
"""What a pipe holds. Room for more is asked of the system, and given back, at every read."""
NUMBER_DIGITS = 1000
"""Of a whole number in the input, and places behind the point of any other: more are refused, not worked out."""
PLAN_SHOWN = 25
"""Documents of one kind of action that a plan prints; the saved plan has all of them."""
PLAN_CHANGES_SHOWN = 8
"""Changed fields of one document that a plan prints."""
ACCEPT_DOCUMENTS = 500
"""Documents held in memory before they go into the ledger in one transaction a stream."""
OBJECTS_A_COLLECTION = 50_000
"""More new objects than some hundred records with their documents are, before Python looks for garbage."""
RECALL_RECORDS = 500
"""Records held back until the ledger is asked at once which of them it knows."""
REMEMBER_RECORDS = 5_000
"""Records whose documents stand, held back until the ledger remembers them all in one transaction; they are scattered over its table."""
CONNECT_ATTEMPTS = 3
REPORT_WIDTH = 120
ALERT_DOCUMENTS = 5
"""Refused or parked documents that an alert names."""
