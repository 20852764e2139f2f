"""The settings of target-xero, declared: what each is for, its kind and its default.

`--about`, the README, `meltano.yml` and the lock file are all made from `CONFIG_JSONSCHEMA`; `settings.py` reads the values.
"""

from __future__ import annotations

from typing import Any

from crm_to_xero.documents import DOCUMENTS
from singer_sdk import typing as th

from target_xero import limits
from target_xero.xero.auth import DEFAULT_SCOPES

XERO_API = "https://api.xero.com"
XERO_IDENTITY = "https://identity.xero.com"
SECRETS = ("client_secret", "refresh_token", "token_store_key", "ledger_url", "alert_urls")
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "SENT", "ACCEPTED", "DECLINED")
"""Of invoices and credit notes the first three, of quotes `DRAFT` and the last three."""
ALERTS = ("refused", "parked", "stopped", "failed")
FROM_FILE = " The value itself, or `file:/path` to read it from a file."

CONFIG_JSONSCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client id",
        description="Client id of the Xero app: a custom connection, or a web or PKCE app.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Client secret of the Xero app; a PKCE app has none." + FROM_FILE,
    ),
    th.Property(
        "auth_method",
        th.StringType,
        title="Authorisation",
        default="auto",
        allowed_values=["auto", "client_credentials", "refresh_token"],
        description="How to get in: `client_credentials` (custom connection, nothing to store), `refresh_token` (web or PKCE "
        "app, the rotating token is stored), or `auto`: refresh_token where one is configured or stored, else "
        "client_credentials.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description="The first refresh token of a web or PKCE app. It is used once; from then on the token store keeps its "
        "successors. A token configured anew goes before the stored ones." + FROM_FILE,
    ),
    th.Property(
        "token_store_path",
        th.StringType,
        title="Token store",
        description="The encrypted file that keeps the rotating refresh token between runs. Default: `xero-token.json` beside "
        "the ledger.",
    ),
    th.Property(
        "token_store_key",
        th.StringType,
        secret=True,
        title="Token store key",
        description="The key of the token store: 32 bytes, as 64 hex digits or in base64." + FROM_FILE,
    ),
    th.Property(
        "tenant_id",
        th.StringType,
        title="Organisation",
        description="Id of the Xero organisation (tenant). Needed only where the app is connected to several; a custom "
        "connection has one of its own.",
    ),
    th.Property(
        "scopes",
        th.StringType,
        title="Scopes",
        default=" ".join(DEFAULT_SCOPES),
        description="The scopes asked for with client credentials, separated by spaces. Older custom connections have "
        "`accounting.transactions` instead of `accounting.invoices accounting.payments`.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API address",
        default=XERO_API,
        description="Where the Xero API is; only Xero's own host, or a sandbox on this machine.",
    ),
    th.Property(
        "identity_url",
        th.StringType,
        title="Token address",
        description=f"Where tokens come from. Default: {XERO_IDENTITY}, or `api_url` where that is a sandbox.",
    ),
    th.Property(
        "ledger_path",
        th.StringType,
        title="Ledger",
        default="ledger.sqlite",
        description="The ledger's SQLite file: what was promised, sent and done. Keep it, back it up, never put it inside "
        "`.meltano`. A relative path starts at the working directory (under Meltano: the project).",
    ),
    th.Property(
        "ledger_url",
        th.StringType,
        secret=True,
        title="Ledger database",
        description="A PostgreSQL database for the ledger instead of the file, such as `postgresql://user:password@host/name`; "
        "for runs on changing machines. The stored refresh token then lives there, too." + FROM_FILE,
    ),
    th.Property(
        "mapping",
        th.StringType,
        title="Mapping",
        description="Maps CRM records to documents on the way in: the name of a built-in mapping (e.g. `salesforce`) or the "
        "path of a mapping file. Without it only documents are taken: " + ", ".join(DOCUMENTS) + ".",
    ),
    th.Property(
        "mapping_options",
        th.ObjectType(additional_properties=True),
        title="Mapping options",
        description="Options of the mapping, by name; see the mapping file.",
    ),
    th.Property(
        "on_unknown_stream",
        th.StringType,
        title="On an unknown stream",
        default="error",
        allowed_values=["error", "ignore"],
        description="What to do with records of a stream that is no document and not in the mapping: `error` ends the run "
        "with 1 and holds the bookmark back so that nothing is lost, `ignore` passes over them with one warning a stream.",
    ),
    th.Property(
        "on_name_clash",
        th.StringType,
        title="On a name clash",
        default="quarantine",
        allowed_values=["quarantine"],
        description="What to do with a contact whose name another contact in Xero has: `quarantine` keeps it as refused, "
        "with both sides named. A name is never changed to dodge a clash.",
    ),
    th.Property(
        "allow_statuses",
        th.ArrayType(th.StringType(allowed_values=list(STATUSES))),
        title="Statuses allowed",
        default=["DRAFT"],
        description="The statuses a document may be written with. A document that asks for another one is refused.",
    ),
    th.Property(
        "fail_on_refused",
        th.BooleanType,
        title="Fail on refused documents",
        default=True,
        description="Whether the run ends with 1 while a document is refused or parked. Refused documents are kept, shown and "
        "never hold up the others either way.",
    ),
    th.Property(
        "retry_refused",
        th.BooleanType,
        title="Retry refused documents",
        default=False,
        description="Whether this run tries everything again that is refused or parked, as the command `retry --all` does without "
        "a run: `TARGET_XERO_RETRY_REFUSED=true meltano run …`, once the causes are gone. A document that changes at its source is "
        "tried again by itself.",
    ),
    th.Property(
        "commit_interval_seconds",
        th.IntegerType(minimum=0),
        title="Commit interval",
        default=limits.COMMIT_INTERVAL_S,
        description="How often, at the latest, what was read is settled in Xero and the bookmark handed on while a run goes on and "
        "records keep coming; when the tap falls silent after a bookmark, or few documents came before it, that happens within "
        "a second. 0: at every bookmark.",
    ),
    th.Property(
        "quiet_period_seconds",
        th.IntegerType(minimum=1),
        title="Quiet period",
        default=limits.QUIET_PERIOD_S,
        description="After a write whose answer was lost: how long to wait before Xero is asked whether it happened and the "
        "write may be repeated. At least the request timeout and "
        f"{limits.LATEST_EFFECT_S} s together.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=limits.ANSWER_TIMEOUT_S),
        title="Request timeout",
        default=limits.REQUEST_TIMEOUT_S,
        description="How long to wait for Xero to say something.",
    ),
    th.Property(
        "day_limit_reserve",
        th.IntegerType(minimum=0),
        title="Reserve of the day limit",
        default=limits.DAY_LIMIT_RESERVE,
        description="So many of the organisation's calls a day are left for others; the run ends in good order before them.",
    ),
    th.Property(
        "batch_documents",
        th.IntegerType(minimum=1, maximum=limits.BATCH_ELEMENTS_MAX),
        title="Documents a call",
        default=limits.BATCH_ELEMENTS_MAX,
        description="How many documents travel in one call at the most.",
    ),
    th.Property(
        "organisations",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        title="Organisations",
        description="Several Xero organisations from one source: a list of `{name, tenant_id, when, …}`. `when` is a condition on the "
        "document (`CurrencyCode == 'EUR'`) or on the record it was made from (`record.Company__c == 'UK'`); exactly one must hold, "
        "or the document is refused. Without `when` it is for documents whose `organisation` is its name. An entry may have "
        "credentials, guards and mapping options of its own, and `takes_all` (`[items]`) for documents that every organisation "
        "needs. Without this setting everything goes to one organisation.",
    ),
    th.Property(
        "mode",
        th.StringType,
        title="Mode",
        default="apply",
        allowed_values=["apply", "plan", "approve"],
        description="`apply` carries everything out. `plan` writes nothing to Xero and shows what it would do. `approve` keeps every "
        "change in the ledger until the commands `approve` and `apply` release it.",
    ),
    th.Property(
        "plan_path",
        th.StringType,
        title="Plans",
        description="The folder for saved plans (JSON and HTML). Default: `plans` beside the ledger.",
    ),
    th.Property(
        "run_by",
        th.StringType,
        title="Run by",
        description="Who runs it, for the audit trail and approvals. Default: the user of the operating system.",
    ),
    th.Property(
        "second_approver",
        th.BooleanType,
        title="Second approver",
        default=False,
        description="Whether a plan must be approved by somebody else than who made it.",
    ),
    th.Property(
        "books_closed_until",
        th.DateType,
        title="Books closed until",
        description="Nothing is dated on or before this day, besides Xero's own lock dates: a soft close, `YYYY-MM-DD`.",
    ),
    th.Property(
        "max_documents",
        th.IntegerType(minimum=1),
        title="Documents a run",
        default=limits.DOCUMENTS_A_RUN,
        description="A run that would create, change or withdraw more documents than this stops before it does. Each document counts "
        "once, however often it changes; of a run that lasts longer, what it wrote in the last 24 hours.",
    ),
    th.Property(
        "max_changed_percent",
        th.IntegerType(minimum=1, maximum=100),
        title="Changed documents a run, per cent",
        default=limits.CHANGED_PERCENT,
        description="A run that would change or withdraw more than this share of the documents that are in Xero already stops "
        "before it does. What the run made itself does not count; of a run that lasts longer, the last 24 hours do. Looked at "
        f"from {limits.CHANGED_KNOWN_MIN} documents in Xero on.",
    ),
    th.Property(
        "max_amount",
        th.ObjectType(additional_properties=True),
        title="Amount a run",
        description='By currency, such as `{"GBP": "250000"}`: a run that would create or change documents for more in sum '
        "(before tax) stops before it does. Each document counts once, with what it comes to now; of a run that lasts longer, what "
        "it wrote in the last 24 hours. A currency that is not listed has no limit.",
    ),
    th.Property(
        "on_empty_source",
        th.StringType,
        title="On an empty source",
        default="stop",
        allowed_values=["stop", "warn"],
        description="What to do when a stream that is always read whole suddenly gives nothing although documents of it are in "
        "Xero: `stop` holds the bookmark back and ends with 1, `warn` goes on.",
    ),
    th.Property(
        "on_total_difference",
        th.StringType,
        title="On a difference in total",
        default="fail",
        allowed_values=["fail", "rounding_line", "accept"],
        description="What to do when what Xero will make of the lines differs from the source's own total: `fail` refuses the "
        "document with the difference to the cent, `rounding_line` adds a line on Xero's rounding account, `accept` goes on.",
    ),
    th.Property(
        "recall_records",
        th.BooleanType,
        title="Recall records",
        default=True,
        description="Whether a record that is byte for byte as it was when its documents were last found as Xero has them is taken "
        "for what it came to then, without mapping it again. What becomes of its documents is decided anew either way; without it "
        "a run is slower.",
    ),
    th.Property(
        "history_notes",
        th.BooleanType,
        title="History notes",
        default=False,
        description="Whether a note in the document's History in Xero names the run and the source record. Costs a call a document.",
    ),
    th.Property(
        "alert_urls",
        th.StringType,
        secret=True,
        title="Alerts",
        description="Where to tell when a run ends with 1: addresses of the library apprise, separated by spaces, such as "
        "`mailto://user:password@example.com` or `slack://token/#finance`. One short message a run."
        + FROM_FILE,
    ),
    th.Property(
        "alert_on",
        th.ArrayType(th.StringType(allowed_values=list(ALERTS))),
        title="Alert on",
        default=list(ALERTS),
        description="What to tell: documents `refused` or `parked`, a run that `stopped` early, a run that `failed`.",
    ),
).to_dict()
