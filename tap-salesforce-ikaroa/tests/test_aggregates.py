"""A change of a child row is a change of its root, however it came about."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from tap_salesforce_ikaroa.errors import SettingsError

if TYPE_CHECKING:
    from conftest import Org, Run, Sync


def deal_with_lines(org: Org, count: int = 2) -> tuple[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for line in org.rows("OpportunityLineItem").values():
        lines.setdefault(line["OpportunityId"], []).append(line["Id"])
    return next((deal, ids) for deal, ids in lines.items() if len(ids) >= count)


def lines_of(run: Run, deal: str) -> dict[str, dict[str, Any]]:
    return {line["Id"]: line for line in run.by_id("Opportunity")[deal]["OpportunityLineItems"]}


def test_an_edited_child_re_emits_its_root_though_the_root_was_not_touched(
    org: Org, sync: Sync, state: dict
) -> None:
    deal, (line, *_) = deal_with_lines(org)
    stamp = org.rows("Opportunity")[deal]["SystemModstamp"]
    org.update("OpportunityLineItem", line, Description="other words")
    assert org.rows("Opportunity")[deal]["SystemModstamp"] == stamp
    run = sync(state)
    assert run.counts == {"Opportunity": 1}
    assert lines_of(run, deal)[line]["Description"] == "other words"


def test_an_added_child_re_emits_its_root(org: Org, sync: Sync, state: dict) -> None:
    account = next(iter(org.rows("Account")))
    contact = org.insert("Contact", LastName="New", AccountId=account)
    run = sync(state)
    assert run.counts == {"Account": 1}
    assert contact in [row["Id"] for row in run.by_id("Account")[account]["Contacts"]]


def test_a_child_put_in_the_bin_re_emits_its_root_without_it(org: Org, sync: Sync, state: dict) -> None:
    contact = next(
        row for row in org.rows("Contact").values() if row["AccountId"] and not row.get("IsPersonAccount")
    )
    org.edit("delete", object="Contact", id=contact["Id"])
    run = sync(state)
    assert contact["AccountId"] in run.by_id("Account")
    assert contact["Id"] not in [row["Id"] for row in run.by_id("Account")[contact["AccountId"]]["Contacts"]]


def test_a_deleted_line_that_leaves_nothing_but_its_id_re_emits_its_root(
    org: Org, sync: Sync, state: dict
) -> None:
    deal, (line, *_) = deal_with_lines(org)
    org.update("OpportunityLineItem", line, UnitPrice=0)
    org.advance(1800)
    settings = {"streams_to_discover": ["Opportunity"]}
    state = sync(state, **settings).state
    org.advance(1800)
    before = org.rows("Opportunity")[deal]["SystemModstamp"]
    org.edit("delete", object="OpportunityLineItem", id=line)
    assert line not in org.rows("OpportunityLineItem", deleted=True)
    assert org.rows("Opportunity")[deal]["SystemModstamp"] == before, "a line without a price moves no stamp"
    org.advance(30)
    run = sync(state, **settings)
    assert line not in lines_of(run, deal)
    org.advance(3600)
    assert sync(run.state, **settings).calls["recheck"] == 0, "it is done once"


def test_the_check_of_all_roots_waits_where_they_are_many(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_salesforce_ikaroa.limits.RECHECK_AT_ONCE", 10)
    settings = {"streams_to_discover": ["Opportunity"]}

    def delete_a_line() -> None:
        org.edit("delete", object="OpportunityLineItem", id=deal_with_lines(org)[1][0])

    delete_a_line()
    first = sync(state, **settings)
    assert len(first.by_id("Opportunity")) == 40
    org.advance(7200)
    delete_a_line()
    second = sync(first.state, **settings)
    assert len(second.by_id("Opportunity")) < 5
    assert second.bookmarks["Opportunity"]["recheck"]["pending"] is True
    org.advance(23 * 3600)
    third = sync(second.state, **settings)
    assert len(third.by_id("Opportunity")) == 40, "a day later the check is made up for"
    assert "pending" not in third.bookmarks["Opportunity"]["recheck"]


def test_the_check_can_be_switched_off(org: Org, sync: Sync, state: dict) -> None:
    org.edit("delete", object="OpportunityLineItem", id=deal_with_lines(org)[1][0])
    assert sync(state, recheck_hours=0).calls["recheck"] == 0


def moved(org: Org) -> tuple[str, str, str]:
    """Moves a contact to another account; its id, its old account, its new one."""
    accounts = [row["Id"] for row in org.rows("Account").values() if not row["IsPersonAccount"]]
    contact = next(row for row in org.rows("Contact").values() if row["AccountId"] in accounts)
    other = next(row_id for row_id in accounts if row_id != contact["AccountId"])
    org.update("Contact", contact["Id"], AccountId=other)
    return contact["Id"], contact["AccountId"], other


def contacts_of(run: Run, account: str) -> list[str]:
    return [row["Id"] for row in run.by_id("Account")[account]["Contacts"]]


def test_a_child_moved_to_another_root_re_emits_both(org: Org, sync: Sync, state: dict) -> None:
    contact, old, new = moved(org)
    run = sync(state, streams_to_discover=["Account"])
    assert contact in contacts_of(run, new)
    assert contact not in contacts_of(run, old)


def test_where_roots_are_many_the_old_one_comes_within_the_recheck_hours(
    org: Org, sync: Sync, state: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_salesforce_ikaroa.limits.RECHECK_MOVES_AT_ONCE", 10)
    settings = {"streams_to_discover": ["Account"]}
    moved(org)
    state = sync(state, **settings).state
    org.advance(3600)
    contact, old, new = moved(org)
    org.advance(61)
    run = sync(state, **settings)
    assert contact in contacts_of(run, new)
    assert old not in run.by_id("Account")
    org.advance(12 * 3600)
    run = sync(run.state, **settings)
    assert run.calls["recheck"] == 0, "waiting costs nothing"
    org.advance(12 * 3600)
    assert contact not in contacts_of(sync(run.state, **settings), old)


def test_where_the_roots_cannot_be_counted_in_time_the_next_run_counts_them(
    org: Org, sync: Sync, state: dict
) -> None:
    settings = {"streams_to_discover": ["Account"], "api_type": "REST"}
    moved(org)
    state = sync(state, **settings).state
    org.advance(3600)
    contact, old, new = moved(org)
    org.advance(61)
    org.fault("query_timeout", path="/query/?$", every=1)
    run = sync(state, **settings)
    org.sandbox.faults.clear()
    assert contact in contacts_of(run, new)
    assert old not in run.by_id("Account")
    org.advance(900)
    run = sync(run.state, **settings)
    assert contact not in contacts_of(run, old)
    assert run.bookmarks["Account"]["recheck"].keys() == {"done"}
    org.advance(900)
    assert sync(run.state, **settings).calls["recheck"] == 0


def test_a_new_child_row_does_not_set_off_a_check(org: Org, sync: Sync, state: dict) -> None:
    account = next(iter(org.rows("Account")))
    org.insert("Contact", LastName="New", AccountId=account)
    run = sync(state)
    assert run.counts == {"Account": 1}
    assert run.calls["recheck"] == 0


def test_a_changed_parent_re_emits_itself_and_not_the_roots_that_show_it(
    org: Org, sync: Sync, state: dict
) -> None:
    account = next(row["AccountId"] for row in org.rows("Opportunity").values() if row["AccountId"])
    org.update("Account", account, Name="Renamed Ltd")
    assert sync(state).counts == {"Account": 1}


def test_where_products_are_off_deals_come_without_lines(org: Org, sync: Sync, log: Any) -> None:
    org.edit("feature", feature="products", on=False)
    run = sync(streams_to_discover=["Opportunity", "Account"])
    assert len(run.by_id("Opportunity")) == 40
    assert all("OpportunityLineItems" not in record for record in run.of("Opportunity"))
    assert "OpportunityLineItems" not in run.schema("Opportunity")["properties"]
    assert "Opportunity is read without OpportunityLineItems" in log()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"parents": {"Accont": ["Name"]}}, "without Accont: .* Did you mean Account "),
        ({"children": {"OpportunityLineItem": {}}}, "without OpportunityLineItem: .* Did you mean OpportunityLineItems "),
        ({"parents": {"Nothing__r": ["Name"]}}, "without Nothing__r: .*several objects$"),
    ],
)  # fmt: skip
def test_a_relationship_that_somebody_wrote_and_that_is_not_there_is_a_warning(
    sync: Sync, caplog: pytest.LogCaptureFixture, part: dict, said: str
) -> None:
    sync(streams_to_discover=["Opportunity"], aggregates={"Opportunity": part})
    (warning,) = [line.getMessage() for line in caplog.records if "is read without" in line.getMessage()]
    assert re.search(said, warning)
    assert [line.levelname for line in caplog.records if line.getMessage() == warning] == ["WARNING"]


def test_where_one_currency_is_used_there_is_no_currency_field(org: Org, sync: Sync) -> None:
    org.edit("feature", feature="multi_currency", on=False)
    run = sync(streams_to_discover=["Account"])
    assert all("CurrencyIsoCode" not in record for record in run.of("Account"))


def test_a_part_added_to_an_aggregate_later_reads_all_roots_again(org: Org, sync: Sync) -> None:
    flat = sync(streams_to_discover=["Account"], aggregates={"Account": {}})
    assert "Contacts" not in flat.of("Account")[0]
    org.advance(3600)
    whole = sync(flat.state, streams_to_discover=["Account"])
    assert len(whole.by_id("Account")) >= len(org.rows("Account"))
    assert all("Contacts" in record for record in whole.of("Account"))
    org.advance(3600)
    assert sync(whole.state, streams_to_discover=["Account"]).counts == {}


def test_other_aggregates_than_the_default_can_be_set(org: Org, sync: Sync) -> None:
    run = sync(
        streams_to_discover=["Contact", "Pricebook2"],
        aggregates={
            "Contact": {"parents": {"Account": ["Name"]}},
            "Pricebook2": {"children": {"PricebookEntries": {"fields": ["UnitPrice"]}}},
        },
    )
    assert set(run.of("Contact")[0]["Account"]) == {"Id", "Name"}
    assert {frozenset(row) for row in run.of("Pricebook2")[0]["PricebookEntries"]} == {
        frozenset({"Id", "UnitPrice"})
    }


@pytest.mark.parametrize(
    ("aggregates", "said"),
    [
        ({"Account": {"kids": {}}}, "`aggregates.Account` has `kids`"),
        ({"Account": {"parents": {"Owner": "Name"}}}, "`aggregates.Account.parents.Owner` must be a list"),
        (
            {"Account": {"children": {"Contacts": {"children": {}}}}},
            "`aggregates.Account.children.Contacts` has `children`",
        ),
        ({"Account": "all"}, "`aggregates.Account` must be an object"),
    ],
)
def test_a_wrong_aggregate_is_told_with_its_place(sync: Sync, aggregates: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        sync(aggregates=aggregates)


def test_nothing_is_logged_as_a_warning_in_an_ordinary_run(
    sync: Sync, state: dict, caplog: pytest.LogCaptureFixture
) -> None:
    sync(state)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_child_row_given_out_beyond_the_ceiling_and_moved_at_once_leaves_its_old_root(
    org: Org, sync: Sync, state: dict
) -> None:
    """A long transaction holds the ceiling back; rows after it are read all the same, so none of them is new next time."""
    settings = {"streams_to_discover": ["Account"], "lookback_window": 0}
    old, new = list(org.rows("Account"))[:2]
    org.edit("open_transaction", transaction="long")
    org.advance(120)
    contact = org.insert("Contact", LastName="Rover", AccountId=old)
    run = sync(state, **settings)
    assert contact in contacts_of(run, old)
    org.update("Contact", contact, AccountId=new)
    org.advance(600)
    run = sync(run.state, **settings)
    assert contact in contacts_of(run, new)
    assert contact not in contacts_of(run, old)
