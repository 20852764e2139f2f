"""Every number the Xero half keeps to. Sources: Xero developer docs (limits, idempotency, OAuth), Xero OpenAPI 16.1.0."""

from __future__ import annotations

from decimal import Decimal

# Calls: fixed windows for each tenant, and one over all tenants of an app.
MINUTE_CALLS = 60
DAY_CALLS = 5_000
"""1,000 on the starter tier, which the action `set_limits` plays."""
CONCURRENT_CALLS = 5
APP_MINUTE_CALLS = 10_000
MINUTE_SECONDS = 60
DAY_SECONDS = 86_400
WINDOWS_KEPT = 8
"""Windows of each kind whose count is kept: late commits and clock jumps visit older ones."""

# Sizes.
BODY_BYTES = 3_500_000
QUERY_CHARACTERS = 2_048
"""About 52 GUIDs in `IDs=`: where clients saw requests fail."""
HIGH_VOLUME_ROWS = 100_000

# Paging.
PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000

# Idempotency-Key.
IDEMPOTENCY_SECONDS = 360
IDEMPOTENCY_KEY_CHARACTERS = 128
IDEMPOTENCY_KEYS_SWEPT_FROM = 1_000
"""From so many keys on, those whose time is over are forgotten. Memory only: they mean nothing any more."""
PARALLEL_SECONDS = 1
"""Two requests under one key this close together, with others under way, count as parallel."""

# OAuth.
ACCESS_TOKEN_SECONDS = 1_800
REFRESH_TOKEN_DAYS = 60
REFRESH_GRACE_SECONDS = 1_800
CODE_SECONDS = 300
ACCESS_TOKENS_SWEPT_FROM = 1_000
"""From so many tokens on, those that ended long ago are forgotten."""

# Contacts.
CONTACT_NAME = 255
CONTACT_NUMBER = 50
ACCOUNT_NUMBER = 50
COMPANY_NUMBER = 50
PERSON_NAME = 255
EMAIL = 255
BANK_DETAILS = 1_000
TAX_NUMBER = 50
CONTACT_PERSONS = 5
TERMS_DAYS, TERMS_DAY_OF_MONTH = 999, 31
"""The most that the Day of payment terms may be, where it counts days and where it is one of a month."""
ADDRESS_LINE = 500
ADDRESS_PLACE = 255
ADDRESS_CODE = 50
PHONE_NUMBER = 50
PHONE_AREA_CODE = 10
PHONE_COUNTRY_CODE = 20
TRACKING_CATEGORIES = 2

# Items.
ITEM_CODE = 30
ITEM_NAME = 50
ITEM_DESCRIPTION = 4_000

# Settings.
ACCOUNT_CODE = 10
ACCOUNT_NAME = 150
TRACKING_OPTION = 100
TRACKING_OPTIONS = 100

# Documents.
LINE_DESCRIPTION = 4_000
QUANTITY_CHARACTERS = 13
LINE_AMOUNT = Decimal("9999999999.99")
DOCUMENT_NUMBER = 255
DOCUMENT_REFERENCE = 255
PAYMENT_REFERENCE = 255
PAYMENT_REFERENCE_KEPT = 118
"""Where the variant that truncates a payment's Reference cuts."""
QUOTE_TITLE = 100
QUOTE_SUMMARY = 3_000
QUOTE_TERMS = 4_000
QUOTE_REFERENCE = 4_000
EMAILS_A_DAY = 1_000
DEMO_EMAILS_A_DAY = 0
HISTORY_DETAILS = 2_500
ATTACHMENTS = 10
ATTACHMENT_BYTES = {"10_mb": 10_000_000, "25_mb": 25_000_000}
"""By variant."""
