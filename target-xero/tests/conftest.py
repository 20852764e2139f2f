"""Test doubles that several folders use."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse


class Scripted(BaseAdapter):
    """A transport that plays replies in order and repeats the last one.

    A reply is (status, body[, headers]), an exception to raise, or a function of the request that gives one of these.
    """

    def __init__(self, *replies: Any) -> None:
        super().__init__()
        self.replies = list(replies)
        self.requests: list[requests.PreparedRequest] = []
        self._builder = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(reply) and not isinstance(reply, BaseException):
            reply = reply(request)
        if isinstance(reply, BaseException):
            raise reply
        status, body, headers = (*reply, {})[:3]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = HTTPResponse(body=BytesIO(content), headers=headers, status=status, preload_content=False)
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    return Scripted


class VirtualTime:
    """Seconds that pass only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()
