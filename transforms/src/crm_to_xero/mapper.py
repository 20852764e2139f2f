"""The Meltano mapper: Singer messages of a CRM in, Singer messages of accounting documents out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import click
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper_base import InlineMapper
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    Message,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)

from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.errors import MappingFileError
from crm_to_xero.loader import load_mapping
from crm_to_xero.messages import Reader, Writer
from crm_to_xero.pipe import Pipe, moment_of, schema_of

__all__ = ["CrmToXeroMapper"]


class CrmToXeroMapper(InlineMapper):
    """Maps records by a mapping file. It keeps no state: STATE goes through as it came.

    `Pipe` takes most messages; what it does with them is the same as what the methods here do.
    """

    begun: ClassVar[Pipe | None] = None
    """A pipe that has read some lines of this run, and leaves the others to us."""

    name = "crm-to-xero"
    package_name = "crm-to-xero"
    capabilities = [PluginCapabilities.ABOUT, PluginCapabilities.STRUCTURED_LOGGING]  # noqa: RUF012 - the SDK's own

    config_jsonschema = th.PropertiesList(
        th.Property(
            "mapping",
            th.StringType,
            default="salesforce",
            title="Mapping",
            description="Name of a mapping that comes with the package (salesforce, hubspot), or path of a mapping file.",
        ),
        th.Property(
            "mapping_options",
            th.ObjectType(additional_properties=True),
            default={},
            title="Mapping options",
            description="Values for the options that the mapping declares; `crm-to-xero-check NAME --options` lists them.",
        ),
        th.Property(
            "unknown_streams",
            th.StringType,
            allowed_values=["pass", "drop"],
            default="pass",
            title="Unknown streams",
            description="What becomes of streams that the mapping does not name: passed through unchanged, or dropped.",
        ),
    ).to_dict()

    def __init__(self, **kwargs: Any) -> None:
        """Load the mapping, before anything is read.

        Raises:
            ConfigValidationError: The mapping or its options are wrong.
        """
        super().__init__(
            message_reader=Reader(lambda: self.pipe),
            message_writer=Writer(lambda: self.pipe.output),
            **kwargs,
        )
        try:
            mapping = load_mapping(self.config["mapping"], self.config.get("mapping_options"))
        except MappingFileError as exc:
            raise ConfigValidationError("The mapping cannot be used", errors=[str(exc)]) from exc
        self.pipe = self.begun or Pipe(mapping)
        self.mapping = self.pipe.mapping
        self._mapped = self.mapping.streams
        self._passes = self.config["unknown_streams"] == "pass"

    def map_schema_message(self, message_dict: dict[str, Any]) -> Iterable[Message]:
        """Announce the document streams that a source stream can give, each once."""
        self._assert_line_requires(message_dict, {"stream", "schema"})
        stream = message_dict["stream"]
        if stream not in self._mapped:
            yield from self._unknown_schema(stream, message_dict)
            return
        for schema in self.pipe.schemas(stream):
            yield SchemaMessage.from_dict(schema)

    def _unknown_schema(self, stream: str, message_dict: dict[str, Any]) -> Iterable[Message]:
        if not self._passes:
            self.logger.info("Stream %s is not in the mapping %s: dropped", stream, self.mapping.name)
            return
        if stream in DOCUMENTS and "source_key" not in message_dict["schema"].get("properties", {}):
            raise click.ClickException(
                f"Stream {stream} is not in the mapping {self.mapping.name} and has the name of a document stream, but is none: "
                f"it has no source_key. Name it under `streams:` (`{stream}: {{}}` gives nothing), or set unknown_streams to drop."
            )
        yield SchemaMessage(
            stream=stream,
            schema=message_dict["schema"],
            key_properties=message_dict.get("key_properties"),
            bookmark_properties=message_dict.get("bookmark_properties"),
        )

    def map_record_message(self, message_dict: dict[str, Any]) -> Iterable[Message]:
        """Give the documents of a record, with the time at which the record was read."""
        self._assert_line_requires(message_dict, {"stream", "record"})
        stream = message_dict["stream"]
        if stream not in self._mapped:
            if self._passes:
                yield RecordMessage.from_dict(message_dict)
            return
        extracted = moment_of(message_dict.get("time_extracted"))
        for document in self.mapping.documents(stream, message_dict["record"]):
            if document.stream not in self.pipe.announced:  # a tap that sends records before their schema
                self.pipe.announced.add(document.stream)
                yield SchemaMessage.from_dict(schema_of(self.mapping, document.stream))
            yield RecordMessage(stream=document.stream, record=document.body, time_extracted=extracted)

    def map_state_message(self, message_dict: dict[str, Any]) -> Iterable[Message]:
        """Pass STATE through; its bookmarks are the tap's."""
        self._assert_line_requires(message_dict, {"value"})
        yield StateMessage(value=message_dict["value"])

    def map_activate_version_message(self, message_dict: dict[str, Any]) -> Iterable[Message]:
        """Pass it through for unknown streams only.

        For a mapped stream it would tell a target to delete what an older version had: documents are never deleted that way.
        """
        self._assert_line_requires(message_dict, {"stream", "version"})
        if self._passes and message_dict["stream"] not in self._mapped:
            yield ActivateVersionMessage(stream=message_dict["stream"], version=message_dict["version"])
