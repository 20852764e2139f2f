"""The ledger's one connection and its transactions; the other ledger modules build on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, Update, bindparam, func, select

from target_xero.errors import LedgerLostError, LedgerTakenOverError
from target_xero.ledger import audit, schema
from target_xero.ledger.database import (
    Hidden,
    Place,
    named,
    open_connection,
    open_engine,
    place_of,
    take_lock,
)
from target_xero.ledger.migrations import migrate
from target_xero.ledger.model import Tenant
from target_xero.ledger.prepared import Prepared
from target_xero.ledger.stamp import Stamp
from target_xero.limits import KEYS_PER_SELECT

T = TypeVar("T")
Self = TypeVar("Self", bound="LedgerBase")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


_NEWEST_RUN = Prepared(select(func.max(schema.run.c.epoch)).where(schema.run.c.tenant == bindparam("tenant")))
_IDENTITY = Prepared(select(schema.meta.c.value).where(schema.meta.c.key == "identity"))
_TENANT_ROW = select(schema.tenant.c.id).where(schema.tenant.c.id == bindparam("tenant")).with_for_update()


def milliseconds(when: datetime) -> int:
    """A point in time as the ledger keeps it."""
    delta = when - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


def chunks(values: Iterable[T], size: int = KEYS_PER_SELECT) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


dump = audit.canonical
"""Canonical JSON: sorted, compact, text as it is."""


def storable(text: str) -> str:
    """Text that every database takes: what it cannot hold (half a surrogate pair, a zero) is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")


def moving(statement: Update) -> Prepared:
    """An update of intents, for `LedgerBase.shift`."""
    return Prepared(_told(statement))


def _told(statement: Update) -> Any:
    return statement.returning(schema.intent.c.id, schema.intent.c.state)


class LedgerBase:
    """One connection, one writer. Every method commits by itself unless it stands inside `atomic()`."""

    tenant: Tenant
    epoch: int = 0
    _fenced: RootTransaction | None = None
    """The transaction in which it was seen that no later run has begun; none begins until it ends."""
    proposing: str | None = None
    """Who makes proposals in this run: what is planned waits for approval. None: what is planned may go."""

    _engine: Engine
    _connection: Connection
    _within: AbstractContextManager[Connection]
    """The connection where there is nothing to begin or to end."""
    _shared: bool
    """Other sessions can write at the same moment: rows are locked before they are relied on."""
    identity: str
    """A random name given to the ledger when it was made."""
    actor: str = ""
    """Who runs it, for the audit chain."""

    def __init__(
        self, place: Place, *, durable: bool = True, lock: bool = True, beside: LedgerBase | None = None
    ) -> None:
        self.name = named(place)
        """What sentences call it: the file's path, or the database without its password."""
        self.version = 0
        """Counts the commits that may have made work for the executor."""
        self.additions = 0
        """Counts the batches of documents that were taken in."""
        self.clock: Callable[[], datetime] = partial(datetime.now, timezone.utc)
        """For the audit chain; a run sets Xero's."""
        self._records: list[dict[str, Any]] = []
        self._stamp = Stamp(place) if isinstance(place, Path) else None
        self.is_older_copy = False
        """A run was made since that this ledger knows nothing of: it was restored from a backup."""
        self.warning = ""
        """What must be told of it, where it is an older copy or new in the place of another."""
        self._guest = beside is not None
        """Another organisation's rows of a ledger that is open: its connection and its lock are not ours to give back."""
        self._lock = None
        if beside is not None:
            self._engine, self._connection, self._shared = beside._engine, beside._connection, beside._shared  # noqa: SLF001  its own kind
            self._within = beside._within  # noqa: SLF001
            self.identity, self.is_older_copy = beside.identity, beside.is_older_copy
            return
        self._engine = open_engine(place, durable=durable)
        self._connection = open_connection(self._engine)
        self._within = nullcontext(self._connection)
        self._shared = self._engine.dialect.name != "sqlite"
        try:
            self._lock = take_lock(place, self._connection) if lock else None
            migrate(self._connection, self.name)
            if self._lock:
                self._lock.sign()
            with self.reading() as connection:
                self.identity = _IDENTITY.scalar(connection, {})
                self.is_older_copy, self.warning = (
                    self._stamp.compare(connection, self.identity) if self._stamp else (False, "")
                )
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls: type[Self],
        path: Path,
        url: Hidden | None = None,
        *,
        durable: bool = True,
        lock: bool = True,
        beside: LedgerBase | None = None,
    ) -> Self:
        """The ledger that the settings name: in the database at `url` where there is one, else in the file `path`.

        With `beside` it is the same one for another organisation: one connection, and so one transaction at a time.

        Raises:
            ConfigurationError: `url` is no address of a PostgreSQL database.
            LedgerUnreachableError: the database does not let us in.
            LedgerInUseError: another run holds it (with `lock`).
            LedgerVersionError: a newer release wrote it.
        """
        return cls(place_of(path, url), durable=durable, lock=lock, beside=beside)

    def close(self) -> None:
        """Gives the run lock back and closes the connection."""
        if self._guest:
            return
        if self._lock:
            self._lock.release()
            self._lock = None
        self._connection.close()
        self._engine.dispose()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def atomic(self) -> AbstractContextManager[Connection]:
        """All or nothing, on the disk when it returns. Nests: the outermost commits.

        Raises:
            LedgerLostError: the session with the database, and with it the run lock, is gone.
        """
        return self._within if self._connection.in_transaction() else self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._connection.invalidated:
            raise LedgerLostError(
                f"The session with the ledger {self.name} was lost, and with it the run lock. This run ends here; the next one "
                "looks up what has happened."
            )
        self._records = []
        head = None
        with self._connection.begin():
            yield self._connection
            if self._records:
                head = self._chain()
        if head and self._stamp:
            self._stamp.write(self.identity, head)

    def reading(self) -> AbstractContextManager[Connection]:
        """For prepared questions: an answer is as of the last commit. SQLite needs no transaction for them."""
        return self.atomic() if self._shared else self._within

    def audit(self, kind: str = "", source_key: str = "") -> list[audit.Entry]:
        """The audit chain, oldest first; with a document's kind and key only what it tells of that one."""
        with self.atomic() as connection:
            return list(audit.of_document(connection, kind, source_key) if kind else audit.read(connection))

    def record(self, do: str, **entry: Any) -> None:
        """Tells the audit chain what this transaction does; written when it commits."""
        self._records.append({"do": do, **entry})

    def shift(
        self,
        connection: Connection,
        statement: Update | Prepared,
        parameters: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> int:
        """Runs an update of intents and tells the audit chain where each of them stands now. Returns how many there were.

        A prepared update (`moving`) takes parameters.
        """
        by_state: dict[str, list[int]] = {}
        if isinstance(statement, Prepared):
            moved: Iterable[Any] = statement.rows(connection, parameters or {})
        else:
            moved = connection.execute(_told(statement))
        for id_, state in moved:
            by_state.setdefault(state, []).append(id_)
        for state, ids in by_state.items():
            self.record("moved", state=state, intents=ids, **facts)
        return sum(map(len, by_state.values()))

    def _chain(self) -> tuple[int, str] | None:
        """Writes the chain's next row. Returns the new head where a run begins or ends."""
        head = audit.append(
            self._connection,
            self._records,
            at_ms=milliseconds(self.clock()),
            epoch=self.epoch,
            tenant=self.tenant.id,
            actor=storable(self.actor),
        )
        turning = any(entry["do"] in ("begun", "ended") for entry in self._records)
        self._records = []
        if not turning:
            return None
        audit.mark_run(self._connection, self.epoch, head)
        return head

    def hold_still(self, connection: Connection) -> None:
        """Nobody else begins a run on this organisation, or moves what is in it, between here and our commit."""
        if self._shared:  # in SQLite the transaction itself sees to it
            connection.execute(_TENANT_ROW, {"tenant": self.tenant.id})

    def fence(self, connection: Connection) -> None:
        """Refuses to go on when a later run has begun on this ledger.

        Raises:
            LedgerTakenOverError: it has.
        """
        now = connection.get_transaction()
        if now is not None and now is self._fenced:
            return
        self.hold_still(connection)
        newest = _NEWEST_RUN.scalar(connection, {"tenant": self.tenant.id})
        self._fenced = now if newest == self.epoch else None
        if newest != self.epoch:
            raise LedgerTakenOverError(
                f"Run {newest} has begun on the ledger {self.name} while this one, run {self.epoch}, stood still. "
                "This run ends here; what it had not sent, the later run sends."
            )

    def rows(
        self, connection: Connection, statement: Prepared, keys: Sequence[Any], **parameters: Any
    ) -> list[Any]:
        """Runs `statement` (with an expanding parameter `keys`) over all keys, some hundred at a time."""
        asked = {"tenant": self.tenant.id, **parameters}
        return [
            row
            for start in range(0, len(keys), KEYS_PER_SELECT)
            for row in statement.rows(connection, {**asked, "keys": keys[start : start + KEYS_PER_SELECT]})
        ]
