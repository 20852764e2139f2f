"""The refresh token in PostgreSQL: sealed, two generations, one refresher at a time."""

from __future__ import annotations

import threading

import pytest
from target_xero.errors import ConfigurationError, LedgerUnreachableError
from target_xero.xero.secret import Secret
from target_xero.xero.token_row import TokenRow

KEY = bytes(range(32))


def store(postgres, key=KEY, client_id="app", name="xero-token.json"):
    return TokenRow(Secret(postgres.address), name, key, client_id)


def test_two_generations_are_kept_sealed(postgres):
    tokens = store(postgres)
    assert not tokens.exists
    with tokens.locked():
        assert tokens.read() == []
        for name in ("canary-1", "canary-2", "canary-3"):
            tokens.save(Secret(name), "seed")
    with store(postgres).locked():
        pass
    again = store(postgres)
    assert again.exists
    with again.locked():
        assert [g.refresh_token.reveal() for g in again.read()] == ["canary-3", "canary-2"]
    assert "canary" not in str(postgres.run("SELECT * FROM token_store"))


def test_what_was_saved_is_there_for_others_before_the_lock_is_given_back(postgres):
    tokens = store(postgres)
    with tokens.locked():
        tokens.save(Secret("t"), "seed")
        assert len(postgres.run("SELECT * FROM token_store")) == 1


def test_only_one_refreshes_at_a_time(postgres):
    order, other = [], store(postgres)

    def second():
        with other.locked():
            order.append("second")

    with store(postgres).locked():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_each_app_and_each_organisation_has_its_own(postgres):
    with store(postgres).locked() as _, store(postgres, client_id="other").locked():
        pass
    one = store(postgres)
    with one.locked():
        one.save(Secret("t"), "seed")
    assert not store(postgres, client_id="other").exists
    assert not store(postgres, name="other.json").exists


def test_another_key_opens_nothing(postgres):
    one = store(postgres)
    with one.locked():
        one.save(Secret("t"), "seed")
    other = store(postgres, key=bytes(32))
    with (
        other.locked(),
        pytest.raises(ConfigurationError, match="does not open with this token_store_key") as failure,
    ):
        other.read()
    assert postgres.address not in str(failure.value)


def test_without_its_lock_it_is_not_used(postgres):
    with pytest.raises(ConfigurationError, match="without its lock"):
        store(postgres).read()


def test_a_database_that_is_away_is_one_clear_sentence():
    away = TokenRow(Secret("postgresql://me:canary@127.0.0.1:1/x"), "n", KEY, "app")
    with pytest.raises(LedgerUnreachableError, match="cannot be reached") as failure, away.locked():
        pass
    assert "canary" not in str(failure.value)


def test_a_rotating_token_lives_in_the_database_and_the_next_run_needs_no_other(house, postgres):
    login = {"client_id": "sandbox-xero-client", "ledger_url": postgres.address, "token_store_key": KEY.hex()}
    first = house.load(("contacts", house.contact(1)), **login, refresh_token="sandbox-xero-refresh")
    assert first.exit_code == 0, first.told
    second = house.load(("contacts", house.contact(2)), **login)
    assert second.exit_code == 0, second.told
    assert not (house.folder / "xero-token.json").exists()
    assert not (house.folder / "ledger.sqlite").exists()
