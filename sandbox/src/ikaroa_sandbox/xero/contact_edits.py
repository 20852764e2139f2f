"""What people do to contacts in Xero's own screens. They may do what the API may not: edit and bring back archived ones."""

# ruff: noqa: ARG002 - one signature for every act

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.xero.contacts import Contacts
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.resource import Context, Element
from ikaroa_sandbox.xero.store import Row

_FIELDS = frozenset(
    {
        "Name",
        "FirstName",
        "LastName",
        "EmailAddress",
        "AccountNumber",
        "ContactNumber",
        "CompanyNumber",
        "TaxNumber",
        "Addresses",
        "Phones",
        "ContactPersons",
        "PaymentTerms",
        "DefaultCurrency",
    }
)


def register(contacts: Contacts) -> None:
    """Adds the actions to the resource."""
    hand = _Hand(contacts)
    contacts.edits.update(
        {
            "create_contact": hand.create,
            "edit_contact": hand.edit,
            "rename_contact": hand.rename,
            "archive_contact": hand.archive,
            "unarchive_contact": hand.unarchive,
            "merge_contacts": hand.merge,
        }
    )


class _Hand:
    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    def create(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`fields`; `duplicate: true` lets it share its name, as demo data was seen to."""
        fields = _fields(command)
        if command.get("duplicate") and fields.get("Name"):
            name, fields = str(fields["Name"]), {**fields, "Name": ctx.store.guid()}
            saved = self._contacts.save(fields, "PUT", ctx)
            row = self._contacts.table.get(saved["ContactID"]) or {}
            return _told(self._contacts.table.put({**row, "Name": name, "CreatedByApp": None}))
        saved = self._contacts.save(fields, "PUT", ctx)
        row = self._contacts.table.get(saved["ContactID"]) or {}
        return _told(self._contacts.table.put({**row, "CreatedByApp": None}, stamp=False))

    def edit(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`contact` (id, number or name) and `fields`."""
        row = self._find(command, "contact")
        status = row["ContactStatus"]
        if status != "ACTIVE":
            row = self._contacts.table.put({**row, "ContactStatus": "ACTIVE"})
        ctx.target = row
        self._contacts.save(_fields(command), "POST", ctx)
        saved = self._contacts.table.get(row["ContactID"]) or {}
        return _told(self._contacts.table.put({**saved, "ContactStatus": status}))

    def rename(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`contact` and `name`."""
        return self.edit(ctx, {"contact": command.get("contact"), "fields": {"Name": command.get("name")}})

    def archive(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`contact`."""
        row = self._find(command, "contact")
        return _told(self._contacts.table.put({**row, "ContactStatus": "ARCHIVED"}))

    def unarchive(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`contact`; refused when its name has been taken since."""
        row = self._find(command, "contact")
        if any(
            other["ContactID"] != row["ContactID"]
            for other in self._contacts.table.by("name", fold(row["Name"]))
        ):
            raise ValueError(f"another active contact is called {row['Name']!r}")
        return _told(self._contacts.table.put({**row, "ContactStatus": "ACTIVE", "MergedToContactID": None}))

    def merge(self, ctx: Context, command: dict[str, Any]) -> Element:
        """`contact` goes into `into`: its documents move there, and it is archived with `MergedToContactID`."""
        row, into = self._find(command, "contact"), self._find(command, "into")
        if row is into:
            raise ValueError("`contact` and `into` are the same contact")
        for table in ctx.store.tables.values():
            if "contact" in table.index_names:
                for document in table.by("contact", row["ContactID"]):
                    table.put({**document, "ContactID": into["ContactID"]})
        traded = {name: into[name] or row[name] for name in ("IsCustomer", "IsSupplier")}
        self._contacts.table.put({**into, **traded})
        return _told(
            self._contacts.table.put(
                {**row, "ContactStatus": "ARCHIVED", "MergedToContactID": into["ContactID"]}
            )
        )

    def _find(self, command: dict[str, Any], name: str) -> Row:
        key = str(command.get(name) or "")
        row = self._contacts.find(key) if key else None
        if row is None:
            by_name = [other for other in self._contacts.table.rows() if fold(other["Name"]) == fold(key)]
            row = by_name[0] if key and by_name else None
        if row is None:
            raise ValueError(f"there is no contact with id, number or name {key!r}: give one as `{name}`")
        return row


def _fields(command: dict[str, Any]) -> dict[str, Any]:
    fields = command.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise ValueError('give the fields: {"fields": {"Name": "…"}}')
    strange = sorted(set(fields) - _FIELDS)
    if strange:
        raise ValueError(f"a contact has no field {', '.join(strange)} that a person can change")
    return fields


def _told(row: Row) -> Element:
    return {name: row.get(name) for name in ("ContactID", "Name", "ContactStatus", "MergedToContactID")}
