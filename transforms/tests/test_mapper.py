"""The mapper plugin, message by message."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.mapper import CrmToXeroMapper
from singer_sdk.exceptions import ConfigValidationError, InvalidInputLine

CRM_SCHEMA = {"type": "object", "properties": {"Id": {"type": "string"}}}


def schema(stream: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"properties": properties or {"Id": {}}},
        "key_properties": ["Id"],
    }


def record(stream: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "RECORD",
        "stream": stream,
        "record": fields,
        "time_extracted": "2026-11-02T09:00:00.123456+00:00",
    }


def lines_of(*messages: dict[str, Any] | str, **config: Any) -> list[str]:
    text = "".join(
        f"{message if isinstance(message, str) else json.dumps(message)}\n" for message in messages
    )
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        CrmToXeroMapper(config=config).listen(io.StringIO(text))
    return out.getvalue().splitlines()


def output(*messages: dict[str, Any] | str, **config: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(*messages, **config)]


def test_each_document_stream_is_announced_once_and_before_its_records() -> None:
    found = output(
        schema("Account"),
        record("Account", Id="1", Name="A"),
        schema("Lead"),
        schema("Account"),
        record("Account", Id="2", Name="B"),
    )
    assert [(item["type"], item["stream"]) for item in found] == [
        ("SCHEMA", "contacts"), ("RECORD", "contacts"), ("SCHEMA", "invoices"), ("RECORD", "contacts"),
    ]  # fmt: skip
    assert found[0]["schema"] == DOCUMENTS["contacts"]
    assert found[0]["key_properties"] == ["source_key"]


def test_state_goes_through_unchanged_and_in_its_place() -> None:
    value = {
        "bookmarks": {"Account": {"replication_key_value": "2026-11-02T09:00:00Z", "note": None}},
        "other": [1],
    }
    found = output(
        schema("Account"),
        record("Account", Id="1", Name="A"),
        {"type": "STATE", "value": value},
        record("Account", Id="2", Name="B"),
    )
    assert [item["type"] for item in found] == ["SCHEMA", "RECORD", "STATE", "RECORD"]
    assert found[2]["value"] == value


def test_the_time_of_extraction_is_kept() -> None:
    found = output(
        schema("Account"),
        record("Account", Id="1", Name="A"),
        {**record("Account", Id="2", Name="B"), "time_extracted": None},
    )
    assert found[1]["time_extracted"] == "2026-11-02T09:00:00.123456+00:00"
    assert "time_extracted" not in found[2]


def test_amounts_keep_their_digits_on_the_wire() -> None:
    deal = '{"type":"RECORD","stream":"Deal","record":{"Id":"1","Total":1200.10,"Rate":0.0001,"Small":1E-7}}'
    (line,) = lines_of(deal, mapping=str(MAPPING))[1:]
    assert '"expected_total":1200.10,' in line
    assert '"CurrencyRate":0.0001' in line
    assert '"UnitAmount":1E-7' in line


MAPPING = Path(__file__).parent / "digits.yml"


def test_one_record_gives_all_its_documents_in_order() -> None:
    found = output(
        schema("Opportunity"),
        record("Opportunity", Id="6", Name="D", IsWon=True, AccountId="1", Amount=5, CloseDate="2026-11-02"),
    )
    assert [(item["type"], item["stream"]) for item in found] == [
        ("SCHEMA", "invoices"), ("SCHEMA", "credit_notes"), ("SCHEMA", "payments"), ("RECORD", "invoices"), ("RECORD", "credit_notes"),
    ]  # fmt: skip


def test_a_record_before_its_schema_is_announced_first() -> None:
    assert [item["type"] for item in output(record("Account", Id="1", Name="A"))] == ["SCHEMA", "RECORD"]


def test_unknown_streams_go_through_unchanged() -> None:
    messages = [
        {**schema("Task"), "bookmark_properties": ["At"]},
        {**record("Task", Id="1", At="x"), "version": 7},
        {"type": "ACTIVATE_VERSION", "stream": "Task", "version": 7},
    ]
    assert output(*messages) == messages


def test_unknown_streams_are_dropped_if_the_setting_says_so() -> None:
    messages = [
        schema("Task"),
        record("Task", Id="1"),
        {"type": "ACTIVATE_VERSION", "stream": "Task", "version": 7},
    ]
    assert output(*messages, unknown_streams="drop") == []


def test_documents_that_a_tap_gives_itself_go_through() -> None:
    messages = [
        schema("contacts", source_key={}),
        {**record("contacts", source_key="1"), "time_extracted": "2026-11-02T09:00:00+00:00"},
    ]
    assert output(*messages) == messages


def test_an_unknown_stream_with_the_name_of_a_document_stream_is_refused_with_the_cure() -> None:
    with pytest.raises(click.ClickException, match=r"has no source_key.*`contacts: {}`"):
        output(schema("contacts", email={}))


def test_a_stream_that_a_mapping_knows_and_ignores_gives_nothing() -> None:
    assert output(schema("contacts", email={}), record("contacts", id="1"), mapping="hubspot") == []


def test_activate_version_of_a_mapped_stream_is_dropped() -> None:
    """It would tell a target to delete what an earlier version had; documents are never deleted that way."""
    assert (
        output(schema("Account"), {"type": "ACTIVATE_VERSION", "stream": "Account", "version": 1})[1:] == []
    )


def test_options_reach_the_mapping() -> None:
    found = output(
        record("Account", Id="1", Name="A", Type="Prospect"), mapping_options={"contacts": "customers"}
    )
    assert found == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"mapping": "salesfroce"}, "Did you mean salesforce?"),
        ({"mapping_options": {"due_dayz": 1}}, "Did you mean due_days?"),
        ({"mapping": "./none.yml"}, "No such file"),
        ({"unknown_streams": "keep"}, "keep"),
    ],
)
def test_a_wrong_setting_is_said_before_anything_is_read(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        CrmToXeroMapper(config=config)
    assert says in " ".join(caught.value.errors)


@pytest.mark.parametrize(
    "line",
    ["{", '{"type":"RECORD","stream":"Account"}', '{"type":"SCHEMA","stream":"Account"}', '{"type":"STATE"}'],
)
def test_a_malformed_line_stops_with_a_clear_error(line: str) -> None:
    with pytest.raises(InvalidInputLine):
        output(line)


def test_about_shows_the_three_settings_and_no_others() -> None:
    about = CrmToXeroMapper._get_about_info()
    assert set(about.settings["properties"]) == {"mapping", "mapping_options", "unknown_streams"}
    assert all(item["description"] for item in about.settings["properties"].values())


@pytest.mark.e2e
def test_the_command_reads_stdin_writes_stdout_and_ends_well(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"mapping_options": {"record_url": "https://acme.example"}}), encoding="utf-8"
    )
    command = [
        sys.executable,
        "-c",
        "from crm_to_xero.mapper import CrmToXeroMapper as M; M.cli()",
        "--config",
        str(config),
    ]
    text = "\n".join(json.dumps(item) for item in (schema("Account"), record("Account", Id="1", Name="Zoë")))
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[1])["record"]["source_url"] == "https://acme.example/1"


@pytest.mark.e2e
def test_the_command_says_in_one_line_what_is_wrong_with_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "acme.yml"
    path.write_text("mapping: a\nsource: b\nstreams:\n  Deal:\n    docs: []\n", encoding="utf-8")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"mapping": str(path)}), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from crm_to_xero.mapper import CrmToXeroMapper as M; M.cli()",
        "--config",
        str(config),
    ]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"{path}:5: streams.Deal.docs: a stream has no key 'docs'. Did you mean documents?" in done.stderr
    assert "Traceback" not in done.stderr
