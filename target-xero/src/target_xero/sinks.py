"""What becomes of one record: a document as it is, documents by the mapping, or nothing but a word.

The SDK's own validation is off: it stops a run at the first bad record and turns date text into objects. A document is
checked field by field when it is planned, and what is wrong with it is kept with it in the ledger.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

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

    def take(self, record: dict[str, Any]) -> None:
        """Takes a record, as the stream maps leave it."""
        self.record_counter_metric.increment()
        self.hand_on(record)

    @abstractmethod
    def hand_on(self, record: dict[str, Any]) -> None:
        """Hands it on."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """The SDK's name for it."""
        self.hand_on(record)


class DocumentSink(XeroSink):
    """Takes one of the six document streams. A document without its key is kept as refused like any other that is wrong."""

    def hand_on(self, record: dict[str, Any]) -> None:
        """Hands the document on."""
        self.target.take(self.stream_name, record)


class SourceSink(XeroSink):
    """Takes a CRM stream of the mapping: one record gives any number of documents of several streams."""

    def hand_on(self, record: dict[str, Any]) -> None:
        """Hands the record on; the mapping says what is missing in it, in the document it gives."""
        self.target.take_record(self.stream_name, record)


class UnknownSink(XeroSink):
    """Takes records of a stream that nobody knows, and does with them what `on_unknown_stream` says."""

    def hand_on(self, record: dict[str, Any]) -> None:
        """Counts the record."""
        self._singer_validate_message(record)
        self.target.note_unknown(self.stream_name)
