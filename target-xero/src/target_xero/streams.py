"""The process's own streams: there, whoever started us, and no traceback where they take nothing."""

from __future__ import annotations

import os
import sys

from target_xero.errors import OutputError


def open_missing() -> None:
    """Puts the null device where a stream was closed before we began: a file of ours would get its number else."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def to_stdout(text: str) -> None:
    """Writes all of it, at once.

    Raises:
        BrokenPipeError: nobody reads it.
        OutputError: it cannot be written, and will not be: stdout leads nowhere from here on.
    """
    try:
        sys.stdout.flush()
        out = getattr(sys.stdout, "buffer", None)
        if out is None:  # text in memory
            sys.stdout.write(text)
            return
        rest = memoryview(text.encode())
        while (
            rest
        ):  # an unbuffered output (PYTHONUNBUFFERED) takes a part only where a signal comes in between
            rest = rest[out.write(rest) :]
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as failure:
        give_up_stdout()
        raise OutputError(f"stdout cannot be written ({failure.strerror or failure})") from None


def give_up_stdout() -> None:
    """Keeps Python from complaining at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
