"""Bank files are read: real ones of banks and of other projects, the wrong ones refused with line and reason."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bank.csv_rows import CsvLayout
from collecthub.formats.bank.reading import read_bank_file
from collecthub.formats.bank.statement import BankStatement, BankTransaction
from payments.bank_samples import IBAN, camt, coda, mt940, paid

CAMT = "formats/iso20022/samples"
# Wrong on purpose, or of another kind: refused with this place and these words.
REFUSED = {
    "formats/coda/Coda_faulty_version.txt": ("line 1", "version '5'"),
    "formats/coda/Coda_v2_3_faulty_globalisation.txt": ("line 7", "not ended before line 9"),
    "formats/coda/Coda_v2_3_faulty_globalisation_2.txt": ("line 3", "not ended before line 5"),
    # four records were taken out of it: its trailer still counts 23
    "formats/coda/Coda_v2_3_globalisation_2.txt": ("line 13", "not ended before line 18"),
    f"{CAMT}/genkgo/camt053.v2.wrong.xml": ("line 3", "no statement"),
    f"{CAMT}/moov/gistfile1.xml": ("line 2", "not a camt"),
}


def parts_of(path: Path) -> tuple[list[BankStatement], list[BankTransaction]]:
    with path.open("rb") as stream:
        return split(read_bank_file(stream, path.name))


def split(parts: Iterator[BankStatement | BankTransaction]) -> tuple[list[BankStatement], list[BankTransaction]]:
    found = list(parts)
    return (
        [part for part in found if isinstance(part, BankStatement)],
        [part for part in found if isinstance(part, BankTransaction)],
    )


def read(content: bytes, layout: CsvLayout | None = None) -> tuple[list[BankStatement], list[BankTransaction]]:
    return split(read_bank_file(io.BytesIO(content), "given", layout))


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_file_is_refused_whole_with_its_line(shared_data: Path, name: str) -> None:
    place, words = REFUSED[name]
    with pytest.raises(QuarantineError) as caught:
        parts_of(shared_data / name)
    assert caught.value.reference == place
    assert words in caught.value.message


def test_every_camt_sample_yields_one_record_per_payment(shared_data: Path) -> None:
    """Counted by a plain walk of the tree: payments that state their amount, else the booking itself."""
    seen = 0
    for path in sorted((shared_data / CAMT).glob("*/*.xml")):
        root = etree.parse(path).getroot()
        if "camt.05" not in root.tag or f"{CAMT}/genkgo/{path.name}" in REFUSED:
            continue
        expected = 0
        for entry in root.iterfind(".//{*}Ntry"):
            details = entry.findall("{*}NtryDtls/{*}TxDtls")
            priced = [one for one in details if one.find("{*}Amt") is not None or one.find("{*}AmtDtls") is not None]
            expected += len(details) if len(details) > 1 and len(priced) == len(details) else 1
        statements, transactions = parts_of(path)
        assert len(transactions) == expected == sum(one.transactions for one in statements), path.name
        assert len(statements) == sum(1 for tag in ("Stmt", "Rpt", "Ntfctn") for _ in root.iter(f"{{*}}{tag}")), path.name
        seen += 1
    assert seen >= 24


def test_the_finnish_notification_has_its_references_and_returns(shared_data: Path) -> None:
    (statement,), found = parts_of(shared_data / CAMT / "moov/FI_camt_054_sample.xml.xml")
    assert (statement.kind, len(found)) == ("camt.054", 13)
    assert sum(one.is_return for one in found) == 2
    assert found[0].reference == "3900 12344" and found[0].amount == Decimal("1900.00")
    assert found[4].end_to_end_ref == "EndToEndIdAT-41-001"
    assert {one.entry_ref for one in found[:2]} == {"091029ACCTSTMTARCH04"}


def test_a_batch_shows_its_payments_and_a_return_its_reason(shared_data: Path) -> None:
    _, batch = parts_of(shared_data / CAMT / "moov/200519_camt054-chdd_p_ch2909000000250094239_1110097484_0_20190520700381159.xml")
    assert [(str(one.amount), one.text) for one in batch] == [("1.50", "Rechnung 1001"), ("3.00", "Rechnung 1002")]
    _, (back,) = parts_of(shared_data / CAMT / "moov/camt054-returns_p_ch5109000000250092291_1110097606_0_2020112500512470.xml")
    assert back.is_return and back.return_reason == "AC01 Kontonummer falsch"


def test_balances_that_do_not_add_up_are_found(shared_data: Path) -> None:
    (statement,), _ = parts_of(shared_data / CAMT / "genkgo/camt053.v2.all-balance-types.xml")
    assert "1.01 before, 8.85 moved, 4.04 after" in statement.finding


def test_coda_is_read_with_its_control_sums(shared_data: Path) -> None:
    (single,), found = parts_of(shared_data / "formats/coda/Coda_v2_3_single_statement.txt")
    assert (single.account, len(found), single.finding) == ("BE86407051416150", 30, "")
    assert sum(one.amount for one in found if one.is_credit) == Decimal("64703.01")
    (statement,), moved = parts_of(shared_data / "formats/coda/Coda_v2_3_globalisation.txt")
    # by hand: -455.17 + 113135 + 113135 + 50000 - 544.30
    assert (statement.opening, statement.closing) == (Decimal("-455.17"), Decimal("275270.53"))
    assert [str(one.amount) for one in moved] == ["113135.00", "113135.00", "50000.00", "544.30"]
    assert moved[0].payer_account == "BE12201702625236"
    assert moved[0].text.startswith("REDEVANCE JAN-NOV CONTRAT DE GESTION")


def test_a_changed_amount_breaks_the_control_sum_of_coda(shared_data: Path) -> None:
    whole = (shared_data / "formats/coda/Coda_v2_3_globalisation.txt").read_bytes()
    changed = whole.replace(b"0000000113135000101214001500000", b"0000000113136000101214001500000", 1)
    with pytest.raises(QuarantineError, match=r"line 25: the trailer states a credit of 276270\.00, the movements make 276271\.00"):
        read(changed)
    with pytest.raises(QuarantineError, match="before its trailer"):
        read(whole[: whole.rindex(b"9     ")])


def test_a_wrong_sum_or_count_in_a_camt_summary_refuses_the_file(shared_data: Path) -> None:
    whole = (shared_data / CAMT / "moov/FI_camt_054_sample.xml.xml").read_bytes()
    for old, new, words in (
        (b"<Sum>10830.05</Sum>", b"<Sum>10830.06</Sum>", "states a sum of 10830.06, its entries make 10830.05"),
        (b"<NbOfNtries>6</NbOfNtries>", b"<NbOfNtries>7</NbOfNtries>", "states 7 entries, the statement has 6"),
    ):
        with pytest.raises(QuarantineError, match=words):
            read(whole.replace(old, new, 1))


def test_mt940_is_read_like_its_peer_library_does(shared_data: Path) -> None:
    """mt-940 5.1.1 reads 10 and 4 transactions; the README beside the files keeps that figure."""
    _, abn = parts_of(shared_data / "formats/mt940/abnamro.sta")
    assert len(abn) == 10 and not any(one.is_credit for one in abn)
    assert sum(one.amount for one in abn) == Decimal("345.93")
    statements, rabo = parts_of(shared_data / "formats/mt940/rabobank-iban.sta")
    assert [(one.opening, one.closing, one.finding) for one in statements] == [
        (Decimal("1000.00"), Decimal("965.00"), ""), (Decimal("965.00"), Decimal("930.00"), ""),
    ]  # fmt: skip
    assert (rabo[0].payer_name, rabo[0].payer_account) == ("CONTRA ACCOUNT HOLDER", "NL70ABNA0987654321")
    assert rabo[1].text == "Reference 201301234"


@pytest.mark.parametrize("head", [b"", b'<?xml version="1.0"?>'])
def test_a_doctype_is_refused(head: bytes) -> None:
    hostile = head + b'<!DOCTYPE Document [<!ENTITY a "b">]><Document>&a;</Document>'
    with pytest.raises(QuarantineError) as caught:
        read(hostile)
    assert caught.value.code == "xml.doctype"


def test_our_own_files_say_the_same_in_four_formats(shared_data: Path) -> None:
    one = paid("120.50", name="CAFE ZOE", iban="BE71096123456769", e2e="E-1", bank_ref="B-1", ref="785860664332")
    schema = etree.XMLSchema(etree.parse(shared_data / "formats/iso20022/xsd/camt.053.001.08.xsd"))
    schema.assertValid(etree.fromstring(camt("camt.053", [one])))
    csv = f"account;booked_on;amount;currency;payer_name;payer_account;reference;end_to_end_ref\n{IBAN};10.06.2026;1.120,50;EUR;CAFE ZOE;BE71 0961 2345 6769;785860664332;E-1\n"
    layout = CsvLayout(date_format="DD.MM.YYYY", decimal_mark=",")
    files = [camt("camt.053", [one]), camt("camt.054", [one]), coda([one]), mt940([one]), csv.encode()]
    for content in files:
        (statement,), (found,) = read(content, layout)
        assert (found.account, found.currency, found.is_credit, str(found.booked_on)) == (IBAN, "EUR", True, "2026-06-10")
        assert found.amount == Decimal("1120.50" if statement.kind == "csv" else "120.50")
        assert (found.payer_name, found.payer_account, found.end_to_end_ref) == ("CAFE ZOE", "BE71096123456769", "E-1")
        assert "785860664332" in f"{found.reference} {found.text}"
        assert not statement.finding


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2026-06-31;5.00", "line 2: '2026-06-31' is not a date"),
        ("2026-06-30;5,00", "line 2: '5,00' is not an amount"),
        ("2026-06-30;\u0665", "line 2: .* is not an amount"),
        ("2026-06-30;5.001", "line 2: '5.001' is finer than EUR"),
    ],
)
def test_a_table_is_refused_at_its_first_wrong_row(row: str, words: str) -> None:
    with pytest.raises(QuarantineError, match=words):
        read(f"booked_on;amount\n{row}\n".encode(), CsvLayout(account=IBAN, currency="EUR"))
