"""A text that is escaped as Salesforce documents comes through a query as it was, whatever it holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ikaroa_sandbox.salesforce.errors import SalesforceError
from ikaroa_sandbox.salesforce.soql import ast
from ikaroa_sandbox.salesforce.soql.lexer import unescape
from ikaroa_sandbox.salesforce.soql.parser import parse

ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
    '"': '\\"',
}
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60)


def escaped(text: str) -> str:
    return "".join(ESCAPES.get(char, char) for char in text)


def outcome(soql: str) -> int:
    try:
        parse(soql)
    except SalesforceError as error:
        return error.status
    return 200


def literal(soql: str) -> ast.Literal:
    tree = parse(soql)
    assert isinstance(tree.where, ast.Comparison)
    return tree.where.right


@given(TEXT)
def test_an_escaped_text_is_one_literal_with_its_own_characters(text: str) -> None:
    soql = f"SELECT Id FROM Account WHERE Name = '{escaped(text)}'"
    found = literal(soql)
    assert found.kind == "string"
    assert unescape(found.text, soql, found.position) == text


@given(TEXT)
@settings(max_examples=60)
def test_an_escaped_text_can_end_no_literal_and_start_no_clause(text: str) -> None:
    tree = parse(f"SELECT Id FROM Account WHERE Name = '{escaped(text)}' LIMIT 1")
    assert tree.limit == 1
    assert isinstance(tree.where, ast.Comparison)


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused_and_nothing_else(text: str) -> None:
    assert outcome(text) in (200, 400)


@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT",
                "Id",
                ",",
                "(",
                ")",
                "FROM",
                "Account",
                "WHERE",
                "Name",
                "=",
                "'x'",
                "AND",
                "OR",
                "NOT",
                "IN",
                "LIKE",
                "null",
                "5",
                "ORDER",
                "BY",
            ]
        ),
        max_size=14,
    )
)
def test_any_row_of_words_is_parsed_or_refused(words: list[str]) -> None:
    assert outcome(" ".join(words)) in (200, 400)


def test_quoted_names_of_real_people_are_found(org) -> None:
    names = ["O'Brien & Söhne", 'The "Quoted" Co', "Back\\slash Ltd", "100% _Pure_", "emoji 🚀", "Zeile"]
    for name in names:
        org.make("Account", Name=name)
        assert org.column(f"SELECT Name FROM Account WHERE Name = '{escaped(name)}'") == [name]


def test_in_a_pattern_an_escaped_backslash_is_a_backslash(org) -> None:
    org.make("Account", Name="C:\\temp")
    org.make("Account", Name="C:temp")
    assert org.column("SELECT Name FROM Account WHERE Name LIKE 'C:\\\\\\\\%'") == []
    assert org.column("SELECT Name FROM Account WHERE Name LIKE 'C:\\\\%'") == ["C:\\temp"]
