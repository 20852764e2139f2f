"""Bad input of every kind: a clear message, nothing else lost, and an exit code that says so."""

from __future__ import annotations

from typing import Any

import pytest

Documents = list[tuple[str, dict[str, Any]]]


def _names(house: Any) -> set[str]:
    return {contact["Name"] for contact in house.books("Contacts")}


def _ours(house: Any) -> list[dict[str, Any]]:
    return [invoice for invoice in house.books("Invoices") if "SF-" in (invoice.get("Reference") or "")]


def _between(house: Any, bad: str | dict[str, Any]) -> list[Any]:
    """A good record, what is bad, a good record, a STATE."""
    return [
        house.schema("contacts"),
        house.record("contacts", **house.contact(1)),
        bad,
        house.record("contacts", **house.contact(2)),
        house.state(1),
    ]


LINES = {
    "cut off": '{"type": "RECORD", "stream": "contacts", "record": {"Name": "Zoe Private"',
    "not Singer": "2026-11-02 09:00:00 tap started for zoe@private.example",
    "no type": '{"stream": "contacts", "record": {}}',
    "a RECORD without record": '{"type": "RECORD", "stream": "contacts"}',
    "a RECORD that is a list": '{"type": "RECORD", "stream": "contacts", "record": ["zoe@private.example"]}',
    "a SCHEMA without properties": '{"type": "SCHEMA", "stream": "contacts", "schema": {}, "key_properties": []}',
    "a STATE without value": '{"type": "STATE"}',
    "a RECORD before its SCHEMA": '{"type": "RECORD", "stream": "items", "record": {"source_key": "1"}}',
    "a BATCH": '{"type": "BATCH", "stream": "contacts", "encoding": {"format": "jsonl"}, "manifest": []}',
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_line_that_cannot_be_used_is_told_by_number_and_the_neighbours_arrive(
    house: Any, line: str
) -> None:
    ran = house.run(_between(house, line))
    assert {"Customer 1", "Customer 2"} <= _names(house)
    assert ran.exit_code == 1
    assert "line 3" in ran.told
    assert "private" not in ran.told.lower(), "a line's data is not repeated"
    assert "Traceback" not in ran.told
    assert "1 line or record of input not usable, the bookmark is held back" in ran.last_line


def test_a_bad_line_holds_the_bookmark_back_from_there_on_and_no_sooner(house: Any) -> None:
    messages = [
        house.schema("contacts"),
        house.state("before"),
        house.record("contacts", **house.contact(1)),
        "broken",
        house.record("contacts", **house.contact(2)),
        house.state("after"),
    ]
    ran = house.run(messages)
    assert ran.states == [{"bookmarks": "before"}]
    again = house.run([message for message in messages if message != "broken"])
    assert again.exit_code == 0
    assert again.states[-1] == {"bookmarks": "after"}


UNKNOWN = [
    {
        "type": "SCHEMA",
        "stream": "Opportunty",
        "schema": {"properties": {"Id": {}}},
        "key_properties": ["Id"],
    },
    {"type": "RECORD", "stream": "Opportunty", "record": {"Id": "1"}},
    {"type": "RECORD", "stream": "Opportunty", "record": {"Id": "2"}},
]


def test_an_unknown_stream_ends_with_1_and_holds_the_bookmark_but_not_the_others(house: Any) -> None:
    good = _between(house, house.record("contacts", **house.contact(3)))
    ran = house.run([*UNKNOWN, *good])
    assert {"Customer 1", "Customer 2", "Customer 3"} <= _names(house)
    assert (ran.exit_code, ran.states) == (1, [])
    assert ran.log.count("stream Opportunty") == 1, "told once"
    assert "2 lines or records of input not usable" in ran.last_line
    assert "known are contacts, credit_notes, invoices, items, payments, quotes" in ran.log
    assert "on_unknown_stream" in ran.log


def test_an_unknown_stream_may_be_passed_over_with_one_word(house: Any) -> None:
    ran = house.run(
        [*UNKNOWN, *_between(house, house.record("contacts", **house.contact(3)))], on_unknown_stream="ignore"
    )
    assert (ran.exit_code, ran.states[-1]) == (0, {"bookmarks": 1})
    assert ran.log.count("passed over") == 1
    assert "error" not in ran.told.lower()
    assert "exception" not in ran.told.lower()


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _cases(house: Any) -> dict[str, tuple[str, dict[str, Any], list[str]]]:
    """stream, document, what must be told."""
    line = house.invoice(9, 1)["LineItems"][0]
    return {
        "a missing key": ("contacts", _without(house.contact(9), "source_key"), ["source_key", "required"]),
        "a contact without name": (
            "contacts",
            house.contact(9, Name=None),
            ["Account 9", "Name", "required"],
        ),
        "an unknown account code": (
            "invoices",
            house.invoice(9, 1, LineItems=[line | {"AccountCode": "20O"}]),
            ["Deal 9", "20O", "AccountCode"],
        ),
        "a name of 256 characters": (
            "contacts",
            house.contact(9, Name="N" * 256),
            ["Account 9", "Name", "255"],
        ),
        "an e-mail Xero refuses": (
            "contacts",
            house.contact(9, EmailAddress="zoë@exämple"),
            ["Account 9", "EmailAddress", "zoë@exämple"],
        ),
        "a currency that is not enabled": (
            "invoices",
            house.invoice(9, 1, CurrencyCode="JPY"),
            ["Deal 9", "CurrencyCode", "JPY"],
        ),
        "a price with 5 decimals": (
            "invoices",
            house.invoice(9, 1, LineItems=[line | {"UnitAmount": "0.12345"}]),
            ["Deal 9", "UnitAmount", "0.12345"],
        ),
        "a field of the wrong kind": ("contacts", house.contact(9, Phones="+44 1"), ["Account 9", "Phones"]),
        "a field that is none": (
            "contacts",
            house.contact(9, Nmae="x"),
            ["Account 9", "Nmae", "Did you mean Name"],
        ),
        "a status nobody allowed": (
            "invoices",
            house.invoice(9, 1, Status="AUTHORISED"),
            ["Deal 9", "AUTHORISED"],
        ),
        "a key of 300 characters": (
            "contacts",
            house.contact(9, source_key="k" * 300),
            ["Account 9", "source_key"],
        ),
    }


CASES = [
    "a missing key",
    "a contact without name",
    "an unknown account code",
    "a name of 256 characters",
    "an e-mail Xero refuses",
    "a currency that is not enabled",
    "a price with 5 decimals",
    "a field of the wrong kind",
    "a field that is none",
    "a status nobody allowed",
    "a key of 300 characters",
]


@pytest.mark.parametrize("case", CASES)
def test_a_document_that_cannot_go_is_kept_with_its_reason_and_the_neighbours_arrive(
    house: Any, case: str
) -> None:
    stream, document, told = _cases(house)[case]
    ran = house.load(
        ("contacts", house.contact(1)),
        ("invoices", house.invoice(1, 1)),
        (stream, document),
        ("contacts", house.contact(2)),
        ("invoices", house.invoice(2, 2)),
    )
    assert {"Customer 1", "Customer 2"} <= _names(house)
    assert len(_ours(house)) == 2
    assert ran.exit_code == 1
    assert ran.states == [{"bookmarks": {"end": 5}}], (
        "what is kept in the ledger is no reason to hold the bookmark back"
    )
    for text in told:
        assert text in ran.err
    assert "1 refused" in ran.last_line
    assert "Traceback" not in ran.told
    problem = ran.target.outcome.problems[0]
    assert problem["state"] == "rejected"
    assert problem["refusals"][0]["rule"]
    assert problem["refusals"][0]["cure"]


@pytest.mark.parametrize(
    "case", ["a missing key", "an unknown account code", "a currency that is not enabled"]
)
def test_a_refused_document_costs_no_call_to_xero_again_and_stays_known(house: Any, case: str) -> None:
    stream, document, _ = _cases(house)[case]
    house.load((stream, document))
    house.forget_exchanges()
    ran = house.load((stream, document))
    assert house.writes == 0
    assert ran.exit_code == 1
    assert len(ran.target.outcome.problems) == 1


def test_refused_documents_may_be_told_without_failing_the_run(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1, Name=None)), fail_on_refused=False)
    assert ran.exit_code == 0
    assert "1 refused" in ran.last_line


def test_a_document_that_was_cured_arrives_and_is_refused_no_more(house: Any) -> None:
    house.load(("contacts", house.contact(1, Name=None)))
    ran = house.load(("contacts", house.contact(1)))
    assert ran.exit_code == 0
    assert "Customer 1" in _names(house)
    assert ran.last_line.startswith("All settled: 1 ")


@pytest.mark.parametrize(
    "name", ["Zoë 🐘 Ünïcode", "株式会社サンプル", 'O\'Brien & Sons "Ltd"', "Ünï <script>"]
)
def test_names_of_every_kind_arrive_as_they_are(house: Any, name: str) -> None:
    ran = house.load(("contacts", house.contact(1, Name=name)))
    assert (ran.exit_code, name in _names(house)) == (0, True)


@pytest.mark.parametrize("spaces", ["refused", "trimmed"])
def test_spaces_that_xero_refuses_in_a_name_are_taken_out_and_are_no_change_later(
    house: Any, spaces: str
) -> None:
    house.sandbox.world.variants.choose("xero.contacts.name_spaces", spaces)
    ran = house.load(("contacts", house.contact(1, Name="  Blue\u00a0 Bottle\tLtd ")))
    assert (ran.exit_code, "Blue Bottle Ltd" in _names(house)) == (0, True)
    house.forget_exchanges()
    assert house.load(("contacts", house.contact(1, Name="Blue Bottle Ltd"))).exit_code == 0
    assert house.writes == 0


def test_many_refusals_are_told_up_to_twenty_and_counted(house: Any) -> None:
    ran = house.load(*(("contacts", house.contact(n, Name=None)) for n in range(25)))
    assert ran.err.count("breaks required") == 20
    assert "and 5 more" in ran.err
    assert "25 refused" in ran.last_line


def test_an_invoice_waits_for_a_contact_that_comes_later(house: Any) -> None:
    ran = house.load(("invoices", house.invoice(1, 1)))
    assert _ours(house) == []
    assert "Deal 1" in ran.err
    assert "001000000000000001" in ran.err
    assert ran.states == [{"bookmarks": {"end": 1}}]
    ran = house.load(("contacts", house.contact(1)))
    assert ran.exit_code == 0
    assert len(_ours(house)) == 1


def test_control_characters_from_outside_write_no_line_of_their_own(house: Any) -> None:
    label = "x\x1b[2J\r\nAll settled: 9 documents.\u2028"
    ran = house.run([
        house.schema("contacts"),
        house.record("contacts", **house.contact(1, Name=None, source_label=label)),
        {"type": "SCHEMA", "stream": "a\nb", "schema": {"properties": {}}, "key_properties": []},
        {"type": "RECORD", "stream": "a\nb", "record": {}},
    ])  # fmt: skip
    assert "\x1b" not in ran.told
    assert not [line for line in ran.err.splitlines() if line.startswith("All settled")]
    assert "stream a b" in ran.log


def test_of_a_value_that_is_far_too_long_its_beginning_is_told(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1, EmailAddress="x" * 1_000_000)))
    assert ran.exit_code == 1
    assert "xxx…" in ran.err
    listed = house.command("rejects", "--json").stdout
    assert max(len(ran.told), len(listed)) < 10_000


@pytest.mark.parametrize("key", ["A · B", " A", "A "])
def test_a_key_that_xero_would_not_show_again_is_refused_and_nothing_is_made_twice(
    house: Any, key: str
) -> None:
    invoice = {k: v for k, v in house.invoice(1, 1).items() if k != "marker"} | {"source_key": key}
    ran = house.load(("contacts", house.contact(1)), ("invoices", invoice))
    assert ran.exit_code == 1
    assert "marker_unusable" in ran.err
    assert not any(key.strip() in str(row["Reference"]) for row in house.books("Invoices"))
    assert house.load(("invoices", {**invoice, "marker": "A-B"})).exit_code == 0


def test_what_xero_alone_finds_wrong_is_told_with_what_to_do(house: Any) -> None:
    invoice = house.invoice(1, 1)
    invoice["LineItems"][0]["UnitAmount"] = "-5"
    ran = house.load(("contacts", house.contact(1)), ("invoices", invoice))
    assert ran.exit_code == 1
    assert "let the source give a credit note for it" in " ".join(ran.err.split())
