"""Nothing gets into a query, to another host, or into a log: whatever the data, the answers and the failures are."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from requests.adapters import BaseAdapter
from tap_salesforce_ikaroa import soql
from tap_salesforce_ikaroa.errors import HostError, TapError, UnexpectedAnswerError
from tap_salesforce_ikaroa.settings import client_of
from tap_salesforce_ikaroa.soql import Query
from tap_salesforce_ikaroa.transport import RetryPolicy

if TYPE_CHECKING:
    from conftest import Org, Sync

CONFIG = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
}
HOSTILE = st.lists(
    st.sampled_from(["'", '"', "\\", "\n", "\r", "\t", "%", "_", "&", "+", "#", ";", " OR ", "Id != null", "--", "é", "😀", "a"]),
    min_size=1, max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.slow
@given(HOSTILE, HOSTILE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_hostile_value_is_compared_as_it_stands_over_the_wire(org: Org, text: str, other: str) -> None:
    """Through URI encoding, the composite call's JSON and the org's own parser: just the row that holds it comes back."""
    value, decoy = f"x{text}x", f"y{other}y"
    row_id = org.insert("Lead", LastName=value, Company="C")
    org.insert("Lead", LastName=decoy, Company="C")
    client = client_of(CONFIG, SandboxAdapter(org.sandbox, spend_time=False), RetryPolicy())
    query = Query(("Id", "LastName"), "Lead", soql.compare("LastName", "=", value), ("Id",))
    rows = client.query(query.text).rows
    assert row_id in {row["Id"] for row in rows}
    assert {row["LastName"].casefold() for row in rows} == {value.casefold()}
    (together,) = client.together([client.query_path(query.text)], next(iter(client.quota.calls)))
    assert together["records"] == rows


class Elsewhere(BaseAdapter):
    """The sandbox, but one answer is changed on its way; notes to which addresses anything was sent."""

    def __init__(self, org: Org, path: str, change: Any) -> None:
        super().__init__()
        self._sandbox = SandboxAdapter(org.sandbox, spend_time=False)
        self._path, self._change = path, change
        self.hosts: set[str] = set()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        self.hosts.add(str(request.url).split("/")[2])
        answer = self._sandbox.send(request, *args, **options)
        if self._path in str(request.url):
            self._change(answer)
        return answer

    def close(self) -> None:
        self._sandbox.close()


def _redirected(answer: requests.Response) -> None:
    answer.status_code = 302
    answer.headers["Location"] = "https://evil.example/steal"


def _with(**values: Any) -> Any:
    def change(answer: requests.Response) -> None:
        answer._content = json.dumps({**answer.json(), **values}).encode()

    return change


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        ("/queryAll", _redirected, UnexpectedAnswerError),
        ("/oauth2/token", _redirected, TapError),
        ("/oauth2/token", _with(instance_url="https://evil.example"), HostError),
        ("/oauth2/token", _with(instance_url="http://acme.my.salesforce.com"), HostError),
        ("/oauth2/token", _with(instance_url="https://salesforce.com.evil.example"), HostError),
        ("/queryAll", _with(nextRecordsUrl="https://evil.example/services/data/x", done=False), HostError),
        ("/queryAll", _with(nextRecordsUrl="//evil.example/services/x", done=False), HostError),
        ("/queryAll", _with(nextRecordsUrl="@evil.example/services/x", done=False), HostError),
        ("/queryAll", _with(nextRecordsUrl="/services/../elsewhere", done=False), HostError),
        ("/queryAll", _with(nextRecordsUrl="/services/%2e%2e/elsewhere", done=False), HostError),
    ],
)
def test_no_answer_leads_to_another_host(org: Org, path: str, change: Any, error: type[Exception]) -> None:
    adapter = Elsewhere(org, path, change)
    client = client_of(CONFIG, adapter, RetryPolicy(retries=0))

    def read() -> None:
        page = client.query("SELECT Id FROM Lead", deleted=True)
        client.more(page.more or "")

    with pytest.raises(error):
        read()
    assert adapter.hosts == {"127.0.0.1:8790"}


@pytest.mark.parametrize(
    "login_url", ["http://acme.my.salesforce.com", "http://10.0.0.1", "https://a:b@acme.my.salesforce.com"]
)
def test_nothing_is_sent_in_plain_text_but_to_this_machine(login_url: str) -> None:
    with pytest.raises(HostError) as caught:
        client_of({**CONFIG, "login_url": login_url}, None, RetryPolicy())
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_nothing_for_this_machine_goes_through_a_proxy(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    send, proxies = SandboxAdapter.send, []

    def seen(self: SandboxAdapter, request: Any, **options: Any) -> requests.Response:
        proxies.append(dict(options["proxies"]))
        return send(self, request, **options)

    monkeypatch.setattr(SandboxAdapter, "send", seen)
    sync(streams_to_discover=["Lead"])
    assert proxies
    assert not any(proxies)


def test_elsewhere_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    asked: list[dict[str, str]] = []

    class Proxied(BaseAdapter):
        def send(self, request: Any, **options: Any) -> requests.Response:
            asked.append(dict(options["proxies"]))
            raise requests.ConnectionError

        def close(self) -> None:
            pass

    settings = {**CONFIG, "login_url": "https://acme.my.salesforce.com", "max_retries": 0}
    with pytest.raises(TapError):
        client_of(settings, Proxied(), RetryPolicy()).tokens.session()
    assert asked == [{"https": "http://proxy.example:3128"}]


PERSON = "canary.person@private.example"
SURNAME = "Canarysurname"


def _echo(answer: requests.Response) -> None:
    """A refusal that repeats what it was asked, and a row besides, as error messages of triggers and proxies do."""
    answer.status_code = 400
    sent = answer.request.headers if answer.request is not None else {}
    text = f"value '{SURNAME} secret' of {PERSON} is bad: '{sent.get('Authorization', '')}'"
    answer._content = json.dumps([{"errorCode": "MALFORMED_QUERY", "message": text}]).encode()


@pytest.mark.parametrize("kind", ["well", "failing", "echo", "crash"])
def test_secrets_and_people_are_in_the_records_alone(
    org: Org, sync: Sync, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], kind: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    org.insert("Lead", LastName=SURNAME, Company="Canary Ltd", Email=PERSON, Phone="+44 7700 900999")
    org.edit("rotation", on=True)
    store = tmp_path / "tokens.json"
    secrets = {
        "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN,
        "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
    }
    given_settings = {
        **secrets,
        "token_store_path": str(store),
        "token_store_key": "c7" * 32,
        "streams_to_discover": ["Lead"],
    }
    if kind == "failing":
        org.fault("500_before", path="/queryAll", every=1, times=100)
    if kind == "echo":
        original = SandboxAdapter.send

        def send(self: SandboxAdapter, request: Any, *args: Any, **options: Any) -> requests.Response:
            answer = original(self, request, *args, **options)
            answer.request = request
            if "/queryAll" in str(request.url):
                _echo(answer)
            return answer

        monkeypatch.setattr(SandboxAdapter, "send", send)
    if kind == "crash":
        from tap_salesforce_ikaroa import reader  # noqa: PLC0415

        def crash(shape: Any) -> Any:
            def convert(row: Any) -> Any:
                raise RuntimeError("a bug")

            return convert

        monkeypatch.setattr(reader, "converter", crash)
    run = sync(expect=Exception, may_fail=True, **given_settings)
    assert (run.error is None) == (kind == "well")
    if kind == "well":
        assert SURNAME in run.text, "the canary lives where it should"
    captured = capsys.readouterr()
    told = "\n".join(
        [
            caplog.text,
            json.dumps(run.states),
            store.read_text(),
            captured.err,
            str(run.error),
            repr(run.tap.client.tokens),
        ]
    )
    sessions = org.sandbox.backend("salesforce").state.tokens
    planted = [
        PERSON,
        SURNAME,
        "7700 900999",
        *secrets.values(),
        *sessions.sessions,
        sessions.refresh_token,
        "c7" * 32,
        "Bearer ",
    ]
    assert [text for text in planted if text and text in told] == []
