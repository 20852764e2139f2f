"""Seeded accounts, contacts and leads."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

from ikaroa_sandbox.salesforce.seeding import plan
from ikaroa_sandbox.salesforce.seeding.plan import Sower
from ikaroa_sandbox.salesforce.store.database import Row
from ikaroa_sandbox.salesforce.store.derive import contact_of_person, full_name

EURO_COUNTRIES = frozenset({"Ireland", "Germany", "France", "Spain"})
TERMS = ("NET7", "NET14", "NET30", "NET30", "NET60", "EOM", "EOM+20", None)
INDUSTRIES = ("Engineering", "Construction", "Retail", "Technology", "Manufacturing", "Media", None)
NEAR_DUPLICATES = (
    ("Copperfield & Hollins Ltd", "Copperfield and Hollins Limited", "Copperfield & Hollins, Ltd."),
    ("Grünwald Möbel GmbH", "Gruenwald Moebel GmbH", "Grünwald-Möbel GmbH"),
    ("Smith's Bakery", "Smiths Bakery Ltd", "The Smiths' Bakery"),
    ("株式会社富士見電機", "富士見電機 (株)"),
)


def plain(text: str) -> str:
    """A name without case and accents: what must not occur twice."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@dataclass
class People:
    """Makes the rows, and remembers what later rows refer to."""

    sower: Sower
    accounts: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    leads: list[Row] = field(default_factory=list)
    domains: dict[str, str] = field(default_factory=dict)
    """Account id -> domain of its people's addresses."""
    languages: dict[str, str] = field(default_factory=dict)

    def pick(self, items: Any) -> Any:
        """One of several."""
        return self.sower.chance.choice(items)

    def place(self) -> dict[str, Any]:
        """A place, the home country more often."""
        places: list[dict[str, Any]] = plan.words()["places"]
        found: dict[str, Any] = self.pick(places[:3] if self.sower.chance.random() < 0.45 else places)
        return found

    def address(self, prefix: str, place: dict[str, Any]) -> Row:
        """Address fields for a place."""
        chance = self.sower.chance
        street = self.pick(plan.words()["streets"][place["language"]])
        lines = f"{chance.randint(1, 180)} {street}"
        if chance.random() < 0.15:
            lines = f"Unit {chance.randint(1, 40)}\n{lines}"
        return {
            f"{prefix}Street": lines,
            f"{prefix}City": place["city"],
            f"{prefix}State": place["region"] if chance.random() < 0.8 else None,
            f"{prefix}PostalCode": place["code"].format(chance.randint(1, 9)),
            f"{prefix}Country": place["country"],
        }

    def phone(self, place: dict[str, Any]) -> str:
        """A number of that place, from a range kept for fiction where there is one."""
        return str(place["phone"].format(0, self.sower.chance.randint(0, 999)))

    def names(self, taken: set[str]) -> list[tuple[str, str, dict[str, Any]]]:
        """Company names, domains and places; no name twice, even without case and accents."""
        found: list[tuple[str, str, dict[str, Any]]] = []
        places: list[dict[str, Any]] = plan.words()["places"]
        home = {"株": 10, "富": 10, "Gr": 4}
        for group in NEAR_DUPLICATES:
            for number, name in enumerate(group):
                index = next((at for start, at in home.items() if name.startswith(start)), 0)
                taken.add(plain(name))
                found.append((name, f"near{len(found)}-{number}", places[index]))
        while len(found) < plan.ACCOUNTS - plan.PERSON_ACCOUNTS:
            place = self.place()
            language = place["language"]
            native, ascii_name = self.pick(plan.words()["company"][language])
            trade, form = (
                self.pick(plan.words()["trade"][language]),
                self.pick(plan.words()["form"][language]),
            )
            if language == "ja":
                name = (
                    f"{form}{native}{trade}" if self.sower.chance.random() < 0.5 else f"{native}{trade}{form}"
                )
            else:
                name = f"{native} {trade} {form}" if self.sower.chance.random() < 0.8 else f"{native} {trade}"
            if plain(name) in taken:
                city = place["city"]
                name = f"{native} {trade} {city} {form}"
            if plain(name) in taken:
                continue
            taken.add(plain(name))
            found.append((name, f"{ascii_name}{len(found)}", place))
        return found

    def sow_accounts(self) -> None:
        """Companies first, then people who are accounts themselves."""
        chance = self.sower.chance
        taken: set[str] = set()
        for number, (name, domain, place) in enumerate(self.names(taken)):
            imported = number % 5 == 0
            created = plan.IMPORT_DAYS_AGO if imported else chance.uniform(2, 1000)
            changed = created if imported else chance.uniform(0.01, created)
            values: Row = {
                "Name": name,
                "Type": self.pick(("Prospect", "Customer - Direct", "Customer - Direct", "Partner", None)),
                "Phone": self.phone(place) if chance.random() < 0.9 else None,
                "Fax": self.phone(place) if chance.random() < 0.1 else None,
                "AccountNumber": f"CD{100000 + number}" if chance.random() < 0.6 else None,
                "Website": f"https://www.{domain}.example" if chance.random() < 0.7 else None,
                "Industry": self.pick(INDUSTRIES),
                "AnnualRevenue": chance.randint(2, 900) * 100_000 if chance.random() < 0.5 else None,
                "NumberOfEmployees": chance.randint(2, 5000) if chance.random() < 0.5 else None,
                "Rating": self.pick(("Hot", "Warm", "Cold", None)),
                "CurrencyIsoCode": "EUR" if place["country"] in EURO_COUNTRIES else "GBP",
                "Payment_Terms__c": self.pick(TERMS),
                "Tax_Number__c": f"GB{chance.randint(100000000, 999999999)}"
                if place["language"] == "en"
                else None,
                "Ext_Id__c": f"LEGACY-{number:05d}" if imported else None,
                "Description": self.pick((None, None, "Prefers e-mail.\nOrders once a quarter.")),
                "IsPersonAccount": False,
                "OwnerId": self.pick(self.sower.users),
            }
            if number != 17:  # one account without any address
                values |= self.address("Billing", place)
                if chance.random() < 0.3:
                    values |= self.address("Shipping", place)
            self._account(values, domain, place["language"], created, changed)
        for _ in range(plan.PERSON_ACCOUNTS):
            self._person(taken)

    def _account(self, values: Row, domain: str, language: str, created: float, changed: float) -> Row:
        row = self.sower.add("Account", values, created, changed)
        self.accounts.append(row)
        self.domains[str(row["Id"])] = f"{domain}.example"
        self.languages[str(row["Id"])] = language
        return row

    def person(self, language: str) -> tuple[str, str, str]:
        """First name, last name, and both in ASCII for an address."""
        first, first_ascii = self.pick(plan.words()["first"][language])
        last, last_ascii = self.pick(plan.words()["last"][language])
        return first, last, f"{first_ascii}.{last_ascii}"

    def _person(self, taken: set[str]) -> None:
        place = self.place()
        first, last, local = self.person(place["language"])
        while plain(full_name(first, last)) in taken:
            first, last, local = self.person(place["language"])
        taken.add(plain(full_name(first, last)))
        created = self.sower.chance.uniform(5, 700)
        contact_id = self.sower.state.context.next_id(self.sower.object("Contact"))
        values: Row = {
            "Name": full_name(first, last), "FirstName": first, "LastName": last, "IsPersonAccount": True,
            "PersonEmail": f"{local}@home.example", "PersonMobilePhone": self.phone(place), "Phone": self.phone(place),
            "CurrencyIsoCode": "EUR" if place["country"] in EURO_COUNTRIES else "GBP", "PersonContactId": contact_id,
            "Payment_Terms__c": "NET14", **self.address("Billing", place), **self.address("PersonMailing", place),
        }  # fmt: skip
        row = self._account(values, "home", place["language"], created, created / 3)
        shadow = contact_of_person(row) | {"Id": contact_id, "Name": row["Name"], "AccountId": row["Id"]}
        shadow |= {"IsPersonAccount": True, "CurrencyIsoCode": row["CurrencyIsoCode"], "Billing__c": False}
        self.sower.add("Contact", shadow, created, created / 3)

    def sow_contacts(self) -> None:
        """One to four people an account, at most one of them marked as the one who pays."""
        chance = self.sower.chance
        companies = [row for row in self.accounts if not row["IsPersonAccount"]]
        counts = [1] * len(companies)
        for _ in range(plan.CONTACTS - plan.PERSON_ACCOUNTS - len(companies)):
            free = [
                at
                for at in chance.sample(range(len(companies)), 8)
                if counts[at] < plan.CONTACTS_AN_ACCOUNT_MAX
            ]
            counts[free[0] if free else chance.randrange(len(companies))] += 1
        for account, count in zip(companies, counts, strict=True):
            used: set[str] = set()
            for number in range(count):
                self._contact(account, number, used)

    def _contact(self, account: Row, number: int, used: set[str]) -> None:
        chance = self.sower.chance
        account_id = str(account["Id"])
        first, last, local = self.person(self.languages[account_id])
        local = f"{local}{number}" if local in used else local
        used.add(local)
        created = chance.uniform(1, 800)
        values: Row = {
            "AccountId": account_id,
            "FirstName": first if chance.random() < 0.97 else None,
            "LastName": last,
            "Salutation": self.pick((None, None, "Ms.", "Mr.", "Dr.")),
            "Email": f"{local}@{self.domains[account_id]}" if number == 0 or chance.random() < 0.85 else None,
            "Phone": account["Phone"] if chance.random() < 0.6 else None,
            "MobilePhone": f"+44 7700 900{chance.randint(0, 999):03d}" if chance.random() < 0.3 else None,
            "Title": self.pick(plan.words()["titles"]),
            "CurrencyIsoCode": account["CurrencyIsoCode"],
            "Billing__c": number == 0 and chance.random() < 0.7,
            "Languages__c": self.pick((None, "English", "English;German", "French;English")),
            "IsPersonAccount": False,
        }
        values["Name"] = full_name(values["FirstName"], values["LastName"])
        self.contacts.append(self.sower.add("Contact", values, created, chance.uniform(0.01, created)))

    def sow_leads(self) -> None:
        """Leads; some are people we know already, by the same address."""
        chance = self.sower.chance
        known = chance.sample([row for row in self.contacts if row["Email"]], plan.SHARED_EMAILS)
        for number in range(plan.LEADS):
            place = self.place()
            first, last, local = self.person(place["language"])
            native, ascii_name = self.pick(plan.words()["company"][place["language"]])
            email: Any = f"{local}@{ascii_name}-{number}.example" if chance.random() < 0.9 else None
            if number < len(known):
                same = known[number]
                first, last, email = str(same["FirstName"] or ""), str(same["LastName"]), same["Email"]
            created = chance.uniform(0.5, 400)
            values: Row = {
                "FirstName": first or None, "LastName": last, "Name": full_name(first, last), "Email": email,
                "Company": f"{native} {self.pick(plan.words()['trade'][place['language']])}",
                "Status": self.pick(("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")),
                "LeadSource": self.pick(("Web", "Phone Inquiry", "Partner Referral", None)),
                "Phone": self.phone(place) if chance.random() < 0.7 else None,
                "CurrencyIsoCode": "EUR" if place["country"] in EURO_COUNTRIES else "GBP",
                "IsConverted": False, "IsUnreadByOwner": chance.random() < 0.2, **self.address("", place),
            }  # fmt: skip
            self.leads.append(self.sower.add("Lead", values, created, chance.uniform(0.01, created)))
