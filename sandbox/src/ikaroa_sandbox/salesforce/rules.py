"""Every rule of Salesforce that the sandbox keeps, how sure we are of it, and what else it could be."""

from __future__ import annotations

from ikaroa_sandbox.core import Rule

_REST = "Salesforce REST docs"
_SOQL = "Salesforce SOQL docs"
_OBJECTS = "Salesforce object reference"


def _documented(name: str, text: str, source: str = _REST) -> Rule:
    return Rule(f"salesforce.{name}", text, "documented", source)


def _recorded(name: str, text: str, source: str) -> Rule:
    return Rule(f"salesforce.{name}", text, "recorded", source)


def _assumed(name: str, text: str, source: str, *variants: str) -> Rule:
    return Rule(f"salesforce.{name}", text, "assumed", source, variants)


RULES: tuple[Rule, ...] = (
    _assumed(
        "stamp_granularity",
        "CreatedDate, LastModifiedDate and SystemModstamp are cut to the second, so that rows tie",
        "stored examples all end in .000",
        "second",
        "millisecond",
    ),
    _assumed(
        "line_edit_stamps_opportunity",
        "A line edit that leaves Amount as it is does not move the Opportunity's SystemModstamp",
        "not documented; edits that change Amount do move it",
        "unstamped",
        "stamped",
    ),
    _assumed(
        "last_line_removed",
        "An Opportunity whose last line is deleted keeps its Amount",
        "not documented",
        "amount_kept",
        "amount_zero",
    ),
    _assumed(
        "cleared_lookup_stamps",
        "A lookup that is cleared because its target was deleted does not move the row's SystemModstamp",
        "not documented",
        "unstamped",
        "stamped",
    ),
    _assumed(
        "child_page",
        "A child set in a query answer longer than 200 rows is continued under a locator of its own",
        "that it pages separately is documented, the size is not",
        "200_rows",
        "whole_batch",
    ),
    _assumed(
        "row_order",
        "Rows that no ORDER BY orders come newest id first",
        "the order is documented as unspecified",
        "descending",
        "ascending",
    ),
    _assumed(
        "number_text",
        "Numbers from ten million on are written with an exponent (1.2E7), as a double prints",
        "public reports of 9.9213206E7 in API answers; Salesforce help 000385889",
        "scientific",
        "plain",
    ),
)
