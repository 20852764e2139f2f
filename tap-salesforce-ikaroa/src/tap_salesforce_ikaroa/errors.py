"""Everything that can go wrong, grouped by what the caller should do.

    TapError                           one line for a person, exit code 1, no traceback
    ├── SettingsError                  change a setting, then run again
    │   ├── LoginError                 Salesforce does not let us in
    │   └── HostError                  an address outside the allowed ones; nothing was sent to it
    ├── UnavailableError               wait, then run again; what was read so far is in STATE
    │   ├── NobodyThereError           nothing listens at the address (the sandbox is not running)
    │   └── QuotaReachedError          the budget of API calls, or the org's daily limit, is used up
    ├── OutputError                    standard output takes no records: make room, then run again
    ├── StreamsFailedError             some streams were not read to the end; the message says which and why
    ├── RequestError                   Salesforce refused one request; `code` and `status` say why
    │   ├── SessionExpiredError        renew the token once and ask again
    │   ├── QueryTimeoutError          ask for a smaller window
    │   ├── QueryTooLongError          ask for fewer columns at once (also: too many formula fields)
    │   ├── LocatorExpiredError        start the query again after the last row read
    │   ├── HistoryGoneError           deletions that far back are no longer known
    │   ├── TooManyIdsError            ask for a shorter time
    │   ├── NotVisibleError            the object does not exist for this user
    │   ├── NotBulkError               Bulk API 2.0 cannot read this: read it by REST
    │   ├── JobFailedError             a Bulk job ended as Failed or Aborted: the message says why
    │   │   └── JobTooSlowError        ask for a smaller window
    │   ├── ApiClosedError             the API is switched off for this org or user
    │   └── VersionRetiredError        set another `api_version`
    └── UnexpectedAnswerError          Salesforce did not answer as documented (a cut body, rows without a header)
        ├── NoAnswerError              a page of HTML or the like in the place of an answer: keep what is there, come again
        └── IncompleteAnswerError      a query's pages hold fewer rows than it has: ask again

A refused request and an unexpected answer mostly are a matter of one stream (`of_one_stream`): the others are read on. All else,
and the few of these that say otherwise, end the run at once.

No message holds a secret, a request body or a record's values: an error code, Salesforce's own sentence with quoted
values cut out, and the names of objects and fields.
"""

from __future__ import annotations

from typing import ClassVar


class TapError(Exception):
    """Root: the message is one line for a person and says what to do."""

    of_one_stream: ClassVar[bool] = False
    """Whether other streams may well be read all the same."""


class SettingsError(TapError):
    """A setting is missing or wrong. The message names it and the cure."""


class LoginError(SettingsError):
    """Salesforce refused the login. `code` is OAuth's error name, such as `invalid_grant`."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class HostError(SettingsError):
    """An address that is not allowed; nothing was sent to it."""


class UnavailableError(TapError):
    """Salesforce could not be reached, or was busy, for longer than the retries last."""


class NobodyThereError(UnavailableError):
    """The connection to a loopback address was refused: the sandbox is not running."""


class QuotaReachedError(UnavailableError):
    """Reading stops here on purpose; the next run goes on from STATE."""


class OutputError(TapError):
    """Standard output cannot be written to."""


class StreamsFailedError(TapError):
    """Some streams were not read to the end, each for a reason of its own; the others were."""


class RequestError(TapError):
    """Salesforce refused a request. `code` is its errorCode (or empty), `status` the HTTP status."""

    of_one_stream = True

    def __init__(self, message: str, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class SessionExpiredError(RequestError):
    """A 401 of any kind."""

    of_one_stream = False


class QueryTimeoutError(RequestError):
    """QUERY_TIMEOUT, OPERATION_TOO_LARGE: the query asks for more work than Salesforce allows. Never a success."""


class QueryTooLongError(RequestError):
    """414, 431 or QUERY_TOO_COMPLICATED."""


class LocatorExpiredError(RequestError):
    """INVALID_QUERY_LOCATOR: a page address that Salesforce has forgotten."""


class HistoryGoneError(RequestError):
    """INVALID_REPLICATION_DATE: the list of deletions does not reach back that far."""


class TooManyIdsError(RequestError):
    """EXCEEDED_ID_LIMIT: more ids than `/updated/` or `/deleted/` tells at once."""


class NotVisibleError(RequestError):
    """404 or INVALID_TYPE: no such object for this user."""


class NotBulkError(RequestError):
    """Bulk API 2.0 does not do this: the object, a column, this user, or today's allowance of jobs."""


class JobFailedError(RequestError):
    """A Bulk job ended without a result. `code` is its state, Failed or Aborted."""


class JobTooSlowError(JobFailedError):
    """It failed because it took too long, also in Salesforce's own fifteen attempts."""


class ApiClosedError(RequestError):
    """API_DISABLED_FOR_ORG, API_CURRENTLY_DISABLED: the API is switched off for this org or user."""

    of_one_stream = False


class VersionRetiredError(RequestError):
    """The org does not serve this API version (any more)."""

    of_one_stream = False


class UnexpectedAnswerError(TapError):
    """Not JSON, or JSON of another shape."""

    of_one_stream = True


class NoAnswerError(UnexpectedAnswerError):
    """A page of HTML or the like came in the place of an answer: maintenance, or a proxy."""

    of_one_stream = False


class IncompleteAnswerError(UnexpectedAnswerError):
    """The pages of a query hold fewer rows than Salesforce said it has."""
