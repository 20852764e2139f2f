"""What is refused before anything is sent, and what is not. Limits are those of Xero's OpenAPI and developer docs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_xero.plan.amounts import check_amounts, document_minor, line_amount, lines_total
from target_xero.plan.canonical import canonical, content_hash
from target_xero.plan.checks import check_in_organisation, resources_needed
from target_xero.plan.organisation import RESOURCES, Organisation
from target_xero.plan.rules import LENGTHS, check_alone
from target_xero.plan.wire import (
    cents,
    minor,
    money,
    parse_date,
    parse_decimal,
    parse_instant,
    plain,
    show_minor,
    text_of,
    xero_timestamp,
)

DRAFT = frozenset({"DRAFT"})
LINE = {"Description": "Widgets", "Quantity": "1", "UnitAmount": "10", "AccountCode": "200"}


def rules(stream, statuses=DRAFT, **fields):
    base = {
        "contacts": {"Name": "Acme"},
        "items": {"Code": "W-1"},
        "quotes": {"contact_key": "C1", "Date": "2026-11-02", "LineItems": [LINE]},
        "invoices": {"contact_key": "C1", "LineItems": [LINE]},
        "credit_notes": {"contact_key": "C1", "LineItems": [LINE]},
        "payments": {"invoice_key": "O1", "AccountCode": "090", "Date": "2026-11-02", "Amount": "1"},
    }[stream]
    content, problems = canonical(stream, {**base, **fields})
    return [(r.rule, r.field) for r in problems or check_alone(stream, content, statuses)]


def line(**fields):
    return [{**LINE, **fields}]


@pytest.mark.parametrize("stream", ["contacts", "items", "quotes", "invoices", "credit_notes", "payments"])
def test_the_least_document_passes(stream):
    assert rules(stream) == []


@pytest.mark.parametrize("letters", [255, 256])
def test_a_name_of_255_characters_is_taken_and_one_of_256_refused(letters):
    assert bool(rules("contacts", Name="é" * letters)) is (letters > 255)


@pytest.mark.parametrize(
    ("section", "field", "longest"),
    [(s, f, n) for s, fields in LENGTHS.items() if s != "LineItems" for f, n in fields.items()
     if f not in ("EmailAddress", "Country", "Code") or s == "items"],
)  # fmt: skip
def test_every_length_is_kept_to_the_character(section, field, longest):
    for extra in (0, 1):
        value = "x" * (longest + extra)
        if section in ("Addresses", "Phones", "ContactPersons"):
            kind = {"Addresses": {"AddressType": "POBOX"}, "Phones": {"PhoneType": "DEFAULT"}}.get(
                section, {}
            )
            found = rules("contacts", **{section: [{**kind, field: value}]})
        else:
            found = rules(section, **{field: value})
        assert [rule for rule, _ in found] == ["too_long"] * extra


@pytest.mark.parametrize(
    ("stream", "fields", "rule", "field"),
    [
        ("contacts", {"Name": None}, "required", "Name"),
        ("contacts", {"Name": "  "}, "required", "Name"),
        ("contacts", {"EmailAddress": "kein@ümlaut.de"}, "email_invalid", "EmailAddress"),
        ("contacts", {"EmailAddress": "nobody"}, "email_invalid", "EmailAddress"),
        ("contacts", {"EmailAddress": "a@b"}, "email_invalid", "EmailAddress"),
        ("contacts", {"EmailAddress": "a b@example.com"}, "email_invalid", "EmailAddress"),
        ("contacts", {"ContactPersons": [{"EmailAddress": "x"}]}, "email_invalid", "ContactPersons[0].EmailAddress"),
        ("contacts", {"ContactPersons": [{"FirstName": "x"}] * 6}, "too_many", "ContactPersons"),
        ("contacts", {"Addresses": [{"AddressType": "POBOX", "Country": "UK 2"}]}, "country_invalid", "Addresses[0].Country"),
        ("contacts", {"Addresses": [{"AddressType": "HOME"}]}, "not_allowed", "Addresses[0].AddressType"),
        ("contacts", {"Addresses": [{"City": "x"}]}, "not_allowed", "Addresses[0].AddressType"),
        ("contacts", {"Phones": [{"PhoneType": "PAGER"}]}, "not_allowed", "Phones[0].PhoneType"),
        ("contacts", {"ContactStatus": "ARCHIVED"}, "not_allowed", "ContactStatus"),
        ("contacts", {"DefaultCurrency": "euro"}, "currency_unknown", "DefaultCurrency"),
        ("contacts", {"PaymentTerms": {"Sales": {"Day": 1, "Type": "SOON"}}}, "not_allowed", "PaymentTerms.Sales.Type"),
        ("contacts", {"PaymentTerms": {"Sales": {"Day": "1.5", "Type": "OFCURRENTMONTH"}}}, "not_a_day", "PaymentTerms.Sales.Day"),
        ("contacts", {"Name": "bell \x07"}, "control_character", "Name"),
        ("contacts", {"Addresses": [{"AddressType": "POBOX", "City": "\ufffe"}]}, "control_character", "Addresses[0].City"),
        ("items", {"Code": None}, "required", "Code"),
        ("items", {"Code": "x" * 31}, "too_long", "Code"),
        ("items", {"SalesDetails": {"UnitPrice": "1.00001"}}, "too_many_decimals", "SalesDetails.UnitPrice"),
        ("invoices", {"contact_key": None}, "required", "contact_key"),
        ("invoices", {"LineItems": []}, "required", "LineItems"),
        ("invoices", {"LineItems": line(Description=None)}, "required", "LineItems[0].Description"),
        ("invoices", {"LineItems": line(Description="x" * 4001)}, "too_long", "LineItems[0].Description"),
        ("invoices", {"LineItems": line(ItemCode="x" * 31)}, "too_long", "LineItems[0].ItemCode"),
        ("invoices", {"LineItems": line(UnitAmount="1.23456")}, "too_many_decimals", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(DiscountRate="33.33333")}, "too_many_decimals", "LineItems[0].DiscountRate"),
        ("invoices", {"LineItems": line(Quantity="0.12345")}, "too_many_decimals", "LineItems[0].Quantity"),
        ("invoices", {"LineItems": line(LineAmount="0.123")}, "too_many_decimals", "LineItems[0].LineAmount"),
        ("invoices", {"LineItems": line(UnitAmount="99999999999")}, "too_large", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(UnitAmount="abc")}, "not_a_number", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(UnitAmount="NaN")}, "not_a_number", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(UnitAmount="Infinity")}, "not_a_number", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(UnitAmount=True)}, "not_a_number", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(UnitAmount="1e1000000")}, "too_large", "LineItems[0].UnitAmount"),
        ("invoices", {"LineItems": line(DiscountRate=101)}, "out_of_range", "LineItems[0].DiscountRate"),
        ("invoices", {"LineItems": line(Tracking=[{"Name": "a", "Option": "b"}] * 3)}, "too_many", "LineItems[0].Tracking"),
        ("invoices", {"LineItems": line(Tracking=[{"Name": "a"}])}, "required", "LineItems[0].Tracking"),
        ("invoices", {"LineAmountTypes": "Gross"}, "not_allowed", "LineAmountTypes"),
        ("invoices", {"Type": "ACCPAY"}, "not_allowed", "Type"),
        ("invoices", {"Status": "AUTHORISED", "DueDate": "2026-11-02"}, "status_not_allowed", "Status"),
        ("invoices", {"Date": "2026-02-30"}, "not_a_date", "Date"),
        ("invoices", {"Date": "2026-11-02T00:00:00"}, "not_a_date", "Date"),
        ("invoices", {"Date": "02/11/2026"}, "not_a_date", "Date"),
        ("invoices", {"Date": "2026-11-02", "DueDate": "2026-11-01"}, "due_before_date", "DueDate"),
        ("invoices", {"CurrencyCode": "£"}, "currency_unknown", "CurrencyCode"),
        ("invoices", {"CurrencyRate": 0}, "not_positive", "CurrencyRate"),
        ("invoices", {"Url": "ftp://x"}, "not_an_address", "Url"),
        ("quotes", {"Date": None}, "required", "Date"),
        ("credit_notes", {"Type": "ACCREC"}, "not_allowed", "Type"),
        ("credit_notes", {"LineItems": line(DiscountRate=5)}, "not_allowed", "LineItems[0].DiscountRate"),
        ("credit_notes", {"allocations": [{"Amount": 1, "Date": "2026-11-02"}]}, "required", "allocations[0].invoice_key"),
        ("credit_notes", {"allocations": [{"invoice_key": "O", "Amount": 0, "Date": "2026-11-02"}]}, "not_positive", "allocations[0].Amount"),
        ("credit_notes", {"allocations": [{"invoice_key": "O", "Amount": 1}]}, "not_a_date", "allocations[0].Date"),
        ("payments", {"Amount": None}, "required", "Amount"),
        ("payments", {"Amount": 0}, "not_positive", "Amount"),
        ("payments", {"Amount": "-5"}, "not_positive", "Amount"),
        ("payments", {"Amount": "1.001"}, "too_many_decimals", "Amount"),
        ("payments", {"invoice_key": None}, "required", "invoice_key"),
        ("payments", {"credit_note_key": "N"}, "required", "invoice_key"),
        ("payments", {"Date": None}, "required", "Date"),
        ("payments", {"AccountCode": None}, "required", "AccountCode"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_field(stream, fields, rule, field):
    assert rules(stream, **fields) == [(rule, field)]


def test_an_approved_invoice_needs_a_due_date():
    assert rules("invoices", frozenset({"AUTHORISED"}), Status="AUTHORISED") == [("required", "DueDate")]


@pytest.mark.parametrize(
    ("stream", "fields"),
    [
        ("contacts", {"Name": "🎉 Grüße & Söhne 株式会社", "ContactPersons": [{"IncludeInEmails": True}]}),
        ("contacts", {"EmailAddress": "o'brien+x@mail.example.co.uk"}),
        (
            "contacts",
            {"Addresses": [{"AddressType": "POBOX", "Country": "Côte d'Ivoire", "AddressLine1": "a\nb"}]},
        ),
        ("contacts", {"Addresses": [{"AddressType": "STREET", "Country": "Bosnia & Herzegovina"}]}),
        (
            "contacts",
            {"PaymentTerms": {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}}, "ContactStatus": "ACTIVE"},
        ),
        (
            "invoices",
            {
                "LineAmountTypes": "INCLUSIVE",
                "Date": "2024-02-29",
                "DueDate": "2024-02-29",
                "Url": "https://x",
            },
        ),
        (
            "invoices",
            {"LineItems": line(UnitAmount="-10.0001", Quantity="0", DiscountRate="0", TaxAmount="0.01")},
        ),
        (
            "invoices",
            {"CurrencyCode": "EUR", "CurrencyRate": "1.23456789", "Type": "ACCREC", "Status": "DRAFT"},
        ),
        ("payments", {"invoice_key": None, "credit_note_key": "N1"}),
    ],
)
def test_what_xero_takes_is_not_refused(stream, fields):
    assert rules(stream, **fields) == []


# --- amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"Quantity": "3", "UnitAmount": "0.335"}, "1.01"),
        ({"Quantity": "1", "UnitAmount": "-0.125"}, "-0.13"),
        ({"UnitAmount": "10", "DiscountRate": "12.5"}, "8.75"),
        ({"Quantity": "0", "UnitAmount": "10"}, "0"),
        ({"LineAmount": "9.99", "Quantity": "3", "UnitAmount": "3.3333"}, "9.99"),
        ({"Description": "text only"}, "0"),
    ],
)
def test_a_line_comes_to_the_cent_rounded_half_away_from_zero(fields, amount):
    assert line_amount(fields) == Decimal(amount)


def test_a_total_that_differs_by_a_cent_is_refused_with_both_sums():
    document = {
        "expected_total": "20.01",
        "LineItems": [{"UnitAmount": "10", "expected_amount": "9.99"}, {"UnitAmount": "10"}],
    }
    first, second = check_amounts(document)
    assert (first.rule, first.field, first.value) == ("total_differs", "LineItems[0]", "9.99")
    assert "says 20.01, Xero would make 20.00" in second.cure
    assert "difference of 0.01" in second.cure
    assert not check_amounts(
        {"expected_total": "20.00", "LineItems": [{"UnitAmount": "10"}, {"UnitAmount": "10"}]}
    )
    assert not check_amounts({"LineItems": []})


def test_a_line_that_comes_to_more_than_xero_takes_is_refused():
    (found,) = check_amounts({"LineItems": [{"Quantity": "9999999999", "UnitAmount": "9999999999"}]})
    assert found.rule == "too_large"


def test_the_amount_of_a_document_is_its_lines_or_its_payment():
    assert document_minor("invoices", {"LineItems": [{"UnitAmount": "1.005"}]}) == 101
    assert document_minor("payments", {"Amount": "12.34"}) == 1234
    assert document_minor("contacts", {}) is None


@given(
    st.lists(
        st.tuples(st.decimals("0", "9999", places=4), st.decimals("-9999", "9999", places=4)), max_size=8
    )
)
def test_the_sum_of_lines_is_exact(lines):
    document = {"LineItems": [{"Quantity": str(q), "UnitAmount": str(p)} for q, p in lines]}
    assert lines_total(document) == sum((cents(q * p) for q, p in lines), Decimal(0))
    assert lines_total(document).as_tuple().exponent >= -2


# --- canonical form -------------------------------------------------------------------------------------------------


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_number_has_one_spelling_and_keeps_its_value(number):
    spelled = plain(number)
    assert Decimal(spelled) == number
    assert plain(Decimal(spelled)) == spelled
    assert "E" not in spelled


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(
    st.dictionaries(st.sampled_from(["Name", "FirstName", "TaxNumber", "AccountNumber"]), TEXTS), st.randoms()
)
def test_the_order_of_fields_and_what_says_nothing_do_not_change_the_hash(fields, random):
    shuffled = [*fields.items(), ("EmailAddress", None), ("CompanyNumber", ""), ("source_label", "x")]
    random.shuffle(shuffled)
    first, _ = canonical("contacts", fields)
    second, problems = canonical("contacts", dict(shuffled))
    assert not problems
    assert content_hash(first) == content_hash(second)


@given(TEXTS, TEXTS)
def test_other_content_has_another_hash(one, other):
    first, _ = canonical("contacts", {"Name": one})
    second, _ = canonical("contacts", {"Name": other})
    assert (content_hash(first) == content_hash(second)) is (one == other)


def test_an_empty_list_says_that_there_is_nothing_left():
    assert canonical("contacts", {"ContactPersons": []})[0] == {"ContactPersons": []}
    assert canonical("contacts", {"ContactPersons": [None, {"FirstName": None}]})[0] == {"ContactPersons": []}
    assert canonical("contacts", {"ContactPersons": None})[0] == {}


def test_a_number_that_lost_its_digits_is_read_as_it_is_shown():
    assert canonical("payments", {"Amount": 0.1})[0] == {"Amount": "0.1"}


# --- the organisation -----------------------------------------------------------------------------------------------


def organisation(**fields):
    found = Organisation("t-1", "Sandbox Trading Ltd", "GBP", **fields)
    account = {"Type": "REVENUE", "Class": "REVENUE", "Status": "ACTIVE", "TaxType": "OUTPUT2"}
    bodies = {
        "accounts": [
            {"Code": "200", "Name": "Sales", **account},
            {"Code": "299", "Name": "Old", **account, "Status": "ARCHIVED"},
            {"Code": "090", "Name": "Bank", "Type": "BANK", "Status": "ACTIVE"},
            {
                "Code": "610",
                "Name": "Receivable",
                "Type": "CURRENT",
                "Status": "ACTIVE",
                "SystemAccount": "DEBTORS",
            },
            {
                "Code": "880",
                "Name": "Drawings",
                "Type": "EQUITY",
                "Status": "ACTIVE",
                "EnablePaymentsToAccount": True,
            },
            {"Name": "No code"},
        ],
        "tax_types": [
            {"TaxType": "RROUTPUT", "Name": "5%", "Status": "ACTIVE"},
            {"TaxType": "OLD", "Status": "DELETED"},
        ],
        "currencies": [{"Code": "GBP"}, {"Code": "EUR"}],
        "tracking": [
            {"Name": "Region", "Options": [{"Name": "North"}, {"Name": "Gone", "Status": "ARCHIVED"}]}
        ],
        "branding": [{"Name": "Standard", "BrandingThemeID": "theme-1"}],
    }
    for resource, elements in bodies.items():
        assert found.load(resource, {RESOURCES[resource][1:]: elements})
    return found


@pytest.mark.parametrize(
    ("stream", "document", "rule", "words"),
    [
        ("invoices", {"LineItems": [{"AccountCode": "201"}]}, "account_unknown", "200 Sales"),
        ("invoices", {"LineItems": [{"AccountCode": "299"}]}, "account_archived", "Old"),
        ("invoices", {"LineItems": [{"AccountCode": "090"}]}, "account_wrong_class", "BANK"),
        ("invoices", {"LineItems": [{"AccountCode": "610"}]}, "account_wrong_class", "Receivable"),
        ("items", {"SalesDetails": {"AccountCode": "xyz"}}, "account_unknown", "no such one"),
        ("items", {"SalesDetails": {"TaxType": "OUTPUT9"}}, "tax_type_unknown", "OUTPUT2"),
        ("payments", {"AccountCode": "200"}, "account_takes_no_payments", "neither a bank account"),
        ("invoices", {"LineItems": [{"TaxType": "OLD"}]}, "tax_type_unknown", "no such one"),
        ("invoices", {"CurrencyCode": "USD"}, "currency_not_enabled", "EUR, GBP"),
        ("contacts", {"DefaultCurrency": "USD"}, "currency_not_enabled", "EUR, GBP"),
        ("invoices", {"LineItems": [{"Tracking": [{"Name": "Regoin", "Option": "North"}]}]}, "tracking_category_unknown", "Region"),
        ("invoices", {"LineItems": [{"Tracking": [{"Name": "Region", "Option": "Nroth"}]}]}, "tracking_option_unknown", "North"),
        ("invoices", {"LineItems": [{"Tracking": [{"Name": "Region", "Option": "Gone"}]}]}, "tracking_option_unknown", ""),
        ("invoices", {"BrandingTheme": "Standart"}, "branding_theme_unknown", "Standard"),
        ("invoices", {"Date": "2026-10-31"}, "period_locked", "2026-10-31"),
        ("credit_notes", {"allocations": [{"Date": "2026-01-01"}]}, "period_locked", "2026-10-31"),
    ],
)  # fmt: skip
def test_what_the_organisation_does_not_have_is_refused_with_the_nearest(stream, document, rule, words):
    dates = {"period_lock_date": date(2026, 10, 31), "end_of_year_lock_date": date(2026, 3, 31)}
    (found,) = check_in_organisation(stream, document, organisation(**dates))
    assert found.rule == rule
    assert words.casefold() in found.cure.casefold()


@pytest.mark.parametrize(
    ("document", "nearest"),
    [
        ({"BrandingTheme": "Standart"}, "Nearest: Standard."),
        ({"LineItems": [{"AccountCode": "20O"}]}, "Nearest: 200 Sales"),
        ({"LineItems": [{"AccountCode": "2O0"}]}, "Nearest: 200 Sales"),
    ],
)
def test_the_nearest_comes_first_and_is_spelt_as_xero_spells_it(document, nearest):
    (found,) = check_in_organisation("invoices", document, organisation())
    assert nearest in found.cure


@pytest.mark.parametrize(
    ("stream", "document"),
    [
        ("invoices", {"Date": "2026-11-01", "CurrencyCode": "EUR", "BrandingTheme": "STANDARD", "LineItems": [
            {"AccountCode": "200", "TaxType": "OUTPUT2", "Tracking": [{"Name": "Region", "Option": "North"}]}, {"TaxType": "RROUTPUT"}]}),
        ("payments", {"AccountCode": "090", "Date": "2026-11-01"}),
        ("payments", {"AccountCode": "880", "Date": "2026-11-01"}),
        ("contacts", {"DefaultCurrency": "GBP"}),
    ],
)  # fmt: skip
def test_what_the_organisation_has_passes(stream, document):
    assert not check_in_organisation(stream, document, organisation(period_lock_date=date(2026, 10, 31)))


def test_only_the_reference_data_that_a_document_names_is_read():
    bare = Organisation("t-1", "X", "GBP")
    assert resources_needed("contacts", {"Name": "Acme", "DefaultCurrency": "GBP"}, bare) == set()
    assert resources_needed("contacts", {"DefaultCurrency": "EUR"}, bare) == {"currencies"}
    assert resources_needed("invoices", {"LineItems": [{"TaxType": "OUTPUT2"}]}, bare) == {"accounts"}
    document = {
        "BrandingTheme": "x",
        "LineItems": [{"AccountCode": "1", "Tracking": [{"Name": "a", "Option": "b"}]}],
    }
    assert resources_needed("invoices", document, bare) == {"accounts", "branding", "tracking"}
    full = organisation()
    assert resources_needed("invoices", document, full) == set()
    full.tax_types = None
    assert resources_needed("invoices", {"LineItems": [{"TaxType": "OUTPUT2"}]}, full) == set()
    assert resources_needed("invoices", {"LineItems": [{"TaxType": "RROUTPUT"}]}, full) == {"tax_types"}


def test_the_organisation_is_read_from_xeros_answer():
    found = Organisation.from_xero({"Organisations": [{
        "OrganisationID": "t-1", "Name": "X", "BaseCurrency": "GBP", "IsDemoCompany": True,
        "PeriodLockDate": "/Date(1222732800000+0000)/", "EndOfYearLockDate": "/Date(1230681600000+0000)/",
    }]})  # fmt: skip
    assert (found.tenant.id, found.tenant.is_demo, found.lock.until) == ("t-1", True, date(2008, 12, 31))
    assert Organisation("t", "n", "GBP").lock is None
    for odd in (None, {}, {"Organisations": []}, {"Organisations": [{}]}):
        with pytest.raises(ValueError, match="names no organisation"):
            Organisation.from_xero(odd)
    assert not found.load("accounts", {"Nothing": []})
    assert not found.load("accounts", None)
    assert not found.loaded("accounts")


def test_values_are_read_as_xero_writes_them():
    assert parse_date("/Date(1789344000000+0000)/") == date(2026, 9, 14)
    assert parse_date("2026-09-14T00:00:00") == date(2026, 9, 14)
    assert xero_timestamp(parse_instant("2026-09-14T09:29:59Z")) == "2026-09-14T09:29:59"
    assert xero_timestamp(parse_instant("/Date(-1000)/")) == "1969-12-31T23:59:59"
    assert parse_date("soon") is None
    assert parse_instant(None) is None
    assert parse_decimal("x") is None
    assert parse_decimal(None) is None
    assert plain(Decimal("-0.00")) == "0"
    assert minor("1.005") == 101
    assert minor("-1.005") == -101
    assert minor("x") is None
    assert (money(Decimal("1234.5")), show_minor(-5)) == ("1234.50", "-0.05")
    assert text_of({"a": {"b": 1}}, "a", "b") == ""
    assert text_of({"a": 1}, "a", "b") == ""


@pytest.mark.parametrize("amount", [Decimal("1e-99999999"), "0e-99999999", Decimal("1e99999999")])
def test_a_number_of_a_hundred_million_digits_is_refused_and_never_written_out(amount):
    content, problems = canonical("payments", {"Amount": amount})
    assert {problem.field for problem in problems} == {"Amount"}
    assert len(str(content)) < 100


def test_an_unknown_field_is_told_with_all_that_it_may_have_meant():
    _, (problem,) = canonical("invoices", {"Currency": "EUR"})
    assert problem.rule == "field_unknown"
    assert "CurrencyCode" in problem.cure


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff10", "\u0661\u0660", "1,000", "0x10", "1e", "--1"])
def test_what_only_python_takes_for_a_number_is_no_amount(text):
    assert rules("invoices", LineItems=line(UnitAmount=text)) == [("not_a_number", "LineItems[0].UnitAmount")]


def test_a_quantity_of_more_characters_than_xero_takes_is_refused_before_it_is_sent():
    assert rules("invoices", LineItems=line(Quantity="12345678.1234")) == []
    wrong = rules("invoices", LineItems=line(Quantity="123456789.1234"))
    assert wrong == [("too_long", "LineItems[0].Quantity")]


@pytest.mark.parametrize(
    ("amount", "taken"), [("18", True), ("18.00", True), ("17.99", False), ("20", False)]
)
def test_a_line_amount_that_its_own_numbers_do_not_make_is_refused(amount, taken):
    document = {"LineItems": line(Quantity="2", UnitAmount="10", DiscountRate="10", LineAmount=amount)}
    found = [(refusal.rule, refusal.field) for refusal in check_amounts(document)]
    assert found == ([] if taken else [("line_amount_differs", "LineItems[0].LineAmount")])


def test_an_approved_line_names_an_account_or_an_item_unless_it_is_text_alone():
    both = frozenset({"DRAFT", "AUTHORISED"})
    asked = {"Status": "AUTHORISED", "DueDate": "2026-12-02"}
    bare = {"AccountCode": None}
    wrong = rules("invoices", both, **asked, LineItems=line(**bare))
    assert wrong == [("required", "LineItems[0].AccountCode")]
    assert rules("invoices", both, **asked) == []
    assert rules("invoices", both, **asked, LineItems=line(**bare, item_key="P1")) == []
    assert rules("invoices", both, **asked, LineItems=[{"Description": "A word"}]) == []
    assert rules("invoices", both, LineItems=line(**bare)) == []


@pytest.mark.parametrize(
    "address", ["a..b@c.example", ".a@c.example", "a.@c.example", "a@-c.example", "a@c..example"]
)
def test_an_address_with_dots_in_wrong_places_is_refused(address):
    assert rules("contacts", EmailAddress=address) == [("email_invalid", "EmailAddress")]


@pytest.mark.parametrize(
    ("kind", "day", "taken"),
    [("OFFOLLOWINGMONTH", 31, True), ("OFCURRENTMONTH", 32, False), ("DAYSAFTERBILLDATE", 45, True)],
)
def test_a_day_of_the_month_is_one(kind, day, taken):
    found = rules("contacts", PaymentTerms={"Sales": {"Day": day, "Type": kind}})
    assert found == ([] if taken else [("not_a_day", "PaymentTerms.Sales.Day")])


def test_two_lines_with_one_key_are_refused_before_one_is_taken_for_the_other():
    lines = [*line(line_key="a"), *line(line_key="b"), *line(line_key="a"), LINE, LINE]
    assert rules("invoices", LineItems=lines) == [("twice", "LineItems[2].line_key")]
