"""xero-python 15.2.0, Xero's own client, unmodified: it creates, updates, pays, voids, pages and refreshes its token here.

Only its documented hooks are used: base URLs as constructor arguments and class attributes, and the token getter and saver.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from ikaroa_sandbox import credentials
from ikaroa_sandbox.core import Headers, Request
from xero_python import accounting
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, RateLimitException
from xero_python.identity import IdentityApi

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.foreign,
    # The client's own code, which is not ours to change.
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TODAY = dt.date(2026, 11, 2)


@dataclass
class Client:
    """The client's own API objects, set up as its README says, and the token it was last told to save."""

    accounting: Any
    identity: Any
    models: Any
    tenant: str = ""
    token: dict[str, Any] = field(default_factory=dict)
    saved: list[dict[str, Any]] = field(default_factory=list)

    def save(self, token: dict[str, Any]) -> None:
        self.token = token
        self.saved.append(token)


@pytest.fixture
def client(served: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:

    monkeypatch.setattr(TokenApi, "refresh_token_url", f"{served.url}/connect/token")
    monkeypatch.setattr(TokenApi, "client_credentials_token_url", f"{served.url}/connect/token")
    made = Client(None, None, accounting)
    token = OAuth2Token(client_id=credentials.XERO_CLIENT_ID, client_secret=credentials.XERO_CLIENT_SECRET)
    api_client = ApiClient(
        Configuration(oauth2_token=token),
        oauth2_token_getter=lambda: made.token,
        oauth2_token_saver=made.save,
        pool_threads=1,
    )
    made.accounting = accounting.AccountingApi(api_client, base_url=f"{served.url}/api.xro/2.0")
    made.identity = IdentityApi(api_client, base_url=served.url)
    # Expired on arrival: the first call of the client makes it refresh, with the refresh token alone.
    made.token = {
        "access_token": "long gone",
        "refresh_token": credentials.XERO_REFRESH_TOKEN,
        "scope": ["offline_access", "accounting.contacts", "accounting.invoices", "accounting.payments",
                  "accounting.settings"],
        "expires_in": 1800,
        "expires_at": time.time() - 60,
        "token_type": "Bearer",
    }  # fmt: skip
    made.tenant = made.identity.get_connections()[0].tenant_id
    yield made
    api_client.rest_client.pool_manager.clear()


def invoice(client: Client, contact_id: str, number: str, *amounts: str) -> Any:
    lines = [
        client.models.LineItem(
            description="Work", quantity=Decimal(1), unit_amount=Decimal(amount), account_code="200"
        )
        for amount in amounts
    ]
    return client.models.Invoice(
        type="ACCREC",
        contact=client.models.Contact(contact_id=contact_id),
        date=TODAY,
        due_date=TODAY + dt.timedelta(days=30),
        line_items=lines,
        invoice_number=number,
        reference="SF-0061",
        currency_code=client.models.CurrencyCode.GBP,
        status="AUTHORISED",
    )


def contact_id(client: Client, name: str) -> str:
    contacts = client.models.Contacts(contacts=[client.models.Contact(name=name)])
    found: str = client.accounting.create_contacts(client.tenant, contacts).contacts[0].contact_id
    return found


def test_it_refreshes_its_token_and_is_told_the_rotated_one(client: Client, served: Any) -> None:
    assert len(client.saved) == 1, "it refreshed before its first call"
    first = client.saved[0]
    assert first["refresh_token"] != credentials.XERO_REFRESH_TOKEN, "the refresh token was rotated"
    client.token = {**client.token, "expires_at": time.time() - 1}
    assert client.accounting.get_organisations(client.tenant).organisations[0].name == "Sandbox Trading Ltd"
    assert len(client.saved) == 2
    assert client.saved[1]["refresh_token"] != first["refresh_token"]
    token_calls = [
        entry.as_json() for entry in served.sandbox.journal if entry.request.path == "/connect/token"
    ]
    assert [entry["status"] for entry in token_calls] == [200, 200]
    assert all(first["refresh_token"] not in entry["body"] for entry in token_calls)


def test_it_creates_updates_and_finds_contacts(client: Client, served: Any) -> None:
    api, models = client.accounting, client.models
    before = len(served.records("xero", "Contacts"))
    made = api.create_contacts(
        client.tenant,
        models.Contacts(
            contacts=[
                models.Contact(
                    name="Zoë & Söhne GmbH",
                    contact_number="001Sb00000000001",
                    email_address="zoe@example.com",
                ),
                models.Contact(name="Harbour Lane Stationers"),  # taken by a contact that was there before
                models.Contact(
                    name="Third Ltd",
                    addresses=[models.Address(address_type="STREET", address_line1="1 Road", city="Bath")],
                    phones=[models.Phone(phone_type="DEFAULT", phone_number="123456")],
                ),
            ]
        ),
        summarize_errors=False,
    ).contacts
    assert [contact.status_attribute_string for contact in made] == ["OK", "ERROR", "OK"]
    assert "must be unique across all active contacts" in made[1].validation_errors[0].message
    assert len(served.records("xero", "Contacts")) == before + 2

    updated = api.update_contact(
        client.tenant,
        made[0].contact_id,
        models.Contacts(contacts=[models.Contact(email_address="new@example.com")]),
    ).contacts[0]
    assert (updated.name, updated.email_address) == ("Zoë & Söhne GmbH", "new@example.com")

    found = api.get_contacts(client.tenant, where='Name=="Third Ltd"').contacts
    assert [contact.contact_id for contact in found] == [made[2].contact_id]
    by_ids = api.get_contacts(client.tenant, i_ds=[made[0].contact_id, made[2].contact_id]).contacts
    assert {contact.name for contact in by_ids} == {"Zoë & Söhne GmbH", "Third Ltd"}
    by_number = api.get_contact_by_contact_number(client.tenant, "001Sb00000000001").contacts
    assert [contact.contact_id for contact in by_number] == [made[0].contact_id]


def test_a_refused_contact_raises_its_own_exception_with_the_reason(client: Client) -> None:

    models = client.models
    with pytest.raises(AccountingBadRequestException) as refused:
        client.accounting.create_contacts(
            client.tenant, models.Contacts(contacts=[models.Contact(name="Harbour Lane Stationers")])
        )
    assert refused.value.status == 400
    assert "must be unique across all active contacts" in refused.value.reason


def test_it_creates_and_updates_items(client: Client, served: Any) -> None:
    api, models = client.accounting, client.models
    sales = models.Purchase(unit_price=Decimal("19.99"), account_code="200", tax_type="OUTPUT2")
    made = api.create_items(
        client.tenant,
        models.Items(items=[models.Item(code="P-1", name="Widget", sales_details=sales, is_sold=True)]),
        unitdp=4,
    ).items[0]
    api.update_item(
        client.tenant,
        made.item_id,
        models.Items(items=[models.Item(code="P-1", name="Better widget")]),
        unitdp=4,
    )
    stored = {item["Code"]: item for item in served.records("xero", "Items")}["P-1"]
    assert (stored["Name"], Decimal(stored["SalesDetails"]["UnitPrice"])) == (
        "Better widget",
        Decimal("19.99"),
    )
    assert "P-1" in {item.code for item in api.get_items(client.tenant).items}


def test_it_creates_pays_and_voids_invoices(client: Client, served: Any) -> None:

    api, models = client.accounting, client.models
    buyer = contact_id(client, "Buyer Ltd")
    made = api.create_invoices(
        client.tenant,
        models.Invoices(invoices=[
            invoice(client, buyer, "X-1", "100.00", "50.25"),
            invoice(client, buyer, "X-2", "10"),
            invoice(client, buyer, "X-1", "1"),
        ]),
        summarize_errors=False,
        unitdp=4,
    ).invoices  # fmt: skip
    assert [entry.status_attribute_string for entry in made] == ["OK", "OK", "ERROR"]
    paid, void = made[0], made[1]
    assert (paid.sub_total, paid.total_tax, paid.total) == (
        Decimal("150.25"),
        Decimal("30.05"),
        Decimal("180.30"),
    )

    bank = models.Account(code="090")
    payments = [
        models.Payment(
            invoice=models.Invoice(invoice_id=paid.invoice_id),
            account=bank,
            date=TODAY,
            amount=Decimal(amount),
        )
        for amount in ("80.30", "100.00")
    ]
    api.create_payments(client.tenant, models.Payments(payments=payments[:1]))
    after_one = api.get_invoice(client.tenant, paid.invoice_id).invoices[0]
    assert (after_one.status, after_one.amount_paid, after_one.amount_due) == (
        "AUTHORISED", Decimal("80.30"), Decimal("100.00"))  # fmt: skip
    second = api.create_payment(client.tenant, payments[1]).payments[0]
    assert api.get_invoice(client.tenant, paid.invoice_id).invoices[0].status == "PAID"

    with pytest.raises(AccountingBadRequestException):
        api.update_invoice(
            client.tenant, paid.invoice_id, models.Invoices(invoices=[models.Invoice(status="VOIDED")])
        )
    api.update_invoice(
        client.tenant, void.invoice_id, models.Invoices(invoices=[models.Invoice(status="VOIDED")])
    )
    api.delete_payment(client.tenant, second.payment_id, models.PaymentDelete(status="DELETED"))

    stored = {entry.get("InvoiceNumber"): entry for entry in served.records("xero", "Invoices")}
    assert (stored["X-1"]["Status"], stored["X-2"]["Status"]) == ("AUTHORISED", "VOIDED")
    assert Decimal(stored["X-1"]["AmountDue"]) == Decimal("100.00")


def test_it_pages_through_invoices_and_payments(client: Client, served: Any) -> None:
    api, models = client.accounting, client.models
    buyer = contact_id(client, "Many Ltd")
    for start in range(0, 120, 40):
        api.create_invoices(
            client.tenant,
            models.Invoices(
                invoices=[invoice(client, buyer, f"N-{start + n:03}", f"{n + 1}.10") for n in range(40)]
            ),
        )
    numbers: list[str] = []
    page = 1
    while True:
        answer = api.get_invoices(
            client.tenant, contact_i_ds=[buyer], page=page, page_size=50, order="InvoiceNumber ASC"
        )
        numbers += [entry.invoice_number for entry in answer.invoices]
        assert (answer.pagination.page, answer.pagination.page_count, answer.pagination.item_count) == (
            page,
            3,
            120,
        )
        if page == answer.pagination.page_count:
            break
        page += 1
    assert numbers == [f"N-{n:03}" for n in range(120)]

    summary = api.get_invoices(client.tenant, invoice_numbers=["N-007", "N-008"], summary_only=False).invoices
    assert {entry.invoice_number: entry.sub_total for entry in summary} == {
        "N-007": Decimal("8.10"), "N-008": Decimal("9.10")}  # fmt: skip
    recent = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
    assert api.get_invoices(client.tenant, if_modified_since=recent).invoices == []
    assert len(api.get_payments(client.tenant, page=1).payments) == len(served.records("xero", "Payments"))


def test_the_minute_limit_raises_its_rate_limit_exception(client: Client, served: Any) -> None:

    served.sandbox.clock.freeze()
    served.sandbox.clock.advance(60)
    headers = Headers(
        {"Authorization": f"Bearer {client.token['access_token']}", "xero-tenant-id": client.tenant}
    )
    for _ in range(60):  # quicker than sixty calls of the client: another program of the same app
        assert (
            served.sandbox.handle(Request("GET", "/api.xro/2.0/Organisation", headers=headers)).status == 200
        )
    contacts = client.models.Contacts(contacts=[client.models.Contact(name="One too many")])
    with pytest.raises(RateLimitException) as limited:
        # A POST: the client's urllib3 sleeps out a GET's Retry-After and asks again, three times.
        client.accounting.update_or_create_contacts(client.tenant, contacts)
    assert limited.value.status == 429
    assert limited.value.rate_limit == "minute"
    assert 1 <= int(limited.value.headers["Retry-After"]) <= 60
