"""Which kind of run the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from target_xero.engine import Engine
from target_xero.settings import Settings

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from target_xero.routing.organisations import Organisations
    from target_xero.xero.pacing import Timing


def open_run(
    settings: Settings,
    *,
    stop: Callable[[], bool] = lambda: False,
    adapter: BaseAdapter | None = None,
    timing: Timing | None = None,
) -> Engine | Organisations:
    """A run on the organisation, or the organisations, that the settings name."""
    if not settings.organisations:
        return Engine(settings, stop=stop, adapter=adapter, timing=timing)
    from target_xero.routing.organisations import Organisations  # noqa: PLC0415  takes the mapping's compiler with it

    return Organisations(settings, stop=stop, adapter=adapter, timing=timing)
