"""The command `ikaroa-sandbox`: serve both systems, or print which of the platforms' rules they keep."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ikaroa_sandbox import server
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.control import PREFIX
from ikaroa_sandbox.core import PROFILES, Clock
from ikaroa_sandbox.credentials import demo_credentials
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.fidelity import fidelity_page
from ikaroa_sandbox.keeping import Keeper, recall
from ikaroa_sandbox.systems import standard_systems
from ikaroa_sandbox.times import parse_iso
from ikaroa_sandbox.tls import Identity, server_identity

if TYPE_CHECKING:
    from ikaroa_sandbox.salesforce.pubsub import PubSubServer


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    r"""Salesforce and Xero on your own machine: both APIs, stateful, with their own rules, limits and error texts.

    \b
    ikaroa-sandbox serve --port 8790
    then open http://127.0.0.1:8790/_sandbox/ for addresses, credentials and everything that can be done
    """


@main.command(short_help="Runs both systems on one port of this machine.")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    envvar="IKAROA_SANDBOX_SEED",
    help="Which data; the same seed gives the same data.",
)
@click.option(
    "--profile", type=click.Choice(PROFILES), default="default", show_default=True, help="What kind of data."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    envvar="IKAROA_SANDBOX_PORT",
    help="Port to listen on; a free one unless given.",
)
@click.option(
    "--pubsub-port",
    type=click.IntRange(0, 65535),
    envvar="IKAROA_SANDBOX_PUBSUB_PORT",
    help="Port of Salesforce's Pub/Sub API (gRPC), 0 for a free one; not served unless given.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on; no other is taken."
)
@click.option(
    "--now",
    "start",
    help="The sandbox's time at start, ISO 8601 (2026-11-02T09:00:00Z); the real time unless given.",
)
@click.option("--tls", is_flag=True, help="Speak https, for clients that cannot speak http.")
@click.option(
    "--tls-ca",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the CA certificate for clients.",
)
@click.option(
    "--load",
    "loads",
    multiple=True,
    metavar="OBJECT=COUNT",
    help="Adds so many records of a Salesforce object, made of its own template: Contact=100000. May be repeated.",
)
@click.option(
    "--state",
    envvar="IKAROA_SANDBOX_STATE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps the data from one start to the next; --seed and --profile make it the first time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when ready, and nothing else.")
def serve(  # noqa: PLR0913  one argument an option
    *,
    seed: int,
    profile: str,
    port: int,
    pubsub_port: int | None,
    host: str,
    start: str | None,
    tls: bool,
    tls_ca: Path | None,
    loads: tuple[str, ...],
    state: Path | None,
    as_json: bool,
) -> None:
    """Runs both systems on one port of this machine until it is interrupted."""
    try:
        clock = Clock(_start(start), time.monotonic)
        _check_tls(tls, tls_ca)
        listener = server.bind(host, port)
        identity = server_identity(tls_ca) if tls_ca else None
        kept = state is not None and state.exists()
        sandbox = Sandbox(None if kept else seed, profile, clock, ticker=time.monotonic)
        if not kept:
            _load(sandbox, loads)
        if state is not None:
            recall(sandbox, state)
        events = _events(sandbox, pubsub_port, identity)
    except StartError as error:
        click.echo(f"ikaroa-sandbox: {error}", err=True)
        sys.exit(1)
    bound_port = listener.getsockname()[1]
    shown_host = f"[{host}]" if ":" in host else host
    url = f"{'https' if tls else 'http'}://{shown_host}:{bound_port}"
    facts = {
        "url": url,
        "port": bound_port,
        "pid": os.getpid(),
        "seed": sandbox.seeded["seed"],
        "profile": sandbox.seeded["profile"],
        **demo_credentials(url),
    }
    if events is not None:
        facts["salesforce"]["pubsub_endpoint"] = events.endpoint

    def ready() -> None:
        click.echo(json.dumps(facts) if as_json else _screen(facts, sandbox))
        sys.stdout.flush()

    # uvicorn stops in good order on these two, then raises them once more for whoever started it: here that is the end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    with Keeper(sandbox, state) if state else contextlib.nullcontext():
        try:
            server.serve(sandbox, listener, ready=ready, tls=identity.context if identity else None)
        finally:
            if events is not None:
                events.stop()
    if not as_json:
        click.echo(f"The sandbox has stopped; its data is {f'kept in {state}' if state else 'gone'}.")


@main.command()
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to this file.")
def fidelity(write: Path | None) -> None:
    """Prints which rules are kept, and from where they are known.

    As a page in Markdown, with what the sandbox does not do.
    """
    page = fidelity_page(rule for system in standard_systems() for rule in system.rules)
    if write is None:
        click.echo(page, nl=False)
    else:
        write.write_text(page, encoding="utf-8")
        click.echo(f"wrote {write}")


def _events(sandbox: Sandbox, port: int | None, identity: Identity | None) -> PubSubServer | None:
    """The Pub/Sub API's server, started; imported only where it is wanted, for gRPC takes a while."""
    if port is None:
        return None
    import grpc  # noqa: PLC0415

    from ikaroa_sandbox.salesforce.pubsub import PubSubServer as Served  # noqa: PLC0415

    credentials = grpc.ssl_server_credentials([(identity.key, identity.chain)]) if identity else None
    events = Served(sandbox, port, credentials=credentials)
    events.start()
    return events


def _load(sandbox: Sandbox, loads: tuple[str, ...]) -> None:
    """Fills the org with as many records as were asked for."""
    for load in loads:
        name, _, count = load.partition("=")
        try:
            command = {"action": "bulk_load", "object": name, "count": int(count), "apart_seconds": 1}
            sandbox.edit("salesforce", command)
        except ValueError as error:
            raise StartError(
                f"--load takes OBJECT=COUNT, such as Contact=100000; {load!r}: {error}"
            ) from error


def _check_tls(tls: object, tls_ca: Path | None) -> None:
    if bool(tls) != (tls_ca is not None):
        raise StartError(
            "--tls and --tls-ca FILE go together: clients need the CA certificate to trust the sandbox"
        )


def _start(text: str | None) -> datetime:
    if text is None:
        return datetime.now(timezone.utc)
    try:
        return parse_iso(text)
    except ValueError as error:
        raise StartError(f"--now takes a time such as 2026-11-02T09:00:00Z, not {text!r}") from error


def _screen(facts: dict[str, Any], sandbox: Sandbox) -> str:
    salesforce, xero = facts["salesforce"], facts["xero"]
    records = sandbox.seeded["records"]
    counts = "\n".join(
        f"  {name:<11} {', '.join(f'{count} {kind}' for kind, count in kinds.items())}"
        for name, kinds in records.items()
    )
    endpoint = salesforce.get("pubsub_endpoint")
    events = f"\n    change events  {endpoint}  (Pub/Sub API, gRPC)" if endpoint else ""
    return f"""
The sandbox is ready: Salesforce and Xero, simulated, on this machine only.

  Salesforce   {salesforce["instance_url"]}
    client id      {salesforce["client_id"]}
    client secret  {salesforce["client_secret"]}
    refresh token  {salesforce["refresh_token"]}
    user name      {salesforce["username"]}{events}

  Xero         {xero["api_url"]}
    token URL      {xero["token_url"]}
    client id      {xero["client_id"]}
    client secret  {xero["client_secret"]}
    refresh token  {xero["refresh_token"]}

  Control      {facts["url"]}{PREFIX}/   (reset, seed, edit, clock, faults, journal, snapshot)

Seed {facts["seed"]}, profile {facts["profile"]}:
{counts or "  no records"}

Stop it with Ctrl-C (or: kill {facts["pid"]}).
"""


if __name__ == "__main__":
    main()
