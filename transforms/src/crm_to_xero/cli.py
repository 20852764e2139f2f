"""The executable. A run with one configuration file, as schedulers start it, needs nothing of the SDK but for the unusual line."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crm_to_xero.errors import MappingFileError
from crm_to_xero.loader import load_mapping
from crm_to_xero.pipe import Pipe

_PLUGIN = "crm-to-xero"
_LOGGING = ("SINGER_SDK_LOG_CONFIG", "CRM_TO_XERO_LOGLEVEL", "LOGLEVEL")
"""Environment variables by which somebody wants log lines that only the SDK writes."""
_UNKNOWN_STREAMS = ("pass", "drop")


def main() -> None:
    """`crm-to-xero [--config FILE] …`."""
    gc.disable()  # modules are no garbage: looking for some while they are made takes a fifth of the start
    pipe = _plain_run(sys.argv[1:])
    gc.freeze()
    gc.enable()
    try:
        if pipe and pipe.run():
            _log(f"Completed {pipe.lines} lines of input")
        else:
            _run_plugin(pipe)
    except KeyboardInterrupt:
        sys.exit("Aborted!")
    except OSError as failure:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its exit
        if isinstance(failure, BrokenPipeError):
            sys.exit(f"{_PLUGIN}: nobody reads stdout any more; what read it says why.")
        why = failure.strerror or failure
        sys.exit(
            f"{_PLUGIN}: reading or writing failed ({why}). STATE never runs ahead of what was written: start again."
        )


def _run_plugin(pipe: Pipe | None) -> None:
    """The whole run, or what a pipe leaves of it, in the SDK's hands; ends the process."""
    from crm_to_xero.mapper import CrmToXeroMapper  # noqa: PLC0415  takes the SDK with it

    CrmToXeroMapper.begun = pipe
    CrmToXeroMapper.cli()


def _plain_run(arguments: Sequence[str]) -> Pipe | None:
    """The pipe of a run that needs no SDK to begin; None for all else, wrong settings included."""
    if len(arguments) != 2 or arguments[0] != "--config" or any(map(os.environ.get, _LOGGING)):
        return None
    try:
        config = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
        return _pipe_of(**config)
    except (OSError, ValueError, TypeError, RecursionError, MappingFileError):
        return None  # the SDK says what is wrong


def _pipe_of(
    mapping: Any = "salesforce", mapping_options: Any = None, unknown_streams: Any = _UNKNOWN_STREAMS[0]
) -> Pipe | None:
    """The pipe of these settings (see `CrmToXeroMapper.config_jsonschema`), where they are right."""
    right = (
        isinstance(mapping, str)
        and (mapping_options is None or isinstance(mapping_options, dict))
        and unknown_streams in _UNKNOWN_STREAMS
    )
    return Pipe(load_mapping(mapping, mapping_options)) if right else None


def _log(text: str) -> None:
    """A line as the SDK's log has them."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    print(f"{stamp},{int(now % 1 * 1000):03d} | INFO     | {_PLUGIN:<30} | {text}", file=sys.stderr)
