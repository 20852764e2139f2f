"""What a transport exception means for money, where we may talk to, and that nothing is sent twice behind our back."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Iterator

import pytest
import requests
import urllib3
from target_xero.errors import ConfigurationError
from target_xero.exchange import Failure
from target_xero.xero import transport
from target_xero.xero.transport import Adapter, check_url, describe, failure_of, new_session


def _exception_classes() -> Iterator[type[BaseException]]:
    for module in (requests.exceptions, urllib3.exceptions):
        for found in vars(module).values():
            if (
                inspect.isclass(found)
                and issubclass(found, BaseException)
                and not issubclass(found, Warning)
                and found.__module__.split(".")[0] in {"requests", "urllib3"}
            ):
                yield found


@pytest.mark.parametrize(
    "raised", sorted(set(_exception_classes()), key=str), ids=lambda c: f"{c.__module__}.{c.__name__}"
)
def test_every_exception_of_requests_and_urllib3_is_classified_once(raised: type[BaseException]) -> None:
    groups = [transport.NEVER_SENT, transport.CARRIERS, transport.AMBIGUOUS]
    assert sum(raised in group for group in groups) == 1, f"{raised} is in none or several of the three sets"


def _new_connection(message: str = "[Errno 111] Connection refused") -> urllib3.exceptions.NewConnectionError:
    return urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("x"), message)


def _spent(reason: Exception) -> urllib3.exceptions.MaxRetryError:
    return urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("x"), "/", reason)


POOL = urllib3.HTTPConnectionPool("x")
NEVER = {
    "refused": requests.ConnectionError(_spent(_new_connection())),
    "name not found": requests.ConnectionError(
        _spent(urllib3.exceptions.NameResolutionError("x", urllib3.connection.HTTPConnection("x"), OSError()))  # type: ignore[arg-type]
    ),
    "connect timed out": requests.ConnectTimeout(_spent(urllib3.exceptions.ConnectTimeoutError("slow"))),
    "no free connection": urllib3.exceptions.EmptyPoolError(POOL, "none free"),
    "pool closed": requests.ConnectionError(urllib3.exceptions.ClosedPoolError(POOL, "closed")),
    "proxy refused": requests.exceptions.ProxyError(
        _spent(urllib3.exceptions.ProxyError("no proxy", _new_connection()))
    ),
    "refused, in process": requests.ConnectionError(_new_connection()),
}
MAYBE = {
    "read timed out": requests.ReadTimeout(urllib3.exceptions.ReadTimeoutError(POOL, "/", "Read timed out.")),
    "reset": requests.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError())
    ),
    "cut off in the middle": requests.exceptions.ChunkedEncodingError(
        urllib3.exceptions.IncompleteRead(1, 2)
    ),
    "TLS broke while reading": requests.exceptions.SSLError(
        urllib3.exceptions.SSLError(ssl.SSLError("bad record mac"))
    ),
    "an unwrapped connection error": requests.ConnectionError(),
    "proxy broke the tunnel": requests.exceptions.ProxyError(
        urllib3.exceptions.ProxyError("cut", OSError("reset"))
    ),
    "something of our own": RuntimeError("x"),
    "a bare time-out": requests.Timeout(),
}


@pytest.mark.parametrize("exception", NEVER.values(), ids=NEVER.keys())
def test_what_made_no_connection_was_never_sent(exception: Exception) -> None:
    assert failure_of(exception) is Failure.NEVER_SENT


@pytest.mark.parametrize("exception", MAYBE.values(), ids=MAYBE.keys())
def test_whatever_else_breaks_may_have_reached_xero(exception: Exception) -> None:
    assert failure_of(exception) is Failure.AMBIGUOUS


def test_a_subclass_nobody_has_thought_about_is_ambiguous() -> None:
    class Novel(requests.exceptions.ConnectTimeout):
        pass

    assert failure_of(Novel()) is Failure.AMBIGUOUS


def test_a_description_names_the_cause_and_no_address() -> None:
    text = describe(
        requests.ConnectionError(_spent(_new_connection("Failed to connect: [Errno 111] Connection refused")))
    )
    assert text == "NewConnectionError: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.xero.com",
        "https://identity.xero.com",
        "http://127.0.0.1:8790",
        "http://localhost:1",
        "https://[::1]:2",
    ],
)
def test_xero_and_this_machine_are_allowed(url: str) -> None:
    assert check_url("api_url", url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.xero.com",
        "https://api.xero.com.evil.example",
        "https://evil.example",
        "https://user:word@api.xero.com",
        "http://127.0.0.1.evil.example",
        "ftp://localhost",
        "http://10.0.0.1",
        "api.xero.com",
        "https://api.xero.com/?x=1",
    ],
)
def test_any_other_address_is_refused_with_the_setting_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="setting api_url"):
        check_url("api_url", url)


def test_sessions_neither_retry_nor_take_credentials_from_netrc(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.xero.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = new_session()
    request = session.prepare_request(
        requests.Request("GET", "https://api.xero.com/", headers={"Authorization": "Bearer ours"})
    )
    assert request.headers["Authorization"] == "Bearer ours"
    for adapter in session.adapters.values():
        assert isinstance(adapter, Adapter)
        assert adapter.max_retries.total == 0


def test_a_failed_tls_handshake_was_never_sent() -> None:
    connection = transport._Connection("127.0.0.1", 1)
    connection._new_conn = lambda: (_ for _ in ()).throw(ssl.SSLError("wrong version number"))  # type: ignore[method-assign]
    with pytest.raises(urllib3.exceptions.NewConnectionError) as caught:
        connection.connect()
    assert failure_of(requests.ConnectionError(_spent(caught.value))) is Failure.NEVER_SENT


def test_the_way_out_is_looked_up_again_when_the_environment_names_another_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def proxies(host: str) -> dict[str, str]:
        found = new_session().merge_environment_settings(f"https://{host}/x", {}, None, None, None)
        return dict(found["proxies"])

    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for proxy in ("http://one.example:8080", "http://two.example:8080"):
        monkeypatch.setenv("https_proxy", proxy)
        assert proxies("api.xero.com")["https"] == proxy
        assert proxies("api.xero.com")["https"] == proxy
    monkeypatch.setenv("no_proxy", "identity.xero.com")
    assert "https" not in proxies("identity.xero.com")
    assert proxies("api.xero.com")["https"] == "http://two.example:8080"


@pytest.mark.parametrize("address", ["http://127.0.0.1:8790", "http://localhost:8790", "http://[::1]:8790"])
def test_what_is_for_this_machine_goes_through_no_proxy(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:8080")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = new_session().merge_environment_settings(f"{address}/connect/token", {}, None, None, None)
    assert not found["proxies"]
