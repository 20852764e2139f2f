"""Every rule the Xero half keeps, where it is known from, and what else might be true.

`documented`: Xero's own material. `recorded`: recorded traffic of the real API. `assumed`: nobody outside Xero knows; the
first variant is the default, and the one that asks more of a client.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Rule
from ikaroa_sandbox.xero.document_rules import RULES as DOCUMENT_RULES

_DOCS = "Xero developer docs"
_SPEC = "Xero OpenAPI 16.1.0"
_RECORDED = "recorded traffic"
_THREADS = "public issue threads"
_PROBE = "a third party's probe of the live API"


def _documented(name: str, text: str, source: str = _DOCS) -> Rule:
    return Rule(f"xero.{name}", text, "documented", source)


def _recorded(name: str, text: str) -> Rule:
    return Rule(f"xero.{name}", text, "recorded", _RECORDED)


def _assumed(name: str, text: str, variants: tuple[str, ...], source: str = "inference") -> Rule:
    return Rule(f"xero.{name}", text, "assumed", source, variants)


_TOKENS = (
    _documented("token.life", "An access token lives 1,800 seconds; an expired one answers 401 TokenExpired"),
    _documented(
        "token.grants",
        "client_credentials, refresh_token and authorization_code with PKCE; Basic or body credentials",
    ),
    _documented("token.rotation", "Each refresh gives a new refresh token; unused ones end after 60 days"),
    _assumed(
        "token.refresh_grace",
        "A refresh token that was just replaced can be used again for a while",
        ("none", "thirty_minutes"),
        "Xero staff, older threads",
    ),
    _assumed(
        "token.client_credentials_offline",
        "client_credentials asking for offline_access is refused with invalid_scope, or the scope is left out",
        ("refused", "ignored"),
    ),
    _documented(
        "token.tenant_header",
        "xero-tenant-id is required, except for a custom connection; an unknown tenant answers 403",
    ),
    _assumed(
        "token.missing_scope",
        "A missing scope answers 401; how its WWW-Authenticate header spells it",
        ("insufficent_scope", "insufficient_scope"),
        "Xero developer FAQ (misspelt there)",
    ),
    _documented(
        "scopes.granular", "Broad and granular scopes; an app made since March 2026 has granular ones alone"
    ),
    _assumed(
        "scopes.items",
        "Which scopes open /Items",
        ("settings", "settings_or_invoices"),
        "Xero OpenAPI 16.1.0 against the scopes page",
    ),
)

_LIMITS = (
    _documented(
        "limits.minute", "60 calls a minute for each tenant, in a fixed window with a turn of its own"
    ),
    _documented(
        "limits.day", "5,000 calls a day for each tenant, 1,000 on the starter tier, in a fixed window"
    ),
    _documented("limits.concurrent", "5 requests at once for each tenant; its 429 has no Retry-After"),
    _documented("limits.app_minute", "10,000 calls a minute for an app over all tenants"),
    _recorded(
        "limits.answer",
        "A 429 has an empty body, X-Rate-Limit-Problem, Retry-After and what is left of the limits",
    ),
    _assumed(
        "limits.refused_counts",
        "Whether a call refused with 429 uses up a call of the day",
        ("counted", "not_counted"),
    ),
    _documented("limits.body", "A request body is at most 3.5 MB"),
    _assumed("limits.body_status", "What a body over the limit answers", ("413", "400")),
    _documented(
        "limits.high_volume", "An unpaged or unoptimised list that matches over 100,000 records answers 400"
    ),
)

_REQUESTS = (
    _documented(
        "idempotency", "A key of up to 128 characters, for PUT and POST, lives 6 minutes from its first call"
    ),
    _documented("idempotency.mismatch", "A living key with another URL, body or method answers 400"),
    _documented("idempotency.errors", "Refusals and internal errors are kept under the key and given again"),
    _assumed(
        "idempotency.parallel",
        "A duplicate that arrives while the first is being served is carried out too, or waits for its answer",
        ("runs", "waits"),
    ),
    _recorded(
        "write.summarise", "Without summarizeErrors=false one refused element makes the answer a 400 for all"
    ),
    _assumed(
        "write.summarised_400",
        "Whether such a 400 has saved the good elements",
        ("nothing_saved", "valid_saved"),
    ),
    _recorded(
        "write.statuses", "summarizeErrors=false answers 200 with a StatusAttributeString on every element"
    ),
    _recorded(
        "write.error_echo",
        "An ERROR element repeats what was asked for, not what is stored; a failed create has the zero GUID",
    ),
    _recorded("write.no_status", "Without the parameter a successful element has no StatusAttributeString"),
    _documented("write.one", "POST to one record knows no summarizeErrors", _SPEC),
    Rule(
        "xero.write.bad_value",
        "A value that cannot be read answers 400 PostDataInvalidException",
        "documented",
        _THREADS,
    ),
    Rule(
        "xero.write.nothing",
        "A body without elements answers 400 NoDataProcessedException",
        "documented",
        _THREADS,
    ),
    _recorded("read.not_found", "An unknown record answers 404 with text/html"),
    _documented(
        "read.paging", "100 records a page, pageSize up to 1,000 (more is cut to it), with a pagination block"
    ),
    _documented("read.order", "Lists come by UpdatedDateUTC and id unless `order` says otherwise"),
    _assumed(
        "read.if_modified_since",
        "Whether a record changed at the very moment of If-Modified-Since is listed",
        ("exclusive", "inclusive"),
    ),
    _assumed(
        "read.query_too_long",
        "What a query string over 2,048 characters answers",
        ("414", "400", "404"),
        _THREADS,
    ),
    _documented(
        "where.syntax", "==, =, !=, <, >, AND, OR, Guid(), DateTime(), Contains, StartsWith, EndsWith, null"
    ),
    _recorded("where.errors", "A where that is not understood answers 400 QueryParseException, number 16"),
    _recorded("where.contact_names", "Contact names compare without case and accents"),
    _assumed("where.other_texts", "How other texts compare", ("insensitive", "sensitive")),
    _assumed(
        "where.missing_text",
        "Contains and its kin on a record that has no such value, without a null check before it",
        ("error_500", "no_match"),
        "a report of 2017",
    ),
)

_CONTACTS = (
    _recorded("contacts.name_unique", "A contact name is unique across active contacts"),
    _assumed(
        "contacts.name_uniqueness",
        "Which names count as the same",
        ("without_case_and_accents", "without_case", "exact"),
    ),
    Rule(
        "xero.contacts.number_unique",
        "A contact number is unique across all contacts, archived ones included",
        "documented",
        _PROBE,
    ),
    _recorded("contacts.archived", "An archived contact cannot be edited, nor be brought back"),
    _assumed(
        "contacts.archive_open",
        "Whether a contact with open invoices can be archived by the API",
        ("refused", "accepted"),
    ),
    _assumed(
        "contacts.post_known_name",
        "A POST with only the name of an active contact changes that contact, or is refused",
        ("overwrites", "refused"),
        _PROBE,
    ),
    _assumed(
        "contacts.post_new_number_known_name",
        "A POST with an unknown number and the name of an active contact changes that contact, or is refused",
        ("overwrites", "refused"),
    ),
    _assumed(
        "contacts.name_spaces",
        "Leading, trailing or double spaces in a name",
        ("refused", "trimmed"),
        "third parties quoting the docs",
    ),
    _assumed(
        "contacts.name_length",
        "A name of more than 255 characters",
        ("refused", "accepted"),
        "docs against issue threads",
    ),
    _documented(
        "contacts.lengths",
        "Lengths of contact fields, addresses and phones (the texts are the sandbox's)",
        _SPEC,
    ),
    _documented("contacts.email", "Email address must be valid; no umlauts", _SPEC),
    _documented("contacts.five_persons", "At most 5 contact persons (the text is the sandbox's)"),
    _assumed(
        "contacts.persons",
        "ContactPersons of a write replace those there were, or are added",
        ("replaced", "added"),
    ),
    _assumed(
        "contacts.slot_fields",
        "An address or phone that is sent replaces its slot, or is merged into it",
        ("replaced", "merged"),
    ),
    _recorded(
        "contacts.slots", "Addresses and phones are fixed slots by type; a slot that is not sent stays"
    ),
    _recorded(
        "contacts.is_customer", "IsCustomer and IsSupplier are read only and follow the first document"
    ),
    _documented(
        "contacts.groups",
        "Groups have a unique name and contacts, added by PUT and taken out by DELETE; a deleted one is not listed (the texts "
        "are the sandbox's)",
    ),
    Rule(
        "xero.contacts.unknown_id",
        "An unknown ContactID in a write answers 404 for the whole request",
        "documented",
        "a public fake's notes",
    ),
)

_SETTINGS = (
    _documented("items.code", "Item codes are unique; POST updates by Code", _SPEC),
    _documented(
        "items.lengths", "Code 30, Name 50, Description 4,000 characters (the texts are the sandbox's)", _SPEC
    ),
    _documented("items.details", "IsSold and IsPurchased false clear the details of their side", _SPEC),
    Rule(
        "xero.accounts.one",
        "Accounts are written one at a time; a longer body is cut to its first",
        "documented",
        _THREADS,
    ),
    _recorded("organisation.locks", "Lock dates stand in the organisation only when they are set"),
)

RULES: tuple[Rule, ...] = (*_TOKENS, *_LIMITS, *_REQUESTS, *_CONTACTS, *_SETTINGS, *DOCUMENT_RULES)
