from __future__ import annotations

from pathlib import Path

import pytest
from ikaroa_sandbox.app import Sandbox
from ikaroa_sandbox.errors import StartError
from ikaroa_sandbox.keeping import keep, recall


@pytest.mark.slow
def test_what_was_kept_comes_back_whole(tmp_path: Path) -> None:
    first, file = Sandbox(4), tmp_path / "state"
    account = first.dump("salesforce")["objects"]["Account"][0]["Id"]
    first.edit(
        "salesforce", {"action": "update", "object": "Account", "id": account, "fields": {"Phone": "1"}}
    )
    first.clock.advance(3600)
    keep(first, file)

    second = Sandbox()
    assert recall(second, file)
    assert second.dump() == first.dump()
    assert second.clock.now() == first.clock.now()
    assert second.seeded == first.seeded


@pytest.mark.slow
def test_time_does_not_go_back_when_the_data_is_older_than_now(tmp_path: Path) -> None:
    first, second = Sandbox(4), Sandbox()
    keep(first, tmp_path / "state")
    second.clock.advance(7200)
    later = second.clock.now()
    recall(second, tmp_path / "state")
    assert second.clock.now() == later


def test_without_a_file_there_is_nothing_to_recall(tmp_path: Path) -> None:
    assert not recall(Sandbox(), tmp_path / "state")


def test_a_file_that_is_no_sandboxs_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("something else")
    with pytest.raises(StartError, match="remove it to start anew"):
        recall(Sandbox(), tmp_path / "state")
