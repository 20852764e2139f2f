"""Text that must not be seen: its `repr`, its `str` and its place in a traceback all read `***`."""

from __future__ import annotations

from pathlib import Path

from target_xero.errors import ConfigurationError

FILE_PREFIX = "file:"


class Secret:
    """A secret value. Only `reveal()` gives it; nothing else does, not even `vars()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The value itself, for the one place that must send it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written anywhere")


def read_secret(setting: str, value: object) -> Secret | None:
    """A setting's secret: the value itself, or the content of the file that `file:/path` names.

    Raises:
        ConfigurationError: the file cannot be read or is empty. The message never holds the value.
    """
    text = value if isinstance(value, str) else ""
    if not text.strip():
        return None
    if not text.startswith(FILE_PREFIX):
        return Secret(text.strip())
    path = Path(text[len(FILE_PREFIX) :])
    try:
        content = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(
            f"setting {setting}: the secret file {path} cannot be read: {reason}"
        ) from None
    if not content:
        raise ConfigurationError(f"setting {setting}: the secret file {path} is empty")
    return Secret(content)
