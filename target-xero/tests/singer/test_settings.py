"""The settings: complete, checked before anything is read, and never shown where they are secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from target_xero.errors import ConfigurationError
from target_xero.settings import Settings, unreadable_secrets
from target_xero.settings_schema import CONFIG_JSONSCHEMA, SECRETS

PROPERTIES = CONFIG_JSONSCHEMA["properties"]


def read(**config: Any) -> Settings:
    return Settings.read({"client_id": "app", **config})


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    setting = PROPERTIES[name]
    assert setting["title"]
    assert setting["description"].endswith((".", "`."))
    assert "number" not in setting["type"], "Meltano cannot hand on decimals from the environment"


def test_exactly_the_secrets_are_marked_as_such() -> None:
    assert {name for name, setting in PROPERTIES.items() if setting.get("secret")} == set(SECRETS)


def test_the_defaults_are_the_safe_ones() -> None:
    settings = read()
    assert settings.api_url == "https://api.xero.com"
    assert settings.identity_url == "https://identity.xero.com"
    assert settings.allow_statuses == {"DRAFT"}
    assert settings.fail_on_refused
    assert not settings.ignore_unknown_streams
    assert settings.quiet_period_s == 900
    assert settings.batch_documents == 50
    assert settings.mapping is None


def test_an_empty_value_means_the_default() -> None:
    settings = read(api_url=None, scopes=None, tenant_id="", mapping="", day_limit_reserve=None)
    assert settings.api_url == "https://api.xero.com"
    assert settings.tenant_id is None
    assert settings.mapping is None
    assert settings.day_limit_reserve == 20


def test_a_sandbox_gives_tokens_where_it_gives_the_api() -> None:
    assert read(api_url="http://127.0.0.1:8790").identity_url == "http://127.0.0.1:8790"


@pytest.mark.parametrize("path", [".meltano/ledger.sqlite", "x/.meltano/run/ledger.sqlite"])
def test_a_ledger_inside_meltanos_own_folder_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"inside \.meltano"):
        read(ledger_path=str(tmp_path / path))


def test_a_ledger_that_leads_into_meltanos_folder_by_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".meltano").mkdir()
    (tmp_path / "books").symlink_to(tmp_path / ".meltano")
    with pytest.raises(ConfigurationError, match=r"inside \.meltano"):
        read(ledger_path=str(tmp_path / "books" / "ledger.sqlite"))


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a folder"):
        read(ledger_path=str(tmp_path))


def test_the_token_store_is_beside_the_ledger_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(ledger_path=str(tmp_path / "l.sqlite")).token_store_path == tmp_path / "xero-token.json"
    assert read(token_store_path="/x/y").token_store_path == Path("/x/y")


def test_a_missing_client_id_is_said_with_its_name() -> None:
    with pytest.raises(ConfigurationError, match="setting client_id is missing"):
        Settings.read({})


def test_mapping_options_may_come_as_json_text() -> None:
    assert read(mapping_options='{"due_days": 14}').mapping_options == {"due_days": 14}


def test_secrets_of_the_wrong_kind_are_named_without_their_value() -> None:
    wrong = unreadable_secrets({"client_secret": 424242, "refresh_token": "text"})
    assert wrong == ["setting client_secret: text is expected"]


def test_no_secret_is_in_the_settings_text() -> None:
    assert "hidden" not in repr(
        read(client_secret="hidden-1", refresh_token="hidden-2", token_store_key="hidden-3")
    )


def test_a_quiet_period_that_does_not_cover_a_late_write_is_refused() -> None:
    assert read(quiet_period_seconds=330).quiet_period_s == 330
    with pytest.raises(ConfigurationError, match="at least that"):
        read(quiet_period_seconds=329)
    with pytest.raises(ConfigurationError, match="360 s later"):
        read(quiet_period_seconds=330, request_timeout_seconds=60)
