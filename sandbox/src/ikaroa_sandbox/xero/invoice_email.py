"""`POST /Invoices/{id}/Email`: sends the invoice to its contact, by the organisation's own template.

Source: Xero developer docs (Invoices: e-mailing an invoice; limits: 1,000 a day, none in the Demo Company).
"""

from __future__ import annotations

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits
from ikaroa_sandbox.xero.resource import Context, Resource
from ikaroa_sandbox.xero.store import Row

_SENDABLE = ("SUBMITTED", "AUTHORISED", "PAID")


def send(invoices: Resource, ctx: Context, row: Row, request: Request, contacts: Resource) -> Response:
    """Answers 204 and marks the invoice as sent.

    Raises:
        ValidationFailed: not a sales invoice, not of a sendable status, nobody to send to, or no e-mails left today.
    """
    if request.method != "POST":
        raise errors.NotSimulated(f"{request.method} /api.xro/2.0/Invoices/{{id}}/Email")
    message = _refusal(ctx, row, contacts)
    if message is not None:
        element = {
            "InvoiceID": row["InvoiceID"],
            "HasErrors": True,
            "ValidationErrors": [{"Message": message}],
        }
        raise errors.ValidationFailed([element])
    counter = f"emails {ctx.today.isoformat()}"
    ctx.store.counters[counter] = ctx.store.counters.get(counter, 0) + 1
    invoices.table.put({**row, "SentToContact": True})
    return Response(204)


def _refusal(ctx: Context, row: Row, contacts: Resource) -> str | None:
    if row["Type"] != "ACCREC" or row["Status"] not in _SENDABLE:
        return "Only sales invoices of status SUBMITTED, AUTHORISED or PAID can be emailed"
    contact = contacts.table.get(row["ContactID"]) or {}
    if not contact.get("EmailAddress"):
        return "The contact has no email address"
    demo = bool(ctx.store.organisation.get("IsDemoCompany"))
    most = limits.DEMO_EMAILS_A_DAY if demo else limits.EMAILS_A_DAY
    if ctx.store.counters.get(f"emails {ctx.today.isoformat()}", 0) >= most:
        return f"The organisation has reached its limit of {most} emails a day"
    return None
