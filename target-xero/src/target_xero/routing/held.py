"""Documents that belong to no organisation yet: kept in the ledger as refused, with all it takes to look again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import simplejson

from target_xero.engine import Engine
from target_xero.ledger import Intent, NewIntent, State
from target_xero.ledger.base import storable
from target_xero.plan.canonical import content_hash
from target_xero.refusal import Refusal
from target_xero.routing.router import RULES, Arrival

_REPLACEABLE = (State.PLANNED, State.REJECTED)


def hold(engine: Engine, arrival: Arrival, key: str, refusal: Refusal) -> None:
    """Keeps a document as refused among this organisation's; the same one again makes nothing."""
    document = arrival.document
    kept = {
        "bodies": {str(variant): body for variant, body in arrival.bodies.items()},
        "record": arrival.record,
        "source": arrival.source,
    }
    content: dict[str, Any] = {
        "held": simplejson.dumps(kept, use_decimal=True, sort_keys=True, default=str),
        "refusals": [refusal.as_dict()],
    }
    hash_ = content_hash(content)
    known = engine.ledger.known(arrival.stream, [key]).get(key)
    revisions = known.open if known else []
    if revisions and revisions[-1][2] == hash_:
        return
    new = NewIntent(
        kind=arrival.stream,
        source_key=key,
        op="save",
        document=content,
        content_hash=hash_,
        unique=False,
        marker=storable(str(document.get("marker") or key)),
        label=storable(str(document.get("source_label") or key)),
        url=storable(str(document.get("source_url") or "")),
        refusals=(refusal,),
    )
    engine.ledger.add([new], [id_ for id_, state, _ in revisions if state in _REPLACEABLE])


def is_held(intent: Intent) -> bool:
    """Whether a rejected intent is a document that waits for an organisation."""
    return "held" in intent.document


def held(engine: Engine) -> Iterator[tuple[Intent, Arrival]]:
    """What is kept among this organisation's documents."""
    for intent, refusals in engine.ledger.rejected():
        if is_held(intent) and any(refusal.rule in RULES for refusal in refusals):
            kept: Mapping[str, Any] = simplejson.loads(intent.document["held"], use_decimal=True)
            bodies = {int(variant): body for variant, body in kept["bodies"].items()}
            yield intent, Arrival(intent.kind, bodies, kept["record"], kept["source"])
