"""`crm-to-xero-check`: what a user runs on a mapping of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from crm_to_xero.check import main

MAPPING = """\
mapping: acme
source: Acme
options:
  days: {type: whole, default: 30, description: Days.}
streams:
  Deal:
    documents:
      - document: invoices
        rule: won
        when: Won
        refuse: [{rule: named, when: empty(Name), field: Reference, cure: Name it.}]
        fields: {source_key: Id, Reference: Name, DueDate: "add_days(Day, options.days)", source_label: Name}
"""
EXAMPLES = """\
examples:
  - name: a won deal
    shows: [won]
    options: {days: 1}
    stream: Deal
    record: {Id: "1", Won: true, Name: A, Day: 2026-11-02}
    gives:
      - invoices: {source_key: "1", Reference: A, DueDate: 2026-11-03}
  - name: a deal without a name
    shows: [named]
    stream: Deal
    record: {Id: "2", Won: true}
    gives:
      - invoices: {source_key: "2", refusals: [{rule: named}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.yml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "acme.examples.yml").write_text(EXAMPLES, encoding="utf-8")
    return tmp_path


def check(folder: Path, *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, [str(folder / "acme.yml"), *arguments], input=stdin)


def test_examples_that_hold_give_0(folder: Path) -> None:
    result = check(folder, "--strict")
    assert result.exit_code == 0, result.output
    assert "ok      a won deal" in result.output
    assert "2 examples, 2 hold, 0 do not; 0 notes." in result.output


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("DueDate: 2026-11-03", "DueDate: 2026-11-04", "invoices.DueDate: expected '2026-11-04', got '2026-11-03'"),
        (", DueDate: 2026-11-03", "", "invoices.DueDate: '2026-11-03' was not expected"),
        ('- invoices: {source_key: "1"', '- invoices: {source_key: "9"', "missing: invoices {source_key: '9'"),
        ('gives:\n      - invoices: {source_key: "2", refusals: [{rule: named}]}', "gives: []", "not expected: invoices {source_key: '2'"),
        ("[{rule: named}]}", "[{rule: other}]}", "expected 'other', got 'named'"),
        ('stream: Deal\n    record: {Id: "2"', 'stream: Deals\n    record: {Id: "2"', "Did you mean Deal?"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_hold_gives_1_and_says_what_differs(
    folder: Path, right: str, wrong: str, says: str
) -> None:
    assert right in EXAMPLES
    (folder / "acme.examples.yml").write_text(EXAMPLES.replace(right, wrong), encoding="utf-8")
    result = check(folder)
    assert result.exit_code == 1
    assert says in result.output
    assert "not ok" in result.output
    assert "acme.examples.yml:" in result.output


def test_what_no_example_shows_is_noted_and_fails_only_if_strict(folder: Path) -> None:
    text = (
        EXAMPLES.replace("    shows: [named]\n", "")
        .replace("    options: {days: 1}\n", "")
        .replace("11-03", "12-02")
    )
    (folder / "acme.examples.yml").write_text(
        text.replace("Day: 2026", "Dya: 2026").replace(", DueDate: 2026-12-02", ""), encoding="utf-8"
    )
    result = check(folder)
    assert result.exit_code == 0, result.output
    assert "no example shows the rule named (Deal)" in result.output
    assert "no example sets the option days" in result.output
    assert "no example record of Deal has the field Day: is it spelt right?" in result.output
    assert check(folder, "--strict").exit_code == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("examples: {}\n", "one key `examples` with a list"),
        ("examples:\n  - name: x\n", "acme.examples.yml:2: examples[0]: an example needs `stream`"),
        ("examples:\n  - nam: x\n", "Did you mean name?"),
        (
            "examples:\n  - {name: x, stream: Deal, record: {}, gives: [{invoice: {}}]}\n",
            "Did you mean invoices?",
        ),
        ("examples: [\n", "not readable as YAML"),
    ],
)
def test_wrong_examples_give_2_and_one_line(folder: Path, text: str, says: str) -> None:
    (folder / "acme.examples.yml").write_text(text, encoding="utf-8")
    result = check(folder)
    assert result.exit_code == 2
    assert says in result.output


def test_a_wrong_mapping_gives_2_and_one_line(folder: Path) -> None:
    (folder / "acme.yml").write_text(MAPPING.replace("when: Won", "wen: Won"), encoding="utf-8")
    result = check(folder)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert (
        "acme.yml:10: streams.Deal.documents[0].wen: a document has no key 'wen'. Did you mean when?"
        in result.output
    )


def test_without_examples_it_says_where_to_write_them(folder: Path) -> None:
    (folder / "acme.examples.yml").unlink()
    result = check(folder)
    assert result.exit_code == 0
    assert "write acme.examples.yml beside it" in result.output


def test_it_shows_the_documents_of_one_record(folder: Path) -> None:
    record = folder / "deal.json"
    record.write_text('{"Id": "1", "Won": true, "Name": "A", "Day": "2026-11-02"}', encoding="utf-8")
    result = check(folder, "--stream", "Deal", "--record", str(record), "--set", '{"days": 2}')
    assert result.exit_code == 0, result.output
    name, _, body = result.output.partition("\n")
    assert name == "invoices"
    assert json.loads(body)["DueDate"] == "2026-11-04"


def test_it_reads_the_record_from_stdin_and_keeps_the_digits(folder: Path) -> None:
    result = CliRunner().invoke(
        main,
        ["salesforce", "--stream", "Product2", "--record", "-"],
        input='{"Id": "1", "Name": "W", "PricebookEntries": [{"UnitPrice": 12.50, "Pricebook2": {"IsStandard": true}}]}',
    )
    assert '"UnitPrice": 12.5000' in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--set", "{"], 2, "no JSON"),
        (["--set", "[]"], 2, "a JSON object is expected"),
        (["--set", '{"dayz": 1}'], 2, "Did you mean days?"),
        (["--record", "-"], 2, "--record needs --stream, one of Deal"),
        (["--record", "-", "--stream", "Deal"], 2, "no JSON"),
        (["--options"], 0, "| `days` | whole number | `30` | Days. |"),
        (["--functions"], 0, "| `clip` |"),
    ],
)
def test_arguments(folder: Path, arguments: list[str], code: int, says: str) -> None:
    result = check(folder, *arguments)
    assert result.exit_code == code, result.output
    assert says in result.output
