"""A plan says exactly what the run right after it does, and leaves no trace."""

from __future__ import annotations

import json
import random
import sqlite3
import stat
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from target_xero.preview.document import Plan

pytestmark = pytest.mark.slow
on_both = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
"""Once with the ledger in a file, once in PostgreSQL."""


def merged(house: Any, into: dict[str, Any]) -> None:
    """People merge the first customer into another contact."""
    (mine,) = (
        c for c in house.books("Contacts") if c.get("ContactNumber") == house.contact(1)["ContactNumber"]
    )
    house.sandbox.edit(
        "xero", {"action": "merge_contacts", "contact": mine["ContactID"], "into": into["ContactID"]}
    )


@on_both
def test_a_plan_names_a_merged_contact_by_the_new_name_and_the_old_one(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    group = house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": "Group plc"}})
    merged(house, group)
    wanted = [("invoices", house.invoice(1, 1)), ("invoices", house.invoice(2, 2))]
    for _ in range(2):
        ran = house.load(*wanted, mode="plan")
        assert ran.exit_code == 0
        found = {d["source_key"]: d["party"] for d in saved(house)["documents"]}
        assert list(found.values()) == ["Group plc (took the place of Customer 1)", "Customer 2"]
        assert "for Group plc (took the place of Customer 1)" in " ".join(ran.told.split())
        assert "Group plc (took the place of Customer 1)" in saved(house, "html")
        house.load(("invoices", house.invoice(9, 1)))  # the link follows; the plan after it says the same


def test_a_plan_names_another_customer_of_ours_that_took_a_merged_ones_place(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("contacts", house.contact(2)))
    (other,) = (c for c in house.books("Contacts") if c["Name"] == "Customer 2")
    merged(house, other)
    assert house.load(("invoices", house.invoice(1, 1)), mode="plan").exit_code == 0
    (document,) = saved(house)["documents"]
    assert document["party"] == "Customer 2 (took the place of Customer 1)"


HOSTILE = '<script>alert("x")</script>\x1b[31m=1+1'


def saved(house: Any, kind: str = "json") -> Any:
    newest = max((house.folder / "plans").glob(f"*.{kind}"), key=lambda path: path.stat().st_mtime_ns)
    text = newest.read_text(encoding="utf-8")
    return json.loads(text) if kind == "json" else text


def ledger_text(house: Any) -> str:
    """Everything that is in the ledger. PostgreSQL's also says who holds the lock since when, which a plan takes as well."""
    if "ledger_url" in house.config:
        with psycopg.connect(house.config["ledger_url"]) as postgres:
            postgres.execute("UPDATE meta SET value = '' WHERE key = 'holder'")
            listed = postgres.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            )
            return repr(
                {
                    t: sorted(postgres.execute(f"SELECT * FROM {t}").fetchall(), key=repr)
                    for (t,) in listed.fetchall()
                }
            )
    with sqlite3.connect(house.folder / "ledger.sqlite") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        dump = {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in sorted(tables)}
    connection.close()
    return repr(dump)


def world(house: Any, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Contacts, items, invoices, credit notes and payments, some wrong, in any order."""
    chance = random.Random(seed)
    found: list[tuple[str, dict[str, Any]]] = []
    people = chance.randint(1, 6)
    for n in range(1, people + 1):
        more = {"EmailAddress": f"p{n}@example.com"} if chance.random() < 0.5 else {}
        found.append(("contacts", house.contact(n, **more)))
    for n in range(1, chance.randint(1, 10) + 1):
        odd: dict[str, Any] = chance.choice(
            [{}, {}, {}, {"CurrencyCode": "USD"}, {"CurrencyCode": "EUR"}, {"LineAmountTypes": "Inclusive"},
             {"InvoiceNumber": f"X-{chance.randint(1, 3)}"}]
        )  # fmt: skip
        invoice = house.invoice(n, chance.randint(1, people + 1), chance.randint(1, 3), **odd)
        found.append(("invoices", invoice))
        if chance.random() < 0.3:
            payment = {
                "source_key": f"{invoice['source_key']}#payment",
                "invoice_key": invoice["source_key"],
                "marker": f"SF:{n}",
                "Date": "2026-11-02",
                "Amount": "5",
                "AccountCode": chance.choice(["090", "200"]),
            }
            found.append(("payments", payment))
    chance.shuffle(found)
    return found


def change(house: Any, seed: int, documents: list[tuple[str, dict[str, Any]]]) -> None:
    """The source changes some, and people approve or edit some in Xero."""
    chance = random.Random(seed)
    for stream, document in documents:
        if stream == "contacts" and chance.random() < 0.4:
            document["AccountNumber"] = f"A-{seed}"
        if stream == "invoices" and chance.random() < 0.4:
            document["LineItems"][0]["UnitAmount"] = "11.75"
    for row in house.books("Invoices"):
        if "SF-006" in str(row["Reference"]) and chance.random() < 0.3:
            house.sandbox.edit("xero", {"action": "approve_invoice", "invoice": row["InvoiceID"]})


def counted(plan: dict[str, Any], *actions: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for document in plan["documents"]:
        if document["action"] in actions:
            found[document["kind"]] = found.get(document["kind"], 0) + 1
    return found


def did(ran: Any, *names: str) -> dict[str, int]:
    streams = ran.target.outcome.summary.streams
    return {
        kind: n for kind, counts in streams.items() if (n := sum(getattr(counts, name) for name in names))
    }


def cents(value: Any) -> str:
    return f"{Decimal(str(value)):.2f}"


def assert_plan_is_what_happens(house: Any, documents: list[tuple[str, dict[str, Any]]]) -> None:
    house.load(*documents, mode="plan")
    plan = saved(house)
    house.forget_exchanges()
    before = {row["InvoiceID"] for row in house.books("Invoices")}
    ran = house.load(*documents)
    assert counted(plan, "create") == did(ran, "created")
    assert counted(plan, "update") == did(ran, "updated")
    assert counted(plan, "link") == did(ran, "adopted")
    assert sum(counted(plan, "refuse").values()) == ran.target.outcome.summary.open_refusals
    assert counted(plan, "wait") == did(ran, "waiting")
    assert counted(plan, "park") == did(ran, "parked")
    calls = [e for e in house.exchanges() if e["path"].startswith("/api.xro/")]
    assert abs(len(calls) - plan["calls"]["total"]) <= 1, (
        "what shares a call depends on which answer is first"
    )
    new = {row["Reference"]: row for row in house.books("Invoices") if row["InvoiceID"] not in before}
    planned = [d for d in plan["documents"] if d["kind"] == "invoices" and d["action"] == "create"]
    for document in planned:
        row = new[f"SF-{document['source_key']}"]
        assert (document["total"], document["tax"]) == (cents(row["Total"]), cents(row["TotalTax"]))
    assert len(planned) == len(new)


@pytest.mark.parametrize("seed", range(6))
def test_the_run_after_a_plan_does_what_the_plan_says(house: Any, seed: int) -> None:
    documents = world(house, seed)
    assert_plan_is_what_happens(house, documents)
    change(house, seed, documents)
    assert_plan_is_what_happens(house, documents)


@on_both
@pytest.mark.parametrize("name", ["Twice Ltd", 'The "Twice" Ltd'])
def test_two_new_customers_of_one_name_are_refused_in_the_plan_as_in_the_run(house: Any, name: str) -> None:
    wanted = [("contacts", house.contact(n, Name=named)) for n, named in ((1, name), (2, name.upper()))]
    wanted.append(("invoices", house.invoice(2, 2)))
    planned = house.load(*wanted, mode="plan")
    assert "1 to write, 2 refused" in planned.last_line
    assert "have the same name, and Xero keeps names unique" in " ".join(planned.told.split())
    assert "2 refused" in house.load(*wanted).last_line


@pytest.mark.parametrize("known", ["ours", "of others"])
def test_a_new_customer_of_a_name_that_xero_has_is_refused_in_the_plan_as_in_the_run(
    house: Any, known: str
) -> None:
    name = 'Zoë "Zed" Ltd'
    house.load(("contacts", house.contact(9)))
    if known == "ours":
        house.load(("contacts", house.contact(1, Name=name)))
    else:
        house.sandbox.edit("xero", {"action": "create_contact", "fields": {"Name": name}})
    wanted = [("contacts", house.contact(2, Name=name.upper())), ("contacts", house.contact(3))]
    planned = house.load(*wanted, mode="plan")
    assert "1 to write, 1 refused" in planned.last_line
    (refused,) = [d for d in saved(house)["documents"] if d["action"] == "refuse"]
    assert refused["rules"] == ["name_taken"]
    assert_plan_is_what_happens(house, wanted)


def test_a_plan_reads_only_and_leaves_ledger_and_bookmark_as_they_were(house: Any) -> None:
    documents = world(house, 3)
    house.load(*documents[:2])
    before = ledger_text(house)
    house.forget_exchanges()
    ran = house.load(*documents, mode="plan")
    assert {e["method"] for e in house.exchanges() if e["path"].startswith("/api.xro/")} == {"GET"}
    assert ledger_text(house) == before
    assert ran.states == []


@on_both
def test_a_plan_made_twice_has_one_hash_and_a_change_on_either_side_another(house: Any) -> None:
    house.load(("contacts", house.contact(1)), ("invoices", house.invoice(1, 1)))
    documents = [("invoices", house.invoice(1, 1, lines=2))]

    def planned() -> str:
        house.load(*documents, mode="plan")
        house.sandbox.clock.advance(1)
        return str(saved(house)["plan_hash"])

    first = planned()
    assert planned() == first
    (row,) = [row for row in house.books("Invoices") if "SF-006" in str(row["Reference"])]
    house.sandbox.edit(
        "xero", {"action": "edit_invoice", "invoice": row["InvoiceID"], "fields": {"DueDate": "2027-01-31"}}
    )
    second = planned()
    documents[0][1]["LineItems"][0]["UnitAmount"] = "12"
    assert len({first, second, planned()}) == 3


def test_an_update_is_shown_field_by_field_before_and_after(house: Any) -> None:
    house.load(("contacts", house.contact(1)))
    house.load(("contacts", house.contact(1, Name="New name")), mode="plan")
    (document,) = saved(house)["documents"]
    assert document["changes"] == [{"field": "Name", "before": "Customer 1", "after": "New name"}]


def test_a_changed_telephone_and_address_are_named_by_their_kind(house: Any) -> None:
    def reachable(phone: str, city: str) -> dict[str, Any]:
        phones = [{"PhoneType": "FAX", "PhoneNumber": "1"}, {"PhoneType": "MOBILE", "PhoneNumber": phone}]
        return house.contact(1, Phones=phones, Addresses=[{"AddressType": "STREET", "City": city}])

    house.load(("contacts", reachable("2", "Leeds")))
    ran = house.load(("contacts", reachable("3", "York")), mode="plan")
    assert "Phones[MOBILE].PhoneNumber: 2 -> 3" in ran.told
    assert "Addresses[STREET].City: Leeds -> York" in ran.told


def test_documents_of_contacts_that_are_in_xero_already_name_them(house: Any) -> None:
    allowed = {"allow_statuses": ["DRAFT", "AUTHORISED"]}
    first = house.invoice(1, 1, Status="AUTHORISED", InvoiceNumber="INV-7001")
    house.load(("contacts", house.contact(1)), ("invoices", first), **allowed)
    paid = {
        "source_key": "p",
        "invoice_key": first["source_key"],
        "AccountCode": "090",
        "Date": "2026-11-02",
        "Amount": "5",
    }
    house.load(("invoices", house.invoice(2, 1)), ("payments", paid), mode="plan", **allowed)
    parties = {document["kind"]: document["party"] for document in saved(house)["documents"]}
    assert parties == {"invoices": house.contact(1)["Name"], "payments": "INV-7001"}


def test_money_of_payments_is_summed_in_the_currency_of_what_they_pay(house: Any) -> None:
    bank = {"Date": "2026-11-02", "Amount": "5"}
    documents = [("contacts", house.contact(1))]
    for n, currency, account in ((1, "GBP", "090"), (2, "EUR", "091")):
        invoice = house.invoice(n, 1, CurrencyCode=currency, Status="AUTHORISED")
        key = invoice["source_key"]
        paid = {
            "source_key": f"{key}#p",
            "invoice_key": key,
            "marker": f"SF:{n}",
            "AccountCode": account,
            **bank,
        }
        documents += [("invoices", invoice), ("payments", paid)]
    house.load(*documents, mode="plan", allow_statuses=["DRAFT", "AUTHORISED"])
    sums = {(s["kind"], s["currency"]): s["total"] for s in saved(house)["money"]}
    assert sums["payments", "GBP"] == sums["payments", "EUR"] == "5.00"


def test_a_plans_money_says_what_the_report_and_reconcile_say_also_of_prices_with_tax(house: Any) -> None:
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": "120"}
    item = {"source_key": "P-1", "Code": "P-1", "SalesDetails": {"UnitPrice": "9", "AccountCode": "200"}}
    documents = [
        ("contacts", house.contact(1)),
        ("items", item),
        ("invoices", house.invoice(1, 1, LineAmountTypes="Inclusive", LineItems=[{**line, "TaxType": "OUTPUT2"}])),
        ("invoices", house.invoice(2, 1, LineItems=[{**line, "TaxType": "OUTPUT2"}])),
    ]  # fmt: skip
    house.load(*documents, mode="plan")
    (money,) = saved(house)["money"]
    assert (money["source"], money["before_tax"], money["tax"], money["total"]) == (
        "240.00", "220.00", "44.00", "264.00",
    )  # fmt: skip

    from_item = house.invoice(3, 1, LineAmountTypes="Inclusive", LineItems=[{**line, "item_key": "P-1"}])
    house.load(*documents, ("invoices", from_item), mode="plan")
    (money,) = saved(house)["money"]
    assert (money["source"], money["before_tax"], money["tax"], money["total"]) == (
        "360.00",
        None,
        None,
        "384.00",
    )
    (shown,) = [d for d in saved(house)["documents"] if d["source_key"] == from_item["source_key"]]
    assert shown["total"] == "120.00", "a price with tax is known with tax"
    assert "before_tax" not in shown

    house.load(*documents, ("invoices", from_item))
    (reconciled,) = [
        s
        for s in json.loads(house.command("reconcile", "--json").output)["organisations"][0]["totals"]
        if s["kind"] == "invoices"
    ]
    assert reconciled["source"] == money["source"]


def test_a_plan_that_refuses_something_ends_with_1_and_a_clean_one_with_0(house: Any) -> None:
    assert house.load(("contacts", house.contact(1)), mode="plan").exit_code == 0
    refused = house.load(
        ("contacts", house.contact(1)), ("invoices", house.invoice(1, 1, CurrencyCode="USD")), mode="plan"
    )
    assert refused.exit_code == 1
    assert saved(house)["documents"][-1]["rules"] == ["currency_not_enabled"]


def test_saved_plans_are_for_their_owner_alone(house: Any) -> None:
    house.load(("contacts", house.contact(1)), mode="plan")
    folder: Path = house.folder / "plans"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_hostile_names_reach_neither_page_nor_terminal_as_code(house: Any) -> None:
    ran = house.load(
        ("contacts", house.contact(1, Name=HOSTILE.replace("\x1b", ""), source_label=HOSTILE, source_url="javascript:alert(1)")),
        mode="plan",
    )  # fmt: skip
    page = saved(house, "html")
    assert "<script" not in page
    assert "javascript:alert" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "\x1b" not in ran.err


def test_the_page_asks_for_nothing_outside_itself(house: Any) -> None:
    house.load(("contacts", house.contact(1, source_url="https://crm.example/1")), mode="plan")
    page = saved(house, "html")
    for word in ("src=", "<link", "url(", "@import", "<script"):
        assert word not in page
    assert "default-src 'none'" in page
    assert 'href="https://crm.example/1"' in page


def test_names_in_a_plan_reach_no_log(house: Any) -> None:
    ran = house.load(("contacts", house.contact(1, Name="Zebediah Quill")), mode="plan")
    assert "Zebediah" in saved(house, "html")
    assert "Zebediah" not in ran.log


@on_both
def test_a_file_can_be_planned_without_a_run(house: Any) -> None:
    file = house.folder / "messages.jsonl"
    messages = [house.schema("contacts"), house.record("contacts", **house.contact(1)), house.state(1)]
    file.write_text("".join(f"{json.dumps(m)}\n" for m in messages))
    answer = house.command("plan", "--input", str(file), "--json")
    (plan,) = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert [(d["action"], d["kind"]) for d in plan["documents"]] == [("create", "contacts")]
    assert house.writes == 0


def test_an_empty_plan_is_a_plan(house: Any) -> None:
    answer = house.command("plan")
    assert answer.exit_code == 0
    assert "0 to write" in answer.stdout


def test_the_hash_does_not_depend_on_who_and_when() -> None:
    def plan(by: str, year: int) -> str:
        when = datetime(year, 1, 1, tzinfo=timezone.utc)
        return Plan("run", "O", "id", "GBP", False, by, when, {}, []).hash

    assert plan("Anna", 2026) == plan("Ben", 2027)


@pytest.mark.parametrize("mode", ["plan", "approve"])
def test_a_folder_for_plans_that_cannot_be_written_is_one_clear_line(house: Any, mode: str) -> None:
    (house.folder / "file").write_text("")
    ran = house.load(("contacts", house.contact(1)), mode=mode, plan_path=str(house.folder / "file"))
    assert ran.exit_code == 1
    assert "setting plan_path: the plan cannot be saved in" in ran.told
