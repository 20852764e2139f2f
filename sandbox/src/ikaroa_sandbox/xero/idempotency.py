"""`Idempotency-Key`: the answer to a key is kept for 6 minutes and given again to the same request.

Rules (Xero developer docs, idempotent requests): at most 128 characters; PUT and POST only; the key counts within one
app; the same request is the same method, URL and body; another request under a living key is a 400; refusals and
internal errors are kept and given again too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, limits

_LIFE = timedelta(seconds=limits.IDEMPOTENCY_SECONDS)
_PARALLEL = timedelta(seconds=limits.PARALLEL_SECONDS)


@dataclass(frozen=True)
class Kept:
    """A key's first request and its answer."""

    fingerprint: bytes
    first: datetime
    status: int
    headers: dict[str, str]
    body: bytes


class IdempotencyKeys:
    """The living keys of all apps, by app and key."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Kept] = {}

    @staticmethod
    def key_of(request: Request) -> str | None:
        """The key that counts for this request, or None.

        Raises:
            BadRequest: the key is too long.
        """
        if request.method not in {"PUT", "POST"}:
            return None
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > limits.IDEMPOTENCY_KEY_CHARACTERS:
            longest = limits.IDEMPOTENCY_KEY_CHARACTERS
            raise errors.PostDataInvalid(f"Idempotency Key: {key} is longer than {longest} characters.")
        return key or None

    def replay(
        self, app: str, key: str, request: Request, now: datetime, *, parallel_runs: bool
    ) -> Response | None:
        """The kept answer, or None when this request is the first (or the key's 6 minutes are over).

        Args:
            app: client id.
            key: the key.
            request: the request it came with.
            now: this moment.
            parallel_runs: whether a duplicate that arrives while the first is still being served is done once more.

        Raises:
            PostDataInvalid: the key belongs to another request.
        """
        kept = self._kept.get((app, key))
        if kept is None or now - kept.first >= _LIFE:
            return None
        if kept.fingerprint != _fingerprint(request):
            raise errors.PostDataInvalid(f"Idempotency Key: {key} is used with a different request.")
        if parallel_runs and request.in_flight > 1 and now - kept.first <= _PARALLEL:
            return None
        return Response(kept.status, dict(kept.headers), kept.body)

    def keep(self, app: str, key: str, request: Request, response: Response, now: datetime) -> None:
        """Keeps the answer to a key's first request, and forgets keys whose time is over once there are many."""
        kept = self._kept.get((app, key))
        if kept is None or now - kept.first >= _LIFE:
            answer = response.status, dict(response.headers), response.body
            self._kept[app, key] = Kept(_fingerprint(request), now, *answer)
        if len(self._kept) > limits.IDEMPOTENCY_KEYS_SWEPT_FROM:
            self._kept = {name: kept for name, kept in self._kept.items() if now - kept.first < _LIFE}

    def save(self) -> dict[tuple[str, str], Kept]:
        """A copy for `restore`."""
        return dict(self._kept)

    def restore(self, saved: dict[tuple[str, str], Kept]) -> None:
        """Puts a copy back."""
        self._kept = dict(saved)


def _fingerprint(request: Request) -> bytes:
    digest = hashlib.blake2b(f"{request.method} {request.path}?{request.query}\n".encode(), digest_size=16)
    digest.update(request.body)
    return digest.digest()
