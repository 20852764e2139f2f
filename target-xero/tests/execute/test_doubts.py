"""Outcomes that nobody saw: what is looked up, when, and what follows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from target_xero.errors import QuietPeriodError
from target_xero.execute import ExecutorSettings


def paid_invoice(world, make, *payments):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, Status="AUTHORISED")]))
    return [("payments", list(payments))]


def test_a_lost_answer_is_found_at_once_and_adopted_in_the_same_run(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments")
    summary = world.run(*batches)
    assert summary.clean
    assert len(world.xero.live("Payments")) == 1
    assert summary.streams["payments"].created == 1


def test_what_is_not_found_waits_out_the_quiet_period_on_xeros_clock(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments", "before")
    summary = world.run(*batches)
    assert summary.streams["payments"].waiting == 1
    assert "503" in summary.waiting_for[0]
    for seconds in (300, 300, 290):
        world.xero.advance(seconds)
        world.run(*batches)
        assert not world.xero.live("Payments")
    world.xero.advance(20)
    assert world.run(*batches).clean
    assert len(world.xero.live("Payments")) == 1


def test_a_run_that_outlives_the_quiet_period_looks_again_and_sends(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments", "before")
    with world.ledger() as ledger:
        executor, flying = world.begin(ledger, batches), []
        world.pump(executor, flying)
        assert executor.idle
        world.xero.advance(901)
        assert not executor.idle
        world.pump(executor, flying)
        assert executor.idle
    assert len(world.xero.live("Payments")) == 1


def test_what_is_sent_again_counts_once_towards_the_limit_of_documents(world, make):
    world.executor_fields = {"max_documents": 1}
    world.lose("/Contacts", "before")
    assert world.run(("contacts", [make.contact(1)])).clean
    assert len([call for call in world.xero.writes() if call.path == "/Contacts"]) == 2


def test_a_failed_look_up_is_never_nothing_found(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments")
    world.run()
    before = len(world.xero.calls)

    def spoil(call):
        if call.path == "/Payments" and call.method == "GET":
            world.answers[len(world.xero.calls) - 1] = (200, {"Error": "no list"})

    world.before_call = spoil
    summary = world.run(*batches)
    assert [call.path for call in world.xero.calls[before:]].count("/Payments") == 3
    assert summary.streams["payments"].waiting == 1
    assert "could not be asked" in summary.waiting_for[0]
    world.xero.advance(2000)
    world.before_call = None
    assert world.run(*batches).clean
    assert len(world.xero.live("Payments")) == 1


def test_an_edited_marker_is_never_sent_again_but_parked(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments", "late")
    world.run(*batches)
    world.xero.advance(400)
    world.xero.live("Payments")[0]["Reference"] = "rent"
    world.xero.advance(600)
    summary = world.run(*batches)
    assert summary.streams["payments"].parked == 1
    assert "marker SF:O1 is not in Xero" in world.problems[0]["note"]
    assert len(world.xero.live("Payments")) == 1


def test_a_part_payment_waits_while_the_outcome_of_another_one_of_its_invoice_is_unknown(world, make):
    parts = [
        {**make.payment(1, amount), "source_key": f"O1#{n}", "marker": f"SF:O1#{n}"}
        for n, amount in enumerate(("20.00", "16.00"))
    ]
    batches = paid_invoice(world, make, *parts)
    world.executor_fields = {"batch_documents": 1}
    world.lose("/Payments", "late")
    summary = world.run(*batches)
    assert summary.streams["payments"].waiting == 2
    assert "outcome of another payment of this invoice is not known yet" in summary.waiting_for[1]
    assert [call.body["Payments"][0]["Reference"] for call in world.xero.writes()[-1:]] == ["SF:O1#0"]
    world.xero.advance(1000)
    assert world.run(*batches).clean
    assert sorted(p["Amount"] for p in world.xero.live("Payments")) == [16, 20]


def test_two_equal_payments_in_doubt_are_told_apart_by_their_markers(world, make):
    second = {**make.payment(1, "5.00"), "source_key": "O1#b", "marker": "SF:O1b"}
    batches = paid_invoice(world, make, make.payment(1, "5.00"), second)

    def half(call):
        if call.method != "GET" and call.path == "/Payments" and not half.done:
            half.done = True
            world.answers[len(world.xero.calls) - 1] = (503, None)
            world.xero.handle(
                type(call)(call.purpose, call.method, call.path, body={"Payments": call.body["Payments"][:1]})
            )

    half.done = False
    world.before_call = half
    world.run(*batches)
    world.xero.advance(1000)
    assert world.run(*batches).clean
    assert sorted(p["Reference"] for p in world.xero.live("Payments")) == ["SF:O1", "SF:O1b"]


def test_an_invoice_with_an_edited_marker_is_parked_too(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Invoices", "late")
    batches = [("invoices", [make.invoice(1)])]
    world.run(*batches)
    world.xero.advance(400)
    world.xero.live("Invoices")[0]["Reference"] = "see mail"
    world.xero.advance(600)
    assert world.run(*batches).streams["invoices"].parked == 1
    assert len(world.xero.live("Invoices")) == 1


def test_a_found_invoice_that_somebody_changed_meanwhile_is_parked(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.lose("/Invoices", "late")
    batches = [("invoices", [make.invoice(1)])]
    world.run(*batches)
    world.xero.advance(400)
    world.xero.live("Invoices")[0]["SubTotal"] = Decimal(99)
    assert world.run(*batches).streams["invoices"].parked == 1


def test_a_payment_that_somebody_deleted_meanwhile_is_parked_and_not_made_again(world, make):
    batches = paid_invoice(world, make, make.payment(1))
    world.lose("/Payments", "late")
    world.run(*batches)
    world.xero.advance(400)
    world.xero.live("Payments")[0]["Status"] = "DELETED"
    world.xero.advance(600)
    assert world.run(*batches).streams["payments"].parked == 1
    assert not world.xero.live("Payments")


def test_a_contact_is_sent_again_at_once_for_its_number_protects_it(world, make):
    world.lose("/Contacts", "late")
    summary = world.run(("contacts", [make.contact(1)]))
    assert summary.clean
    world.xero.advance(1000)
    assert len(world.xero.live("Contacts")) == 1


def no_writes(world):
    """Xero can be read, but answers every write with 503."""

    def watch(call):
        if call.method != "GET":
            world.faults[len(world.xero.calls) - 1] = "before"

    world.before_call = watch


@pytest.mark.parametrize("known", [False, True], ids=["create", "update"])
def test_an_outage_of_minutes_parks_nothing(world, make, known):
    if known:
        world.run(("contacts", [make.contact(1)]))
    wanted = ("contacts", [make.contact(1, AccountNumber="A-2")]), ("invoices", [make.invoice(1)])
    before = len(world.xero.writes())
    no_writes(world)
    for minutes in range(3):
        summary = world.run(*wanted)
        assert (summary.streams["contacts"].waiting, summary.streams["contacts"].parked) == (1, 0), minutes
        assert len([w for w in world.xero.writes()[before:] if w.path == "/Contacts"]) == 3
        world.xero.advance(60)
    world.before_call = None
    world.xero.advance(900)
    assert world.run(*wanted).clean
    assert world.xero.live("Contacts")[0]["AccountNumber"] == "A-2"


@pytest.mark.parametrize("known", [False, True], ids=["create", "update"])
def test_after_six_attempts_a_document_is_parked_with_a_sentence(world, make, known):
    if known:
        world.run(("contacts", [make.contact(1)]))
    before = len(world.xero.writes())
    no_writes(world)
    for _ in range(5):
        summary = world.run(("contacts", [make.contact(1, AccountNumber="A-2")]))
        world.xero.advance(901)
    assert summary.streams["contacts"].parked == 1
    assert "Sent 6 times" in world.problems[0]["note"]
    assert len(world.xero.writes()) == before + 6


def test_what_needs_a_refused_document_is_refused_with_it_in_the_same_run(world, make):
    documents = [make.invoice(1, Status="AUTHORISED")]
    summary = world.run(
        ("contacts", [make.contact(1, EmailAddress="nobody")]),
        ("invoices", documents),
        ("payments", [make.payment(1)]),
    )
    assert [summary.streams[kind].refused for kind in ("contacts", "invoices", "payments")] == [1, 1, 1]
    assert [problem["note"].count("goes by itself") for problem in world.problems] == [0, 1, 1]


def test_an_allocation_in_doubt_is_looked_up_in_its_note(world, make):
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "source_key": "N1", "marker": "SF-N1", "Status": "AUTHORISED",
        "allocations": [{"invoice_key": "O1", "Amount": "5.00", "Date": "2026-11-02"}],
    }  # fmt: skip
    batches = [
        ("contacts", [make.contact(1)]),
        ("invoices", [make.invoice(1, Status="AUTHORISED")]),
        ("credit_notes", [note]),
    ]
    world.run(*batches[:2], ("credit_notes", [{**note, "allocations": []}]))
    note_id = world.xero.live("CreditNotes")[0]["CreditNoteID"]
    world.lose(f"/CreditNotes/{note_id}/Allocations", "late")
    summary = world.run(*batches)
    world.xero.advance(400)
    assert world.run(*batches).clean
    assert len(world.xero.live("CreditNotes")[0]["Allocations"]) == 1
    assert summary.streams["allocations"].waiting == 1


def test_a_mixed_answer_settles_each_document_by_itself(world, make):
    """C9: some saved, one refused, one not mentioned."""
    world.run(("contacts", [make.contact(n) for n in range(3)]))
    number = len(world.xero.calls) + 3

    def mixed(call):
        if call.method == "PUT" and call.path == "/Invoices" and len(world.xero.calls) == number + 1:
            status, body = world.xero.handle(call)
            made = body["Invoices"]
            del world.xero.store["Invoices"][made[1]["InvoiceID"]]
            made[1] = {**made[1], "InvoiceID": "00000000-0000-0000-0000-000000000000", "StatusAttributeString": "ERROR",
                       "ValidationErrors": [{"Message": "Description required"}]}  # fmt: skip
            world.answers[number] = (status, {"Invoices": made[:2]})

    world.before_call = mixed
    summary = world.run(("invoices", [make.invoice(n) for n in range(3)]))
    stream = summary.streams["invoices"]
    assert (stream.created, stream.refused, stream.waiting) == (2, 1, 0)
    assert "Description required" in world.problems[0]["note"]
    assert len(world.xero.live("Invoices")) == 2


def test_one_malformed_document_is_isolated_by_halves(world, make):
    def malformed(call):
        if (
            call.path == "/Contacts"
            and call.method == "PUT"
            and any(c["Name"] == "Customer 5" for c in call.body["Contacts"])
        ):
            world.answers[len(world.xero.calls) - 1] = (
                400,
                {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "bad"},
            )

    world.before_call = malformed
    summary = world.run(("contacts", [make.contact(n) for n in range(20)]))
    assert (summary.streams["contacts"].created, summary.streams["contacts"].refused) == (19, 1)
    assert world.problems[0]["source_key"] == "C5"


def test_a_404_on_plain_invoices_is_looked_up_before_it_is_isolated(world, make):
    world.run(("contacts", [make.contact(n) for n in range(4)]))

    def gone(call):
        if (
            call.path == "/Invoices"
            and call.method == "PUT"
            and any("SF-O2" in i["Reference"] for i in call.body["Invoices"])
        ):
            world.answers[len(world.xero.calls) - 1] = (404, None)

    world.before_call = gone
    batches = [("invoices", [make.invoice(n) for n in range(4)])]
    world.run(*batches)
    assert not world.xero.live("Invoices")
    for _ in range(3):
        world.xero.advance(1000)
        summary = world.run(*batches)
    assert len(world.xero.live("Invoices")) == 3
    assert summary.open_refusals == 1


def test_another_amount_in_the_answer_is_parked_and_linked(world, make):
    world.run(("contacts", [make.contact(1)]))

    def rounds(call):
        if call.path == "/Invoices" and call.method == "PUT":
            status, body = world.xero.handle(call)
            body["Invoices"][0]["SubTotal"] = Decimal("30.01")
            world.answers[len(world.xero.calls) - 1] = (status, body)

    world.before_call = rounds
    summary = world.run(("invoices", [make.invoice(1)]))
    assert summary.streams["invoices"].parked == 1
    assert "30.01" in world.problems[0]["note"]
    world.run(("invoices", [make.invoice(1, price="11.00")]))
    assert len(world.xero.live("Invoices")) == 1


@pytest.mark.parametrize(
    ("status", "word"), [(401, "refuses the access"), (403, "refuses the access"), (429, "limit")]
)
def test_no_access_stops_the_run_and_loses_nothing(world, make, status, word):
    world.answers = {1: (status, None)}
    summary = world.run(("contacts", [make.contact(1)]))
    assert word in world.stopped
    assert summary.streams["contacts"].waiting == 1
    world.answers = {}
    assert world.run().clean


def test_a_xero_that_answers_nothing_sensible_stops_the_run(world, make):
    world.faults = dict.fromkeys(range(100), "never")
    summary = world.run(("contacts", [make.contact(1)]))
    assert summary.streams["contacts"].waiting == 1
    world.faults = dict.fromkeys(range(len(world.xero.calls) + 1, 200), "never")
    world.run(("contacts", [make.contact(2)]))
    assert "8 times in a row" in world.stopped


def test_reference_data_that_cannot_be_read_stops_the_run_before_anything_is_sent(world, make):
    world.faults = dict.fromkeys(range(100), "garbled")
    world.run(("items", [{"source_key": "P1", "Code": "W", "SalesDetails": {"AccountCode": "200"}}]))
    assert "/Accounts could not be read" in world.stopped
    assert not world.xero.writes()


def test_a_quiet_period_shorter_than_a_late_write_is_refused():
    with pytest.raises(QuietPeriodError, match="330"):
        ExecutorSettings(quiet_period_s=329)
    assert ExecutorSettings(quiet_period_s=330)


def test_an_answer_nobody_asked_for_is_an_error(world, make):
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("contacts", [make.contact(1)])])
        (call,) = executor.next_calls(4)
        answer = world.answer(call)
        executor.receive(answer)
        with pytest.raises(ValueError, match="not in flight"):
            executor.receive(answer)


def test_pages_are_sought_by_time_so_that_a_row_that_moves_is_not_skipped(world, make):
    """While page one is read, somebody edits a row of it: it moves to the end, and the next page begins one row later."""
    world.run(("contacts", [make.contact(1)]))
    contact_id = world.xero.live("Contacts")[0]["ContactID"]
    world.lose("/Invoices", "lost")
    batches = [("invoices", [make.invoice(1)])]
    world.xero.page_size_max = 3
    for n in range(3):
        world.xero.put("Invoices", Reference=f"other {n}", Contact={"ContactID": contact_id})
        world.xero.now += timedelta(seconds=5)
    lost = world.before_call

    def edit(call):
        lost(call)
        if call.method == "GET" and call.path == "/Invoices" and call.headers and not edit.done:
            edit.done = True
            status, body = world.xero.handle(call)
            world.answers[len(world.xero.calls) - 1] = (status, body)
            first = next(row for row in world.xero.live("Invoices") if row["Reference"] == "other 0")
            first["_updated"] = world.xero.now + timedelta(seconds=1)
            first["UpdatedDateUTC"] = f"/Date({int(first['_updated'].timestamp() * 1000)}+0000)/"

    edit.done = False
    world.before_call = edit
    world.run(*batches)
    world.xero.advance(1000)
    assert world.run(*batches).clean
    assert len([row for row in world.xero.live("Invoices") if "SF-O1" in row["Reference"]]) == 1
