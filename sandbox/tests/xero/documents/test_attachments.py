"""Files beside records. Xero developer docs (Attachments)."""

from __future__ import annotations

from typing import Any

import pytest
from ikaroa_sandbox.core import Headers, Request, Response

PDF = b"%PDF-1.7\x00\xff\xfe not text"
NOBODY = "11111111-2222-4333-8444-555555555555"


def send(
    org: Any, method: str, path: str, body: bytes = b"", kind: str = "application/pdf", query: str = ""
) -> Response:
    org.call("GET", "Organisation")  # moves the clock on and keeps the token alive
    headers = Headers({"Authorization": f"Bearer {org._token}", "Content-Type": kind, "Accept": "*/*"})
    return org.backend.handle(Request(method, f"/api.xro/2.0/{path}", query, headers, body))


def attached(org: Any, path: str) -> list[dict[str, Any]]:
    return org.call("GET", f"{path}/Attachments").content["Attachments"]


@pytest.fixture
def invoice(org: Any) -> str:
    return f"Invoices/{org.invoice()['InvoiceID']}"


def test_every_family_with_files_takes_and_gives_them_byte_for_byte(org: Any, invoice: str) -> None:
    account = next(row for row in org.call("GET", "Accounts").content["Accounts"] if row.get("Code") == "200")
    paths = (
        invoice,
        f"Contacts/{org.contact()['ContactID']}",
        f"CreditNotes/{org.credit_note()['CreditNoteID']}",
        f"Accounts/{account['AccountID']}",
    )
    for path in paths:
        assert send(org, "PUT", f"{path}/Attachments/Terms of sale.pdf", PDF).status == 200, path
        (file,) = attached(org, path)
        assert (file["FileName"], file["MimeType"]) == ("Terms of sale.pdf", "application/pdf")
        assert file["ContentLength"] == len(PDF)
        for key in ("Terms of sale.pdf", file["AttachmentID"]):
            answer = send(org, "GET", f"{path}/Attachments/{key}")
            assert (answer.body, answer.headers["Content-Type"]) == (PDF, "application/pdf")


def test_reads_tell_of_files_and_a_single_read_lists_them(org: Any, invoice: str) -> None:
    key = invoice.rpartition("/")[2]
    assert org.get("Invoices", key)["HasAttachments"] is False
    send(org, "POST", f"{invoice}/Attachments/a.pdf", PDF)
    read = org.get("Invoices", key)
    assert read["HasAttachments"] is True
    assert [file["FileName"] for file in read["Attachments"]] == ["a.pdf"]
    (listed,) = org.call("GET", "Invoices", query=f"IDs={key}&page=1").content["Invoices"]
    assert (listed["HasAttachments"], "Attachments" in listed) == (True, False)
    filed = org.call("GET", "Invoices", query="where=HasAttachments==true").content["Invoices"]
    assert [row["InvoiceID"] for row in filed] == [key]


def test_the_same_name_again_takes_the_place_of_the_file(org: Any, invoice: str) -> None:
    send(org, "PUT", f"{invoice}/Attachments/a.pdf", PDF)
    send(org, "PUT", f"{invoice}/Attachments/A.pdf", PDF + b"2")
    (file,) = attached(org, invoice)
    assert file["ContentLength"] == len(PDF) + 1


def test_ten_files_are_the_most(org: Any, invoice: str) -> None:
    statuses = [send(org, "PUT", f"{invoice}/Attachments/{n}.pdf", PDF).status for n in range(11)]
    assert statuses == [200] * 10 + [400]
    assert send(org, "PUT", f"{invoice}/Attachments/0.pdf", PDF).status == 200
    assert len(attached(org, invoice)) == 10


def test_how_large_a_file_may_be_is_open(org: Any, invoice: str) -> None:
    large = b"x" * 11_000_000
    assert send(org, "PUT", f"{invoice}/Attachments/a.bin", large).status == 400
    org.choose("xero.attachments.size", "25_mb")
    assert send(org, "PUT", f"{invoice}/Attachments/a.bin", large).status == 200
    assert send(org, "PUT", f"{invoice}/Attachments/b.bin", b"x" * 25_000_001).status == 400


def test_whether_a_file_moves_the_stamp_is_open(org: Any, invoice: str) -> None:
    key = invoice.rpartition("/")[2]
    before = org.get("Invoices", key)["UpdatedDateUTC"]
    send(org, "PUT", f"{invoice}/Attachments/a.pdf", PDF)
    assert org.get("Invoices", key)["UpdatedDateUTC"] == before
    org.choose("xero.attachments.stamps", "stamped")
    send(org, "PUT", f"{invoice}/Attachments/b.pdf", PDF)
    assert org.get("Invoices", key)["UpdatedDateUTC"] > before


@pytest.mark.parametrize(("name", "content"), [("a.pdf", b""), (" ", PDF)])
def test_a_file_without_name_or_content_is_refused(org: Any, invoice: str, name: str, content: bytes) -> None:
    assert send(org, "PUT", f"{invoice}/Attachments/{name}", content).status == 400
    assert attached(org, invoice) == []


def test_an_unknown_record_or_file_is_404_and_files_are_not_deleted(org: Any, invoice: str) -> None:
    assert send(org, "PUT", f"Invoices/{NOBODY}/Attachments/a.pdf", PDF).status == 404
    assert send(org, "GET", f"{invoice}/Attachments/a.pdf").status == 404
    assert send(org, "DELETE", f"{invoice}/Attachments/a.pdf").status == 501
    assert (
        send(
            org,
            "PUT",
            f"Items/{org.call('GET', 'Items').content['Items'][0]['ItemID']}/Attachments/a.pdf",
            PDF,
        ).status
        == 501
    )


def test_whether_customers_see_a_file_online_is_told(org: Any, invoice: str) -> None:
    send(org, "PUT", f"{invoice}/Attachments/a.pdf", PDF, query="IncludeOnline=True")
    send(org, "PUT", f"{invoice}/Attachments/b.pdf", PDF)
    assert [file["IncludeOnline"] for file in attached(org, invoice)] == [True, False]


def test_files_are_dumped_saved_and_restored(org: Any, invoice: str) -> None:
    send(org, "PUT", f"{invoice}/Attachments/a.pdf", PDF)
    saved = org.backend.save()
    send(org, "PUT", f"{invoice}/Attachments/b.pdf", PDF)
    org.backend.restore(saved)
    assert [row["FileName"] for row in org.backend.dump()["Attachments"]] == ["a.pdf"]
