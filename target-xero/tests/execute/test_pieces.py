"""The pieces by themselves: references, differences, line ids, lists."""

from __future__ import annotations

from decimal import Decimal

from target_xero.exchange import Answer, Call, Purpose
from target_xero.execute.bodies import line_ids
from target_xero.execute.compare import differences
from target_xero.execute.listings import Listing, seen
from target_xero.execute.relist import LISTED, Relist
from target_xero.plan.kinds import KINDS
from target_xero.plan.marks import marker_in, reference


def test_a_reference_keeps_its_marker_whole():
    assert reference("invoices", None, "SF-1") == "SF-1"
    assert reference("invoices", "PO 7", "SF-1") == "PO 7 · SF-1"
    long = reference("invoices", "x" * 300, "SF-0061234567890ABCDE")
    assert len(long) == 255
    assert marker_in(long) == "SF-0061234567890ABCDE"
    assert reference("invoices", "text", "m" * 254) == "m" * 254
    assert marker_in("a · b · SF-1") == "SF-1"


def test_differences_are_told_field_by_field():
    wanted = {
        "Name": "A", "Date": "2026-11-02", "Flag": True, "Type": "x", "Contact": {"ContactID": "1"}, "Total": Decimal("1.50"),
        "Addresses": [{"AddressType": "POBOX", "City": "Leeds"}, {"AddressType": "STREET", "City": "York"}],
        "Lines": [{"A": Decimal(1)}], "More": [1],
    }  # fmt: skip
    same = {
        "Name": "A", "Date": "/Date(1793577600000+0000)/", "Flag": True, "Contact": {"ContactID": "1", "Name": "n"},
        "Total": Decimal("1.5"), "Addresses": [{"AddressType": "STREET", "City": "York"}, {"AddressType": "POBOX", "City": "Leeds"}],
        "Lines": [{"A": 1, "LineItemID": "i"}],
    }  # fmt: skip
    wanted.pop("More")
    assert differences(wanted, same) == []
    other = {
        "Name": None,
        "Date": "/Date(0+0000)/",
        "Flag": False,
        "Total": "2",
        "Addresses": "none",
        "Lines": [{}, {}],
    }
    assert differences(wanted, other) == [
        "Name: (nothing) -> 'A'",
        "Date: 1970-01-01 -> '2026-11-02'",
        "Flag: False -> True",
        "Contact.ContactID: (nothing) -> '1'",
        "Total: '2' -> 1.5",
        "Addresses[0].AddressType: (nothing) -> 'POBOX'",
        "Addresses[0].City: (nothing) -> 'Leeds'",
        "Addresses[1].AddressType: (nothing) -> 'STREET'",
        "Addresses[1].City: (nothing) -> 'York'",
        "Lines: 2 -> 1",
    ]
    assert differences({"A": "x", "L": [{"B": 1}]}, {"A": 5, "L": ["odd"]}) == [
        "A: 5 -> 'x'",
        "L[0].B: (nothing) -> 1",
    ]


def test_line_ids_are_kept_only_where_every_line_came_back():
    document = {"LineItems": [{"line_key": "a"}, {}]}
    answer = {"LineItems": [{"LineItemID": "1"}, {"LineItemID": "2"}]}
    assert line_ids(document, answer) == {"a": "1", "#1": "2"}
    assert line_ids(document, {"LineItems": [{"LineItemID": "1"}]}) == {}
    assert line_ids({}, {}) == {}


def page(kind, status, body):
    return Answer(Call(Purpose.LOOK_UP, "GET", "/" + kind), status=status, body=body)


def test_a_list_ends_with_nothing_changed_a_last_page_or_a_short_one():
    unchanged = Listing("invoices", 0, None)
    assert unchanged.take(page("Invoices", 304, None)) == []
    assert unchanged.ended
    short = Listing("quotes", 0, None)
    assert short.take(page("Quotes", 200, {"Quotes": [{"QuoteID": "1"}, {"no": "id"}]}))
    assert short.ended
    full = Listing("quotes", 0, None)
    full.take(page("Quotes", 200, {"Quotes": [{"QuoteID": str(n)} for n in range(100)]}))
    assert not full.ended
    assert full.call().params["page"] == "2"
    for body in (None, {}, {"Invoices": 1}):
        assert Listing("invoices", 0, None).take(page("Invoices", 200, body)) is None
    assert Listing("invoices", 0, None).take(page("Invoices", 500, {"Invoices": []})) is None
    assert seen("payments", {}) is None


def test_a_rebuild_reads_each_list_once_and_one_at_a_time(world):
    with world.ledger() as ledger:
        relist = Relist(ledger, world.organisation(), lambda: world.xero.now)
        while not relist.idle:
            (call,) = relist.next_calls(4)
            assert relist.next_calls(3) == []
            relist.receive(world.answer(call))
        assert relist.stopped is None
    assert [call.path for call in world.xero.calls] == [KINDS[kind].endpoint for kind in LISTED]
