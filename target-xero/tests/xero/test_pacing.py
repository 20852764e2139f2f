"""The limits on a virtual clock, against a model of Xero's counting: a fixed window that starts when it likes."""

from __future__ import annotations

import random

import pytest
from target_xero.xero.pacing import Pacer, Timing


class VirtualTime:
    def __init__(self) -> None:
        self.now = 1000.0

    def seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class Xero:
    """60 a fixed minute, whoever asks."""

    def __init__(self, time: VirtualTime, offset: float, used: int = 0, a_minute: int = 60) -> None:
        self.time, self.offset, self.a_minute = time, offset, a_minute
        self.window, self.used, self.refused, self.served = self._window(), used, 0, 0

    def _window(self) -> int:
        return int((self.time.now - self.offset) // 60)

    def call(self) -> dict[str, str]:
        if self._window() != self.window:
            self.window, self.used = self._window(), 0
        if self.used >= self.a_minute:
            self.refused += 1
            left = 60 - (self.time.now - self.offset) % 60
            return {
                "retry-after": str(int(left) + 1),
                "x-rate-limit-problem": "minute",
                "x-minlimit-remaining": "0",
            }
        self.used += 1
        self.served += 1
        return {"x-minlimit-remaining": str(self.a_minute - self.used), "x-daylimit-remaining": "4000"}


def make(time: VirtualTime, **options) -> Pacer:
    return Pacer(Timing(time.seconds, time.sleep), **options)


def run(pacer: Pacer, xero: Xero, time: VirtualTime, calls: int, latency: float = 0.0) -> float:
    began = time.now
    while xero.served < calls:
        assert pacer.take(1) == 1
        headers = xero.call()
        time.now += latency
        pacer.answered(headers)
        if "retry-after" in headers:
            assert pacer.refused(headers)
    return time.now - began


@pytest.mark.parametrize("offset", [0.0, 7.3, 31.0, 59.9])
@pytest.mark.parametrize("latency", [0.0, 0.2, 0.7])
def test_600_calls_provoke_no_429_and_use_95_percent_of_the_limit(offset: float, latency: float) -> None:
    time = VirtualTime()
    xero = Xero(time, offset)
    pacer = make(time)
    run(pacer, xero, time, 60, latency)
    elapsed = run(pacer, xero, time, 660, latency)
    assert xero.refused == 0
    assert 600 / (elapsed / 60) >= 0.95 * 60


@pytest.mark.parametrize("used", [1, 30, 59, 60])
def test_what_others_have_used_of_the_minute_is_left_to_them(used: int) -> None:
    time = VirtualTime()
    xero = Xero(time, offset=5.0, used=used)
    run(make(time), xero, time, 200)
    assert xero.refused <= (used == 60), "only the very first call may meet a limit nobody has told us of"


def test_a_smaller_limit_than_the_documented_one_is_followed_too() -> None:
    time = VirtualTime()
    xero = Xero(time, offset=5.0, a_minute=30)
    run(make(time), xero, time, 120, latency=0.1)
    assert xero.refused == 0


def test_retry_after_is_waited_out_in_full() -> None:
    time = VirtualTime()
    pacer = make(time)
    assert pacer.take(1) == 1
    pacer.answered({})
    assert pacer.refused({"x-rate-limit-problem": "minute", "retry-after": "26"})
    began = time.now
    assert pacer.take(1) == 1
    assert time.now - began >= 26


def test_at_most_four_are_in_flight_and_an_answer_frees_a_place() -> None:
    pacer = make(VirtualTime())
    assert pacer.take(9) == 4
    assert pacer.take(1, patient=False) == 0
    pacer.answered({})
    assert pacer.take(9) == 1


def test_too_many_at_once_backs_off_longer_each_time_and_forgets_it() -> None:
    time = VirtualTime()
    pacer = make(time)
    waits = []
    for _ in range(3):
        assert pacer.take(1) == 1
        pacer.answered({})
        assert pacer.refused({"x-rate-limit-problem": "concurrent"})
        began = time.now
        assert pacer.take(1) == 1
        pacer.give_back(1)
        waits.append(round(time.now - began, 1))
    assert waits == [0.5, 1.0, 2.0]


def test_the_day_limit_and_waits_of_hours_are_not_sat_out() -> None:
    pacer = make(VirtualTime())
    assert not pacer.refused({"x-rate-limit-problem": "day", "retry-after": "66975"})
    assert not pacer.refused({"x-rate-limit-problem": "minute", "retry-after": "4000"})


def test_the_reserve_of_the_day_limit_is_never_touched() -> None:
    pacer = make(VirtualTime(), day_reserve=20)
    assert pacer.take(1) == 1
    pacer.answered({"x-daylimit-remaining": "23"})
    assert not pacer.day_is_over
    assert pacer.take(4) == 3
    assert pacer.day_is_over
    assert pacer.take(1) == 0


def test_a_request_to_stop_ends_the_wait() -> None:
    time = VirtualTime()
    stopping = False
    pacer = make(time, stop=lambda: stopping)
    pacer.refused({"retry-after": "60"})

    def sleep(seconds: float) -> None:
        nonlocal stopping
        time.now += seconds
        stopping = time.now > 1002

    pacer._timing = Timing(time.seconds, sleep)
    assert pacer.take(1) == 0
    assert time.now < 1003


@pytest.mark.parametrize("header", ["", "x", "-1", "1.5", "٣"])
def test_a_header_that_is_no_number_is_no_news(header: str) -> None:
    pacer = make(VirtualTime())
    assert pacer.take(1) == 1
    pacer.answered({"x-daylimit-remaining": header, "x-minlimit-remaining": header})
    assert pacer.day_left is None
    assert pacer.take(4) == 4


def test_answers_in_any_order_do_not_provoke_a_429() -> None:
    chance = random.Random(7)
    time = VirtualTime()
    xero = Xero(time, offset=13.0)
    pacer = make(time)
    flying: list[dict[str, str]] = []
    while xero.served < 600:
        flying += [xero.call() for _ in range(pacer.take(4, patient=not flying))]
        if flying:
            time.now += chance.random()
            pacer.answered(flying.pop(chance.randrange(len(flying))))
    assert xero.refused == 0
