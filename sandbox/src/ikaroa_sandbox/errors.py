"""What the sandbox's shell refuses, grouped by what the caller should do.

    SandboxError
    ├── CommandError       correct the command: a control call or a fault rule that makes no sense (HTTP 400)
    │   └── UnknownNameError   correct the name: no such system, profile, saved state, fault or rule
    └── StartError         change how the sandbox is started: port taken, file not writable (exit code 1)

A request to Salesforce or Xero never ends in one of these: it is answered in the platform's own words.
"""

from __future__ import annotations


class SandboxError(Exception):
    """Anything the sandbox's shell refuses. The text says what, why and what to do."""


class CommandError(SandboxError, ValueError):
    """A command that makes no sense as it stands."""


class UnknownNameError(CommandError):
    """A name that means nothing here; the text lists those that do."""

    def __init__(self, what: str, name: object, known: list[str] | tuple[str, ...]) -> None:
        super().__init__(f"there is no {what} {name!r}; known: {', '.join(known) or 'none'}")


class StartError(SandboxError):
    """The sandbox cannot be started like this."""
