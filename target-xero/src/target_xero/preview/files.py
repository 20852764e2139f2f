"""Where plans are kept. They hold names and e-mail addresses: that is their purpose, and why only their owner may read them."""

from __future__ import annotations

import os
import re
from datetime import timezone
from pathlib import Path

import simplejson

from target_xero.errors import ConfigurationError
from target_xero.preview.document import Plan
from target_xero.preview.page import page


def save(plan: Plan, folder: Path) -> dict[str, Path]:
    """Writes `<time>-<hash>.json` and `.html`; files 0600, a folder it makes 0700. Never half a file.

    Returns:
        The paths, by `json` and `html`.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    when = plan.made_at.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    stem = f"{when}-{plan.short_hash}"
    texts = {
        "json": simplejson.dumps(plan.as_dict(), use_decimal=True, ensure_ascii=False, indent=2) + "\n",
        "html": page(plan),
    }
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            folder.chmod(0o700)
        return {kind: _write(folder / f"{stem}.{kind}", text) for kind, text in texts.items()}
    except OSError as failure:
        raise ConfigurationError(
            f"setting plan_path: the plan cannot be saved in {folder} ({failure.strerror or failure})"
        ) from None


def _write(path: Path, text: str) -> Path:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    part.replace(path)
    return path


def is_hash(text: str) -> bool:
    """Whether this can name a plan: at least eight hex digits of its hash."""
    return re.fullmatch(r"[0-9a-f]{8,64}", text) is not None
