"""Every rule the Xero half keeps, where it is known from, and what else might be true.

`documented`: Xero's own material. `recorded`: recorded traffic of the real API. `assumed`: nobody outside Xero knows; the
first variant is the default, and the one that asks more of a client.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Rule
from ikaroa_sandbox.xero.rules_of_documents import RULES as DOCUMENT_RULES
from ikaroa_sandbox.xero.sources import PROBE, SPEC, THREADS, assumed, documented, recorded

_TOKENS = (
    documented("token.life", "An access token lives 1,800 seconds; an expired one answers 401 TokenExpired"),
    documented(
        "token.grants",
        "client_credentials, refresh_token and authorization_code with PKCE; Basic or body credentials",
    ),
    documented("token.rotation", "Each refresh gives a new refresh token; unused ones end after 60 days"),
    assumed(
        "token.refresh_grace",
        "A refresh token that was just replaced can be used again for a while",
        ("none", "thirty_minutes"),
        "Xero staff, older threads",
    ),
    assumed(
        "token.client_credentials_offline",
        "client_credentials asking for offline_access is refused with invalid_scope, or the scope is left out",
        ("refused", "ignored"),
    ),
    documented(
        "token.tenant_header",
        "xero-tenant-id is required, except for a custom connection; an unknown tenant answers 403",
    ),
    assumed(
        "token.missing_scope",
        "A missing scope answers 401; how its WWW-Authenticate header spells it",
        ("insufficent_scope", "insufficient_scope"),
        "Xero developer FAQ (misspelt there)",
    ),
    documented(
        "scopes.granular", "Broad and granular scopes; an app made since March 2026 has granular ones alone"
    ),
    assumed(
        "scopes.items",
        "Which scopes open /Items",
        ("settings", "settings_or_invoices"),
        "Xero OpenAPI 16.1.0 against the scopes page",
    ),
)

_LIMITS = (
    documented(
        "limits.minute", "60 calls a minute for each tenant, in a fixed window with a turn of its own"
    ),
    documented(
        "limits.day", "5,000 calls a day for each tenant, 1,000 on the starter tier, in a fixed window"
    ),
    documented("limits.concurrent", "5 requests at once for each tenant; its 429 has no Retry-After"),
    documented("limits.app_minute", "10,000 calls a minute for an app over all tenants"),
    recorded(
        "limits.answer",
        "A 429 has an empty body, X-Rate-Limit-Problem, Retry-After and what is left of the limits",
    ),
    assumed(
        "limits.refused_counts",
        "Whether a call refused with 429 uses up a call of the day",
        ("counted", "not_counted"),
    ),
    documented("limits.body", "A request body is at most 3.5 MB"),
    assumed("limits.body_status", "What a body over the limit answers", ("413", "400")),
    documented(
        "limits.high_volume", "An unpaged or unoptimised list that matches over 100,000 records answers 400"
    ),
)

_REQUESTS = (
    documented(
        "idempotency", "A key of up to 128 characters, for PUT and POST, lives 6 minutes from its first call"
    ),
    documented("idempotency.mismatch", "A living key with another URL, body or method answers 400"),
    documented("idempotency.errors", "Refusals and internal errors are kept under the key and given again"),
    assumed(
        "idempotency.parallel",
        "A duplicate that arrives while the first is being served is carried out too, or waits for its answer",
        ("runs", "waits"),
    ),
    recorded(
        "write.summarise", "Without summarizeErrors=false one refused element makes the answer a 400 for all"
    ),
    assumed(
        "write.summarised_400",
        "Whether such a 400 has saved the good elements",
        ("nothing_saved", "valid_saved"),
    ),
    recorded(
        "write.statuses", "summarizeErrors=false answers 200 with a StatusAttributeString on every element"
    ),
    recorded(
        "write.error_echo",
        "An ERROR element repeats what was asked for, not what is stored; a failed create has the zero GUID",
    ),
    recorded("write.no_status", "Without the parameter a successful element has no StatusAttributeString"),
    documented(
        "write.xml",
        "A body may be XML: a list is an element with an element each; it is answered in JSON where that is accepted",
        "Xero developer docs",
    ),
    documented("write.one", "POST to one record knows no summarizeErrors", SPEC),
    documented(
        "write.bad_value", "A value that cannot be read answers 400 PostDataInvalidException", THREADS
    ),
    documented("write.nothing", "A body without elements answers 400 NoDataProcessedException", THREADS),
    recorded("read.not_found", "An unknown record answers 404 with text/html"),
    documented(
        "read.paging", "100 records a page, pageSize up to 1,000 (more is cut to it), with a pagination block"
    ),
    documented("read.order", "Lists come by UpdatedDateUTC and id unless `order` says otherwise"),
    assumed(
        "read.if_modified_since",
        "Whether a record changed at the very moment of If-Modified-Since is listed",
        ("exclusive", "inclusive"),
    ),
    assumed(
        "read.query_too_long",
        "What a query string over 2,048 characters answers",
        ("414", "400", "404"),
        THREADS,
    ),
    documented(
        "where.syntax", "==, =, !=, <, >, AND, OR, Guid(), DateTime(), Contains, StartsWith, EndsWith, null"
    ),
    recorded("where.errors", "A where that is not understood answers 400 QueryParseException, number 16"),
    recorded("where.contact_names", "Contact names compare without case and accents"),
    assumed("where.other_texts", "How other texts compare", ("insensitive", "sensitive")),
    assumed(
        "where.missing_text",
        "Contains and its kin on a record that has no such value, without a null check before it",
        ("error_500", "no_match"),
        "a report of 2017",
    ),
)

_CONTACTS = (
    recorded("contacts.name_unique", "A contact name is unique across active contacts"),
    assumed(
        "contacts.name_uniqueness",
        "Which names count as the same",
        ("without_case_and_accents", "without_case", "exact"),
    ),
    documented(
        "contacts.number_unique",
        "A contact number is unique across all contacts, archived ones included",
        PROBE,
    ),
    recorded("contacts.archived", "An archived contact cannot be edited, nor be brought back"),
    assumed(
        "contacts.archive_open",
        "Whether a contact with open invoices can be archived by the API",
        ("refused", "accepted"),
    ),
    assumed(
        "contacts.post_known_name",
        "A POST with only the name of an active contact changes that contact, or is refused",
        ("overwrites", "refused"),
        PROBE,
    ),
    assumed(
        "contacts.post_new_number_known_name",
        "A POST with an unknown number and the name of an active contact changes that contact, or is refused",
        ("overwrites", "refused"),
    ),
    assumed(
        "contacts.name_spaces",
        "Leading, trailing or double spaces in a name",
        ("refused", "trimmed"),
        "third parties quoting the docs",
    ),
    assumed(
        "contacts.name_length",
        "A name of more than 255 characters",
        ("refused", "accepted"),
        "docs against issue threads",
    ),
    documented(
        "contacts.lengths",
        "Lengths of contact fields, addresses and phones (the texts are the sandbox's)",
        SPEC,
    ),
    documented("contacts.email", "Email address must be valid; no umlauts", SPEC),
    documented("contacts.five_persons", "At most 5 contact persons (the text is the sandbox's)"),
    assumed(
        "contacts.persons",
        "ContactPersons of a write replace those there were, or are added",
        ("replaced", "added"),
    ),
    assumed(
        "contacts.slot_fields",
        "An address or phone that is sent replaces its slot, or is merged into it",
        ("replaced", "merged"),
    ),
    recorded("contacts.slots", "Addresses and phones are fixed slots by type; a slot that is not sent stays"),
    recorded("contacts.is_customer", "IsCustomer and IsSupplier are read only and follow the first document"),
    documented(
        "contacts.groups",
        "Groups have a unique name and contacts, added by PUT and taken out by DELETE; a deleted one is not listed (the texts "
        "are the sandbox's)",
    ),
    documented(
        "contacts.unknown_id",
        "An unknown ContactID in a write answers 404 for the whole request",
        "a public fake's notes",
    ),
)

_SETTINGS = (
    documented("items.code", "Item codes are unique; POST updates by Code", SPEC),
    documented(
        "items.lengths", "Code 30, Name 50, Description 4,000 characters (the texts are the sandbox's)", SPEC
    ),
    documented("items.details", "IsSold and IsPurchased false clear the details of their side", SPEC),
    documented(
        "accounts.one", "Accounts are written one at a time; a longer body is cut to its first", THREADS
    ),
    recorded("organisation.locks", "Lock dates stand in the organisation only when they are set"),
)

RULES: tuple[Rule, ...] = (*_TOKENS, *_LIMITS, *_REQUESTS, *_CONTACTS, *_SETTINGS, *DOCUMENT_RULES)
