"""The ledger as the shell sees it: one file, one organisation, one run at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, select, text, update

from target_xero.ledger import schema
from target_xero.ledger.approvals import ApprovalLedger
from target_xero.ledger.base import milliseconds, moving
from target_xero.ledger.directory import DirectoryLedger
from target_xero.ledger.execution import ExecutionLedger
from target_xero.ledger.guarding import GuardLedger
from target_xero.ledger.model import ROUNDING_KEY, State, Tenant
from target_xero.ledger.planning import PlanningLedger
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.queue import OLDER_OPEN
from target_xero.ledger.recalling import RecallLedger
from target_xero.ledger.schema import intent, link
from target_xero.ledger.summary import Money, RunSummary
from target_xero.ledger.tenants import TenantLedger
from target_xero.ledger.verify import VerifyLedger
from target_xero.limits import ROUNDING_MAX

_SHOWN = 10
_OPEN_AT_XERO = (intent.c.tenant == bindparam("of_tenant"), text("state IN ('sent','unknown')"))
_BEGIN = Prepared(insert(schema.run).returning(schema.run.c.epoch), ["tenant", "started_ms"])
_LEFT_IN_FLIGHT = moving(
    update(intent)
    .where(*_OPEN_AT_XERO, intent.c.state == State.SENT.value)
    .values(
        state=State.UNKNOWN.value,
        looked_ms=None,
        note="The run that sent it ended before Xero's answer was written down.",
    )
)
_LOOK_ANEW = Prepared(
    update(intent).where(*_OPEN_AT_XERO, intent.c.state == State.UNKNOWN.value).values(looked_ms=None)
)
_END = Prepared(
    update(schema.run)
    .where(schema.run.c.epoch == bindparam("of_run"))
    .values(ended_ms=bindparam("now"), summary=bindparam("told"))
)
_MINE = intent.c.tenant == bindparam("tenant")
_SETTLED_NOW = intent.c.settled_epoch == bindparam("epoch")
_SETTLED = Prepared(
    select(intent.c.kind, intent.c.state, intent.c.sent_op, func.count())
    .where(_MINE, _SETTLED_NOW)
    .group_by(intent.c.kind, intent.c.state, intent.c.sent_op)
)
_OPENED = Prepared(
    select(intent.c.kind, intent.c.state, func.count())
    .where(_MINE, schema.OPEN, ~schema.DISMISSED)
    .group_by(intent.c.kind, intent.c.state)
)
_WAITING = Prepared(
    select(intent.c.id, intent.c.kind, intent.c.source_key, intent.c.label)
    .where(
        _MINE,
        schema.OPEN,
        intent.c.state.in_([State.PLANNED.value, State.UNKNOWN.value]),
        (intent.c.note != "") | OLDER_OPEN,
    )
    .order_by(intent.c.id)
    .limit(bindparam("most"))
)
_BESIDE = func.coalesce(intent.c.xero_amount_minor, 0) - func.coalesce(intent.c.amount_minor, 0)
_ROUNDED = case(
    (
        link.c.lines.contains(f'"{ROUNDING_KEY}"')
        & (func.abs(_BESIDE) <= int(Decimal(ROUNDING_MAX).scaleb(2))),
        _BESIDE,
    ),
    else_=0,
)
"""A rounding line that was added once the tax was known: the document as it came does not have it."""
_MONEY = Prepared(
    select(
        intent.c.kind,
        intent.c.currency,
        func.coalesce(func.sum(intent.c.amount_minor), 0),
        func.coalesce(func.sum(intent.c.xero_amount_minor), 0),
        func.coalesce(func.sum(intent.c.xero_total_minor), 0),
        func.coalesce(func.sum(_ROUNDED), 0),
    )
    .join(
        link,
        (link.c.tenant == intent.c.tenant)  # with its key, for links have no index of intents
        & (link.c.kind == intent.c.kind)
        & (link.c.source_key == intent.c.source_key)
        & (link.c.intent_id == intent.c.id),
    )
    .where(_MINE, _SETTLED_NOW, intent.c.state == State.DONE.value, intent.c.amount_minor.is_not(None))
    .group_by(intent.c.kind, intent.c.currency)
)
_PROBLEMS = Prepared(
    select(
        intent.c.kind,
        intent.c.source_key,
        intent.c.label,
        intent.c.url,
        intent.c.state,
        intent.c.note,
        intent.c.refusals,
        intent.c.settled_epoch,
        intent.c.correlation,
    )
    .where(_MINE, schema.OPEN, ~schema.DISMISSED, intent.c.state.in_(bindparam("states", expanding=True)))
    .order_by(intent.c.id)
)


class Ledger(
    TenantLedger,
    PlanningLedger,
    ExecutionLedger,
    ApprovalLedger,
    GuardLedger,
    VerifyLedger,
    DirectoryLedger,
    RecallLedger,
):
    """`Ledger.open(path, url)` opens (or makes) it and takes the run lock; `begin_run` starts a run on it.

    Raises:
        LedgerInUseError: another process runs on it.
        LedgerVersionError: a newer release wrote it.
        LedgerUnreachableError: its database does not let us in.
    """

    def begin_run(self, tenant: Tenant, now: datetime, organisation: str = "") -> int:
        """Pins or checks the organisation, opens a new epoch, and recovers what an earlier run left in flight.

        Args:
            tenant: as GET /Organisation tells.
            now: Xero's clock.
            organisation: its name in the setting `organisations`; empty where there is one alone.

        Raises:
            WrongOrganisationError: the ledger belongs to another organisation.
        """
        with self.atomic() as connection:
            self.pin(connection, tenant, now, organisation)
            self.tenant = tenant
            self.hold_still(connection)
            begun = {"tenant": tenant.id, "started_ms": milliseconds(now)}
            self.epoch = int(_BEGIN.scalar(connection, begun))
            self.record("begun", run=self.epoch)
            if self.is_older_copy:
                self._doubt_everything(connection, milliseconds(now))
            self.shift(connection, _LEFT_IN_FLIGHT, {"of_tenant": tenant.id})
            _LOOK_ANEW.change(connection, {"of_tenant": tenant.id})
        return self.epoch

    def _doubt_everything(self, connection: Connection, now_ms: int) -> None:
        """What an older copy believes to be unsent may have been sent, as late as a moment ago, by a run it knows nothing of."""
        note = "The ledger was restored from an older copy; whether this was sent since is looked up in Xero."
        self.shift(
            connection,
            update(intent)
            .where(
                (intent.c.state == State.UNKNOWN.value)
                | (
                    (intent.c.state == State.PLANNED.value)
                    & (intent.c.op == "save")
                    & (intent.c.kind != "allocations")  # the credit note itself says whether one is there
                )
            )
            .values(
                state=State.UNKNOWN.value,
                sent_op=func.coalesce(intent.c.sent_op, "create"),
                last_sent_ms=now_ms,
                looked_ms=None,
                note=note,
            ),
        )

    def finish_run(self, now: datetime) -> RunSummary:
        """Closes the run and keeps its summary."""
        with self.atomic() as connection:
            summary = self.summary()
            told = json.dumps(summary.as_dict(), ensure_ascii=False)
            _END.change(connection, {"of_run": self.epoch, "now": milliseconds(now), "told": told})
            self.record("ended", run=self.epoch)
        return summary

    def summary(self) -> RunSummary:
        """What this run has done so far, and what is open over all runs."""
        summary = RunSummary(self.epoch)
        for kind, count in self._unchanged.items():
            summary.stream(kind).unchanged = count
        for kind, count in self._undone.items():
            summary.stream(kind).undone = count
        with self.atomic() as connection:
            self._sum_settled(connection, summary)
            self._sum_open(connection, summary)
            self._sum_money(connection, summary)
        return summary

    def _sum_settled(self, connection: Connection, summary: RunSummary) -> None:
        mine = {"tenant": self.tenant.id, "epoch": self.epoch}
        for kind, state, sent_op, count in _SETTLED.rows(connection, mine):
            stream = summary.stream(kind)
            if state == State.DONE.value:
                name = {"create": "created", "update": "updated", "delete": "deleted"}.get(
                    sent_op or "", "adopted"
                )
                setattr(stream, name, count)
            elif state == State.REJECTED.value:
                stream.refused += count

    def _sum_open(self, connection: Connection, summary: RunSummary) -> None:
        mine = {"tenant": self.tenant.id}
        for kind, state, count in _OPENED.rows(connection, mine):
            if state == State.REJECTED.value:
                summary.open_refusals += count
            elif state == State.PARKED.value:
                summary.stream(kind).parked = count
            elif state == State.PROPOSED.value:
                summary.stream(kind).proposed = count
            else:
                summary.stream(kind).waiting += count
        for id_, kind, key, label in _WAITING.rows(connection, {**mine, "most": _SHOWN}):
            summary.waiting_for.append(f"{label or key}: {self.open_notes(kind, [key])[id_]}")

    def _sum_money(self, connection: Connection, summary: RunSummary) -> None:
        mine = {"tenant": self.tenant.id, "epoch": self.epoch}
        for kind, currency, *sums in _MONEY.rows(connection, mine):
            summary.money.setdefault(kind, {})[currency] = Money(*map(int, sums))

    def problems(self, states: Sequence[State] = (State.REJECTED, State.PARKED)) -> list[dict[str, Any]]:
        """Every document that waits for a person, with its reason, oldest first."""
        asked = {"tenant": self.tenant.id, "states": [state.value for state in states]}
        with self.reading() as connection:
            rows = _PROBLEMS.rows(connection, asked)
        return [{**row._asdict(), "refusals": json.loads(row.refusals)} for row in rows]
