"""The rules of invoices, credit notes, quotes, payments, allocations and notes: what is known, from where, what is not.

Marks as in `rules.py`. An assumed rule's first variant is the default and asks more of a client; the two where Xero's
leniency is the likelier truth say so in their text.
"""

from __future__ import annotations

from ikaroa_sandbox.core import Rule
from ikaroa_sandbox.xero.sources import SPEC, THREADS, assumed, documented, recorded

_LINES = (
    documented(
        "lines.amount", "LineAmount is Quantity x UnitAmount less the discount, rounded to 2 decimals"
    ),
    documented("lines.unitdp", "UnitAmount is rounded to 2 decimals, to 4 with unitdp=4"),
    documented(
        "lines.tax", "Tax is rounded to 2 decimals line by line, then added up", "Xero: Rounding in Xero"
    ),
    documented(
        "lines.tax_default", "A line without TaxType takes its account's; TaxAmount overrides the sum"
    ),
    recorded(
        "lines.mismatch",
        "A LineAmount that is not Quantity x UnitAmount: `The line total … does not match`",
        THREADS,
    ),
    recorded("lines.item", "An unknown ItemCode: `Item code '…' is not valid`", THREADS),
    documented(
        "lines.item_defaults",
        "An item fills in description, price, account and tax that the line does not give",
    ),
    recorded(
        "lines.account",
        "Approved with an account that does not exist, is archived or cannot be used: refused",
        THREADS,
    ),
    documented("lines.account_draft", "A draft drops such an account with a warning", SPEC),
    recorded("lines.account_missing", "Approved without account or tax type: refused", THREADS),
    recorded(
        "lines.tax_type", "A TaxType that does not exist, or not for the account's class: refused", THREADS
    ),
    documented(
        "lines.discount", "DiscountRate on sales invoices and quotes alone (the text is the sandbox's)"
    ),
    documented(
        "lines.limits",
        "Description 4,000, Quantity 13 characters, 2 tracking categories (texts are the sandbox's)",
    ),
    documented(
        "lines.update",
        "A line with LineItemID is updated, without it is new; a line that is not sent is gone",
    ),
    assumed(
        "lines.unknown_line_id",
        "A LineItemID that is none of the document's lines is refused, or makes a new line",
        ("refused", "new_line"),
    ),
    assumed(
        "lines.unknown_tracking",
        "A tracking category or option that does not exist is refused, or left out",
        ("refused", "ignored"),
    ),
    assumed("lines.description", "Whether a draft's line needs a description", ("required", "optional")),
    assumed("quotes.unit_places", "To how many decimals a quote rounds UnitAmount", ("2", "4"), SPEC),
)

_DOCUMENTS = (
    recorded(
        "documents.required",
        "Missing lines, contact, or a status that cannot be created: all named at once",
        THREADS,
    ),
    documented(
        "documents.defaults", "DRAFT, Exclusive, today in the organisation's time zone, the base currency"
    ),
    documented("documents.due_date", "An approved invoice has a DueDate"),
    documented("documents.totals", "Total is SubTotal + TotalTax; SubTotal never holds tax"),
    recorded(
        "documents.wrong_total",
        "Sent totals that the lines do not make: `The invoice total does not equal …`",
        THREADS,
    ),
    documented(
        "documents.currency", "A currency must be enabled: `Organisation is not subscribed to currency …`"
    ),
    documented(
        "documents.currency_rate",
        "Without CurrencyRate the day rate holds (the sandbox's day rates stand still)",
    ),
    documented(
        "invoices.unique_number",
        "An ACCREC number is unique: `Invoice # must be unique.`; ACCPAY numbers are not",
        SPEC,
    ),
    documented(
        "invoices.series",
        "A sales invoice without number takes the next free one of the organisation's series",
    ),
    documented("documents.put_creates", "PUT never updates"),
    documented(
        "documents.status",
        "DRAFT, SUBMITTED, AUTHORISED, PAID by payments alone, VOIDED, DELETED; which may follow which",
    ),
    recorded(
        "documents.wrong_status",
        "A status that may not follow: `Invoice not of valid status for modification`",
    ),
    recorded("documents.voided_due", "A voided invoice still shows its total as AmountDue"),
    documented(
        "documents.paid",
        "With payments or credits a bill is fixed; of a sales invoice some fields may change",
    ),
    recorded("documents.paid_texts", "The texts of what is refused on a paid document", THREADS),
    recorded("documents.archived_contact", "No new document for an archived contact", THREADS),
    recorded(
        "documents.unknown_contact",
        "An unknown ContactID answers 404 for the whole request",
        "a public fake's notes",
    ),
    documented("documents.inline_contact", "A contact given by number or name is found, or made"),
    recorded("invoices.views", "Key sets differ: write, single, page, list, summaryOnly, ERROR element"),
    recorded("invoices.bills", "Bills have no Reference, SentToContact or BrandingThemeID"),
    recorded("locks.end_of_year", "No document dated on or before the end of year lock date", THREADS),
    assumed(
        "locks.period",
        "Whether the period lock date binds the token's user, or an adviser's token passes it",
        ("enforced", "adviser_passes"),
        "Xero's help pages",
    ),
    assumed(
        "documents.contact_fields",
        "Contact fields beside a ContactID change the contact and remove people that are not sent, or nothing",
        ("update_contact", "ignored"),
        "third parties quoting the docs",
    ),
    assumed(
        "documents.post_by_number",
        "POST without id but with a number that exists changes that document, or is refused as a duplicate",
        ("updates", "refused"),
        THREADS,
    ),
    assumed(
        "documents.number_reuse",
        "Whether the number of a voided or deleted document stays taken",
        ("taken", "free"),
        THREADS,
    ),
    assumed(
        "documents.submitted_is_complete",
        "Whether SUBMITTED needs accounts and a due date as AUTHORISED does",
        ("required", "lenient"),
    ),
    assumed("documents.negative_total", "A document with a total below zero", ("refused", "accepted")),
    assumed(
        "invoices.zero_total",
        "An approved invoice over 0.00 is PAID at once, or stays AUTHORISED",
        ("paid", "authorised"),
    ),
    assumed(
        "invoices.due_before_date",
        "A DueDate before the Date; accepted by default, because requests with one were refused for other reasons only",
        ("accepted", "refused"),
        THREADS,
    ),
)

_OTHERS = (
    documented(
        "credit_notes.number", "A customer credit note's number is unique (the text is the sandbox's)"
    ),
    recorded("credit_notes.id", "Answers carry the id twice: `CreditNoteID` and `ID`"),
    documented("allocations.put", "Credit is applied by a call of its own, never while creating"),
    documented(
        "allocations.limits", "Same contact and kind, within credit and amount due (texts are the sandbox's)"
    ),
    documented(
        "allocations.delete",
        "DELETE opens both documents again and answers the one Allocation, which is IsDeleted, without an envelope",
        SPEC,
    ),
    recorded(
        "quotes.post",
        "A POST mints a number and clears Terms where they are left out; lines without id replace",
    ),
    recorded(
        "quotes.wire",
        "No charset, SummarizeErrors in the envelope, dates without offset, no pagination block",
    ),
    recorded("quotes.tax", "A quote line without TaxType has tax 0.0 and no TaxType"),
    recorded(
        "quotes.case", "Enums are taken in either case and given in upper case", "a public fake's notes"
    ),
    recorded("quotes.delete", "An accepted quote can be deleted"),
    documented("payments.create", "PUT, or POST on the collection, makes payments; they are never changed"),
    documented(
        "payments.delete",
        "POST of Status DELETED to one payment: `Only Status accepted for updates`",
        THREADS,
    ),
    documented("payments.authorised", "`Payments can only be made against Authorised documents`", SPEC),
    documented("payments.amount", "`Payment amount exceeds the amount outstanding on this document`", SPEC),
    documented(
        "payments.account", "A bank account or one that takes payments (the wrong-type text is third-party)"
    ),
    documented("payments.positive", "Zero and below are refused (the text is third-party)"),
    documented(
        "payments.settle",
        "A document with nothing due is PAID; taking a payment back makes it AUTHORISED again",
    ),
    assumed(
        "payments.delete_stamps_document",
        "Whether taking a payment back moves the document's UpdatedDateUTC",
        ("not_stamped", "stamped"),
    ),
    assumed(
        "payments.reference",
        "A long Reference is kept up to 255 characters and refused beyond, or cut at 118",
        ("kept", "truncated"),
        "a third party's assumption",
    ),
    documented(
        "history.note", "A note of up to 2,500 characters by PUT (the length and the texts are the sandbox's)"
    ),
    assumed(
        "history.note_stamps",
        "Whether a note moves the document's UpdatedDateUTC",
        ("stamped", "not_stamped"),
    ),
    documented(
        "attachments.files",
        "The bytes by PUT or POST under a file's name, 10 files a record; the same name again takes the other's place (texts "
        "are the sandbox's)",
    ),
    assumed(
        "attachments.size",
        "How much one file may hold",
        ("10_mb", "25_mb"),
        "Xero developer docs (25 MB) against third parties",
    ),
    assumed(
        "attachments.stamps",
        "Whether a file moves the record's UpdatedDateUTC",
        ("not_stamped", "stamped"),
    ),
    documented(
        "invoices.email", "Sales invoices, SUBMITTED and up; 1,000 e-mails a day, none in a demo company"
    ),
    documented("invoices.online", "A draft has no online invoice"),
)

RULES: tuple[Rule, ...] = (*_LINES, *_DOCUMENTS, *_OTHERS)
