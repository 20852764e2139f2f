"""A tiny Xero in memory, a world to run the executor in, and a checker that looks at that Xero alone.

It is written from Xero's documentation, not from the client: PUT creates only, POST with an id updates, contact numbers and
names, item codes and invoice numbers are unique, payments are not; payments need an approved invoice.
"""

from __future__ import annotations

import copy
import functools
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from target_xero import crash
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.execute import Executor, ExecutorSettings
from target_xero.ledger import Ledger, base
from target_xero.ledger.database import open_engine, read_url
from target_xero.plan import Organisation, Planner, PlannerSettings

START = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
ZERO = "00000000-0000-0000-0000-000000000000"
IDS = {
    "Contacts": "ContactID", "Items": "ItemID", "Invoices": "InvoiceID", "CreditNotes": "CreditNoteID",
    "Quotes": "QuoteID", "Payments": "PaymentID",
}  # fmt: skip
REFERENCE = {
    "Accounts": [
        {"Code": "200", "Name": "Sales", "Type": "REVENUE", "Class": "REVENUE", "Status": "ACTIVE", "TaxType": "OUTPUT2"},
        {"Code": "260", "Name": "Other Revenue", "Type": "REVENUE", "Class": "REVENUE", "Status": "ACTIVE", "TaxType": "OUTPUT2"},
        {"Code": "299", "Name": "Old Sales", "Type": "REVENUE", "Class": "REVENUE", "Status": "ARCHIVED", "TaxType": "OUTPUT2"},
        {"Code": "610", "Name": "Accounts Receivable", "Type": "CURRENT", "Class": "ASSET", "Status": "ACTIVE", "SystemAccount": "DEBTORS"},
        {"Code": "860", "Name": "Rounding", "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE", "SystemAccount": "ROUNDING"},
        {"Code": "090", "Name": "Business Bank", "Type": "BANK", "Class": "ASSET", "Status": "ACTIVE", "CurrencyCode": "GBP"},
    ],
    "TaxRates": [{"TaxType": "OUTPUT2", "Name": "20%", "Status": "ACTIVE", "EffectiveRate": 20}, {"TaxType": "NONE", "Name": "No tax", "Status": "ACTIVE", "EffectiveRate": 0}, {"TaxType": "RROUTPUT", "Name": "5%", "Status": "ACTIVE"}],
    "Currencies": [{"Code": "GBP"}, {"Code": "EUR"}],
    "TrackingCategories": [{"Name": "Region", "Status": "ACTIVE", "Options": [{"Name": "North", "Status": "ACTIVE"}]}],
    "BrandingThemes": [{"Name": "Standard", "BrandingThemeID": "theme-1"}],
}  # fmt: skip


class Crash(BaseException):
    """The process ends here."""


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


class FakeXero:
    """The server. `handle` runs a call to its end; `late` keeps one to be run when time has passed."""

    def __init__(self) -> None:
        self.now = START
        self.store: dict[str, dict[str, dict[str, Any]]] = {container: {} for container in IDS}
        self.notes: dict[str, list[dict[str, Any]]] = {}  # the History of documents, by id
        self.late: list[tuple[datetime, Call]] = []
        self.calls: list[Call] = []
        self.page_size_max = 1000
        self._series = 0
        self._random = 0

    def advance(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        for when, call in sorted(self.late, key=lambda entry: entry[0]):
            if when <= until:
                self.now = max(self.now, when)
                self.late.remove((when, call))
                self.handle(call)
        self.now = until

    def put(self, container: str, **fields: Any) -> dict[str, Any]:
        """Somebody else's document."""
        element = {"Status": "DRAFT", **copy.deepcopy(fields), IDS[container]: self._id()}
        if container == "Contacts":
            element.setdefault("ContactStatus", "ACTIVE")
        return self._save(container, element)

    def handle(self, call: Call) -> tuple[int, Any]:  # noqa: PLR0911 (one path a line)
        parts = call.path.strip("/").split("/")
        if parts[0] in REFERENCE:
            return 200, {parts[0]: copy.deepcopy(REFERENCE[parts[0]])}
        container = parts[0]
        if parts[-1] == "History":
            return self._history(parts[1], call)
        if call.method == "GET":
            return self._read(parts, call)
        if len(parts) > 2:
            return self._allocate(parts, call)
        if call.method == "DELETE":
            del self.store[container][parts[1]]
            return 204, None
        assert call.body is not None
        if container == "Payments" and len(parts) == 2:
            return 200, {container: [self._take_back(self.store[container][parts[1]])]}
        update = call.method == "POST"
        elements = [
            (self._update if update else self._create)(container, copy.deepcopy(element))
            for element in call.body[container]
        ]
        return 200, {"Status": "OK", container: elements}

    # reading

    def _read(self, parts: list[str], call: Call) -> tuple[int, Any]:
        container = parts[0]
        rows = [self._shown(container, row) for row in self.store[container].values()]
        rows.sort(key=lambda row: (row["_updated"], row[IDS[container]]))
        params = call.params
        if len(parts) == 2:
            rows = [row for row in rows if row[IDS[container]] == parts[1]]
            return (200, {container: rows}) if rows else (404, None)
        since = call.headers.get("If-Modified-Since")
        if since:
            rows = [row for row in rows if row["_updated"].replace(tzinfo=None).isoformat() >= since]
        if "IDs" in params:
            rows = [row for row in rows if row[IDS[container]] in params["IDs"].split(",")]
        if "InvoiceNumbers" in params:
            rows = [row for row in rows if row.get("InvoiceNumber") in params["InvoiceNumbers"].split(",")]
        if params.get("createdByMyApp") == "true":
            rows = [row for row in rows if row.get("_ours")]
        if container == "Contacts" and params.get("includeArchived") != "true":
            rows = [row for row in rows if row["ContactStatus"] == "ACTIVE"]
        if "ContactIDs" in params:
            rows = [row for row in rows if row["Contact"]["ContactID"] in params["ContactIDs"]]
            rows = [row for row in rows if row["Status"] in params["Statuses"].split(",")]
        if "where" in params:
            field, _, value = params["where"].partition("==")
            value = value[1:-1].replace('""', '"').casefold()
            rows = [row for row in rows if str(row.get(field, "")).casefold() == value]
        rows = [{name: value for name, value in row.items() if name[0] != "_"} for row in rows]
        body: dict[str, Any] = {container: rows}
        if "page" in params and container != "Quotes":
            size = min(int(params.get("pageSize", 100)), self.page_size_max)
            page = int(params["page"])
            pages = -(-len(rows) // size)
            body = {
                container: rows[(page - 1) * size : page * size],
                "pagination": {"page": page, "pageCount": pages},
            }
        return 200, copy.deepcopy(body)

    def _shown(self, container: str, row: dict[str, Any]) -> dict[str, Any]:
        return row

    # writing

    def _id(self) -> str:
        self._random += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, str(self._random)))

    def _save(self, container: str, element: dict[str, Any]) -> dict[str, Any]:
        element["_updated"] = self.now
        element["UpdatedDateUTC"] = f"/Date({int(self.now.timestamp() * 1000)}+0000)/"
        self.store[container][element[IDS[container]]] = element
        return copy.deepcopy(element)

    @staticmethod
    def _error(container: str, element: dict[str, Any], words: str) -> dict[str, Any]:
        return {**element, IDS[container]: element.get(IDS[container], ZERO), "StatusAttributeString": "ERROR",
                "ValidationErrors": [{"Message": words}]}  # fmt: skip

    def _clash(self, container: str, element: dict[str, Any], own: str | None) -> str | None:
        others = (row for id_, row in self.store[container].items() if id_ != own)
        if container == "Contacts":
            number, name = element.get("ContactNumber"), str(element.get("Name")).casefold()
            for row in others:
                if number and row.get("ContactNumber") == number:
                    return "Another contact has this contact number. Please enter a different contact number."
                if row["ContactStatus"] == "ACTIVE" and row["Name"].casefold() == name:
                    return (
                        f"The contact name {row['Name']} is already assigned to another contact. The contact name must be "
                        "unique across all active contacts."
                    )
        if container == "Items":
            code = element.get("Code", "").casefold()
            if any(row["Code"].casefold() == code for row in others):
                return f"Price List Item with Code '{element['Code']}' already exists"
        field = {"Invoices": "InvoiceNumber", "CreditNotes": "CreditNoteNumber"}.get(container)
        if field and element.get(field) and any(row.get(field) == element[field] for row in others):
            return "Invoice # must be unique."
        return None

    def _create(self, container: str, element: dict[str, Any]) -> dict[str, Any]:
        assert IDS[container] not in element, "a create carries no id"
        clash = self._clash(container, element, None)
        if clash:
            return self._error(container, element, clash)
        if container == "Payments":
            return self._pay(element)
        if container == "Contacts":
            element.setdefault("ContactStatus", "ACTIVE")
        if container in ("Invoices", "CreditNotes", "Quotes"):
            assert element["Contact"].keys() == {"ContactID"}, "an invoice names its contact by id alone"
            if self.store["Contacts"][element["Contact"]["ContactID"]]["ContactStatus"] != "ACTIVE":
                words = "The contact with the specified contact details has been archived. The contact must be un-archived."
                return self._error(container, element, words)
            self._series += 1
            number = {
                "Invoices": "InvoiceNumber",
                "CreditNotes": "CreditNoteNumber",
                "Quotes": "QuoteNumber",
            }[container]
            element.setdefault(number, f"INV-{self._series:04}")
        element[IDS[container]] = self._id()
        element["_ours"] = True
        self._total(element)
        return self._save(container, element)

    def _total(self, element: dict[str, Any]) -> None:
        if "LineItems" not in element:
            return
        subtotal = tax = Decimal(0)
        for line in element["LineItems"]:
            line.setdefault("LineItemID", self._id())
            amount = line.get("LineAmount")
            if amount is None:
                discount = Decimal(100) - line.get("DiscountRate", Decimal(0))
                amount = _cents(
                    line.get("Quantity", Decimal(1)) * line.get("UnitAmount", Decimal(0)) * discount / 100
                )
            subtotal += amount
            tax += Decimal(0) if line.get("TaxType") == "NONE" else _cents(amount / 5)
        net = subtotal - _cents(subtotal / 6) if element.get("LineAmountTypes") == "Inclusive" else subtotal
        total = subtotal if element.get("LineAmountTypes") == "Inclusive" else subtotal + tax
        element.update(SubTotal=net, TotalTax=total - net, Total=total)
        element.setdefault("CurrencyCode", "GBP")
        element.setdefault("AmountPaid", Decimal(0))

    def _update(self, container: str, element: dict[str, Any]) -> dict[str, Any]:
        id_ = element[IDS[container]]
        row = copy.deepcopy(self.store[container].get(id_))
        assert row is not None, "an update names an id that exists"
        if row.get("ContactStatus") == "ARCHIVED":
            words = "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the API."
            return self._error(container, element, words)
        open_ = (
            ("DRAFT", "SUBMITTED", "AUTHORISED")
            if element.get("Status") == "VOIDED"
            else ("DRAFT", "SUBMITTED")
        )
        if container in ("Invoices", "CreditNotes", "Quotes") and row["Status"] not in open_:
            return self._error(container, element, "Invoice not of valid status for modification")
        clash = self._clash(container, {**row, **element}, id_)
        if clash:
            return self._error(container, element, clash)
        row.update(element)
        self._total(row)
        return self._save(container, row)

    def _pay(self, element: dict[str, Any]) -> dict[str, Any]:
        invoice = self.store["Invoices"][element["Invoice"]["InvoiceID"]]
        if invoice["Status"] != "AUTHORISED":
            return self._error("Payments", element, "Payments can only be made against Authorised documents")
        if element["Amount"] > invoice["Total"] - invoice["AmountPaid"]:
            return self._error(
                "Payments", element, "Payment amount exceeds the amount outstanding on this document"
            )
        invoice["AmountPaid"] += element["Amount"]
        if invoice["AmountPaid"] == invoice["Total"]:
            invoice["Status"] = "PAID"
        self._save("Invoices", invoice)
        element |= {"PaymentID": self._id(), "Status": "AUTHORISED", "_ours": True}
        element["Invoice"] = {"InvoiceID": invoice["InvoiceID"], "CurrencyCode": invoice["CurrencyCode"]}
        return self._save("Payments", element)

    def _take_back(self, payment: dict[str, Any]) -> dict[str, Any]:
        """A payment is deleted: what it paid is open again."""
        invoice = self.store["Invoices"][payment["Invoice"]["InvoiceID"]]
        if payment["Status"] != "DELETED":
            invoice["AmountPaid"] -= payment["Amount"]
            self._save("Invoices", {**invoice, "Status": "AUTHORISED"})
        return self._save("Payments", {**payment, "Status": "DELETED"})

    def _history(self, of: str, call: Call) -> tuple[int, Any]:
        notes = self.notes.setdefault(of, [])
        notes += copy.deepcopy(call.body["HistoryRecords"]) if call.body else []
        return 200, {"HistoryRecords": copy.deepcopy(notes)}

    def _allocate(self, parts: list[str], call: Call) -> tuple[int, Any]:
        note = self.store["CreditNotes"][parts[1]]
        sent = copy.deepcopy((call.body or {}).get("Allocations", []))
        made = [entry | {"AllocationID": self._id()} for entry in sent]
        kept = [entry for entry in note.get("Allocations", []) if entry["AllocationID"] != parts[-1]]
        self._save("CreditNotes", note | {"Allocations": kept + made})
        return 200, {"Allocations": made}

    # what a checker may ask

    def live(self, container: str) -> list[dict[str, Any]]:
        rows = self.store[container].values()
        return [row for row in rows if row.get("Status") not in ("DELETED", "VOIDED")]

    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.purpose is Purpose.WRITE]


class World:
    """One Xero, one ledger file, any number of runs and crashes."""

    def __init__(self, folder: Path, template: Path, *, statuses: frozenset[str] | None = None) -> None:
        self.xero = FakeXero()
        self.path = folder / "ledger.sqlite3"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(template, self.path)
        self.place: Any = self.path
        """Where the ledger is: the file, or the address of a database."""
        self.settings = PlannerSettings(statuses or frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"}))
        self.organisation_fields: dict[str, Any] = {}
        self.executor_fields: dict[str, Any] = {}
        self.faults: dict[int, str] = {}
        """By number of the call over the life of the world: what goes wrong with it.

        lost     carried out, no answer              before   not carried out, 503
        late     no answer, carried out 290 s later   never    provably never sent
        cut      as late, and the process ends        garbled  carried out, the answer does not parse
        """
        self.answers: dict[int, tuple[int, Any]] = {}
        """By number of the call: the answer that is given instead of Xero's; nothing is carried out."""
        self.before_call: Callable[[Call], None] | None = None
        self.stopped: str | None = None
        self.limit = 400
        self.tick_ms = 250  # what a call takes on Xero's clock

    def organisation(self) -> Organisation:
        return Organisation("tenant-1", "Sandbox Trading Ltd", "GBP", **self.organisation_fields)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with Ledger(self.place, durable=False, lock=False) as ledger:
            ledger.begin_run(self.organisation().tenant, self.xero.now)
            yield ledger  # type: ignore[misc]

    def begin(self, ledger: Ledger, batches: Any, quiet_s: int = 900) -> Executor:
        """Plans the documents and gives the executor that is to carry them out."""
        organisation = self.organisation()
        planner = Planner(ledger, lambda: organisation, self.settings)
        for stream, documents in batches:
            planner.accept(stream, documents)
        settings = ExecutorSettings(quiet_period_s=quiet_s, **self.executor_fields)
        return Executor(ledger, organisation, lambda: self.xero.now, settings)

    def run(self, *batches: tuple[str, list[dict[str, Any]]], capacity: int = 4) -> Any:
        """One run over these documents; returns its summary. A crash goes through, as if the process had ended."""
        with self.ledger() as ledger:
            executor = self.begin(ledger, batches)
            self.pump(executor, [], capacity)
            assert executor.idle
            self.stopped = executor.stopped
            self.problems = ledger.problems()
            return ledger.finish_run(self.xero.now)

    def pump(self, executor: Executor, flying: list[Call], capacity: int = 4) -> None:
        for _ in range(self.limit):
            flying += executor.next_calls(capacity - len(flying))
            if not flying:
                return
            executor.receive(self.answer(flying.pop(0)))
        raise AssertionError("the executor does not come to an end")

    def lose(self, path: str, *faults: str) -> None:
        """The next writes to this path go wrong, one after the other (see `faults`); one that is lost, if nothing is said."""
        left = list(faults) or ["lost"]

        def watch(call: Call) -> None:
            if left and call.method != "GET" and call.path == path:
                self.faults[len(self.xero.calls) - 1] = left.pop(0)

        self.before_call = watch

    def answer(self, call: Call) -> Answer:
        number = len(self.xero.calls)
        self.xero.calls.append(call)
        if self.before_call:
            self.before_call(call)
        self.xero.now += timedelta(milliseconds=self.tick_ms)
        if number in self.answers:
            status, body = self.answers[number]
            return Answer(call, status=status, body=body)
        fault = self.faults.get(number)
        if fault == "never":
            return Answer(call, failure=Failure.NEVER_SENT, failure_detail="refused connection")
        if fault == "before":
            return Answer(call, status=503)
        if fault in ("late", "cut"):
            if call.method != "GET":
                self.xero.late.append((self.xero.now + timedelta(seconds=290), copy.deepcopy(call)))
            if fault == "cut":
                raise Crash(call.path)
            return Answer(call, failure=Failure.AMBIGUOUS, failure_detail="read timed out")
        status, body = self.xero.handle(copy.deepcopy(call))
        if fault == "lost":
            return Answer(call, failure=Failure.AMBIGUOUS, failure_detail="connection reset")
        return Answer(call, status=status, body=None if fault == "garbled" else body)


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite3"
    Ledger(path, durable=False, lock=False).close()
    return path


@pytest.fixture(scope="session")
def engines() -> Callable[..., Any]:
    """One engine for all worlds of the session, so that SQLAlchemy compiles a statement once and not once a world."""
    return functools.lru_cache(open_engine)


@pytest.fixture
def new_world(
    request: pytest.FixtureRequest, empty_ledger: Path, engines: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., World]:
    """Makes worlds; a new one takes the place of the one before. Parametrised with `postgres`, their ledger is there."""
    folder = empty_ledger.parent / "world"
    monkeypatch.setattr(base, "open_engine", engines)

    def make(**options: Any) -> World:
        shutil.rmtree(folder, ignore_errors=True)
        world = World(folder, empty_ledger, **options)
        if getattr(request, "param", "sqlite") == "postgres":
            database = request.getfixturevalue("postgres_database")
            database.empty()
            world.place = read_url(database.address)
        return world

    return make


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()


class Fuse:
    """Ends the process at the n-th passing of a named point."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.at: tuple[str, int] | None = None

    def __call__(self, name: str) -> None:
        self.passed[name] += 1
        if self.at == (name, self.passed[name]):
            raise Crash(name)


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    found = Fuse()
    monkeypatch.setattr(crash, "armed", found)
    return found


@pytest.fixture
def crashed() -> type[BaseException]:
    return Crash


class Make:
    """Documents for tests."""

    @staticmethod
    def contact(n: int, **fields: Any) -> dict[str, Any]:
        return {
            "source_key": f"C{n}",
            "Name": f"Customer {n}",
            "source_label": f'Account "Customer {n}"',
            **fields,
        }

    @staticmethod
    def invoice(n: int, price: str = "10.00", **fields: Any) -> dict[str, Any]:
        return {
            "source_key": f"O{n}", "marker": f"SF-O{n}", "contact_key": f"C{n}", "Date": "2026-11-02", "DueDate": "2026-12-02",
            "Reference": f"Deal {n}", "source_label": f'Opportunity "Deal {n}"',
            "LineItems": [{"line_key": "L1", "Description": "Widgets", "Quantity": "3", "UnitAmount": price, "AccountCode": "200"}],
            **fields,
        }  # fmt: skip

    @staticmethod
    def payment(n: int, amount: str = "36.00", **fields: Any) -> dict[str, Any]:
        return {
            "source_key": f"O{n}#payment", "marker": f"SF:O{n}", "invoice_key": f"O{n}", "AccountCode": "090",
            "Date": "2026-11-02", "Amount": amount, **fields,
        }  # fmt: skip


@pytest.fixture
def make() -> type[Make]:
    return Make
