"""Which documents the settings switch on, and with them the scopes a run needs."""

from __future__ import annotations

from collections.abc import Iterable

from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.explain import Explanation, explain

from target_xero.settings import Settings
from target_xero.xero import scopes


def explanation(settings: Settings) -> Explanation | None:
    """What the mapping says with its options; None where documents come as they are.

    Raises:
        MappingFileError: the mapping is wrong.
    """
    return explain(settings.mapping, settings.mapping_options) if settings.mapping else None


def documents(settings: Settings) -> tuple[str, ...]:
    """The kinds of document a run may write: what the mapping can give; without a mapping all of them."""
    found = explanation(settings)
    return tuple(DOCUMENTS) if found is None else found.documents


def scopes_needed(every: Iterable[Settings]) -> tuple[str, ...]:
    """The least scopes for all organisations together."""
    return scopes.needed({document for settings in every for document in documents(settings)})
