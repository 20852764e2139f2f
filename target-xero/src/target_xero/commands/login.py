"""`target-xero login`: a person lets this app into Xero, once; from then on the token store keeps the access alive."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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
from target_xero.terminal import typed
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
    "that the settings need, and keeps the refresh token encrypted in the token store.\n\nWith the setting organisations it says "
    "which of them are connected and which are not yet. Ends with 1 where several organisations are connected and nothing says "
    "which one is meant, or where none of the setting's is connected; the access is kept all the same."
)
@click.option("--port", type=click.IntRange(0, 65535), default=limits.LOGIN_PORT, show_default=True,
              help="Port on 127.0.0.1 to listen on; 0 takes a free one.")  # fmt: skip
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only show the address.")
@click.option(
    "--tenant",
    metavar="NAME",
    help="The organisation to work on, by name or id, where several are connected; with the setting organisations the entry whose "
    "own app it is.",
)
@click.option("--scopes", metavar="WORDS", help="Ask for these scopes instead of the least ones.")
@click.option("--wait", type=click.IntRange(1), default=limits.LOGIN_WAIT_S, show_default=True,
              help="Seconds to wait for the answer.")  # fmt: skip
@desk
def command(  # noqa: D103
    desk: Desk, *, port: int, browser: bool, tenant: str | None, scopes: str | None, wait: int
) -> int:
    settings = _settings_of(desk.settings, tenant)
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
    entries = _entries(desk.settings, settings, connections)
    chosen = None if entries else _choose(connections, tenant or settings.tenant_id)
    told = _told(settings, grant, connections, chosen) | {"organisations": entries}
    desk.answer(_table(told), told)
    if entries:
        return int(not any(entry["state"] == CONNECTED for entry in entries))
    return int(chosen is None)


CONNECTED, MISSING, ELSEWHERE = "connected", "not connected", "access of its own"
"""What an entry of the setting `organisations` is after a login."""


def _settings_of(settings: Settings, wanted: str | None) -> Settings:
    """Those of the entry of `organisations` that is named and has an app or a token of its own; else the common ones."""
    for branch in settings.organisations:
        if wanted in (branch.name, branch.settings.tenant_id) and not _shared(settings, branch.settings):
            return branch.settings
    return settings


def _shared(one: Settings, other: Settings) -> bool:
    """Whether the token of one login serves both."""
    return (one.client_id, one.token_store_path) == (other.client_id, other.token_store_path)


def _entries(
    settings: Settings, logged_in: Settings, connections: Sequence[Connection]
) -> list[dict[str, str]]:
    """The setting `organisations`, entry by entry: where this login leads, and where it does not."""
    names = {one.tenant_id: one.name for one in connections}
    found = []
    for branch in settings.organisations:
        id_ = str(branch.settings.tenant_id)
        ours = _shared(logged_in, branch.settings)
        state = (CONNECTED if id_ in names else MISSING) if ours else ELSEWHERE
        found.append({"entry": branch.name, "tenant_id": id_, "name": names.get(id_, ""), "state": state})
    return found


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
    if not is_terminal():
        return None
    for number, one in enumerate(connections, 1):
        click.echo(f"{number}  {one.name} ({one.tenant_id})", err=True)
    answer: int = click.prompt("Which organisation", type=click.IntRange(1, len(connections)), err=True)
    return connections[answer - 1]


def is_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty()


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


def _table(told: dict[str, Any]) -> RenderableType:
    entries = {entry["tenant_id"]: entry["entry"] for entry in told["organisations"]}
    table = Table(header_style="bold")
    for heading in ("", "organisation", "tenant id"):
        table.add_column(heading)
    for one in told["connected"]:
        mark = entries.get(one["id"], "") if entries else "->" if one == told["organisation"] else ""
        table.add_row(mark, one["name"], one["id"])
    parts: list[RenderableType] = [table, Text(f"The refresh token is in {told['token_store']}, encrypted.")]
    if told["scopes"]:
        parts.append(Text(f"Scopes: {' '.join(told['scopes'])}"))
    parts += [Text(line) for line in _of_entries(told)]
    if told["organisation"] is None and not entries:
        names = ", ".join(f"{one['name']} ({one['id']})" for one in told["connected"])
        parts.append(
            Text(
                f"Several organisations are connected, and nothing says which one is meant: {names}. Set tenant_id to one of these "
                "ids, or log in with --tenant NAME; to write to several of them, use the setting organisations."
            )
        )
    for name, value in told["settings"].items():
        parts.append(
            Text(
                f"Add to the settings: {name}: {value} (TARGET_XERO_{name.upper()}={value}, or under Meltano: meltano config set "
                f"target-xero {name} {value})"
            )
        )
    parts.append(Text(f"Next: {typed('check')}"))
    return Group(*parts)


def _of_entries(told: dict[str, Any]) -> Iterator[str]:
    """What a person must know of the setting `organisations` now."""

    def named(state: str) -> str:
        return ", ".join(
            f"{entry['entry']} ({entry['tenant_id']})"
            for entry in told["organisations"]
            if entry["state"] == state
        )

    if not told["organisations"]:
        return
    yield f"Connected, of the setting organisations: {named(CONNECTED) or 'none'}."
    if missing := named(MISSING):
        yield (
            f"Not connected, but in the setting organisations: {missing}. Run login again and choose them in the browser, one each "
            "time."
        )
    if elsewhere := named(ELSEWHERE):
        yield f"With an app or a token of their own: {elsewhere}. Where that is no custom connection: login --tenant NAME."
    known = {entry["tenant_id"] for entry in told["organisations"]}
    others = ", ".join(one["name"] for one in told["connected"] if one["id"] not in known)
    if others:
        yield f"Connected, but not in the setting organisations: {others}. Nothing is written there."
