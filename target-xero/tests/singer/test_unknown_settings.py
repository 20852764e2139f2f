"""A setting that is none is refused by name, never passed over: a mistyped guard would guard nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_xero.errors import ConfigurationError
from target_xero.settings import Settings
from target_xero.settings_schema import CONFIG_JSONSCHEMA
from target_xero.unknown_settings import mistyped_variables, unknown_settings

KNOWN = CONFIG_JSONSCHEMA["properties"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_ammount", "max_amount"),
        ("mod", "mode"),
        ("Mode", "mode"),
        ("books_closed", "books_closed_until"),
    ],
)
def test_a_mistyped_setting_is_refused_with_the_one_that_was_meant(house: Any, name: str, meant: str) -> None:
    with pytest.raises(ConfigValidationError) as refused:
        house.make(**{name: "x"})
    assert len(refused.value.errors) == 1
    assert repr(name) in refused.value.errors[0]
    assert f"Did you mean {meant}?" in refused.value.errors[0]
    assert house.exchanges() == []


def test_a_setting_like_no_other_is_refused_with_a_list_of_what_there_is() -> None:
    (told,) = unknown_settings({"zzz": 1}, KNOWN)
    assert "Known: alert_on" in told


def test_the_value_under_a_mistyped_name_is_not_repeated(house: Any) -> None:
    with pytest.raises(ConfigValidationError) as refused:
        house.make(client_secert="hunter2")
    assert "client_secret" in str(refused.value.errors)
    assert "hunter2" not in str(refused.value.errors)


def test_what_meltano_or_the_sdk_hand_on_passes(house: Any) -> None:
    house.make(
        add_record_metadata=True, load_method="append-only", batch_config=None, stream_maps={}, flattening_enabled=False,
        flattening_max_depth=3, validate_records=True, default_target_schema="x", hard_delete=False, batch_size_rows=5,
        stream_map_config={}, _load_schema="x", __meltano="y",
    )  # fmt: skip


def test_a_command_refuses_it_as_a_run_does(house: Any) -> None:
    answer = house.command("check", max_ammount={"GBP": "1"})
    assert answer.exit_code == 1
    assert "'max_ammount'. Did you mean max_amount?" in answer.stderr


def test_inside_an_organisations_entry_it_is_refused_too(house: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"UK.*max_ammount.*Did you mean max_amount"):
        house.make(organisations=[{"name": "UK", "tenant_id": "t", "max_ammount": {"GBP": "1"}}])


@pytest.mark.parametrize("limits", [{"gbp": "1"}, {"£": "1"}, {"GBP": "-1"}, {"GBP": "NaN"}, {"GBP": "much"}])
def test_an_amount_guard_that_could_never_hold_is_refused(limits: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="three capital letters"):
        Settings.read({"client_id": "app", "max_amount": limits})


def test_a_mistyped_environment_variable_is_refused_for_meltano_says_nothing_of_it(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_XERO_MAX_AMMOUNT", "{}")
    with pytest.raises(ConfigValidationError) as refused:
        house.make()
    assert "'TARGET_XERO_MAX_AMMOUNT'. Did you mean TARGET_XERO_MAX_AMOUNT?" in refused.value.errors[0]


@pytest.mark.parametrize(
    "variable",
    [
        "TARGET_XERO_MAX_AMOUNT", "TARGET_XERO_STREAM_MAPS", "TARGET_XERO__LOAD_SCHEMA", "TARGET_XERO_IRELAND_CLIENT_SECRET",
        "TARGET_XERO_VERSION", "TARGET_XERO_", "TARGET_XEROX_MOD", "MAX_AMMOUNT",
    ],
)  # fmt: skip
def test_variables_of_others_pass(variable: str) -> None:
    assert mistyped_variables({variable: "x"}, "TARGET_XERO_", KNOWN) == []


@pytest.mark.e2e
def test_the_command_line_tells_it_and_ends_with_1(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"client_id": "x", "max_ammount": {"GBP": "1"}, "client_secert": "hunter2"}))
    ran = subprocess.run(
        [sys.executable, "-m", "target_xero", "--config", str(config)],
        input="", capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "Did you mean max_amount?" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr + ran.stdout
