"""Contacts: unique names among active ones, unique numbers among all, and no way back from the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ikaroa_sandbox.xero import attachments, errors, limits, reading, scopes, slots, wire
from ikaroa_sandbox.xero import contact_rules as rules
from ikaroa_sandbox.xero.contact_views import outstanding, present
from ikaroa_sandbox.xero.folding import fold, lookup_key
from ikaroa_sandbox.xero.params import flag
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

_CODES = {"SalesDefaultAccountCode", "PurchasesDefaultAccountCode"}
_TAXES = {"AccountsReceivableTaxType", "AccountsPayableTaxType"}
_LISTS = ("Addresses", "Phones", "ContactPersons")


class Contacts(Resource):
    """`/Contacts`."""

    name, id_field, type_name = "Contacts", "ContactID", "Contact"
    key_index = "number"
    read_scopes, write_scopes = scopes.reading(scopes.CONTACTS), scopes.CONTACTS
    list_params = {"ids": "ContactID"}  # noqa: RUF012 - a class constant
    query_params = frozenset({"includearchived", "summaryonly", "searchterm"})
    not_heeded = frozenset(
        {
            "BatchPayments",
            "PurchasesDefaultLineAmountType",
            "SalesDefaultLineAmountType",
            "TrackingCategoryName",
            "TrackingCategoryOption",
            "XeroNetworkKey",
        }
    )
    search_fields = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress")
    error_flag = "HasValidationErrors"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.table.index("name", lambda row: fold(row["Name"]) if row["ContactStatus"] == "ACTIVE" else None)
        self.table.index("number", lambda row: lookup_key(row.get("ContactNumber")))
        texts = (
            "ContactNumber",
            "ContactStatus",
            "FirstName",
            "LastName",
            "CompanyNumber",
            "TaxNumber",
            "DefaultCurrency",
        )
        self.fields = {
            "ContactID": stored("ContactID", "guid", optimised=True),
            **{name: stored(name, optimised=True) for name in ("Name", "EmailAddress", "AccountNumber")},
            **{name: stored(name) for name in texts},
            "UpdatedDateUTC": stored("UpdatedDateUTC", "date", optimised=True),
            "IsCustomer": stored("IsCustomer", "bool"),
            "IsSupplier": stored("IsSupplier", "bool"),
            "HasAttachments": Field("bool", lambda row: attachments.has(store, row["ContactID"])),
        }

    def visible(self, rows: Iterable[Row], ctx: Context) -> Iterable[Row]:
        """Archived contacts only with `includeArchived=true`."""
        if flag(ctx, "includearchived"):
            return rows
        return (row for row in rows if row["ContactStatus"] == "ACTIVE")

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The contact as this kind of answer shows it."""
        return present(row, view, ctx)

    # -- saving --------------------------------------------------------------------------------------------------------

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Creates or updates a contact; what is not sent stays."""
        row = self.targeted(ctx) or self._named(element)
        if row is None and verb == "POST":
            row = self._matched(element, ctx)
        elif row is not None and verb == "PUT":
            raise errors.ElementInvalid(rules.name_taken(row["Name"]), _echo(element, row))
        if row is not None and row["ContactStatus"] == "ARCHIVED":
            raise errors.ElementInvalid(rules.ARCHIVED, _echo(element, row))
        problems: list[str] = []
        changed = self._read(element, row or {}, problems, ctx)
        self._check(changed, row, problems, ctx)
        if problems:
            raise errors.ElementInvalid(problems, _echo(element, row))
        return self.present(self._put(changed, row, ctx), "write", ctx)

    def _named(self, element: Element) -> Row | None:
        """The contact whose id is sent.

        Raises:
            NotFound: there is none; the whole request ends (third-party reports).
        """
        sent = element.get("ContactID")
        if sent in (None, "", wire.ZERO_GUID):
            return None
        guid = wire.guid(sent)
        if guid is None:
            raise errors.PostDataInvalid(f"Error converting value \"{sent}\" to type 'System.Guid'.")
        row = self.table.get(guid)
        if row is None:
            raise errors.NotFound(f"no contact {guid}")
        return row

    def _matched(self, element: Element, ctx: Context) -> Row | None:
        """The contact that a POST without id means: by number, else by name."""
        number, name = reading.read_text(element.get("ContactNumber")), reading.read_text(element.get("Name"))
        if number:
            found = self.table.by("number", lookup_key(number))
            if found:
                return next((row for row in found if row["ContactStatus"] != "ARCHIVED"), found[0])
            if ctx.variants["xero.contacts.post_new_number_known_name"] == "refused":
                return None
        if name and ctx.variants["xero.contacts.post_known_name"] == "overwrites":
            return next(iter(self._of_name(name, ctx)), None)
        return None

    def _of_name(self, name: str, ctx: Context) -> list[Row]:
        """Active contacts whose name counts as the same."""
        found = self.table.by("name", fold(name))
        kind = ctx.variants["xero.contacts.name_uniqueness"]
        if kind == "without_case_and_accents":
            return found
        same: Callable[[str], str] = str.lower if kind == "without_case" else str
        return [row for row in found if same(row["Name"]) == same(name)]

    def _read(self, element: Element, row: Row, problems: list[str], ctx: Context) -> Row:
        """The fields that are sent, as the row will keep them."""
        changed = rules.read_texts(element, problems)
        name = rules.read_name(element, ctx.variants, problems)
        if name is not None:
            changed["Name"] = name
        merge = ctx.variants["xero.contacts.slot_fields"] == "merged"
        if element.get("Addresses"):
            changed["Addresses"] = slots.read_addresses(
                element["Addresses"], row.get("Addresses", {}), problems, merge=merge
            )
        if element.get("Phones"):
            changed["Phones"] = slots.read_phones(
                element["Phones"], row.get("Phones", {}), problems, merge=merge
            )
        if element.get("ContactPersons") is not None:
            changed["ContactPersons"] = self._persons(element["ContactPersons"], row, problems, ctx)
        if element.get("PaymentTerms"):
            changed["PaymentTerms"] = rules.read_payment_terms(
                element["PaymentTerms"], row.get("PaymentTerms"), problems
            )
        status = reading.read_text(element.get("ContactStatus"))
        if status:
            if status.upper() not in rules.STATUSES:
                raise errors.PostDataInvalid(f"Error converting value \"{status}\" to type 'ContactStatus'.")
            changed["ContactStatus"] = status.upper()
        return {**changed, **self._read_defaults(element, problems)}

    @staticmethod
    def _persons(sent: Any, row: Row, problems: list[str], ctx: Context) -> list[Row]:
        persons = rules.read_persons(sent, problems)
        if ctx.variants["xero.contacts.persons"] == "replaced":
            return persons
        kept = [person for person in row.get("ContactPersons", ()) if person not in persons]
        return [*kept, *persons][-limits.CONTACT_PERSONS :]

    def _read_defaults(self, element: Element, problems: list[str]) -> Row:
        """Default currency, accounts, taxes and tracking, which must exist in the organisation."""
        changed: Row = {}
        currency = reading.read_text(element.get("DefaultCurrency"))
        if currency:
            changed["DefaultCurrency"] = currency.upper()
            if self.store.table("Currencies").get(currency.upper()) is None:
                problems.append(f"Organisation is not subscribed to currency {currency.upper()}")
        for name in _CODES & element.keys():
            code = reading.read_text(element[name])
            if code and not self.store.table("Accounts").by("code", lookup_key(code)):
                problems.append(f"Account code '{code}' is not a valid code for {name}.")
            changed[name] = code or None
        for name in _TAXES & element.keys():
            tax_type = reading.read_text(element[name])
            if tax_type and not self.store.table("TaxRates").by("tax_type", lookup_key(tax_type)):
                problems.append(f"The tax type '{tax_type}' is not valid for {name}.")
            changed[name] = tax_type or None
        for name in ("SalesTrackingCategories", "PurchasesTrackingCategories"):
            if element.get(name):
                changed[name] = reading.read_objects(element[name], name)[: limits.TRACKING_CATEGORIES]
        return changed

    def _check(self, changed: Row, row: Row | None, problems: list[str], ctx: Context) -> None:
        """What concerns other contacts: name and number. Adds to `problems`."""
        own = row["ContactID"] if row else None
        if row is None and not changed.get("Name"):
            problems.append(
                rules.NOT_IDENTIFIED
                if not changed.get("ContactNumber")
                else "The contact name must be specified."
            )
        elif row is not None and changed.get("Name") == "":
            problems.append("The contact name must be specified.")
        name = changed.get("Name")
        if name and any(other["ContactID"] != own for other in self._of_name(name, ctx)):
            problems.append(rules.name_taken(name))
        if row is not None and changed.get("ContactStatus") == "ARCHIVED" and self._keeps_open(row, ctx):
            problems.append("The contact cannot be archived because it has outstanding transactions.")
        number = lookup_key(changed.get("ContactNumber"))
        if number and any(other["ContactID"] != own for other in self.table.by("number", number)):
            problems.append(rules.NUMBER_TAKEN)

    def _keeps_open(self, row: Row, ctx: Context) -> bool:
        """Whether open documents keep the contact from the archive."""
        return (
            ctx.variants["xero.contacts.archive_open"] == "refused"
            and outstanding(self.store, row["ContactID"]) is not None
        )

    def _put(self, changed: Row, row: Row | None, ctx: Context) -> Row:
        if row is None:
            return self.table.put({**new_row(), "CreatedByApp": ctx.app, **changed})
        return self.table.put({**row, "Bare": False, **changed})


def new_row() -> Row:
    """An empty active contact."""
    return {
        "ContactID": None,
        "ContactStatus": "ACTIVE",
        "Name": "",
        "FirstName": "",
        "LastName": "",
        "EmailAddress": "",
        "BankAccountDetails": "",
        "Addresses": {},
        "Phones": {},
        "ContactPersons": [],
        "IsSupplier": False,
        "IsCustomer": False,
        "CreatedByApp": None,
        "Bare": False,
    }


def mark_traded(store: Store, contact_id: str, kind: str) -> None:
    """Sets `IsCustomer` or `IsSupplier` once a document names the contact; `UpdatedDateUTC` stays as it is.

    Args:
        store: the organisation's data.
        contact_id: the contact's GUID.
        kind: the document's type: `ACCREC…` makes a customer, `ACCPAY…` a supplier.
    """
    table = store.table("Contacts")
    row, flag_name = table.get(contact_id), "IsSupplier" if kind.startswith("ACCPAY") else "IsCustomer"
    if row is not None and not row[flag_name]:
        table.put({**row, flag_name: True}, stamp=False)


def _echo(element: Mapping[str, Any], row: Row | None) -> Element:
    """What the answer repeats of a refused contact: as sent, with the stored id and name (recorded)."""
    echo: Element = {"ContactID": row["ContactID"] if row else wire.ZERO_GUID}
    for name in (
        "ContactStatus",
        "ContactNumber",
        "AccountNumber",
        "Name",
        "FirstName",
        "LastName",
        "EmailAddress",
    ):
        if element.get(name) is not None:
            echo[name] = element[name]
    if row is not None:
        echo.setdefault("ContactStatus", row["ContactStatus"])
        echo.setdefault("Name", row["Name"])
    for name in _LISTS:
        echo[name] = element.get(name) or []
    for name in ("IsSupplier", "IsCustomer"):
        if isinstance(element.get(name), bool):
            echo[name] = element[name]
    return echo
