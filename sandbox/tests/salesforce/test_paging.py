"""Pages, locators, child sets that page on their own."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def loaded():
    """Saves of orgs that took a while to fill, by who filled them."""
    return {}


@pytest.fixture
def filled(org, loaded):
    """An org as `fill` leaves a new one: filled once, put back from then on."""

    def give(fill):
        if fill not in loaded:
            fill(org)
            loaded[fill] = org.backend.save()
        else:
            org.backend.restore(loaded[fill])
        return org

    return give


def contacts(org) -> None:
    org.edit("bulk_load", object="Contact", count=450, fields={"LastName": "P{n}"})


@pytest.fixture
def many(filled):
    return filled(contacts)


SMALL = {"Sforce-Query-Options": "batchSize=200"}
SOQL = "SELECT Id FROM Contact ORDER BY Id"


def pages(org, answer) -> list[list[str]]:
    found = [[one["Id"] for one in answer["records"]]]
    while not answer["done"]:
        answer = org.get(answer["nextRecordsUrl"])
        found.append([one["Id"] for one in answer["records"]])
    return found


def flat(found: list[list[str]]) -> list[str]:
    return [one for page in found for one in page]


def test_pages_together_are_the_whole_result_once(many) -> None:
    answer = many.query(SOQL, headers=SMALL)
    assert answer["totalSize"] == 450
    found = pages(many, answer)
    assert [len(page) for page in found] == [200, 200, 50]
    assert flat(found) == many.column(SOQL)


def test_a_locator_names_the_next_row(many) -> None:
    answer = many.query(SOQL, headers=SMALL)
    assert answer["nextRecordsUrl"].startswith("/services/data/v67.0/query/01g")
    assert answer["nextRecordsUrl"].endswith("-200")


@pytest.mark.parametrize(("asked", "given"), [("1", 200), ("199", 200), ("300", 300), ("5000", 450)])
def test_a_batch_size_is_kept_within_200_and_2000(many, asked: str, given: int) -> None:
    answer = many.query(SOQL, headers={"Sforce-Query-Options": f"batchSize={asked}"})
    assert len(answer["records"]) == given


def test_the_default_page_has_2000_rows(org) -> None:
    org.edit("bulk_load", object="Contact", count=2001, fields={"LastName": "P{n}"})
    assert [len(page) for page in pages(org, org.query(SOQL))] == [2000, 1]


def test_a_query_sent_again_with_the_locator_is_ignored(many) -> None:
    answer = many.query(SOQL, headers=SMALL)
    again = many.get(answer["nextRecordsUrl"], q="SELECT Id FROM Account")
    assert len(again["records"]) == 200


def test_a_page_can_be_read_again(many) -> None:
    url = many.query(SOQL, headers=SMALL)["nextRecordsUrl"]
    assert many.get(url) == many.get(url)


def test_later_pages_show_the_rows_as_they_were(many) -> None:
    answer = many.query("SELECT LastName FROM Contact ORDER BY Id", headers=SMALL)
    last = many.column("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0]
    many.change("Contact", last, LastName="Changed")
    url = answer["nextRecordsUrl"].replace("-200", "-449")
    assert [one["LastName"] for one in many.get(url)["records"]] == ["P450"]


@pytest.mark.parametrize(
    "path", ["query/01gNoSuchLocator-200", "query/01gSb000Qx1Wd00MIC-9999", "query/rubbish"]
)
def test_a_locator_that_is_none_is_invalid(many, path: str) -> None:
    many.query(SOQL, headers=SMALL)
    found = many.error(many.send("GET", path))
    assert (found["status"], found["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_locator_lives_two_days(many) -> None:
    url = many.query(SOQL, headers=SMALL)["nextRecordsUrl"]
    many.backend.state.tokens.sessions[many.token] = many.world.clock.now().replace(year=2030)
    many.pass_time(2 * 86_400 - 1)
    assert many.send("GET", url).status == 200
    many.pass_time(1)
    assert many.error(many.send("GET", url))["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_locators_can_be_ended_by_hand(many) -> None:
    url = many.query(SOQL, headers=SMALL)["nextRecordsUrl"]
    assert many.edit("expire_locators") == {"ended": 1}
    assert many.error(many.send("GET", url))["errorCode"] == "INVALID_QUERY_LOCATOR"


def accounts_with_people(org) -> None:
    for name, people in (("A", 450), ("B", 3), ("C", 0), ("D", 201)):
        account = org.make("Account", Name=name)
        if people:
            org.edit(
                "bulk_load",
                object="Contact",
                count=people,
                fields={"LastName": name + "{n}", "AccountId": account},
            )


@pytest.fixture
def crowded(filled):
    return filled(accounts_with_people)


WITH_PEOPLE = "SELECT Name, (SELECT Id FROM Contacts ORDER BY Id) FROM Account ORDER BY Name"


def test_a_long_child_set_is_continued_under_a_locator_of_its_own(crowded) -> None:
    for record in crowded.query(WITH_PEOPLE)["records"]:
        wanted = crowded.column(f"SELECT Id FROM Contact WHERE Account.Name = '{record['Name']}' ORDER BY Id")
        if not wanted:
            assert record["Contacts"] is None
            continue
        assert record["Contacts"]["totalSize"] == len(wanted)
        assert flat(pages(crowded, record["Contacts"])) == wanted


def test_in_the_other_reading_a_child_set_is_as_long_as_a_page(crowded) -> None:
    crowded.choose("query.child_page", "whole_batch")
    sets = {one["Name"]: one["Contacts"] for one in crowded.query(WITH_PEOPLE)["records"]}
    assert (len(sets["A"]["records"]), sets["A"]["done"]) == (450, True)


def test_child_rows_count_toward_the_page(crowded) -> None:
    answer = crowded.query(WITH_PEOPLE, headers=SMALL)
    assert [one["Name"] for one in answer["records"]] == ["A"]
    assert not answer["done"]
    seen = [one["Name"] for one in answer["records"]]
    while not answer["done"]:
        answer = crowded.get(answer["nextRecordsUrl"])
        seen += [one["Name"] for one in answer["records"]]
    assert seen == ["A", "B", "C", "D"]
