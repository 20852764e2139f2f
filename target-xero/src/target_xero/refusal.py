"""What is wrong with one document, in words a bookkeeper can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Refusal:
    """One broken rule of one document. A value, not an exception: the neighbours go on."""

    rule: str
    """A stable name, e.g. `account_unknown`."""
    field: str
    value: str
    cure: str
    """What to do about it, as a sentence."""

    def as_dict(self) -> dict[str, str]:
        """As it is kept in the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, source: Mapping[str, str | None]) -> Refusal:
        """From the ledger, or from a document's own `refusals`."""
        return cls(*(str(source.get(name) or "") for name in ("rule", "field", "value", "cure")))

    def sentence(self) -> str:
        """E.g. `Name "Acme…" breaks name_too_long: shorten it to 255 characters.`."""
        shown = f' "{_short(self.value)}"' if self.value else ""
        return f"{self.field or 'document'}{shown} ({self.rule}): {self.cure}"


def _short(value: str, length: int = 80) -> str:
    return value if len(value) <= length else value[: length - 1] + "…"
