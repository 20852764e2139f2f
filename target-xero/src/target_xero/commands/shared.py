"""What all commands share: where the settings come from, how answers look, how a failure ends.

Settings come from `--config` (files, or `ENV`), like those of a run; without it from the environment, where Meltano puts them.
Answers go to stdout, as tables or with `--json` as one JSON document; what went wrong goes to stderr.

Exit codes: 0 it is well; 1 it is not (a difference, something refused, no access); 2 the command was not understood.
"""

from __future__ import annotations

import functools
import json
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click
import simplejson
from crm_to_xero.errors import CrmToXeroError
from rich.console import RenderableType
from singer_sdk.exceptions import ConfigValidationError
from sqlalchemy.exc import SQLAlchemyError

from target_xero.errors import ConfigurationError, TargetXeroError
from target_xero.ledger.database import sentence_of
from target_xero.settings import Settings
from target_xero.streams import give_up_stdout
from target_xero.terminal import as_typed, console
from target_xero.xero.pacing import Timing

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from target_xero.target import TargetXero

F = TypeVar("F", bound=Callable[..., int])


@dataclass
class World:
    """Where a command runs; a test puts a sandbox and its clock here (click's `obj`)."""

    adapter: BaseAdapter | None = None
    timing: Timing | None = None
    browser: Callable[[str], object] = webbrowser.open
    """Shows an address to a person."""
    wall: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    """This machine's clock."""


@dataclass
class Desk:
    """What a command is given: the settings, the world, and how to answer."""

    settings: Settings
    world: World
    as_json: bool

    def answer(self, table: RenderableType, data: Any) -> None:
        """Shows `data` to a program, or `table` to a person."""
        if self.as_json:
            told = simplejson.dumps(data, use_decimal=True, default=str, ensure_ascii=False)
            sys.stdout.write(f"{as_typed(told)}\n")
            return
        console(sys.stdout).print(table, crop=False)


def read_settings(config: tuple[str, ...]) -> Settings:
    """The settings a run with the same `--config` would have. Raises as `read_target` does."""
    return read_target(config).settings


def read_target(config: tuple[str, ...]) -> TargetXero:
    """The target as a run with the same `--config` would make it.

    Raises:
        ConfigurationError: a setting is wrong.
        click.BadParameter: a file cannot be read.
    """
    from target_xero.target import TargetXero  # noqa: PLC0415  the SDK takes a while to import

    given = TargetXero.cb_config(click.get_current_context(), click.Option(["--config"]), config or ("ENV",))
    try:
        return TargetXero(config=given.config, parse_env_config=given.parse_env)
    except ConfigValidationError as wrong:
        raise ConfigurationError(f"settings that cannot be used: {'; '.join(wrong.errors)}") from None


def desk(work: F) -> Callable[..., Any]:
    """Makes a function `work(desk, …) -> exit code` a command's callback, with `--config` and `--json`."""

    @click.option(
        "--config", multiple=True, help="A settings file, or ENV (the default) for the environment."
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")
    @click.pass_context
    @functools.wraps(work)
    def callback(ctx: click.Context, /, config: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: FBT001
        world = ctx.obj if isinstance(ctx.obj, World) else World()
        try:
            code = work(Desk(read_settings(config), world, as_json), **options)
            sys.stdout.flush()
        except OSError as failure:
            if isinstance(failure, BrokenPipeError):
                raise  # click ends quietly: whoever reads has enough
            give_up_stdout()
            what = failure.filename or "the answer to stdout"
            code = _failed(f"cannot write {what} ({failure.strerror or failure})", as_json=False)
        except (TargetXeroError, CrmToXeroError) as failure:
            code = _failed(str(failure), as_json=as_json)
        except SQLAlchemyError as failure:
            code = _failed(sentence_of(failure), as_json=as_json)
        ctx.exit(code)

    return callback


def _failed(sentence: str, *, as_json: bool) -> int:
    message = as_typed(sentence)
    if as_json:
        sys.stdout.write(json.dumps({"error": message}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"target-xero: {message}\n")
    return 1


def money(minor: int | None) -> str:
    """Hundredths as exact text for `--json`, empty for none."""
    return "" if minor is None else str(Decimal(minor).scaleb(-2))
