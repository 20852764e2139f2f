"""What is wrong with one document, in words a bookkeeper can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_xero.limits import VALUE_SHOWN


@dataclass(frozen=True)
class Refusal:
    """One broken rule of one document. A value, not an exception: the neighbours go on."""

    rule: str
    """A stable name, e.g. `account_unknown`."""
    field: str
    value: str
    cure: str
    """What to do about it, as a sentence."""
    proposal: dict[str, Any] | None = None
    """What a person could send to Xero instead, as JSON; see `target_xero.execute.proposal`."""

    def as_dict(self) -> dict[str, Any]:
        """As it is kept in the ledger and told: of a long value its beginning, the document itself has the rest."""
        value = short(self.value, VALUE_SHOWN)
        found = {"rule": self.rule, "field": self.field, "value": value, "cure": self.cure}
        return found | ({"proposal": self.proposal} if self.proposal else {})

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> Refusal:
        """From the ledger, or from a document's own `refusals`."""
        rule, field, value, cure = (
            str(source.get(name) or "") for name in ("rule", "field", "value", "cure")
        )
        proposal = source.get("proposal")
        return cls(rule, field, value, cure, proposal if isinstance(proposal, dict) else None)

    def sentence(self) -> str:
        """E.g. `Name "Acme…" breaks name_too_long: shorten it to 255 characters.`."""
        shown = f' "{short(self.value)}"' if self.value else ""
        return f"{self.field or 'document'}{shown} ({self.rule}): {self.cure}"


def short(value: str, length: int = 80) -> str:
    """A text as it is told: of a long one the beginning, and a sign that there is more."""
    return value if len(value) <= length else value[: length - 1] + "…"
