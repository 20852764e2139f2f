"""The executable: most runs never meet the Singer SDK, and nobody can tell from what they give."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from crm_to_xero import evaluator, load_mapping
from crm_to_xero.mapper import CrmToXeroMapper
from crm_to_xero.pipe import Pipe
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk import mapper as sdk

MAPPING = load_mapping("salesforce")


def line(kind: str, **parts: Any) -> str:
    return json.dumps({"type": kind, **parts}, ensure_ascii=False)


def account(name: Any, **parts: Any) -> str:
    return line("RECORD", stream="Account", record={"Id": "001", "Name": name}, **parts)


ANNOUNCED = line("SCHEMA", stream="Account", schema={"properties": {}}, key_properties=["Id"])
USUAL = (
    ANNOUNCED,
    line("SCHEMA", stream="Lead", schema={}),
    account("Zoë & Söhne"),
    account("A", time_extracted="2026-11-02T09:00:00.123456+01:00"),
    account("A", time_extracted="2026-11-02T09:00:00", version=5),
    account(None, time_extracted=None),
    line("STATE", value={"bookmarks": {"Account": {"at": "2026-11-02"}}, "rate": 1}, other=1),
    '{"type": "STATE", "value": 1.10}',
)
UNUSUAL = (
    line("RECORD", stream="Task", record={"Id": "1", "Größe": "x\ud800".encode("utf-8", "replace").decode()}),
    line("SCHEMA", stream="Task", schema={}),
    line("RECORD", stream="Opportunity", record={"Id": "6", "IsWon": True, "AccountId": "1", "Amount": 5}),
    line("ACTIVATE_VERSION", stream="Account", version=1),
    line("ACTIVATE_VERSION", stream="Task", version=1),
    line("BATCH", stream="Account", encoding={}, manifest=[]),
    line("SCHEMA", stream="contacts", schema={}),
    line("SCHEMA", stream=["Account"], schema={}),
    line("SCHEMA", stream="Account"),
    line("RECORD", stream="Account"),
    line("RECORD", stream="Account", record=[1]),
    account("A", time_extracted="yesterday"),
    line("STATE"),
    line("NEWS"),
    '{"type": "RECORD", "stream": "Account", "record": {"Id": "\\ud800", "Name": "A"}}',
    "[]",
    "{",
    "",
)


def said(lines: list[str], *, pipe: bool) -> tuple[list[str], str]:
    """What a run writes, value for value, and the kind of error that it ends with."""
    mapper = CrmToXeroMapper(config={})
    if not pipe:
        mapper.pipe.take = lambda _: ""  # type: ignore[method-assign]
    return _outcome(lambda: mapper.listen(io.StringIO("\n".join(lines))))


def _outcome(run: Any) -> tuple[list[str], str]:
    out, ended = io.StringIO(), ""
    with contextlib.redirect_stdout(out):
        try:
            run()
        except Exception as failure:  # noqa: BLE001  whichever it is
            ended = type(failure).__name__
    return [repr(json.loads(one, parse_float=Decimal)) for one in out.getvalue().splitlines()], ended


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(USUAL) | st.sampled_from(UNUSUAL), max_size=6))
def test_what_a_run_gives_is_the_same_with_and_without_the_sdk(lines: list[str]) -> None:
    assert said(lines, pipe=True) == said(lines, pipe=False)


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_an_unusual_line_is_left_with_all_that_come_after_it(unusual: str) -> None:
    pipe = Pipe(MAPPING)
    lines, ended = _outcome(lambda: pipe.run(io.StringIO("\n".join((ANNOUNCED, unusual, account("B"))))))
    assert (len(lines), ended) == (1, "")
    assert [one for some in pipe.arriving() for one in some] == [f"{unusual}\n", account("B")]


@pytest.mark.parametrize("usual", USUAL)
def test_a_usual_line_needs_no_sdk(usual: str) -> None:
    pipe = Pipe(MAPPING)
    _, ended = _outcome(lambda: pipe.run(io.StringIO(f"{ANNOUNCED}\n{usual}")))
    assert (list(pipe.arriving()), ended) == ([], "")


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_digests_in_expressions_are_the_sdks(name: str) -> None:
    assert evaluator.FUNCTIONS[name]("Zoë") == getattr(sdk, name)("Zoë")


RUN = "import sys; from crm_to_xero.cli import main\ntry: main()\nfinally: print('singer_sdk' in sys.modules, file=sys.stderr)"


def run(
    tmp_path: Path, *lines: str, env: dict[str, str] | None = None, **config: Any
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-c", RUN, "--config", str(path)]
    return subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=False, timeout=60, env=env
    )


@pytest.mark.e2e
def test_a_usual_run_does_not_load_the_sdk_and_says_how_much_it_read(tmp_path: Path) -> None:
    done = run(tmp_path, *USUAL, mapping_options={"record_url": "https://acme.example"})
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(f"| Completed {len(USUAL)} lines of input\nFalse\n")
    records = [found for one in done.stdout.splitlines() if (found := json.loads(one))["type"] == "RECORD"]
    assert [one["record"]["source_url"] for one in records] == ["https://acme.example/001"] * 4


@pytest.mark.e2e
def test_a_run_with_an_unusual_line_goes_on_with_the_sdk(tmp_path: Path) -> None:
    task = line("RECORD", stream="Task", record={"Id": "1"})
    done = run(tmp_path, *USUAL, task, *USUAL)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("True\n")
    found = [json.loads(one)["type"] for one in done.stdout.splitlines()]
    records = ["RECORD"] * 4
    assert found == ["SCHEMA", "SCHEMA", *records, "STATE", "STATE", "RECORD", *records, "STATE", "STATE"]


@pytest.mark.e2e
@pytest.mark.parametrize("config", [{"mapping": "salesfroce"}, {"mappin": "x"}, {"unknown_streams": 5}])
def test_wrong_settings_are_told_by_the_sdk(tmp_path: Path, config: dict[str, Any]) -> None:
    done = run(tmp_path, **config)
    assert done.stderr.endswith("True\n")
    assert ("salesforce" in done.stderr) == ("mapping" in config)
    assert done.returncode == (0 if "mappin" in config else 1)


@pytest.mark.e2e
def test_whoever_asks_for_a_log_of_his_own_gets_it(tmp_path: Path) -> None:
    done = run(tmp_path, *USUAL, env={"CRM_TO_XERO_LOGLEVEL": "debug"})
    assert done.returncode == 0
    assert done.stderr.endswith("True\n")


@pytest.mark.e2e
def test_a_reader_that_ends_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_text("\n".join([ANNOUNCED, *[account("A") for _ in range(20_000)]]), encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from crm_to_xero.cli import main; main()",
        "--config",
        str(tmp_path / "config.json"),
    ]
    with (
        path.open() as source,
        subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read().decode()
    assert process.returncode == 1
    assert error == "crm-to-xero: nobody reads stdout any more; what read it says why.\n"


@pytest.mark.e2e
@pytest.mark.parametrize("first", [ANNOUNCED, UNUSUAL[0]], ids=["pipe", "plugin"])
def test_output_that_takes_nothing_is_told_in_one_line(tmp_path: Path, first: str) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    command = [sys.executable, "-c", "from crm_to_xero.cli import main; main()", "--config", "config.json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            input=f"{first}\n{account('A')}\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
        )
    assert done.returncode == 1
    assert "\ncrm-to-xero: reading or writing failed (No space left on device). " in f"\n{done.stderr}"
    assert "Traceback" not in done.stderr
