"""Outbound Messages as a doorbell, for orgs without change events: a listener that takes them as hints.

It listens on loopback; a proxy of yours ends TLS before it. A message is believed only to name records of this org: they
are read again like those of an event. It is answered once its notifications are on disk, so that a run that is killed in
between reads them when it starts again. Source: Salesforce SOAP API docs, outbound messaging.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import defusedxml.ElementTree as safe_xml  # noqa: N813
from defusedxml.common import DefusedXmlException

from tap_salesforce_ikaroa import limits, soql
from tap_salesforce_ikaroa.errors import SettingsError
from tap_salesforce_ikaroa.live.events import CREATE, GAP, Hint
from tap_salesforce_ikaroa.live.roots import topic_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

logger = logging.getLogger("tap-salesforce-ikaroa")

_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>"
)
Notification = dict[str, str]


class NotOurs(Exception):  # noqa: N818  an answer to whoever sent it
    """A message that is not taken. `status` is the HTTP status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def notifications(body: bytes, organisation_id: str) -> list[Notification]:
    """What a message says: `{id, object, record}` for each notification.

    Raises:
        NotOurs: it is no outbound message, or of another org.
    """
    try:
        envelope = safe_xml.fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, SyntaxError, ValueError, LookupError):
        raise NotOurs(400, "not safe XML") from None
    message = envelope.find(f".//{_OUTBOUND}notifications")
    if message is None:
        raise NotOurs(400, "not an outbound message")
    sender = (message.findtext(f"{_OUTBOUND}OrganizationId") or "").strip()
    # The 15 characters are the id; 18 are the same with a checksum.
    if not soql.is_id(sender) or not hmac.compare_digest(sender[:15], organisation_id[:15]):
        raise NotOurs(403, "of another org")
    return [_notification(entry) for entry in message.findall(f"{_OUTBOUND}Notification")]


def _notification(entry: Element) -> Notification:
    row = entry.find(f"{_OUTBOUND}sObject")
    if row is None:
        raise NotOurs(400, "a notification without a record")
    kind = (row.get(_TYPE) or "").rpartition(":")[2]
    ids = [(part.text or "").strip() for part in row if part.tag.rpartition("}")[2] == "Id"]
    told = (entry.findtext(f"{_OUTBOUND}Id") or "").strip()
    if not ids or not all(map(soql.is_id, (told, ids[0]))) or not kind.replace("_", "").isalnum():
        raise NotOurs(400, "a notification without an id")
    return {"id": told, "object": kind, "record": ids[0]}


class Spool:
    """Notifications that were acknowledged and whose records are not yet written: a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Notification] = {}
        self._known: dict[str, None] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a+", encoding="utf-8")
            self._file.seek(0)
            for line in self._file:
                with contextlib.suppress(
                    ValueError, KeyError, TypeError
                ):  # a line that a crash has cut was not acknowledged
                    self._add(json.loads(line))
        except OSError:
            raise SettingsError(f"`doorbell_spool_path` cannot be written: {path}") from None

    def waiting(self) -> list[Notification]:
        """Those that are still to be followed."""
        with self._lock:
            return list(self._waiting.values())

    def keep(self, told: Iterable[Notification]) -> list[Notification]:
        """Puts what is new on disk, and gives it."""
        with self._lock:
            new = [entry for entry in told if self._add(entry)]
            try:
                # A new line first: a crash may have cut the last one.
                self._file.writelines(f"\n{json.dumps(entry)}\n" for entry in new)
                self._sync()
            except OSError:
                for entry in new:
                    self._known.pop(entry["id"], None)
                    self._waiting.pop(entry["id"], None)
                raise
            return new

    def done(self, ids: Iterable[str]) -> None:
        """Forgets what is written; the file is emptied when nothing waits."""
        with self._lock:
            for told in ids:
                self._waiting.pop(told, None)
            if not self._waiting:
                self._file.truncate(0)
                self._sync()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _add(self, entry: Notification) -> bool:
        if entry["id"] in self._known:
            return False
        self._known[entry["id"]] = None
        self._waiting[entry["id"]] = entry
        if len(self._known) > limits.HELD_NOTIFICATIONS:
            del self._known[next(iter(self._known))]
        return True

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


class Doorbell:
    """The listener. `tell` is given a hint for each notification, those of an earlier run first."""

    def __init__(
        self, port: int, path: str, spool: Spool, organisation_id: str, tell: Callable[[Hint], None]
    ) -> None:
        self._spool, self._path, self._organisation, self._tell = spool, path, organisation_id, tell
        doorbell = self

        class Handler(BaseHTTPRequestHandler):
            timeout = limits.DOORBELL_TIMEOUT_S

            def do_POST(self) -> None:
                doorbell.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing: a path may be secret."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError:
            raise SettingsError(f"`doorbell_port` {port} cannot be listened on: it is taken") from None
        self._server.daemon_threads = True
        self.port = self._server.server_port
        for hint in _hints(spool.waiting()):
            tell(hint)
        threading.Thread(target=self._server.serve_forever, name="doorbell", daemon=True).start()

    def done(self, hints: Iterable[Hint]) -> None:
        """The records of these hints are written."""
        if ids := [hint.notification for hint in hints if hint.notification]:
            self._spool.done(ids)

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._spool.close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Takes a message; acknowledges it once it is on disk."""
        try:
            told = notifications(self._body(request), self._organisation)
            for hint in _hints(self._spool.keep(told)):
                self._tell(hint)
            status, body = 200, _ACK
        except NotOurs as refused:
            logger.warning("doorbell: a message was not taken: %s", refused)
            status, body = refused.status, b""
        except OSError:
            logger.exception("doorbell: a message could not be kept; Salesforce will send it again")
            status, body = 503, b""
        request.send_response(status)
        request.send_header("Content-Type", "text/xml; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _body(self, request: BaseHTTPRequestHandler) -> bytes:
        if not hmac.compare_digest(request.path.encode(), self._path.encode()):
            raise NotOurs(404, "another path")
        length = request.headers.get("Content-Length") or ""
        if not length.isdecimal():
            raise NotOurs(411, "without a length")
        if int(length) > limits.DOORBELL_BYTES:
            request.close_connection = True
            raise NotOurs(413, "too long")
        return request.rfile.read(int(length))


def _hints(told: Iterable[Notification]) -> Iterator[Hint]:
    for entry in told:
        # Nothing is known but the id: read as after a gap.
        yield Hint(
            topic_of(entry["object"]),
            b"",
            entry["object"],
            GAP + CREATE,
            (entry["record"],),
            notification=entry["id"],
        )
