"""Works with pyxero, unmodified, its hard-coded hosts pointed at the sandbox (`SANDBOX_URL`); prints what it was told as JSON."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from typing import Any

import requests
from xero import Xero
from xero.auth import OAuth2Credentials
from xero.exceptions import XeroBadRequest

send = requests.Session.send
HOSTS = ("https://identity.xero.com", "https://api.xero.com")
DAY = dt.date(2026, 11, 2)


def send_to_sandbox(
    session: requests.Session, request: requests.PreparedRequest, **options: Any
) -> requests.Response:
    for host in HOSTS:
        request.url = str(request.url).replace(host, os.environ["SANDBOX_URL"])
    return send(session, request, **options)


requests.Session.send = send_to_sandbox  # type: ignore[method-assign, assignment]
signing_in = json.load(sys.stdin)
credentials = OAuth2Credentials(
    signing_in["client_id"],
    signing_in["client_secret"],
    token={**signing_in["token"], "expires_at": time.time() - 60},
    scope=signing_in["scope"],
)
credentials.refresh()
credentials.set_default_tenant()
xero = Xero(credentials, unit_price_4dps=True)

contact = xero.contacts.put(
    {"Name": "Zoë & Söhne", "ContactNumber": "C-77", "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}]}
)[0]
try:
    xero.contacts.put({"Name": "Zoë & Söhne"})
    refused = []
except XeroBadRequest as refusal:
    refused = refusal.errors
line = {
    "Description": "Work",
    "Quantity": "2",
    "UnitAmount": "12.3456",
    "AccountCode": "200",
    "Tracking": [{"Name": "Region", "Option": "North"}],
}
head = {
    "Type": "ACCREC",
    "Contact": {"ContactID": contact["ContactID"]},
    "Date": DAY,
    "DueDate": DAY + dt.timedelta(30),
}
invoice = xero.invoices.put({**head, "Status": "AUTHORISED", "LineItems": [line]})[0]
saved = xero.invoices.save({"InvoiceID": invoice["InvoiceID"], "Reference": "changed"})[0]
payment = {
    "Invoice": {"InvoiceID": invoice["InvoiceID"]},
    "Account": {"Code": "090"},
    "Date": DAY,
    "Amount": "10.00",
}
xero.payments.put(payment)
xero.invoices.put_history(invoice["InvoiceID"], "A note")
json.dump(
    {
        "refresh_token": credentials.token["refresh_token"],
        "contact": contact["ContactID"],
        "refused": refused,
        "invoice": invoice["InvoiceID"],
        "reference": saved["Reference"],
        "due": str(xero.invoices.get(invoice["InvoiceID"])[0]["AmountDue"]),
        "named": [found["ContactNumber"] for found in xero.contacts.filter(Name="Zoë & Söhne")],
        "paid_in_part": [found["InvoiceID"] for found in xero.invoices.filter(raw="AmountPaid==10.00")],
        "since": len(xero.invoices.filter(since=dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc))),
        "history": [
            note["Details"] for note in xero.invoices.get_history(invoice["InvoiceID"])["HistoryRecords"]
        ],
    },
    sys.stdout,
)
