"""The rows of the ledger as the rest of the program sees them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from target_xero.refusal import Refusal

ROUNDING_KEY = "rounding"
"""The line key of a line that a run added to make up a cent or so."""


class State(str, enum.Enum):
    """Where an intent stands.

        proposed            somebody must approve it; then it is planned
           │
        planned ──► sent ──► done
           ▲         ├─────► rejected      Xero or a check refused it; the source or the set-up must change
           │         └─────► unknown       it may have happened: look before anything else
           └── nothing found ──┤
                               └─────────► parked   a person must look

    `superseded` is a proposed, planned or rejected intent that a newer revision replaced before it had any effect.
    """

    PROPOSED = "proposed"
    PLANNED = "planned"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    REJECTED = "rejected"
    PARKED = "parked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Tenant:
    """The Xero organisation a ledger belongs to, as pinned at the first run."""

    id: str
    name: str
    base_currency: str
    is_demo: bool


WITHDRAWN = "withdrawn"
"""The content hash of a document that the source no longer calls for."""


Fingerprint = tuple[int, int]
"""Of a record: two numbers of 64 bits (see `target_xero.fingerprint`)."""
Recalled = tuple[str, str, str, int]
"""One document of a record that is known: an essence's three, and whether (1, 0) Xero has it so and nothing of it is open or taken
back. A bare tuple, for there is one for every record of a run."""


class Essence(NamedTuple):
    """What planning compares of a document."""

    kind: str
    source_key: str
    content_hash: str
    """`WITHDRAWN` where the source no longer calls for it."""


@dataclass(frozen=True)
class NewIntent:
    """A document's new revision, before it has a row."""

    kind: str
    source_key: str
    op: str
    """`save` (create or update, whichever Xero needs when it goes) or `withdraw`."""
    document: dict[str, Any]
    content_hash: str
    unique: bool
    """Xero enforces a unique number for it (class U); otherwise class N."""
    marker: str
    needs: tuple[tuple[str, str], ...] = ()
    """(kind, source_key) of the documents that must be in Xero first."""
    label: str = ""
    url: str = ""
    currency: str = ""
    amount_minor: int | None = None
    """The document's own sum before tax (payments: the amount), in hundredths."""
    refusals: tuple[Refusal, ...] = ()
    """Found by the checks: the intent is kept as rejected at once."""
    state: State | None = None
    """`parked` for what a person must look at from the start; otherwise left to the ledger."""
    note: str = ""
    before_hash: str | None = None
    """See `Intent`."""


@dataclass(frozen=True)
class Intent:
    """One revision of one document: an effect we owe Xero."""

    id: int
    kind: str
    source_key: str
    revision: int
    op: str
    document: dict[str, Any]
    content_hash: str
    unique: bool
    marker: str
    state: State
    attempt: int
    sent_op: str | None
    """What was last sent for it: `create`, `update` or `delete`."""
    last_sent_ms: int | None
    """When, on Xero's clock."""
    looked_ms: int | None
    """When Xero was last asked about its unknown outcome, on Xero's clock."""
    conflict: bool
    """Xero said that its number or name is taken; who has it is to be looked up."""
    batch_max: int
    """How many documents may travel with it; halved when a whole call was refused."""
    note: str
    label: str
    url: str
    amount_minor: int | None
    currency: str
    needs: tuple[tuple[str, str], ...] = ()
    before_hash: str | None = None
    """The hash of what Xero had when this was approved (see `execute.drift`); None: it needs no approval."""
    cleared: bool = False
    """A person has looked: what Xero has that looks like it is another document."""


@dataclass(frozen=True)
class Link:
    """What a document is in Xero."""

    kind: str
    source_key: str
    remote_id: str
    content_hash: str
    """Of the document as last agreed with Xero; empty when it was adopted and never written by us."""
    number: str
    """Xero's name for it: contact number, item code, invoice number."""
    status: str
    """As Xero last told."""
    status_epoch: int
    """The run in which it last told."""
    lines: dict[str, str] = field(default_factory=dict)
    """LineItemID by the line's own key (or its position)."""
    adopted: bool = False
    """It was in Xero before this ledger wrote it."""
    quiet_until_ms: int = 0
    """An older update may still take effect until then; a newer one waits."""
