"""Connections, the tenant header, and scopes: Xero developer docs, Xero OpenAPI (identity), recorded 401 and 403 shapes."""

from __future__ import annotations

import pytest

REFRESH = {"grant_type": "refresh_token", "refresh_token": "sandbox-xero-refresh"}


def connections(xero, query: str = ""):
    if xero.token is None:
        xero.sign_in()
    return xero.raw("GET", "/connections", query, Authorization=f"Bearer {xero.token}")


def test_connections_name_the_organisation_with_seven_decimals_in_its_times(xero):
    (found,) = connections(xero).json
    assert set(found) == {
        "id",
        "authEventId",
        "tenantId",
        "tenantType",
        "tenantName",
        "createdDateUtc",
        "updatedDateUtc",
    }
    assert (found["tenantType"], found["tenantName"]) == ("ORGANISATION", "Sandbox Trading Ltd")
    assert found["createdDateUtc"] == "2026-11-02T09:00:00.0000000"


def test_connections_answers_to_the_capital_c_an_sdk_sends(xero):
    xero.sign_in()
    assert xero.raw("GET", "/Connections", Authorization=f"Bearer {xero.token}").status == 200


def test_connections_can_be_narrowed_to_one_consent(xero):
    (found,) = connections(xero).json
    assert connections(xero, f"authEventId={found['authEventId']}").json == [found]
    assert connections(xero, "authEventId=00000000-0000-0000-0000-000000000001").json == []


def test_a_deleted_connection_is_gone_and_its_tenant_forbidden(xero):
    (found,) = connections(xero).json
    deleted = xero.raw("DELETE", f"/connections/{found['id']}", Authorization=f"Bearer {xero.token}")
    assert deleted.status == 204
    assert connections(xero).json == []
    assert xero.get("Organisation").status == 403


def test_a_custom_connection_needs_no_tenant_header_and_takes_an_empty_one(xero):
    assert xero.get("Organisation").status == 200
    assert xero.call("GET", "Organisation", headers={"xero-tenant-id": ""}).status == 200


def test_any_other_token_needs_the_tenant_header(xero):
    xero.sign_in(REFRESH)
    tenant = connections(xero).json[0]["tenantId"]
    assert xero.get("Organisation").status == 403
    assert xero.call("GET", "Organisation", headers={"xero-tenant-id": tenant}).status == 200


def test_a_tenant_that_is_not_connected_is_403_in_the_gateways_shape(xero):
    answer = xero.call(
        "GET", "Organisation", headers={"xero-tenant-id": "11111111-1111-1111-1111-111111111111"}
    )
    assert answer.status == 403
    assert (answer.json["Title"], answer.json["Status"], answer.json["Detail"]) == (
        "Forbidden",
        403,
        "AuthenticationUnsuccessful",
    )


def test_an_organisation_that_takes_access_away_is_403_until_it_gives_it_back(xero):
    xero.edit("disconnect_tenant")
    assert xero.get("Organisation").status == 403
    xero.edit("connect_tenant")
    assert xero.get("Organisation").status == 200


def test_a_second_organisation_has_its_own_data_limits_and_connection(xero):
    other = xero.edit("add_organisation", name="Second Ltd")["tenant_id"]
    assert [row["tenantName"] for row in connections(xero).json] == ["Sandbox Trading Ltd", "Second Ltd"]
    xero.contact("Only In The First")
    there = xero.call("GET", "Contacts", headers={"xero-tenant-id": other})
    assert there.json["Contacts"] == []
    assert there.headers["X-MinLimit-Remaining"] == "59"


FILES = "Invoices/11111111-2222-4333-8444-555555555555/Attachments/a.pdf"


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("accounting.contacts", "GET", "Contacts", True),
        ("accounting.contacts.read", "GET", "Contacts", True),
        ("accounting.contacts.read", "PUT", "Contacts", False),
        ("accounting.contacts", "PUT", "Contacts", True),
        ("accounting.settings", "GET", "Contacts", False),
        ("accounting.settings.read", "GET", "Organisation", True),
        ("accounting.contacts", "GET", "Accounts", False),
        ("accounting.transactions", "GET", "Invoices", True),
        ("accounting.invoices.read", "GET", "Invoices", True),
        ("accounting.invoices.read", "PUT", "Invoices", False),
        ("accounting.payments", "GET", "Invoices", False),
        ("accounting.transactions.read", "GET", "Payments", True),
        ("accounting.invoices", "GET", "Payments", False),
        ("accounting.invoices", "GET", FILES, False),
        ("accounting.attachments.read", "GET", FILES, True),
        ("accounting.attachments.read", "PUT", FILES, False),
        ("accounting.attachments", "PUT", FILES, True),
    ],
)
def test_a_scope_opens_its_own_end_points_alone(xero, scope, method, path, allowed):
    xero.sign_in({"grant_type": "client_credentials", "scope": scope})
    answer = xero.call(method, path, {path: [{"Name": "A"}]} if method == "PUT" else None)
    assert (answer.status != 401) is allowed


def test_a_missing_scope_is_401_with_xeros_own_spelling(xero, variants):
    xero.sign_in({"grant_type": "client_credentials", "scope": "accounting.settings"})
    answer = xero.get("Contacts")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "insufficent_scope")
    assert answer.json["Detail"] == "AuthorizationUnsuccessful"
    variants.choose("xero.token.missing_scope", "insufficient_scope")
    assert xero.get("Contacts").headers["WWW-Authenticate"] == "insufficient_scope"


def test_items_open_with_settings_and_in_one_reading_with_invoices(xero, variants):
    xero.sign_in({"grant_type": "client_credentials", "scope": "accounting.invoices"})
    assert xero.get("Items").status == 401
    variants.choose("xero.scopes.items", "settings_or_invoices")
    assert xero.get("Items").status == 200
    assert xero.put("Items", {"Items": [{"Code": "A"}]}).status == 200


@pytest.mark.parametrize(
    ("kind", "scope", "status"),
    [
        ("mixed", "accounting.transactions accounting.invoices", 200),
        ("granular", "accounting.transactions", 400),
        ("granular", "accounting.invoices", 200),
        ("broad", "accounting.invoices", 400),
    ],
)
def test_an_apps_age_decides_which_scopes_it_may_ask_for(xero, kind, scope, status):
    xero.edit("set_app", scopes=kind)
    assert xero.sign_in({"grant_type": "client_credentials", "scope": scope}).status == status
