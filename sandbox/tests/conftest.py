"""A small system of our own, so that the shell is tested apart from both halves."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Request, Response, Rule, World
from ikaroa_sandbox.systems import System

NOTE_RULES = (
    Rule("notes.length", "A note has at most 20 characters.", "documented", "the test"),
    Rule(
        "notes.answer", "What a created note answers with.", "assumed", "the test", ("whole", "id", "nothing")
    ),
)


class Notes:
    """A system with one kind of record: POST /notes/ adds a text, GET lists them; a bearer token may be needed."""

    def __init__(self, world: World, name: str = "xero") -> None:
        self.world = world
        self.name = name
        self.prefix = f"/{name}-notes"
        self.reset()

    def owns(self, request: Request) -> bool:
        return request.path.startswith(self.prefix)

    def handle(self, request: Request) -> Response:
        if request.path.endswith("/defect"):
            raise RuntimeError("a defect on purpose")
        if request.path.endswith("/token"):
            self.epoch_given = self.epoch
            return self._json(200, {"access_token": f"token-{self.epoch}"})
        token = request.headers.get("Authorization", f"Bearer token-{self.epoch}")
        if token != f"Bearer token-{self.epoch}":
            return self._json(401, {"error": "expired"})
        if request.method == "GET":
            return self._json(200, {"notes": [note["text"] for note in self.notes]})
        note = {
            "id": len(self.notes) + 1,
            "text": request.body.decode(),
            "at": self.world.clock.now().isoformat(),
        }
        self.notes.append(note)
        answer = self._json(200, note)
        answer.effects.append({"created": note["id"]})
        return answer

    @staticmethod
    def _json(status: int, value: Any) -> Response:
        return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def fault(self, kind: str, request: Request) -> Response | None:
        if kind == "429_minute":
            return Response(429, {"Retry-After": "26", "X-Rate-Limit-Problem": "minute"})
        if kind in ("500", "note_locked"):
            return self._json(500, {"fault": kind})
        return None

    def expire_tokens(self) -> None:
        self.epoch += 1

    def reset(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.epoch = 1

    def seed(self, seed: int, profile: str) -> dict[str, int]:
        chance = random.Random(f"{self.name}:{seed}:{profile}")
        self.notes = [{"id": n + 1, "text": f"{chance.random():.6f}"} for n in range(3)]
        return {"notes": 3}

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        if "text" not in command:
            raise ValueError('a note needs "text"')
        self.notes.append({"id": len(self.notes) + 1, "text": command["text"]})
        return {"id": len(self.notes)}

    def dump(self) -> dict[str, Any]:
        return {"notes": copy.deepcopy(self.notes)}

    def save(self) -> object:
        return copy.deepcopy((self.notes, self.epoch))

    def restore(self, saved: Any) -> None:
        self.notes, self.epoch = copy.deepcopy(saved)


@pytest.fixture
def notes_systems() -> tuple[System, ...]:
    """Both systems replaced by notes, at /salesforce-notes and /xero-notes."""
    return (
        System(lambda world: Notes(world, "salesforce"), ()),
        System(lambda world: Notes(world, "xero"), NOTE_RULES),
    )


@pytest.fixture
def sandbox(notes_systems: tuple[System, ...]) -> Sandbox:
    """A sandbox of notes with a frozen clock and no data."""
    return Sandbox(systems=notes_systems)
