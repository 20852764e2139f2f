"""Tells people that a run ended with something left for them: one short message to the addresses in `alert_urls`.

What is in it: the organisation, counts, the first few documents by label, rule and link. Nothing of their content. A message
that cannot be sent is a warning, never more: the report and the ledger have it all.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from target_xero import limits, report
from target_xero.engine import Outcome
from target_xero.settings import Settings
from target_xero.terminal import printable, typed

logger = logging.getLogger("target-xero")


def reasons(outcome: Outcome | None, failure: str | None) -> frozenset[str]:
    """What ended the run with 1, in the words of the setting `alert_on`."""
    found = {"failed"} if failure else set()
    if outcome is not None:
        if outcome.summary.open_refusals:
            found.add("refused")
        if any(counts.parked for counts in outcome.summary.streams.values()):
            found.add("parked")
        if outcome.stopped:
            found.add("stopped")
    return frozenset(found)


def send(settings: Settings, outcome: Outcome | None, failure: str | None, input_problems: int = 0) -> None:
    """Sends the message, where one is wanted. Never raises.

    Args:
        settings: with `alert_urls` and `alert_on`.
        outcome: what the run came to, if it came that far.
        failure: why it failed, if it did.
        input_problems: how many lines or records of input were not usable.
    """
    if settings.alert_urls is None or not reasons(outcome, failure) & settings.alert_on:
        return
    where = outcome.organisation if outcome is not None else "no organisation reached"
    try:
        _notify(
            settings.alert_urls.reveal(),
            f"target-xero: {printable(where)}",
            text(outcome, failure, input_problems),
        )
    except Exception as broken:  # noqa: BLE001  an alert must not be the reason that a run fails
        logger.warning("the alert could not be sent (%s); the report has it all", type(broken).__name__)


def text(outcome: Outcome | None, failure: str | None, input_problems: int = 0) -> str:
    """The message's text."""
    lines = [failure] if failure else []
    if outcome is not None:
        lines += [
            report.sentence(outcome, input_problems),
            *_first(outcome),
            f"Look with: {typed('rejects')}",
        ]
    return "\n".join(printable(line) for line in lines)


def _first(outcome: Outcome) -> Iterator[str]:
    for problem in outcome.problems[: limits.ALERT_DOCUMENTS]:
        rules = ", ".join(
            dict.fromkeys(str(refusal.get("rule")) for refusal in problem.get("refusals") or ())
        )
        named = f"{report.state_of(problem)}: {problem['kind']}: {problem['label'] or problem['source_key']}"
        yield " ".join(part for part in (named, f"({rules})" if rules else "", problem["url"] or "") if part)
    more = len(outcome.problems) - limits.ALERT_DOCUMENTS
    if more > 0:
        yield f"and {more:,} more"


@dataclass(frozen=True)
class Address:
    """One entry of `alert_urls`, without what is secret in it."""

    number: int
    service: str
    """What apprise calls it; empty: it knows no such address, or lacks what it needs for it."""
    rang: bool | None = None
    """Whether a test message went through; None: none was sent."""


def look(urls: str, *, ring: bool = False) -> list[Address]:
    """Whether these are addresses that an alert can go to.

    Args:
        urls: the setting `alert_urls`.
        ring: send each of them a test message, too.
    """
    import apprise  # noqa: PLC0415  a second of work that most runs do without

    found = []
    with _discreet():
        for number, url in enumerate(urls.split(), 1):
            bell = apprise.Apprise()
            known = bool(bell.add(url)) and len(bell) > 0
            service = str(bell[0].service_name) if known else ""
            rang = _rings(bell) if known and ring else None
            found.append(Address(number, service, rang))
    return found


def _rings(bell: Any) -> bool:
    body = "A test of alert_urls by `target-xero check --alerts`. Nothing is wrong."
    try:
        return bool(bell.notify(body=body, title="target-xero: test"))
    except Exception:  # noqa: BLE001  whatever a service's own code raises: it did not go through
        return False


@contextlib.contextmanager
def _discreet() -> Iterator[None]:
    """Apprise says nothing meanwhile: its messages name addresses, which hold passwords."""
    quiet = logging.getLogger("apprise")
    before, quiet.disabled = quiet.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of parts of Python that apprise still uses
            yield
    finally:
        quiet.disabled = before


def _notify(urls: str, title: str, body: str) -> None:
    with _discreet():
        _ring(urls.split(), title, body)


def _ring(urls: list[str], title: str, body: str) -> None:
    import apprise  # noqa: PLC0415  a second of work that most runs do without

    bell = apprise.Apprise()
    for number, url in enumerate(urls, 1):
        if not bell.add(url):
            logger.warning("setting alert_urls: entry %s is no address that apprise knows", number)
    if len(bell) and not bell.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
        logger.warning("the alert could not be sent to all of alert_urls; the report has it all")
