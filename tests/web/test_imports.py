"""Cases from files: mapped, previewed, imported row by row."""

from __future__ import annotations

import io

import openpyxl

from web.office import Office

CSV = """Kunde;Nr;Fällig;Betrag;Land;KdNr
Müller GmbH;R-1;01.05.2026;1.234,50;DE;K1
Müller GmbH;R-2;02.05.2026;100,00;DE;K1
=HYPERLINK("x");R-3;03.05.2026;5,00;DE;K2
Schmidt;R-4;31.02.2026;5,00;DE;K3
Schmidt;R-5;04.05.2026;fünf;DE;K3
Schmidt;R-6;04.05.2030;7,00;DE;K3
Schmidt;R-7;04.05.2026;8,00;DE;K3
;R-8;04.05.2026;8,00;DE;K4
Shifted;R-9;04.05.2026;8,00;DE;K5;extra
""".encode("cp1252")
MAPPING = {
    "name": "Buchhaltung", "date_format": "DD.MM.YYYY", "decimal_mark": ",", "defaults": {"currency": "EUR"},
    "columns": {"debtor_name": "Kunde", "number": "Nr", "due_on": "Fällig", "amount": "Betrag", "country": "Land",
                "debtor_ref": "KdNr"},
}  # fmt: skip


def _mapped(office: Office, **changes: object) -> str:
    response = office.client("kroon").post("/api/v1/mappings", json={**MAPPING, **changes})
    assert response.status_code == 201, response.text
    mapping_id: str = response.json()["mapping_id"]
    return mapping_id


def test_good_rows_enter_and_bad_ones_say_why(both_office: Office) -> None:
    client = both_office.client("kroon")
    params = {"mapping_id": _mapped(both_office), "name": "mai.csv"}
    preview = client.post("/api/v1/imports/preview", params=params, content=CSV).json()["items"]
    assert [(row["amount"], row["due_on"]) for row in preview[:2]] == [("1234.50", "2026-05-01"), ("100.00", "2026-05-02")]
    assert both_office.client("operator").get("/api/v1/cases").json()["items"] == []
    imported = client.post("/api/v1/imports", params=params, content=CSV).json()
    assert (imported["rows"], imported["cases"], imported["refused"]) == (9, 3, 5)
    wrong = {row["line"]: row["errors"][0]["field"] for row in imported["results"] if row["errors"]}
    assert wrong == {5: "Fällig", 6: "Betrag", 7: "due_on", 9: "Kunde", 10: ""}
    totals = {item["debtor_ref"]: item["total"] for item in client.get("/api/v1/cases").json()["items"]}
    assert totals == {"K1": "1334.50", "K2": "5.00", "K3": "8.00"}
    quarantined = client.get("/api/v1/quarantine").json()["items"]
    assert len(quarantined) == 5
    saved = client.get(f"/api/v1/quarantine/{quarantined[0]['quarantine_id']}/content")
    assert saved.content == CSV
    again = client.post("/api/v1/imports", params=params, content=CSV).json()
    assert (again["cases"], again["refused"]) == (0, 9)
    assert len(client.get("/api/v1/cases").json()["items"]) == 3


def test_a_workbook_is_read_like_a_text_file(office: Office) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Kunde", "Nr", "Fällig", "Betrag", "Land", "KdNr"])
    sheet.append(["Δοκιμή ΑΕ", "R-1", "2026-05-01", "12,50", "GR", "K9"])
    content = io.BytesIO()
    book.save(content)
    params = {"mapping_id": _mapped(office), "name": "mai.xlsx"}
    imported = office.client("kroon").post("/api/v1/imports", params=params, content=content.getvalue()).json()
    assert (imported["rows"], imported["cases"]) == (1, 1)


def test_a_file_that_is_no_table_is_refused_whole(office: Office) -> None:
    params = {"mapping_id": _mapped(office), "name": "x.csv"}
    response = office.client("kroon").post("/api/v1/imports", params=params, content=b"PK\x03\x04rubbish")
    assert (response.status_code, response.json()["code"]) == (422, "not-understood")


def test_a_mapping_belongs_to_its_creditor_and_must_be_whole(office: Office) -> None:
    mapping_id = _mapped(office)
    params = {"mapping_id": mapping_id, "name": "mai.csv"}
    assert office.client("other").post("/api/v1/imports", params=params, content=CSV).status_code == 404
    assert office.client("other").get("/api/v1/mappings").json()["items"] == []
    assert _mapped(office, date_format="YYYYMMDD") == mapping_id
    bad = office.client("kroon").post("/api/v1/mappings", json={**MAPPING, "columns": {"debtor_name": "Kunde"}})
    assert (bad.status_code, bad.json()["code"]) == (422, "refused")
    foreign = office.client("kroon").post("/api/v1/mappings", json={**MAPPING, "creditor_id": "other"})
    assert foreign.status_code == 404


def test_what_sap_drops_enters_net_of_its_credits(office: Office) -> None:
    """An FBL5N list: 1000 and 200 open, 300 paid on account; one row is no amount."""
    bar = "-" * 60
    rows = ("1800000001|31.03.2026|1.000,00", "1800000002|31.03.2026|200,00", "1400000001|05.04.2026|300,00-", "9|x|y")
    table = "\n".join(f"|  |{row}|EUR|" for row in rows)
    content = f"Customer    10001\n{bar}\n|St|DocumentNo|Net due|Amount|Curr.|\n{bar}\n{table}\n{bar}\n".encode()
    columns = {
        "debtor_ref": "Customer", "debtor_name": "Customer", "number": "DocumentNo", "due_on": "Net due",
        "amount": "Amount", "currency": "Curr.",
    }  # fmt: skip
    params = {"mapping_id": _mapped(office, name="FBL5N", columns=columns, defaults={}), "name": "fbl5n.txt"}
    client = office.client("kroon")
    imported = client.post("/api/v1/imports", params=params, content=content).json()
    assert (imported["rows"], imported["cases"], imported["refused"]) == (4, 1, 1)
    (case,) = client.get("/api/v1/cases").json()["items"]
    assert case["total"] == "900.00"


def test_credits_alone_open_nothing(office: Office) -> None:
    content = "Kunde;Nr;Fällig;Betrag;Land;KdNr\nMüller;G-1;01.05.2026;-5,00;DE;K1\n".encode("cp1252")
    params = {"mapping_id": _mapped(office), "name": "mai.csv"}
    imported = office.client("kroon").post("/api/v1/imports", params=params, content=content).json()
    assert (imported["cases"], imported["refused"]) == (0, 1)
