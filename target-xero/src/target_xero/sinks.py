"""What becomes of one record: a document as it is, documents by the mapping, or nothing but a word.

The SDK's own validation is off: it stops a run at the first bad record and turns date text into objects. A document is
checked field by field when it is planned, and what is wrong with it is kept with it in the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_to_xero.errors import RecordError
from singer_sdk.sinks import RecordSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.target_base import Target

    from target_xero.target import TargetXero


class XeroSink(RecordSink):
    """What all our sinks share: the target behind them, records untouched."""

    def __init__(
        self, target: Target, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self.target: TargetXero = target  # type: ignore[assignment]

    def get_validator(self) -> None:
        """None: see the module."""
        return

    def _parse_timestamps_in_record(self, *args: Any, **kwargs: Any) -> None:
        """Dates stay the text they came as."""


class DocumentSink(XeroSink):
    """Takes one of the six document streams."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Hands the document on."""
        self.target.take(self.stream_name, [record])

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A document without its key is kept as refused like any other that is wrong."""


class SourceSink(XeroSink):
    """Takes a CRM stream of the mapping: one record gives any number of documents of several streams."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Maps the record and hands its documents on."""
        mapping = self.target.mapping
        if mapping is None:  # pragma: no cover  such a sink is only made with a mapping
            return
        try:
            documents = mapping.documents(self.stream_name, record)
        except RecordError as failure:
            self.target.note_problem(str(failure), self.stream_name)
            return
        for document in documents:
            self.target.take(document.stream, [document.body])

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """The mapping says what is missing, in the document it gives."""


class UnknownSink(XeroSink):
    """Takes records of a stream that nobody knows, and does with them what `on_unknown_stream` says."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Counts the record."""
        self.target.note_unknown(self.stream_name)
