"""Every rule of Salesforce that the sandbox keeps, how sure we are of it, and what else it could be.

`documented`: Salesforce's own material. `recorded`: what public reports of live answers show. `assumed`: nobody outside
knows; the first variant is the default, and the one that asks more of a client.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Declare, Rule

_REST = "Salesforce REST docs"
_SOQL = "Salesforce SOQL docs"
_OBJECTS = "Salesforce object reference"
_LIMITS = "Salesforce limits quick reference"
_HELP = "Salesforce help"
_BULK_DOCS = "Salesforce Bulk API docs"

_SALESFORCE = Declare("salesforce", _REST, "public reports of live answers", "not documented")
_documented, _recorded, _assumed = _SALESFORCE.documented, _SALESFORCE.recorded, _SALESFORCE.assumed

_SIGNING_IN = (
    _documented(
        "token.grants",
        "client_credentials, JWT bearer (RS256; iss, sub, aud and exp checked), authorization_code and refresh_token; no "
        "password, no SOAP login",
        _HELP,
    ),
    _documented(
        "authorize.callback",
        "The callback address is one of the app's, letter by letter; for another there is a page and no redirect. `state` "
        "comes back as it was sent",
        _HELP,
    ),
    _documented(
        "authorize.code",
        "A code is good once, for 15 minutes, with the same redirect_uri and the code_verifier whose SHA-256 is the "
        "code_challenge; a refresh token comes with the scope refresh_token or offline_access only",
        _HELP,
    ),
    _documented(
        "authorize.app",
        "Whether PKCE and the consumer secret are required is the app's setting; both are here",
        _HELP,
    ),
    _documented("token.reply", "No expires_in; id carries the 18-character organisation and user ids"),
    _documented(
        "identity",
        "The identity URL takes the token in the header or as oauth_token; a bad one answers 403 Bad_OAuth_Token, none at "
        "all 403 Missing_OAuth_Token, another id 404 Bad_Id",
        _HELP,
    ),
    _documented(
        "token.rotation", "With rotation each refresh brings a new refresh token and ends the old", _HELP
    ),
    _documented(
        "token.rotation_reuse",
        "Using a replaced refresh token ends the current one and the access tokens it brought",
        _HELP,
    ),
    _recorded(
        "token.errors", "The token end point refuses with 400 and an object of error and error_description"
    ),
    _documented(
        "token.revoke",
        "A refresh token that is revoked takes its access tokens along; an access token ends alone",
        _HELP,
    ),
    _documented(
        "session.life", "A session ends after its time (two hours); 401 INVALID_SESSION_ID as an array"
    ),
    _recorded("session.header", "A header that is neither Bearer nor OAuth answers 401 INVALID_AUTH_HEADER"),
)
_REQUESTS = (
    _documented("version.retired", "Versions up to 30 answer 410; /services/data needs no sign-in", _HELP),
    _documented(
        "errors.shape", "Errors are an array of message, errorCode and fields; rows say statusCode instead"
    ),
    _documented(
        "limits.daily", "API requests of a rolling 24 hours; used up: 403 REQUEST_LIMIT_EXCEEDED", _LIMITS
    ),
    _documented(
        "limits.header",
        "Sforce-Limit-Info on each answer, as /limits says; with a part for the app if the org tells of it",
    ),
    _documented(
        "limits.composite", "composite counts as one request, each request of composite/batch counts"
    ),
    _documented("limits.uri", "Over 16,384 bytes: 414 for the URI, 431 with the headers", _LIMITS),
    _documented("describe.modified", "If-Modified-Since on the describe calls answers 304"),
    _documented("describe.hidden", "A field or object that the user may not see is simply not there"),
    _assumed(
        "wire.number_text",
        "Numbers from ten million on (and below a thousandth) are written with an exponent, as a double prints: 1.2E7",
        ("scientific", "plain"),
        "9.9213206E7 in public reports; Salesforce help 000385889",
    ),
    _documented("wire.times", "Times are UTC with milliseconds and +0000"),
)
_QUERIES = (
    _documented(
        "query.case", "Text compares and sorts without case, ids with it; 15 characters of an id do", _SOQL
    ),
    _documented("query.blank", "An empty text is null; != and NOT IN keep rows whose field is empty", _SOQL),
    _documented(
        "query.literals",
        "Dates and times stand unquoted; a quoted one, or text unquoted, is INVALID_FIELD",
        _SOQL,
    ),
    _documented(
        "query.levels", "Five levels up, 55 parents; 20 sub-queries, five levels down from v58 on", _SOQL
    ),
    _documented("query.mixed_logic", "AND beside OR needs parentheses", _SOQL),
    _documented("query.fields_function", "FIELDS(ALL) and FIELDS(CUSTOM) need a LIMIT of at most 200", _SOQL),
    _documented(
        "query.semi_joins",
        "Two at most, on another object, of ids of the left operand's object, in no OR or NOT and not one in another (texts in "
        "part the sandbox's)",
        _SOQL,
    ),
    _documented("query.offset", "OFFSET reaches 2,000", _SOQL),
    _documented(
        "query.long_text",
        "Long text and compound addresses can be neither filtered, sorted nor grouped",
        _SOQL,
    ),
    _documented(
        "query.currency", "With several currencies an aggregated amount is in the corporate one", _SOQL
    ),
    _documented(
        "query.page", "batchSize from 200 to 2,000, 2,000 unless asked; child rows count toward a page"
    ),
    _documented("query.locator", "A locator lives two days, child sets have their own"),
    _recorded(
        "query.error_text", "A wrong query shows the place: the text, a caret, ERROR at Row:1:Column:n"
    ),
    _assumed(
        "query.child_page",
        "How many rows of a child set come before it is continued under its own locator",
        ("200_rows", "whole_batch"),
    ),
    _assumed("query.row_order", "How rows come that no ORDER BY orders: by id", ("descending", "ascending")),
    _assumed(
        "query.nulls_descending",
        "Where empty values come in a descending order that does not say",
        ("last", "first"),
        "the docs say first without naming a direction; reports say last",
    ),
    _assumed(
        "query.later_pages",
        "Whether later pages show rows as they were when the query ran, or as they are now",
        ("as_queried", "as_now"),
    ),
    _assumed(
        "query.invalid_locator",
        "The status of INVALID_QUERY_LOCATOR",
        ("400", "404"),
        "the docs name the code only",
    ),
)
_RECORDS = (
    _documented(
        "records.upsert", "By external id: 201 made, 200 changed, 300 with the addresses when several match"
    ),
    _documented(
        "records.collections", "Up to 200 rows, results in request order, 200 even when rows fail; allOrNone"
    ),
    _documented(
        "records.composite",
        "Up to 25 requests, five of composite's queries or collections; references to earlier answers, each name once; "
        "allOrNone; haltOnError",
    ),
    _documented(
        "records.unmodified_since",
        "If-Unmodified-Since answers 412 when the record is newer, If-Modified-Since on a read 304 when it is not",
    ),
    _documented(
        "records.tree",
        "Up to 200 new records of up to five types on five levels, children inside their parents; all of them or none",
    ),
    _recorded(
        "records.twice",
        "A record that stands twice in one collection is refused both times: Duplicate (external) id specified",
    ),
    _documented("records.rounding", "Numbers with more decimals than their field are rounded half up", _HELP),
    _documented(
        "records.stamps", "A saved change moves LastModifiedDate and SystemModstamp, even if nothing differs"
    ),
    _documented("records.formulas", "Formula fields move no stamp", _OBJECTS),
    _assumed(
        "records.stamp_granularity",
        "How fine the time stamps are; by the second, rows tie",
        ("second", "millisecond"),
        "all published examples end in .000",
    ),
    _documented("people.person_account", "A person account has a contact; each follows the other", _OBJECTS),
    _documented(
        "people.merge", "A merge moves children, deletes the losers and names the master in them", _OBJECTS
    ),
    _documented(
        "people.conversion", "A converted lead names its account, contact and deal and is read-only", _OBJECTS
    ),
    _documented(
        "deals.lines_amount", "Lines make the Amount, which then ignores what is written to it", _OBJECTS
    ),
    _documented(
        "deals.lines_fixed", "While there are lines, Pricebook2Id and CurrencyIsoCode stay", _OBJECTS
    ),
    _documented(
        "deals.primary_contact", "ContactId is set on creation only and follows the primary role", _OBJECTS
    ),
    _documented(
        "deals.history",
        "OpportunityHistory has a row for each change of stage, amount, date or probability",
        _OBJECTS,
    ),
    _assumed(
        "deals.line_total",
        "TotalPrice is UnitPrice times Quantity less Discount, rounded from the exact product to the cent: half up or half even",
        ("half_up", "half_even"),
        "inference from the field descriptions",
    ),
    _assumed(
        "deals.line_edit_stamps",
        "Whether a line edit that leaves the Amount as it is moves the deal's SystemModstamp",
        ("unstamped", "stamped"),
        "not documented; edits that change Amount do move it",
    ),
    _assumed(
        "deals.last_line_removed",
        "What the Amount is when the last line is deleted",
        ("amount_kept", "amount_zero"),
    ),
)
_CHANGES = (
    _documented(
        "deletion.bin", "A deleted record stays for queryAll and can come back with what went along", _HELP
    ),
    _assumed("deletion.bin_days", "How long the recycle bin keeps", ("15_days", "30_days"), "sources differ"),
    _documented("deletion.cascade", "An account takes contacts and deals along, a deal its lines", _OBJECTS),
    _documented("deletion.lines", "A line deleted directly is gone; only /deleted remembers it", _OBJECTS),
    _assumed(
        "deletion.cleared_lookup_stamps",
        "Whether a lookup that is cleared because its target was deleted moves the row's SystemModstamp",
        ("unstamped", "stamped"),
    ),
    _documented(
        "replication.covered", "latestDateCovered is not after the start of the oldest open transaction"
    ),
    _documented("replication.window", "Seconds are cut; /updated reaches 30 days back, /deleted 15"),
    _documented("replication.log", "A purged deletion log answers INVALID_REPLICATION_DATE"),
    _assumed(
        "replication.end",
        "Whether a change exactly at the end of an /updated or /deleted window is in it",
        ("exclusive", "inclusive"),
    ),
)

_EVENTS_SOURCE = "Salesforce Pub/Sub API docs"
_CDC = "Salesforce change data capture guide"
_EVENTS = (
    _documented("events.captured", "Changes of at most five objects become events", _CDC),
    _documented("events.header", "The header tells entity, ids, type, origin, transaction, sequence and commit", _CDC),
    _documented("events.body", "An update holds only what changed; nulledFields, diffFields and changedFields are bitmaps over the schema", _CDC),
    _documented("events.untold", "SystemModstamp and IsDeleted are in no body", _CDC),
    _documented("events.merged", "The same change of several records in one transaction is one event with several ids", _CDC),
    _documented("events.gap", "An event beyond 1 MB becomes a gap event, a transaction of more than 100,000 changes an overflow event an object", _CDC),
    _documented("events.diff", "A change of a long text is told as a unified diff under the SHA-256 of the new value", _CDC),
    _documented("events.metadata", "accesstoken, instanceurl and the 18-character tenantid come with every call", _EVENTS_SOURCE),
    _documented("events.flow", "At most 100 events a request; what is asked adds up; nothing is sent that was not asked for", _EVENTS_SOURCE),
    _documented("events.keepalive", "A stream with open demand hears something within 270 seconds, with a fresh latest_replay_id", _EVENTS_SOURCE),
    _documented("events.demand", "A stream without demand for 70 seconds is closed", _EVENTS_SOURCE),
    _documented("events.replay", "Replay ids are opaque, have gaps and last 72 hours; an older or unknown one is refused as corrupted", _EVENTS_SOURCE),
    _documented("events.deliveries", "25,000 deliveries a day, counted for each subscriber", _LIMITS),
    _assumed("events.not_selected", "What a topic of an object that is not selected does", ("silent", "refused")),
    _assumed("events.session_end", "Whether the end of the session ends an open stream", ("ends_stream", "stays_open")),
)  # fmt: skip
_BULK = (
    _documented(
        "bulk.query_states", "UploadComplete, InProgress, then JobComplete, Failed or Aborted", _BULK_DOCS
    ),
    _documented(
        "bulk.query_refuses",
        "No GROUP BY, OFFSET, TYPEOF, aggregates, parent-to-child sub-queries or compound fields",
        _BULK_DOCS,
    ),
    _recorded(
        "bulk.refusal_texts", "What is refused is refused when the job is created, with 400 and its own text"
    ),
    _documented("bulk.form", "Six column delimiters, LF or CRLF; a header row on each page", _BULK_DOCS),
    _recorded("bulk.quotes", "Each value is quoted; null and empty text are both two quotes"),
    _recorded("bulk.times", "Times end in Z, with milliseconds"),
    _assumed(
        "bulk.whole_zero",
        "How the zero of a whole number reads",
        ("as_double", "as_whole"),
        "public clients turn 0.0 into 0 for whole numbers",
    ),
    _documented(
        "bulk.locator",
        "Sforce-Locator names the next page, the text null ends; stable and re-readable while the job exists",
        _BULK_DOCS,
    ),
    _documented(
        "bulk.count", "Sforce-NumberOfRecords counts a page's rows; maxRecords bounds them", _BULK_DOCS
    ),
    _documented("bulk.order", "Without ORDER BY rows come in no order", _BULK_DOCS),
    _documented("bulk.version", "Results are read with the API version of the job, else 409", _BULK_DOCS),
    _documented("bulk.parallel", "resultPages lists up to five pages at a time, from v58 on", _BULK_DOCS),
    _assumed(
        "bulk.next_pages_key",
        "Under which key resultPages names its next page",
        ("nextRecordsUrl", "nextRecordUrl"),
        "the docs' example and table differ",
    ),
    _assumed(
        "bulk.empty_result",
        "What a result without a row holds",
        ("header_only", "nothing"),
        "public clients handle both",
    ),
    _assumed("bulk.invalid_locator", "The status of a locator that is none", ("400", "404")),
    _documented("bulk.compressed", "gzip when the client accepts it", _BULK_DOCS),
    _documented("bulk.kept", "Results are kept for seven days", _LIMITS),
    _documented(
        "bulk.allocation", "10,000 query jobs a day, 15,000 batches of ingest and Bulk API 1.0", _LIMITS
    ),
    _documented("bulk.calls", "Each call counts as an API request", _LIMITS),
    _documented(
        "bulk.job_changes", "Only an unfinished job can be aborted, only a finished one deleted", _BULK_DOCS
    ),
    _documented(
        "bulk.list",
        "GET of either jobs resource lists jobs of all kinds, 1,000 a page, by jobType if asked",
        _BULK_DOCS,
    ),
    _documented(
        "bulk.ingest", "One upload a job, up to 100 MB; each row stands alone; three result files", _BULK_DOCS
    ),
    _documented("bulk.ingest_null", "#N/A empties a field, a blank cell leaves it alone", _BULK_DOCS),
    _documented(
        "bulk.ingest_parents", "A header such as Account.Ext_Id__c names a parent by its key", _BULK_DOCS
    ),
    _documented("bulk.hard_delete", "hardDelete needs a permission that nobody has at first", _BULK_DOCS),
    _documented(
        "bulk.multipart",
        "A multipart request makes a job with its rows, up to 100,000 characters",
        _BULK_DOCS,
    ),
    _recorded(
        "bulk.ingest_errors", "A refused row says CODE:message:fields --; a bad header fails the whole job"
    ),
    _documented(
        "bulk.classic",
        "Bulk API 1.0 queries: job, batch, result; X-SFDC-Session; PK chunking leaves the first batch NotProcessed",
        _BULK_DOCS,
    ),
    _recorded("bulk.classic_empty", "A 1.0 result without a row is one line that says so"),
)

RULES: tuple[Rule, ...] = (*_SIGNING_IN, *_REQUESTS, *_QUERIES, *_RECORDS, *_CHANGES, *_BULK, *_EVENTS)
