"""The sandbox as a whole: seeds, late commits at their own time, duplicates, saving and restoring."""

from __future__ import annotations

import json
import threading

import pytest
import requests
from ikaroa_sandbox.adapter import SandboxAdapter
from ikaroa_sandbox.app import START, Sandbox
from ikaroa_sandbox.core import NoResponse, Request, Response
from ikaroa_sandbox.errors import UnknownNameError
from ikaroa_sandbox.systems import System


def post(sandbox: Sandbox, text: str) -> Response | NoResponse:
    return sandbox.handle(Request("POST", "/xero-notes/", body=text.encode()))


def texts(sandbox: Sandbox) -> list[str]:
    return [note["text"] for note in sandbox.dump("xero")["notes"]]


def test_the_same_seed_profile_and_clock_give_the_same_bytes(notes_systems: tuple[System, ...]) -> None:
    def dump(seed: int, profile: str = "default") -> bytes:
        return json.dumps(Sandbox(seed, profile, systems=notes_systems).dump()).encode()

    assert dump(7) == dump(7)
    assert dump(7) != dump(8)
    assert dump(7) != dump(7, "messy")


def test_seeding_again_starts_over(sandbox: Sandbox) -> None:
    sandbox.seed(7)
    before = sandbox.dump()
    post(sandbox, "more")
    sandbox.faults.add({"do": "late_commit"})
    post(sandbox, "late")
    sandbox.variants.choose("notes.answer", "id")
    sandbox.world.random.random()
    sandbox.seed(7)
    assert sandbox.dump() == before
    assert (len(sandbox.journal), sandbox.faults.active, bool(sandbox.late)) == (0, False, False)
    assert sandbox.variants["notes.answer"] == "whole"


def test_the_empty_profile_has_no_records_and_an_unknown_one_is_refused(
    notes_systems: tuple[System, ...],
) -> None:
    assert Sandbox(7, "empty", systems=notes_systems).dump()["xero"] == {"notes": []}
    with pytest.raises(UnknownNameError, match="no profile 'tidy'; known: default, messy, empty"):
        Sandbox(7, "tidy", systems=notes_systems)


def test_a_late_commit_happens_at_its_own_time_before_any_later_request(sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "late_commit", "seconds": 90})
    assert post(sandbox, "late") == NoResponse("timeout")
    sandbox.clock.advance(89)
    post(sandbox, "in time")
    assert texts(sandbox) == ["in time"]
    sandbox.clock.advance(3600)
    post(sandbox, "after")
    assert texts(sandbox) == ["in time", "late", "after"]
    late = sandbox.dump("xero")["notes"][1]
    assert late["at"] == "2026-11-02T09:01:30+00:00", "at ninety seconds, not when the next request came"
    assert (sandbox.clock.now() - START).total_seconds() == 89 + 3600


def test_late_commits_happen_in_the_order_of_their_times(sandbox: Sandbox) -> None:
    sandbox.faults.add({"rules": [{"do": "late_commit", "seconds": s} for s in (30, 10, 20, 10)]})
    for text in ("thirty", "ten", "twenty", "ten again"):
        post(sandbox, text)
    sandbox.clock.advance(60)
    assert texts(sandbox) == ["ten", "ten again", "twenty", "thirty"]


@pytest.mark.parametrize(("answer", "status"), [("reset", None), ("504", 504), ("500", 500)])
def test_a_late_commit_may_be_answered_otherwise(answer: str, status: int | None, sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "late_commit", "answer": answer})
    response = post(sandbox, "late")
    assert response.status == status if isinstance(response, Response) else response == NoResponse("reset")
    assert texts(sandbox) == []
    sandbox.clock.advance(120)
    assert texts(sandbox) == ["late"]


def test_the_journal_ties_a_late_commit_and_a_duplicate_to_their_request(sandbox: Sandbox) -> None:
    sandbox.faults.add({"rules": [{"do": "late_commit"}, {"do": "duplicate"}]})
    post(sandbox, "late")
    post(sandbox, "twice")
    sandbox.clock.advance(500)
    sandbox.settle()
    told = [entry.as_json() for entry in sandbox.journal]
    assert [(e["outcome"], e["status"], e["handled_status"], e["fault"], e["of"]) for e in told] == [
        ("timeout", None, None, "late_commit", None),
        ("duplicate", None, 200, "duplicate", 3),
        ("answered", 200, 200, "duplicate", None),
        ("late", None, 200, "late_commit", 1),
    ]
    assert [e["seq"] for e in told] == [1, 2, 3, 4]
    assert [e["at"] for e in told] == ["2026-11-02T09:00:00Z"] * 3 + ["2026-11-02T09:02:00Z"]
    assert [e["effects"] for e in told] == [[], [{"created": 1}], [{"created": 2}], [{"created": 3}]]


def test_a_restored_sandbox_goes_on_exactly_as_the_saved_one_did(sandbox: Sandbox) -> None:
    sandbox.seed(7)
    sandbox.faults.add({"rates": {"500_after": 0.2, "late_commit": 0.2, "timeout_before": 0.2}, "seed": 5})
    sandbox.variants.choose("notes.answer", "nothing")

    def go_on() -> str:
        for number in range(40):
            post(sandbox, f"note {number} {sandbox.world.random.random()}")
            sandbox.clock.advance(10)
        told = [entry.as_json() for entry in sandbox.journal]
        return json.dumps([sandbox.dump(), told, sandbox.late.as_json(), sandbox.variants.chosen()])

    go_on()
    saved = sandbox.save()
    once = go_on()
    sandbox.variants.choose("notes.answer", "id")
    sandbox.restore(saved)
    assert go_on() == once
    sandbox.seed(9)
    sandbox.restore(saved)
    assert go_on() == once


def test_a_seed_draws_the_same_variants_of_assumed_rules_only(sandbox: Sandbox) -> None:
    drawn = set()
    for seed in range(20):
        sandbox.draw_variants(seed)
        first = sandbox.variants.chosen()
        sandbox.draw_variants(seed)
        assert sandbox.variants.chosen() == first
        drawn.add(first["notes.answer"])
        assert first["notes.length"] == "on"
    assert drawn == {"whole", "id", "nothing"}


def test_threads_do_not_lose_each_others_work(sandbox: Sandbox) -> None:
    threads = [threading.Thread(target=lambda: [post(sandbox, "x") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [note["id"] for note in sandbox.dump("xero")["notes"]] == list(range(1, 801))
    assert [entry.seq for entry in sandbox.journal] == list(range(1, 801))


def test_a_persons_edit_reaches_the_named_system(sandbox: Sandbox) -> None:
    assert sandbox.edit("xero", {"text": "by hand"}) == {"id": 1}
    assert texts(sandbox) == ["by hand"]
    with pytest.raises(UnknownNameError, match="no system 'sage'; known: salesforce, xero"):
        sandbox.edit("sage", {})


def test_every_answer_is_dated_by_the_sandboxs_clock_faults_included(sandbox: Sandbox) -> None:
    sandbox.faults.add({"do": "503_before"})
    for path in ("/xero-notes/", "/xero-notes/", "/_sandbox/health", "/nowhere"):
        answer = sandbox.handle(Request("GET", path))
        assert isinstance(answer, Response)
        assert answer.headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize("body", [b"", b"x", b"y" * 70_000])
def test_a_whole_answer_in_process_reads_as_one_from_a_socket(
    notes_systems: tuple[System, ...], monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    sandbox = Sandbox(systems=notes_systems)
    monkeypatch.setattr(
        sandbox, "handle", lambda _request: Response(201, {"Content-Type": "text/plain; charset=x"}, body)
    )
    with requests.Session() as session:
        session.mount("https://", SandboxAdapter(sandbox))
        said = session.get("https://xero.example/a")
        assert (said.status_code, said.reason, said.content) == (201, "Created", body)
        assert (said.headers["content-length"], said.encoding, said.url) == (
            str(len(body)), "x", "https://xero.example/a",
        )  # fmt: skip
        with session.get("https://xero.example/a", stream=True) as stream:
            assert b"".join(stream.iter_content(1000)) == body
        with session.get("https://xero.example/a", stream=True) as stream:
            assert stream.raw.read(10, decode_content=False) + stream.raw.read() == body
        assert session.head("https://xero.example/a").content == b""
