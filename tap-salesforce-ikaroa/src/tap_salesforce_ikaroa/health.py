"""What a run needs, looked at one by one; nothing is written anywhere.

Each `Finding` is ok, warn (a run works, but see) or fail (a run would stop, or lack what was said to be needed), with the cure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.discovery import Discovery
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.quota import Purpose
from tap_salesforce_ikaroa.shapes import Shape, aggregates_of

Config = Mapping[str, Any]
Topics = Callable[[Client, Sequence[str]], dict[str, bool]]
"""For which objects this user may subscribe to change events. Raises TapError where that cannot be asked."""
GRANT = "give the integration user read access by a permission set (docs/salesforce-access.md)"


class Level(str, Enum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One look."""

    level: Level
    what: str
    found: str
    cure: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {**asdict(self), "level": self.level.value}


def look(
    config: Config, client: Callable[[], Client], needs: Iterable[str], topics: Topics
) -> Iterator[Finding]:
    """All findings; those that hang on the login are left out where there is none."""
    try:
        open_client = client()
        open_client.quota.stops = False  # a few calls tell why runs stop at their budget
        session = open_client.tokens.session()
    except TapError as error:
        yield Finding(Level.FAIL, "access", str(error), "see docs/salesforce-access.md")
        return
    organisation = session.organisation_id or "not told"
    yield Finding(Level.OK, "access", f"logged in to {session.instance_url}")
    yield Finding(Level.OK, "organisation", organisation)
    what, cure = "API version", f"set `api_version` to {limits.API_VERSION}"
    try:
        yield _version(open_client)
        what, cure = "API calls", "the app needs the scope api, and the user the permission API Enabled"
        yield from _limits(config, open_client)
        what, cure = "objects", GRANT
        shapes = _shapes(config, open_client, needs)
    except TapError as error:
        yield Finding(Level.FAIL, what, str(error), cure)
        return
    yield from _objects(config, shapes)
    yield from _needed(shapes, needs)
    yield _features(shapes)
    yield from _events(config, open_client, shapes, topics)


def _version(client: Client) -> Finding:
    served = client.versions()
    newest = served[-1] if served else "none"
    if client.api_version in served:
        return Finding(Level.OK, "API version", f"{client.api_version}; the org serves up to {newest}")
    found = f"{client.api_version} is not served (newest: {newest})"
    return Finding(
        Level.FAIL, "API version", found, f"set `api_version` to {limits.API_VERSION}, or to {newest}"
    )


def _limits(config: Config, client: Client) -> Iterator[Finding]:
    told = client.get(f"{client.base}/limits", Purpose.DESCRIBE)
    calls = told.get("DailyApiRequests") or {}
    most, left = int(calls.get("Max") or 0), int(calls.get("Remaining") or 0)
    used = 100 * (most - left) / most if most else 0.0
    share = client.quota.percent_total
    found = f"{left} of {most} daily calls left; runs stop at {share} % used"
    cure = "wait, find out who uses them (Setup, Company Information), or raise `quota_percent_total`"
    if used >= share:
        yield Finding(Level.FAIL, "API calls", found, cure)
    elif 100 * used >= share * limits.CALLS_LEFT_WARN_PERCENT:
        yield Finding(Level.WARN, "API calls", found, cure)
    else:
        yield Finding(Level.OK, "API calls", found)
    jobs = told.get("DailyBulkV2QueryJobs") or {}
    if jobs and config.get("api_type", "AUTO") != "REST":
        remaining = int(jobs.get("Remaining") or 0)
        level = Level.OK if remaining else Level.WARN
        cure = "" if remaining else "until tomorrow everything is read by REST, which costs more calls"
        yield Finding(
            level, "Bulk query jobs", f"{remaining} of {int(jobs.get('Max') or 0)} left today", cure
        )


def _shapes(config: Config, client: Client, needs: Iterable[str]) -> dict[str, Shape]:
    aggregates = aggregates_of(config.get("aggregates"))
    roots = [need.partition(".")[0] for need in needs]
    wanted = list(dict.fromkeys([*(config.get("streams_to_discover") or aggregates), *roots]))
    # Whether an object is missed is told by a finding, not by a line in the log.
    return Discovery(client, aggregates).shapes(wanted, wanted)


def _objects(config: Config, shapes: Mapping[str, Shape]) -> Iterator[Finding]:
    aggregates = aggregates_of(config.get("aggregates"))
    asked = [
        name for name in config.get("streams_to_discover") or aggregates if not set(name) & frozenset("*?[")
    ]
    missing = [name for name in asked if name not in shapes]
    for name, shape in shapes.items():
        parts = aggregates.get(name) or {}
        present = {part.relationship for part in shape.parents} | {
            part.relationship for part in shape.children
        }
        missing += [
            f"{name}.{part}"
            for part in (*(parts.get("parents") or {}), *(parts.get("children") or {}))
            if part not in present
        ]
    told = ", ".join(sorted(shapes)[:12]) + (" …" if len(shapes) > 12 else "")
    yield Finding(Level.OK, "objects", f"{len(shapes)} can be read: {told}")
    for name in missing:
        cure = f"{GRANT}, if the org has it; records come without it until then"
        yield Finding(Level.WARN, f"object {name}", "not there for this user", cure)


def _needed(shapes: Mapping[str, Shape], needs: Iterable[str]) -> Iterator[Finding]:
    listed = list(dict.fromkeys(needs))
    missing = [need for need in listed if not _visible(shapes, need.split("."))]
    if listed and not missing:
        yield Finding(Level.OK, "needed fields", f"all {len(listed)} can be read")
    for need in missing:
        cure = f"{GRANT}: field permissions too. A part of a record must stand in `aggregates` as well; check the spelling"
        yield Finding(Level.FAIL, f"needed {need}", "not there for this user", cure)


def _visible(shapes: Mapping[str, Shape], path: Sequence[str]) -> bool:
    part: Any = shapes.get(path[0])
    for name in path[1:-1]:
        inner = (*getattr(part, "parents", ()), *getattr(part, "children", ()))
        part = next((each for each in inner if each.relationship == name), None)
    if part is None or len(path) == 1:
        return part is not None
    names = {field.name for field in part.fields}
    names |= {each.relationship for each in (*getattr(part, "parents", ()), *getattr(part, "children", ()))}
    return path[-1] in names


def _features(shapes: Mapping[str, Shape]) -> Finding:
    def has(name: str, field: str) -> bool:
        return name in shapes and field in shapes[name].object.fields

    lines = any(
        part.relationship == "OpportunityLineItems" for shape in shapes.values() for part in shape.children
    )
    features = {
        "several currencies": any(has(name, "CurrencyIsoCode") for name in shapes),
        "products on deals": lines or "OpportunityLineItem" in shapes,
        "person accounts": has("Account", "IsPersonAccount"),
    }
    told = ", ".join(f"{name} {'on' if on else 'off, or not visible'}" for name, on in features.items())
    return Finding(Level.OK, "features", told)


def _events(config: Config, client: Client, shapes: Mapping[str, Shape], topics: Topics) -> Iterator[Finding]:
    aggregates = aggregates_of(config.get("aggregates"))
    roots = [shape for name, shape in shapes.items() if name in aggregates]
    names = [
        described.name
        for root in roots
        for described in (root.object, *(child.object for child in root.children))
    ]
    live = config.get("mode") == "live"
    try:
        found = topics(client, list(dict.fromkeys(names)))
    except TapError as error:
        level = Level.WARN if live else Level.OK
        cure = "`mode: live` polls without them; see `pubsub_endpoint`" if live else ""
        yield Finding(level, "change events", f"not checked: {error}", cure)
        return
    on, off = [name for name in found if found[name]], [name for name in found if not found[name]]
    told = f"may be subscribed to for {', '.join(on) or 'no object'}" + (
        f"; not for {', '.join(off)}" if off else ""
    )
    # Salesforce tells it of no object: the topic of one that is not selected is there, and silent.
    told += ". Whether they are selected shows in Setup, Change Data Capture, alone"
    if live and off:
        cure = "give the user read access to these objects and select them in Setup, Change Data Capture. Until then they are polled"
        yield Finding(Level.WARN, "change events", told, cure)
    else:
        yield Finding(Level.OK, "change events", told if live else f"{told} (`mode` is poll: not needed)")
