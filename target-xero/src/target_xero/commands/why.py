"""`target-xero why KEY`: how a document, or one of its fields, came to be as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import click
from crm_to_xero.errors import nearest
from crm_to_xero.explain import Explanation, FieldRule
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_xero import switched_on
from target_xero.access import Access
from target_xero.commands import COMMANDS, options
from target_xero.commands.ledgers import each_access, organisations, reading
from target_xero.commands.shared import Desk, desk, money
from target_xero.errors import ConfigurationError
from target_xero.exchange import Call, Purpose
from target_xero.ledger import Ledger, State, Tenant
from target_xero.ledger.inspection import Agreed, Inspection, Revision
from target_xero.plan.kinds import KINDS
from target_xero.preview.changes import shown
from target_xero.reconcile.books import ask
from target_xero.report import NAMES, state_of
from target_xero.terminal import printable, whole

_OURS = frozenset({"source_key", "source_label", "source_url", "marker"})
_SHOWN = 5
_ITEM = re.compile(r"([^\[\].]+)|\[(\d+)\]")


@click.command(
    help=COMMANDS["why"]
    + ".\n\nKEY is a key of the source (an older one, too), a mark, an invoice number, or an id of Xero's. Shows every revision: "
    "when it came, in which run, what became of it, who approved it, and the rule of the mapping that gives each field. FIELD is "
    "a name such as DueDate or LineItems[0].UnitAmount. Ends with 1 when the ledger knows no such document or field, or when its "
    "audit chain does not vouch for what is shown."
)
@click.argument("key")
@click.option("--field", metavar="FIELD", help="Only this field of the document.")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only the document of this kind.")
@click.option("--live", is_flag=True, help="Show what Xero has now, too (one call a document).")
@options.organisation
@desk
def command(  # noqa: D103
    desk: Desk, *, key: str, field: str | None, kind: str | None, live: bool, organisation: str | None
) -> int:
    mapping = switched_on.explanation(desk.settings)
    with reading(desk.settings) as inspection:
        found = [
            _history(inspection, tenant, of, source_key, mapping, field)
            for tenant in organisations(inspection, organisation, desk.settings)
            for of, source_key in inspection.find(tenant, key)
            if kind in (None, of)
        ]
        if live:
            for access in each_access(desk, inspection, organisation):
                _look(access, found, field)
    if not found:
        raise ConfigurationError(
            f"the ledger knows no document {key!r}. A key, a mark, a number or an id of Xero's is expected"
        )
    if field and not any(_has(one, field) for one in found):
        raise ConfigurationError(_no_such_field(found, field))
    desk.answer(Group(*(_shown(one, field) for one in found)), {"documents": found})
    return int(not all(one["vouched"]["holds"] for one in found))


def _has(one: dict[str, Any], field: str) -> bool:
    """Whether any revision, or what Xero has now, has the field."""
    return one.get("live") is not None or any(_is_in(name, field) for name in one["fields"])


def _is_in(name: str, field: str) -> bool:
    return name == field or name.startswith((f"{field}.", f"{field}["))


def _no_such_field(found: list[dict[str, Any]], field: str) -> str:
    names = {name for one in found for name in one["fields"]}
    return f"no revision of {found[0]['key']} has a field {field!r}. {nearest(field, names)}"


def _history(
    inspection: Inspection,
    tenant: Tenant,
    kind: str,
    source_key: str,
    mapping: Explanation | None,
    field: str | None,
) -> dict[str, Any]:
    revisions = inspection.history(tenant, kind, source_key)
    newest = revisions[-1] if revisions else None
    link = inspection.link(tenant, kind, source_key)
    verdict = cast("Ledger", inspection.ledger).verify_document(tenant.id, kind, source_key)
    told: list[dict[str, Any]] = []
    before: Mapping[str, Any] = {}
    for revision in revisions:
        told.append(_revision(revision, before, field, inspection.approval(revision.id)))
        told[-1] |= _dismissal(inspection.dismissal(revision.id))
        before = {} if revision.op == "withdraw" else revision.document
    return {
        "organisation": {"id": tenant.id, "name": tenant.name},
        "kind": kind,
        "key": source_key,
        "older_keys": inspection.older_keys(tenant, kind, source_key),
        "label": newest.label if newest else source_key,
        "url": newest.url if newest else "",
        "marker": newest.marker if newest else "",
        "xero": _linked(link),
        "vouched": {"holds": verdict.holds, "entries": verdict.rows, "differences": verdict.differences},
        "fields": sorted({name for revision in revisions for name in _flat(revision.document)}),
        "revisions": told,
        "rules": [_rule(rule, mapping) for rule in _rules(mapping, kind, newest, field)] if mapping else [],
    }


def _linked(link: Agreed | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {"id": link.remote_id, "number": link.number, "status": link.status, "adopted": link.adopted}


def _revision(
    revision: Revision, before: Mapping[str, Any], field: str | None, approval: tuple[str, datetime] | None
) -> dict[str, Any]:
    changed = _changes(before, revision.document) if revision.op == "save" else []
    if field:
        changed = [one for one in changed if _is_in(one["field"], field)]
    return {
        "revision": revision.revision,
        "run": revision.planned_run,
        "at": revision.planned_at.isoformat() if revision.planned_at else None,
        "asks": "withdraw" if revision.op == "withdraw" else "save",
        "state": revision.state.value,
        "sent_as": revision.sent_op,
        "attempts": revision.attempt,
        "xero_correlation_id": revision.correlation,
        "sent_at": revision.sent_at.isoformat() if revision.sent_at else None,
        "settled_run": revision.settled_run,
        "settled_at": revision.settled_at.isoformat() if revision.settled_at else None,
        "xero_id": revision.remote_id,
        "currency": revision.currency,
        "source_amount": money(revision.amount_minor),
        "xero_amount": money(revision.agreed_minor),
        "xero_total": money(revision.total_minor),
        "note": _note(revision),
        "reasons": [refusal.as_dict() for refusal in revision.refusals],
        "approved_by": approval[0] if approval else None,
        "approved_at": approval[1].isoformat() if approval else None,
        "value": _at(revision.document, field) if field else None,
        "changed": changed,
    }


def _dismissal(found: tuple[str, datetime, str] | None) -> dict[str, Any]:
    by, at, comment = found or (None, None, None)
    return {
        "dismissed_by": by,
        "dismissed_at": at.isoformat() if at else None,
        "dismissed_why": comment,
    }


def _note(revision: Revision) -> str:
    """What became of it; one that was replaced waits for nothing any more."""
    if revision.state is not State.SUPERSEDED or revision.op == "undo":
        return revision.note
    replaced = "Replaced by a later revision"
    return f"{replaced}; until then refused: {revision.note}" if revision.refusals else f"{replaced}."


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ, by their whole names."""
    old, new = _flat(before), _flat(after)
    names = [
        name for name in (*new, *(name for name in old if name not in new)) if old.get(name) != new.get(name)
    ]
    return [{"field": name, "before": old.get(name), "after": new.get(name)} for name in names]


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        parts = [(f"{name}.{key}" if name else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        parts = [(f"{name}[{number}]", inner) for number, inner in enumerate(value)]
    else:
        return {name: value}
    return {key: found for part, inner in parts for key, found in _flat(inner, part).items()}


def _at(document: Any, field: str) -> Any:
    """The value of a field, or None."""
    value = document
    for name, number in _ITEM.findall(field):
        if number:
            value = value[int(number)] if isinstance(value, list) and int(number) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _rules(mapping: Explanation, kind: str, newest: Revision | None, field: str | None) -> list[FieldRule]:
    if field:
        return mapping.rules_of(kind, field)
    present = {re.sub(r"\[\d+\]", "", name) for name in _flat(newest.document if newest else {})} | _OURS
    every = {name.split(".")[0] for name in present}
    found = [rule for top in every for rule in mapping.rules_of(kind, top) if rule.field in present]
    return sorted(found, key=lambda rule: rule.line)


def _rule(rule: FieldRule, mapping: Explanation) -> dict[str, Any]:
    return {
        "field": rule.field,
        "mapping": mapping.file,
        "line": rule.line,
        "stream": rule.stream,
        "rule": rule.rule,
        "expression": " ".join(rule.expression.split()),
    }


def _look(access: Access, found: list[dict[str, Any]], field: str | None) -> None:
    """Asks Xero for each linked document; what Xero has no page of its own for is told as such."""
    for one in found:
        if (
            one["organisation"]["id"] != access.organisation.id
            or one["xero"] is None
            or one["kind"] == "allocations"
        ):
            continue
        kind = KINDS[one["kind"]]
        answer = ask(access, Call(Purpose.LOOK_UP, "GET", f"{kind.endpoint}/{one['xero']['id']}"))
        elements = answer.body.get(kind.container) if isinstance(answer.body, dict) else None
        element = elements[0] if answer.status == 200 and elements else None
        one["live"] = None if element is None else (_at(element, field) if field else element)
        one["live_found"] = element is not None


def _shown(one: dict[str, Any], field: str | None) -> RenderableType:
    xero = one["xero"]
    where = (
        f"in Xero as {xero['number'] or xero['id']}, {xero['status'].lower() or 'linked'} ({xero['id']})"
        if xero
        else "not in Xero"
    )
    parts: list[RenderableType] = [
        Text(
            printable(f"{NAMES.get(one['kind'], one['kind'])}: {one['label']} [{one['key']}], {where}"),
            style="bold",
        ),
        _revisions(one, field),
    ]
    vouched = one["vouched"]
    if vouched["holds"]:
        parts.append(Text(f"The audit chain vouches for this ({vouched['entries']} entries)."))
    else:
        parts.append(
            Text(
                "The audit chain does not vouch for this; `target-xero ledger verify` tells all:",
                style="bold",
            )
        )
        parts += [Padding(Text(printable(said)), (0, 0, 0, 2)) for said in vouched["differences"][:_SHOWN]]
    if one["older_keys"]:
        parts.append(Text(f"older keys: {', '.join(one['older_keys'])}"))
    for revision in one["revisions"]:
        parts += _told(revision, field)
    if one["rules"]:
        parts.append(_rule_table(one))
    if one.get("live_found") is False:
        parts.append(Text("Xero has it no more."))
    elif "live" in one:
        value = (
            _text(one["live"])
            if field
            else ", ".join(
                f"{name} {shown(value)}" for name, value in one["live"].items() if _tells(name, value)
            )
        )
        parts.append(Text(printable(f"Xero has now: {value}")))
    if one["url"]:
        parts.append(Text(one["url"]))
    return Group(*parts, Text(""))


def _tells(name: str, value: Any) -> bool:
    """Whether a field belongs in one line for people: lists and parts do not, nor do dates told a second time."""
    return isinstance(value, (str, int, Decimal)) and value != "" and not name.endswith("String")


def _revisions(one: dict[str, Any], field: str | None) -> Table:
    table = Table(header_style="bold")
    headings = ("#", "run", "came", "asks", "state", "source", "Xero", *((field,) if field else ("changed",)))
    for heading in headings:
        table.add_column(
            heading, overflow="fold", justify="right" if heading in ("source", "Xero") else "left"
        )
    for revision in one["revisions"]:
        done = revision["state"] == State.DONE.value
        what = f"done ({revision['sent_as'] or 'adopted'})" if done else state_of(revision)
        table.add_row(
            str(revision["revision"]),
            str(revision["run"]),
            (revision["at"] or "")[:16].replace("T", " "),
            revision["asks"],
            what
            + (
                f", run {revision['settled_run']}"
                if revision["settled_run"] not in (None, revision["run"])
                else ""
            ),
            printable(f"{revision['currency'] or ''} {_figure(revision['source_amount'])}".strip()),
            _figure(revision["xero_amount"]),
            printable(_text(revision["value"])) if field else str(len(revision["changed"])),
        )
    return whole(table)


def _figure(exact: str) -> str:
    """An amount as people write it; nothing for none."""
    return f"{Decimal(exact):,.2f}" if exact else ""


def _told(revision: dict[str, Any], field: str | None) -> list[RenderableType]:
    changes = [] if field or revision["revision"] == 1 else revision["changed"]
    lines = [f"{one['field']}: {_text(one['before'])} -> {_text(one['after'])}" for one in changes]
    if revision["approved_by"]:
        lines.append(f"approved by {revision['approved_by']}")
    if revision["note"]:
        lines.append(revision["note"])
    if revision["dismissed_by"]:
        why = f": {revision['dismissed_why']}" if revision["dismissed_why"] else ""
        lines.append(f"left so by {revision['dismissed_by']} on {revision['dismissed_at'][:10]}{why}")
    if revision["xero_correlation_id"]:
        lines.append(f"Xero's correlation id, for its support: {revision['xero_correlation_id']}")
    return [Padding(Text(printable(f"#{revision['revision']}  {line}")), (0, 0, 0, 2)) for line in lines]


def _rule_table(one: dict[str, Any]) -> Table:
    table = Table(header_style="bold")
    for heading in ("field", "from", "line", "expression"):
        table.add_column(heading, overflow="fold")
    for rule in one["rules"]:
        origin = f"{rule['stream']}: {rule['rule']}"
        table.add_row(rule["field"], origin, f"{rule['mapping']}:{rule['line']}", rule["expression"])
    return table


def _text(value: Any) -> str:
    return "nothing" if value is None else str(value)
