"""The settings' values, read and checked; `settings_schema.py` declares them."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_xero import limits
from target_xero.errors import ConfigurationError, QuietPeriodError
from target_xero.routing.branches import Branch, read_branches
from target_xero.settings_schema import CONFIG_JSONSCHEMA, SECRETS, XERO_IDENTITY
from target_xero.xero.secret import Secret, read_secret
from target_xero.xero.transport import check_url, is_loopback

if TYPE_CHECKING:
    from crm_to_xero import Mapping as CrmMapping

_CURRENCY = re.compile("[A-Z]{3}")


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
    ledger_url: Secret | None
    organisations: tuple[Branch, ...]
    """Several Xero organisations, each with its own settings; empty: one alone."""
    mode: str
    plan_path: Path
    run_by: str
    second_approver: bool
    books_closed_until: date | None
    max_documents: int
    max_changed_percent: int
    max_amount: dict[str, Decimal]
    """By currency; before tax."""
    stop_on_empty_source: bool
    on_total_difference: str
    history_notes: bool
    recall_records: bool
    alert_urls: Secret | None
    alert_on: frozenset[str]
    mapping_options: dict[str, Any] = field(default_factory=dict)

    @property
    def each(self) -> tuple[Settings, ...]:
        """The settings of every organisation: these, where there is one alone."""
        return tuple(branch.settings for branch in self.organisations) or (self,)

    @cached_property
    def rules(self) -> CrmMapping | None:
        """The mapping, checked and compiled, where the target does it.

        Raises:
            MappingFileError: it cannot be read, or something in it or in its options is wrong.
        """
        if not self.mapping:
            return None
        from crm_to_xero import load_mapping  # noqa: PLC0415  the compiler, which ready-made documents do without

        return load_mapping(self.mapping, self.mapping_options)

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
            mapping_options=_json("mapping_options", value["mapping_options"], dict),
            ignore_unknown_streams=value["on_unknown_stream"] == "ignore",
            allow_statuses=frozenset(value["allow_statuses"]),
            fail_on_refused=bool(value["fail_on_refused"]),
            retry_refused=bool(value["retry_refused"]),
            commit_interval_s=int(value["commit_interval_seconds"]),
            quiet_period_s=int(value["quiet_period_seconds"]),
            request_timeout_s=int(value["request_timeout_seconds"]),
            day_limit_reserve=int(value["day_limit_reserve"]),
            batch_documents=int(value["batch_documents"]),
            ledger_url=read_secret("ledger_url", value["ledger_url"]),
            organisations=read_branches(
                _json("organisations", value["organisations"], list), config, cls.read
            ),
            mode=value["mode"],
            plan_path=Path(value["plan_path"]).expanduser()
            if value["plan_path"]
            else ledger_path.with_name("plans"),
            run_by=value["run_by"] or _user(),
            second_approver=bool(value["second_approver"]),
            books_closed_until=_day("books_closed_until", value["books_closed_until"]),
            max_documents=int(value["max_documents"]),
            max_changed_percent=int(value["max_changed_percent"]),
            max_amount=_amounts("max_amount", value["max_amount"]),
            stop_on_empty_source=value["on_empty_source"] == "stop",
            on_total_difference=value["on_total_difference"],
            history_notes=bool(value["history_notes"]),
            recall_records=bool(value["recall_records"]),
            alert_urls=read_secret("alert_urls", value["alert_urls"]),
            alert_on=frozenset(value["alert_on"]),
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


def _json(name: str, value: Any, kind: type) -> Any:
    """A list or an object, which the environment gives as JSON text."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = ()
    if not found and not isinstance(found, str | tuple):
        return kind()
    if not isinstance(found, kind):
        expected = "object" if kind is dict else "list"
        raise ConfigurationError(f"setting {name}: a JSON {expected} is expected")
    return found


def _amounts(name: str, value: Any) -> dict[str, Decimal]:
    try:
        found = {currency: Decimal(str(limit)) for currency, limit in _json(name, value, dict).items()}
    except InvalidOperation:
        found = {"": Decimal(-1)}
    if any(
        not _CURRENCY.fullmatch(currency) or not limit.is_finite() or limit < 0
        for currency, limit in found.items()
    ):
        raise ConfigurationError(
            f'setting {name}: amounts by currency are expected, such as {{"GBP": "250000"}}; a currency is three capital letters'
        )
    return found


def _day(name: str, value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ConfigurationError(f"setting {name}: {value!r} is no day; write it as YYYY-MM-DD") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown user"


def unreadable_secrets(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with what holds secrets, said without their values (a JSON Schema message would repeat them)."""
    wrong = [
        f"setting {name}: text is expected"
        for name in SECRETS
        if config.get(name) is not None and not isinstance(config[name], str)
    ]
    entries = config.get("organisations")
    if entries is not None and (
        not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries)
    ):
        wrong.append(
            "setting organisations: a list of objects is expected, such as [{name: UK, tenant_id: …, when: …}]"
        )
    return wrong
