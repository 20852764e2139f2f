"""xero-python 15.2.0, unmodified, over a socket: proof that the Xero half is no mirror of this project's own client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.server import serve_in_thread
from ikaroa_sandbox.systems import System
from ikaroa_sandbox.xero import XeroBackend
from ikaroa_sandbox.xero.rules import RULES
from xero_python.accounting import (
    Account,
    AccountingApi,
    Address,
    Allocation,
    Allocations,
    Contact,
    ContactGroup,
    ContactGroups,
    ContactPerson,
    Contacts,
    CreditNote,
    CreditNotes,
    HistoryRecord,
    HistoryRecords,
    Invoice,
    Invoices,
    Item,
    Items,
    LineItem,
    Payment,
    PaymentDelete,
    Payments,
    Phone,
    Quote,
    Quotes,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException
from xero_python.exceptions.http_status_exceptions import RateLimitException
from xero_python.identity import IdentityApi

pytestmark = [pytest.mark.foreign, pytest.mark.e2e]

STALE = {
    "access_token": "long gone",
    "refresh_token": "sandbox-xero-refresh",
    "scope": ["accounting.contacts"],
    "expires_in": 1800,
    "expires_at": 1.0,
    "token_type": "Bearer",
}


class Sdk:
    """The SDK, signed in by its own refresh."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token: dict[str, Any] = dict(STALE)
        self.saved = 0
        oauth = OAuth2Token(client_id="sandbox-xero-client", client_secret="sandbox-xero-secret")
        client = ApiClient(
            Configuration(oauth2_token=oauth),
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self._save,
        )
        self.api = AccountingApi(client, base_url=f"{url}/api.xro/2.0")
        self.tenant = IdentityApi(client, base_url=url).get_connections()[0].tenant_id

    def _save(self, token: dict[str, Any]) -> None:
        self.token, self.saved = token, self.saved + 1

    def contact(self, name: str) -> Contact:
        return self.api.create_contacts(self.tenant, Contacts(contacts=[Contact(name=name)])).contacts[0]

    def invoice(self, contact: Contact, **fields: Any) -> Invoice:
        line = LineItem(
            description="Work", quantity=Decimal(3), unit_amount=Decimal("19.9999"), account_code="200"
        )
        sent = Invoice(
            type="ACCREC",
            contact=Contact(contact_id=contact.contact_id),
            date=date(2026, 11, 1),
            due_date=date(2026, 11, 30),
            line_items=[line],
            status="AUTHORISED",
            **fields,
        )
        return self.api.create_invoices(self.tenant, Invoices(invoices=[sent]), unitdp=4).invoices[0]


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    sandbox = Sandbox(seed=4, systems=[System(XeroBackend, RULES)])
    with serve_in_thread(sandbox) as url:
        monkeypatch.setattr(TokenApi, "refresh_token_url", f"{url}/connect/token")
        yield Sdk(url, sandbox)


def test_it_refreshes_and_is_given_a_rotated_token(sdk: Sdk) -> None:
    assert sdk.saved == 1
    assert sdk.token["refresh_token"] != "sandbox-xero-refresh"
    assert sdk.api.get_organisations(sdk.tenant).organisations[0].name == "Sandbox Trading Ltd"


def test_it_creates_updates_pages_and_archives_contacts(sdk: Sdk) -> None:
    rows = [Contact(name=f"Customer {number:03}", contact_number=f"N{number:03}") for number in range(120)]
    made = sdk.api.create_contacts(sdk.tenant, Contacts(contacts=rows[:60]), summarize_errors=False)
    made = sdk.api.create_contacts(sdk.tenant, Contacts(contacts=rows[60:]), summarize_errors=False)
    assert {row.status_attribute_string for row in made.contacts} == {"OK"}
    second = sdk.api.get_contacts(sdk.tenant, where='Name.StartsWith("Customer")', page=2, order="Name ASC")
    assert [row.name for row in second.contacts] == [f"Customer {number:03}" for number in range(100, 120)]
    full = Contact(
        email_address="a@b.example",
        addresses=[Address(address_type="STREET", city="Truro")],
        phones=[Phone(phone_type="MOBILE", phone_number="123")],
        contact_persons=[ContactPerson(first_name="Ann", include_in_emails=True)],
    )
    target = made.contacts[0].contact_id
    changed = sdk.api.update_contact(sdk.tenant, target, Contacts(contacts=[full])).contacts[0]
    assert (changed.email_address, changed.contact_persons[0].first_name) == ("a@b.example", "Ann")
    listed = sdk.api.get_contacts(sdk.tenant, i_ds=[target], include_archived=True).contacts
    assert [row.contact_id for row in listed] == [target]
    archive = Contacts(contacts=[Contact(contact_status="ARCHIVED")])
    assert sdk.api.update_contact(sdk.tenant, target, archive).contacts[0].contact_status == "ARCHIVED"


def test_it_invoices_pays_takes_the_payment_back_and_voids(sdk: Sdk) -> None:
    made = sdk.invoice(sdk.contact("Buyer"), reference="SF-1")
    assert (made.total, made.amount_due, made.status) == (Decimal("72.00"), Decimal("72.00"), "AUTHORISED")
    assert made.line_items[0].unit_amount == Decimal("19.9999")
    payment = Payment(
        invoice=Invoice(invoice_id=made.invoice_id),
        account=Account(code="090"),
        date=date(2026, 11, 2),
        amount=Decimal("72.00"),
        reference="SF:1",
    )
    paid = sdk.api.create_payments(sdk.tenant, Payments(payments=[payment])).payments[0]
    assert sdk.api.get_invoice(sdk.tenant, made.invoice_id).invoices[0].status == "PAID"
    found = sdk.api.get_payments(sdk.tenant, where='Reference=="SF:1"', page=1).payments
    assert [row.payment_id for row in found] == [paid.payment_id]
    sdk.api.delete_payment(sdk.tenant, paid.payment_id, PaymentDelete(status="DELETED"))
    void = Invoices(invoices=[Invoice(status="VOIDED")])
    assert sdk.api.update_invoice(sdk.tenant, made.invoice_id, void).invoices[0].status == "VOIDED"


def test_it_writes_items_quotes_credit_notes_and_history(sdk: Sdk) -> None:
    items = sdk.api.update_or_create_items(sdk.tenant, Items(items=[Item(code="SDK-1", name="One")])).items
    assert items[0].code == "SDK-1"
    buyer = sdk.contact("Buyer")
    line = LineItem(description="Work", quantity=Decimal(1), unit_amount=Decimal(100), account_code="200")
    quote = Quote(contact=Contact(contact_id=buyer.contact_id), date=date(2026, 11, 2), line_items=[line])
    assert sdk.api.create_quotes(sdk.tenant, Quotes(quotes=[quote])).quotes[0].quote_number
    note = CreditNote(
        type="ACCRECCREDIT",
        contact=Contact(contact_id=buyer.contact_id),
        date=date(2026, 11, 2),
        line_items=[line],
        status="AUTHORISED",
    )
    made = sdk.api.create_credit_notes(sdk.tenant, CreditNotes(credit_notes=[note])).credit_notes[0]
    assert made.remaining_credit == Decimal("120.00")
    invoice = sdk.invoice(buyer)
    records = HistoryRecords(history_records=[HistoryRecord(details="from the SDK")])
    sdk.api.create_invoice_history(sdk.tenant, invoice.invoice_id, records)
    found = sdk.api.get_invoice_history(sdk.tenant, invoice.invoice_id).history_records
    assert "from the SDK" in [row.details for row in found]


def test_it_allocates_credit_and_takes_it_back(sdk: Sdk) -> None:
    buyer = sdk.contact("Credited")
    line = LineItem(description="Return", quantity=Decimal(1), unit_amount=Decimal(50), account_code="200")
    note = CreditNote(
        type="ACCRECCREDIT",
        contact=Contact(contact_id=buyer.contact_id),
        date=date(2026, 11, 2),
        line_items=[line],
        status="AUTHORISED",
    )
    made = sdk.api.create_credit_notes(sdk.tenant, CreditNotes(credit_notes=[note])).credit_notes[0]
    invoice = Invoice(invoice_id=sdk.invoice(buyer).invoice_id)
    wanted = Allocations(
        allocations=[Allocation(amount=Decimal(20), date=date(2026, 11, 2), invoice=invoice)]
    )
    sdk.api.create_credit_note_allocation(sdk.tenant, made.credit_note_id, wanted)
    (kept,) = sdk.api.get_credit_note(sdk.tenant, made.credit_note_id).credit_notes[0].allocations
    gone = sdk.api.delete_credit_note_allocations(sdk.tenant, made.credit_note_id, kept.allocation_id)
    assert (gone.allocation_id, gone.is_deleted) == (kept.allocation_id, True)
    read = sdk.api.get_credit_note(sdk.tenant, made.credit_note_id).credit_notes[0]
    assert read.remaining_credit == Decimal("60.00")


def test_it_groups_contacts(sdk: Sdk) -> None:
    people = [Contact(contact_id=sdk.contact(name).contact_id) for name in ("Ada", "Bob")]
    wanted = ContactGroups(contact_groups=[ContactGroup(name="VIPs")])
    (group,) = sdk.api.create_contact_group(sdk.tenant, wanted).contact_groups
    sdk.api.create_contact_group_contacts(sdk.tenant, group.contact_group_id, Contacts(contacts=people))
    sdk.api.delete_contact_group_contact(sdk.tenant, group.contact_group_id, people[0].contact_id)
    (read,) = sdk.api.get_contact_group(sdk.tenant, group.contact_group_id).contact_groups
    assert [one.name for one in read.contacts] == ["Bob"]


def test_it_attaches_files_and_reads_them_back(sdk: Sdk) -> None:
    invoice = sdk.invoice(sdk.contact("Filed")).invoice_id
    put = sdk.api.create_invoice_attachment_by_file_name
    kept = put(sdk.tenant, invoice, "terms.pdf", b"%PDF-1.7", include_online=True).attachments[0]
    assert (kept.file_name, kept.content_length, kept.include_online) == ("terms.pdf", 8, True)
    read = sdk.api.get_invoice_attachment_by_id
    file = read(sdk.tenant, invoice, kept.attachment_id, "application/pdf")
    assert Path(file).read_bytes() == b"%PDF-1.7"
    assert sdk.api.get_invoice(sdk.tenant, invoice).invoices[0].has_attachments is True


def test_it_reads_every_kind_of_setting(sdk: Sdk) -> None:
    assert {"200", "090"} <= {row.code for row in sdk.api.get_accounts(sdk.tenant).accounts}
    assert "OUTPUT2" in {row.tax_type for row in sdk.api.get_tax_rates(sdk.tenant).tax_rates}
    assert {row.name for row in sdk.api.get_tracking_categories(sdk.tenant).tracking_categories} == {
        "Region",
        "Sales Team",
    }
    assert len(sdk.api.get_currencies(sdk.tenant).currencies) == 2
    assert len(sdk.api.get_branding_themes(sdk.tenant).branding_themes) == 2
    assert sdk.api.get_items(sdk.tenant).items
    assert sdk.api.get_invoices(sdk.tenant, page=1, statuses=["AUTHORISED", "PAID"]).invoices
    assert sdk.api.get_invoices(
        sdk.tenant, if_modified_since=datetime(2020, 1, 1, tzinfo=timezone.utc)
    ).invoices


def test_its_exceptions_understand_refusals(sdk: Sdk) -> None:
    sdk.contact("Twice")
    with pytest.raises(AccountingBadRequestException) as refused:
        sdk.contact("Twice")
    assert "already assigned to another contact" in str(refused.value.reason)
    with pytest.raises(HTTPStatusException) as missing:
        sdk.api.get_contact(sdk.tenant, "00000000-0000-4000-8000-000000000001")
    assert missing.value.status == 404
    sdk.sandbox.edit(
        "xero", {"action": "set_limits", "concurrent": 0}
    )  # no Retry-After, for which urllib3 would wait
    with pytest.raises(RateLimitException) as limited:
        sdk.api.get_contacts(sdk.tenant)
    assert limited.value.rate_limit == "concurrent"
