"""Money comes in: kept, matched, booked once, undone by returns; what is unsure waits for a person."""

from __future__ import annotations

import hashlib
from typing import Any

from payments.bank_samples import IBAN, camt, coda, mt940, paid

from collecthub.model.payment_reference import ogm_digits, rf_reference
from web.office import Office


def upload(office: Office, content: bytes, who: str = "kroon", wanted: int = 200, **params: Any) -> dict[str, Any]:
    response = office.client(who).post("/api/v1/payments/imports", params={"name": "bank.xml", **params}, content=content)
    assert response.status_code == wanted, response.text
    found: dict[str, Any] = response.json()
    return found


def owed(office: Office, case_id: str) -> tuple[str, str]:
    """What is owed and what was paid, as the case says."""
    sheet = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    return sheet["balance"]["total"], sheet["balance"]["payments"]


def listed(office: Office, state: str = "waiting", who: str = "kroon") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = office.client(who).get("/api/v1/payments", params={"state": state}).json()["items"]
    return items


def test_references_book_at_once_and_the_rest_waits_with_reasons(both_office: Office) -> None:
    first, second, third = (both_office.open_case() for _ in range(3))
    content = camt(
        "camt.053",
        [
            paid("120.50", ref=f"+++{ogm_digits(first['number'])}+++", name="SOMEBODY ELSE"),
            paid("20.50", text=f"RF {rf_reference(second['number'])}".removeprefix("RF ")),
            paid("100.00", text="no idea", name="Jan Jansen"),
            paid("120.50", text=f"dossier {third['number'].lower()}"),
            paid("100.00", ref="RF98123456789012"),
        ],
    )
    found = upload(both_office, content)
    assert (found["file"]["transactions"], found["file"]["fresh"], found["file"]["statements"]) == (5, 5, 1)
    assert found["match"] == {"booked": 3, "known": 0, "returned": 0, "waiting": 2}
    assert owed(both_office, first["case_id"]) == ("0.00", "120.50")
    assert owed(both_office, second["case_id"]) == ("100.00", "20.50")
    assert owed(both_office, third["case_id"]) == ("0.00", "120.50")
    stranger, mistyped = listed(both_office)
    assert stranger["candidates"] == [] and stranger["payer_name"] == "Jan Jansen"
    assert mistyped["remarks"] == ["the reference RF98123456789012 fails its check digits"]
    closed = both_office.client("kroon").get(f"/api/v1/cases/{first['case_id']}").json()
    assert closed["outcome"] == "paid_before_handover"
    again = upload(both_office, content)
    assert (again["file"]["is_duplicate"], again["match"]["booked"]) == (True, 0)
    assert owed(both_office, second["case_id"]) == ("100.00", "20.50")


def test_the_same_money_in_four_files_counts_once(both_office: Office) -> None:
    case = both_office.open_case()
    one = paid("20.00", ref=ogm_digits(case["number"]), iban="BE71096123456769", name="ZOE", e2e="E-9", bank_ref="B-9")
    for kind in ("camt.052", "camt.054", "camt.053"):
        upload(both_office, camt(kind, [one], ident=f"{kind}-7"))
    upload(both_office, coda([{**one, "bank_ref": "CODA-REF-1"}]))
    upload(both_office, mt940([{**one, "bank_ref": "MT-1"}]))
    assert owed(both_office, case["case_id"]) == ("100.50", "20.00")
    (booked,) = listed(both_office, "")
    assert (booked["state"], booked["kind"]) == ("booked", "camt.052")


def test_two_equal_payments_are_two(office: Office) -> None:
    case = office.open_case()
    twice = [paid("10.00", text=case["number"]), paid("10.00", text=case["number"])]
    upload(office, camt("camt.054", twice))
    upload(office, camt("camt.053", twice))
    assert owed(office, case["case_id"]) == ("100.50", "20.00")
    upload(office, camt("camt.053", twice[:1], ident="S-2"))  # another statement: the bank does not repeat itself, or does it?
    (doubtful,) = listed(office)
    assert doubtful["remarks"] == ["may be the money that another camt.053 file shows (entry 1, line 1)"]
    assert owed(office, case["case_id"]) == ("100.50", "20.00")


def test_a_batch_booked_as_one_sum_is_not_added_to_its_payments(office: Office) -> None:
    one, two = office.open_case(), office.open_case()
    details = [paid("10.00", text=one["number"]), paid("20.00", text=two["number"])]
    whole = camt("camt.054", details).decode()
    batch = whole.replace("</TxDtls></NtryDtls></Ntry>", "", 1)
    head, _, rest = batch.partition("<Ntry>")
    entries = rest.split("<Ntry>")
    inner = [entry.partition("<TxDtls>")[2].partition("</TxDtls>")[0] for entry in entries]
    priced = "".join(
        f'<TxDtls><Amt Ccy="EUR">{detail["amount"]}</Amt>{text}</TxDtls>' for detail, text in zip(details, inner, strict=True)
    )
    entry = (
        '<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-10</Dt></BookgDt>'
        "<AcctSvcrRef>BATCH-1</AcctSvcrRef><BkTxCd/>%s</Ntry>"
    )
    tail = "</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    upload(office, (head + entry % f"<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>{priced}</NtryDtls>" + tail).encode())
    assert [owed(office, case["case_id"])[1] for case in (one, two)] == ["10.00", "20.00"]
    upload(office, camt("camt.053", [paid("30.00", bank_ref="BATCH-1")]))
    assert [row["state"] for row in listed(office, "")] == ["booked", "booked"]


def test_a_return_undoes_what_it_names(both_office: Office) -> None:
    case = both_office.open_case()
    first = paid("120.50", text=case["number"], iban="BE71096123456769", e2e="E-5")
    upload(both_office, camt("camt.053", [first]))
    assert owed(both_office, case["case_id"]) == ("0.00", "120.50")
    back = paid("120.50", iban="BE71096123456769", e2e="E-5", back=True, reason="AC04")
    found = upload(both_office, camt("camt.053", [back], ident="S-2"))
    assert found["match"]["returned"] == 1
    assert owed(both_office, case["case_id"]) == ("120.50", "0.00")
    seen = both_office.client("operator").get(f"/api/v1/cases/{case['case_id']}").json()
    assert (seen["status"], seen["outcome"]) == ("ready", None)
    assert sorted(row["state"] for row in listed(both_office, "")) == ["returned", "undid"]
    upload(both_office, coda([back]))  # the same return again, in another format
    assert owed(both_office, case["case_id"]) == ("120.50", "0.00")


def test_a_return_that_names_nothing_waits(office: Office) -> None:
    one, two = office.open_case(), office.open_case()
    upload(office, camt("camt.053", [paid("50.00", text=one["number"]), paid("50.00", text=two["number"])]))
    upload(office, camt("camt.053", [paid("50.00", back=True)], ident="S-2"))
    (back,) = listed(office)
    assert back["state"] == "return"
    original = next(row for row in listed(office, "booked") if row["case_id"] == two["case_id"])
    done = office.client("kroon").post(f"/api/v1/payments/{back['payment_id']}/undo", json={"original_id": original["payment_id"]})
    assert done.status_code == 200 and done.json()["state"] == "undid"
    assert [owed(office, case["case_id"])[1] for case in (one, two)] == ["50.00", "0.00"]


def test_a_wrong_file_leaves_nothing_but_its_reason(both_office: Office) -> None:
    case = both_office.open_case()
    good = camt("camt.053", [paid("10.00", text=case["number"]), paid("11.00", text=case["number"])])
    wrong = good.replace(b'<Amt Ccy="EUR">11.00</Amt>', b'<Amt Ccy="EUR">11.00.0</Amt>')
    found = upload(both_office, wrong)["file"]
    assert (found["state"], found["place"]) == ("refused", "entry 2, line 1")
    assert "'11.00.0' is not an amount" in found["problem"]
    assert owed(both_office, case["case_id"])[1] == "0" and listed(both_office, "") == []
    (kept,) = both_office.client("kroon").get("/api/v1/payments/files").json()["items"]
    assert kept["sha256"] == hashlib.sha256(wrong).hexdigest()
    assert both_office.hub.evidence.read(kept["sha256"]) == wrong
    assert "bank_file" in {task["kind"] for task in both_office.client("operator").get("/api/v1/tasks").json()["items"]}
    assert upload(both_office, good)["match"]["booked"] == 2


def test_balances_that_do_not_add_up_are_told(office: Office) -> None:
    broken = camt("camt.053", [paid("10.00")]).replace(b'<Amt Ccy="EUR">1010.00</Amt>', b'<Amt Ccy="EUR">1510.00</Amt>')
    (finding,) = upload(office, broken)["file"]["findings"]
    assert "500.00 is not explained" in finding


def test_people_settle_what_is_unsure_and_only_once(both_office: Office) -> None:
    case, other = both_office.open_case(), both_office.open_case()
    foreign = both_office.open_case("other")
    upload(both_office, camt("camt.053", [paid("150.00", text="thanks"), paid("7.00", text="?"), paid("130.00", text=case["number"])]))
    first, second, more = listed(both_office)
    assert more["candidates"][0]["objections"] == ["is more than the 120.50 EUR that are owed"]
    client = both_office.client("kroon")
    path = f"/api/v1/payments/{first['payment_id']}/assign"
    assert client.post(path, json={"case_id": case["case_id"]}).status_code == 422  # more than is owed
    assert client.post(path, json={"case_id": foreign["case_id"], "amount": "1.00"}).status_code == 404
    part = client.post(path, json={"case_id": case["case_id"], "amount": "100.00"}).json()
    assert (part["state"], part["remaining"]) == ("open", "50.00")
    rest = client.post(path, json={"case_id": other["case_id"]}).json()
    assert (rest["state"], rest["remaining"]) == ("booked", "0.00")
    assert client.post(path, json={"case_id": other["case_id"]}).status_code == 422
    assert [owed(both_office, one["case_id"])[1] for one in (case, other)] == ["100.00", "50.00"]
    aside = client.post(f"/api/v1/payments/{second['payment_id']}/set-aside", json={"note": "a deposit"}).json()
    assert (aside["state"], aside["note"]) == ("set_aside", "a deposit")
    assert both_office.client("other").get(f"/api/v1/payments/{first['payment_id']}").status_code == 404
    assert both_office.client("bailiff").get("/api/v1/payments").status_code == 403


def test_an_account_has_one_owner_and_the_client_account_serves_all(office: Office) -> None:
    mine, theirs = office.open_case(), office.open_case("other")
    money = [paid("1.00", text=mine["number"]), paid("2.00", text=theirs["number"])]
    assert upload(office, camt("camt.053", money), "operator", 422)["code"] == "refused"  # nobody said whose it is
    found = upload(office, camt("camt.053", money), "operator", client_account=True)
    assert found["match"]["booked"] == 2
    assert listed(office, "") == [] and len(listed(office, "", "operator")) == 2
    assert upload(office, camt("camt.053", money, ident="S-3"), "kroon", 422)["code"] == "refused"
    on_kroon = camt("camt.053", [paid("3.00", text=theirs["number"])], account="BE71096123456769")
    assert upload(office, on_kroon, "operator", creditor_id="kroon")["match"]["booked"] == 0  # another creditor's case
    assert owed(office, theirs["case_id"])[1] == "2.00"


def test_invoice_number_with_amount_or_name_books_and_alone_it_waits(office: Office) -> None:
    claim = {"number": "2026/F-77", "due_on": "2026-05-01", "amount": "99.00"}
    case = office.open_case(claims=[claim], debtor={"name": "Café Zoé SPRL", "country": "BE"})
    upload(office, camt("camt.053", [paid("9.00", text="fact 2026 F 77"), paid("99.00", name="ZOE CAFE", text="merci")]))
    invoice, name = listed(office)
    assert (invoice["score"], invoice["candidates"][0]["reasons"]) == (60, ["names invoice 2026/F-77"])
    assert (name["score"], name["candidates"][0]["reasons"]) == (60, ["is exactly what is owed", "comes from the debtor"])
    upload(office, camt("camt.053", [paid("10.00", text="F-77 / 2026F77", name="Cafe Zoe")], ident="S-2"))
    assert owed(office, case["case_id"])[1] == "10.00"


def test_the_reference_of_a_case_is_shown_and_drawn(office: Office) -> None:
    belgian, german = office.open_case(), office.open_case(debtor={"name": "Müller GmbH", "country": "DE"})
    upload(office, camt("camt.053", [paid("1.00")]))  # makes the account known
    client = office.client("kroon")
    shown = client.get(f"/api/v1/cases/{belgian['case_id']}/payment-reference").json()
    digits = ogm_digits(belgian["number"])
    assert int(digits[:10]) % 97 == int(digits[10:]) % 97
    assert shown["reference"] == f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"
    assert (shown["account"], shown["owed"]) == (IBAN, "120.50")
    reference = client.get(f"/api/v1/cases/{german['case_id']}/payment-reference").json()["reference"]
    as_number = "".join(str(int(char, 36)) for char in reference[4:] + reference[:4])
    assert int(as_number) % 97 == 1
    drawn = client.get(f"/api/v1/cases/{german['case_id']}/payment-code")
    assert drawn.status_code == 200 and drawn.text.startswith("<svg")
    assert office.client("other").get(f"/api/v1/cases/{german['case_id']}/payment-reference").status_code == 404
