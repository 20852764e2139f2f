"""The rules of invoices, credit notes, quotes, payments, allocations and notes: what is known, from where, what is not.

Marks as in `rules.py`. An assumed rule's first variant is the default and asks more of a client; the two where Xero's
leniency is the likelier truth say so in their text.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Rule

_DOCS = "Xero developer docs"
_SPEC = "Xero OpenAPI 16.1.0"
_RECORDED = "recorded traffic"
_THREADS = "public issue threads"


def _documented(name: str, text: str, source: str = _DOCS) -> Rule:
    return Rule(f"xero.{name}", text, "documented", source)


def _recorded(name: str, text: str, source: str = _RECORDED) -> Rule:
    return Rule(f"xero.{name}", text, "recorded", source)


def _assumed(name: str, text: str, variants: tuple[str, ...], source: str = "inference") -> Rule:
    return Rule(f"xero.{name}", text, "assumed", source, variants)


_LINES = (
    _documented(
        "lines.amount", "LineAmount is Quantity x UnitAmount less the discount, rounded to 2 decimals"
    ),
    _documented("lines.unitdp", "UnitAmount is rounded to 2 decimals, to 4 with unitdp=4"),
    _documented(
        "lines.tax", "Tax is rounded to 2 decimals line by line, then added up", "Xero: Rounding in Xero"
    ),
    _documented(
        "lines.tax_default", "A line without TaxType takes its account's; TaxAmount overrides the sum"
    ),
    _recorded(
        "lines.mismatch",
        "A LineAmount that is not Quantity x UnitAmount: `The line total … does not match`",
        _THREADS,
    ),
    _recorded("lines.item", "An unknown ItemCode: `Item code '…' is not valid`", _THREADS),
    _documented(
        "lines.item_defaults",
        "An item fills in description, price, account and tax that the line does not give",
    ),
    _recorded(
        "lines.account",
        "Approved with an account that does not exist, is archived or cannot be used: refused",
        _THREADS,
    ),
    _documented("lines.account_draft", "A draft drops such an account with a warning", _SPEC),
    _recorded("lines.account_missing", "Approved without account or tax type: refused", _THREADS),
    _recorded(
        "lines.tax_type", "A TaxType that does not exist, or not for the account's class: refused", _THREADS
    ),
    _documented(
        "lines.discount", "DiscountRate on sales invoices and quotes alone (the text is the sandbox's)"
    ),
    _documented(
        "lines.limits",
        "Description 4,000, Quantity 13 characters, 2 tracking categories (texts are the sandbox's)",
    ),
    _documented(
        "lines.update",
        "A line with LineItemID is updated, without it is new; a line that is not sent is gone",
    ),
    _assumed(
        "lines.unknown_line_id",
        "A LineItemID that is none of the document's lines is refused, or makes a new line",
        ("refused", "new_line"),
    ),
    _assumed(
        "lines.unknown_tracking",
        "A tracking category or option that does not exist is refused, or left out",
        ("refused", "ignored"),
    ),
    _assumed("lines.description", "Whether a draft's line needs a description", ("required", "optional")),
    _assumed("quotes.unit_places", "To how many decimals a quote rounds UnitAmount", ("2", "4"), _SPEC),
)

_DOCUMENTS = (
    _recorded(
        "documents.required",
        "Missing lines, contact, or a status that cannot be created: all named at once",
        _THREADS,
    ),
    _documented(
        "documents.defaults", "DRAFT, Exclusive, today in the organisation's time zone, the base currency"
    ),
    _documented("documents.due_date", "An approved invoice has a DueDate"),
    _documented("documents.totals", "Total is SubTotal + TotalTax; SubTotal never holds tax"),
    _recorded(
        "documents.wrong_total",
        "Sent totals that the lines do not make: `The invoice total does not equal …`",
        _THREADS,
    ),
    _documented(
        "documents.currency", "A currency must be enabled: `Organisation is not subscribed to currency …`"
    ),
    _documented(
        "documents.currency_rate",
        "Without CurrencyRate the day rate holds (the sandbox's day rates stand still)",
    ),
    _documented(
        "invoices.unique_number",
        "An ACCREC number is unique: `Invoice # must be unique.`; ACCPAY numbers are not",
        _SPEC,
    ),
    _documented(
        "invoices.series",
        "A sales invoice without number takes the next free one of the organisation's series",
    ),
    _documented("documents.put_creates", "PUT never updates"),
    _documented(
        "documents.status",
        "DRAFT, SUBMITTED, AUTHORISED, PAID by payments alone, VOIDED, DELETED; which may follow which",
    ),
    _recorded(
        "documents.wrong_status",
        "A status that may not follow: `Invoice not of valid status for modification`",
    ),
    _recorded("documents.voided_due", "A voided invoice still shows its total as AmountDue"),
    _documented(
        "documents.paid",
        "With payments or credits a bill is fixed; of a sales invoice some fields may change",
    ),
    _recorded("documents.paid_texts", "The texts of what is refused on a paid document", _THREADS),
    _recorded("documents.archived_contact", "No new document for an archived contact", _THREADS),
    _recorded(
        "documents.unknown_contact",
        "An unknown ContactID answers 404 for the whole request",
        "a public fake's notes",
    ),
    _documented("documents.inline_contact", "A contact given by number or name is found, or made"),
    _recorded("invoices.views", "Key sets differ: write, single, page, list, summaryOnly, ERROR element"),
    _recorded("invoices.bills", "Bills have no Reference, SentToContact or BrandingThemeID"),
    _recorded("locks.end_of_year", "No document dated on or before the end of year lock date", _THREADS),
    _assumed(
        "locks.period",
        "Whether the period lock date binds the token's user, or an adviser's token passes it",
        ("enforced", "adviser_passes"),
        "Xero's help pages",
    ),
    _assumed(
        "documents.contact_fields",
        "Contact fields beside a ContactID change the contact and remove people that are not sent, or nothing",
        ("update_contact", "ignored"),
        "third parties quoting the docs",
    ),
    _assumed(
        "documents.post_by_number",
        "POST without id but with a number that exists changes that document, or is refused as a duplicate",
        ("updates", "refused"),
        _THREADS,
    ),
    _assumed(
        "documents.number_reuse",
        "Whether the number of a voided or deleted document stays taken",
        ("taken", "free"),
        _THREADS,
    ),
    _assumed(
        "documents.submitted_is_complete",
        "Whether SUBMITTED needs accounts and a due date as AUTHORISED does",
        ("required", "lenient"),
    ),
    _assumed("documents.negative_total", "A document with a total below zero", ("refused", "accepted")),
    _assumed(
        "invoices.zero_total",
        "An approved invoice over 0.00 is PAID at once, or stays AUTHORISED",
        ("paid", "authorised"),
    ),
    _assumed(
        "invoices.due_before_date",
        "A DueDate before the Date; accepted by default, because requests with one were refused for other reasons only",
        ("accepted", "refused"),
        _THREADS,
    ),
)

_OTHERS = (
    _documented(
        "credit_notes.number", "A customer credit note's number is unique (the text is the sandbox's)"
    ),
    _recorded("credit_notes.id", "Answers carry the id twice: `CreditNoteID` and `ID`"),
    _documented("allocations.put", "Credit is applied by a call of its own, never while creating"),
    _documented(
        "allocations.limits", "Same contact and kind, within credit and amount due (texts are the sandbox's)"
    ),
    _documented(
        "allocations.delete",
        "DELETE opens both documents again and answers the one Allocation, which is IsDeleted, without an envelope",
        _SPEC,
    ),
    _recorded(
        "quotes.post",
        "A POST mints a number and clears Terms where they are left out; lines without id replace",
    ),
    _recorded(
        "quotes.wire",
        "No charset, SummarizeErrors in the envelope, dates without offset, no pagination block",
    ),
    _recorded("quotes.tax", "A quote line without TaxType has tax 0.0 and no TaxType"),
    _recorded(
        "quotes.case", "Enums are taken in either case and given in upper case", "a public fake's notes"
    ),
    _recorded("quotes.delete", "An accepted quote can be deleted"),
    _documented("payments.create", "PUT, or POST on the collection, makes payments; they are never changed"),
    _documented(
        "payments.delete",
        "POST of Status DELETED to one payment: `Only Status accepted for updates`",
        _THREADS,
    ),
    _documented("payments.authorised", "`Payments can only be made against Authorised documents`", _SPEC),
    _documented("payments.amount", "`Payment amount exceeds the amount outstanding on this document`", _SPEC),
    _documented(
        "payments.account", "A bank account or one that takes payments (the wrong-type text is third-party)"
    ),
    _documented("payments.positive", "Zero and below are refused (the text is third-party)"),
    _documented(
        "payments.settle",
        "A document with nothing due is PAID; taking a payment back makes it AUTHORISED again",
    ),
    _assumed(
        "payments.delete_stamps_document",
        "Whether taking a payment back moves the document's UpdatedDateUTC",
        ("not_stamped", "stamped"),
    ),
    _assumed(
        "payments.reference",
        "A long Reference is kept up to 255 characters and refused beyond, or cut at 118",
        ("kept", "truncated"),
        "a third party's assumption",
    ),
    _documented(
        "history.note", "A note of up to 2,500 characters by PUT (the length and the texts are the sandbox's)"
    ),
    _assumed(
        "history.note_stamps",
        "Whether a note moves the document's UpdatedDateUTC",
        ("stamped", "not_stamped"),
    ),
    _documented(
        "attachments.files",
        "The bytes by PUT or POST under a file's name, 10 files a record; the same name again takes the other's place (texts "
        "are the sandbox's)",
    ),
    _assumed(
        "attachments.size",
        "How much one file may hold",
        ("10_mb", "25_mb"),
        "Xero developer docs (25 MB) against third parties",
    ),
    _assumed(
        "attachments.stamps",
        "Whether a file moves the record's UpdatedDateUTC",
        ("not_stamped", "stamped"),
    ),
    _documented(
        "invoices.email", "Sales invoices, SUBMITTED and up; 1,000 e-mails a day, none in a demo company"
    ),
    _documented("invoices.online", "A draft has no online invoice"),
)

RULES: tuple[Rule, ...] = (*_LINES, *_DOCUMENTS, *_OTHERS)
