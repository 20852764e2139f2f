"""Secrets and personal data are planted, everything is run, and everything that was written is searched.

A secret may be nowhere. Personal data may be in the ledger; of a refused document the one refused value is told, because
that is what somebody has to correct. docs/security.md says the same in words.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import requests
from ikaroa_sandbox.adapter import SandboxAdapter
from requests.adapters import HTTPAdapter
from target_xero import crash
from target_xero.xero.secret import Secret
from urllib3 import HTTPResponse

pytestmark = pytest.mark.slow

KEY = "c0ffee" * 10 + "beef"
BELL = "canary-bell-password"
PASSWORD = "canary-ledger-password"
ACCESS = {"refresh_token": "sandbox-xero-refresh", "token_store_key": KEY}
PERSONAL = (
    "Canaria Birdsong",
    "Tweety",
    "birdsong@canary.example",
    "0117-canary",
    "7 Canary Wharf",
    "CA1 NRY",
)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every secret that the target ever held, tokens that it was given on the way included."""
    seen = {KEY, BELL, PASSWORD, "sandbox-xero-secret", "sandbox-xero-refresh"}
    made = Secret.__init__

    def watched(self: Secret, text: str) -> None:
        seen.add(text)
        made(self, text)

    monkeypatch.setattr(Secret, "__init__", watched)
    return seen


def person(house: Any, n: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    named, first, mail, phone, street, code = PERSONAL
    return "contacts", house.contact(
        n, Name=f"{named} {n}", FirstName=first, EmailAddress=mail,
        Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": phone}],
        Addresses=[{"AddressType": "STREET", "AddressLine1": street, "PostalCode": code}], **fields,
    )  # fmt: skip


def echoing(status: int, body: Callable[[requests.PreparedRequest], bytes]) -> Any:
    """A Xero that answers every write with what it was sent, headers and all."""
    genuine = SandboxAdapter.send

    def send(self: SandboxAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if request.method not in ("PUT", "POST") or "/connect/" in str(request.url):
            return genuine(self, request, **options)
        raw = HTTPResponse(body=_stream(body(request)), status=status, preload_content=False)
        return HTTPAdapter().build_response(request, raw)

    return send


def _stream(content: bytes) -> Any:
    import io  # noqa: PLC0415

    return io.BytesIO(content)


def everything(request: requests.PreparedRequest) -> bytes:
    return f"{request.headers['Authorization']} {request.body!r} {dict(request.headers)}".encode()


def as_error(request: requests.PreparedRequest) -> bytes:
    said = everything(request).decode()
    elements = json.loads(request.body or b"{}")
    for element in next(iter(elements.values()), []):
        element["ValidationErrors"] = [{"Message": f"This is wrong: {said}"}]
    return json.dumps(
        {"ErrorNumber": 10, "Type": "ValidationException", "Message": said, "Elements": []}
    ).encode()


SCENES: dict[str, Any] = {
    "well": None,
    "html echo 500": (500, lambda r: b"<html>" + everything(r)),
    "echo 400": (400, as_error),
    "echo 403": (403, everything),
    "echo 200 that is no JSON": (200, everything),
    "token echo 401": (401, everything),
}


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_that_is_written_holds_a_secret_or_a_person(
    house: Any,
    secrets: set[str],
    scene: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if SCENES[scene]:
        monkeypatch.setattr(SandboxAdapter, "send", echoing(*SCENES[scene]))
    ran = _run(house, caplog, person(house, 1), person(house, 2))
    # What Xero says of a document that it refuses is the reason, and is told in its words.
    _search(house, ran, secrets, allowed=PERSONAL if scene == "echo 400" else ())


def test_of_a_refused_document_only_the_refused_value_is_told(
    house: Any, secrets: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    ran = _run(house, caplog, person(house, 1, TaxNumber="T" * 99), person(house, 2))
    assert "too_long" in ran.err
    _search(house, ran, secrets, allowed=())


@pytest.mark.parametrize("point", crash.POINTS)
def test_a_run_that_dies_on_the_way_leaves_neither_behind(
    house: Any,
    secrets: set[str],
    point: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def die(name: str) -> None:
        if name == point:
            monkeypatch.setattr(crash, "armed", None)
            raise RuntimeError(f"died at {name}")

    monkeypatch.setattr(crash, "armed", die)
    caplog.set_level("DEBUG")
    written = []
    try:
        ran = house.load(person(house, 1), **ACCESS)
        written.append(ran.told + ran.out)
    except RuntimeError as failure:
        import traceback  # noqa: PLC0415

        written.append("".join(traceback.format_exception(failure)))
    monkeypatch.setattr(crash, "armed", None)
    _search_text("\n".join([*written, caplog.text]), secrets, allowed=())
    _search_files(house.folder, secrets)


@pytest.mark.parametrize("name", ["rejects", "reconcile", "check", "retry"])
def test_a_command_tells_no_secret(
    house: Any, secrets: set[str], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    _run(house, caplog, person(house, 1, TaxNumber="T" * 99), person(house, 2))
    caplog.clear()
    arguments = ["--all"] if name == "retry" else []
    for extra in ([], ["--json"]):
        found = house.command(name, *arguments, *extra, **ACCESS)
        _search_text(found.output + caplog.text, secrets, allowed=PERSONAL)
    _search_files(house.folder, secrets, but={"config.json"})


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
def test_plans_approvals_and_undoing_hold_no_secret(
    house: Any, secrets: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    """People may be in a saved plan, which is what it is for; a secret may be nowhere."""
    caplog.set_level("DEBUG")
    told = []
    for mode in ("plan", "approve"):
        ran = house.load(person(house, 1), person(house, 2, TaxNumber="T" * 99), **ACCESS, mode=mode)
        told.append(ran.told + ran.out)
    for command in (
        ("plan",), ("approve", "--by", "Ann"), ("apply",), ("undo", "3"), ("undo", "3", "--apply"), ("why", house.contact(1)["source_key"]),
        ("ledger", "status"), ("ledger", "verify"), ("ledger", "export"),
    ):  # fmt: skip
        told += [house.command(*command, *extra, **ACCESS).output for extra in ([], ["--json"])]
    _search_text("\n".join([*told, caplog.text]), secrets, allowed=PERSONAL)
    _search_files(house.folder, secrets, but={"config.json"}, people_in=(".json", ".html"))


def test_a_ledger_in_postgresql_holds_no_secret(
    house: Any, postgres: Any, secrets: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    house.config["ledger_url"] = postgres.address
    _run(house, caplog, person(house, 1), person(house, 2, TaxNumber="T" * 99))
    tables = [
        table for (table,) in postgres.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    dump = "\n".join(str(row) for table in tables for row in postgres.run(f"SELECT t::text FROM {table} t"))
    assert "Canaria Birdsong 1" in dump, "the documents are there"
    assert "token" in " ".join(tables), "the token store is there"
    assert [secret for secret in secrets - {postgres.address} if secret in dump] == []


@pytest.mark.e2e
def test_no_process_is_started_with_a_secret_among_its_arguments(house: Any, tmp_path: Path) -> None:
    """A target that waits for input, as Meltano starts it, and whatever it starts itself."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"client_id": "canary-id", "client_secret": PASSWORD, **ACCESS}))
    with subprocess.Popen(
        [sys.executable, "-m", "target_xero", "--config", str(config)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path,
        env={**os.environ, "TARGET_XERO_CLIENT_SECRET": PASSWORD},
    ) as target:  # fmt: skip
        try:
            for _ in range(20):
                time.sleep(0.1)
                family = _arguments_of_family(target.pid)
                assert any(str(config) in arguments for arguments in family)
                for arguments in family:
                    assert not [s for s in (PASSWORD, KEY, *ACCESS.values()) if s in arguments], arguments
        finally:
            target.kill()


def _arguments_of_family(pid: int) -> list[str]:
    """The command lines of a process and of all that descend from it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if pid in (int(folder.name), parent):
            found.append(arguments)
    return found


@pytest.mark.parametrize(
    "setting", ["client_secret", "refresh_token", "token_store_key", "ledger_url", "alert_urls"]
)
@pytest.mark.parametrize(
    "wrong", [[f"{PASSWORD}"], {"value": PASSWORD}, f"file:/nowhere/{'x' * 8}", f"http://{PASSWORD}@x"]
)
def test_a_wrong_setting_is_told_without_its_value(
    house: Any, secrets: set[str], setting: str, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    told = []
    try:
        ran = house.load(person(house, 1), **{**ACCESS, "alert_on": [], setting: wrong})
        told.append(ran.told + ran.out)
    except Exception as failure:  # noqa: BLE001  whatever the SDK makes of it
        told.append(f"{failure} {failure!r} {getattr(failure, 'errors', '')}")
    _search_text("\n".join([*told, caplog.text]), {PASSWORD, *secrets} - {"sandbox-xero-refresh"}, allowed=())


@pytest.mark.parametrize(
    "wrong", [PASSWORD, {"client_secret": PASSWORD}, [{"name": "UK", "client_secret": [PASSWORD]}]]
)
def test_a_wrong_list_of_organisations_is_told_without_its_secrets(
    house: Any, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    try:
        ran = house.load(person(house, 1), organisations=wrong)
        told = ran.told + ran.out
    except Exception as failure:  # noqa: BLE001  whatever the SDK makes of it
        told = f"{failure} {failure!r} {getattr(failure, 'errors', '')}"
    _search_text(told + caplog.text, {PASSWORD}, allowed=())


def _run(house: Any, caplog: pytest.LogCaptureFixture, *documents: Any) -> Any:
    caplog.set_level("DEBUG")
    for name in ("urllib3", "sqlalchemy.engine", "target-xero", "singer_sdk"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        return house.load(*documents, **ACCESS)
    finally:
        for name in ("urllib3", "sqlalchemy.engine", "target-xero", "singer_sdk"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _search(house: Any, ran: Any, secrets: set[str], allowed: tuple[str, ...]) -> None:
    _search_text(ran.told + ran.out, secrets, allowed)
    _search_files(house.folder, secrets)


def _search_text(text: str, secrets: set[str], allowed: tuple[str, ...]) -> None:
    found = [secret for secret in secrets if secret in text]
    assert not found, f"a secret was written: {_near(text, found)}"
    people = [each for each in PERSONAL if each in text and each not in allowed]
    assert not people, f"a person was written: {_near(text, people)}"


def _near(text: str, found: list[str]) -> str:
    return "; ".join(match[0] for each in found for match in re.finditer(f".{{0,80}}{re.escape(each)}", text))


def _search_files(
    folder: Path, secrets: set[str], but: Collection[str] = (), people_in: Collection[str] = ()
) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in but:
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, f"a secret is in {path.name}"
            if not path.name.startswith("ledger.sqlite") and path.suffix not in people_in:
                for each in PERSONAL:
                    assert each.encode() not in content, f"a person is in {path.name}"
