"""Accounts, contacts, leads: their names, and the two faces of a person account."""

from __future__ import annotations

from ikaroa_sandbox.salesforce.errors import RecordError
from ikaroa_sandbox.salesforce.store.context import Save
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import (
    PERSON_TO_CONTACT,
    contact_of_person,
    full_name,
    person_of_contact,
)


def before_person(save: Save) -> None:
    """Name is made of first and last name."""
    row = save.row
    row["Name"] = full_name(row.get("FirstName"), row.get("LastName"))


def before_lead(save: Save) -> None:
    """As a person; and a converted lead cannot be changed through the API."""
    if save.old is not None and save.old["IsConverted"]:
        raise RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    before_person(save)


def before_account(save: Save) -> None:
    """A new account with a last name and no name is a person; a person's name follows its parts."""
    context, old, row, given = save.context, save.old, save.row, save.given
    if old is None:
        row["IsPersonAccount"] = bool(given.get("LastName")) and not given.get("Name")
    if not row["IsPersonAccount"]:
        person_only = [
            name for name in given if name in PERSON_TO_CONTACT and given[name] not in (None, False)
        ]
        if person_only:
            text = f"Person account fields cannot be set on a business account: {', '.join(person_only)}"
            raise RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", text, person_only)
        return
    if old is not None and "Name" in given:
        raise RecordError(
            "INVALID_FIELD_FOR_INSERT_UPDATE", "Name of a person account is made of its parts", ["Name"]
        )
    row["Name"] = full_name(row.get("FirstName"), row.get("LastName"))
    if old is None:
        row["PersonContactId"] = context.next_id(context.org.full["Contact"])


def after_account(save: Save) -> None:
    """The contact behind a person account is made with it and follows it."""
    context, old, row = save.context, save.old, save.row
    if not row["IsPersonAccount"]:
        return
    contact = context.org.full["Contact"]
    values = contact_of_person(row)
    values |= {
        "Name": row["Name"],
        "LastModifiedDate": row["LastModifiedDate"],
        "SystemModstamp": row["SystemModstamp"],
    }
    contact_id = str(row["PersonContactId"])
    if old is None:
        shared = {name: row[name] for name in ("CreatedDate", "CreatedById", "LastModifiedById", "OwnerId")}
        more: Row = {"Id": contact_id, "AccountId": row["Id"], "IsPersonAccount": True}
        context.db.insert(contact, [{**values, **shared, **more, "CurrencyIsoCode": row["CurrencyIsoCode"]}])
        context.note("create", contact, contact_id)
    elif any(old[name] != row[name] for name in PERSON_TO_CONTACT):
        context.db.update(contact, contact_id, values)
        context.note("update", contact, contact_id)


def after_contact(save: Save) -> None:
    """A change of a person account's contact shows on the account."""
    context, old, row = save.context, save.old, save.row
    if old is None or not row["IsPersonAccount"]:
        return
    account = context.org.full["Account"]
    values = person_of_contact(row) | {"Name": row["Name"]}
    values |= {name: row[name] for name in ("LastModifiedDate", "LastModifiedById", "SystemModstamp")}
    context.db.update(account, str(row["AccountId"]), values)
    context.note("update", account, str(row["AccountId"]))
