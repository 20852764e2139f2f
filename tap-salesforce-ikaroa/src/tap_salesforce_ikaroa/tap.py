"""The tap: discovery, one client and one survey of changes for all streams, and how a run ends.

Exit codes: 0 all was read; 1 it was not (one line says why and what to do); 128 + n ended by signal n. In every case
STATE was written for what had been given out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib.json import deserialize_json

from tap_salesforce_ikaroa import limits
from tap_salesforce_ikaroa.adoption import adopted, entries
from tap_salesforce_ikaroa.ahead import Ahead
from tap_salesforce_ikaroa.answers import safe_text
from tap_salesforce_ikaroa.bulk.ahead import JobsAhead
from tap_salesforce_ikaroa.catalog import reconciled, schema_of
from tap_salesforce_ikaroa.catalog_form import checked
from tap_salesforce_ikaroa.changes import Survey
from tap_salesforce_ikaroa.discovery import Discovery
from tap_salesforce_ikaroa.errors import OutputError, SettingsError, TapError
from tap_salesforce_ikaroa.failures import Failures
from tap_salesforce_ikaroa.findings import Changes, Follower
from tap_salesforce_ikaroa.known_settings import mistyped_variables, unknown_settings, unreadable_secrets
from tap_salesforce_ikaroa.passes import first_moment
from tap_salesforce_ikaroa.settings import SETTINGS, client_of, tidied
from tap_salesforce_ikaroa.shapes import DEFAULT_AGGREGATES, Shape, aggregates_of
from tap_salesforce_ikaroa.soql import format_stamp
from tap_salesforce_ikaroa.streams import SalesforceStream
from tap_salesforce_ikaroa.transport import RetryPolicy
from tap_salesforce_ikaroa.writer import Terminated, WholeLineWriter

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter
    from singer_sdk.plugin_base import _ConfigInput

    from tap_salesforce_ikaroa.client import Client
    from tap_salesforce_ikaroa.ids import IdStore


class TapSalesforceIkaroa(Tap):
    """Singer tap for Salesforce: every object, whole aggregates, no row missed."""

    name = "tap-salesforce-ikaroa"
    package_name = "tap-salesforce-ikaroa"
    dynamic_catalog = True
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    message_writer_class = WholeLineWriter

    http_adapter: ClassVar[BaseAdapter | None] = None
    """The seam to the network: a `requests` transport adapter in the place of sockets."""
    sleep: ClassVar[Callable[[float], None]] = staticmethod(time.sleep)
    """How the tap waits between attempts."""
    ahead: Ahead
    """The first rows of the streams that come next; made with each survey."""

    def __init__(self, *, config: Any = None, catalog: Any = None, **kwargs: Any) -> None:
        self.jobs_ahead = JobsAhead()
        """Bulk jobs of streams whose turn is still to come."""
        self.failures = Failures()
        """Streams of this run that were not read to the end."""
        if isinstance(catalog, dict):
            catalog = checked(catalog)
        super().__init__(
            config=tidied(config) if isinstance(config, dict) else config, catalog=catalog, **kwargs
        )

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        wrong = [
            *unreadable_secrets(self._config, SETTINGS["properties"]),
            *unknown_settings(self._config, SETTINGS["properties"]),
            *mistyped_variables(os.environ, self._env_var_prefix, SETTINGS["properties"]),
        ]
        if wrong and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=wrong, schema={})
        return wrong + super()._validate_config(raise_errors=raise_errors)

    # --- discovery -------------------------------------------------------------------------------------------------

    @cached_property
    def client(self) -> Client:
        """The session with the org; nothing is sent before it is first used."""
        return client_of(self.config, self.http_adapter, RetryPolicy(sleep=type(self).sleep))

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """What each stream's records can hold, by object."""
        aggregates = aggregates_of(self.config.get("aggregates"))
        asked = self.config.get("streams_to_discover")
        wanted = list(asked or aggregates)
        catalog = self.input_catalog
        selected = (
            [entry.tap_stream_id for entry in catalog.streams if entry.metadata.root.selected]
            if catalog
            else []
        )
        return Discovery(self.client, aggregates).shapes(
            [*wanted, *selected], () if asked else DEFAULT_AGGREGATES
        )

    def discover_streams(self) -> Sequence[SalesforceStream]:
        """A stream for each visible object; those of the main job are selected by default."""
        # What is named is wanted; what a pattern finds is there to be selected.
        chosen = {
            *aggregates_of(self.config.get("aggregates")),
            *(self.config.get("streams_to_discover") or ()),
        }
        for name in sorted(set(self.config.get("refresh_days") or ()) - {"*", *self.shapes}):
            self.logger.warning("`refresh_days` names %s, and there is no such stream", safe_text(name))
        return [
            SalesforceStream(self, shape, selected_by_default=name in chosen)
            for name, shape in self.shapes.items()
        ]

    def setup_mapper(self) -> None:
        """Brings a given catalog in line with what is there, and registers what each stream will really emit."""
        if self._input_catalog is not None:
            self._input_catalog = reconciled(self._input_catalog, self.shapes)
        PluginBase.setup_mapper(self)
        for stream in self.streams.values():
            shape = stream.selected_shape if stream.selected else stream.shape  # type: ignore[attr-defined]
            self.mapper.register_raw_stream_schema(stream.name, schema_of(shape), stream.primary_keys)

    # --- one run ---------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[SalesforceStream]:
        """The streams of this run."""
        return [
            stream
            for stream in self.streams.values()
            if isinstance(stream, SalesforceStream) and stream.selected
        ]

    @cached_property
    def _survey(self) -> Survey:
        return self._surveyed(self.selected)

    def survey(self, streams: Sequence[SalesforceStream]) -> None:
        """Asks anew what changed, for these streams."""
        self._survey = self._surveyed(streams)

    def _surveyed(self, streams: Sequence[SalesforceStream]) -> Survey:
        for stream in streams:
            self._believe_no_future(stream)
        followers = [
            Follower(
                stream.name,
                stream.selected_shape,
                stream.replication_key,
                stream.bookmark,
                stream.follows_deletions,
            )
            for stream in streams
            if stream.replication_key and stream.follows_changes
        ]
        counting = self.config.get("api_type", "AUTO") == "AUTO"
        survey = Survey(
            self.client, followers, self.lookback, begin=first_moment(self.config), counting=counting
        )
        peeks = (stream.one_pass.peek(self.lookback) for stream in streams if stream.follows_changes)
        self.ahead = Ahead(self.client, [peek for peek in peeks if peek])
        self._line_up(streams, survey)
        return survey

    def _believe_no_future(self, stream: SalesforceStream) -> None:
        now = self.client.transport.clock.now()
        latest = stream.bookmark.latest
        if stream.follows_changes and latest > format_stamp(now + limits.CLOCKS_APART):
            self.logger.warning(
                "%s: the bookmark in STATE (%s) lies ahead of Salesforce's time (%s), so it is of another org or was edited: it "
                "is not believed, and all is read as in a first run",
                stream.name,
                latest,
                format_stamp(now),
            )
            stream.bookmark.forget()

    def _line_up(self, streams: Sequence[SalesforceStream], survey: Survey) -> None:
        self.jobs_ahead.discard()
        # Who looks at a few records only (`--test`) needs no jobs but those.
        whole = all(stream.ABORT_AT_RECORD_COUNT is None for stream in streams)
        by_bulk = whole and self.config.get("api_type") != "REST"
        most = int(self.config.get("bulk_jobs", limits.BULK_JOBS)) if by_bulk else 0
        turns = [
            stream.one_pass.turn(survey.changes.get(stream.name), self.lookback, self.ahead.has_many)
            for stream in streams
        ]
        self.jobs_ahead = JobsAhead(turns, most)

    @cached_property
    def ids(self) -> IdStore | None:
        """The file of ids given out, where they are compared now and then."""
        if not int(self.config.get("full_compare_days", 0)):
            return None
        path = self.config.get("id_store_path")
        if not path:
            raise SettingsError(
                "`full_compare_days` is set, and needs `id_store_path`: a file in which the ids given out are kept"
            )
        from tap_salesforce_ikaroa.ids import IdStore  # noqa: PLC0415  loads SQLite

        return IdStore(Path(str(path)).expanduser())

    @property
    def whole_lines(self) -> WholeLineWriter:
        """The writer of messages."""
        writer = self.message_writer
        assert isinstance(writer, WholeLineWriter)  # noqa: S101  it is this class's own
        return writer

    @property
    def lookback(self) -> timedelta:
        """How far before a bookmark each run reads again."""
        return timedelta(seconds=int(self.config.get("lookback_window", limits.LOOKBACK_S)))

    def changes_of(self, stream: SalesforceStream) -> Changes | None:
        """What the survey of this run found for a stream; the first to ask has it made for all. None: nothing is followed."""
        return self._survey.changes.get(stream.name)

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes a STATE of this tap, or of one of the older Salesforce taps, as it is."""
        if known := {stream: entry for stream, entry in entries(state).items() if entry}:
            self._state["bookmarks"] = known

    def _reset_state_progress_markers(self) -> None:
        # Not the SDK's, which looks into every entry: those of streams that are not read stay what they are.
        self._adopt_state()

    def _adopt_state(self) -> None:
        known = self._state.get("bookmarks") or {}
        for stream in self.selected:
            if stream.name in known:
                known[stream.name] = adopted(stream.name, known[stream.name])

    def run(self) -> None:
        """Syncs all streams, and ends the process with the exit code that says how it went."""
        try:
            code = self._exit_code()
        except BrokenPipeError:
            self.logger.error("whoever read the records has gone away: nothing was lost, run again")  # noqa: TRY400
            _let_go_of_output()
            code = 1
        except OutputError:
            _let_go_of_output()
            raise
        finally:
            self.logger.info("%s", self.client.quota.summary())
        if code:
            raise click.exceptions.Exit(code)

    def _exit_code(self) -> int:
        """Reads; whatever ends it, STATE is written for the last time."""
        try:
            try:
                self._read()
            except Exception:
                self._state_writer.write_state(self.state)
                raise
            except Terminated as signal:
                return self._ended_by(signal)
        except Terminated as signal:  # a second one, while the end was made; there is no third
            return self._ended_by(signal)
        return 0

    def _ended_by(self, signal: Terminated) -> int:
        self._state_writer.write_state(self.state)
        self.logger.warning("ended by signal %d; what was read so far is in STATE", signal.signum)
        return 128 + signal.signum

    def _read(self) -> None:
        if not self.selected:
            self.logger.warning("no stream is selected, so nothing is read: select some in the catalog")
        try:
            if self.config.get("mode") == "live":
                from tap_salesforce_ikaroa.live.session import LiveSession  # noqa: PLC0415  loads gRPC

                self._adopt_state()
                LiveSession(self).run()
            else:
                self.failures.go_on = True
                self.sync_all()
            self.failures.conclude(len(self.selected))
        finally:
            self.jobs_ahead.discard()  # before STATE is written for the last time

    def reading(self, stream: SalesforceStream) -> AbstractContextManager[None]:
        """The reading of one stream: where it fails for a reason of its own, a run goes on with the others."""
        return self.failures.told(stream.name, others=len(self.selected) > 1)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Not the SDK's: it writes STATE in the middle of whatever line is being written, and ends with 0.
        self.whole_lines.terminate(signum)

    # --- command line ----------------------------------------------------------------------------------------------

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Runs the command line's default action: a sync."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        with cls._one_line():
            tap = cls(
                config=config.config if config else {},
                state=_read_json(state, "--state"),
                catalog=_read_json(catalog, "--catalog"),
                parse_env_config=bool(config and config.parse_env),
            )
            tap.run()

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Reads the configuration files; one that cannot be read is a wrong option, not a crash."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError) as failure:
            raise click.BadParameter(str(failure), ctx=ctx, param=param) from None

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: FBT001
        """`--discover`."""
        with cls._one_line():
            super().cb_discover(ctx, param, value)

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """`--test`."""
        with cls._one_line():
            super().cb_test(ctx, param, value)

    @classmethod
    @contextmanager
    def _one_line(cls) -> Iterator[None]:
        try:
            yield
        except TapError as error:
            cls.logger.error("%s", error)  # noqa: TRY400  one line with the cure, no traceback
            raise _ended(1) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            cls.logger.error("the system does not do it: %s%s", error.strerror or error, where)  # noqa: TRY400
            _let_go_of_output()
            raise _ended(1) from None
        except Terminated as signal:
            raise _ended(128 + signal.signum) from None


def _let_go_of_output() -> None:
    """What is left in the buffer goes nowhere, so that Python does not complain of it at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ended(code: int) -> click.exceptions.Exit:
    """Closes the files of the command line: `--discover` ends before click would, and Python would complain of them."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.close()
    return click.exceptions.Exit(code)


def _read_json(file: IO[str] | None, option: str) -> Any:
    """The object in a file of the command line. Raises SettingsError where that is no JSON, or another kind of it."""
    if file is None:
        return None
    try:
        value = deserialize_json(file.read())
    except ValueError as failure:
        raise SettingsError(f"{option} {file.name} is not JSON: {failure}") from None
    if not isinstance(value, dict):
        raise SettingsError(f"{option} {file.name} has another form: a JSON object is expected")
    return value
