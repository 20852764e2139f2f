"""A secret shows itself nowhere."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from target_xero.errors import ConfigurationError
from target_xero.xero.secret import Secret, read_secret


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret("hidden-word")
    assert [repr(secret), str(secret), f"{secret}", f"{secret!r:>9}", "%s" % secret, repr([secret])] == [  # noqa: UP031
        "***", "***", "***", "      ***", "***", "[***]",
    ]  # fmt: skip


def test_it_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hidden-word"))
    with pytest.raises(TypeError):
        json.dumps(Secret("hidden-word"))


def test_a_setting_may_name_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from the file\n")
    found = read_secret("client_secret", f"file:{path}")
    assert found is not None
    assert found.reveal() == "from the file"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe\xfd"])
def test_a_secret_file_that_gives_nothing_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"setting client_secret: the secret file {path}"):
        read_secret("client_secret", f"file:{path}")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_nothing_is_no_secret(value: str | None) -> None:
    assert read_secret("client_secret", value) is None
