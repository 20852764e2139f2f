"""`target-xero login`: a person lets this app into Xero, once; from then on the token store keeps the access alive."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from target_xero import limits, switched_on
from target_xero.access import token_store
from target_xero.commands import COMMANDS
from target_xero.commands.shared import Desk, desk
from target_xero.errors import AuthorisationError, ConfigurationError
from target_xero.settings import Settings
from target_xero.xero.auth import DEFAULT_SCOPES, Grant, TokenEndpoint
from target_xero.xero.connections import Connection, list_connections
from target_xero.xero.consent import Consent
from target_xero.xero.loopback import Loopback
from target_xero.xero.pacing import Timing
from target_xero.xero.scopes import OFFLINE
from target_xero.xero.token_store import TokenStore
from target_xero.xero.transport import new_session


@click.command(
    help=COMMANDS["login"]
    + ".\n\nFor web and PKCE apps; a custom connection (client_id and client_secret) needs no login. It listens on 127.0.0.1 for "
    "Xero's answer: register the redirect address it shows for your app at developer.xero.com. It asks for the least scopes "
    "that the settings need, and keeps the refresh token encrypted in the token store."
)
@click.option("--port", type=click.IntRange(0, 65535), default=limits.LOGIN_PORT, show_default=True,
              help="Port on 127.0.0.1 to listen on; 0 takes a free one.")  # fmt: skip
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only show the address.")
@click.option(
    "--tenant",
    metavar="NAME",
    help="The organisation to work on, by name or id, where several are connected.",
)
@click.option("--scopes", metavar="WORDS", help="Ask for these scopes instead of the least ones.")
@click.option("--wait", type=click.IntRange(1), default=limits.LOGIN_WAIT_S, show_default=True,
              help="Seconds to wait for the answer.")  # fmt: skip
@desk
def command(  # noqa: D103
    desk: Desk, *, port: int, browser: bool, tenant: str | None, scopes: str | None, wait: int
) -> int:
    settings = desk.settings
    asked = _scopes(settings, scopes)
    store = _store(settings)
    timing = desk.world.timing or Timing()
    with new_session(desk.world.adapter) as session:
        endpoint = TokenEndpoint(
            session, settings.identity_url, settings.client_id, settings.client_secret, timing
        )
        with Loopback(port) as loopback:
            consent = Consent(settings.identity_url, settings.client_id, loopback.redirect_uri, asked)
            _show(desk, consent.address, loopback.redirect_uri, browser=browser)
            code = consent.code_of(loopback.wait(wait))
        grant = consent.exchange(endpoint, code)
        _keep(store, settings, grant)
        connections = list_connections(session, settings.api_url, grant.access_token)
    wanted = {branch.settings.tenant_id: branch.name for branch in settings.organisations}
    chosen = None if wanted else _choose(connections, tenant or settings.tenant_id)
    missing = sorted(
        name for id_, name in wanted.items() if id_ not in {one.tenant_id for one in connections}
    )
    told = _told(settings, grant, connections, chosen) | {"not_connected": missing}
    desk.answer(_table(told, several=bool(wanted)), told)
    return int(bool(missing) if wanted else chosen is None)


def _scopes(settings: Settings, given: str | None) -> list[str]:
    """What was asked for by option or setting, else the least; and the right to come again."""
    if given is None and settings.scopes.split() != list(DEFAULT_SCOPES):
        given = settings.scopes
    wanted = given.split() if given else switched_on.scopes_needed(settings.each)
    return [OFFLINE, *(scope for scope in wanted if scope != OFFLINE)]


def _store(settings: Settings) -> TokenStore:
    """The token store, proved to open before anybody is asked for consent."""
    if settings.token_store_key is None:
        raise ConfigurationError(
            "setting token_store_key is missing: the refresh token is stored encrypted, and this is its key. Make one with "
            '`python3 -c "import secrets; print(secrets.token_hex(32))"` and keep it where your secrets are'
        )
    if settings.auth_method == "client_credentials":
        raise ConfigurationError(
            "setting auth_method is client_credentials: a custom connection needs no login. Set it to auto or refresh_token for a "
            "web or PKCE app"
        )
    store = token_store(settings)
    with store.locked():
        store.read()
    return store


def _keep(store: TokenStore, settings: Settings, grant: Grant) -> None:
    """Saves the refresh token. A configured one stays the name of its line, so that it does not go before this one."""
    assert grant.refresh_token is not None  # noqa: S101 - `exchange` sees to it
    with store.locked():
        store.save(grant.refresh_token, store.fingerprint(settings.refresh_token or grant.refresh_token))


def _show(desk: Desk, address: str, redirect_uri: str, *, browser: bool) -> None:
    """On stderr: stdout is for the answer. The address holds no secret."""
    sys.stderr.write(f"Redirect address (registered for the app at developer.xero.com?): {redirect_uri}\n")
    sys.stderr.write(f"Open in a browser on this machine:\n{address}\n")
    sys.stderr.flush()
    if browser:
        desk.world.browser(address)


def _choose(connections: Sequence[Connection], wanted: str | None) -> Connection | None:
    """The organisation to work on; None where several are connected and nobody says which."""
    if not connections:
        raise AuthorisationError(
            "the consent connected no organisation. Run login again and choose one in the browser"
        )
    if wanted:
        found = [one for one in connections if wanted in (one.tenant_id, one.name)]
        if len(found) != 1:
            names = ", ".join(f"{one.name} ({one.tenant_id})" for one in connections)
            raise ConfigurationError(
                f"{'several organisations are' if found else 'no organisation is'} connected by the name {wanted}; connected are: "
                f"{names}. The access is stored: set tenant_id, or run login again"
            )
        return found[0]
    if len(connections) == 1:
        return connections[0]
    if not sys.stdin.isatty():
        return None
    for number, one in enumerate(connections, 1):
        click.echo(f"{number}  {one.name} ({one.tenant_id})", err=True)
    answer: int = click.prompt("Which organisation", type=click.IntRange(1, len(connections)), err=True)
    return connections[answer - 1]


def _told(
    settings: Settings, grant: Grant, connections: Sequence[Connection], chosen: Connection | None
) -> dict[str, Any]:
    return {
        "organisation": chosen.as_dict() if chosen else None,
        "connected": [one.as_dict() for one in connections],
        "scopes": list(grant.scopes),
        "token_store": str(settings.token_store_path),
        "settings": {"tenant_id": chosen.tenant_id}
        if chosen and settings.tenant_id != chosen.tenant_id
        else {},
    }


def _table(told: dict[str, Any], *, several: bool) -> RenderableType:
    table = Table(header_style="bold")
    for heading in ("", "organisation", "tenant id"):
        table.add_column(heading)
    for one in told["connected"]:
        table.add_row("->" if one == told["organisation"] else "", one["name"], one["id"])
    parts: list[RenderableType] = [table, Text(f"The refresh token is in {told['token_store']}, encrypted.")]
    if told["scopes"]:
        parts.append(Text(f"Scopes: {' '.join(told['scopes'])}"))
    if told["not_connected"]:
        parts.append(
            Text(
                f"Not connected, but in the setting organisations: {', '.join(told['not_connected'])}. Run login again and choose "
                "them in the browser, one each time."
            )
        )
    if told["organisation"] is None and not several:
        parts.append(Text("Several organisations are connected: set tenant_id to one of them."))
    for name, value in told["settings"].items():
        parts.append(
            Text(
                f"Add to the settings: {name}: {value} (TARGET_XERO_{name.upper()}={value}, or under Meltano: meltano config set "
                f"target-xero {name} {value})"
            )
        )
    parts.append(Text("Next: target-xero check"))
    return Group(*parts)
