"""The journal holds what was on the wire, within bounds and without secrets."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ikaroa_sandbox.core import Headers, Request
from ikaroa_sandbox.errors import CommandError
from ikaroa_sandbox.journal import Exchange, Journal, JournalQuery

NOON = datetime(2026, 11, 2, 12, 0, 0, tzinfo=timezone.utc)


def add(
    journal: Journal, method: str = "GET", path: str = "/a", system: str = "xero", **more: object
) -> Exchange:
    request = Request(method, path, **more)  # type: ignore[arg-type]
    entry = Exchange(journal.next_seq(), NOON, system, request, 200, "answered", 200, [])
    journal.add(entry)
    return entry


@pytest.mark.parametrize(
    "name", ["client_secret", "refresh_token", "assertion", "access_token", "password", "code"]
)
def test_secrets_in_forms_queries_and_json_are_not_told(name: str) -> None:
    form = Headers({"Content-Type": "application/x-www-form-urlencoded"})
    told = [
        add(Journal(), "POST", query=f"a=1&{name}=hunter2").as_json(),
        add(
            Journal(), "POST", body=f"grant_type=x&{name}=hunter2&scope=a+b".encode(), headers=form
        ).as_json(),
        add(Journal(), "POST", body=f"{name}=hunter2".encode()).as_json(),
        add(
            Journal(),
            "POST",
            body=json.dumps({name: "hunter2", "x": 1}).encode(),
            headers=Headers({"Content-Type": "application/json"}),
        ).as_json(),
    ]
    for entry in told:
        assert "hunter2" not in json.dumps(entry)
        assert name in json.dumps(entry), "that there was a secret is no secret"
    assert "scope=a+b" in told[1]["body"]


def test_the_authorization_header_keeps_only_its_scheme() -> None:
    headers = Headers({"authorization": "Bearer abc.def", "Cookie": "sid=abc", "Idempotency-Key": "k-1"})
    told = add(Journal(), headers=headers).as_json()["headers"]
    assert told == {"authorization": "Bearer [secret]", "Cookie": "[secret]", "Idempotency-Key": "k-1"}


def test_a_document_body_is_told_exactly() -> None:
    body = '{"Invoices": [{"Reference": "token=1 & code=2, 10,00 €", "code": 1}]}'
    for headers in (Headers({"Content-Type": "application/json"}), Headers({})):
        assert add(Journal(), "PUT", body=body.encode(), headers=headers).as_json()["body"] == body


def test_the_oldest_exchanges_go_first_and_the_counts_stay() -> None:
    journal = Journal(entries_max=3)
    for _ in range(5):
        add(journal)
    assert [entry.seq for entry in journal] == [3, 4, 5]
    assert (journal.dropped, journal.last_seq) == (2, 5)
    assert journal.counts["xero", "GET", "answered", 200] == 5


def test_bodies_are_bounded_too_and_the_newest_is_always_there() -> None:
    journal = Journal(body_bytes_max=100)
    for size in (40, 40, 40, 500):
        add(journal, body=b"x" * size)
    assert [len(entry.request.body) for entry in journal] == [500]
    assert journal.dropped == 3


def test_a_query_selects_by_number_system_method_and_path() -> None:
    journal = Journal()
    add(journal, "GET", "/api.xro/2.0/Contacts")
    add(journal, "PUT", "/api.xro/2.0/Contacts")
    add(journal, "GET", "/services/data", "salesforce")
    add(journal, "PUT", "/api.xro/2.0/Invoices")

    def found(**query: object) -> list[int]:
        return [entry.seq for entry in journal.select(JournalQuery(**query))]  # type: ignore[arg-type]

    assert found(since=2) == [3, 4]
    assert found(system="salesforce") == [3]
    assert found(method="put") == [2, 4]
    assert found(path="Contacts$") == [1, 2]
    assert found(method="PUT", path="Contacts") == [2]
    assert found(limit=2) == [1, 2]
    with pytest.raises(CommandError, match="no regular expression"):
        found(path="[")


def test_numbers_are_never_used_twice_after_clearing() -> None:
    journal = Journal()
    add(journal)
    journal.clear()
    assert (len(journal), journal.counts.total()) == (0, 0)
    assert add(journal).seq == 2


def test_a_restored_journal_is_the_saved_one_however_it_went_on() -> None:
    journal = Journal()
    add(journal, path="/kept")
    saved = journal.save()
    add(journal, path="/one way")
    later = journal.save()
    journal.restore(saved)
    add(journal, path="/another way")
    journal.restore(later)
    assert [entry.request.path for entry in journal] == ["/kept", "/one way"]
    journal.restore(saved)
    assert [entry.request.path for entry in journal] == ["/kept"]
    assert journal.counts.total() == 1
