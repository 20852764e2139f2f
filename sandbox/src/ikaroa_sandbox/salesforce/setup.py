"""An org as after signing up: the organisation, its users, currencies, stages and the standard price book."""

from __future__ import annotations

from decimal import Decimal

from ikaroa_sandbox import credentials
from ikaroa_sandbox.salesforce import ids
from ikaroa_sandbox.salesforce.state import State
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import Stage

STAGES = (
    Stage("Prospecting", Decimal(10), "Pipeline", "Pipeline"),
    Stage("Qualification", Decimal(20), "Pipeline", "Pipeline"),
    Stage("Needs Analysis", Decimal(30), "Pipeline", "Pipeline"),
    Stage("Proposal/Price Quote", Decimal(65), "BestCase", "Best Case"),
    Stage("Negotiation/Review", Decimal(80), "Forecast", "Commit"),
    Stage("Closed Won", Decimal(100), "Closed", "Closed", closed=True, won=True),
    Stage("Closed Lost", Decimal(0), "Omitted", "Omitted", closed=True),
)
CURRENCIES = (("GBP", "1", True), ("EUR", "1.17", False))
USERS = (
    ("Ina", "Integration", credentials.SALESFORCE_USERNAME),
    ("Morgan", "Owens", "morgan@sandbox.example"),
)


def sign_up(state: State) -> None:
    """Fills the set-up objects."""
    state.org_id = _add(state, "Organization", {
        "Name": "Sandbox Trading Ltd", "Country": "United Kingdom", "TimeZoneSidKey": "GMT",
        "DefaultLocaleSidKey": "en_GB", "LanguageLocaleKey": "en_GB", "FiscalYearStartMonth": 1,
        "OrganizationType": "Enterprise Edition", "InstanceName": "GBR1", "IsSandbox": True,
    })  # fmt: skip
    user = state.context.user_id = ids.make("005", 0)
    state.db.update(
        state.org.full["Organization"], state.org_id, {"CreatedById": user, "LastModifiedById": user}
    )
    for first, last, username in USERS:
        _add(state, "User", {
            "FirstName": first, "LastName": last, "Name": f"{first} {last}", "Username": username, "Email": username,
            "Alias": last[:8].lower(), "IsActive": True, "TimeZoneSidKey": "GMT", "LocaleSidKey": "en_GB",
            "LanguageLocaleKey": "en_GB", "EmailEncodingKey": "UTF-8", "UserType": "Standard",
            "DefaultCurrencyIsoCode": "GBP", "CurrencyIsoCode": "GBP", "CompanyName": "Sandbox Trading Ltd",
        })  # fmt: skip
    for code, rate, corporate in CURRENCIES:
        _add(state, "CurrencyType", {
            "IsoCode": code, "ConversionRate": Decimal(rate), "DecimalPlaces": 2, "IsActive": True,
            "IsCorporate": corporate,
        })  # fmt: skip
    for number, stage in enumerate(STAGES, 1):
        _add(state, "OpportunityStage", {
            "MasterLabel": stage.name, "ApiName": stage.name, "IsActive": True, "SortOrder": number,
            "IsClosed": stage.closed, "IsWon": stage.won, "ForecastCategory": stage.category,
            "ForecastCategoryName": stage.category_name, "DefaultProbability": stage.probability,
        })  # fmt: skip
    _add(state, "Pricebook2", {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True})


def _add(state: State, name: str, values: Row) -> str:
    item = state.org.full[name]
    context = state.context
    row: Row = {"Id": context.next_id(item), **values}
    now = context.now()
    for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        row[field] = now
    for field in ("CreatedById", "LastModifiedById"):
        row[field] = context.user_id or row["Id"]
    state.db.insert(item, [{key: value for key, value in row.items() if item.field(key)}])
    return str(row["Id"])


def counts(state: State) -> dict[str, int]:
    """How many rows each object has, without those in the recycle bin."""
    return {item.name: state.db.count_live(item) for item in state.org.visible}
