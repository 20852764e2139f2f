"""Where a rotating refresh token lives between runs: one small encrypted file, two generations, one user at a time.

The file is AES-256-GCM under a key that is not beside it. It is written to a temporary file, flushed to disk and renamed, so
that it is whole at every moment, and it keeps the generation before the newest: Xero accepts the old token for a while when
the answer with the new one was lost. A lock file makes read, refresh and save one step for all processes of this machine.

    {"format": 1, "generations": [{"number": 7, "nonce": "…", "sealed": "…"}, {"number": 6, …}]}
    sealed = {"refresh_token": "…", "seed": "…", "saved_at": "…"}      `seed` names the configured token it all came from
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from target_xero.errors import ConfigurationError
from target_xero.xero.secret import Secret

KEY_BYTES = 32
NONCE_BYTES = 12
GENERATIONS = 2


@dataclass(frozen=True)
class Generation:
    """One refresh token and the configured token its line began with."""

    number: int
    refresh_token: Secret
    seed: str


def read_key(key: Secret) -> bytes:
    """The 32 bytes of a key given as 64 hex digits or in base64.

    Raises:
        ConfigurationError: it is neither.
    """
    text = key.reveal()
    for decode in (bytes.fromhex, lambda value: base64.b64decode(value, altchars=b"-_", validate=True)):
        try:
            raw = decode(text)
        except ValueError:
            continue
        if len(raw) == KEY_BYTES:
            return raw
    raise ConfigurationError(
        "setting token_store_key: 32 bytes are expected, as 64 hex digits or in base64. Make one with: "
        'python3 -c "import secrets; print(secrets.token_hex(32))"'
    )


class TokenStore:
    """The token file of one Xero app (client id). Use it inside `locked()`."""

    def __init__(self, place: Path | str, key: bytes, client_id: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  most runs have no store

        self._path = Path(place)
        self._name = f"token store {place}"
        self._cipher = AESGCM(key)
        self._key = key
        self._client_id = client_id

    def fingerprint(self, token: Secret) -> str:
        """Names a token without giving anything away, even to who reads the file's content."""
        return hashlib.blake2b(token.reveal().encode(), key=self._key, digest_size=16).hexdigest()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time from here on; waits for the other. The lock dies with the process.

        Raises:
            ConfigurationError: nothing can be kept there. No token was used yet.
        """
        with self._writing("Check the setting token_store_path, and the rights and the disk of its folder"):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _writing(self, cure: str) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise ConfigurationError(f"{self._name} cannot be written: {failure.strerror}. {cure}") from None

    def read(self) -> list[Generation]:
        """The generations, newest first; empty when there is no file yet.

        Raises:
            ConfigurationError: others may read the file, or it is not ours, or the key is not the one it was sealed with.
        """
        content = self._load()
        if content is None:
            return []
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  as above

        try:
            entries = json.loads(content)["generations"]
            return [self._unseal(entry) for entry in entries]
        except InvalidTag:
            raise ConfigurationError(
                f"{self._name} does not open with this token_store_key and client_id. Give the key it was made "
                "with, or remove it and run `target-xero login` (or set a new refresh_token)"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(
                f"{self._name} is damaged. Remove it and run `target-xero login` (or set a new refresh_token)"
            ) from None

    @property
    def exists(self) -> bool:
        """Whether a token is kept there."""
        return self._path.exists()

    def _load(self) -> bytes | None:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise ConfigurationError(f"{self._name} cannot be opened: {failure.strerror}") from None
        with os.fdopen(handle, "rb") as file:
            self._check_owner(os.fstat(file.fileno()))
            return file.read()

    def save(self, refresh_token: Secret, seed: str) -> None:
        """Makes this the newest generation and keeps the one before. Returns when it is on disk.

        Raises:
            ConfigurationError: it could not be kept; the file is as it was.
        """
        before = [generation for generation in self.read() if generation.seed == seed]
        number = before[0].number + 1 if before else 1
        newest = Generation(number, refresh_token, seed)
        kept = [newest, *before][:GENERATIONS]
        content = {"format": 1, "generations": [self._seal(generation) for generation in kept]}
        with self._writing(
            "Make room, or let it be written, and run again soon: Xero takes the token before this one a short while yet. If it "
            "does not, run `target-xero login` or set a new refresh_token"
        ):
            self._replace(json.dumps(content).encode())

    def _replace(self, content: bytes) -> None:
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check_owner(self, status: os.stat_result) -> None:
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise ConfigurationError(
                f"{self._name} must belong to the user who runs this and to nobody else: chmod 600 {self._path}"
            )

    def _about(self, number: int) -> bytes:
        return f"xero|{self._client_id}|{number}".encode()

    def _seal(self, generation: Generation) -> dict[str, Any]:
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = {
            "refresh_token": generation.refresh_token.reveal(),
            "seed": generation.seed,
            "saved_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        sealed = self._cipher.encrypt(nonce, json.dumps(content).encode(), self._about(generation.number))
        return {"number": generation.number, "nonce": _text(nonce), "sealed": _text(sealed)}

    def _unseal(self, entry: dict[str, Any]) -> Generation:
        number = int(entry["number"])
        sealed = base64.b64decode(entry["sealed"])
        content = json.loads(
            self._cipher.decrypt(base64.b64decode(entry["nonce"]), sealed, self._about(number))
        )
        return Generation(number, Secret(content["refresh_token"]), content["seed"])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
