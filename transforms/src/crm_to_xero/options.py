"""Options of a mapping: declared in the file with type, default and description; set from outside by `mapping_options`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm_to_xero.errors import MappingFileError, nearest
from crm_to_xero.functions.money import number
from crm_to_xero.yamlfile import Node

_KEYS = ("type", "default", "choices", "description")


@dataclass(frozen=True)
class Option:
    """One declared option."""

    name: str
    type: str
    """text, yes_no, whole, amount, list or map."""
    default: Any
    description: str
    choices: tuple[Any, ...] = ()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, not {value!r}; put quotes around it")  # noqa: TRY004 - one kind of error here
    return value


def _yes_no(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"  # an environment variable has no other way to say it
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not {value!r}")  # noqa: TRY004
    return value


def _whole(value: Any) -> int:
    found = number(value)
    if found != found.to_integral_value():
        raise ValueError(f"a whole number is expected, not {value!r}")
    return int(found)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"a list is expected, not {value!r}")  # noqa: TRY004
    return [_exact(item) for item in value]


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"a map is expected, not {value!r}")  # noqa: TRY004
    return {str(key): _exact(item) for key, item in value.items()}


def _exact(value: Any) -> Any:
    """Configuration as JSON may bring binary floats; none goes on from here."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {str(key): _exact(item) for key, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list) else value


TYPES: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "yes_no": _yes_no,
    "whole": _whole,
    "amount": number,
    "list": _list,
    "map": _map,
}


def declare(node: Node | None, file: str) -> dict[str, Option]:
    """Read the `options:` part of a mapping file.

    Raises:
        MappingFileError: An unknown key or type, a missing description, a default of the wrong type.
    """
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise MappingFileError(
            f"a mapping of options is expected, not {node.kind}", file=file, line=node.line, field="options"
        )
    return {name: _declared(name, item, file) for name, item in node.value.items()}


def _declared(name: str, node: Node, file: str) -> Option:
    path = f"options.{name}"
    if not name.isidentifier():
        raise MappingFileError(
            "an option's name is letters, digits and _", file=file, line=node.line, field=path
        )
    if not isinstance(node.value, dict):
        raise MappingFileError(
            f"a mapping with {', '.join(_KEYS)} is expected, not {node.kind}",
            file=file,
            line=node.line,
            field=path,
        )
    for key, part in node.value.items():
        if key not in _KEYS:
            raise MappingFileError(
                "no such key in an option",
                file=file,
                line=part.line,
                field=f"{path}.{key}",
                cure=nearest(key, _KEYS),
            )
    plain = node.plain
    kind = plain.get("type")
    if kind not in TYPES:
        raise MappingFileError(
            f"{kind!r} is no type of an option",
            file=file,
            line=node.line,
            field=f"{path}.type",
            cure=nearest(str(kind), TYPES),
        )
    if not isinstance(plain.get("description"), str):
        raise MappingFileError("an option needs a description", file=file, line=node.line, field=path)
    choices = tuple(plain.get("choices") or ())
    option = Option(name, kind, plain.get("default"), " ".join(plain["description"].split()), choices)
    try:
        default = _checked(option, option.default)
    except ValueError as exc:
        raise MappingFileError(str(exc), file=file, line=node.line, field=f"{path}.default") from None
    return Option(name, kind, default, option.description, choices)


def _checked(option: Option, value: Any) -> Any:
    if value is None:
        return None
    result = TYPES[option.type](value)
    if option.choices and result not in option.choices:
        known = ", ".join(map(str, option.choices))
        raise ValueError(f"{value!r} is none of its choices: {known}")
    return result


def settle(declared: Mapping[str, Option], given: Mapping[str, Any] | None, file: str) -> dict[str, Any]:
    """Defaults, overridden by what was given. A map is merged key by key over its default; null gives the default back.

    Args:
        declared: The mapping's options.
        given: Values from outside (`mapping_options`).
        file: The mapping's name in messages.

    Raises:
        MappingFileError: An option that the mapping does not have, or a value of the wrong type.
    """
    values = {name: option.default for name, option in declared.items()}
    for name, value in (given or {}).items():
        option = declared.get(name)
        if option is None:
            raise MappingFileError(
                "the mapping has no such option",
                file=file,
                field=f"mapping_options.{name}",
                cure=nearest(name, declared),
            )
        if value is None:
            continue
        try:
            checked = _checked(option, value)
        except ValueError as exc:
            raise MappingFileError(str(exc), file=file, field=f"mapping_options.{name}") from None
        values[name] = {**(option.default or {}), **checked} if option.type == "map" else checked
    return values
