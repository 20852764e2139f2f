"""The file that keeps rotating tokens: private, whole, sealed."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import stat
from pathlib import Path

import pytest
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.token_store import StoredTokens, TokenStore

KEY = base64.b64encode(bytes(range(32))).decode()
FIRST = StoredTokens("first token", None, 1, "seed")
SECOND = StoredTokens("second token", "first token", 2, "seed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


def test_what_is_saved_is_read_and_two_generations_are_kept(path: Path) -> None:
    store = TokenStore(path, KEY, "client")
    assert store.read() is None
    store.save(FIRST)
    store.save(SECOND)
    assert TokenStore(path, KEY, "client").read() == SECOND


def test_only_the_owner_can_read_it(path: Path) -> None:
    TokenStore(path, KEY, "client").save(FIRST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        TokenStore(path, KEY, "client").read()


def test_no_token_stands_in_it(path: Path) -> None:
    TokenStore(path, KEY, "client").save(SECOND)
    assert b"token" not in path.read_bytes()


@pytest.mark.parametrize("what", ["key", "client", "generation", "byte", "garbage"])
def test_it_opens_for_nobody_else_and_not_when_tampered_with(path: Path, what: str) -> None:
    TokenStore(path, KEY, "client").save(FIRST)
    envelope = json.loads(path.read_text())
    key, client = KEY, "client"
    if what == "key":
        key = "ff" * 32
    elif what == "client":
        client = "other"
    elif what == "generation":
        envelope["generation"] = 7
    elif what == "byte":
        sealed = bytearray(base64.b64decode(envelope["sealed"]))
        sealed[-1] ^= 1
        envelope["sealed"] = base64.b64encode(bytes(sealed)).decode()
    path.write_text("{}" if what == "garbage" else json.dumps(envelope))
    with pytest.raises(SettingsError, match="cannot be opened"):
        TokenStore(path, key, client).read()


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_crash_while_saving_leaves_the_old_file_whole(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TokenStore(path, KEY, "client")
    store.save(FIRST)

    def crash(*_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(step, crash)
        with pytest.raises(OSError, match="power cut"):
            store.save(SECOND)
    assert store.read() == FIRST
    assert [entry for entry in path.parent.iterdir() if entry.name.startswith(".")] == []


def test_two_holders_of_the_lock_wait_for_each_other(path: Path) -> None:
    store = TokenStore(path, KEY, "client")
    with store.locked():
        other = os.open(f"{path}.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
