"""Contact groups: `/ContactGroups` and the contacts in them, `/ContactGroups/{id}/Contacts[/{contact id}]`.

Source: Xero developer docs (Contact Groups). A group that is deleted is no longer listed and holds nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, reading, scopes, wire
from ikaroa_sandbox.xero.answers import child_envelope
from ikaroa_sandbox.xero.folding import fold
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

NAME = "ContactGroups"


def groups_of(store: Store, contact_id: str) -> list[Element]:
    """The groups a contact is in, as the contact shows them."""
    rows = store.table(NAME, "ContactGroupID").rows()
    held = [row for row in rows if contact_id in row["ContactIDs"]]
    return [
        {**_short(row), "HasValidationErrors": False} for row in sorted(held, key=lambda row: row["Name"])
    ]


def _short(row: Row) -> Element:
    return {"ContactGroupID": row["ContactGroupID"], "Name": row["Name"], "Status": row["Status"]}


class ContactGroups(Resource):
    """`/ContactGroups`: named sets of contacts."""

    name, id_field, type_name = NAME, "ContactGroupID", "ContactGroup"
    read_scopes, write_scopes = scopes.reading(scopes.CONTACTS), scopes.CONTACTS
    paging = "none"
    error_flag = "HasValidationErrors"

    def __init__(self, store: Store, contacts: Resource) -> None:
        super().__init__(store)
        self.contacts = contacts
        self.children["Contacts"] = self._members
        self.fields = {
            "ContactGroupID": stored("ContactGroupID", "guid"),
            **{name: stored(name) for name in ("Name", "Status")},
        }

    def visible(self, rows: Iterable[Row], ctx: Context) -> Iterable[Row]:  # noqa: ARG002 - as for every family
        """Those that are not deleted."""
        return (row for row in rows if row["Status"] == "ACTIVE")

    def sort_key(self, row: Row) -> Any:
        """By name."""
        return row["Name"]

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Makes a group, or renames or deletes one."""
        row = ctx.target
        if row is None and verb == "POST" and (guid := wire.guid(element.get("ContactGroupID"))):
            row = self.table.get(guid)
            if row is None:
                raise errors.NotFound(f"no ContactGroup {guid!r}")
        name = (reading.read_text(element.get("Name")) or "").strip() or (row["Name"] if row else "")
        status = (reading.read_text(element.get("Status")) or "ACTIVE").upper()
        problems = self._problems(row, name, status)
        if problems:
            raise errors.ElementInvalid(problems, {"Name": name, "Status": status})
        members = [] if row is None or status == "DELETED" else row["ContactIDs"]
        known = row or {"ContactGroupID": None}
        return self.present(
            self.table.put({**known, "Name": name, "Status": status, "ContactIDs": members}), "write", ctx
        )

    def _problems(self, row: Row | None, name: str, status: str) -> list[str]:
        if row is not None and row["Status"] == "DELETED":
            return ["The contact group has been deleted"]
        found = []
        if not name:
            found.append("Name is a mandatory field")
        if status not in {"ACTIVE", "DELETED"}:
            found.append(f"The Status '{status}' is not valid; it must be ACTIVE or DELETED")
        others = [
            other for other in self.table.rows() if row is None or other[self.id_field] != row[self.id_field]
        ]
        if any(other["Status"] == "ACTIVE" and fold(other["Name"]) == fold(name) for other in others):
            found.append("Please enter a unique Name.")
        return found

    def present(self, row: Row, view: View, ctx: Context) -> Element:  # noqa: ARG002 - as for every family
        """The group; who is in it stands in a single read."""
        members = row["ContactIDs"] if view == "single" else []
        return {
            **_short(row),
            "Contacts": [self._member(one) for one in members],
            "HasValidationErrors": False,
        }

    def _member(self, contact_id: str) -> Element:
        contact = self.contacts.table.get(contact_id) or {}
        return {"ContactID": contact_id, "Name": contact.get("Name", "")}

    def _members(self, ctx: Context, row: Row, request: Request, tail: list[str]) -> Response:
        if row["Status"] != "ACTIVE":
            raise errors.NotFound("a deleted contact group")
        if request.method == "PUT" and not tail:
            return self._add(ctx, row, request)
        if request.method == "DELETE" and len(tail) <= 1:
            return self._remove(row, tail)
        raise errors.NotSimulated(
            f"{request.method} /api.xro/2.0/{NAME}/{{id}}/{'/'.join(['Contacts', *tail])}"
        )

    def _add(self, ctx: Context, row: Row, request: Request) -> Response:
        sent = reading.child_elements(request, "Contacts", "Contact")
        added = [guid for one in sent if (guid := wire.guid(one.get("ContactID")))]
        if len(added) < len(sent):
            raise errors.PostDataInvalid("A ContactID is needed for each contact of a group")
        unknown = [guid for guid in added if self.contacts.table.get(guid) is None]
        if unknown:
            raise errors.NotFound(f"no Contact {unknown[0]!r}")
        self.table.put({**row, "ContactIDs": [*dict.fromkeys([*row["ContactIDs"], *added])]})
        return child_envelope(ctx, "Contacts", [self._member(one) for one in added])

    def _remove(self, row: Row, tail: list[str]) -> Response:
        gone = {wire.guid(tail[0]) or ""} if tail else set(row["ContactIDs"])
        if not gone <= set(row["ContactIDs"]):
            raise errors.NotFound("no such contact in the group")
        self.table.put({**row, "ContactIDs": [one for one in row["ContactIDs"] if one not in gone]})
        return Response(204)
