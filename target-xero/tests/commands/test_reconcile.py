"""`target-xero reconcile` names every cent that differs, whoever changed it, and changes nothing itself."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def payment(number: int, amount: str = "20.50", **fields: Any) -> dict[str, Any]:
    key = f"006{number:015d}"
    return {
        "source_key": f"{key}#payment",
        "source_label": f"Payment {number}",
        "marker": f"SF:{key}",
        "invoice_key": key,
        "AccountCode": "090",
        "Date": "2026-11-02",
        "Amount": amount,
    } | fields


@pytest.fixture
def books(house: Any) -> Any:
    """Two customers; three approved invoices of 20.50 before tax, two in GBP and one in EUR; the first is paid."""
    house.config["allow_statuses"] = ["DRAFT", "AUTHORISED"]
    ran = house.load(
        ("contacts", house.contact(1)),
        ("contacts", house.contact(2)),
        ("invoices", house.invoice(1, 1, Status="AUTHORISED", expected_total="20.50")),
        ("invoices", house.invoice(2, 1, Status="AUTHORISED", Date="2026-10-30")),
        ("invoices", house.invoice(3, 2, Status="DRAFT", CurrencyCode="EUR")),
        ("payments", payment(1)),
    )
    assert ran.exit_code == 0, ran.told
    return house


def asked(house: Any, *arguments: str) -> dict[str, Any]:
    done = house.command("reconcile", "--json", *arguments)
    told = json.loads(done.stdout)
    assert done.exit_code == int(not told["reconciled"])
    found: dict[str, Any] = told["organisations"][0]
    return found


def findings(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["finding"], one["key"]) for one in found["differences"]]


def edit(house: Any, action: str, **command: Any) -> dict[str, Any]:
    told: dict[str, Any] = house.sandbox.edit("xero", {"action": action, **command})
    return told


def number(house: Any, n: int) -> str:
    """The number of our n-th invoice, found by its mark in the sandbox's own books."""
    found = next(row for row in house.books("Invoices") if f"006{n:015d}" in str(row.get("Reference")))
    return str(found["InvoiceNumber"])


def test_after_a_run_all_three_sides_say_the_same_to_the_cent(books: Any) -> None:
    found = asked(books)
    assert found["reconciled"] is True
    assert found["compared"] == 6
    totals = {(total["kind"], total["currency"]): total for total in found["totals"]}
    gbp = totals["invoices", "GBP"]
    assert (gbp["documents"], gbp["source"], gbp["ledger"], gbp["xero"]) == (2, "41.00", "41.00", "41.00")
    assert totals["invoices", "EUR"]["xero"] == "20.50"
    assert totals["payments", "GBP"]["xero"] == "20.50"


def test_it_takes_a_call_a_list_and_writes_nothing(books: Any) -> None:
    books.forget_exchanges()
    found = asked(books)
    assert books.writes == 0
    asked_for = [e["path"].rpartition("/")[2] for e in books.exchanges() if e["path"].startswith("/api.xro")]
    assert sorted(asked_for) == ["Contacts", "Invoices", "Organisation", "Payments"]
    assert found["calls"] == 3


def test_an_amount_that_people_changed_is_named_with_both_values(books: Any) -> None:
    line = {"Description": "Less", "Quantity": 1, "UnitAmount": "20.49", "AccountCode": "200"}
    edit(books, "edit_invoice", invoice=number(books, 3), fields={"LineItems": [line]})
    found = asked(books)
    assert findings(found) == [("amount", f"006{3:015d}")]
    (told,) = found["differences"]
    assert (told["source"], told["ledger"], told["xero"]) == ("20.50", "20.50", "20.49")
    assert "-0.01" in told["told"]
    assert {t["currency"]: t["difference"] for t in found["totals"] if t["kind"] == "invoices"} == {
        "EUR": "-0.01", "GBP": "0.00",
    }  # fmt: skip


def test_a_tax_rate_that_people_changed_is_named_although_the_sum_before_tax_is_the_same(books: Any) -> None:
    line = {
        "Description": "Same",
        "Quantity": 2,
        "UnitAmount": "10.25",
        "AccountCode": "200",
        "TaxType": "NONE",
    }
    edit(books, "edit_invoice", invoice=number(books, 3), fields={"LineItems": [line]})
    assert findings(asked(books)) == [("tax", f"006{3:015d}")]


@pytest.mark.parametrize(
    ("n", "action", "state"), [(2, "void_invoice", "voided"), (3, "delete_invoice", "deleted")]
)
def test_what_people_ended_in_xero_is_named(books: Any, n: int, action: str, state: str) -> None:
    edit(books, action, invoice=number(books, n))
    found = asked(books)
    assert findings(found) == [("ended", f"006{n:015d}")]
    assert f"is {state} in Xero" in found["differences"][0]["told"]
    assert found["differences"][0]["xero"] == "0.00"


def test_a_payment_that_people_took_back_and_made_anew_is_named(books: Any) -> None:
    edit(books, "delete_payment", invoice=number(books, 1))
    assert findings(asked(books)) == [("ended", f"006{1:015d}#payment")]


def test_a_copy_of_an_invoice_with_our_mark_is_named_although_this_app_did_not_make_it(books: Any) -> None:
    mark = f"Deal · SF-006{2:015d}"
    edit(books, "create_invoice", contact="Customer 2", amount="99.00", fields={"Reference": mark})
    found = asked(books)
    assert findings(found) == [("doubled", f"006{2:015d}")]
    gbp = next(t for t in found["totals"] if (t["kind"], t["currency"]) == ("invoices", "GBP"))
    assert (gbp["documents"], gbp["difference"]) == (2, "99.00")


def test_a_mark_of_ours_that_the_ledger_never_gave_is_named(books: Any) -> None:
    edit(
        books, "create_invoice", contact="Customer 2", amount="5.00", fields={"Reference": f"SF-006{77:015d}"}
    )
    found = asked(books)
    assert [one["finding"] for one in found["differences"]] == ["stray"]
    assert "never gave" in found["differences"][0]["told"]


def test_other_peoples_documents_are_no_difference(books: Any) -> None:
    edit(books, "create_invoice", contact="Customer 2", amount="5.00", fields={"Reference": "their own"})
    assert asked(books)["reconciled"] is True


def test_an_archived_customer_is_named(books: Any) -> None:
    edit(books, "archive_contact", contact="Customer 2")
    assert findings(asked(books)) == [("ended", f"001{2:015d}")]


def test_what_is_refused_counts_on_the_sources_side(books: Any) -> None:
    wrong = [{**books.invoice(4, 1)["LineItems"][0], "AccountCode": "2O0"}]
    books.load(("invoices", books.invoice(4, 1, LineItems=wrong)))
    found = asked(books)
    assert findings(found) == [("refused", f"006{4:015d}")]
    gbp = next(t for t in found["totals"] if (t["kind"], t["currency"]) == ("invoices", "GBP"))
    assert (gbp["documents"], gbp["source"], gbp["xero"], gbp["difference"]) == (
        3,
        "61.50",
        "41.00",
        "-20.50",
    )


def test_a_withdrawal_that_xero_cannot_take_is_named(books: Any) -> None:
    books.load(("invoices", {"source_key": f"006{2:015d}", "withdrawn": True}))
    found = asked(books)
    assert [key for _, key in findings(found)] == [f"006{2:015d}"]
    gbp = next(t for t in found["totals"] if (t["kind"], t["currency"]) == ("invoices", "GBP"))
    assert gbp["difference"] == "20.50", "the source calls for less than Xero has"


def test_a_month_looks_at_its_own_documents_only(books: Any) -> None:
    edit(books, "void_invoice", invoice=number(books, 2))
    assert asked(books, "--month", "2026-11")["reconciled"] is True
    found = asked(books, "--month", "2026-10")
    assert findings(found) == [("ended", f"006{2:015d}")]
    assert found["compared"] == 1


@pytest.mark.parametrize("month", ["2026-13", "November", "2026-1"])
def test_a_month_is_written_as_a_month(books: Any, month: str) -> None:
    assert books.command("reconcile", "--month", month).exit_code == 2


def test_prices_that_include_tax_are_compared_with_tax(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, LineAmountTypes="Inclusive")))
    found = asked(house)
    assert found["reconciled"] is True
    assert [t["xero"] for t in found["totals"] if t["kind"] == "invoices"] == ["20.50"]


def test_a_list_that_cannot_be_read_is_an_error_and_no_empty_one(books: Any) -> None:
    books.fault("500_before", method="GET", path="/Payments", times=9)
    done = books.command("reconcile", "--json")
    assert done.exit_code == 1
    assert "cannot be read" in json.loads(done.stdout)["error"]


def test_a_stumble_is_tried_again(books: Any) -> None:
    books.fault("503_before", method="GET", path="/Invoices", times=1)
    assert asked(books)["reconciled"] is True


def test_csv_has_a_row_a_difference_and_the_totals(books: Any) -> None:
    def read() -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(books.command("reconcile", "--csv").stdout)))

    clean = read()
    assert {row["finding"] for row in clean} == {"total"}, (
        "a clean month is told by its sums, not by an empty file"
    )
    (total,) = (row for row in clean if (row["kind"], row["currency"]) == ("invoices", "GBP"))
    assert total["source"] == total["ledger"] == total["xero"]

    edit(books, "void_invoice", invoice=number(books, 2))
    row, *totals = read()
    assert (row["finding"], row["source"], row["xero"], row["currency"]) == ("ended", "20.50", "0.00", "GBP")
    (after,) = (row for row in totals if (row["kind"], row["currency"]) == ("invoices", "GBP"))
    assert Decimal(after["source"]) - Decimal(after["xero"]) == Decimal("20.50")
    assert after["source"] == total["source"]


def test_people_read_sums_differences_and_a_verdict(books: Any) -> None:
    assert "Reconciled: source, ledger and Xero say the same" in books.command("reconcile").stdout
    edit(books, "void_invoice", invoice=number(books, 2))
    told = books.command("reconcile").stdout
    assert "Not reconciled: 1 ended." in told
    assert "-20.50" in told


def test_an_organisation_that_never_was_run_with_is_told(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.sandbox.edit("xero", {"action": "set_organisation", "name": "Renamed Ltd"})
    assert asked(house)["organisation"]["name"] == "Sandbox Trading Ltd"


@pytest.mark.parametrize(
    ("policy", "with_tax", "reconciled", "difference"),
    [("rounding_line", "24.59", True, None), ("accept", "24.59", False, "20.49 GBP")],
)
def test_a_total_with_tax_that_the_source_gave_is_what_it_is_held_against(
    house: Any, policy: str, with_tax: str, reconciled: bool, difference: str | None
) -> None:
    wanted = house.invoice(1, 1, expected_total_with_tax=with_tax)
    ran = house.load(("contacts", house.contact(1)), ("invoices", wanted), on_total_difference=policy)
    assert ran.exit_code == 0
    answer = house.command("reconcile", "--json")
    assert json.loads(answer.stdout)["reconciled"] is reconciled
    if difference:
        assert f"the source's total is {difference}" in answer.stdout


def test_a_contact_that_people_merged_goes_on_in_the_one_it_was_merged_into(books: Any) -> None:
    first, second = (f"001{n:015d}" for n in (1, 2))
    edit(books, "merge_contacts", contact=first, into=second)
    assert asked(books)["reconciled"] is True
    edit(books, "archive_contact", contact=second)
    assert findings(asked(books)) == [("ended", first), ("ended", second)]
