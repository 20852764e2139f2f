"""The control end points as a page, as a person with a browser sees them."""

from __future__ import annotations

from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.control import END_POINTS
from ikaroa_sandbox.core import Headers, Request, Response

BROWSER = {"Host": "127.0.0.1:8790", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def opened(sandbox: Sandbox, path: str = "/_sandbox/") -> Response:
    answer = sandbox.handle(Request("GET", path, headers=Headers(BROWSER)))
    assert isinstance(answer, Response)
    return answer


def test_a_browser_gets_a_page_with_addresses_credentials_and_every_end_point(sandbox: Sandbox) -> None:
    answer = opened(sandbox)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert "http://127.0.0.1:8790/services/oauth2/token" in page
    assert "sandbox-xero-secret" in page
    assert "PRIVATE KEY" not in page
    for entry in END_POINTS:
        assert f"/_sandbox{entry.path}" in page


def test_it_shows_what_was_said_last_and_lets_no_client_write_into_it(sandbox: Sandbox) -> None:
    sandbox.handle(Request("GET", "/xero-notes/<script>alert(1)</script>"))
    page = opened(sandbox).body.decode()
    assert "/xero-notes/&lt;script&gt;" in page
    assert "<script" not in page


def test_every_other_client_and_end_point_gets_json(sandbox: Sandbox) -> None:
    listed = sandbox.handle(Request("GET", "/_sandbox/", headers=Headers({"Accept": "*/*"})))
    assert isinstance(listed, Response)
    assert "json" in listed.headers["Content-Type"]
    assert "json" in opened(sandbox, "/_sandbox/health").headers["Content-Type"]


def test_the_bare_address_names_the_page(sandbox: Sandbox) -> None:
    answer = opened(sandbox, "/")
    assert answer.status == 501
    assert b"/_sandbox/" in answer.body
