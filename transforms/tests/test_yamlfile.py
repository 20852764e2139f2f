"""Mapping files read in two ways: by libyaml, and where it does not take them, or is not there, by Python alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_to_xero import yamlfile
from crm_to_xero.errors import MappingFileError
from hypothesis import given
from hypothesis import strategies as st

FILES = sorted(Path(yamlfile.__file__).parent.joinpath("mappings").glob("*.yml"))
LINES = st.sampled_from(
    ["a: 090", "b: no", "c: 1.50", "d: &x {e: ~, f: ''}", "g: *x", "<<: *x", "h: >-", "  folded", "  text: # no", "i: |", "- 1", "  - j: k",
     "'l': \"\\u00e9\\n\"", "m: [1, 2,", " 3]", "n: @", "o: 2026-01-01", "é: 😀", "? p", ": q", "a: twice", "---", "...", "# r", "", "\ts: t", "u:", "v : w: x",
     "y: !z 1", "%YAML 1.2", "aa: 'b", "bb: \x07", "cc: \ufeff"]
)  # fmt: skip


def read_slowly(text: str, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(yamlfile, "_QuickLoader", yamlfile._Loader)
        return outcome(text)


def lines_of(node: yamlfile.Node) -> object:
    """A tree with the line of everything that says something."""
    if isinstance(node.value, dict):
        return node.line, {key: lines_of(part) for key, part in node.value.items()}
    if isinstance(node.value, list):
        return node.line, [lines_of(part) for part in node.value]
    return None if node.value is None else (node.line, node.value)


def outcome(text: str) -> object:
    try:
        return lines_of(yamlfile.parse(text, "acme.yml"))
    except MappingFileError as mistake:
        return str(mistake)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_the_same_to_the_line_however_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = path.read_text(encoding="utf-8")
    assert outcome(text) == read_slowly(text, monkeypatch)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_what_is_written_by_hand_means_the_same_however_it_is_read(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        slowly = read_slowly(text, patch)
    assert outcome(text) == slowly
