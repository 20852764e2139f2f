"""The sandbox itself: one world, the systems in it, what goes wrong between them and a client, and a record of it all.

`handle(request)` is the only way in for clients, on sockets and in process alike. It does no I/O and reads no wall clock.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

from ikaroa_sandbox import control
from ikaroa_sandbox.core import (
    PROFILES,
    Backend,
    Clock,
    NoResponse,
    Request,
    Response,
    Spoiler,
    Variants,
    World,
)
from ikaroa_sandbox.errors import UnknownNameError
from ikaroa_sandbox.fault_rules import Fault
from ikaroa_sandbox.faults import FaultPlan
from ikaroa_sandbox.journal import Exchange, Journal
from ikaroa_sandbox.late import LateCommit, LateCommits
from ikaroa_sandbox.mishaps import Answer, apply_fault
from ikaroa_sandbox.pasts import Pasts
from ikaroa_sandbox.systems import System, standard_systems

START = datetime(2026, 11, 2, 9, 0, 0, tzinfo=timezone.utc)
"""Where the virtual clock stands at first, in process."""


class Sandbox:
    """Both systems, their clock, faults and journal. Every public method may be called from any thread.

    Args:
        seed: fills both systems with that seed's data; None leaves them empty.
        profile: `default` (a first sync meets no refusal), `messy` (what must be refused or handled) or `empty`.
        clock: the time; a frozen virtual clock at `START` unless given.
        systems: what to simulate, for tests of the shell; Salesforce and Xero unless given.
        ticker: a source of seconds that lets the clock run (`POST /_sandbox/clock {"follow": true}`) and times each request.
    """

    def __init__(
        self,
        seed: int | None = None,
        profile: str = "default",
        clock: Clock | None = None,
        *,
        systems: Sequence[System] | None = None,
        ticker: Callable[[], float] | None = None,
    ) -> None:
        systems = standard_systems() if systems is None else systems
        self.lock = threading.RLock()
        self.clock = clock or Clock(START)
        self.ticker = ticker
        self.variants = Variants(tuple(rule for system in systems for rule in system.rules))
        self.world = World(self.clock, self.variants, random.Random("world"))  # noqa: S311  must repeat
        self.backends: dict[str, Backend] = {}
        for system in systems:
            backend = system.make(self.world)
            self.backends[backend.name] = backend
        self._owners = tuple(self.backends.values())
        self._spoils = {
            name: frozenset(backend.spoils) if isinstance(backend, Spoiler) else frozenset()
            for name, backend in self.backends.items()
        }
        """The kinds of fault that need the right answer first, by system."""
        self.journal = Journal()
        self.faults = FaultPlan(self._knows_fault)
        self.saved: dict[str, object] = {}
        self.seeded: dict[str, Any] = {"seed": None, "profile": "empty", "records": {}}
        self.late = LateCommits()
        """Requests whose client has given up and that are still to be carried out."""
        self._pasts = Pasts()
        if seed is not None:
            self.seed(seed, profile)
        else:
            self.reset()

    # -- what clients reach ------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | NoResponse:
        """Answers one request of a client, faults included, or a control request under `/_sandbox/`."""
        with self.lock:
            if self.late:
                self.settle()
            if request.path.startswith(control.PREFIX):
                return self._dated(control.handle(self, request))
            backend = self._owner(request)
            if backend is None:
                return self._dated(self._unknown_path(request))
            started = self.ticker() if self.ticker else 0.0
            fault = self.faults.decide(backend.name, request) if self.faults.active else None
            if fault is None and not self.faults.stale_windows:
                response = backend.handle(request)
                self._record(backend.name, request, response, response, None, started)
                return self._dated(response)
            answer = self._handle_oddly(backend, request, fault, started)
            if isinstance(answer, Response):
                return self._dated(answer)
            if answer.partial is not None:
                self._dated(answer.partial)
            return answer

    def system_of(self, request: Request) -> str | None:
        """The name of the system a request is for; None for control and unknown paths."""
        backend = self._owner(request)
        return backend.name if backend else None

    def settle(self) -> None:
        """Carries out every late commit whose time has come, each at its own time, in order of time."""
        with self.lock:
            while (late := self.late.take_due(self.clock.now())) is not None:
                ahead = (self.clock.now() - late.due).total_seconds()
                self.clock.advance(-ahead)
                try:
                    answer = late.backend.handle(late.request)
                    self._record(
                        late.backend.name, late.request, None, answer, "late_commit", 0.0, of=late.seq
                    )
                finally:
                    self.clock.advance(ahead)

    # -- starting over -----------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Both systems as after signing up; no faults, no late commits, an empty journal, variants at their default.

        The clock goes on and saved states stay.
        """
        with self.lock:
            self.late.clear()
            self._pasts.clear()
            self.faults.clear()
            self.journal.clear()
            self.world.random.seed("world")
            self.default_variants()
            for backend in self._owners:
                backend.reset()
            self.seeded = {"seed": None, "profile": "empty", "records": {}}

    def seed(self, seed: int, profile: str = "default") -> dict[str, dict[str, int]]:
        """Resets, then fills both systems. Same seed, profile and clock: the same bytes of `dump`.

        Returns how many records of each kind each system holds. Raises UnknownNameError for an unknown profile.
        """
        if profile not in PROFILES:
            raise UnknownNameError("profile", profile, PROFILES)
        with self.lock:
            self.reset()
            self.world.random.seed(f"world:{seed}")
            records: dict[str, dict[str, int]] = {}
            if profile != "empty":
                records = {name: backend.seed(seed, profile) for name, backend in self.backends.items()}
            self.seeded = {"seed": seed, "profile": profile, "records": records}
            return records

    def default_variants(self) -> None:
        """Every rule back to its first variant, the stricter one."""
        for rule in self.variants.rules.values():
            self.variants.choose(rule.id, rule.variants[0])

    def draw_variants(self, seed: int | str) -> None:
        """Lets chance choose the variant of every assumed rule. Same seed, same choice."""
        self.variants.seeded(random.Random(f"variants:{seed}"))  # noqa: S311  must repeat

    # -- hands on the systems ----------------------------------------------------------------------------------------------

    def edit(self, system: str, command: dict[str, Any]) -> dict[str, Any]:
        """A person's hand in one system. Raises ValueError with a sentence when that cannot be done."""
        with self.lock:
            self.settle()
            backend = self.backend(system)
            self._keep_past(backend)
            return backend.edit(command)

    def dump(self, system: str | None = None) -> dict[str, Any]:
        """The whole state of one system, or of each by name, as plain JSON values: what an independent checker reads."""
        with self.lock:
            self.settle()
            if system is not None:
                return self.backend(system).dump()
            return {name: backend.dump() for name, backend in self.backends.items()}

    def backend(self, system: str) -> Backend:
        """One system by name. Raises UnknownNameError."""
        if system not in self.backends:
            raise UnknownNameError("system", system, tuple(self.backends))
        return self.backends[system]

    def save(self) -> object:
        """Everything as it is now, for `restore`: data, time, chance, variants, faults, late commits, journal."""
        with self.lock:
            self.settle()
            return (
                {name: backend.save() for name, backend in self.backends.items()},
                self.clock.now(),
                self.world.random.getstate(),
                self.variants.chosen(),
                self.faults.save(),
                self.journal.save(),
                self.late.save(),
                dict(self.seeded),
            )

    def restore(self, saved: Any) -> None:
        """Puts everything from `save` back, as often as wanted."""
        with self.lock:
            states, now, chance, variants, faults, journal, late, seeded = saved
            self.clock.advance((now - self.clock.now()).total_seconds())
            self.world.random.setstate(chance)
            for rule_id, variant in variants.items():
                self.variants.choose(rule_id, variant)
            self.faults.restore(faults)
            self.journal.restore(journal)
            self.late.restore(late)
            self._pasts.clear()
            self.seeded = dict(seeded)
            for name, state in states.items():
                self.backends[name].restore(state)

    # -- what mishaps need (`mishaps.Host`) --------------------------------------------------------------------------------

    def commit_later(self, backend: Backend, request: Request, seconds: float) -> None:
        """Queues the request for `seconds` from now; `handle` journals its exchange next, so its number is known."""
        due = self.clock.now() + timedelta(seconds=seconds)
        self.late.add(LateCommit(due, self.journal.last_seq + 1, backend, request))

    def handle_duplicate(self, backend: Backend, request: Request) -> None:
        """Handles the copy that no client sees the answer of; it comes first in the journal."""
        answer = backend.handle(request)
        self._record(backend.name, request, None, answer, "duplicate", 0.0, of=self.journal.last_seq + 2)

    def handle_stale(self, backend: Backend, request: Request, seconds: float) -> Response:
        """Answers from the state that held `seconds` ago, then puts the present back."""
        horizon = self.clock.now() - timedelta(seconds=seconds)
        past = self._pasts.at(backend.name, horizon)
        if past is None:
            return backend.handle(request)
        present = backend.save()
        backend.restore(past)
        try:
            answer = backend.handle(request)
        finally:
            backend.restore(present)
        # A token given out since then is unknown to the past, but no platform's tokens are stale: only its data is.
        return backend.handle(request) if answer.status == 401 else answer

    def person_edits(self, fault: Fault) -> None:
        """Carries out a fault's `edit`. Raises what the system raises: a plan that cannot be carried out is a mistake."""
        command = dict(fault.edit or {})
        self.backend(str(command.pop("system"))).edit(command)

    def record(self, system: str, request: Request, answer: Response, fault: str | None) -> None:
        """Journals an exchange that did not come through `handle`: a call on the events' own port."""
        with self.lock:
            self._record(system, request, answer, answer, fault, 0.0)

    # -- inside ------------------------------------------------------------------------------------------------------------

    def _owner(self, request: Request) -> Backend | None:
        for backend in self._owners:
            if backend.owns(request):
                return backend
        return None

    def _knows_fault(self, kind: str, system: str | None) -> bool:
        probe = Request("GET", "/")
        found = [
            self.backends[name] for name in ([system] if system else self.backends) if name in self.backends
        ]
        return any(
            backend.fault(kind, probe) is not None or kind in self._spoils[backend.name] for backend in found
        )

    def _handle_oddly(
        self, backend: Backend, request: Request, fault: Fault | None, started: float
    ) -> Answer:
        """The way of a request that meets a fault, or whose system's past has to be kept for stale reads."""
        if request.method not in ("GET", "HEAD"):
            self._keep_past(backend)
        if fault is None:
            answer: Answer = backend.handle(request)
            handled: Response | None = answer if isinstance(answer, Response) else None
        else:
            answer, handled = apply_fault(fault, backend, request, self)
        self._record(backend.name, request, answer, handled, fault.kind if fault else None, started)
        return answer

    def _keep_past(self, backend: Backend) -> None:
        window = self.faults.stale_window(backend.name)
        if window is not None:
            self._pasts.keep(backend, self.clock.now(), window)

    def _record(
        self,
        system: str,
        request: Request,
        answer: Answer | None,
        handled: Response | None,
        fault: str | None,
        started: float,
        of: int | None = None,
    ) -> None:
        sent = answer if isinstance(answer, Response) else None
        if isinstance(answer, NoResponse):
            outcome = answer.kind
        else:
            outcome = "answered" if answer is not None else "late" if fault == "late_commit" else "duplicate"
        self.journal.add(
            Exchange(
                self.journal.next_seq(),
                self.clock.now(),
                system,
                request,
                sent.status if sent is not None else None,
                outcome,
                handled.status if handled is not None else None,
                handled.effects if handled is not None else [],
                fault,
                of,
                len(sent.body) if sent is not None else 0,
                round((self.ticker() - started) * 1000, 3) if self.ticker and started else None,
            )
        )

    def _unknown_path(self, request: Request) -> Response:
        text = f"{request.method} {request.path} is not simulated: no system of this sandbox owns that path"
        if request.path == "/":
            text += "; /_sandbox/ tells what is here"
        response = Response(501, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
        self._record("none", request, response, response, None, 0.0)
        return response

    def _dated(self, response: Response) -> Response:
        # The sandbox's clock is the platforms' clock: a client that trusts the Date header must see virtual time.
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        return response
