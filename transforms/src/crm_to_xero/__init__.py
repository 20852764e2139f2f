"""CRM records to accounting documents: a mapping as code, with its examples as tests."""

from __future__ import annotations

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
