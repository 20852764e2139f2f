"""The identity URL: who is signed in. Salesforce help, "Identity URLs"."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from ikaroa_sandbox import credentials
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.core import Headers, Request, Response


def ask(sandbox: Sandbox, path: str, query: str = "", **headers: str) -> Response:
    answer = sandbox.handle(Request("GET", path, query, Headers({"Host": "127.0.0.1:1", **headers})))
    assert isinstance(answer, Response)
    return answer


def signed_in(sandbox: Sandbox) -> tuple[str, str]:
    """Token, and the path of the identity URL that came with it."""
    form = (
        f"grant_type=client_credentials&client_id={credentials.SALESFORCE_CLIENT_ID}"
        f"&client_secret={credentials.SALESFORCE_CLIENT_SECRET}"
    )
    headers = Headers({"Host": "127.0.0.1:1", "Content-Type": "application/x-www-form-urlencoded"})
    answer = sandbox.handle(Request("POST", "/services/oauth2/token", "", headers, form.encode()))
    assert isinstance(answer, Response)
    told = json.loads(answer.body)
    assert told["id"].startswith("http://127.0.0.1:1/id/"), "the login host is the sandbox"
    return told["access_token"], urlsplit(told["id"]).path


def test_the_identity_url_of_a_token_answer_says_who_it_is() -> None:
    sandbox = Sandbox(7, "empty")
    token, path = signed_in(sandbox)
    bearer = {"Authorization": f"Bearer {token}"}
    told = json.loads(ask(sandbox, path, **bearer).body)
    assert told["username"] == credentials.SALESFORCE_USERNAME
    assert path == f"/id/{told['organization_id']}/{told['user_id']}"
    assert json.loads(ask(sandbox, path, f"format=json&oauth_token={token}").body) == told
    resources = json.loads(ask(sandbox, "/services/data/v62.0", **bearer).body)
    assert resources["identity"] == told["id"]
    assert json.loads(ask(sandbox, "/services/oauth2/userinfo", **bearer).body)["sub"] == told["id"]


def test_without_a_good_token_or_of_somebody_else_it_is_refused() -> None:
    sandbox = Sandbox(7, "empty")
    token, path = signed_in(sandbox)
    assert (ask(sandbox, path).status, ask(sandbox, path).body) == (403, b"Missing_OAuth_Token")
    bad = ask(sandbox, path, "oauth_token=no")
    assert (bad.status, bad.body) == (403, b"Bad_OAuth_Token")
    other = ask(sandbox, "/id/00D000000000001AAA/005000000000001AAA", Authorization=f"Bearer {token}")
    assert (other.status, other.body) == (404, b"Bad_Id")
    assert ask(sandbox, path, "format=xml", Authorization=f"Bearer {token}").status == 501
