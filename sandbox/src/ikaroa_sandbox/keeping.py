"""Keeping a sandbox's data in a file from one start to the next.

The file is written whole beside the old one and then takes its place, so that a crash leaves the one or the other. It is a
pickle and therefore as trustworthy as the account that can write it: give it a path that only you can write.
"""

from __future__ import annotations

import io
import os
import pickle
import sqlite3
import tempfile
import threading
from pathlib import Path
from typing import Any

from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.limits import KEEP_INTERVAL_SECONDS

FORMAT = 2


class _Pickler(pickle.Pickler):
    """Writes an in-memory database as the bytes of its file."""

    def reducer_override(self, value: object) -> Any:
        if not isinstance(value, sqlite3.Connection):
            return NotImplemented
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "database"
            with_file = sqlite3.connect(path)
            value.backup(with_file)
            with_file.close()
            return _database, (path.read_bytes(),)


def _database(written: bytes) -> sqlite3.Connection:
    """The in-memory database whose file these bytes were."""
    opened = sqlite3.connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "database"
        path.write_bytes(written)
        with_file = sqlite3.connect(path)
        with_file.backup(opened)
        with_file.close()
    return opened


def keep(sandbox: Sandbox, path: Path) -> None:
    """Writes both systems' data, the clock, chance and the chosen variants. Faults and journal are not kept."""
    with sandbox.lock:
        sandbox.settle()
        state: dict[str, Any] = {
            "format": FORMAT,
            "systems": {name: backend.save() for name, backend in sandbox.backends.items()},
            "now": sandbox.clock.now(),
            "chance": sandbox.world.random.getstate(),
            "variants": sandbox.variants.chosen(),
            "seeded": dict(sandbox.seeded),
        }
        written = io.BytesIO()
        _Pickler(written).dump(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(written.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def recall(sandbox: Sandbox, path: Path) -> bool:
    """Puts the kept data back; False when there is none. Time does not go back: it is the later of then and now.

    Raises StartError for a file that this version did not write.
    """
    if not path.exists():
        return False
    try:
        state = pickle.loads(path.read_bytes())  # noqa: S301  our own file, see above
        if state["format"] != FORMAT:
            raise StartError(f"{path} was kept by another version of the sandbox; remove it to start anew")
    except (
        pickle.UnpicklingError,
        EOFError,
        AttributeError,
        ImportError,
        IndexError,
        KeyError,
        TypeError,
    ) as error:
        raise StartError(
            f"{path} is not a sandbox's data ({type(error).__name__}); remove it to start anew"
        ) from error
    with sandbox.lock:
        ahead = (state["now"] - sandbox.clock.now()).total_seconds()
        sandbox.clock.advance(max(ahead, 0))
        sandbox.world.random.setstate(state["chance"])
        for rule_id, variant in state["variants"].items():
            if rule_id in sandbox.variants.rules:
                sandbox.variants.choose(rule_id, variant)
        sandbox.seeded = state["seeded"]
        for name, saved in state["systems"].items():
            sandbox.backends[name].restore(saved)
    return True


class Keeper:
    """Keeps a running sandbox's data every few seconds while something happens, and once more when it stops."""

    def __init__(self, sandbox: Sandbox, path: Path) -> None:
        self._sandbox, self._path = sandbox, path
        self._stop = threading.Event()
        self._kept_seq = -1
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        """Starts keeping."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Keeps a last time."""
        self._stop.set()
        self._thread.join()
        keep(self._sandbox, self._path)

    def _run(self) -> None:
        while not self._stop.wait(KEEP_INTERVAL_SECONDS):
            seq = self._sandbox.journal.last_seq
            if seq != self._kept_seq:
                keep(self._sandbox, self._path)
                self._kept_seq = seq
