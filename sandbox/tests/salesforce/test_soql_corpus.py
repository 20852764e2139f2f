"""Which queries are SOQL and which are not, and what is said of those that are not. Salesforce SOQL docs."""

from __future__ import annotations

import pytest

VALID = [
    "SELECT Id FROM Account",
    "select id, name from account",
    "SELECT Id,Name FROM Account WHERE Name='Acme'",
    "SELECT Id FROM Account WHERE Name = 'O\\'Brien'",
    "SELECT Id FROM Account WHERE Name LIKE 'A%'",
    "SELECT Id FROM Account WHERE Name LIKE '100\\%'",
    "SELECT Id FROM Account WHERE NOT Name LIKE 'A%'",
    "SELECT Id FROM Account WHERE (NOT Name = 'A') AND Phone != null",
    "SELECT Id FROM Account WHERE Name IN ('A', 'B', 'C')",
    "SELECT Id FROM Account WHERE Name NOT IN ('A')",
    "SELECT Id FROM Account WHERE Industry IN (null, 'Media')",
    "SELECT Id FROM Account WHERE Name > 'M' AND Name <= 'Z'",
    "SELECT Id FROM Account WHERE Name <> 'M'",
    "SELECT Id FROM Account WHERE AnnualRevenue >= 1000000.50",
    "SELECT Id FROM Account WHERE AnnualRevenue < 1e6",
    "SELECT Id FROM Account WHERE AnnualRevenue = -5",
    "SELECT Id FROM Account WHERE IsDeleted = false",
    "SELECT Id FROM Account WHERE IsPersonAccount = TRUE",
    "SELECT Id FROM Account WHERE BillingCity = null",
    "SELECT Id FROM Account WHERE (Name = 'a' OR Name = 'b') AND Phone = null",
    "SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' OR Name = 'c'",
    "SELECT Id FROM Account WHERE ((Name = 'a'))",
    "SELECT Id FROM Account ORDER BY Name",
    "SELECT Id FROM Account ORDER BY Name DESC NULLS LAST, CreatedDate ASC",
    "SELECT Id FROM Account ORDER BY Parent.Name NULLS FIRST LIMIT 5 OFFSET 10",
    "SELECT Id FROM Account LIMIT 0",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00Z",
    "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00.000Z",
    "SELECT Id FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00.000+00:00",
    "SELECT Id FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00-08:00",
    "SELECT Id FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00.123+0100",
    "SELECT Id FROM Opportunity WHERE CloseDate = 2026-02-28",
    "SELECT Id FROM Opportunity WHERE CloseDate = TODAY",
    "SELECT Id FROM Opportunity WHERE CloseDate > LAST_N_DAYS:30",
    "SELECT Id FROM Opportunity WHERE CloseDate IN (TODAY, YESTERDAY)",
    "SELECT Id FROM Opportunity WHERE CreatedDate = THIS_FISCAL_QUARTER",
    "SELECT Id FROM Opportunity WHERE CreatedDate < N_DAYS_AGO:7",
    "SELECT Id FROM Opportunity WHERE CALENDAR_YEAR(CreatedDate) = 2026",
    "SELECT Id FROM Opportunity WHERE DAY_ONLY(CreatedDate) = 2026-01-01",
    "SELECT Id, Account.Name, Account.Parent.Owner.Name FROM Opportunity",
    "SELECT Account.Name FROM Contact WHERE Account.Industry = 'Media'",
    "SELECT Opportunity.Name, Opportunity.Account.Name FROM Opportunity",
    "SELECT o.Name, o.Account.Name FROM Opportunity o WHERE o.Amount > 5",
    "SELECT Name, (SELECT LastName FROM Contacts) FROM Account",
    "SELECT Name, (SELECT LastName FROM Contacts WHERE Email != null ORDER BY LastName LIMIT 2) FROM Account",
    "SELECT Id, (SELECT Id FROM OpportunityLineItems), (SELECT Id FROM OpportunityContactRoles) FROM Opportunity",
    "SELECT Id, (SELECT Id, (SELECT Id FROM OpportunityLineItems) FROM Opportunities) FROM Account",
    "SELECT Id, (SELECT Product2.Name FROM OpportunityLineItems) FROM Opportunity",
    "SELECT Id, (SELECT Amount__c FROM Invoice_Schedules__r) FROM Opportunity",
    "SELECT Amount__c, Opportunity__r.Account.Name FROM Invoice_Schedule__c",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)",
    "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND (Name = 'a' OR Name = 'b')",
    "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'A%')",
    "SELECT Id FROM Contact WHERE Account.OwnerId IN (SELECT OwnerId FROM Opportunity)",
    "SELECT COUNT() FROM Account",
    "SELECT COUNT() FROM Account WHERE Name LIKE 'A%' LIMIT 100",
    "SELECT COUNT(Id) FROM Account",
    "SELECT COUNT(Id) total, MAX(CreatedDate) newest FROM Account",
    "SELECT COUNT_DISTINCT(Industry) FROM Account",
    "SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry",
    "SELECT Industry i, SUM(AnnualRevenue) FROM Account GROUP BY Industry HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC",
    "SELECT CALENDAR_MONTH(CloseDate), SUM(Amount) FROM Opportunity GROUP BY CALENDAR_MONTH(CloseDate)",
    "SELECT Account.Name, AVG(Amount) FROM Opportunity GROUP BY Account.Name",
    "SELECT StageName, MIN(CloseDate) FROM Opportunity GROUP BY StageName LIMIT 2",
    "SELECT FIELDS(ALL) FROM Account LIMIT 200",
    "SELECT FIELDS(STANDARD) FROM Account",
    "SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 10",
    "SELECT toLabel(StageName), FORMAT(Amount), convertCurrency(ExpectedRevenue) FROM Opportunity",
    "SELECT FORMAT(Amount) shown, Amount FROM Opportunity",
    "SELECT Id FROM Contact WHERE Languages__c INCLUDES ('English;German', 'French')",
    "SELECT Id FROM Contact WHERE Languages__c EXCLUDES ('English')",
    "SELECT BillingAddress FROM Account",
    "SELECT Id FROM Account FOR VIEW",
    "SELECT Id FROM Account WHERE Name = 'x' FOR REFERENCE",
    "SELECT Id FROM Order",
    "SELECT Id FROM Order ORDER BY OrderNumber",
    "SELECT\n  Id,\n  Name\nFROM Account\nWHERE Name = 'x'",
    "SELECT Id FROM Account WHERE Id = '001A0000006Vm9r'",
    "SELECT Id FROM Account WHERE Id > '001A0000006Vm9rIAC' ORDER BY Id LIMIT 2000",
    "SELECT Id FROM Account WHERE Name = '\\u00fcber'",
]

HAS_PEOPLE = "Id IN (SELECT AccountId FROM Contact)"
TWICE = "SELECT Id, (SELECT Id FROM Contacts), (SELECT Name FROM contacts) FROM Account"
NO_COLUMN = "No such column 'Nme' on entity 'Account'"
MALFORMED = "MALFORMED_QUERY"
INVALID = [
    (TWICE, MALFORMED, "Cannot follow the same relationship twice: contacts"),
    ("", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELEC Id FROM Account", MALFORMED, "unexpected token: 'SELEC'"),
    ("SELECT FROM Account", MALFORMED, "unexpected token: 'FROM'"),
    ("SELECT * FROM Account", MALFORMED, "character '*'"),
    ("SELECT Id, FROM Account", MALFORMED, "unexpected token: 'FROM'"),
    ("SELECT Id Name FROM Account", MALFORMED, "unexpected token: 'Name'"),
    ("SELECT Id FROM", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name =", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name = Acme", MALFORMED, "unexpected token: 'Acme'"),
    ("SELECT Id FROM Account WHERE Name == 'x'", MALFORMED, "unexpected token: '='"),
    ("SELECT Id FROM Account WHERE Name = 'x", MALFORMED, "mismatched character '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name = 'x\\q'", MALFORMED, "Illegal string literal"),
    ('SELECT Id FROM Account WHERE Name = "x"', MALFORMED, "character '\"'"),
    ("SELECT Id FROM Account WHERE Name = :name", MALFORMED, "Bind variables only allowed in Apex code"),
    (
        "SELECT Id FROM Account WHERE Name = 'a' AND Phone = 'b' OR Fax = 'c'",
        MALFORMED,
        "unexpected token: 'OR'",
    ),
    ("SELECT Id FROM Account WHERE (Name = 'a'", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE Name = 'a')", MALFORMED, "unexpected token: ')'"),
    ("SELECT Id FROM Account WHERE Name IN ()", MALFORMED, "unexpected token: ')'"),
    ("SELECT Id FROM Account WHERE Name IN 'a'", MALFORMED, "unexpected token: ''a''"),
    ("SELECT Id FROM Account WHERE Name IS NULL", MALFORMED, "unexpected token: 'IS'"),
    ("SELECT Id FROM Account LIMIT x", MALFORMED, "unexpected token: 'x'"),
    ("SELECT Id FROM Account ALL ROWS", MALFORMED, "ALL ROWS not allowed in this context"),
    ("SELECT Id FROM Account LIMIT -1", MALFORMED, "unexpected token: '-1'"),
    ("SELECT Id FROM Account LIMIT 1 garbage", MALFORMED, "unexpected token: 'garbage'"),
    ("SELECT Id FROM Account ORDER Name", MALFORMED, "unexpected token: 'Name'"),
    ("SELECT Id FROM Account ORDER BY Name UP", MALFORMED, "unexpected token: 'UP'"),
    ("SELECT Id FROM Account ORDER BY Name WHERE Name = 'x'", MALFORMED, "unexpected token: 'WHERE'"),
    ("SELECT Id FROM Account HAVING COUNT(Id) > 1", MALFORMED, "unexpected token: 'HAVING'"),
    ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS", MALFORMED, "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z", "INVALID_FIELD", "invalid datetime"),
    ("DELETE FROM Account", MALFORMED, "unexpected token: 'DELETE'"),
    ("SELECT Id, Id FROM Account", MALFORMED, "duplicate field selected: Id"),
    ("SELECT Nme FROM Account", "INVALID_FIELD", NO_COLUMN),
    ("SELECT Id FROM Account WHERE Nme = 'x'", "INVALID_FIELD", NO_COLUMN),
    ("SELECT Id FROM Account ORDER BY Nme", "INVALID_FIELD", NO_COLUMN),
    ("SELECT Owner.Nme FROM Account", "INVALID_FIELD", "No such column 'Nme' on entity 'User'"),
    ("SELECT Id FROM Accounts", "INVALID_TYPE", "sObject type 'Accounts' is not supported."),
    (
        "SELECT Boss.Name FROM Account",
        "INVALID_FIELD",
        "Didn't understand relationship 'Boss' in field path.",
    ),
    (
        "SELECT Opportunity__c.Name FROM Invoice_Schedule__c",
        "INVALID_FIELD",
        "Didn't understand relationship",
    ),
    (
        "SELECT Id, (SELECT Id FROM Contact) FROM Account",
        "INVALID_TYPE",
        "Didn't understand relationship 'Contact'",
    ),
    (
        "SELECT Id FROM Account WHERE Name = 5",
        "INVALID_FIELD",
        "must be of type string and should be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Opportunity WHERE Amount = '5'",
        "INVALID_FIELD",
        "'Amount' must be of type double and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'",
        "INVALID_FIELD",
        "'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
    ),
    ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
    (
        "SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z",
        "INVALID_FIELD",
        "'CloseDate' must be of type date and should not be enclosed in quotes",
    ),
    ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", "must be of type boolean"),
    (
        "SELECT Id FROM Account WHERE IsDeleted > true",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on boolean",
    ),
    ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
    (
        "SELECT Id FROM Account WHERE Id LIKE '001%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id field",
    ),
    ("SELECT Id FROM Account WHERE Name > null", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
    ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
    ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "'Description' can not be filtered"),
    (
        "SELECT Id FROM Account WHERE BillingAddress = null",
        "INVALID_FIELD",
        "can not be filtered in a query call",
    ),
    ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
    ("SELECT Description, COUNT(Id) FROM Account GROUP BY Description", MALFORMED, "can not be grouped"),
    (
        "SELECT Name, COUNT(Id) FROM Account GROUP BY Industry",
        MALFORMED,
        "Field must be grouped or aggregated: Name",
    ),
    ("SELECT Name, COUNT(Id) FROM Account", MALFORMED, "Field must be grouped or aggregated: Name"),
    ("SELECT SUM(Name) FROM Account", MALFORMED, "field Name does not support aggregate operator SUM"),
    ("SELECT COUNT(Id) FROM Account LIMIT 5", MALFORMED, "cannot also use LIMIT"),
    (
        "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account",
        MALFORMED,
        "only root queries support aggregate",
    ),
    ("SELECT COUNT(), Name FROM Account", MALFORMED, "unexpected token"),
    ("SELECT FIELDS(ALL) FROM Account", MALFORMED, "must have a LIMIT of at most 200"),
    ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", MALFORMED, "must have a LIMIT of at most 200"),
    ("SELECT FIELDS(SOME) FROM Account LIMIT 1", MALFORMED, "unexpected token: 'SOME'"),
    (
        "SELECT Id FROM Account OFFSET 2001",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Maximum SOQL offset allowed is 2000",
    ),
    ("SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Contact LIMIT 1)", MALFORMED, "sub-selects"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Contact)", MALFORMED, "ids of Contact"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT OwnerId FROM Contact)", MALFORMED, "ids of User"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)", MALFORMED, "same object type"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT Account.Id FROM Contact)", MALFORMED, "traverse"),
    (f"SELECT Id FROM Account WHERE Name = 'x' OR {HAS_PEOPLE}", MALFORMED, "'OR' operator"),
    (f"SELECT Id FROM Account WHERE NOT ({HAS_PEOPLE} AND Name = 'x')", MALFORMED, "'NOT' operator"),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE OwnerId IN (SELECT OwnerId FROM Order))",
        MALFORMED,
        "Nesting of semi join",
    ),
    ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "INVALID_FIELD", "semi join"),
    (
        "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
        "INVALID_FIELD",
        "relationship levels",
    ),
]

BEYOND = [
    ("SELECT Id FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(1, 2), 'km') < 5", "DISTANCE"),
    ("SELECT Id FROM Opportunity WHERE Amount > USD5000", "USD5000"),
    ("SELECT Id FROM Account USING SCOPE mine", "USING SCOPE"),
    ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "WITH"),
    ("SELECT Industry, COUNT(Id) FROM Account GROUP BY ROLLUP(Industry)", "ROLLUP"),
    ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "TYPEOF"),
    ("SELECT Id FROM Account WHERE DISTANCE(BillingAddress) = 5", "DISTANCE"),
]


@pytest.mark.parametrize("soql", VALID)
def test_a_valid_query_is_answered(org, soql: str) -> None:
    assert org.query(soql)["done"] is True


@pytest.mark.parametrize(("soql", "code", "text"), INVALID)
def test_an_invalid_query_is_400_with_salesforces_code_and_text(org, soql: str, code: str, text: str) -> None:
    found = org.refused(soql)
    assert (found["status"], found["errorCode"]) == (400, code)
    assert text in found["message"]


@pytest.mark.parametrize(("soql", "name"), BEYOND)
def test_soql_that_the_sandbox_cannot_run_is_501_by_name(org, soql: str, name: str) -> None:
    found = org.refused(soql)
    assert found["status"] == 501
    assert name in found["message"]


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(VALID) >= 60
    assert len(INVALID) >= 40


def test_an_error_shows_row_and_column_of_the_place(org) -> None:
    message = org.refused("select id,name,type from accountx")["message"]
    assert message == (
        "\nselect id,name,type from accountx\n                         ^\nERROR at Row:1:Column:26\n"
        "sObject type 'accountx' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )


def test_an_error_on_a_later_line_counts_rows(org) -> None:
    assert "ERROR at Row:2:Column:3\n" in org.refused("SELECT Id,\n  Nme\nFROM Account")["message"]


def test_a_query_without_q_is_malformed(org) -> None:
    assert org.error(org.send("GET", "query"))["errorCode"] == "MALFORMED_QUERY"


def test_before_version_58_sub_queries_do_not_nest(org) -> None:
    soql = "SELECT Id, (SELECT Id, (SELECT Id FROM OpportunityLineItems) FROM Opportunities) FROM Account"
    assert org.refused(soql, "/services/data/v57.0/query")["errorCode"] == "MALFORMED_QUERY"
    assert org.query(soql, "/services/data/v58.0/query")["done"]


def test_twenty_sub_queries_are_allowed_and_no_more(org) -> None:
    one = "(SELECT Id FROM Contacts)"
    found = org.refused(f"SELECT Id, {', '.join([one] * 21)} FROM Account")
    assert "maximum number of child queries is 20" in found["message"]


def test_two_semi_joins_are_allowed_and_no_more(org) -> None:
    one = "Id IN (SELECT AccountId FROM Contact)"
    assert org.query(f"SELECT Id FROM Account WHERE {one} AND {one}")["done"]
    assert (
        org.refused(f"SELECT Id FROM Account WHERE {one} AND {one} AND {one}")["errorCode"]
        == "MALFORMED_QUERY"
    )
