"""The chart of accounts: `/Accounts`. Writes take one account at a time; a longer body is cut to its first (issue threads)."""

# ruff: noqa: ARG002 - one signature for every family

from __future__ import annotations

from typing import Any, ClassVar

from ikaroa_sandbox.xero import attachments, errors, limits, reading, scopes, wire
from ikaroa_sandbox.xero.folding import lookup_key
from ikaroa_sandbox.xero.resource import Context, Element, Field, Resource, Verb, View, stored
from ikaroa_sandbox.xero.store import Row, Store

_CLASSES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "EQUITY": "EQUITY",
    "DIRECTCOSTS": "EXPENSE",
    "DEPRECIATN": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}
_REPORTING = {"ASSET": "ASS", "EQUITY": "EQU", "EXPENSE": "EXP", "LIABILITY": "LIA", "REVENUE": "REV"}


class Accounts(Resource):
    """`/Accounts`."""

    name, id_field, type_name = "Accounts", "AccountID", "Account"
    key_index = "code"
    read_scopes, write_scopes = scopes.reading(scopes.SETTINGS), scopes.SETTINGS
    paging = "none"
    batch = False
    error_flag = "HasValidationErrors"
    one_verbs: ClassVar[frozenset[str]] = frozenset({"GET", "POST"})

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.table.index("code", lambda row: lookup_key(row.get("Code")))
        texts = (
            "Code",
            "Name",
            "Status",
            "Type",
            "Class",
            "TaxType",
            "SystemAccount",
            "CurrencyCode",
            "BankAccountNumber",
        )
        self.fields = {
            "AccountID": stored("AccountID", "guid", optimised=True),
            **{name: stored(name, optimised=True) for name in texts},
            "EnablePaymentsToAccount": stored("EnablePaymentsToAccount", "bool"),
            "HasAttachments": Field("bool", lambda row: attachments.has(store, row["AccountID"])),
            "UpdatedDateUTC": stored("UpdatedDateUTC", "date", optimised=True),
        }

    def sort_key(self, row: Row) -> Any:
        """By code."""
        return row["Code"]

    def save(self, element: Element, verb: Verb, ctx: Context) -> Element:
        """Creates (PUT, POST without id) or changes an account."""
        row = ctx.target
        if row is None and (guid := wire.guid(element.get("AccountID"))) and guid != wire.ZERO_GUID:
            row = self.table.get(guid)
            if row is None:
                raise errors.NotFound(f"no account {guid}")
        sent = {
            name: text
            for name in (
                "Code",
                "Name",
                "Type",
                "TaxType",
                "Status",
                "Description",
                "CurrencyCode",
                "BankAccountNumber",
            )
            if (text := reading.read_text(element.get(name))) is not None
        }
        payments = reading.read_bool(element.get("EnablePaymentsToAccount"))
        if payments is not None:
            sent["EnablePaymentsToAccount"] = payments  # type: ignore[assignment]
        problems = self._problems(sent, row)
        if problems:
            raise errors.ElementInvalid(problems, dict(element))
        if row is None:
            row = {
                "AccountID": None,
                "Status": "ACTIVE",
                "SystemAccount": "",
                "EnablePaymentsToAccount": False,
                "TaxType": "NONE",
                "Class": _CLASSES[sent["Type"].upper()],
            }
            if sent["Type"].upper() == "BANK":
                row.update(BankAccountType="BANK", CurrencyCode=ctx.store.organisation["BaseCurrency"])
        return self.present(self.table.put({**row, **sent}), "write", ctx)

    def _problems(self, sent: dict[str, str], row: Row | None) -> list[str]:
        found: list[str] = []
        own = row["AccountID"] if row else None
        if row is None:
            found += [
                f"{name} is a mandatory field" for name in ("Code", "Name", "Type") if not sent.get(name)
            ]
        if sent.get("Type") and sent["Type"].upper() not in _CLASSES:
            found.append("A valid Account type must be specified.")
        if len(sent.get("Code", "")) > limits.ACCOUNT_CODE:
            found.append("Account Code is too long. Maximum of 10 characters allowed")
        if len(sent.get("Name", "")) > limits.ACCOUNT_NAME:
            found.append(f"The Name field must not be longer than {limits.ACCOUNT_NAME} characters.")
        if any(other["AccountID"] != own for other in self.table.by("code", lookup_key(sent.get("Code")))):
            found.append("Please enter a unique Code.")
        if any(
            other["Name"] == sent.get("Name") and other["AccountID"] != own for other in self.table.rows()
        ):
            found.append("Please enter a unique Name.")
        return found

    def present(self, row: Row, view: View, ctx: Context) -> Element:
        """The account as Xero answers it."""
        shown: Element = {
            name: row[name]
            for name in ("AccountID", "Code", "Name", "Status", "Type", "TaxType", "Description", "Class")
            if row.get(name)
        }
        if row.get("SystemAccount"):
            shown["SystemAccount"] = row["SystemAccount"]
        shown["EnablePaymentsToAccount"] = row["EnablePaymentsToAccount"]
        shown["ShowInExpenseClaims"] = False
        shown.update(
            {
                name: row[name]
                for name in ("BankAccountNumber", "BankAccountType", "CurrencyCode")
                if row.get(name)
            }
        )
        shown["ReportingCode"] = _REPORTING[row["Class"]]
        shown["ReportingCodeName"] = row["Class"].title()
        shown["HasAttachments"] = attachments.has(self.store, row["AccountID"])
        shown["UpdatedDateUTC"] = wire.ms(row["UpdatedDateUTC"])
        shown["AddToWatchlist"] = False
        return shown
