"""The README shows the settings as they are."""

from __future__ import annotations

import os
from pathlib import Path

from tap_salesforce_ikaroa.settings_table import BEGIN, END, settings_table
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa

README = Path(__file__).parents[1] / "README.md"


def test_the_settings_table_is_the_one_of_about() -> None:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    given, after = rest.split(END)
    table = f"\n\n{settings_table(TapSalesforceIkaroa)}\n\n"
    if os.environ.get("UPDATE_README"):
        README.write_text(before + BEGIN + table + END + after, encoding="utf-8")
        return
    assert given == table, "run the test once with UPDATE_README=1"


def test_every_setting_has_a_description_and_secrets_are_marked() -> None:
    properties = TapSalesforceIkaroa.config_jsonschema["properties"]
    assert all(entry.get("description") for entry in properties.values())
    secret = {name for name, entry in properties.items() if entry.get("secret")}
    assert secret == {"client_secret", "private_key", "refresh_token", "token_store_key", "doorbell_path"}
