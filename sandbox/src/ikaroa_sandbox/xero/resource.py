"""What one end point family is to the frame: how it saves an element, finds and shows a row, and what may be asked of it.

The frame (`api.py`, `write.py`, `read.py`) does everything that is the same for all: tokens, limits, idempotency, envelopes, error
shapes, `summarizeErrors`, transactions, `where`, `order`, paging. A resource knows its own rules and no HTTP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from ikaroa_sandbox.core import Request, Response, Variants
from ikaroa_sandbox.xero import errors, limits, wire
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.store import Row, Store, Table

View = Literal["write", "single", "page", "list", "summary"]
"""The five key sets: answer to a write, GET of one, page of a list, unpaged list, `summaryOnly`."""

FieldType = Literal["guid", "text", "number", "date", "bool"]

Verb = Literal["PUT", "POST"]
Element = dict[str, Any]
"""One object of a body or an answer, as wire values."""


@dataclass(frozen=True)
class Field:
    """One field that `where` and `order` may name.

    Attributes:
        type: `guid`, `text`, `number`, `date` (also moments), `bool`: what it compares with.
        get: the row's value (str, Decimal, date, datetime, bool or None).
        optimised: whether Xero answers it over more than 100,000 rows.
    """

    type: FieldType
    get: Callable[[Row], Any]
    optimised: bool = False


def stored(name: str, kind: FieldType = "text", *, optimised: bool = False) -> Field:
    """The field that a row keeps under this name; empty text counts as missing."""
    if kind == "text":
        return Field(kind, lambda row: row.get(name) or None, optimised)
    return Field(kind, lambda row: row.get(name), optimised)


@dataclass
class Context:
    """One request, as resources see it."""

    store: Store
    app: str
    """Client id of the app whose token this is: what `createdByMyApp` goes by."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Query parameters, names in lower case."""
    target: Row | None = None
    """The row the path names, in `POST /{Name}/{key}`."""
    high_volume: int = limits.HIGH_VOLUME_ROWS
    """Above so many rows an unpaged or unoptimised list is refused."""
    warnings: list[str] = field(default_factory=list)
    """What `save` has to say about the element it saved; the frame empties it before each element."""

    @property
    def variants(self) -> Variants:
        """Which variant of each rule holds."""
        return self.store.variants

    @property
    def unitdp(self) -> int:
        """Decimals of `UnitAmount`: 2, or 4 with `unitdp=4`."""
        return 4 if self.params.get("unitdp") == "4" else 2

    @property
    def now(self) -> datetime:
        """This moment, UTC."""
        return self.store.clock.now()

    @property
    def today(self) -> date:
        """Today in the organisation's time zone."""
        return self.store.today()


Child = Callable[[Context, Row, Request, list[str]], Response]
"""Answers `/{Name}/{key}/{child}[/…]`: context, the row, the request, the path parts after the child's name."""

Edit = Callable[[Context, dict[str, Any]], Element]
"""A person's act: context and command in, what it did out. Raises ValueError with a sentence when it cannot be done."""


class Resource(ABC):
    """One end point family, for one organisation.

    A subclass sets the class attributes, makes its indexes in `__init__`, and implements `save` and `present`.
    """

    name: ClassVar[str]
    """URL segment, envelope key and table name: `Invoices`."""
    id_field: ClassVar[str]
    """`InvoiceID`."""
    type_name: ClassVar[str]
    """What Xero calls one of it in messages: `Invoice`."""
    key_index: ClassVar[str | None] = None
    """The index `find` looks in for what is no GUID (number or code)."""
    read_scopes: ClassVar[tuple[str, ...]]
    """Any one of them lets a token read (write scopes do too)."""
    write_scopes: ClassVar[tuple[str, ...]]
    """Any one of them lets a token write."""
    verbs: ClassVar[frozenset[str]] = frozenset({"GET", "PUT", "POST"})
    """What `/{Name}` answers to."""
    one_verbs: ClassVar[frozenset[str]] = frozenset({"GET", "POST"})
    """What `/{Name}/{key}` answers to."""
    paging: ClassVar[Literal["none", "page", "full"]] = "full"
    """`full`: page, pageSize and a pagination block; `page`: page alone and no block; `none`."""
    list_params: ClassVar[Mapping[str, str]] = {}
    """CSV parameter (lower case) -> field it filters: `{"invoicenumbers": "InvoiceNumber"}`."""
    query_params: ClassVar[frozenset[str]] = frozenset()
    """Further parameters (lower case) of GET that this family knows: `includearchived`, `summaryonly`, `unitdp`, …"""
    write_params: ClassVar[frozenset[str]] = frozenset()
    """Further parameters of PUT and POST: `unitdp`, …"""
    search_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that `searchTerm` looks into."""
    content_type: ClassVar[str] = wire.JSON_UTF8
    error_flag: ClassVar[str] = "HasErrors"
    """The flag of a refused element: `HasErrors`, or `HasValidationErrors` (contacts)."""
    refused_id: ClassVar[bool] = True
    """Whether a refused new element carries the zero GUID; a refused payment was seen without any id."""
    not_heeded: ClassVar[frozenset[str]] = frozenset()
    """Fields of an element that the platform heeds and the sandbox cannot: 501 by name when there is something in them."""
    batch: ClassVar[bool] = True
    """False: only the first element of a body is looked at (Accounts)."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.table: Table = store.table(self.name, self.id_field)
        self.fields: Mapping[str, Field] = {}
        """Fields for `where` and `order`, by the name clients write (`Contact.ContactID`); compared without case."""
        self.children: dict[str, Child] = {}
        """Sub-resources by name: `Allocations`."""
        self.edits: dict[str, Edit] = {}
        """What a person can do to these records outside the API, by action: `archive_contact`."""

    @abstractmethod
    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Validates and stores ONE element, and returns its wire form (mostly `self.present(row, "write", ctx)`).

        Changes made before a raise are rolled back by the frame. With `ctx.target` set the element updates that row.

        Raises:
            errors.ElementInvalid: this element is refused.
            errors.WireError: the whole request is (404 for an unknown id, 14 for an unreadable value).
        """

    @abstractmethod
    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The row's wire form; key sets differ by view."""

    def targeted(self, ctx: Context) -> Row | None:
        """The row the path names, when it is one of this family's (an invoice's contact is saved under the invoice's path)."""
        row = ctx.target
        return row if row is not None and self.table.get(row.get(self.id_field)) is row else None

    def find(self, key: str) -> Row | None:
        """The row with this GUID, number or code."""
        guid = wire.guid(key)
        if guid is not None:
            return self.table.get(guid)
        if self.key_index is None:
            return None
        found = self.table.by(self.key_index, lookup_key(key))
        return found[0] if found else None

    def sort_key(self, row: Row) -> Any:
        """What a list goes by when `order` says nothing."""
        return row["UpdatedDateUTC"], row[self.id_field]

    def visible(self, rows: Iterable[Row], ctx: Context) -> Iterable[Row]:  # noqa: ARG002 - for subclasses
        """Those rows that a list may show at all (archived contacts are left out here, for one)."""
        return rows

    def listed(self, ctx: Context) -> Iterable[Row]:
        """The rows a list starts from, before any filter."""
        return self.visible(self.table.rows(), ctx)

    def scopes(self, *, write: bool) -> tuple[str, ...]:
        """The scopes of which a token needs one."""
        return self.write_scopes if write else (*self.write_scopes, *self.read_scopes)

    def delete(self, row: Row, ctx: Context) -> None:  # noqa: ARG002 - for subclasses
        """`DELETE /{Name}/{key}`; answered with 204."""
        raise errors.NotSimulated(f"DELETE of {self.name}")

    def envelope(self, ctx: Context) -> Element:  # noqa: ARG002 - for subclasses
        """Keys this family adds to the envelope (`SummarizeErrors` of quotes)."""
        return {}
