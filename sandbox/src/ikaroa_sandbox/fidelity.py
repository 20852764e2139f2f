"""FIDELITY.md: every rule that is kept, where it is known from, and in plain words what the sandbox is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ikaroa_sandbox.core import Rule

MARKS = {
    "documented": "the platform, or somebody who quotes or probed it, says so",
    "recorded": "seen in recorded traffic of the real service, or in the texts people report from it",
    "assumed": "known from nowhere: every variant is here, the first (the stricter one) holds unless another is chosen",
}

NOT_SIMULATED: tuple[tuple[str, str, str], ...] = (
    ("Salesforce search (SOSL)", "GET", "/services/data/v62.0/search"),
    ("Salesforce composite graphs", "POST", "/services/data/v62.0/composite/graph"),
    (
        "Salesforce layouts, list views and quick actions",
        "GET",
        "/services/data/v62.0/sobjects/Account/describe/layouts",
    ),
    ("Salesforce GraphQL", "POST", "/services/data/v62.0/graphql"),
    ("Salesforce Tooling API", "GET", "/services/data/v62.0/tooling/query"),
    ("Salesforce reports", "GET", "/services/data/v62.0/analytics/reports"),
    ("Salesforce Apex REST", "GET", "/services/apexrest/anything"),
    ("Xero bank transactions and transfers", "GET", "/api.xro/2.0/BankTransactions"),
    ("Xero batch payments", "GET", "/api.xro/2.0/BatchPayments"),
    ("Xero over- and prepayments", "GET", "/api.xro/2.0/Prepayments"),
    ("Xero purchase orders", "GET", "/api.xro/2.0/PurchaseOrders"),
    ("Xero repeating invoices", "GET", "/api.xro/2.0/RepeatingInvoices"),
    ("Xero manual journals", "GET", "/api.xro/2.0/ManualJournals"),
    ("Xero users", "GET", "/api.xro/2.0/Users"),
    ("Xero reports", "GET", "/api.xro/2.0/Reports/TrialBalance"),
    ("Xero payroll", "GET", "/payroll.xro/2.0/Employees"),
    ("Xero files", "GET", "/files.xro/1.0/Files"),
)
"""What there is to call and is not here: (what, a method, a path of it). Each answers 501; a test asks them all."""

LIMITS = """\
- It is made from documentation, public issue threads and recorded traffic. Nobody has compared it with a live organisation;
  `recorded` is as near as it comes. Where the platforms differ from it, the platforms are right.
- Salesforce here has no validation rules, flows, triggers, Apex, sharing rules or duplicate rules of your own. What an org's
  administrator has added is what a real run meets first; `POST /_sandbox/edit` can hide fields and objects and add fields.
- Xero here is one UK organisation on one chart of accounts, with a tax rate of each common kind; other countries' taxes,
  bank feeds, reports, payroll, inventory and currency revaluation are absent. Day rates of currencies stand still.
- It has one user a system, one region and no load. Answers come in a millisecond; only faults make them slow.
- Limits are counted for this one client; other apps do not use them up unless a fault or an edit says so.
- A late commit is judged when it happens, its token and limits included, as if it had arrived then.
- A stale read answers from the whole state of then, its own call limits included.
- On sockets a connection that was never made cannot be played (`connect_failed` cuts it instead), nor a failed TLS handshake.
- A bulk query sees the org at one moment; the real one reads a big object in chunks, each at a moment of its own. Of Bulk
  API 1.0 there are queries in CSV, and no writing.
- Xero takes bodies in XML here, and answers in JSON alone; forms that hold XML are not read.
- Webhooks are not played; of the streaming APIs only Pub/Sub with change events is.
- Its credentials are public and its data is unprotected: it is no place for real data, and listens on loopback alone."""


def fidelity_page(rules: Iterable[Rule]) -> str:
    """The whole page, in Markdown: counts, limits, and the rules by system and subject, in the order they are declared."""
    systems = _grouped(rules, lambda rule: rule.id.split(".")[0].capitalize())
    counts = "\n".join(
        f"| {name} | {len(own)} | "
        + " | ".join(str(sum(rule.mark == mark for rule in own)) for mark in MARKS)
        + " |"
        for name, own in systems.items()
    )
    marks = "\n".join(f"- **{mark}**: {meaning}." for mark, meaning in MARKS.items())
    missing = "\n".join(f"| {what} | `{method} {path}` |" for what, method, path in NOT_SIMULATED)
    sections = "\n\n".join(_section(name, own) for name, own in systems.items())
    return f"""# Fidelity

Which of the platforms' rules the sandbox keeps, and where each is known from. Generated from the rules in the code by
`ikaroa-sandbox fidelity --write sandbox/FIDELITY.md`; a test holds the two together.

{marks}

Assumed rules are drawn by a seed (`POST /_sandbox/variants {{"seed": 1}}`) or chosen one by one, so that a client can be shown
to do its work whichever of them is true.

| system | rules | {" | ".join(MARKS)} |
|---|---|{"---|" * len(MARKS)}
{counts}

## What it is not

{LIMITS}

What there is to call and is not here answers 501 with its name, never a silent 200. Among it:

| not here | for example |
|---|---|
{missing}

{sections}
"""


def _section(name: str, rules: list[Rule]) -> str:
    parts = [f"## {name}"]
    for subject, own in _grouped(rules, lambda rule: rule.id.split(".")[1]).items():
        parts.append(f"### {subject.replace('_', ' ').capitalize()}")
        rows = "\n".join(
            f"| `{rule.id}` | {_cell(rule.text)} | {rule.mark} | {_cell(rule.source)} | {_variants(rule)} |"
            for rule in own
        )
        parts.append(f"| rule | what it says | mark | known from | variants |\n|---|---|---|---|---|\n{rows}")
    return "\n\n".join(parts)


def _grouped(rules: Iterable[Rule], key: Callable[[Rule], str]) -> dict[str, list[Rule]]:
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(key(rule), []).append(rule)
    return groups


def _variants(rule: Rule) -> str:
    if rule.mark != "assumed":
        return ""
    first, *others = rule.variants
    return ", ".join([f"**{first}**", *others])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
