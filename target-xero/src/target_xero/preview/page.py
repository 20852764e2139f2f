"""A plan as one HTML file: no script, no address outside, every text escaped; to read, to print, to keep."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from urllib.parse import urlsplit

from target_xero.plan.kinds import KINDS
from target_xero.preview import words
from target_xero.preview.document import TITLES, Change, Line, Plan, PlannedDocument, Sum
from target_xero.preview.tables import PURPOSES, calls, columns, explained, money, name_of, sentence
from target_xero.terminal import as_typed

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(plan: Plan) -> str:
    """The whole file."""
    title = f"Plan {plan.short_hash} for {plan.organisation}"
    style = resources.files("target_xero.preview").joinpath("style.css").read_text(encoding="utf-8")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="robots" content="noindex">',
            f"<title>{_e(title)}</title><style>\n{style}</style></head><body><main>",
            *_body(plan),
            "</main></body></html>\n",
        )
    )


def _body(plan: Plan) -> Iterator[str]:
    demo = '<span class="demo">demo company</span>' if plan.is_demo else ""
    undone = f" {plan.undoes}" if plan.undoes else ""
    yield f"<header><h1>{_e(PURPOSES[plan.purpose])}{undone}: {_e(plan.organisation)}{demo}</h1>"
    yield (
        f"<p>Made by {_e(plan.run_by)} on {plan.made_at:%d %B %Y at %H:%M} UTC (Xero's clock). "
        f"{_e(sentence(plan).partition(': ')[2])}</p>"
        f'<p class="hash">Plan hash {plan.hash}</p>'
    )
    if plan.stopped:
        yield f'<p class="alert">This plan is not whole: {_e(plan.stopped)}</p>'
    if plan.would_stop:
        yield f'<p class="alert">A run would stop before it writes this: {_e(plan.would_stop)}</p>'
    yield "</header>"
    yield from _tiles(plan)
    yield from _money(plan.sums)
    yield "<h2>Calls to Xero</h2>"
    yield f'<div class="panel"><table><tbody><tr><td>{_e(calls(plan))}</td></tr></tbody></table></div>'
    for action, title in TITLES.items():
        documents = list(plan.of(action))
        if documents:
            yield f'<section id="{action}"><h2>{_e(title)} <small>{len(documents):,}</small></h2>'
            yield from _by_kind(action, documents)
            yield "</section>"
    yield from _settings(plan)
    yield f"<footer>target-xero. {_e(plan.organisation)}, id {_e(plan.organisation_id)}. Nothing was written to Xero for this plan.</footer>"


def _by_kind(action: str, documents: Sequence[PlannedDocument]) -> Iterator[str]:
    """The documents as they go, with a way to the first one of each kind where there are several kinds."""
    kinds = Counter(document.kind for document in documents)
    if len(kinds) > 1:
        ways = (
            f'<a href="#{action}-{kind}">{n:,} {name_of(kind, n)}</a>'
            for kind, n in kinds.items()
            if kind in KINDS
        )
        yield f'<p class="ways">{" · ".join(ways)}</p>'
    for document in documents:
        first = kinds.pop(document.kind, 0) > 0
        yield _article(document, f"{action}-{document.kind}" if first else "")


def _tiles(plan: Plan) -> Iterator[str]:
    yield '<ul class="tiles">'
    for action, said in words.ACTIONS.items():
        count = sum(1 for _ in plan.of(action))
        if count or action in ("create", "update", "refuse"):
            tile = f"<b>{count:,}</b><span>{said}</span>"
            inside = f'<a href="#{action}">{tile}</a>' if count else tile
            yield f'<li class="{action}">{inside}</li>'
    yield f"<li><b>{sum(plan.unchanged.values()):,}</b><span>unchanged</span></li></ul>"


def _money(sums: Sequence[Sum]) -> Iterator[str]:
    if not sums:
        return
    figures = {heading.capitalize(): column for heading, column in columns(sums).items()}
    rows = (
        f"<tr><td>{s.documents:,} {name_of(s.kind, s.documents)} {words.ACTIONS[s.action]}</td><td>{_e(s.currency)}</td>"
        + "".join(
            f'<td class="n" data-is="{heading}">{money(column[number])}</td>'
            for heading, column in figures.items()
        )
        + "</tr>"
        for number, s in enumerate(sums)
    )
    yield "<h2>Money</h2>" + _table(("Documents", "Currency"), figures, rows, "panel money")
    if told := explained(sums):
        yield f'<p class="note">{_e(told)}</p>'


def _article(document: PlannedDocument, anchor: str = "") -> str:
    amount = ""
    if document.total_minor is not None or document.before_tax_minor is not None:
        shown = document.total_minor if document.total_minor is not None else document.before_tax_minor
        said = "before tax" if document.total_minor is None else "with tax" if document.tax_minor else ""
        note = f" <small>{said}</small>" if said else ""
        was = document.was_total_minor
        if document.action == "update" and was is not None and was != document.total_minor:
            note += f" <small>was {money(was)}</small>"
        amount = f'<span class="n">{_e(document.currency)} {money(shown)}{note}</span>'
    number = "" if document.number in document.label else document.number
    name = f"{name_of(document.kind)} {number}".strip()
    head = f'<span><span class="tag">{_e(name)}</span>{_e(document.label)}</span>'
    place = f' id="{_e(anchor)}"' if anchor else ""
    parts = [f'<article{place} class="{document.action}"><h3>{head}{amount}</h3>', _meta(document)]
    if document.reason:
        parts.append(f'<p class="reason">{_e(document.reason)}</p>')
    if document.proposal:
        proposal = _e(json.dumps(document.proposal, indent=2, ensure_ascii=False))
        parts.append(
            f"<details><summary>The proposal, as Xero would take it</summary><pre>{proposal}</pre></details>"
        )
    if document.lines:
        parts.append(_lines(document.lines) if document.action == "create" else _folded(document.lines))
    if document.changes:
        parts.append(_changes(document.changes))
    elif document.action == "update":
        parts.append('<p class="reason">Xero has it like this already; it is sent to make sure.</p>')
    if document.fields:
        fields = "".join(
            f"<dt>{_e(words.field(field))}</dt><dd>{_e(words.value(field, value))}</dd>"
            for field, value in document.fields
        )
        parts.append(f"<dl>{fields}</dl>")
    return "".join((*parts, "</article>"))


def _meta(document: PlannedDocument) -> str:
    facts = [
        f"for {_e(document.party)}" if document.party else "",
        f"dated {_e(document.date)}" if document.date else "",
        f"due {_e(document.due)}" if document.due else "",
        _e(document.status) if document.is_write else "",
        _link(document),
        f"rule {_e(', '.join(filter(None, document.rules)))}" if any(document.rules) else "",
        f"proposed by {_e(document.proposed_by)}" if document.proposed_by else "",
    ]
    return f'<p class="meta">{" · ".join(fact for fact in facts if fact)}</p>'


def _link(document: PlannedDocument) -> str:
    """The source's key, leading to the record where the address is one a browser may safely follow."""
    key = _e(document.source_key)
    try:
        parts = urlsplit(document.url)
    except ValueError:
        return key
    if parts.scheme in ("https", "http") and parts.netloc:
        return f'<a href="{_e(document.url)}" rel="noreferrer noopener">{key}</a>'
    return key


def _lines(lines: Iterable[Line]) -> str:
    rows = [
        _row(
            (
                line.description,
                " ".join(filter(None, (line.item, line.tracking))),
                line.account,
                line.tax_type,
            ),
            (
                line.quantity,
                f"{words.price(line.unit_amount)}{f' less {line.discount} %' if line.discount else ''}",
                money(line.amount_minor),
                money(line.tax_minor),
            ),
        )
        for line in lines
    ]
    return _table(
        ("Description", "Item, tracking", "Account", "Tax type"),
        ("Quantity", "Price", "Amount", "Tax"),
        rows,
        "",
    )


def _folded(lines: Iterable[Line]) -> str:
    return f"<details><summary>All lines as they will be</summary>{_lines(lines)}</details>"


def _changes(changes: Iterable[Change]) -> str:
    rows = (
        f"<tr><td>{_e(words.field(change.field))}</td>"
        f"<td><del>{_e(words.value(change.field, change.before)) or '—'}</del></td>"
        f"<td><ins>{_e(words.value(change.field, change.after)) or '—'}</ins></td></tr>"
        for change in changes
    )
    return (
        "<table><thead><tr><th>Field</th><th>In Xero now</th><th>Will be</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _settings(plan: Plan) -> Iterator[str]:
    unchanged = ", ".join(
        f"{count:,} {name_of(kind, count)}" for kind, count in plan.unchanged.items() if kind in KINDS
    )
    yield "<h2>How this plan was made</h2>"
    rows = [
        ("Organisation", f"{plan.organisation} ({plan.organisation_id}), base currency {plan.base_currency}")
    ]
    rows += [("Unchanged", unchanged)] if unchanged else []
    rows += [(name, str(value)) for name, value in plan.settings.items()]
    body = "".join(f"<tr><td>{_e(name)}</td><td>{_e(value)}</td></tr>" for name, value in rows)
    yield f'<div class="panel"><table><tbody>{body}</tbody></table></div>'


def _table(texts: Iterable[str], numbers: Iterable[str], rows: Iterable[str], css: str = "panel") -> str:
    heads = "".join(f"<th>{_e(text)}</th>" for text in texts)
    heads += "".join(f'<th class="n">{_e(text)}</th>' for text in numbers)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div class="{css}">{table}</div>' if css else table


def _row(texts: Iterable[str], numbers: Iterable[str]) -> str:
    cells = "".join(f"<td>{_e(text)}</td>" for text in texts)
    return f"<tr>{cells}{''.join(f'<td class=n>{_e(text)}</td>' for text in numbers)}</tr>"


def _e(text: str) -> str:
    """Escaped, and without letters that no page may hold; commands as typed."""
    return escape(as_typed("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)))
