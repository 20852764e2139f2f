"""`tap-salesforce-ikaroa login`: a person lets the app in, once; from then on the token store keeps the access alive."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.auth import organisation_of
from tap_salesforce_ikaroa.commands import COMMANDS
from tap_salesforce_ikaroa.commands.shared import Desk, desk
from tap_salesforce_ikaroa.consent import Consent
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.loopback import CALLBACK, Loopback
from tap_salesforce_ikaroa.settings import client_secret_of, endpoint_of, needed, token_store_of
from tap_salesforce_ikaroa.token_store import HOW_TO_MAKE_A_KEY, StoredTokens, TokenStore, fingerprint


@click.command(
    help=COMMANDS["login"]
    + ".\n\nFor the authorization code flow with PKCE; client credentials and JWT need no login. It listens on 127.0.0.1 for "
    f"Salesforce's answer: http://localhost:{limits.LOGIN_PORT}{CALLBACK} must be among the app's callback URLs. It asks for "
    "the scopes api and refresh_token, and keeps the refresh token encrypted in the token store."
)
@click.option("--port", type=click.IntRange(0, 65535), default=limits.LOGIN_PORT, show_default=True,
              help="Port on 127.0.0.1 to listen on; 0 takes a free one.")  # fmt: skip
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only show the address.")
@click.option("--wait", type=click.IntRange(1), default=limits.LOGIN_WAIT_S, show_default=True,
              help="Seconds to wait for the answer.")  # fmt: skip
@desk
def command(desk: Desk, *, port: int, browser: bool, wait: int) -> int:  # noqa: D103
    config = desk.config
    client_id = needed(config, "client_id", "login")
    store = _store(desk)
    endpoint = endpoint_of(config, desk.world.adapter, desk.world.policy)
    with Loopback(port) as loopback:
        consent = Consent(endpoint.login_url, client_id, loopback.redirect_uri)
        _show(desk, consent.address, loopback.redirect_uri, browser=browser)
        code = consent.code_of(loopback.wait(wait))
    answer = consent.exchange(endpoint, code, client_secret_of(config))
    endpoint.transport.hosts.check(str(answer["instance_url"]), "`instance_url` of the login answer")
    _keep(store, str(answer["refresh_token"]), config.get("refresh_token"))
    told = {
        "organisation": organisation_of(answer),
        "instance_url": str(answer["instance_url"]),
        "scopes": str(answer.get("scope", "")).split(),
        "token_store": str(config["token_store_path"]),
        "settings": {} if config.get("auth_method") == "refresh_token" else {"auth_method": "refresh_token"},
    }
    desk.answer(_text(told), told)
    return 0


def _store(desk: Desk) -> TokenStore:
    """The token store, proved to open before anybody is asked for consent."""
    if not desk.config.get("token_store_path") or not desk.config.get("token_store_key"):
        raise SettingsError(
            "`token_store_path` and `token_store_key` must be set: the refresh token is kept in that file, encrypted with that "
            f"key. Make a key with: {HOW_TO_MAKE_A_KEY}"
        )
    store = token_store_of(desk.config)
    assert store is not None  # noqa: S101  its path is set
    with store.locked():
        store.read()
    return store


def _keep(store: TokenStore, token: str, configured: str | None) -> None:
    """Saves the token. A configured one stays the name of its line, so that it does not go before this one."""
    with store.locked():
        known = store.read()
        generation = known.generation + 1 if known else 1
        store.save(StoredTokens(token, None, generation, fingerprint(configured or token)))


def _show(desk: Desk, address: str, redirect_uri: str, *, browser: bool) -> None:
    """On stderr: stdout is for the answer. The address holds no secret."""
    sys.stderr.write(f"Callback address (among the app's callback URLs?): {redirect_uri}\n")
    sys.stderr.write(f"Open in a browser on this machine:\n{address}\n")
    sys.stderr.flush()
    if browser:
        desk.world.browser(address)


def _text(told: dict[str, Any]) -> RenderableType:
    lines = [
        f"Connected to {told['instance_url']} (organisation {told['organisation']}).",
        f"The refresh token is in {told['token_store']}, encrypted. Scopes: {' '.join(told['scopes'])}.",
    ]
    lines += [
        f"Add to the settings: {name}: {value} (TAP_SALESFORCE_IKAROA_{name.upper()}={value}, or under Meltano: meltano config "
        f"set tap-salesforce-ikaroa {name} {value})"
        for name, value in told["settings"].items()
    ]
    return Group(
        *(
            Text(line)
            for line in [
                *lines,
                "Next: tap-salesforce-ikaroa check (under Meltano: meltano invoke tap-salesforce-ikaroa check)",
            ]
        )
    )
