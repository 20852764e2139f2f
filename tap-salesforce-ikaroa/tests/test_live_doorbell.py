"""Outbound Messages: whose are taken, when they are acknowledged, and that none is lost or followed twice."""

from __future__ import annotations

import queue
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.live.doorbell import Doorbell, NotOurs, Spool, notifications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ORG = "00DSb0000000001MAA"
DEAL, OTHER = "006Sb000Qx1Wd00IIC", "006Sb000Qx1Wd01IIC"


def message(*pairs: tuple[str, str], org: str = ORG) -> bytes:
    rows = "".join(
        f"<Notification><Id>{told}</Id>"
        f'<sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{record}</sf:Id><sf:Name>Deal &amp; more</sf:Name></sObject></Notification>"
        for told, record in pairs
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{org}</OrganizationId><ActionId>04kSb0000000001AAA</ActionId>"
        f'<SessionId xsi:nil="true"/>{rows}</notifications></soapenv:Body></soapenv:Envelope>'
    ).encode()


FIRST, SECOND = "04lSb0000000001AAA", "04lSb0000000002AAA"


def test_a_message_names_its_records():
    assert notifications(message((FIRST, DEAL), (SECOND, OTHER)), ORG) == [
        {"id": FIRST, "object": "Opportunity", "record": DEAL},
        {"id": SECOND, "object": "Opportunity", "record": OTHER},
    ]
    assert notifications(message((FIRST, DEAL), org=ORG[:15]), ORG)


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    b"<not closed",
    b"",
    b"\xff\xfe\x00",
)


@pytest.mark.parametrize("body", BOMB)
def test_what_is_not_safe_xml_is_refused(body):
    with pytest.raises(NotOurs) as refused:
        notifications(body, ORG)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (message((FIRST, DEAL), org="00DXX0000000009MAA"), 403),
        (message((FIRST, DEAL), org=""), 403),
        (message((FIRST, "no id")), 400),
        (message(("", DEAL)), 400),
        (message((FIRST, DEAL)).replace(b"sf:Opportunity", b"sf:Oppo/rtunity"), 400),
        (b"<x/>", 400),
    ],
)
def test_a_message_of_another_org_or_form_is_refused(body, status):
    with pytest.raises(NotOurs) as refused:
        notifications(body, ORG)
    assert refused.value.status == status


def entry(told: str) -> dict[str, str]:
    return {"id": told, "object": "Opportunity", "record": DEAL}


def waiting(path: Path) -> list[dict[str, str]]:
    with closing(Spool(path)) as spool:
        return spool.waiting()


def test_what_was_kept_is_there_after_a_crash_until_it_is_done(tmp_path):
    path = tmp_path / "spool"
    with closing(Spool(path)) as spool:
        assert spool.keep([entry(FIRST)]) == [entry(FIRST)]
    with path.open("a") as file:
        file.write('{"id": "cut of')
    with closing(Spool(path)) as again:
        assert again.waiting() == [entry(FIRST)]
        assert again.keep([entry(FIRST), entry(SECOND)]) == [entry(SECOND)]
        assert waiting(path) == [entry(FIRST), entry(SECOND)]
        again.done([FIRST])
        assert waiting(path)
        again.done([SECOND])
        assert waiting(path) == []
        assert again.keep([entry(FIRST)]) == [], "a notification sent again is known although it is done"


def test_a_spool_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(SettingsError, match="doorbell_spool_path"):
        Spool(tmp_path)


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    hints: queue.SimpleQueue[Any] = queue.SimpleQueue()
    bell = Doorbell(0, "/in/secret", Spool(tmp_path / "spool"), ORG, hints.put)

    def send(body: Any, path: str = "/in/secret", **headers: str) -> requests.Response:
        return requests.post(f"http://127.0.0.1:{bell.port}{path}", data=body, headers=headers, timeout=10)

    send.hints, send.bell, send.spool = hints, bell, tmp_path / "spool"  # type: ignore[attr-defined]
    yield send
    bell.close()


@pytest.mark.e2e
def test_a_message_is_on_disk_when_it_is_acknowledged_and_followed_once(ring):
    for _ in range(2):
        answer = ring(message((FIRST, DEAL)))
        assert answer.status_code == 200
        assert "<Ack>true</Ack>" in answer.text
    assert FIRST in ring.spool.read_text()
    hint = ring.hints.get(timeout=5)
    assert (hint.topic, hint.ids, hint.place) == ("/data/OpportunityChangeEvent", (DEAL,), b"")
    assert ring.hints.empty()
    ring.bell.done([hint])
    assert ring.spool.read_text() == ""


@pytest.mark.e2e
def test_strangers_are_turned_away_without_an_ack(ring):
    assert ring(message((FIRST, DEAL)), path="/in/other").status_code == 404
    assert ring(message((FIRST, DEAL), org="00DXX0000000009MAA")).status_code == 403
    assert ring(b"x" * (limits.DOORBELL_BYTES + 1)).status_code == 413
    assert ring(iter([b"x"])).status_code == 411
    assert ring.hints.empty()


@pytest.mark.e2e
def test_a_full_disk_is_no_ack(ring, monkeypatch):
    def full(_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    assert ring(message((FIRST, DEAL))).status_code == 503
    monkeypatch.undo()
    assert ring(message((FIRST, DEAL))).status_code == 200
    assert ring.hints.get(timeout=5).ids == (DEAL,)
