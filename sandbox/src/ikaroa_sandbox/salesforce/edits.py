"""Commands of `POST /_sandbox/edit`."""
from __future__ import annotations
from typing import Any
def apply(state: Any, command: dict[str, Any]) -> dict[str, Any]:
    raise ValueError("not yet")
