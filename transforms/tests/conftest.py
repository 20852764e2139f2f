from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crm_to_xero import Mapping, load_mapping

MappingFrom = Callable[..., Mapping]
ShippedMapping = Callable[[str, dict[str, Any]], Mapping]


@pytest.fixture(scope="session")
def shipped_mapping() -> ShippedMapping:
    """A mapping of the package with these options, loaded once for all examples that have them."""
    loaded: dict[str, Mapping] = {}

    def load(name: str, options: dict[str, Any]) -> Mapping:
        key = f"{name} {sorted(options.items())!r}"
        if key not in loaded:
            loaded[key] = load_mapping(name, options)
        return loaded[key]

    return load


@pytest.fixture
def mapping_from(tmp_path: Path) -> MappingFrom:
    """Load a mapping from text; the file is called acme.yml."""

    def load(text: str, options: dict[str, Any] | None = None) -> Mapping:
        path = tmp_path / "acme.yml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return load_mapping(str(path), options)

    return load


@pytest.fixture
def invoices_from(mapping_from: MappingFrom) -> Callable[..., Mapping]:
    """A mapping with one stream, Deal, that gives invoices; fields (and more) are given as YAML text."""

    def load(
        fields: str, *, rule: str = "", lets: str = "", top: str = "", options: dict[str, Any] | None = None
    ) -> Mapping:
        parts = ["mapping: acme", "source: Acme", textwrap.dedent(top), "streams:", "  Deal:"]
        if lets:
            parts += ["    let:", textwrap.indent(textwrap.dedent(lets), " " * 6)]
        parts += ["    documents:", "      - document: invoices"]
        if rule:
            parts.append(textwrap.indent(textwrap.dedent(rule), " " * 8))
        parts += [
            "        fields:",
            "          source_key: Id",
            textwrap.indent(textwrap.dedent(fields), " " * 10),
        ]
        return mapping_from("\n".join(parts), options)

    return load
