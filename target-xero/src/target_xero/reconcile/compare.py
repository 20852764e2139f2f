"""The comparison itself: no I/O, tolerance zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from target_xero.ledger import State, Tenant
from target_xero.ledger.directory import Seen
from target_xero.ledger.inspection import Agreed, Kept, Undone
from target_xero.limits import MERGES_FOLLOWED_MAX
from target_xero.plan.amounts import document_minor
from target_xero.plan.kinds import KINDS
from target_xero.plan.marks import MARKED
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import minor, show_minor
from target_xero.reconcile.books import Books
from target_xero.reconcile.model import Difference, Result, Totals

MONEY = frozenset({"quotes", "invoices", "credit_notes", "payments", "allocations"})
_STATES = {State.REJECTED: "refused", State.PARKED: "parked"}


def compare(
    tenant: Tenant,
    links: Iterable[Agreed],
    kept: Iterable[Kept],
    books: Books,
    markers: Mapping[tuple[str, str], str],
    month: str | None = None,
    undone: Iterable[Undone] = (),
) -> Result:
    """Compares one organisation's links with what Xero has.

    Args:
        tenant: the organisation.
        links: every link.
        kept: every document that is not settled.
        books: what Xero has, of all kinds that are linked or kept.
        markers: every mark the ledger ever used, by (kind, mark), with its key.
        month: `YYYY-MM`: only documents of that month by their own date; contacts and items are then left out.
        undone: every document that was taken back and that the source still says.
    """
    return _Comparison(tenant, list(links), list(kept), books, markers, month, list(undone)).run()


def wanted_ids(links: Iterable[Agreed], kept: Iterable[Kept]) -> dict[str, list[str]]:
    """The kinds to read and the ids that must be among them."""
    wanted: dict[str, list[str]] = {one.kind: [] for one in kept}
    for link in links:
        wanted.setdefault(link.kind, []).append(link.remote_id)
    return wanted


class _Comparison:
    def __init__(
        self,
        tenant: Tenant,
        links: list[Agreed],
        kept: list[Kept],
        books: Books,
        markers: Mapping[tuple[str, str], str],
        month: str | None,
        undone: list[Undone],
    ) -> None:
        self._links, self._books, self._markers, self._month = links, books, markers, month
        self._open = {
            (one.kind, one.source_key): one for one in kept
        }  # the newest revision of each comes last
        self._undone = {(one.kind, one.source_key): one for one in undone}
        self._by_key = {(link.kind, link.source_key): link for link in links}
        self._result = Result(tenant, month, calls=books.calls)

    def run(self) -> Result:
        for link in self._links:
            if self._counts(link.kind, link.document):
                self._compare_link(link)
        for key, one in self._open.items():
            if key not in self._by_key and self._counts(one.kind, one.document) and one.op == "save":
                self._add(one.kind, one.currency, source=_source(one))
                self._note_open(one, None, None)
        for key, gone in self._undone.items():
            if key not in self._by_key and key not in self._open and self._counts(gone.kind, gone.document):
                self._add(gone.kind, gone.currency, source=_source(gone))
                self._note_undone(gone, None, None)
        for kind in MARKED:
            self._look_for_strays(kind)
        return self._result

    def _counts(self, kind: str, document: Mapping[str, Any]) -> bool:
        return self._month is None or (
            kind in MONEY and str(document.get("Date") or "").startswith(self._month)
        )

    def _compare_link(self, link: Agreed) -> None:
        self._result.compared += 1
        row = self._books.of(link.kind).get(link.remote_id)
        live = row is not None and row.facts.get("status") not in DEAD
        if link.kind not in MONEY:
            self._add(link.kind, "")
            self._compare_presence(link, row, live=live)
        else:
            self._compare_money(link, row if live else None, row)
        key = (link.kind, link.source_key)
        xero = _amount(link, row) if row is not None and live else 0
        if key in self._open:
            self._note_open(self._open[key], link, xero)
        elif key in self._undone:
            self._note_undone(self._undone[key], link, xero)

    def _compare_presence(self, link: Agreed, row: Seen | None, *, live: bool) -> None:
        if row is None:
            self._differs("missing", link, f"{_name(link)} is not in Xero any more. {_LOST}")
        elif not live and link.document.get("ContactStatus") != "ARCHIVED" and not self._went_on(row):
            self._differs(
                "ended",
                link,
                f"{_name(link)} is {str(row.facts['status']).lower()} in Xero; documents for it will be refused. Restore it "
                "in Xero, or merge the account with the one that goes on.",
            )

    def _went_on(self, row: Seen) -> bool:
        """Whether people merged the contact into one that is in use: its documents go there."""
        for _ in range(MERGES_FOLLOWED_MAX):
            into = self._books.of("contacts").get(str(row.facts.get("merged_into") or ""))
            if into is None or into.facts.get("status") not in DEAD:
                return into is not None
            row = into
        return False

    def _compare_money(self, link: Agreed, row: Seen | None, found: Seen | None) -> None:
        one = self._open.get((link.kind, link.source_key))
        gone = self._undone.get((link.kind, link.source_key))
        if one is not None:
            source = 0 if one.op == "withdraw" else _source(one)
        else:
            source = _stated(link) if gone is None else _source(gone)
        xero = _amount(link, row) if row else 0
        currency = link.currency or (str(row.facts.get("currency") or "") if row else "")
        self._add(link.kind, currency, source=source, ledger=link.agreed_minor, xero=xero)
        if row is None:
            left = (
                "is not in Xero any more"
                if found is None
                else f"is {str(found.facts['status']).lower()} in Xero"
            )
            told = f"{_name(link)} {left}; the source says {_money(source, currency)}. {_LOST if found is None else _ENDED}"
            self._differs("missing" if found is None else "ended", link, told, xero=0)
            return
        for finding, told in _unlike(link, row, currency, self._by_key):
            self._differs(finding, link, told, xero=xero)
        if (
            one is None
            and gone is None
            and None not in (source, link.agreed_minor)
            and source != link.agreed_minor
        ):
            told = (
                f"{_name(link)}: the source's total is {_money(source, currency)}, Xero and the ledger agreed on "
                f"{_money(link.agreed_minor, currency)}. Correct the lines or the total in the source."
            )
            self._differs("source", link, told, xero=xero)

    def _note_open(self, one: Kept, link: Agreed | None, xero: int | None) -> None:
        finding = _STATES.get(one.state, "waiting")
        why = (
            " ".join(refusal.sentence() for refusal in one.refusals)
            or one.note
            or "it goes with the next run."
        )
        if one.dismissed_by:
            why += f" {one.dismissed_by} decided to leave it so."
        what = "its withdrawal" if one.op == "withdraw" else "its newest version" if link else "it"
        self._result.differences.append(
            Difference(
                finding, one.kind, one.source_key, one.label, f"{what} is {finding} since run {one.since_run}: {why}",
                marker=one.marker, currency=one.currency, source_minor=_source(one) if one.op == "save" else 0,
                ledger_minor=link.agreed_minor if link else None, xero_minor=xero, url=one.url,
                number=link.number if link else "", remote_id=link.remote_id if link else "",
            )
        )  # fmt: skip

    def _note_undone(self, one: Undone, link: Agreed | None, xero: int | None) -> None:
        what = "its newest version" if link else "it"
        told = (
            f"{what} was taken back by {one.by} in run {one.run}, and the source still says it. Let the source withdraw or change "
            f"it, or bring it back: `target-xero retry --kind {one.kind} --key {one.source_key}`."
        )
        self._result.differences.append(
            Difference(
                "undone", one.kind, one.source_key, one.label, told, marker=one.marker, currency=one.currency,
                source_minor=_source(one), ledger_minor=link.agreed_minor if link else None, xero_minor=xero, url=one.url,
                number=link.number if link else "", remote_id=link.remote_id if link else "",
            )
        )  # fmt: skip

    # -- what Xero has and no link accounts for ----------------------------------------------------------------------------

    def _look_for_strays(self, kind: str) -> None:
        linked = {link.remote_id: link for link in self._links if link.kind == kind}
        marks = {mark: key for (of, mark), key in self._markers.items() if of == kind}
        beginnings = _beginnings(marks)
        for row in self._books.of(kind).values():
            if row.remote_id in linked or row.facts.get("status") in DEAD or not row.handle:
                continue
            if self._month and not str(row.facts.get("date") or "").startswith(self._month):
                continue
            key = marks.get(row.handle)
            if key is None and not (row.handle.startswith(beginnings) and " " not in row.handle):
                continue
            self._stray(kind, row, key)

    def _stray(self, kind: str, row: Seen, key: str | None) -> None:
        link = self._by_key.get((kind, key or ""))
        currency = str(row.facts.get("currency") or (link.currency if link else ""))
        amount = row.facts.get("total" if kind in ("payments", "allocations") else "subtotal")
        name = f"Xero's {KINDS[kind].one} {row.facts.get('number') or row.remote_id} over {_money(amount, currency)}"
        if link is not None:
            finding, why = (
                "doubled",
                f"has the mark {row.handle} of {link.number or link.remote_id}. Delete or void the one too many",
            )
        elif key is not None:
            finding, why = "stray", f"has the mark {row.handle}, and the ledger has no link for it"
        else:
            finding, why = "stray", f"has the mark {row.handle}, which this ledger never gave"
        cure = (
            "."
            if link
            else ": another ledger wrote it, or a backup was restored. `target-xero ledger rebuild` takes it in."
        )
        if amount is not None:
            self._add(kind, currency, xero=int(amount), counted=False)
        self._result.differences.append(
            Difference(
                finding, kind, key or "", link.label if link else row.handle, f"{name} {why}{cure}", marker=row.handle,
                number=str(row.facts.get("number") or ""), remote_id=row.remote_id, currency=currency, xero_minor=amount,
            )
        )  # fmt: skip

    # -- sums --------------------------------------------------------------------------------------------------------------

    def _add(
        self,
        kind: str,
        currency: str,
        *,
        source: int | None = 0,
        ledger: int | None = 0,
        xero: int | None = 0,
        counted: bool = True,
    ) -> None:
        total = self._result.totals.setdefault((kind, currency if kind in MONEY else ""), Totals())
        total.documents += counted
        total.source_minor += source or 0
        total.ledger_minor += ledger or 0
        total.xero_minor += xero or 0

    def _differs(self, finding: str, link: Agreed, told: str, xero: int | None = None) -> None:
        self._result.differences.append(
            Difference(
                finding, link.kind, link.source_key, link.label, told, marker=link.marker, number=link.number,
                remote_id=link.remote_id, currency=link.currency, source_minor=_stated(link),
                ledger_minor=link.agreed_minor, xero_minor=xero, url=link.url,
            )
        )  # fmt: skip


_LOST = "If people removed it on purpose, let the source withdraw it; the next change of its source makes it anew otherwise."
_ENDED = "If people ended it on purpose, close the deal in the source; else give it a new number or copy it in Xero."


def _unlike(
    link: Agreed, row: Seen, currency: str, by_key: Mapping[tuple[str, str], Agreed]
) -> Iterable[tuple[str, str]]:
    """What Xero has otherwise than was agreed."""
    facts, xero = row.facts, _amount(link, row)
    theirs = str(facts.get("currency") or "")
    if theirs and link.currency and theirs != link.currency:
        yield (
            "currency",
            f"{_name(link)} is in {theirs} in Xero; agreed was {link.currency}. Void it and let it be made anew.",
        )
    if link.agreed_minor is not None and xero != link.agreed_minor:
        yield (
            "amount",
            (
                f"{_name(link)} comes to {_money(xero, currency)} in Xero; agreed was {_money(link.agreed_minor, currency)}, a "
                f"difference of {_money((xero or 0) - link.agreed_minor, currency)}. People changed it: put it right in Xero, or "
                "correct the source."
            ),
        )
    elif link.total_minor is not None and facts.get("total") != link.total_minor:
        yield (
            "tax",
            (
                f"{_name(link)} comes to {_money(facts.get('total'), currency)} with tax in Xero; agreed was "
                f"{_money(link.total_minor, currency)}. The tax rate of a line was changed."
            ),
        )
    if link.kind in ("payments", "allocations"):
        owed = link.document.get("invoice_key"), link.document.get("credit_note_key")
        owners = [by_key.get(("invoices", str(owed[0]))), by_key.get(("credit_notes", str(owed[1])))]
        ids = {owner.remote_id for owner in owners if owner}
        if ids and facts.get("paid") not in ids:
            yield (
                "paid_elsewhere",
                f"{_name(link)} is for {facts.get('paid')} in Xero; the source pays {', '.join(sorted(ids))}.",
            )
        day = link.document.get("Date")
        if link.kind == "payments" and day and facts.get("date") != day:
            yield "date", f"{_name(link)} is dated {facts.get('date')} in Xero; the source says {day}."


def _amount(link: Agreed, row: Seen) -> int | None:
    """What Xero has, in the measure of the document: before tax, or with it where its prices include tax."""
    inclusive = str(link.document.get("LineAmountTypes") or "").casefold() == "inclusive"
    with_tax = inclusive or link.kind in ("payments", "allocations")
    value: int | None = row.facts.get("total" if with_tax else "subtotal")
    return value


def _stated(link: Agreed) -> int | None:
    """The source's own total where it gave one, else the sum of its lines.

    A total with tax goes before one without: a rounding line makes up for the former. What it differs by counts before tax.
    """
    with_tax = minor(link.document.get("expected_total_with_tax"))
    if None not in (with_tax, link.agreed_minor, link.total_minor):
        return link.agreed_minor + with_tax - link.total_minor  # type: ignore[operator]
    said = minor(link.document.get("expected_total"))
    if said is not None:
        return said
    return link.agreed_minor if link.source_minor is None else link.source_minor


def _source(one: Kept | Undone) -> int | None:
    said = minor(one.document.get("expected_total"))
    if said is not None:
        return said
    if one.amount_minor is not None:
        return one.amount_minor
    return document_minor(one.kind, one.document) if one.kind in MONEY else None


def _beginnings(marks: Mapping[str, str]) -> tuple[str, ...]:
    """How marks begin, where they begin with more than the source's key: `SF-` of `SF-006…`."""
    found = {
        mark[: mark.index(base)] for mark, key in marks.items() if (base := key.partition("#")[0]) in mark
    }
    return tuple(sorted(beginning for beginning in found if len(beginning) > 1))


def _name(link: Agreed) -> str:
    number = f" ({link.number})" if link.number and link.number not in (link.label, link.source_key) else ""
    return f"{link.label}{number}"


def _money(amount: int | None, currency: str) -> str:
    return "an unknown amount" if amount is None else f"{show_minor(amount)} {currency}".strip()
