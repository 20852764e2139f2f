"""The setting `organisations`, read and checked.

    [{"name": "UK", "tenant_id": "…", "when": "record.Company__c == 'UK'"},
     {"name": "Ireland", "tenant_id": "…", "when": "CurrencyCode == 'EUR'", "books_closed_until": "2026-03-31"}]

`when` is an expression as in a mapping. It sees the document's fields by name, the whole document as `document`, the record it
was made from as `record` (without a mapping: the document), and the name of its stream as `stream`. Without a `when` an
organisation takes the documents whose field `organisation` is its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.errors import nearest

from target_xero import limits
from target_xero.errors import ConfigurationError
from target_xero.settings_schema import CONFIG_JSONSCHEMA, SECRETS

if TYPE_CHECKING:
    from crm_to_xero.expressions import Expression

    from target_xero.settings import Settings

OWN = ("name", "when", "takes_all")
OVERRIDES = (
    "tenant_id",
    "client_id",
    "client_secret",
    "auth_method",
    "refresh_token",
    "token_store_path",
    "token_store_key",
    "scopes",
    "mapping_options",
    "books_closed_until",
    "allow_statuses",
    "max_documents",
    "max_changed_percent",
    "max_amount",
    "on_empty_source",
    "on_total_difference",
    "history_notes",
    "day_limit_reserve",
)
"""Settings that an organisation may have otherwise than the rest."""
NAMES = frozenset({"document", "record", "stream"})
_FIELDS = frozenset().union(*(schema["properties"] for schema in DOCUMENTS.values()))


@dataclass(frozen=True)
class Branch:
    """One of several organisations."""

    name: str
    """What the settings call it; the ledger keeps which organisation that is."""
    when: Expression
    takes_all: frozenset[str]
    """Streams whose documents it takes whatever `when` says, beside other organisations: a price list, say."""
    settings: Settings
    """The run's settings with its own in their place."""


def read_branches(
    entries: list[Any], config: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Settings]
) -> tuple[Branch, ...]:
    """The organisations of a configuration.

    Args:
        entries: the setting's value.
        config: the whole configuration, for what an organisation does not say itself.
        read: makes settings of a configuration.

    Raises:
        ConfigurationError: what is wrong, and in which entry; never with a secret's value.
    """
    branches = tuple(_branch(number, entry, config, read) for number, entry in enumerate(entries, 1))
    for what, values in (
        ("name", [branch.name for branch in branches]),
        ("tenant_id", [str(branch.settings.tenant_id) for branch in branches]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ConfigurationError(
                f"setting organisations: {what} {twice[0]} is there twice. Two entries for one organisation could write a "
                "document twice; join their conditions with `or`"
            )
    return branches


def _branch(
    number: int, entry: Any, config: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Settings]
) -> Branch:
    where = f"setting organisations, entry {number}"
    if not isinstance(entry, Mapping):
        raise ConfigurationError(
            f"{where}: an object is expected, such as {{name: UK, tenant_id: …, when: …}}"
        )
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > limits.NAME_MAX:
        raise ConfigurationError(
            f"{where}: give it a `name`, text that people know the organisation by and that stays the same"
        )
    where = f"setting organisations: {name}"
    _check_entry(where, entry)
    own = {key: value for key, value in entry.items() if key in OVERRIDES and value is not None}
    merged = {**config, **own, "organisations": None}
    if isinstance(own.get("mapping_options"), Mapping) and isinstance(config.get("mapping_options"), Mapping):
        merged["mapping_options"] = {**config["mapping_options"], **own["mapping_options"]}
    if own.keys() & {"refresh_token", "client_id"} and "token_store_path" not in own:
        merged["token_store_path"] = _token_store(config, str(own["tenant_id"]))
    try:
        settings = read(merged)
    except ConfigurationError as failure:
        raise type(failure)(f"{where}: {failure}") from None
    return Branch(
        name=name.strip(),
        when=_condition(where, name.strip(), entry.get("when")),
        takes_all=frozenset(entry.get("takes_all") or ()),
        settings=settings,
    )


def _check_entry(where: str, entry: Mapping[str, Any]) -> None:
    for key in entry:
        if key not in OWN and key not in OVERRIDES:
            raise ConfigurationError(
                f"{where}: there is no {str(key)[:40]!r} here. {nearest(str(key), (*OWN, *OVERRIDES))}"
            )
    tenant = entry.get("tenant_id")
    if not isinstance(tenant, str) or not tenant.strip():
        raise ConfigurationError(
            f"{where}: tenant_id is missing: the id of the Xero organisation; `target-xero check` lists those that are connected"
        )
    taken = entry.get("takes_all") or []
    if not isinstance(taken, list) or not all(stream in DOCUMENTS for stream in taken):
        raise ConfigurationError(f"{where}: takes_all is a list of document streams: {', '.join(DOCUMENTS)}")
    for key, value in entry.items():
        if key in OWN or value is None:
            continue
        if key in SECRETS:
            if not isinstance(value, str):
                raise ConfigurationError(f"{where}: {key}: text is expected")
            continue
        try:
            jsonschema.validate(value, CONFIG_JSONSCHEMA["properties"][key])
        except jsonschema.ValidationError as failure:
            raise ConfigurationError(f"{where}: {key}: {failure.message}") from None


def _token_store(config: Mapping[str, Any], tenant_id: str) -> str:
    """A file of its own beside the common one: two apps' tokens do not share a file."""
    ledger = Path(
        config.get("ledger_path") or CONFIG_JSONSCHEMA["properties"]["ledger_path"]["default"]
    ).expanduser()
    common = config.get("token_store_path")
    path = Path(common) if common else ledger.with_name("xero-token.json")
    safe = "".join(letter for letter in tenant_id if letter.isalnum() or letter == "-")
    return str(path.with_name(f"{path.stem}-{safe}{path.suffix}"))


def _condition(where: str, name: str, source: Any) -> Expression:
    if source is None:
        source = f"organisation == {name!r}"
    if isinstance(source, bool):
        source = str(source)
    if not isinstance(source, str):
        raise ConfigurationError(f"{where}: when: an expression is expected, such as CurrencyCode == 'EUR'")
    from crm_to_xero.expressions import (  # noqa: PLC0415  the compiler, which one organisation does without
        ExpressionMistake,
        Vocabulary,
        compile_expression,
    )

    try:
        found = compile_expression(source, Vocabulary({}))
    except ExpressionMistake as mistake:
        raise ConfigurationError(f"{where}: when: {mistake.problem}. {mistake.cure}".rstrip(". ")) from None
    for known in found.names:
        if known not in NAMES and known not in _FIELDS:
            raise ConfigurationError(
                f"{where}: when: documents have no field {known!r}. {nearest(known, _FIELDS | NAMES)} A field of the source is "
                f"record.{known}"
            )
    return found
