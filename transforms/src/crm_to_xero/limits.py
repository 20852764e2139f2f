"""All numbers that bound what a mapping does. Xero's own field lengths are in the mapping files, where they are used."""

from __future__ import annotations

from typing import Final

EXPRESSION_LENGTH: Final = 2_000
"""Characters of one expression; longer ones belong into `let`, where they have a name."""

EXPRESSIONS_KEPT: Final = 1_000
"""Compiled expressions kept for the next time the same text comes: several times what the largest mapping has."""

FILE_BYTES: Final = 1_000_000
"""Size of a mapping file."""

NESTING: Final = 20
"""Depth of structures in a mapping file."""

LIST_ELEMENTS: Final = 5_000
"""Elements of one list in a document (lines of an invoice), and documents of one `split`."""

STRAIGHT_AFTER: Final = 100
"""Records with the same fields before code is written for them: it takes as long as some hundred records do without."""

STRAIGHT_KEPT: Final = 20
"""Sets of fields that code is written for, at most, of one stream: a tap's records have one, or a few."""

NAMES_KEPT: Final = 1_000
"""Names of countries, cities and the like whose letters are kept for the next time they come."""

SHOWN_VALUE: Final = 300
"""Characters of a value shown in a refusal."""

SOURCE_KEY: Final = 100
"""Characters of a document's `source_key` (the documents' schema says the same)."""

UNIT_DECIMALS: Final = 4
"""Decimal places of a quantity or unit price that Xero keeps (`unitdp=4`)."""

DISCOUNT_DECIMALS: Final = 2
"""Decimal places of a discount rate that are safe to send."""

TRACKING_CATEGORIES: Final = 2
"""Tracking categories that Xero allows on one line."""

INSTALMENTS: Final = 36
"""Parts one document may be split into."""

PAYMENT_DAYS: Final = 3_650
"""Days a payment term may run; more is a typing error."""
READ_BYTES = 64 * 1024
"""What a pipe holds."""
WRITE_BYTES = 256 * 1024
"""What is kept before it is written, where what was read at once comes to so much."""
