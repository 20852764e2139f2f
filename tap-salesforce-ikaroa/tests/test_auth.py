"""Logging in: three flows, rotation that survives, and one clear line for whatever is wrong."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ikaroa_sandbox import credentials
from tap_salesforce_ikaroa.auth import OAuth, Session, TokenEndpoint
from tap_salesforce_ikaroa.errors import HostError, LoginError, SettingsError, TapError
from tap_salesforce_ikaroa.hosts import AllowedHosts
from tap_salesforce_ikaroa.transport import Transport

if TYPE_CHECKING:
    from conftest import Org, Sync

KEY = "00" * 31 + "01"
LEADS: dict[str, Any] = {"streams_to_discover": ["Lead"]}
REFRESH = {"refresh_token": credentials.SALESFORCE_REFRESH_TOKEN, **LEADS}
JWT = {"username": credentials.SALESFORCE_USERNAME, "client_secret": "", **LEADS}


def test_jwt_bearer_logs_in(sync: Sync, tmp_path: Path) -> None:
    assert sync(private_key=credentials.jwt_private_key_pem(), **JWT).counts["Lead"] > 200
    key = tmp_path / "key.pem"
    key.write_text(credentials.jwt_private_key_pem())
    assert sync(private_key_path=str(key), **JWT).counts["Lead"] > 200


def test_a_private_key_given_on_one_line_is_understood(sync: Sync) -> None:
    one_line = credentials.jwt_private_key_pem().replace("\n", "\\n")
    assert sync(private_key=one_line, **JWT).counts["Lead"] > 200


def test_a_login_url_with_a_path_is_cut_to_its_host(sync: Sync) -> None:
    assert sync(login_url="http://127.0.0.1:8790/lightning/setup/home", **LEADS).counts["Lead"] > 200


def test_a_secret_can_come_from_a_file(sync: Sync, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(credentials.SALESFORCE_CLIENT_SECRET + "\n")
    assert sync(client_secret=f"file:{secret}", **LEADS).counts["Lead"] > 200
    with pytest.raises(SettingsError, match="`client_secret` cannot be read"):
        sync(client_secret=f"file:{tmp_path / 'none'}", **LEADS)


def test_a_jwt_refused_for_our_clock_is_signed_again_on_salesforce_s(org: Org, sync: Sync) -> None:
    org.advance(10 * 365 * 86_400)  # a first assertion carries this machine's time, long past there
    org.sandbox.journal.clear()
    sync(private_key=credentials.jwt_private_key_pem(), **JWT)
    logins = [one.status for one in org.exchanges if one.request.path.endswith("/token")]
    assert logins == [400, 200]


def test_a_refresh_token_logs_in(sync: Sync) -> None:
    assert sync(**REFRESH).counts["Lead"] > 200


def test_rotation_without_a_store_is_refused_with_the_cure(org: Org, sync: Sync) -> None:
    org.edit("rotation", on=True)
    with pytest.raises(SettingsError, match="`token_store_path` and `token_store_key`"):
        sync(**REFRESH)


def test_a_rotated_token_is_kept_and_used_by_the_next_run(org: Org, sync: Sync, tmp_path: Path) -> None:
    org.edit("rotation", on=True)
    store = {"token_store_path": str(tmp_path / "deep" / "tokens"), "token_store_key": KEY, **REFRESH}
    for _ in range(3):
        assert sync(**store).counts["Lead"] > 200
    text = (tmp_path / "deep" / "tokens").read_text()
    assert credentials.SALESFORCE_REFRESH_TOKEN not in text
    assert "5Aep861" not in text


def test_a_newly_configured_token_wins_over_the_stored_one(org: Org, sync: Sync, tmp_path: Path) -> None:
    store = {"token_store_path": str(tmp_path / "tokens"), "token_store_key": KEY, **LEADS}
    org.edit("rotation", on=True)
    sync(**store, refresh_token=credentials.SALESFORCE_REFRESH_TOKEN)
    with pytest.raises(LoginError):
        sync(**store, refresh_token="another one, that the org does not know")
    assert sync(**store, refresh_token=credentials.SALESFORCE_REFRESH_TOKEN).counts["Lead"] > 200


def test_a_new_token_is_on_disk_before_it_is_used(org: Org, sync: Sync, tmp_path: Path, monkeypatch) -> None:
    org.edit("rotation", on=True)
    store = {"token_store_path": str(tmp_path / "tokens"), "token_store_key": KEY, **REFRESH}
    sync(**store)

    def crash(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tap_salesforce_ikaroa.client.Client.get", crash)
        patched.setattr("tap_salesforce_ikaroa.client.Client._call", crash)
        with pytest.raises(KeyboardInterrupt):
            sync(**store)
    assert sync(**store).counts["Lead"] > 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"client_secret": "wrong"}, "check `client_id` and `client_secret`"),
        ({"client_id": "unknown"}, "check `client_id`"),
        ({"client_secret": ""}, "`client_secret` is not set"),
        ({"client_id": ""}, "`client_id` is not set"),
        ({"refresh_token": "ended"}, "the refresh token has ended"),
        ({"private_key": "x"}, "`username` is not set"),
        ({"private_key": "not a key", "username": "a@b.example"}, "not an RSA private key in PEM form"),
        (
            {"private_key_path": "/nowhere/key.pem", "username": "a@b.example"},
            "`private_key_path` cannot be read",
        ),
        ({"login_url": "https://login.salesforce.com"}, "My Domain address only"),
        ({"login_url": "", "is_sandbox": True}, "My Domain address only"),
        ({"login_url": "http://acme.my.salesforce.com"}, "plain http"),
        ({"login_url": "https://salesforce.com.evil.example"}, "neither Salesforce's nor in `allowed_hosts`"),
        ({"login_url": "ftp://acme.my.salesforce.com"}, "not an https address"),
        ({"api_version": "latest"}, "`api_version` is not a version"),
        ({"api_version": "30.0"}, "Set `api_version`"),
        ({"start_date": "yesterday"}, "`start_date` is not a date"),
        ({"refresh_token": "x", "token_store_path": "/tmp/x"}, "`token_store_key` is not set"),
        ({"refresh_token": "x", "token_store_path": "/tmp/x", "token_store_key": "short"}, "32 random bytes"),
    ],
)
def test_whatever_is_wrong_with_the_settings_is_one_line_with_the_cure(
    sync: Sync, settings: dict, said: str
) -> None:
    with pytest.raises(TapError) as caught:
        sync(**settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "wrong" not in str(caught.value).replace("went wrong", "")


class CountingGrant:
    name = "test"

    def __init__(self, instance_url: str = "https://acme.my.salesforce.com") -> None:
        self.logins = 0
        self.instance_url = instance_url

    def login(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        self.logins += 1
        return {"access_token": f"token {self.logins}", "instance_url": self.instance_url}


def oauth(grant: CountingGrant, login_url: str = "https://acme.my.salesforce.com", **hosts: Any) -> OAuth:
    return OAuth(TokenEndpoint(Transport(AllowedHosts(login_url, **hosts)), login_url), grant)


def test_many_threads_with_one_stale_token_renew_it_once() -> None:
    grant = CountingGrant()
    source = oauth(grant)
    stale = source.session()
    renewed: list[Session] = []
    threads = [threading.Thread(target=lambda: renewed.append(source.renew(stale))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert grant.logins == 2
    assert {session.access_token for session in renewed} == {"token 2"}


@pytest.mark.parametrize(
    "instance_url",
    [
        "https://evil.example",
        "https://salesforce.com.evil.example",
        "http://acme.my.salesforce.com",
        "http://127.0.0.1:1",
    ],
)
def test_an_instance_url_outside_salesforce_is_refused(instance_url: str) -> None:
    with pytest.raises(HostError, match="`instance_url` of the login answer"):
        oauth(CountingGrant(instance_url)).session()


def test_a_loopback_login_may_not_lead_to_salesforce_nor_the_other_way_round() -> None:
    with pytest.raises(HostError):
        oauth(CountingGrant("https://acme.my.salesforce.com"), "http://127.0.0.1:8790").session()


def test_a_host_of_one_s_own_can_be_allowed() -> None:
    source = oauth(CountingGrant("https://gateway.acme.example"), extra=["gateway.acme.example"])
    assert source.session().instance_url == "https://gateway.acme.example"


def test_a_session_does_not_show_its_token() -> None:
    assert "token 1" not in repr(oauth(CountingGrant()).session())
