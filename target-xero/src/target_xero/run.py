"""One run of the target as a process: what is expected to go wrong ends in one clear line and an exit code.

0            everything is settled
1            something is refused or parked (`fail_on_refused`), unusable input, stopped early, no access, no ledger
128 + n      ended by signal n, in good order
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from crm_to_xero.errors import CrmToXeroError
from singer_sdk.exceptions import (
    ConfigValidationError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from sqlalchemy.exc import SQLAlchemyError

from target_xero import alerts
from target_xero.errors import InputError, TargetXeroError
from target_xero.ledger.database import sentence_of
from target_xero.streams import give_up_stdout
from target_xero.terminal import as_typed

if TYPE_CHECKING:
    from target_xero.target import TargetXero

logger = logging.getLogger("target-xero")


def run(make: Callable[[], TargetXero], file_input: IO[str] | None) -> int:
    """Makes the target, feeds it, and says how it ended.

    Raises:
        ConfigValidationError: the SDK lists what is wrong with the configuration.
    """
    target: TargetXero | None = None
    failed = ""
    try:
        target = make()
        target.listen(file_input)
    except (InputError, RecordsWithoutSchemaException, MissingKeyPropertiesError) as failure:
        failed = str(failure)  # told when it was met, and in the last sentence
    except ConfigValidationError:
        raise
    except (TargetXeroError, CrmToXeroError) as failure:
        failed = _failed(target, failure, str(failure))
    except SQLAlchemyError as failure:
        failed = _failed(target, failure, sentence_of(failure))
    except BrokenPipeError as failure:
        # Whoever read our STATE is gone. What is done is in the ledger.
        give_up_stdout()
        failed = _failed(
            target,
            failure,
            "nobody reads STATE any more; what is done is in the ledger, the rest comes again",
        )
    if target is None:
        return 1
    code = target.interrupt.exit_code if target.interrupt() else 1 if failed else target.exit_code
    if code == 1:
        alerts.send(target.settings, target.outcome, failed, target.unusable)
    return code


def _failed(target: TargetXero | None, failure: Exception, sentence: str) -> str:
    if target is not None:
        target.fail(failure)
    told = as_typed(sentence)
    logger.error("%s", told)
    return told
