"""The Singer target: messages in, documents to the engine, STATE out when the ledger owns what came before it."""

from __future__ import annotations

import copy
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
import simplejson
from crm_to_xero.documents import DOCUMENTS
from crm_to_xero.errors import RecordError
from singer_sdk.configuration._dict_config import merge_missing_config_jsonschema
from singer_sdk.exceptions import (
    ConfigValidationError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG, PluginCapabilities, TargetCapabilities
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.target_base import Target
from sqlalchemy.exc import SQLAlchemyError

from target_xero import limits, report
from target_xero.commands import COMMANDS
from target_xero.empty_source import EmptySource
from target_xero.empty_source import sentence as empty_sentence
from target_xero.engine import Engine, Outcome
from target_xero.errors import InputError, LedgerError
from target_xero.interrupt import Interrupt
from target_xero.ledger.model import Fingerprint, Recalled
from target_xero.reader import Reader, record_of
from target_xero.recall import Line, Met, Recall
from target_xero.routing.opening import open_run
from target_xero.run import run
from target_xero.settings import Settings, unreadable_secrets
from target_xero.settings_schema import CONFIG_JSONSCHEMA
from target_xero.sinks import DocumentSink, SourceSink, UnknownSink, XeroSink
from target_xero.streams import to_stdout
from target_xero.terminal import printable
from target_xero.unknown_settings import mistyped_variables, unknown_settings
from target_xero.xero.pacing import Timing

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.mapper import StreamMap
    from singer_sdk.sinks import Sink

    from target_xero.routing.organisations import Organisations


class TargetXero(Target):
    """Contacts, items, quotes, invoices, credit notes and payments into Xero, once and to the cent."""

    name = "target-xero"
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_JSONSCHEMA)  # the SDK adds to it
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init__(
        self,
        *,
        config: dict[str, Any] | PurePath | str | list[PurePath | str] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
        adapter: BaseAdapter | None = None,
        timing: Timing | None = None,
    ) -> None:
        """As the SDK's targets; `adapter` and `timing` put a sandbox and its clock in the place of the network and ours."""
        self.interrupt = Interrupt()
        self._recall = Recall(self._ask_ledger, self._take_known, self._take_new)
        self._reader = Reader(self._note_bad_line, self._commit_while_silent, self._must_end, self._recall)
        super().__init__(
            config=config,
            parse_env_config=parse_env_config,
            validate_config=validate_config,
            setup_mapper=setup_mapper,
            message_reader=self._reader,
        )
        self.max_parallelism = 1
        self.settings = Settings.read(self.config)
        self.mapping = self.settings.rules
        self.problems: list[Exception] = []
        """The first few of what could not be kept as a document. From the first one on no STATE goes out."""
        self.unusable = 0
        """Lines and records that could not be kept, all of them."""
        self.outcome: Outcome | None = None
        """Set at the end of the run."""
        self._adapter = adapter
        self._clock = timing or Timing()
        self._engine: Engine | Organisations | None = None
        self._ways: dict[str, list[tuple[StreamMap, XeroSink]]] = {}
        """By stream as the tap calls it: its stream maps, and where each one's records go."""
        self._fingerprint: Fingerprint | None = None
        """Of the record that is taken just now, where it may be remembered."""
        self._sources = EmptySource()
        self._unknown: set[str] = set()
        self._settled_state: Any = None
        """The latest STATE whose documents are settled: it may go out."""
        self._written_state: Any = None
        self._written_at = -math.inf
        self._unsettled = 0
        self._stopped = False
        """The engine could not do all it had to: no STATE goes out until it could."""
        self._gives_up = False
        """It has stopped, and the tap pauses: a live run must not go on without doing anything."""
        self._committed_at = self._clock.seconds()

    # -- what there is to set ----------------------------------------------------------------------------------------------

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Stream maps only: load methods, metadata columns, row counts and flattening mean nothing to accounting documents."""
        kept = {name: STREAM_MAPS_CONFIG["properties"][name] for name in ("stream_maps", "stream_map_config")}
        merge_missing_config_jsonschema({"properties": kept}, config_jsonschema)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        wrong = [
            *unreadable_secrets(self._config),
            *unknown_settings(self._config, CONFIG_JSONSCHEMA["properties"]),
            *mistyped_variables(os.environ, self._env_var_prefix, CONFIG_JSONSCHEMA["properties"]),
        ]
        if wrong and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=wrong, schema={})
        return wrong + super()._validate_config(raise_errors=raise_errors)

    # -- records -----------------------------------------------------------------------------------------------------------

    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """By the mapping first, so that a CRM whose stream is called `contacts` is mapped, too."""
        if self.mapping is not None and stream_name in self.mapping.streams:
            return SourceSink
        return DocumentSink if stream_name in DOCUMENTS else UnknownSink

    @property
    def engine(self) -> Engine | Organisations:
        """Opened when it is first needed."""
        if self._engine is None:
            self._engine = open_run(
                self.settings, stop=self.interrupt, adapter=self._adapter, timing=self._clock
            )
        return self._engine

    def take(self, stream: str, document: Mapping[str, Any]) -> None:
        """Hands a document to the engine."""
        self.engine.accept(stream, (document,), self._fingerprint)
        self._unsettled += 1

    def take_record(self, stream: str, record: dict[str, Any]) -> None:
        """Hands a record of the mapping's source to the engine, as the documents it gives."""
        try:
            self._unsettled += self.engine.accept_record(stream, record, self._fingerprint)
        except RecordError as failure:
            self.note_problem(str(failure), stream)

    # -- records that the ledger knows -------------------------------------------------------------------------------------

    def _recall_records_of(self, stream: str) -> None:
        """Those of documents and of the mapping's streams, as long as nothing stands between the message and the document."""
        engine = self.engine
        sinks = [type(sink) for _, sink in self._ways[stream]]
        if engine.fingerprints is not None and not self.config.get("stream_maps") and sinks != [UnknownSink]:
            self._recall.streams[stream] = engine.fingerprints.of_stream(stream)

    def _ask_ledger(self, fingerprints: list[Fingerprint]) -> dict[Fingerprint, list[Recalled]]:
        return cast("Engine", self.engine).recall(fingerprints)

    def _take_known(self, stream: str, met: Sequence[Met]) -> None:
        ((_, sink),) = self._ways[stream]
        sink.record_counter_metric.increment(len(met))
        self._sources.record(stream, len(met))
        self._unsettled += cast("Engine", self.engine).accept_known(stream, met, record_of)

    def _take_new(self, number: int, line: Line, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint
        try:
            self._reader.take(number, line)
        finally:
            self._fingerprint = None

    def note_problem(self, problem: str, stream: str = "", cause: Exception | None = None) -> None:
        """Something came that cannot be kept as a document: STATE is held back from here on, and the run goes on."""
        where = f"line {self._reader.line_number}" + (f", stream {printable(stream)}" if stream else "")
        self.unusable += 1
        if len(self.problems) < limits.REFUSALS_SHOWN:
            self.problems.append(cause or InputError(f"{where}: {problem}"))
            self.logger.warning("%s: %s. The bookmark is held back from here on", where, problem)

    def note_unknown(self, stream: str) -> None:
        """A record of a stream that is no document and not in the mapping."""
        if stream in self._unknown:
            self.unusable += not self.settings.ignore_unknown_streams
            return
        self._unknown.add(stream)
        known = sorted({*DOCUMENTS, *(self.mapping.streams if self.mapping else ())})
        if self.settings.ignore_unknown_streams:
            self.logger.warning(
                "stream %s is no document and not in the mapping; its records are passed over",
                printable(stream),
            )
            return
        self.note_problem(
            f"no such document stream{' nor stream of the mapping' if self.mapping else ''}; known are {', '.join(known)}. "
            "Deselect it in the tap, map it, or set on_unknown_stream to ignore",
            stream,
        )

    def _note_bad_line(self, number: int, reason: str) -> None:
        self.note_problem(f"no Singer message ({reason})" if number else reason)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream, schema = message_dict.get("stream"), message_dict.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict) or "properties" not in schema:
            self.note_problem("a SCHEMA needs a stream and a schema with properties", _name(stream))
            return
        _ = self.engine  # a run that cannot begin says so before it has read everything
        super()._process_schema_message(message_dict)
        self._sources.schema(stream)
        self._ways[stream] = [
            (stream_map, cast("XeroSink", self._sinks_active[stream_map.stream_alias]))
            for stream_map in self.mapper.stream_maps[stream]
        ]
        self._recall_records_of(stream)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream, record = message_dict.get("stream"), message_dict.get("record")
        if not isinstance(stream, str) or not isinstance(record, dict):
            self.note_problem("a RECORD needs a stream and a record", _name(stream))
            return
        ways = self._ways.get(stream)
        if ways is None:
            failure = RecordsWithoutSchemaException(f"stream {stream}")
            self.note_problem("a RECORD came before the SCHEMA of its stream", stream, failure)
            return
        self._sources.record(stream)
        # The SDK's own path copies, counts and validates each record for sinks that batch; these do not.
        try:
            for stream_map, sink in ways:
                mapped = stream_map.transform(record)
                if mapped is not None:
                    sink.take(mapped)
        except MissingKeyPropertiesError as failure:
            self.note_problem("a RECORD has no value for its stream's key", stream, failure)

    def _handle_max_record_age(self) -> None:
        """The commit interval goes before it."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self.note_problem(
            "BATCH messages are not taken; switch batches off in the tap", _name(message_dict.get("stream"))
        )

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing to activate: Xero has no versions of a table, and what is gone from the source is not gone from the books."""
        self._sources.activate_version(_name(message_dict.get("stream")))

    # -- STATE -------------------------------------------------------------------------------------------------------------

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if not isinstance(message_dict.get("value"), dict):
            self.note_problem("a STATE needs a value")
            return
        self._sources.state(message_dict["value"])
        if not self.problems:
            self._latest_state = message_dict["value"]
        self._commit_if_due()

    def _commit_while_silent(self) -> None:
        """Nothing more is coming: a bookmark that waits goes on at once, so that a live tap is in Xero within a second."""
        if self._stopped:
            self._gives_up = True
        elif self._unsettled and self._latest_state != self._settled_state:
            self._commit()
        else:
            self._commit_if_due()

    def _must_end(self) -> bool:
        return self.interrupt() or self._gives_up

    def _commit_if_due(self) -> None:
        """Settles and hands STATE on when it is time, or at once where there is nothing to settle."""
        age = self._clock.seconds() - self._committed_at
        few = self._unsettled <= limits.LIVE_COMMIT_DOCUMENTS and not self._stopped
        interval: float = self.settings.commit_interval_s
        if few and self._latest_state != self._settled_state:
            interval = min(interval, limits.LIVE_COMMIT_S)
        if not self._unsettled or self._unsettled >= limits.COMMIT_DOCUMENTS or age >= interval:
            self._commit()

    def _commit(self) -> None:
        """STATE goes out only when all that came before it is settled in the ledger."""
        if self._unsettled:
            self._stopped = not self.engine.settle()
            self._committed_at = self._clock.seconds()
            if self._stopped:
                return
        self._unsettled = 0
        self._settled_state = self._latest_state
        self._hand_on()

    def _hand_on(self, *, at_once: bool = False) -> None:
        """Writes the latest settled STATE if it is new, and the last one is not just written or it must be now."""
        state, now = self._settled_state, self._clock.seconds()
        pause = 0 if at_once else min(limits.STATE_EVERY_S, self.settings.commit_interval_s)
        if state is None or state == self._written_state or now - self._written_at < pause:
            return
        if self.settings.stop_on_empty_source and self._sources.suspects(self.engine.ledger):
            return  # held back until the stream gives something
        self._write_state_message(state)
        self._written_state, self._written_at = state, now

    def _write_state_message(self, state: dict[str, Any]) -> None:
        """One line, numbers as they came. A plan moves no bookmark: what it saw comes again."""
        if self.settings.mode == "plan":
            return
        to_stdout(f"{simplejson.dumps(state, use_decimal=True)}\n")

    # -- the end -----------------------------------------------------------------------------------------------------------

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.interrupt.handle(signum, frame)

    def process_endofpipe(self) -> None:
        """Settles what is left, earlier runs' open documents too, and reports.

        Raises:
            InputError, or what the SDK calls it: something could not be kept as a document. Everything else is done.
        """
        self._unsettled += 1  # an earlier run may have left work
        self._commit()
        self._hand_on(at_once=True)
        for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
            sink.clean_up()
        self._look_at_sources()
        engine, self._engine = self.engine, None
        self.outcome = engine.close()
        report.show(self.outcome, self.unusable)
        if self.problems:
            raise self.problems[0]

    def _look_at_sources(self) -> None:
        """A source that suddenly lists nothing stops the run, or is told."""
        if self.interrupt() or self.problems:
            return
        engine = self.engine
        suspects = self._sources.suspects(engine.ledger)
        if suspects and self.settings.stop_on_empty_source:
            engine.stopped = engine.stopped or empty_sentence(suspects)
        elif suspects:
            self.logger.warning("%s", empty_sentence(suspects))
        if self.settings.mode != "plan":
            self._sources.remember(engine.ledger)

    def fail(self, failure: Exception) -> None:
        """Gives the ledger back after a failure, and still tells what was done before it."""
        if self._engine is None:
            return
        engine, self._engine = self._engine, None
        if isinstance(failure, LedgerError | SQLAlchemyError):
            engine.abandon()
            return
        engine.stopped = str(failure)
        self.outcome = engine.close()
        report.show(self.outcome, self.unusable)

    @property
    def exit_code(self) -> int:
        """What the process ends with, once `process_endofpipe` has returned."""
        if self.interrupt():
            return self.interrupt.exit_code
        outcome = self.outcome
        if outcome is None or outcome.stopped or self.problems:
            return 1
        parked = any(counts.parked for counts in outcome.summary.streams.values())
        refused = parked or outcome.summary.open_refusals > 0 or outcome.plan_refuses
        return int(self.settings.fail_on_refused and refused)

    # -- the command -------------------------------------------------------------------------------------------------------

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's, with our commands named at the end of its help."""
        command = super().get_singer_command()
        width = max(map(len, COMMANDS))
        lines = (f"  {name:{width}}  {text}" for name, text in COMMANDS.items())
        command.epilog = "\b\nCommands (target-xero COMMAND --help):\n" + "\n".join(lines)
        return command

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Reads the configuration files; one that cannot be read is a wrong option, not a crash."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError) as failure:
            raise click.BadParameter(str(failure), ctx=ctx, param=param) from None

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Runs the target and ends the process with what came of it."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        given = config or _ConfigInput()
        sys.exit(run(lambda: cls(config=given.config, parse_env_config=given.parse_env), file_input))


def _name(stream: Any) -> str:
    return stream if isinstance(stream, str) else ""
