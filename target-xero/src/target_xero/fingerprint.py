"""The fingerprint of a record: two records with the same one give the same documents, to the last letter.

What a record comes to is worked out by pure code: mapping, cleaning, hashing. So it need not be worked out again for a record that
is byte for byte what it was, under the same circumstances. What becomes of its documents is decided anew every time: whether the
ledger has them so, whether something is open, refused, taken back, re-keyed (see `plan.planner`). A record is remembered only
after all its documents were found, the long way, to be as Xero has them.

A fingerprint that leaves something out would hide a change. So it takes in too much rather than too little: every setting that is
not known to be harmless, every line of the code. It then costs one slow run, no more.
"""

from __future__ import annotations

import hashlib
import sys
import zoneinfo
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import crm_to_xero

import target_xero
from target_xero.ledger import Tenant
from target_xero.settings import Settings

if TYPE_CHECKING:
    from crm_to_xero import Mapping

HARMLESS = frozenset(
    {
        "client_id", "client_secret", "auth_method", "refresh_token", "token_store_path", "token_store_key", "tenant_id",
        "scopes", "api_url", "identity_url", "ledger_path", "ledger_url", "mapping", "mapping_options",
        "ignore_unknown_streams", "fail_on_refused", "retry_refused", "commit_interval_s", "quiet_period_s",
        "request_timeout_s", "day_limit_reserve", "batch_documents", "organisations", "mode", "plan_path", "run_by",
        "second_approver", "max_documents", "max_changed_percent", "max_amount", "stop_on_empty_source", "history_notes",
        "alert_urls", "alert_on", "recall_records",
    }
)  # fmt: skip
"""Settings that reach neither a document's content nor its hash: access, places, limits of a run, what people are told.
The tenant, the mapping's text and its settled options are parts of their own."""
LIBRARIES = ("singer-sdk", "simpleeval", "simplejson", "msgspec", "pendulum", "tzdata")
"""What the mapping and the spelling of a document rest on besides our own code."""


class Fingerprints:
    """The fingerprints of one run on one organisation."""

    def __init__(self, settings: Settings, tenant: Tenant, mapping: Mapping | None) -> None:
        self._circumstances = repr(list(_circumstances(settings, tenant, mapping))).encode()

    def of_stream(self, stream: str) -> Any:
        """The hash begun for a stream's records: a copy of it is fed a record's own bytes, as they came.

        The bytes hold neither the message's `time_extracted` nor its `version`, which reach no document.
        """
        begun = hashlib.sha256(self._circumstances)  # which processors have instructions for
        begun.update(f"\n{len(stream)} {stream}\n".encode("utf-8", "backslashreplace"))
        return begun


def _circumstances(
    settings: Settings, tenant: Tenant, mapping: Mapping | None
) -> Iterator[tuple[str, object]]:
    """All that decides, beside the record, what it comes to."""
    yield "organisation", (tenant.id, tenant.base_currency)  # a ledger may hold several
    yield "mapping", mapping and mapping.digest  # its text
    yield "options", mapping and sorted((name, repr(value)) for name, value in mapping.options.items())
    for one in fields(settings):
        if one.name not in HARMLESS:
            yield one.name, _spelt(getattr(settings, one.name))
    yield "code", _code()  # a release, and what somebody changed in it
    yield "libraries", [(name, _release(name)) for name in LIBRARIES]
    yield "Python", sys.version  # its tables of letters and time zones, too
    yield "time zones", list(_time_zones())


def _spelt(value: object) -> str:
    return repr(sorted(value, key=repr)) if isinstance(value, frozenset) else repr(value)


@lru_cache(maxsize=1)
def _code() -> str:
    """Every line of the mapper and of the target that may reach a document: read once a process, a few milliseconds."""
    found = hashlib.sha256()
    mapper, target = Path(str(crm_to_xero.__file__)).parent, Path(str(target_xero.__file__)).parent
    files = [*mapper.rglob("*.py"), *target.glob("*.py"), *target.joinpath("plan").glob("*.py")]
    for path in sorted(files):
        found.update(f"{path.name}\n".encode() + path.read_bytes())
    return f"{_release('target-xero')} {_release('crm-to-xero')} {found.hexdigest()}"


@lru_cache(maxsize=16)
def _release(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _time_zones() -> Iterator[tuple[str, int]]:
    """The machine's own tables of time zones, where it has some: an update of them may move a date."""
    for folder in zoneinfo.TZPATH:
        for path in (Path(folder), Path(folder) / "tzdata.zi"):
            if path.exists():
                yield str(path), path.stat().st_mtime_ns
