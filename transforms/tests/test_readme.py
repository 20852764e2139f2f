"""The README's tables and examples are what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from crm_to_xero import documents, errors, load_mapping, tables, yamlfile
from crm_to_xero.check import main
from crm_to_xero.expressions import Vocabulary, compile_expression
from crm_to_xero.functions import ENTRIES, Entry
from crm_to_xero.loader import build
from crm_to_xero.scope import Scope

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_it_lists_the_functions_as_they_are() -> None:
    assert tables.functions_table() in README


def test_it_lists_the_options_of_the_salesforce_mapping_as_they_are() -> None:
    assert tables.options_table(load_mapping("salesforce")) in README


def test_its_mapping_file_works() -> None:
    text = next(
        block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith("mapping:")
    )
    mapping = build(yamlfile.parse(text, "README.md"), "README.md", None)
    (document,) = mapping.documents(
        "Deal",
        {
            "Id": "D1",
            "Status": "won",
            "CustomerId": "C1",
            "Title": "  Big   deal ",
            "Total": 12,
            "Day": "2026-11-02",
        },
    )
    assert document.body["DueDate"] == "2026-12-02"
    assert mapping.documents("Deal", {"Id": "D1", "Status": "open"})[0].body == {
        "source_key": "D1",
        "withdrawn": True,
    }


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_functions_documented_example_is_true(entry: Entry) -> None:
    assert entry.summary.endswith(".")
    source, _, expected = entry.example.partition(" -> ")
    found = compile_expression(source, Vocabulary({}))(Scope({}, {}))
    namespace: dict[str, Any] = {"Decimal": __import__("decimal").Decimal}
    wanted = eval(expected, namespace)  # the documentation's own text
    assert (found, repr(found)) == (wanted, repr(wanted))


def test_every_error_is_in_the_tree() -> None:
    for name in errors.__all__:
        if name != "nearest":
            assert name in (errors.__doc__ or "")


def test_the_order_of_the_documents_is_the_order_in_which_xero_needs_them() -> None:
    assert list(documents.DOCUMENTS) == [
        "contacts",
        "items",
        "quotes",
        "invoices",
        "credit_notes",
        "payments",
    ]


def test_its_examples_hold_and_leave_nothing_to_note(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    for start, name in (("mapping:", "acme.yml"), ("examples:", "acme.examples.yml")):
        (tmp_path / name).write_text(next(b for b in blocks if b.startswith(start)), encoding="utf-8")
    checked = CliRunner().invoke(main, [str(tmp_path / "acme.yml"), "--strict"])
    assert checked.exit_code == 0, checked.output
    assert "2 hold, 0 do not; 0 notes" in checked.output
