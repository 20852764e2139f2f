"""What only a server on sockets does: loopback alone, requests in flight, TLS, big heads and bodies, an end in good order."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.limits import REQUEST_BODY_BYTES_MAX
from ikaroa_sandbox.server import bind, serve_in_thread
from ikaroa_sandbox.tls import server_identity

pytestmark = pytest.mark.e2e


@pytest.fixture
def session() -> requests.Session:
    with requests.Session() as made:
        made.trust_env = False
        yield made


def test_no_other_address_than_loopback_is_taken() -> None:
    with pytest.raises(StartError, match="this machine only"):
        bind("0.0.0.0", 0)


def test_a_taken_port_is_one_clear_sentence() -> None:
    with bind("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(StartError, match=rf"port {port} on 127.0.0.1 cannot be used .*--port"):
            bind("127.0.0.1", port)


def test_requests_in_flight_are_counted_while_their_answers_wait(sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "slow", "seconds": 1.5, "times": 3, "system": "xero"})
    with serve_in_thread(sandbox) as url, ThreadPoolExecutor(4) as pool:

        def get(delay_s: float) -> int:
            time.sleep(delay_s)
            return requests.get(f"{url}/xero-notes/", timeout=10).status_code

        assert list(pool.map(get, (0, 0.3, 0.6))) == [200] * 3
        assert get(0) == 200
    assert [entry.request.in_flight for entry in sandbox.journal] == [1, 2, 3, 1]


def test_a_client_that_leaves_a_held_request_is_no_longer_in_flight(
    sandbox: Sandbox, session: requests.Session
) -> None:
    sandbox.faults.add({"do": "timeout_before"})
    with serve_in_thread(sandbox) as url:
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.get(f"{url}/xero-notes/", timeout=0.3)
        time.sleep(0.5)
        session.get(f"{url}/xero-notes/", timeout=5)
    assert [entry.request.in_flight for entry in sandbox.journal] == [1, 1]


def test_stopping_lets_held_requests_go_at_once(sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "timeout_before"})
    seen: list[str] = []

    def get(url: str) -> None:
        try:
            requests.get(f"{url}/xero-notes/", timeout=60)
        except requests.exceptions.ConnectionError:
            seen.append("cut")

    with serve_in_thread(sandbox) as url:
        client = threading.Thread(target=get, args=(url,))
        client.start()
        time.sleep(0.3)
        stopping = time.monotonic()
    client.join()
    assert seen == ["cut"]
    assert time.monotonic() - stopping < 20


def test_a_reset_is_a_real_one(sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "reset_before"})
    with (
        serve_in_thread(sandbox) as url,
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as raw,
    ):
        raw.sendall(b"GET /xero-notes/ HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_the_raw_path_and_query_reach_the_core_undecoded(sandbox: Sandbox) -> None:
    with (
        serve_in_thread(sandbox) as url,
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as raw,
    ):
        raw.sendall(b"GET /xero-notes/a%2Fb?x=%20+y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while raw.recv(1000):
            pass
    request = next(iter(sandbox.journal)).request
    assert (request.path, request.query) == ("/xero-notes/a%2Fb", "x=%20+y")
    assert request.segments == ["xero-notes", "a/b"]


def test_a_request_line_far_beyond_the_platforms_limits_reaches_the_core(
    sandbox: Sandbox, session: requests.Session
) -> None:
    with serve_in_thread(sandbox) as url:
        assert session.get(f"{url}/xero-notes/", params={"q": "x" * 100_000}, timeout=5).status_code == 200
    assert len(next(iter(sandbox.journal)).request.query) == 100_002


def test_an_endless_body_is_refused(sandbox: Sandbox, session: requests.Session) -> None:
    chunk = b"x" * (1 << 20)
    with serve_in_thread(sandbox) as url:
        try:
            status = session.post(
                f"{url}/xero-notes/",
                data=(chunk for _ in range(REQUEST_BODY_BYTES_MAX // len(chunk) + 40)),
                timeout=20,
            ).status_code
        except requests.exceptions.ConnectionError:
            status = 413  # the client was still sending when the server had answered and closed
        assert status == 413
    assert len(sandbox.journal) == 0


def test_a_defect_of_the_sandbox_is_a_500_that_says_so(
    sandbox: Sandbox, session: requests.Session, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve_in_thread(sandbox) as url:
        answer = session.get(f"{url}/xero-notes/defect", timeout=5)
        assert answer.status_code == 500
        assert "a defect of the sandbox" in answer.text
        assert session.get(f"{url}/xero-notes/", timeout=5).status_code == 200
    assert "a defect on purpose" in capfd.readouterr().err


def test_tls_is_trusted_through_the_ca_file(
    sandbox: Sandbox, session: requests.Session, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    with serve_in_thread(sandbox, tls=server_identity(ca_file).context) as url:
        assert url.startswith("https://127.0.0.1:")
        assert session.get(f"{url}/xero-notes/", verify=str(ca_file), timeout=5).status_code == 200
        assert (
            session.get(f"{url}/_sandbox/credentials", verify=str(ca_file), timeout=5)
            .json()["xero"]["api_url"]
            .startswith(url)
        )
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{url}/xero-notes/", timeout=5)
    assert "PRIVATE" not in ca_file.read_text()


def test_a_ca_file_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot write the CA certificate to .*No such file"):
        server_identity(tmp_path / "no" / "ca.pem")
