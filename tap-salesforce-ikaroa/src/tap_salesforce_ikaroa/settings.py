"""The settings, as `--about` shows them, and what they mean together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from requests.adapters import BaseAdapter
from singer_sdk import typing as th

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.auth import ClientCredentials, Grant, JwtBearer, OAuth, RefreshToken, TokenEndpoint
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.hosts import AllowedHosts, origin
from tap_salesforce_ikaroa.quota import Purpose, Quota
from tap_salesforce_ikaroa.token_store import TokenStore
from tap_salesforce_ikaroa.transport import RetryPolicy, Transport
from tap_salesforce_ikaroa.window import setting_stamp

LOGIN_HOST = "https://login.salesforce.com"
SANDBOX_LOGIN_HOST = "https://test.salesforce.com"
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]")
FROM_FILE = "file:"
"""A secret given as `file:/run/secrets/…` is what that file holds."""

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "login_url",
        th.StringType,
        description="The org's My Domain address (Setup, My Domain), such as https://acme.my.salesforce.com. Without "
        f"it {LOGIN_HOST} is used, which does not know the client credentials flow.",
    ),
    th.Property(
        "is_sandbox",
        th.BooleanType,
        default=False,
        description=f"Use {SANDBOX_LOGIN_HOST} where `login_url` is not set.",
    ),
    th.Property("client_id", th.StringType, description="Consumer key of the external client app."),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        description="Consumer secret of the app. Needed for client credentials; not for JWT. This and the other secrets "
        "may be given as file:/path, which means the content of that file.",
    ),
    th.Property(
        "auth_method",
        th.StringType,
        default="auto",
        allowed_values=["auto", "client_credentials", "jwt", "refresh_token"],
        description="How to log in. `auto` takes jwt where a private key is set, refresh_token where a refresh token "
        "or a token store is set, and else client credentials.",
    ),
    th.Property(
        "private_key",
        th.StringType,
        secret=True,
        description="For JWT: the RSA private key of the app's certificate, in PEM form without passphrase.",
    ),
    th.Property("private_key_path", th.StringType, description="For JWT: a file that holds the private key."),
    th.Property("username", th.StringType, description="For JWT: the user name of the integration user."),
    th.Property(
        "jwt_audience",
        th.StringType,
        description=f"For JWT: the assertion's audience. Default {LOGIN_HOST}, with `is_sandbox` {SANDBOX_LOGIN_HOST}.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        description="A refresh token from a browser login. Not needed where `login` keeps it in the token store. If the app "
        "rotates refresh tokens, set `token_store_path`.",
    ),
    th.Property(
        "token_store_path",
        th.StringType,
        description="A file that keeps the refresh token, encrypted: the one of `login`, or a rotating one. Keep it outside "
        "`.meltano/`.",
    ),
    th.Property(
        "token_store_key",
        th.StringType,
        secret=True,
        description="The key of the token store: 32 random bytes in base64 or hex.",
    ),
    th.Property(
        "allowed_hosts",
        th.ArrayType(th.StringType),
        description="Hosts the tap may talk to besides Salesforce's own domains, such as a gateway of yours.",
    ),
    th.Property(
        "api_version",
        th.StringType,
        default=limits.API_VERSION,
        description="REST API version.",
    ),
    th.Property(
        "api_type",
        th.StringType,
        default="AUTO",
        allowed_values=["AUTO", "REST", "BULK2"],
        description="Which API reads the rows. AUTO counts first: REST for few rows, Bulk API 2.0 for many. BULK2 takes "
        "Bulk for all; what Bulk cannot read is read by REST in any case.",
    ),
    th.Property(
        "bulk_min_rows",
        th.IntegerType,
        default=limits.BULK_WORTH_ROWS,
        minimum=0,
        description="With AUTO: Bulk API 2.0 reads what has more rows than this. For an object so wide that its columns "
        "need several REST queries, rows count once for each.",
    ),
    th.Property(
        "bulk_parallel",
        th.IntegerType,
        default=limits.RESULT_PARALLEL,
        minimum=1,
        maximum=10,
        description="Result pages of a Bulk job to fetch at once. Each waits in a temporary file until it is read.",
    ),
    th.Property(
        "bulk_jobs",
        th.IntegerType,
        default=limits.BULK_JOBS,
        minimum=1,
        description="Bulk jobs to have at Salesforce at once. Those of the streams that come next are made ahead, so that "
        "they wait there together. 1 makes each stream's when its turn comes.",
    ),
    th.Property(
        "bulk_page_size",
        th.IntegerType,
        default=limits.RESULT_PAGE_ROWS,
        minimum=1,
        description="Rows of one result page of a Bulk job, also the step in which a run that was cut resumes.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        description="Rows last changed before it are not read. Without it everything is.",
    ),
    th.Property(
        "lookback_window",
        th.IntegerType,
        default=limits.LOOKBACK_S,
        minimum=0,
        maximum=limits.LOOKBACK_MAX_S,
        description="Seconds before the bookmark that each run reads again, for rows that were committed late.",
    ),
    th.Property(
        "include_deleted",
        th.BooleanType,
        default=True,
        description="Also give deleted rows: those in the recycle bin whole, those deleted for good by their Id, "
        "both with IsDeleted true.",
    ),
    th.Property(
        "streams_to_discover",
        th.ArrayType(th.StringType),
        description="Objects to discover besides those that a catalog selects. Default: the objects of `aggregates`. "
        '["*"] is every object that can be queried; patterns such as "*__c" work too.',
    ),
    th.Property(
        "select_fields_by_default",
        th.BooleanType,
        default=True,
        description="Select every field of a selected stream unless the catalog says otherwise.",
    ),
    th.Property(
        "aggregates",
        th.ObjectType(additional_properties=True),
        description="Which rows a record embeds: {object: {parents: {relationship: [fields]}, children: {relationship: "
        "{fields: […], parents: {…}}}}}. Fields may be patterns. An object given here replaces its default; {} makes "
        "it flat. Default: Account with Contacts, Product2 with PricebookEntries, Opportunity with Account and "
        "OpportunityLineItems, Lead.",
    ),
    th.Property(
        "needed_fields",
        th.ArrayType(th.StringType),
        description="What must not be missing, as object and path: Opportunity.Amount, Opportunity.OpportunityLineItems.Quantity. "
        "The command `check` names what of it the user cannot see; a run does not ask.",
    ),
    th.Property(
        "recheck_hours",
        th.IntegerType,
        default=limits.RECHECK_HOURS,
        minimum=0,
        maximum=limits.EVERY_HOURS_MAX,
        description="Salesforce does not say which root a child row belonged to before it was deleted for good, or "
        f"moved to another root; then all roots are read again: up to {limits.RECHECK_AT_ONCE:,} (deleted) or "
        f"{limits.RECHECK_MOVES_AT_ONCE:,} (perhaps moved) at once, more at most once in this many hours. 0 never does.",
    ),
    th.Property(
        "refresh_days",
        th.ObjectType(additional_properties=th.IntegerType(minimum=0, maximum=limits.EVERY_DAYS_MAX)),
        description="How often to read all of a stream again for formula fields, whose changes Salesforce does not stamp: "
        '{stream: days}, such as {"Opportunity": 7}; "*" stands for all others.',
    ),
    th.Property(
        "full_compare_days",
        th.IntegerType,
        default=0,
        minimum=0,
        maximum=limits.EVERY_DAYS_MAX,
        description="How often to compare all ids with those given out, to find records deleted for good that Salesforce "
        "no longer tells of (it does for 15 days at most), such as 7. 0 never does. Needs `id_store_path`.",
    ),
    th.Property(
        "id_store_path",
        th.StringType,
        description="For `full_compare_days`: a file that keeps the ids given out. Keep it outside `.meltano/`.",
    ),
    th.Property(
        "mode",
        th.StringType,
        default="poll",
        allowed_values=["poll", "live"],
        description="`poll` reads what changed and ends. `live` then stays and follows change events (Pub/Sub API): see "
        "docs/live.md.",
    ),
    th.Property(
        "pubsub_endpoint",
        th.StringType,
        default=limits.PUBSUB_ENDPOINT,
        description="With `live`: host and port of the Pub/Sub API. TLS always, but to loopback.",
    ),
    th.Property(
        "live_max_seconds",
        th.IntegerType,
        default=0,
        minimum=0,
        description="With `live`: end after so long, with exit code 0; the next run goes on where this one ended. 0 never "
        "does.",
    ),
    th.Property(
        "live_idle_seconds",
        th.IntegerType,
        default=0,
        minimum=0,
        description="With `live`: end, with exit code 0, when nothing has changed for so long. 0 never does.",
    ),
    th.Property(
        "poll_interval_seconds",
        th.IntegerType,
        default=limits.POLL_INTERVAL_S,
        minimum=1,
        description="With `live`: how often to poll what has no change events. A poll of one object costs two API calls.",
    ),
    th.Property(
        "safety_poll_seconds",
        th.IntegerType,
        default=limits.SAFETY_POLL_S,
        minimum=1,
        description="With `live`: how often to poll what has, for what events may miss. This also moves the bookmark.",
    ),
    th.Property(
        "skip_changes_by",
        th.ArrayType(th.StringType),
        description="With `live`: do not follow events of changes that were made with these client names "
        "(`Sforce-Call-Options: client=…`), such as one's own. Polls give them all the same.",
    ),
    th.Property(
        "doorbell_port",
        th.IntegerType,
        default=0,
        minimum=0,
        maximum=65535,
        description="With `live`, for orgs without change events: listen for Outbound Messages on this port of loopback, "
        "behind a proxy that ends TLS. 0 does not. Needs `doorbell_spool_path`.",
    ),
    th.Property(
        "doorbell_path",
        th.StringType,
        secret=True,
        description="The path that Outbound Messages must be sent to, such as /in/3f9c…: long and secret.",
    ),
    th.Property(
        "doorbell_spool_path",
        th.StringType,
        description="For `doorbell_port`: a file that keeps what was acknowledged until it is read.",
    ),
    th.Property(
        "page_size",
        th.IntegerType,
        default=limits.PAGE_ROWS_MAX,
        minimum=limits.PAGE_ROWS_MIN,
        maximum=limits.PAGE_ROWS_MAX,
        description="Rows to ask for in one page.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType,
        default=limits.REQUEST_TIMEOUT_S,
        minimum=1,
        maximum=limits.REQUEST_TIMEOUT_MAX_S,
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType,
        default=limits.RETRIES,
        minimum=0,
        description="How often a request is sent again after a transient failure.",
    ),
    th.Property(
        "quota_percent_total",
        th.IntegerType,
        default=limits.QUOTA_PERCENT_TOTAL,
        minimum=1,
        maximum=100,
        description="Stop, with STATE kept, once this share of the org's daily API calls is used, by whomever.",
    ),
    th.Property(
        "quota_percent_per_run",
        th.IntegerType,
        default=limits.QUOTA_PERCENT_PER_RUN,
        minimum=1,
        maximum=100,
        description="Stop, with STATE kept, once this run has used this share of the org's daily API calls.",
    ),
).to_dict()

Config = Mapping[str, Any]


def tidied(config: Config) -> dict[str, Any]:
    """The settings as given, without blanks (an unset variable in Meltano), and an API version in its usual form."""
    result = {name: value for name, value in config.items() if value is not None and value != ""}
    version = result.get("api_version")
    if isinstance(version, str):
        result["api_version"] = version.strip().lstrip("vV")
    elif isinstance(version, int | float | Decimal) and not isinstance(version, bool):
        result["api_version"] = f"{version:.1f}"
    return result


def endpoint_of(config: Config, adapter: BaseAdapter | None, policy: RetryPolicy) -> TokenEndpoint:
    """The login address that these settings name, and the door to the network that goes with it.

    Raises:
        SettingsError: the address is not allowed.
    """
    login_url = str(
        config.get("login_url") or (SANDBOX_LOGIN_HOST if config.get("is_sandbox") else LOGIN_HOST)
    )
    if "://" not in login_url:
        login_url = f"https://{login_url}"
    hosts = AllowedHosts(login_url, config.get("allowed_hosts") or ())
    hosts.check(login_url, "`login_url`")
    policy.retries = int(config.get("max_retries", limits.RETRIES))
    timeout_s = float(config.get("request_timeout", limits.REQUEST_TIMEOUT_S))
    # Whatever path was copied along with the address is left out.
    return TokenEndpoint(Transport(hosts, adapter, policy, timeout_s), origin(login_url))


def client_of(config: Config, adapter: BaseAdapter | None, policy: RetryPolicy) -> Client:
    """The client that these settings describe.

    Raises:
        SettingsError: something is missing or does not fit together.
    """
    endpoint = endpoint_of(config, adapter, policy)
    if config.get("start_date"):
        setting_stamp(str(config["start_date"]), "start_date")
    quota = Quota(
        int(config.get("quota_percent_total", limits.QUOTA_PERCENT_TOTAL)),
        int(config.get("quota_percent_per_run", limits.QUOTA_PERCENT_PER_RUN)),
    )
    tokens = OAuth(endpoint, grant_of(config), lambda: quota.spend(Purpose.LOGIN))
    version = str(config.get("api_version", limits.API_VERSION))
    if not _VERSION.fullmatch(version):
        raise SettingsError(f"`api_version` is not a version such as {limits.API_VERSION}: {version[:20]!r}")
    page_rows = int(config.get("page_size", limits.PAGE_ROWS_MAX))
    return Client(endpoint.transport, tokens, quota, version, page_rows)


def grant_of(config: Config) -> Grant:
    """The login flow that the settings choose.

    Raises:
        SettingsError: a setting that the flow needs is missing.
    """
    method = config.get("auth_method") or "auto"
    if method == "auto":
        if config.get("private_key") or config.get("private_key_path"):
            method = "jwt"
        else:
            lasting = config.get("refresh_token") or config.get("token_store_path")
            method = "refresh_token" if lasting else "client_credentials"
    client_id = needed(config, "client_id", method)
    if method == "jwt":
        audience = SANDBOX_LOGIN_HOST if config.get("is_sandbox") else LOGIN_HOST
        return JwtBearer(
            client_id,
            needed(config, "username", method),
            str(config.get("jwt_audience") or audience),
            _private_key(config),
        )
    if method == "refresh_token":
        store = token_store_of(config)
        kept = store is not None and not config.get("refresh_token")
        token = None if kept else needed(config, "refresh_token", method)
        return RefreshToken(client_id, token, client_secret_of(config), store)
    return ClientCredentials(client_id, needed(config, "client_secret", method))


def needed(config: Config, name: str, method: str) -> str:
    """A setting's value, read from its file where it is `file:…`.

    Raises:
        SettingsError: it is not set.
    """
    value = config.get(name)
    if not value:
        raise SettingsError(
            f"`{name}` is not set, and auth_method {method} needs it. Set it as TAP_SALESFORCE_IKAROA_{name.upper()} in "
            "the environment or `.env`"
        )
    text = str(value)
    return _read(text.removeprefix(FROM_FILE), name).strip() if text.startswith(FROM_FILE) else text


def _private_key(config: Config) -> str:
    if config.get("private_key"):
        return needed(config, "private_key", "jwt").replace("\\n", "\n")
    return _read(needed(config, "private_key_path", "jwt"), "private_key_path")


def _read(path: str, setting: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise SettingsError(f"`{setting}` cannot be read: there is no readable file {path}") from None


def client_secret_of(config: Config) -> str | None:
    """The consumer secret; None for an app that needs none."""
    return needed(config, "client_secret", "login") if config.get("client_secret") else None


def token_store_of(config: Config) -> TokenStore | None:
    """The token store; None where none is set."""
    if not config.get("token_store_path"):
        return None
    key = needed(config, "token_store_key", "refresh_token with `token_store_path`")
    client_id = needed(config, "client_id", "refresh_token")
    return TokenStore(Path(str(config["token_store_path"])), key, client_id)
