"""What a mapping file says can be asked without a record: fields, documents that are switched on, codes it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_to_xero.explain import explain
from crm_to_xero.loader import read_source


@pytest.mark.parametrize(
    ("options", "documents"),
    [
        ({}, ("contacts", "items", "invoices", "credit_notes")),
        ({"items": False}, ("contacts", "invoices", "credit_notes")),
        ({"payments": True}, ("contacts", "items", "invoices", "credit_notes", "payments")),
    ],
)
def test_a_document_is_possible_unless_the_options_rule_it_out(options: dict, documents: tuple) -> None:
    assert explain("salesforce", options).documents == documents


def test_a_field_is_traced_to_its_rule_expression_and_line() -> None:
    text, _ = read_source("salesforce")
    found = explain("salesforce").rules_of("invoices", "LineItems[3].UnitAmount")
    deal = next(rule for rule in found if rule.rule == "won-deal")
    assert (deal.stream, deal.field) == ("Opportunity", "LineItems.UnitAmount")
    assert deal.expression in text.splitlines()[deal.line - 1]


def test_common_fields_are_traced_too() -> None:
    (found,) = {rule.line for rule in explain("salesforce").rules_of("items", "source_label")}
    assert "Product" in read_source("salesforce")[0].splitlines()[found - 1]


def test_codes_come_from_options_named_anywhere_in_the_expression() -> None:
    found = explain(
        "salesforce",
        {"default_account_code": "260", "family_accounts": {"Hardware": "201"}, "payments": True,
         "payment_accounts": {"GBP": "090"}, "default_tax_type": "OUTPUT2"},
    )  # fmt: skip
    assert set(found.codes("AccountCode")) == {"260", "201", "090"}
    assert set(found.codes("TaxType")) == {"OUTPUT2"}


def test_codes_of_documents_that_are_switched_off_do_not_count() -> None:
    found = explain("salesforce", {"payment_accounts": {"GBP": "090"}})
    assert "090" not in found.codes("AccountCode")


def test_a_tax_mode_without_tax_names_no_tax_type() -> None:
    options = {"lead_invoice": True, "default_tax_mode": "NoTax", "default_tax_type": "OUTPUT2"}
    assert {rule.rule for rule in explain("salesforce", options).codes("TaxType")["OUTPUT2"]} == {
        "won-deal", "won-deal-below-zero", "product",
    }  # fmt: skip


def test_tracking_rules_are_told() -> None:
    rule = {"name": "Region", "from": "Account.Region__c", "map": {"EMEA": "North"}, "default": "South"}
    assert explain("salesforce", {"tracking": [rule]}).tracking() == [rule]


def test_a_file_of_ones_own_with_constants(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        "mapping: mine\nversion: 1\nsource: Mine\nstreams:\n  Deal:\n    let: {never: 1 == 2}\n    documents:\n"
        "      - document: items\n        when: never or not True\n        fields: {source_key: Id, Code: Id}\n"
        "      - document: invoices\n        rule: deal\n        fields:\n          source_key: Id\n"
        "          BrandingTheme: \"'Standard'\"\n"
        "          LineItems: [{AccountCode: \"'200' if Big else first(Code, '210')\"}]\n"
    )
    found = explain(str(file))
    assert found.documents == ("invoices",)
    assert set(found.codes("AccountCode")) == {"200", "210"}
    assert set(found.codes("BrandingTheme")) == {"Standard"}
    assert found.rules_of("invoices", "LineItems")[0].field == "LineItems.AccountCode"


def test_a_name_that_needs_itself_ends_as_unknown(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        "mapping: mine\nversion: 1\nsource: Mine\nstreams:\n  Deal:\n    let: {Code: \"first(Code, '1')\"}\n    documents:\n"
        "      - document: items\n        when: Code\n        fields: {source_key: Id, Code: Code}\n"
    )
    assert explain(str(file)).documents == ("items",)
    assert set(explain(str(file)).codes("Code")) == {"1"}
