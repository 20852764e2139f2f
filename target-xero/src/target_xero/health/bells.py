"""Would anybody hear of it? The setting `alert_urls`, entry by entry, never with what is secret in one."""

from __future__ import annotations

from collections.abc import Iterator

from target_xero import alerts
from target_xero.health.finding import Finding, fail, ok, warn
from target_xero.settings import Settings


def look_at_alerts(settings: Settings, *, ring: bool) -> Iterator[Finding]:
    """Whether alerts can go to each address; with `ring` a test message is sent to each."""
    if settings.alert_urls is None:
        if ring:
            yield fail("alerts", "alert_urls is not set", "Set it, or leave --alerts away.")
        return
    for address in alerts.look(settings.alert_urls.reveal(), ring=ring):
        what = f"alert {address.number}"
        if not address.service:
            yield (fail if ring else warn)(
                what,
                "no address that apprise knows, or one for which it lacks a library",
                "Correct this entry of alert_urls: https://github.com/caronc/apprise lists them.",
            )
        elif address.rang is False:
            yield fail(
                what,
                f"{address.service}: the test message did not go through",
                "Look at its address, its password and the way there (proxy, firewall).",
            )
        else:
            yield ok(
                what,
                f"{address.service}; {'a test message was sent' if ring else 'well formed, not tried: check --alerts'}",
            )
