"""The corners: reads that fail at the wrong moment, calls that are full, documents that vanish."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_xero.exchange import Answer, Purpose
from target_xero.execute.writes import Parcel, fit
from target_xero.ledger import Intent, State
from target_xero.plan import Planner
from target_xero.refusal import Refusal


def rules(world):
    return [refusal["rule"] for problem in world.problems for refusal in problem["refusals"]]


def fail_reads(world, path, status=503):
    """Every read of this path goes wrong from now on."""

    def watch(call):
        if call.method == "GET" and call.path.startswith(path):
            world.answers[len(world.xero.calls) - 1] = (status, None)

    world.before_call = watch


@pytest.mark.slow
def test_a_hundred_changed_drafts_are_read_forty_at_a_time_and_all_written(world, make):
    numbers = range(100)
    world.run(
        ("contacts", [make.contact(n) for n in numbers]), ("invoices", [make.invoice(n) for n in numbers])
    )
    before = len(world.xero.calls)
    summary = world.run(("invoices", [make.invoice(n, price="11.00") for n in numbers]))
    assert summary.streams["invoices"].updated == 100
    reads = [call for call in world.xero.calls[before:] if "IDs" in call.params]
    assert len(reads) <= 4
    assert max(len(call.params["IDs"].split(",")) for call in reads) == 40
    assert all(row["SubTotal"] == Decimal("33.00") for row in world.xero.live("Invoices"))


def test_a_draft_that_cannot_be_read_is_not_written_and_waits(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    fail_reads(world, "/Invoices")
    summary = world.run(("invoices", [make.invoice(1, price="11.00")]))
    assert summary.streams["invoices"].waiting == 1
    assert "could not be asked" in summary.waiting_for[0]


def test_an_invoice_that_is_gone_is_refused(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.store["Invoices"].clear()
    world.xero.advance(61)
    world.run(("invoices", [make.invoice(1, price="11.00")]))
    assert rules(world) == ["gone"]


def test_a_quote_that_is_gone_is_refused_though_xero_answers_404(world, make):
    quote = {k: v for k, v in make.invoice(1).items() if k != "DueDate"}
    world.run(("contacts", [make.contact(1)]), ("quotes", [quote]))
    world.xero.store["Quotes"].clear()
    world.xero.advance(61)
    world.run(("quotes", [{**quote, "Title": "x"}]))
    assert rules(world) == ["gone"]


def test_a_withdrawn_draft_that_a_person_deleted_is_done(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.live("Invoices")[0]["Status"] = "DELETED"
    world.xero.advance(61)
    writes = len(world.xero.writes())
    assert world.run(("invoices", [{"source_key": "O1", "withdrawn": True}])).clean
    assert len(world.xero.writes()) == writes


def test_a_withdrawal_behind_a_create_that_never_happened_is_nothing_to_do(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.faults = {len(world.xero.calls) + 2: "before"}
    world.run(("invoices", [make.invoice(1)]))
    world.run(("invoices", [{"source_key": "O1", "withdrawn": True}]))
    world.answers = {}
    world.xero.advance(1000)

    def refuse(call):
        if call.method == "PUT":
            world.answers[len(world.xero.calls) - 1] = (400, {"Message": "no"})

    world.before_call = refuse
    summary = world.run()
    assert not world.xero.live("Invoices")
    assert summary.open_refusals <= 1


def test_payments_wait_when_their_invoices_cannot_be_read(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    fail_reads(world, "/Invoices")
    summary = world.run(("payments", [make.payment(1)]))
    assert summary.streams["payments"].waiting == 1
    assert not world.xero.live("Payments")


def test_new_contacts_wait_when_the_list_cannot_be_read(world, make):
    fail_reads(world, "/Contacts")
    summary = world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    assert (summary.streams["contacts"].waiting, summary.streams["invoices"].waiting) == (1, 1)
    assert not world.xero.writes()
    assert any("waits for the contact" in sentence for sentence in summary.waiting_for)


@pytest.mark.parametrize(("status", "word"), [(401, "refuses"), (429, "limit")])
def test_no_access_for_reads_stops_the_run_too(world, make, status, word):
    fail_reads(world, "/Contacts", status)
    world.run(("contacts", [make.contact(1)]))
    assert word in world.stopped


def test_allocations_wait_when_their_note_cannot_be_read(world, make):
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "source_key": "N1", "marker": "SF-N1", "Status": "AUTHORISED",
        "allocations": [{"invoice_key": "O1", "Amount": "5.00", "Date": "2026-11-02"}],
    }  # fmt: skip
    fail_reads(world, "/CreditNotes/")
    summary = world.run(
        ("contacts", [make.contact(1)]),
        ("invoices", [make.invoice(1, Status="AUTHORISED")]),
        ("credit_notes", [note]),
    )
    assert summary.streams["allocations"].waiting == 1


def test_an_allocation_to_a_draft_waits_for_its_approval(world, make):
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "source_key": "N1", "marker": "SF-N1",
        "allocations": [{"invoice_key": "O1", "Amount": "5.00", "Date": "2026-11-02"}],
    }  # fmt: skip
    summary = world.run(
        ("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]), ("credit_notes", [note])
    )
    assert "approved" in summary.waiting_for[0]


def test_a_credit_note_is_paid_out_as_an_invoice_is_paid(world, make):
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "source_key": "N1",
        "marker": "SF-N1",
    }
    refund = {**make.payment(1), "invoice_key": None, "credit_note_key": "N1"}
    summary = world.run(("contacts", [make.contact(1)]), ("credit_notes", [note]), ("payments", [refund]))
    assert "Credit note" in summary.waiting_for[0]


def test_a_theme_goes_by_its_id(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1, BrandingTheme="standard")]))
    (invoice,) = world.xero.live("Invoices")
    assert invoice["BrandingThemeID"] == "theme-1"
    assert "BrandingTheme" not in invoice


def test_an_update_raises_a_status_and_never_lowers_it(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.run(("invoices", [make.invoice(1, Status="SUBMITTED")]))
    assert world.xero.live("Invoices")[0]["Status"] == "SUBMITTED"
    world.run(("invoices", [make.invoice(1, Status="DRAFT", price="11")]))
    assert world.xero.live("Invoices")[0]["Status"] == "SUBMITTED"
    assert world.xero.live("Invoices")[0]["SubTotal"] == Decimal(33)


def test_what_xero_calls_archived_gets_a_cure(world, make):
    world.run(("contacts", [make.contact(1)]))
    world.xero.live("Contacts")[0]["ContactStatus"] = "ARCHIVED"
    world.run(("contacts", [make.contact(1, AccountNumber="A")]), ("invoices", [make.invoice(1)]))
    assert rules(world) == ["contact_archived", "contact_archived"]


def test_an_invoice_approved_between_our_look_and_our_write_is_refused_by_xero_and_told(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))

    def approve(call):
        if call.method == "POST":
            world.xero.live("Invoices")[0]["Status"] = "AUTHORISED"

    world.before_call = approve
    world.run(("invoices", [make.invoice(1, price="11")]))
    assert rules(world) == ["not_a_draft"]


def test_an_invoice_whose_contact_was_archived_between_our_look_and_our_write_is_refused_with_a_cure(
    world, make
):
    world.run(("contacts", [make.contact(1)]))

    def archive(call):
        if call.method == "PUT":
            world.xero.live("Contacts")[0]["ContactStatus"] = "ARCHIVED"

    world.before_call = archive
    world.run(("invoices", [make.invoice(1)]))
    assert rules(world) == ["contact_archived"]
    assert "has been archived" in world.problems[0]["note"]
    assert "Restore it in Xero, then run `target-xero retry`" in world.problems[0]["note"]


def test_what_xero_warns_of_again_and_again_is_told_once(world, make):
    def warn(call):
        if call.purpose is Purpose.WRITE:
            status, body = world.xero.handle(call)
            body["Contacts"][0]["Warnings"] = [{"Message": "Tax number is not checked."}]
            world.answers[len(world.xero.calls) - 1] = (status, body)

    world.before_call = warn
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("contacts", [make.contact(1)])])
        world.pump(executor, [])
        organisation = world.organisation()
        Planner(ledger, lambda: organisation).accept("contacts", [make.contact(1, TaxNumber="GB1")])
        world.pump(executor, [])
        assert len(world.xero.writes()) == 2
        assert executor.notices == ['Account "Customer 1": Tax number is not checked.']


def test_a_note_that_provably_never_left_is_no_news_and_goes_with_a_later_run(world, make):
    def offline(call):
        if call.path.endswith("/History"):
            world.faults[len(world.xero.calls) - 1] = "never"

    world.executor_fields = {"history_notes": True}
    world.before_call = offline
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("contacts", [make.contact(1)])])
        world.pump(executor, [])
        assert executor.notices == []
    assert world.xero.notes == {}
    world.before_call = None
    world.xero.advance(901)
    world.run()
    assert [len(notes) for notes in world.xero.notes.values()] == [1]


def test_what_is_deleted_gets_no_note(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.executor_fields = {"history_notes": True}
    world.xero.advance(61)
    assert world.run(("invoices", [{"source_key": "O1", "withdrawn": True}])).streams["invoices"].deleted == 1
    assert not any(call.path.endswith("/History") for call in world.xero.calls)


def merged_away(world, into):
    """The contact C1 is merged into another one, which may be none."""
    (row,) = (row for row in world.xero.live("Contacts") if row.get("ContactNumber") == "C1")
    world.xero._save("Contacts", {**row, "ContactStatus": "ARCHIVED", "MergedToContactID": into["ContactID"]})
    world.xero.advance(61)
    return row["ContactID"]


def test_contacts_that_are_merged_in_a_circle_have_no_survivor(world, make):
    world.run(("contacts", [make.contact(1)]))
    (row,) = world.xero.live("Contacts")
    other = world.xero.put(
        "Contacts", Name="Other", ContactStatus="ARCHIVED", MergedToContactID=row["ContactID"]
    )
    merged_away(world, other)
    world.run(("invoices", [make.invoice(1)]))
    assert rules(world) == ["contact_archived"]
    assert not world.xero.live("Invoices")


@pytest.mark.parametrize(("status", "body"), [(404, None), (200, {"nonsense": True})])
def test_documents_wait_while_it_cannot_be_read_what_their_contact_was_merged_into(world, make, status, body):
    world.run(("contacts", [make.contact(1)]))
    survivor = world.xero.put("Contacts", Name="Group")
    merged_away(world, survivor)

    def fail(call):
        if call.params.get("IDs") == survivor["ContactID"]:
            world.answers[len(world.xero.calls) - 1] = (status, body)

    world.before_call = fail
    summary = world.run(("contacts", [make.contact(1, AccountNumber="A")]), ("invoices", [make.invoice(1)]))
    assert {name: stream.waiting for name, stream in summary.streams.items()} == {
        "contacts": 1,
        "invoices": 1,
    }
    assert all("could not be asked about its contacts" in sentence for sentence in summary.waiting_for)
    world.before_call = None
    assert world.run().clean
    (invoice,) = world.xero.live("Invoices")
    assert invoice["Contact"] == {"ContactID": survivor["ContactID"]}
    assert world.xero.store["Contacts"][survivor["ContactID"]]["AccountNumber"] == "A"


def test_an_archived_contact_with_our_number_behind_our_back_is_told(world, make):
    def sneak(call):
        if call.method == "PUT" and not world.xero.store["Contacts"]:
            world.xero.put("Contacts", Name="Gone", ContactNumber="C1", ContactStatus="ARCHIVED")

    world.before_call = sneak
    world.run(("contacts", [make.contact(1)]))
    assert rules(world) == ["contact_archived"]


def test_one_id_for_two_of_ours_links_one_and_parks_the_other(world, make):
    def merge(call):
        if call.method == "PUT":
            status, body = world.xero.handle(call)
            body["Contacts"][1]["ContactID"] = body["Contacts"][0]["ContactID"]
            world.answers[len(world.xero.calls) - 1] = (status, body)

    world.before_call = merge
    summary = world.run(("contacts", [make.contact(1), make.contact(2)]))
    assert (summary.streams["contacts"].created, summary.streams["contacts"].parked) == (1, 1)
    assert "already that of C1" in world.problems[0]["note"]


def test_a_withdrawal_of_what_xero_then_refused_is_nothing_to_do(world, make):
    world.run(("contacts", [make.contact(1)]))
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("invoices", [make.invoice(1)])])
        flying = executor.next_calls(4)
        while not any(call.method == "PUT" for call in flying):
            executor.receive(world.answer(flying.pop(0)))
            flying += executor.next_calls(4)
        (put,) = flying
        assert not executor.idle
        withdrawn = {"source_key": "O1", "withdrawn": True}
        executor = world.begin(ledger, [("invoices", [withdrawn])])
        intent = ledger.newest_open("invoices", ["O1"])["O1"]
        assert intent.op == "withdraw"
        first = put.intents[0]
        ledger.reject([first], [Refusal("xero_refused", "", "", "no")])
        ledger.supersede([first])
        world.pump(executor, [])
        assert executor.idle
        assert not ledger.newest_open("invoices", ["O1"])
    assert not world.xero.live("Invoices")


def test_a_stopped_executor_is_idle_and_hands_nothing_out(world, make):
    with world.ledger() as ledger:
        executor = world.begin(ledger, [("contacts", [make.contact(1)])])
        (call,) = executor.next_calls(4)
        executor.receive(Answer(call, status=403))
        assert executor.stopped
        assert executor.idle
        assert executor.next_calls(4) == []


def test_a_look_up_of_a_taken_number_that_fails_is_made_again(world, make):
    sneaked = []

    def sneak(call):
        if call.method == "PUT" and not world.xero.store["Contacts"]:
            world.xero.put("Contacts", Name="Elsewhere", ContactNumber="C1")
        if "where" in call.params and not sneaked:
            sneaked.append(call)
            world.answers[len(world.xero.calls) - 1] = (503, None)

    world.before_call = sneak
    assert world.run(("contacts", [make.contact(1)])).clean
    assert len(world.xero.live("Contacts")) == 1


def test_a_payment_of_an_invoice_that_is_gone_waits(world, make):
    world.run(("contacts", [make.contact(1)]), ("invoices", [make.invoice(1)]))
    world.xero.store["Invoices"].clear()
    assert world.run(("payments", [make.payment(1)])).streams["payments"].waiting == 1


def test_two_allocations_of_one_note_are_told_apart(world, make):
    numbers = (1, 2)
    note = {k: v for k, v in make.invoice(1).items() if k != "DueDate"} | {
        "source_key": "N1", "marker": "SF-N1", "Status": "AUTHORISED",
        "allocations": [{"invoice_key": f"O{n}", "Amount": f"{n}.00", "Date": "2026-11-02"} for n in numbers],
    }  # fmt: skip
    batches = [
        ("contacts", [make.contact(n) for n in numbers]),
        ("invoices", [make.invoice(n, Status="AUTHORISED") for n in numbers]),
    ]
    first = {**note, "allocations": note["allocations"][:1]}
    world.run(*batches, ("credit_notes", [first]))
    world.xero.live("CreditNotes")[0]["Status"] = "AUTHORISED"
    world.run(("credit_notes", [note]))
    assert [a["Amount"] for a in world.xero.live("CreditNotes")[0]["Allocations"]] == [1, 2]


def test_of_a_refused_call_that_names_none_of_its_documents_each_goes_alone_after_the_quiet_period(
    world, make
):
    """Together they would be refused again and again, and parked for the fault of one of them."""

    def refuse(call):
        if call.path == "/Invoices" and call.method == "PUT" and len(call.body["Invoices"]) > 1:
            elements = [{"ValidationErrors": [{"Message": "One of them is wrong."}]}]
            world.answers[len(world.xero.calls) - 1] = (400, {"Elements": elements})

    world.before_call = refuse
    world.run(
        ("contacts", [make.contact(1)]), ("invoices", [make.invoice(1), make.invoice(2, contact_key="C1")])
    )
    assert world.xero.live("Invoices") == []
    world.xero.advance(901)
    world.run()
    assert len(world.xero.live("Invoices")) == 2


def intent(n, **fields):
    base = {
        "id": n, "kind": "contacts", "source_key": f"C{n}", "revision": 1, "op": "save", "document": {}, "content_hash": "h",
        "unique": True, "marker": "m", "state": State.PLANNED, "attempt": 0, "sent_op": None, "last_sent_ms": None,
        "looked_ms": None, "conflict": False, "batch_max": 50, "note": "", "label": "", "url": "", "amount_minor": None,
        "currency": "",
    }  # fmt: skip
    return Intent(**base | fields)


def parcels(count, size=10, op="create", **fields):
    return [Parcel(intent(n, **fields), op, {"Name": "x" * size}, None) for n in range(count)]


def test_a_call_carries_fifty_documents_three_megabytes_and_one_verb():
    assert len(fit(parcels(80), 50)) == 50
    assert len(fit(parcels(80), 30)) == 30
    assert len(fit(parcels(10, size=1_000_000), 50)) == 2
    assert len(fit(parcels(2, size=4_000_000), 50)) == 1
    assert len(fit(parcels(80, batch_max=25), 50)) == 25
    assert len(fit(parcels(2) + parcels(3, op="update") + parcels(1, op="delete"), 50)) == 2
    assert len(fit(parcels(3, op="update") + parcels(2) + parcels(1, op="delete"), 50)) == 4
    assert fit([], 50) == []
