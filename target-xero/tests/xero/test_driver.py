"""The driver: four at once, one thread for the executor, a clean end whenever it is asked to stop."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from target_xero.errors import AuthorisationError
from target_xero.exchange import Answer, Call, Failure, Purpose
from target_xero.xero.driver import Driver
from target_xero.xero.pacing import Pacer


class Client:
    """Answers 200; notes how many calls were in flight at once."""

    def __init__(self, act: Any = None) -> None:
        self.pacer = Pacer()
        self.failed: Exception | None = None
        self.most = self.flying = 0
        self.sent: list[str] = []
        self._lock = threading.Lock()
        self._act = act

    def send(self, call: Call) -> Answer:
        with self._lock:
            self.flying += 1
            self.most = max(self.most, self.flying)
            self.sent.append(call.path)
        try:
            if self._act:
                self._act(self, call)
            threading.Event().wait(0.005)
            return Answer(call, status=200)
        finally:
            with self._lock:
                self.flying -= 1
            self.pacer.answered({})


class Work:
    def __init__(self, calls: int) -> None:
        self.todo = [Call(Purpose.WRITE, "PUT", f"/{n}") for n in range(calls)]
        self.out: list[Call] = []
        self.answers: list[Answer] = []
        self.stopped: str | None = None
        self.threads: set[int] = set()

    @property
    def idle(self) -> bool:
        return not self.todo and not self.out

    def next_calls(self, capacity: int) -> list[Call]:
        self.threads.add(threading.get_ident())
        calls, self.todo = self.todo[:capacity], self.todo[capacity:]
        self.out += calls
        return calls

    def receive(self, answer: Answer) -> None:
        self.threads.add(threading.get_ident())
        self.out.remove(answer.call)
        self.answers.append(answer)


def test_every_call_is_sent_once_and_every_answer_brought_home() -> None:
    client, work = Client(), Work(25)
    assert Driver(client).run(work) is None
    assert sorted(client.sent) == sorted(f"/{n}" for n in range(25))
    assert len(work.answers) == 25
    assert client.pacer._open == 0


def test_four_calls_are_in_flight_at_once_and_the_executor_is_touched_by_one_thread() -> None:
    client, work = Client(), Work(25)
    Driver(client).run(work)
    assert client.most == 4
    assert work.threads == {threading.get_ident()}


def test_a_request_to_stop_lets_calls_in_flight_end_and_starts_no_new_one() -> None:
    stopping = threading.Event()
    client, work = Client(lambda _, call: stopping.set() if call.path == "/3" else None), Work(50)
    assert Driver(client, stopping.is_set).run(work) == "interrupted"
    assert work.out == []
    assert 4 <= len(work.answers) <= 12


def test_the_executors_own_stop_ends_the_run_with_its_reason() -> None:
    client, work = Client(), Work(50)

    def receive(answer: Answer) -> None:
        Work.receive(work, answer)
        work.stopped = "403"

    work.receive = receive  # type: ignore[method-assign]
    assert Driver(client).run(work) == "403"
    assert work.out == []


def test_the_day_limit_ends_the_run_before_its_reserve() -> None:
    client, work = Client(), Work(50)
    client.pacer = Pacer(day_reserve=5)
    client.pacer.day_left = 12

    def used(_: Client, __: Call) -> None:
        client.pacer.day_left = (client.pacer.day_left or 0) - 1

    client._act = used
    reason = Driver(client).run(work)
    assert reason is not None
    assert "limit of calls" in reason
    assert work.out == []
    assert client.pacer.day_left >= 5


def test_no_access_is_raised_after_every_answer_was_received() -> None:
    client, work = Client(), Work(10)

    def bar(client: Client, _: Call) -> None:
        client.failed = AuthorisationError("authorise again")

    client._act = bar
    with pytest.raises(AuthorisationError):
        Driver(client).run(work)
    assert work.out == []


def test_a_defect_in_a_thread_is_an_ambiguous_answer_first_and_an_exception_then() -> None:
    def defect(_: Client, call: Call) -> None:
        if call.path == "/2":
            raise ZeroDivisionError

    client, work = Client(defect), Work(10)
    with pytest.raises(ZeroDivisionError):
        Driver(client).run(work)
    assert work.out == []
    assert [answer.failure for answer in work.answers if answer.failure] == [Failure.AMBIGUOUS]


def test_an_idle_executor_costs_no_slot_and_no_wait() -> None:
    client = Client()
    client.pacer.take = None  # type: ignore[assignment]
    assert Driver(client).run(Work(0)) is None
