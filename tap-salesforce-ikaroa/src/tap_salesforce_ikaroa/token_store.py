"""Where a rotating refresh token is kept: one encrypted file, saved before the token is used.

Salesforce can give a new refresh token with each renewal and void the old one. A run that loses the new one locks the
user out, so the file is written whole and synced to disk (temporary file, fsync, rename, fsync of the folder) before
the token is used, under a lock that lets one process renew at a time. It holds two generations: the newest token and
the one before it, for the case that Salesforce did not keep the newest.

AES-256-GCM; the generation and the client id are bound in as associated data. Mode 0600.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap_salesforce_ikaroa.errors import SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12
HOW_TO_MAKE_A_KEY = 'python -c "import os,base64; print(base64.b64encode(os.urandom(32)).decode())"'


@dataclass(frozen=True)
class StoredTokens:
    """What the file holds. `seed` is a fingerprint of the configured token that the chain began with."""

    current: str
    previous: str | None
    generation: int
    seed: str


def fingerprint(token: str) -> str:
    """A one-way mark of a token, by which a newly configured one is told from the one known."""
    return hashlib.sha256(b"seed|" + token.encode()).hexdigest()


class TokenStore:
    """The file. Use `locked` around read, renewal and save."""

    def __init__(self, path: Path, key: str, client_id: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  most runs have no store

        self._path = path.expanduser()
        self._cipher = AESGCM(_key_bytes(key))
        self._client_id = client_id

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the lock; other processes wait.

        Raises:
            SettingsError: this system has no such locks.
        """
        try:
            import fcntl  # noqa: PLC0415  not on Windows, where all but this store works
        except ImportError:
            raise SettingsError(
                "`token_store_path` needs a POSIX system. Use client credentials or JWT, which store nothing"
            ) from None
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read(self) -> StoredTokens | None:
        """What was saved last; None when nothing was.

        Raises:
            SettingsError: readable by others, damaged, or sealed with another key.
        """
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        status = self._path.stat()
        if status.st_mode & 0o077 or status.st_uid != os.geteuid():
            raise SettingsError(
                f"the token store {self._path} can be read by others or belongs to someone else. "
                f"Run `chmod 600 {self._path}` as its owner"
            )
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  as above

        try:
            envelope = json.loads(raw)
            generation = int(envelope["generation"])
            sealed = base64.b64decode(envelope["sealed"], validate=True)
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(generation))
            content: dict[str, Any] = json.loads(plain)
            return StoredTokens(content["current"], content["previous"], generation, content["seed"])
        except (ValueError, KeyError, TypeError, binascii.Error, InvalidTag):
            raise SettingsError(
                f"the token store {self._path} cannot be opened: another `token_store_key`, another `client_id`, or a "
                "damaged file. Put the right key back, or delete the file and log in anew"
            ) from None

    def save(self, tokens: StoredTokens) -> None:
        """Writes the file whole and waits until it is on disk."""
        plain = json.dumps(
            {"current": tokens.current, "previous": tokens.previous, "seed": tokens.seed}
        ).encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, self._bound(tokens.generation))
        envelope = {"generation": tokens.generation, "sealed": base64.b64encode(sealed).decode()}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:  # mkstemp made it 0600
                file.write(json.dumps(envelope).encode())
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _bound(self, generation: int) -> bytes:
        return f"salesforce|{self._client_id}|{generation}".encode()


def _key_bytes(text: str) -> bytes:
    for decode in (bytes.fromhex, base64.b64decode, base64.urlsafe_b64decode):
        try:
            key = decode(text.strip())
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise SettingsError(
        "`token_store_key` must be 32 random bytes in base64 or hex. Make one with: " + HOW_TO_MAKE_A_KEY
    )
