"""Everything target-xero raises, grouped by what the caller should do.

    TargetXeroError
    ├── ConfigurationError              correct the settings; nothing was written
    │   ├── LedgerMissingError          there is no ledger where the settings say; correct them, put it back, or run
    │   ├── QuietPeriodError            the quiet period is shorter than a late write may take
    │   └── WrongOrganisationError      the ledger belongs to another Xero organisation
    ├── AuthorisationError              renew or widen the access to Xero, then run again
    ├── XeroUnreachableError            Xero cannot be reached; run again later
    ├── InputError                      correct what the tap sends; everything else was done, the bookmark was held back
    ├── OutputError                     make room where stdout goes; what is done is in the ledger, the rest comes again
    └── LedgerError                     nothing may be sent; look at the ledger first
        ├── LedgerInUseError            another run holds it; wait for that run
        ├── LedgerUnreachableError      its file or database does not let us in; look at ledger_path, or the server and ledger_url
        ├── LedgerLostError             the session with its database ended; run again
        ├── LedgerVersionError          written by a newer release; upgrade target-xero
        └── LedgerTakenOverError        a later run has started on it; this run must end

What is wrong with one document is never an exception: it is a `Refusal` (see `target_xero.refusal`), kept in the ledger.
"""

from __future__ import annotations


class TargetXeroError(Exception):
    """Base of all errors of this package; the message is written for the person who runs it."""


class ConfigurationError(TargetXeroError):
    """A setting is wrong. Nothing was written."""


class LedgerMissingError(ConfigurationError):
    """No ledger is there to be looked at. `was_there`: one has been, and is gone."""

    def __init__(self, place: str, *, was_there: bool) -> None:
        told = "the one that was there is gone" if was_there else "no run has been made with these settings"
        super().__init__(
            f"there is no ledger at {place}: {told}. Check ledger_path (or ledger_url), or run first"
        )
        self.place = place
        self.was_there = was_there


class QuietPeriodError(ConfigurationError):
    """`quiet_period_s` does not cover the request's time-out and the latest effect together."""


class WrongOrganisationError(ConfigurationError):
    """The access leads to another Xero organisation than the one the ledger was made with."""


class AuthorisationError(TargetXeroError):
    """Xero does not let us in, or not far enough."""


class XeroUnreachableError(TargetXeroError):
    """No connection to Xero could be made."""


class InputError(TargetXeroError):
    """A line or record that cannot be kept as a document: no Singer message, an unknown stream."""


class OutputError(TargetXeroError):
    """What stdout is to hold cannot be written."""


class LedgerError(TargetXeroError):
    """The ledger cannot be used. Nothing may be sent without it."""


class LedgerInUseError(LedgerError):
    """Another process holds the ledger's run lock."""


class LedgerVersionError(LedgerError):
    """The ledger was written by a newer release of target-xero."""


class LedgerTakenOverError(LedgerError):
    """A later run has begun on this ledger; whatever this run still plans to send must not go."""


class LedgerUnreachableError(LedgerError):
    """The ledger's file cannot be made, or its database cannot be reached, or not be used as it is."""


class LedgerLostError(LedgerError):
    """The session with the ledger's database, or its run lock, was lost. A later run may have begun."""
