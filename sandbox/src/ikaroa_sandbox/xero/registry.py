"""The end point families of an organisation, in the order in which a new one gets them."""

from __future__ import annotations

from collections.abc import Mapping

from ikaroa_sandbox.xero import attachments, contact_edits
from ikaroa_sandbox.xero.accounts import Accounts
from ikaroa_sandbox.xero.contact_groups import ContactGroups
from ikaroa_sandbox.xero.contacts import Contacts
from ikaroa_sandbox.xero.document_resources import document_resources
from ikaroa_sandbox.xero.items import Items
from ikaroa_sandbox.xero.organisation import Organisations
from ikaroa_sandbox.xero.resource import Resource
from ikaroa_sandbox.xero.settings import BrandingThemes, Currencies, TaxRates
from ikaroa_sandbox.xero.store import Store
from ikaroa_sandbox.xero.tracking import TrackingCategories

_WITH_ATTACHMENTS = ("Accounts", "Contacts", "CreditNotes", "Invoices", "Quotes")


def resources(store: Store) -> Mapping[str, Resource]:
    """Every family, by name, over the store's tables."""
    contacts, items = Contacts(store), Items(store)
    contact_edits.register(contacts)
    families: list[Resource] = [
        Organisations(store),
        Accounts(store),
        TaxRates(store),
        TrackingCategories(store),
        Currencies(store),
        BrandingThemes(store),
        contacts,
        items,
        ContactGroups(store, contacts),
        *document_resources(store, contacts, items),
    ]
    for family in families:
        if family.name in _WITH_ATTACHMENTS:
            family.children[attachments.NAME] = attachments.child(store, family)
    return {family.name: family for family in families}
