"""A wrong mapping file gives one line: file, line, field and what was meant, before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_to_xero import MappingFileError, load_mapping
from crm_to_xero.documents import DOCUMENTS

GOOD = """\
mapping: acme
source: Acme CRM
options:
  due_days: {type: whole, default: 30, description: Days.}
streams:
  Deal:
    let:
      amount: decimal(Total)
    common:
      source_label: Name
    documents:
      - document: invoices
        rule: won
        when: Won
        refuse:
          - {rule: r, when: empty(Name), field: Reference, cure: Name it.}
        fields:
          source_key: Id
          Reference: text(Name)
          DueDate: add_days(Date, options.due_days)
          LineItems:
            each: Lines
            as: line
            fields:
              Description: line.Text
              UnitAmount: line.Price
"""


def message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingFileError) as caught:
        load_mapping(str(path))
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(str(path), "acme.yml")


def test_the_file_that_the_mistakes_are_made_in_is_right(tmp_path: Path) -> None:
    path = tmp_path / "acme.yml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_mapping(str(path)).streams == {"Deal"}


@pytest.mark.parametrize(
    ("right", "wrong", "line", "field", "says"),
    [
        ("mapping: acme", "maping: acme", 1, "maping", "Did you mean mapping?"),
        ("source: Acme CRM", "source: [Acme]", 2, "source", "text is expected"),
        ("type: whole", "type: number", 4, "options.due_days.type", "Known: amount, list, map, text, whole, yes_no."),
        ("default: 30", "default: soon", 4, "options.due_days.default", "'soon' is no number"),
        ("default: 30", "default: 2.5", 4, "options.due_days.default", "a whole number is expected"),
        (", description: Days.", "", 4, "options.due_days", "needs a description"),
        ("default: 30", "defualt: 30", 4, "options.due_days.defualt", "Did you mean default?"),
        ("    let:", "    lets:", 7, "streams.Deal.lets", "Did you mean let?"),
        ("decimal(Total)", "decimal(Total", 8, "streams.Deal.let.amount", "is no expression"),
        ("amount: decimal(", "amount: decimall(", 8, "streams.Deal.let.amount", "Did you mean decimal?"),
        ("amount: dec", "record: dec", 8, "streams.Deal.let.record", "cannot be a name"),
        ("source_label", "source_lable", 10, "streams.Deal.common.source_lable", "Did you mean source_label?"),
        ("document: invoices", "document: invoice", 12, "streams.Deal.documents[0].document", "Did you mean invoices?"),
        ("when: Won", "wen: Won", 14, "streams.Deal.documents[0].wen", "Did you mean when?"),
        ("when: Won", "when: [Won]", 14, "streams.Deal.documents[0].when", "an expression is expected, not a list"),
        ("when: Won", "as: part", 14, "streams.Deal.documents[0].as", "there is none"),
        (", cure: Name it.", "", 16, "streams.Deal.documents[0].refuse[0]", "a refusal needs `cure`"),
        ("field: Ref", "filed: Ref", 16, "streams.Deal.documents[0].refuse[0].filed", "Did you mean field?"),
        ("          source_key: Id\n", "", 17, "streams.Deal.documents[0].fields", "source_key"),
        ("Reference: text", "Refrence: text", 19, "streams.Deal.documents[0].fields.Refrence", "Did you mean Reference?"),
        ("Reference: text(Name)", "Reference: 5", 19, "streams.Deal.documents[0].fields.Reference", "\"'5'\""),
        ("Reference: text(Name)", "withdrawn: true", 19, "streams.Deal.documents[0].fields.withdrawn", "withdraw_when"),
        ("Reference: text(Name)", "Reference: text(", 19, "streams.Deal.documents[0].fields.Reference", "is no expression"),
        ("Reference: text(Name)", "Reference: {a: b}", 19, "streams.Deal.documents[0].fields.Reference", "not a mapping"),
        ("options.due_days", "options.due_day", 20, "streams.Deal.documents[0].fields.DueDate", "Did you mean due_days?"),
        ("each: Lines", "echo: Lines", 22, "streams.Deal.documents[0].fields.LineItems.echo", "Did you mean each?"),
        ("as: line", "as: my line", 23, "streams.Deal.documents[0].fields.LineItems.as", "cannot be a name"),
        ("Description:", "Desciption:", 25, "streams.Deal.documents[0].fields.LineItems.fields.Desciption", "Did you mean Description?"),
        ("UnitAmount:", "Description:", 26, "streams.Deal.documents[0].fields.LineItems.fields.Description", "twice (first at line 25)"),
        ("    common:", "    common: x\n    common:", 10, "streams.Deal.common", "twice (first at line 9)"),
    ],
)  # fmt: skip
def test_one_mistake_one_line(
    tmp_path: Path, right: str, wrong: str, line: int, field: str, says: str
) -> None:
    assert GOOD.count(right) >= 1
    text = message(tmp_path, GOOD.replace(right, wrong, 1))
    assert text.startswith(f"acme.yml:{line}: {field}: ")
    assert says in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with `mapping:` and `streams:`, this is nothing"),
        ("- a\n", "this is a list"),
        ("mapping: a\nsource: b\n", "streams: a mapping from source stream"),
        ("mapping: a\nsource: b\nstreams: {}\n", "streams: a mapping from source stream"),
        ("mapping: [a\n", "not readable as YAML"),
        ("mapping: a\n\tsource: b\n", "acme.yml:2: not readable as YAML"),
        ("mapping: a: b\n", "acme.yml:1: not readable as YAML"),
        ("mapping: !!python/name:os.system x\n", "the tag"),
        ("{a: b}: c\n", "a key must be text"),
        ("a: &x [*x]\n", "levels deep"),
        ("a: " + "[" * 30 + "]" * 30, "more than 20 levels deep"),
    ],
)
def test_a_file_that_is_no_mapping_at_all(tmp_path: Path, text: str, says: str) -> None:
    assert says in message(tmp_path, text)


def test_a_mapping_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(MappingFileError, match="Did you mean salesforce"):
        load_mapping("salesfroce")


def test_a_file_that_does_not_exist_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(MappingFileError, match=r"No such file.*Looked in"):
        load_mapping(str(tmp_path / "none.yml"))


def test_a_file_that_is_no_utf_8_says_so(tmp_path: Path) -> None:
    path = tmp_path / "latin.yml"
    path.write_bytes(b"mapping: caf\xe9\n")
    with pytest.raises(MappingFileError, match="not UTF-8"):
        load_mapping(str(path))


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(MappingFileError, match="no mapping is named"):
        load_mapping("")


@pytest.mark.parametrize("stream", DOCUMENTS)
def test_every_field_of_every_document_may_be_mapped(tmp_path: Path, stream: str) -> None:
    fields = [name for name in DOCUMENTS[stream]["properties"] if name not in {"withdrawn", "refusals"}]
    path = tmp_path / "all.yml"
    lines = "".join(f"          {name}: X.{name}\n" for name in fields)
    path.write_text(
        f"mapping: a\nsource: b\nstreams:\n  S:\n    documents:\n      - document: {stream}\n        fields:\n{lines}",
        encoding="utf-8",
    )
    assert load_mapping(str(path)).outputs("S") == (stream,)
