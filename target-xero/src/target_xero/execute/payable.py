"""Before a payment or allocation is entered: what it is for is approved, and Xero and the ledger agree on what was paid.

Payments have no number that Xero would keep unique, so this is the second guard against paying twice: Xero's `AmountPaid` must be
the ledger's own sum of payments. It is read only where somebody else can have had a hand in it: an invoice that was created
in this very run is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from target_xero import limits
from target_xero.execute.bodies import Linked, body_of
from target_xero.execute.context import RunContext
from target_xero.execute.steps import WAIT, Step, hold_blind, listing, reading
from target_xero.execute.writes import Parcel
from target_xero.ledger import Intent, Link
from target_xero.ledger.guarding import Booked
from target_xero.plan.kinds import KINDS
from target_xero.plan.statuses import DEAD
from target_xero.plan.wire import minor, parse_date, show_minor, text_of


def approved(context: RunContext, intents: Sequence[Intent], linked: Linked) -> Step:
    """Reads what may have changed since it was last told: whether it is approved, and what was paid on it."""
    owners = [linked[need] for intent in intents for need in intent.needs if need in linked]
    paying = intents[0].kind == "payments"
    for kind in ("invoices", "credit_notes"):
        mine = {link.source_key: link for link in owners if link.kind == kind}
        booked = context.ledger.booked(kind, list(mine)) if paying and kind == "invoices" else {}
        old: dict[str, int] = {}
        for key, link in mine.items():
            since = _asked_since(context, link, booked.get(key), paying=paying and kind == "invoices")
            if since is not None:
                old[link.remote_id] = since
        if not old:
            continue
        if context.sight(kind).blind:
            hold_blind(context, kind, intents)
            return WAIT
        if len(old) > limits.IDS_PER_CALL_MAX and context.sight(kind).asked_ms is None:
            step = listing(context, kind)
        else:
            step = reading(context, kind, list(old), max(old.values()))
        if step is not None:
            return step
    return None


def _asked_since(context: RunContext, link: Link, booked: Booked | None, *, paying: bool) -> int | None:
    """Since when what Xero says of an invoice must have been asked for; None: what is known will do."""
    epoch, asked_ms = context.ledger.epoch, context.sight(link.kind).asked_ms
    if not paying or (booked and booked.created_epoch == epoch):
        return 0 if link.status != "AUTHORISED" and link.status_epoch < epoch and asked_ms is None else None
    if booked and (booked.in_flight or booked.in_doubt):
        return None
    if link.status_epoch == epoch and link.status != "AUTHORISED":
        return None  # nothing can be paid on it
    touched_ms = booked.touched_ms if booked else 0
    told = _told(context, link, touched_ms)
    return None if told else touched_ms + 1


def parcels(context: RunContext, intents: Sequence[Intent], linked: Linked) -> list[Parcel]:
    """The payments or allocations that may go now; the others are refused or held."""
    keys = [key for intent in intents for need, key in intent.needs if need == "invoices"]
    paying = bool(intents) and intents[0].kind == "payments"
    booked = context.ledger.booked("invoices", list(dict.fromkeys(keys))) if paying else {}
    found: list[Parcel] = []
    promised: dict[str, int] = {}
    for intent in intents:
        if not _approved(context, intent, linked):
            continue
        link = next((linked[need] for need in intent.needs if need[0] == "invoices"), None)
        currency = ""
        if paying and link is not None:
            mine = booked.get(link.source_key) or Booked("", None, 0, None)
            if mine.in_flight:
                continue  # its answer says what there is left to pay
            if mine.in_doubt:
                note = "The outcome of another payment of this invoice is not known yet; the next run enters this one."
                context.ledger.hold([intent.id], note)
                continue
            currency = mine.currency or context.currency_of(link.remote_id)
            if not _agreed(context, intent, link, mine, promised.get(link.remote_id, 0)):
                continue
            if not _same_currency(context, intent, currency):
                continue
            promised[link.remote_id] = promised.get(link.remote_id, 0) + (intent.amount_minor or 0)
        body = body_of(intent, None, linked, context.organisation)
        found.append(Parcel(intent, "create", body, None, paid_currency=currency))
    return found


def _approved(context: RunContext, intent: Intent, linked: Linked) -> bool:
    for need in intent.needs:
        link = linked[need]
        name = f"{KINDS[link.kind].one.capitalize()} {link.number or link.source_key}"
        one = KINDS[intent.kind].one
        if link.status in ("DRAFT", "SUBMITTED"):
            note = f"{name} is {link.status} in Xero; the {one} is entered once it is approved there."
            context.ledger.hold([intent.id], note)
            return False
        if link.status in DEAD or (link.status == "PAID" and intent.kind == "payments"):
            cure = f"{name} is {link.status} in Xero. Enter the {one} in Xero by hand, or not at all."
            context.refuse(intent, "not_payable", cure)
            return False
    return True


def within_credit(context: RunContext, intents: Sequence[Intent], note: Mapping[str, Any]) -> list[Intent]:
    """Those of a credit note's allocations that its remaining credit has room for, in their order; the others are refused."""
    left = minor(note.get("RemainingCredit"))
    kept: list[Intent] = []
    promised = 0
    for intent in intents:
        amount = intent.amount_minor or 0
        if left is None or amount <= left - promised:
            promised += amount
            kept.append(intent)
            continue
        less = f" less {show_minor(promised)} that goes with this run" if promised else ""
        context.refuse(
            intent,
            "more_than_left",
            f"Credit note {text_of(dict(note), 'CreditNoteNumber')} has {show_minor(left)} left to set against invoices{less}, and this "
            f"allocation is {show_minor(amount)}. Nothing was entered. Correct the amounts in the source, or set it against the invoice "
            "in Xero by hand.",
            field="Amount",
            value=show_minor(amount),
        )
    return kept


def _agreed(context: RunContext, intent: Intent, link: Link, booked: Booked, promised: int) -> bool:
    """Whether Xero and the ledger agree on what was paid, and there is as much left to pay."""
    name = f"Invoice {link.number or link.source_key}"
    told = _told(context, link, booked.touched_ms)
    if told is None:  # created in this run: nobody else can have paid anything yet
        due = (booked.total_minor or 0) - booked.paid_minor
    else:
        paid, due = told
        if paid != booked.paid_minor:
            return _refuse_otherwise(context, intent, link, paid, booked.paid_minor)
    amount = intent.amount_minor or 0
    if amount > due - promised:
        left = f" less {show_minor(promised)} that goes with this run" if promised else ""
        context.refuse(
            intent,
            "more_than_due",
            f"{name} has {show_minor(due)} left to pay{left}, and this payment is {show_minor(amount)}. Nothing was entered. "
            "Correct the amount in the source, or enter it in Xero by hand.",
            field="Amount",
            value=show_minor(amount),
        )
        return False
    return True


def _refuse_otherwise(context: RunContext, intent: Intent, link: Link, paid: int, ours: int) -> bool:
    name = f"Invoice {link.number or link.source_key}"
    element = context.sight("invoices").elements.get(link.remote_id, (0, None))[1] or {}
    people = _by_people(context, element)
    if paid > ours:
        what = f"people entered {show_minor(paid - ours)} in Xero{': ' + people if people else ''}"
        cure = "If that is this payment, leave it at that; if not, enter this one in Xero by hand."
    else:
        what = f"{show_minor(ours - paid)} of it were taken back in Xero"
        cure = "Find out why, and enter in Xero by hand what was really paid."
    context.refuse(
        intent,
        "paid_otherwise",
        f"{name} has {show_minor(paid)} paid in Xero, and {show_minor(ours)} were entered by this ledger: {what}. Nothing was "
        f"entered, so that nothing is paid twice. {cure}",
        field="Amount",
        value=show_minor(intent.amount_minor or 0),
    )
    return False


def _told(context: RunContext, link: Link, touched_ms: int) -> tuple[int, int] | None:
    """What Xero said was paid and is due, in hundredths, when asked after our last payment; None: it was not asked."""
    sight = context.sight("invoices")
    asked_ms, element = sight.elements.get(link.remote_id, (0, None))
    if element is not None and asked_ms > touched_ms:
        paid, due = minor(element.get("AmountPaid")) or 0, minor(element.get("AmountDue"))
        rest = (minor(element.get("Total")) or 0) - paid - (minor(element.get("AmountCredited")) or 0)
        return paid, rest if due is None else due
    if sight.asked_ms is None or sight.asked_ms <= touched_ms:
        return None
    facts = context.ledger.facts("invoices", [link.remote_id]).get(link.remote_id, {})
    if facts.get("paid") is None:  # a ledger of an earlier release did not keep it
        return None
    return int(facts["paid"]), int(
        facts["due"] if facts.get("due") is not None else facts["total"] - facts["paid"]
    )


def _by_people(context: RunContext, element: Mapping[str, Any]) -> str:
    """The payments of an invoice that this ledger did not enter, as far as Xero names them."""
    payments = [payment for payment in element.get("Payments") or () if isinstance(payment, dict)]
    ours = context.ledger.owners("payments", [text_of(payment, "PaymentID") for payment in payments])
    told = []
    for payment in payments:
        if text_of(payment, "PaymentID") not in ours:
            day = parse_date(payment.get("Date"))
            said = text_of(payment, "Reference")
            amount = show_minor(minor(payment.get("Amount")) or 0)
            told.append(f"{amount}{f' on {day}' if day else ''}{f' ({said})' if said else ''}")
    return ", ".join(told)


def _same_currency(context: RunContext, intent: Intent, currency: str) -> bool:
    """Money in one currency is not booked to a bank account in another one, unless that is the organisation's own."""
    organisation = context.organisation
    account = (organisation.accounts or {}).get(str(intent.document.get("AccountCode")))
    its = (account.currency if account else "") or organisation.base_currency
    if not currency or account is None or its in (currency, organisation.base_currency):
        return True
    fitting = [
        f"{a.code} {a.name}"
        for a in (organisation.accounts or {}).values()
        if a.type == "BANK"
        and a.status == "ACTIVE"
        and (a.currency or organisation.base_currency) == currency
    ]
    hint = f" There are: {', '.join(fitting[:3])}." if fitting else ""
    context.refuse(
        intent,
        "account_wrong_currency",
        f"{account.name} is kept in {its} and the invoice is in {currency}. Name an account in {currency}.{hint}",
        field="AccountCode",
        value=account.code,
    )
    return False


def note_of(intent: Intent, linked: Linked) -> str:
    """The id of the credit note that an allocation is of."""
    return next(
        link.remote_id for need, link in linked.items() if need in intent.needs and need[0] == "credit_notes"
    )
