"""What stands in the executor's place in a run that only proposes."""

from __future__ import annotations

from target_xero.exchange import Answer, Call


class NothingToSend:
    """Where nothing may be written: documents go into the ledger, and no further."""

    idle = True
    stopped = None
    notices: tuple[str, ...] = ()

    def next_calls(self, capacity: int) -> list[Call]:  # noqa: ARG002
        """None."""
        return []

    def receive(self, answer: Answer) -> None:
        """Never called."""
        raise ValueError(f"{answer.call.method} {answer.call.path} was not handed out.")
