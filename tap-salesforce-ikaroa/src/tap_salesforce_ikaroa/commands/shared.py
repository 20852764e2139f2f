"""What all commands share: where the settings come from, how answers look, how a failure ends.

Settings come from `--config` (files, or `ENV`), like those of a run; without it from the environment, where Meltano puts
them. Answers go to stdout, as tables or with `--json` as one JSON document; what went wrong goes to stderr.

Exit codes: 0 it is well; 1 it is not; 2 the command was not understood; 128 + n ended by signal n.
"""

from __future__ import annotations

import functools
import json
import sys
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console, RenderableType
from singer_sdk.exceptions import ConfigValidationError

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.answers import learn_names, safe_text
from tap_salesforce_ikaroa.errors import TapError
from tap_salesforce_ikaroa.transport import RetryPolicy

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

F = TypeVar("F", bound=Callable[..., int])


@dataclass
class World:
    """Where a command runs; a test puts a sandbox here (click's `obj`)."""

    adapter: BaseAdapter | None = None
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(retries=limits.RETRIES_AT_A_DESK))
    browser: Callable[[str], object] = webbrowser.open
    """Shows an address to a person."""


@dataclass
class Desk:
    """What a command is given: the settings, the world, and how to answer."""

    config: Mapping[str, Any]
    world: World
    as_json: bool

    def answer(self, table: RenderableType, data: Any) -> None:
        """Shows `data` to a program, or `table` to a person."""
        if self.as_json:
            sys.stdout.write(f"{json.dumps(data, ensure_ascii=False)}\n")
            return
        width = None if sys.stdout.isatty() else limits.REPORT_WIDTH
        Console(file=sys.stdout, width=width, highlight=False).print(table)


def read_settings(config: tuple[str, ...]) -> Mapping[str, Any]:
    """The settings a run with the same `--config` would have.

    Raises:
        ConfigValidationError: a setting has another form.
        click.BadParameter: a file cannot be read.
    """
    from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa  # noqa: PLC0415  the SDK takes a while to import

    given = TapSalesforceIkaroa.cb_config(
        click.get_current_context(), click.Option(["--config"]), config or ("ENV",)
    )
    tap = TapSalesforceIkaroa(config=given.config, parse_env_config=given.parse_env, setup_mapper=False)
    return {**tap.config, "max_retries": min(int(tap.config["max_retries"]), limits.RETRIES_AT_A_DESK)}


def desk(work: F) -> Callable[..., Any]:
    """Makes a function `work(desk, …) -> exit code` a command's callback, with `--config` and `--json`."""

    @click.option(
        "--config", multiple=True, help="A settings file, or ENV (the default) for the environment."
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")
    @click.pass_context
    @functools.wraps(work)
    def callback(ctx: click.Context, /, config: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: FBT001
        from tap_salesforce_ikaroa.writer import Terminated  # noqa: PLC0415  the SDK takes a while to import

        world = ctx.obj if isinstance(ctx.obj, World) else World()
        try:
            code = work(Desk(read_settings(config), world, as_json), **options)
        except TapError as failure:
            code = _failed(str(failure), as_json=as_json)
        except Terminated as signal:
            code = _failed("ended before it was done", as_json=as_json, code=128 + signal.signum)
        except ConfigValidationError as failure:
            from tap_salesforce_ikaroa.settings import SETTINGS  # noqa: PLC0415  the SDK takes a while to import

            learn_names(SETTINGS["properties"])
            code = _failed(
                f"settings that cannot be used: {safe_text('; '.join(failure.errors))}", as_json=as_json
            )
        ctx.exit(code)

    return callback


def _failed(message: str, *, as_json: bool, code: int = 1) -> int:
    if as_json:
        sys.stdout.write(json.dumps({"error": message}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"tap-salesforce-ikaroa: {message}\n")
    return code
