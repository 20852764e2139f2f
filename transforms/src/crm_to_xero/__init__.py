"""CRM records to accounting documents: a mapping as code, with its examples as tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm_to_xero.errors import CrmToXeroError, MappingFileError, RecordError, UnknownStreamError
    from crm_to_xero.loader import load_mapping, shipped
    from crm_to_xero.rules import Document, Mapping

__all__ = [
    "CrmToXeroError",
    "Document",
    "Mapping",
    "MappingFileError",
    "RecordError",
    "UnknownStreamError",
    "load_mapping",
    "shipped",
]

_MODULES = {"load_mapping": "loader", "shipped": "loader", "Document": "rules", "Mapping": "rules"}
"""Where a name comes from; the others are errors. A target whose documents come ready-made needs none of the compiler."""


def __getattr__(name: str) -> Any:
    """A name is imported when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = found
    return found
