"""`Idempotency-Key`: Xero developer docs, idempotent requests."""

from __future__ import annotations

import pytest
from ikaroa_sandbox.core import Headers, Request


def put(xero, name: str, key: str, in_flight: int = 1, **params):
    body = {"Contacts": [{"Name": name}]}
    return xero.call("PUT", "Contacts", body, headers={"Idempotency-Key": key}, in_flight=in_flight, **params)


def names(xero) -> list[str]:
    return [row["Name"] for row in xero.backend.dump()["Contacts"]]


def test_the_same_request_under_a_key_is_done_once_and_answered_alike(xero):
    first, again = put(xero, "A", "k"), put(xero, "A", "k")
    assert (again.status, again.body) == (200, first.body)
    assert again.effects == []
    assert names(xero) == ["A"]


def test_a_replay_costs_a_call(xero):
    put(xero, "A", "k")
    assert put(xero, "A", "k").headers["X-MinLimit-Remaining"] == "58"


def test_a_key_lives_six_minutes_from_its_first_call_and_not_from_its_last(xero, clock):
    put(xero, "A", "k")
    clock.advance(300)
    assert put(xero, "A", "k").status == 200
    clock.advance(59)
    assert put(xero, "A", "k").status == 200
    clock.advance(1)
    assert put(xero, "A", "k").status == 400  # done again, and the name is taken by now


def test_another_body_or_url_or_method_under_a_living_key_is_refused(xero):
    put(xero, "A", "k")
    expected = "Idempotency Key: k is used with a different request."
    assert put(xero, "B", "k").json["Message"] == expected
    assert put(xero, "A", "k", summarizeErrors="false").json["Message"] == expected
    posted = xero.call("POST", "Contacts", {"Contacts": [{"Name": "A"}]}, headers={"Idempotency-Key": "k"})
    assert (posted.status, posted.json["Message"]) == (400, expected)
    assert names(xero) == ["A"]


def test_a_refusal_is_kept_and_given_again_after_its_cause_is_gone(xero):
    blocking = xero.contact("A")
    refused = put(xero, "A", "k")
    assert refused.status == 400
    xero.edit("archive_contact", contact=blocking["ContactID"])
    assert put(xero, "A", "k").body == refused.body
    assert put(xero, "A", "another").status == 200


def test_an_internal_error_is_kept_under_the_key(xero):
    xero.sign_in()
    sent = Request(
        "PUT", "/api.xro/2.0/Contacts", "", Headers({"Idempotency-Key": "k"}), b'{"Contacts":[{"Name":"A"}]}'
    )
    xero.backend.fault("500", sent)
    body = sent.body
    answer = xero.call("PUT", "Contacts", body, headers={"Idempotency-Key": "k"})
    assert answer.status == 500
    assert answer.json["Type"] == "UnknownErrorException"
    assert names(xero) == []


def test_a_call_refused_by_the_limits_leaves_the_key_free(xero):
    xero.edit("set_limits", minute=0)
    assert put(xero, "A", "k").status == 429
    xero.edit("set_limits", minute=60)
    assert put(xero, "A", "k").status == 200


def test_a_key_is_at_most_128_characters(xero):
    assert put(xero, "A", "k" * 128).status == 200
    assert put(xero, "B", "k" * 129).status == 400


def test_a_key_means_nothing_on_a_get(xero):
    xero.call("GET", "Contacts", headers={"Idempotency-Key": "k"})
    assert put(xero, "A", "k").status == 200


@pytest.mark.parametrize(("variant", "status"), [("runs", 400), ("waits", 200)])
def test_a_parallel_duplicate_runs_too_or_waits_for_the_first(xero, variants, variant, status):
    variants.choose("xero.idempotency.parallel", variant)
    put(xero, "A", "k")
    assert put(xero, "A", "k", in_flight=2).status == status  # run twice, it meets its own name


def test_a_later_duplicate_is_answered_from_the_key_even_where_parallel_ones_run(xero, clock):
    put(xero, "A", "k")
    clock.advance(2)
    assert put(xero, "A", "k", in_flight=2).status == 200


def test_after_parallel_runs_the_first_answer_is_the_one_that_is_kept(xero, clock):
    put(xero, "A", "k")
    assert put(xero, "A", "k", in_flight=2).status == 400
    clock.advance(2)
    assert put(xero, "A", "k").status == 200


def test_many_keys_do_not_pile_up_and_living_ones_stay(xero, clock):
    xero.edit("set_limits", minute=10_000, day=10_000)
    for number in range(1_000):
        put(xero, f"C{number}", f"k{number}")
    clock.advance(360)
    put(xero, "New", "fresh")
    assert len(xero.backend.gateway.keys.save()) == 1
    assert put(xero, "New", "fresh").status == 200
