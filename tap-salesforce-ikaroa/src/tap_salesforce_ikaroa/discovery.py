"""Which objects become streams, and the shape of each, from as few describe calls as possible.

Names given plainly are described at once, 25 in a call. Only a pattern (`*`, `*__c`) needs the list of all objects.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from tap_salesforce_ikaroa import soql
from tap_salesforce_ikaroa.client import Client
from tap_salesforce_ikaroa.describe import ObjectDescribe, is_readable, parse_object
from tap_salesforce_ikaroa.errors import (
    NotVisibleError,
    RequestError,
    SettingsError,
    TapError,
    UnexpectedAnswerError,
)
from tap_salesforce_ikaroa.shapes import Shape, child_parents, related_objects, shape_of

logger = logging.getLogger("tap-salesforce-ikaroa")


class Discovery:
    """Describes objects once each and shapes streams from them."""

    def __init__(self, client: Client, aggregates: Mapping[str, Any]) -> None:
        self._client = client
        self._aggregates = aggregates
        self._known: dict[str, ObjectDescribe | None] = {}

    def shapes(self, wanted: Sequence[str], optional: Iterable[str]) -> dict[str, Shape]:
        """The shape of each wanted object or pattern, by object name.

        An object that this user does not see is left out: quietly for the `optional` ones, with a warning otherwise.

        Raises:
            SettingsError: nothing is left.
        """
        names = self._expanded(wanted)
        # Embedded objects are mostly among the usual ones; guessing them along saves a second call.
        self._describe([*names, *self._likely(names)])
        quiet = frozenset(optional)
        roots: dict[str, ObjectDescribe] = {}
        for name in names:
            described = self._known.get(name)
            if described is not None and described.queryable:
                roots[name] = described
                continue
            level = logging.INFO if name in quiet else logging.WARNING
            logger.log(
                level, "%s is not there for this user, or cannot be queried: there is no such stream", name
            )
        if not roots:
            raise SettingsError(
                "not one of the objects to discover is visible to this user: give the integration user's permission "
                f"set read access to them ({', '.join(names[:8])}), or change `streams_to_discover`"
            )
        self._describe_related(roots)
        describes = {name: described for name, described in self._known.items() if described}
        return {name: shape_of(root, self._aggregate(name), describes) for name, root in roots.items()}

    def _aggregate(self, name: str) -> Mapping[str, Any]:
        return self._aggregates.get(name) or {}

    def _expanded(self, wanted: Sequence[str]) -> list[str]:
        plain = [name for name in wanted if not _is_pattern(name)]
        patterns = [name for name in wanted if _is_pattern(name)]
        if patterns:
            everything = [brief["name"] for brief in self._client.describe_all() if is_readable(brief)]
            plain += [name for name in everything if any(fnmatchcase(name, pattern) for pattern in patterns)]
        return list(dict.fromkeys(plain))

    def _likely(self, names: Iterable[str]) -> list[str]:
        return [name for root in names for name in LIKELY.get(root, ()) if self._aggregate(root)]

    def _describe_related(self, roots: Mapping[str, ObjectDescribe]) -> None:
        needed = {
            other for name, root in roots.items() for other in related_objects(root, self._aggregate(name))
        }
        self._describe(sorted(needed))
        describes = {name: described for name, described in self._known.items() if described}
        needed = {
            other
            for name, root in roots.items()
            for other in child_parents(describes, root, self._aggregate(name))
        }
        self._describe(sorted(needed))

    def _describe(self, names: Iterable[str]) -> None:
        unknown = [name for name in dict.fromkeys(names) if name not in self._known]
        try:
            checked = [soql.name(name) for name in unknown]
        except ValueError as error:
            raise SettingsError(f"`streams_to_discover`, `aggregates` or the catalog: {error}") from None
        answers = self._client.describe(checked) if checked else {}
        for name, answer in answers.items():
            if isinstance(answer, TapError):
                refused = isinstance(answer, RequestError) and answer.status < 500
                if not refused:  # whether it is there for this user is not known
                    raise answer
                if not isinstance(answer, NotVisibleError):
                    logger.warning("%s could not be described: %s", name, answer)
                self._known[name] = None
            else:
                self._known[name] = _parsed(name, answer)


LIKELY = {
    "Account": ("Contact",),
    "Product2": ("PricebookEntry", "Pricebook2"),
    "Opportunity": ("OpportunityLineItem", "Account", "Product2"),
}


def _parsed(name: str, answer: Any) -> ObjectDescribe:
    try:
        return parse_object(answer)
    except (AttributeError, KeyError, TypeError):
        raise UnexpectedAnswerError(
            f"Salesforce's description of {name} has another form; run again"
        ) from None


def _is_pattern(name: str) -> bool:
    return any(char in name for char in "*?[")
