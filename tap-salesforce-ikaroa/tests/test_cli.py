"""The command as a person or Meltano runs it: one line for what is wrong, exit codes, signals, no secrets anywhere."""

from __future__ import annotations

import gc
import io
import json
import logging
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import redirect_stdout
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ikaroa_sandbox import credentials
from ikaroa_sandbox.adapter import SandboxAdapter
from tap_salesforce_ikaroa.tap import TapSalesforceIkaroa
from tap_salesforce_ikaroa.writer import Terminated, WholeLineWriter

CONFIG = {
    "login_url": "http://127.0.0.1:8790",
    "client_id": credentials.SALESFORCE_CLIENT_ID,
    "client_secret": credentials.SALESFORCE_CLIENT_SECRET,
    "streams_to_discover": ["Lead"],
}


@pytest.fixture
def command(org, tmp_path: Path):
    """Runs the command line in this process against the org."""

    class InProcess(TapSalesforceIkaroa):
        http_adapter = SandboxAdapter(org.sandbox, spend_time=False)
        sleep = staticmethod(lambda _: None)

    def run(*args: str, **settings: Any) -> Result:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**CONFIG, **settings}))
        handler, level = logging.getLogger().handlers[:], logging.getLogger().level
        try:
            return CliRunner().invoke(InProcess.get_singer_command(), ["--config", str(config), *args])
        finally:
            logging.getLogger().handlers[:] = handler
            logging.getLogger().setLevel(level)
            logging.captureWarnings(capture=False)
            sys.excepthook = sys.__excepthook__

    return run


def test_discover_then_sync_with_the_catalog(command, tmp_path: Path) -> None:
    found = command("--discover")
    assert found.exit_code == 0
    catalog = tmp_path / "catalog.json"
    catalog.write_text(found.stdout)
    result = command("--catalog", str(catalog))
    assert result.exit_code == 0
    kinds = [json.loads(line)["type"] for line in result.stdout.splitlines()]
    assert kinds[0] == "SCHEMA"
    assert kinds[-1] == "STATE"
    assert kinds.count("RECORD") > 200


@pytest.mark.parametrize("args", [(), ("--discover",), ("--test",)])
def test_whatever_is_wrong_ends_with_one_and_no_traceback(command, args: tuple[str, ...], log) -> None:
    result = command(*args, client_secret="wrong")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert "check `client_id` and `client_secret`" in log()


@pytest.mark.parametrize("how", ["all", "records", "schema"])
def test_a_look_at_a_few_records_is_no_failure(command, log, how: str) -> None:
    assert command(f"--test={how}").exit_code == 0
    assert "error" not in log().lower()


def test_a_failed_discovery_leaves_no_file_open(command, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", ResourceWarning)
        assert (
            command("--state", str(tmp_path / "state.json"), "--discover", client_secret="wrong").exit_code
            == 1
        )
        gc.collect()
    assert not complaints, "Meltano shows them to the operator"


@pytest.mark.parametrize(("option", "code"), [("--config", 2), ("--state", 1), ("--catalog", 1)])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe{}", b'"x"'])
def test_a_file_that_is_no_json_object_is_told_in_a_line(
    command, tmp_path: Path, log, option: str, code: int, content: bytes
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    result = command(option, str(path))
    assert (result.exit_code, result.stdout) == (code, "")
    assert option in result.output + log()
    assert isinstance(result.exception, SystemExit), "no traceback"


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_an_empty_list_is_neither_a_state_nor_a_catalog(command, tmp_path: Path, log, option: str) -> None:
    path = tmp_path / "list.json"
    path.write_text("[]")
    assert command(option, str(path)).exit_code == 1
    assert f"{option} {path} has another form" in log()


@pytest.mark.parametrize("args", [(), ("--discover",)])
def test_a_sandbox_that_does_not_run_is_told_with_how_to_start_it(
    org, command, log, args: tuple[str, ...]
) -> None:
    org.fault("connect_failed", every=1)
    result = command(*args)
    assert result.exit_code == 1
    assert "the sandbox does not answer at http://127.0.0.1:8790; start it with `make sandbox`" in log()
    assert "Traceback" not in result.output


def test_a_failure_in_mid_run_still_writes_state_and_the_calls(org, command, log) -> None:
    org.fault("503", path="/query/", every=1)
    result = command(page_size=200, max_retries=1)
    assert result.exit_code == 1
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["type"] == "STATE"
    assert last["value"]["bookmarks"]["Lead"]["replication_key_value"]
    assert "API calls:" in log()
    assert "unhandled" not in log(), "one line tells it, not two"


def test_secrets_and_personal_data_stay_out_of_logs_and_state(
    org, sync, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = "canary.person@private.example"
    org.insert("Lead", LastName="Canarysurname", Company="Canary Ltd", Email=person)
    org.edit("rotation", on=True)
    org.fault("500_before", path="/queryAll", nth=[1])
    org.fault("401", path="/queryAll", nth=[2])
    run = sync(streams_to_discover=["Lead"])
    told = caplog.text + json.dumps(run.states)
    for secret in (credentials.SALESFORCE_CLIENT_SECRET, person, "Canarysurname", "Bearer "):
        assert secret not in told
    assert not [token for token in _tokens(org) if token in told]


def _tokens(org) -> list[str]:
    return list(org.sandbox.backend("salesforce").state.tokens.sessions)


def test_nothing_in_an_ordinary_log_reads_like_a_failure(sync, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sync(streams_to_discover=["Lead"])
    assert not [line for line in caplog.text.lower().splitlines() if "error" in line or "exception" in line]


# --- signals ------------------------------------------------------------------------------------------------------


class Message:
    def to_dict(self) -> dict[str, str]:
        return {"type": "RECORD", "text": "x" * 100}


def test_a_signal_in_the_middle_of_a_line_waits_for_its_end() -> None:
    writer = WholeLineWriter()

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            super().write(text[:10])
            writer.terminate(signal.SIGTERM)
            return super().write(text[10:])

    out = Out()
    with redirect_stdout(out), pytest.raises(Terminated):
        writer.write_message(Message())
    assert json.loads(out.getvalue())["type"] == "RECORD"
    with pytest.raises(Terminated):
        writer.terminate(signal.SIGTERM)


def test_a_signal_in_the_middle_of_a_batch_waits_for_its_end() -> None:
    writer = WholeLineWriter()

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            super().write(text[:10])
            writer.terminate(signal.SIGTERM)
            return super().write(text[10:])

    out = Out()
    with redirect_stdout(out), pytest.raises(Terminated):
        writer.write_batch("Lead", b'{"Id":"1"}\n{"Id":"2"}\n', datetime(2026, 11, 2, tzinfo=timezone.utc))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["record"]["Id"] for line in lines] == ["1", "2"]


def test_a_signal_between_batches_ends_the_run_with_state_and_its_number(org, command, monkeypatch) -> None:
    written: list[int] = []
    write = WholeLineWriter.write_batch

    def count(self: WholeLineWriter, *batch: Any) -> None:
        write(self, *batch)
        written.append(1)
        if len(written) == 2:
            self.terminate(signal.SIGTERM)

    monkeypatch.setattr(WholeLineWriter, "write_batch", count)
    result = command(page_size=200, streams_to_discover=["Lead"])
    assert result.exit_code == 128 + signal.SIGTERM
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    stamps = [line["record"]["SystemModstamp"] for line in lines if line["type"] == "RECORD"]
    states = [line["value"] for line in lines if line["type"] == "STATE"]
    bookmark = states[-1]["bookmarks"]["Lead"]["replication_key_value"]
    assert bookmark == stamps[199], "never ahead of what was written for certain"


@pytest.mark.e2e
def test_the_installed_command_over_a_socket(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "ikaroa_sandbox.cli", "serve", "--seed", "7", "--port", "0", "--json"]
    tap = Path(sys.executable).parent / "tap-salesforce-ikaroa"
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            address = _address(server)
            config = tmp_path / "config.json"
            config.write_text(json.dumps({**CONFIG, "login_url": address}))
            done = subprocess.run(
                [tap, "--config", config], capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout.count('"type":"RECORD"') > 200
            assert done.stdout.splitlines()[-1].startswith('{"type":"STATE"')
            assert "API calls: 4" in done.stderr
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    found: list[str] = []

    def read() -> None:
        for line in server.stdout or ():
            found.append(line)
            break

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(30)
    started = time.monotonic()
    assert found, f"the sandbox said nothing in {time.monotonic() - started:.0f} s"
    facts = json.loads(found[0])
    return str(facts.get("url") or facts.get("salesforce") or facts["address"])


@pytest.mark.parametrize(("name", "meant"), [("include_delted", "include_deleted"), ("api_typ", "api_type")])
def test_a_mistyped_setting_is_refused_with_the_one_that_was_meant(
    command, caplog, name: str, meant: str
) -> None:
    ended = command("--discover", **{name: "REST"})
    assert ended.exit_code == 1
    assert f"there is no setting {name!r}. Did you mean {meant}?" in caplog.text + ended.output


def test_no_value_of_a_setting_that_cannot_be_used_is_told(command, caplog) -> None:
    ended = command("--discover", client_secret=424242, client_secert="hunter2")
    told = caplog.text + ended.output
    assert ended.exit_code == 1
    assert "setting client_secret: text is expected" in told
    assert "424242" not in told
    assert "hunter2" not in told


def test_a_mistyped_environment_variable_is_refused_for_meltano_says_nothing_of_it(
    command, caplog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_SALESFORCE_IKAROA_START_DAT", "2026-01-01")
    ended = command("--discover")
    assert ended.exit_code == 1
    assert "Did you mean TAP_SALESFORCE_IKAROA_START_DATE?" in caplog.text + ended.output


def test_what_meltano_and_the_sdk_hand_on_passes(command, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("_SELECT", "IRELAND_START_DATE", "STREAM_MAPS", "VERSION"):
        monkeypatch.setenv(f"TAP_SALESFORCE_IKAROA_{variable}", "{}")
    assert command("--discover", batch_config=None, _select=["*.*"], faker_config={}).exit_code == 0


def test_a_stream_that_refresh_days_mistypes_is_told(command, caplog) -> None:
    assert command("--discover", refresh_days={"Leed": 7, "*": 30, "Lead": 1}).exit_code == 0
    told = [line for line in caplog.messages if "refresh_days" in line]
    assert told == ["`refresh_days` names Leed, and there is no such stream"]
