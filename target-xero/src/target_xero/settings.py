"""The settings of target-xero: what each is for, its kind and default, and their values read and checked.

`--about`, the README, `meltano.yml` and the lock file are all made from `CONFIG_JSONSCHEMA`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_to_xero.documents import DOCUMENTS
from singer_sdk import typing as th

from target_xero import limits
from target_xero.errors import ConfigurationError, QuietPeriodError
from target_xero.xero.auth import DEFAULT_SCOPES
from target_xero.xero.secret import Secret, read_secret
from target_xero.xero.transport import check_url, is_loopback

XERO_API = "https://api.xero.com"
XERO_IDENTITY = "https://identity.xero.com"
SECRETS = ("client_secret", "refresh_token", "token_store_key")
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "SENT", "ACCEPTED", "DECLINED")
"""Of invoices and credit notes the first three, of quotes `DRAFT` and the last three."""
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
        description="Whether this run tries everything again that is refused or parked. For one run, once the causes are gone: "
        "`TARGET_XERO_RETRY_REFUSED=true meltano run …`. A document that changes at its source is tried again by itself.",
    ),
    th.Property(
        "commit_interval_seconds",
        th.IntegerType(minimum=1),
        title="Commit interval",
        default=limits.COMMIT_INTERVAL_S,
        description="How often, at the latest, what was read is settled in Xero and the bookmark handed on while a run goes on.",
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
).to_dict()


@dataclass(frozen=True)
class Settings:
    """The settings' values, read and checked. Secrets are `Secret`s."""

    client_id: str
    client_secret: Secret | None
    auth_method: str
    refresh_token: Secret | None
    token_store_path: Path
    token_store_key: Secret | None
    tenant_id: str | None
    scopes: str
    api_url: str
    identity_url: str
    ledger_path: Path
    mapping: str | None
    ignore_unknown_streams: bool
    allow_statuses: frozenset[str]
    fail_on_refused: bool
    retry_refused: bool
    commit_interval_s: int
    quiet_period_s: int
    request_timeout_s: int
    day_limit_reserve: int
    batch_documents: int
    mapping_options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """From a validated configuration.

        Raises:
            ConfigurationError: a value that no schema can check: an address, a path, a secret file, a missing partner.
        """
        value = {
            name: entry.get("default") if config.get(name) is None else config[name]
            for name, entry in CONFIG_JSONSCHEMA["properties"].items()
        }
        if not value["client_id"]:
            raise ConfigurationError(
                "setting client_id is missing: the client id of the Xero app (for the sandbox: sandbox-xero-client)"
            )
        api_url = check_url("api_url", value["api_url"])
        identity_url = value["identity_url"] or (api_url if is_loopback(api_url) else XERO_IDENTITY)
        ledger_path = _ledger_path(value["ledger_path"])
        shortest = int(value["request_timeout_seconds"]) + limits.LATEST_EFFECT_S
        if int(value["quiet_period_seconds"]) < shortest:
            raise QuietPeriodError(
                f"setting quiet_period_seconds: {value['quiet_period_seconds']} s is too short to be safe; a write whose answer "
                f"was lost may take effect up to {shortest} s later. Give at least that, or leave it at {limits.QUIET_PERIOD_S}"
            )
        store = value["token_store_path"]
        return cls(
            client_id=value["client_id"],
            client_secret=read_secret("client_secret", value["client_secret"]),
            auth_method=value["auth_method"],
            refresh_token=read_secret("refresh_token", value["refresh_token"]),
            token_store_path=Path(store).expanduser() if store else ledger_path.with_name("xero-token.json"),
            token_store_key=read_secret("token_store_key", value["token_store_key"]),
            tenant_id=value["tenant_id"] or None,
            scopes=value["scopes"],
            api_url=api_url,
            identity_url=check_url("identity_url", identity_url),
            ledger_path=ledger_path,
            mapping=value["mapping"] or None,
            mapping_options=_options(value["mapping_options"]),
            ignore_unknown_streams=value["on_unknown_stream"] == "ignore",
            allow_statuses=frozenset(value["allow_statuses"]),
            fail_on_refused=bool(value["fail_on_refused"]),
            retry_refused=bool(value["retry_refused"]),
            commit_interval_s=int(value["commit_interval_seconds"]),
            quiet_period_s=int(value["quiet_period_seconds"]),
            request_timeout_s=int(value["request_timeout_seconds"]),
            day_limit_reserve=int(value["day_limit_reserve"]),
            batch_documents=int(value["batch_documents"]),
        )


def _ledger_path(text: str) -> Path:
    path = Path(text).expanduser()
    if ".meltano" in path.parts or ".meltano" in path.resolve().parts:
        raise ConfigurationError(
            f"setting ledger_path: {path} is inside .meltano, which people delete to start afresh, and with it would go the "
            "memory of what is in Xero already. Put the ledger elsewhere, e.g. output/ledger.sqlite"
        )
    if path.is_dir():
        raise ConfigurationError(
            f"setting ledger_path: {path} is a folder; a file is expected, e.g. {path}/ledger.sqlite"
        )
    return path


def _options(value: Any) -> dict[str, Any]:
    try:
        return dict(json.loads(value) if isinstance(value, str) else value or {})
    except (ValueError, TypeError):
        raise ConfigurationError(
            "setting mapping_options: a JSON object is expected, options by name"
        ) from None


def unreadable_secrets(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the secrets' kinds, said without their values (a JSON Schema message would repeat them)."""
    return [
        f"setting {name}: text is expected"
        for name in SECRETS
        if config.get(name) is not None and not isinstance(config[name], str)
    ]
