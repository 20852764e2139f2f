"""`make demo`: a deal won in Salesforce becomes an invoice in Xero, on the built-in sandbox, with nothing to sign up for.

Starts the sandbox, installs the plugins, runs `meltano run tap-salesforce-ikaroa target-xero`, shows what arrived, changes
a few records in Salesforce, runs again and shows that only those changed. Every figure in the tables is read from the two
simulated systems.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.processes import ROOT, Project, Sandbox, sandbox
from tools.tally import Line, Tally, owed_deals, tally

RUN = ("run", "tap-salesforce-ikaroa", "target-xero")
NAMES = {"contacts": "Contacts", "items": "Items", "invoices": "Invoices (draft)"}
console = Console(highlight=False, width=min(shutil.get_terminal_size((100, 24)).columns, 110))


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says what is being done and how long it took."""
    console.print(f"[bold]{title}[/] ", end="")
    started = time.monotonic()
    yield
    console.print(f"[dim]{time.monotonic() - started:.0f} s[/]")


def meltano(project: Project, *words: str, refusals: bool = False) -> str:
    """Runs a Meltano command; shows its output and stops the demo when it fails."""
    shown = " ".join(("meltano", *words))
    with step(f"$ {shown}"):
        done = project.run((*words, *state_of(words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output: str = done.stdout
    if done.returncode and not (refusals and "Kept for a person" in output):
        console.print(output, markup=False)
        raise SystemExit(f"'{shown}' ended with exit code {done.returncode}; its output is above.")
    return output


def state_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """The demo's bookmarks are its own, so that it never touches those of your sandbox."""
    return (f"--state-id-suffix=demo-{os.getpid()}",) if words[0] == "run" else ()


def documents_table(result: Tally) -> Table:
    """What arrived in Xero, a line a kind of document."""
    table = Table("In Xero", title_justify="left", box=None, header_style="dim", padding=(0, 2))
    for heading in ("created", "updated", "unchanged", "refused"):
        table.add_column(heading, justify="right")
    for line in result.lines:
        table.add_row(NAMES[line.kind], *(figure(count) for count in counts(line)))
    return table


def counts(line: Line) -> tuple[int, int, int, int]:
    """A line's figures in the table's order."""
    return line.created, line.updated, line.unchanged, len(line.missing)


def figure(count: int) -> str:
    """A figure; nothing is a quiet dot."""
    return f"{count:,}" if count else "[dim]·[/]"


def money_table(result: Tally) -> Table:
    """Both sides' sums per currency."""
    table = Table("Won deals", box=None, header_style="dim", padding=(0, 2))
    for heading in ("Salesforce", "Xero", "difference"):
        table.add_column(heading, justify="right")
    for money in result.money:
        difference = money.salesforce - money.awaited - money.xero
        verdict = "[green]0.00, to the cent[/]" if not difference else f"[red]{difference:,.2f}[/]"
        table.add_row(money.currency, f"{money.salesforce:,.2f}", f"{money.xero:,.2f}", verdict)
    return table


def show(result: Tally) -> None:
    """Prints both tables, and what to make of them."""
    console.print()
    console.print(documents_table(result))
    console.print()
    console.print(money_table(result))
    console.print()
    if not result.sound:
        raise SystemExit(
            "The two sides do not agree. That is a defect; please report it with the output above."
        )


def explain(result: Tally, output: str) -> None:
    """Shows what the run itself said about the refused document: the one thing the two systems cannot tell."""
    if not any(line.missing for line in result.lines):
        return
    said = [line.split("target-xero", 1)[1].strip() for line in output.splitlines() if "target-xero" in line]
    start = next(
        (number for number, line in enumerate(said) if line.startswith("Kept for a person")), len(said)
    )
    console.print(
        "[bold]What waits for a person[/] [dim](the run said so, and its exit code is 1 until it is settled)[/]"
    )
    for line in said[start + 1 :]:
        console.print(f"  {line}", markup=False)
    console.print()


def change_salesforce(org: Sandbox) -> list[str]:
    """A morning's work in Salesforce; returns what was done, in words."""
    state = org.snapshot("salesforce")["objects"]
    deals = owed_deals({"objects": state})
    account = next(row for row in state["Account"] if not row["IsDeleted"] and row.get("Phone"))
    product = next(row for row in state["Product2"] if not row["IsDeleted"] and row.get("ProductCode"))
    line = next(row for row in state["OpportunityLineItem"] if row["OpportunityId"] in deals)
    open_deal = next(
        row
        for row in state["Opportunity"]
        if not row["IsDeleted"]
        and not row["IsClosed"]
        and row.get("AccountId")
        and Decimal(row.get("Amount") or 0) > 0
    )
    update(org, "Account", account, Phone="+44 20 7946 0100")
    update(org, "Product2", product, Description="Now with a five-year warranty")
    update(org, "OpportunityLineItem", line, Quantity=int(Decimal(line["Quantity"])) + 1)
    update(org, "Opportunity", open_deal, StageName="Closed Won")
    org.edit(
        "salesforce",
        "insert",
        object="Account",
        fields={"Name": account["Name"], "Phone": "+44 20 7946 0177"},
    )
    return [
        f"{account['Name']}: a new telephone number",
        f"{product['Name']}: a new description",
        f"one more unit on a line of a won deal of {deals[line['OpportunityId']][1]:,.2f}",
        f"{open_deal['Name']}: won",
        f"a second account by the name of {account['Name']}, which Xero cannot have twice",
    ]


def update(org: Sandbox, kind: str, row: dict[str, Any], **fields: Any) -> None:
    """Changes a record in Salesforce as a person would."""
    org.edit("salesforce", "update", object=kind, id=row["Id"], fields=fields)


def main() -> int:
    """Runs the demo; returns the exit code."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ikaroa-demo-") as folder, sandbox() as org:
        variables = {
            **org.environment(),
            "COLUMNS": str(console.width - 4),  # so wide is what of the report is shown here
            "TARGET_XERO_LEDGER_PATH": str(Path(folder) / "ledger.sqlite"),
        }
        project = Project(ROOT, variables)
        source = org.snapshot("salesforce")["objects"]
        console.print("\n[bold]Salesforce to Xero[/], on a Salesforce and a Xero of your own at", org.url)
        console.print(
            f"[dim]{len(source['Account']):,} accounts, {len(source['Contact']):,} contacts, "
            f"{len(source['Lead']):,} leads, {len(source['Opportunity']):,} opportunities, "
            f"{len(source['OpportunityLineItem']):,} lines[/]\n"
        )
        meltano(project, "install")
        before = org.snapshot("xero")
        meltano(project, *RUN)
        after = org.snapshot("xero")
        show(tally(org.snapshot("salesforce"), after, before))
        console.print("[bold]Meanwhile in Salesforce[/]")
        for sentence in change_salesforce(org):
            console.print(f"  · {sentence}")
        console.print()
        output = meltano(project, *RUN, refusals=True)
        result = tally(org.snapshot("salesforce"), org.snapshot("xero"), after)
        show(result)
        explain(result, output)
    console.print(f"Done in {time.monotonic() - started:.0f} s. [bold]Next[/]")
    console.print("  make sandbox           a sandbox to play with, where `meltano run` finds it by itself")
    console.print("  README.md              'Real accounts': your own Salesforce and Xero, step by step")
    return 0


if __name__ == "__main__":
    sys.exit(main())
