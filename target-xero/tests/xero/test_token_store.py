"""The token file: encrypted, whole at every moment, ours alone."""

from __future__ import annotations

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest
from target_xero.errors import ConfigurationError
from target_xero.xero.secret import Secret
from target_xero.xero.token_store import TokenStore, read_key

KEY = bytes(range(32))


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens" / "xero-token.json", KEY, "client")


def _save(store: TokenStore, *tokens: str, seed: str = "seed") -> None:
    for token in tokens:
        with store.locked():
            store.save(Secret(token), seed)


def test_what_was_saved_last_comes_first_and_the_one_before_is_kept(store: TokenStore) -> None:
    _save(store, "one", "two", "three")
    assert [g.refresh_token.reveal() for g in store.read()] == ["three", "two"]
    assert [g.number for g in store.read()] == [3, 2]


def test_a_new_seed_begins_a_new_line(store: TokenStore) -> None:
    _save(store, "one", "two")
    _save(store, "new", seed="other")
    assert [g.refresh_token.reveal() for g in store.read()] == ["new"]


def test_nothing_of_a_token_is_readable_in_the_file(store: TokenStore) -> None:
    _save(store, "very-secret-token")
    content = store._path.read_bytes()
    assert b"very-secret" not in content
    assert base64.b64encode(b"very-secret-token")[:12] not in content


def test_the_file_is_for_its_owner_only_and_so_it_must_stay(store: TokenStore) -> None:
    _save(store, "one")
    assert stat.S_IMODE(store._path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store._path.parent.stat().st_mode) == 0o700
    store._path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        store.read()


def test_another_key_or_client_does_not_open_it(store: TokenStore) -> None:
    _save(store, "one")
    for other in (TokenStore(store._path, bytes(32), "client"), TokenStore(store._path, KEY, "another")):
        with pytest.raises(ConfigurationError, match="does not open"):
            other.read()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"generations": [{"number": 1}]}', b"\x00" * 40, b'{"generations": 3}']
)
def test_a_damaged_file_is_named_and_never_taken_for_an_empty_one(store: TokenStore, content: bytes) -> None:
    _save(store, "one")
    store._path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        store.read()


def test_a_generation_cannot_pass_for_another_one(store: TokenStore) -> None:
    _save(store, "one", "two")
    text = store._path.read_text()
    store._path.write_text(text.replace('"number": 2', '"number": 9'))
    with pytest.raises(ConfigurationError, match="does not open"):
        store.read()


def test_no_file_is_no_token(store: TokenStore) -> None:
    assert store.read() == []


def test_a_write_that_fails_leaves_the_old_file_and_says_what_to_do(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save(store, "one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("target_xero.xero.token_store.os.fsync", full)
    with pytest.raises(ConfigurationError, match=r"No space left on device.*target-xero login") as caught:
        _save(store, "two")
    assert "two" not in str(caught.value)
    monkeypatch.undo()
    assert [g.refresh_token.reveal() for g in store.read()] == ["one"]
    assert [path.name for path in store._path.parent.iterdir() if path.name.startswith(".")] == []


def _count_up(path: Path, times: int) -> None:
    store = TokenStore(path, KEY, "client")
    for _ in range(times):
        with store.locked():
            held = store.read()
            value = int(held[0].refresh_token.reveal()) if held else 0
            store.save(Secret(str(value + 1)), "seed")


@pytest.mark.slow
def test_processes_take_turns(store: TokenStore) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count_up, args=(store._path, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert store.read()[0].refresh_token.reveal() == "30"


def test_keys_come_as_hex_or_base64() -> None:
    assert read_key(Secret(KEY.hex())) == KEY
    assert read_key(Secret(base64.b64encode(KEY).decode())) == KEY
    assert read_key(Secret(base64.urlsafe_b64encode(KEY).decode())) == KEY


@pytest.mark.parametrize("text", ["short", "00" * 31, "zz" * 32, "a passphrase somebody thought of"])
def test_a_key_of_another_shape_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes") as caught:
        read_key(Secret(text))
    assert text not in str(caught.value)


def test_a_place_that_takes_nothing_is_told_before_a_token_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = TokenStore(tmp_path / "file" / "xero-token.json", KEY, "client")
    with pytest.raises(ConfigurationError, match=r"cannot be written: .*token_store_path"), store.locked():
        pytest.fail("it was let in")
