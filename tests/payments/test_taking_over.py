"""Taking over a bank file: every transaction once, across chunks, crashes and formats; the matcher's own rules."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from web.office import furnish, make_hub

from collecthub.config import load_settings
from collecthub.corridor.match import bare_name, clues_of
from collecthub.engine import payments_in, sightings
from collecthub.engine.context import Hub
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.formats.bank.reading import read_bank_file
from collecthub.formats.bank.sameness import Same, same_money
from collecthub.formats.bank.statement import BankTransaction
from collecthub.store import tables as t
from collecthub.store.queries.scope import LOCAL_OPERATOR
from payments.bank_samples import camt, coda, paid

KROON = Owner(creditor_id="kroon")
PAYER = "BE71096123456769"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    found, _ = make_hub(tmp_path, load_settings({}, home=tmp_path).database)
    furnish(found)
    return found


def count(hub: Hub) -> int:
    with hub.database.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(t.payments)) or 0


def many(number: int) -> bytes:
    return camt("camt.053", [paid(f"{place + 1}.00", text=f"t {place}", bank_ref=f"B{place}") for place in range(number)])


@pytest.mark.parametrize("number", [999, 1000, 2001])
def test_no_transaction_is_lost_between_chunks(hub: Hub, number: int) -> None:
    found = import_bank_file(hub, LOCAL_OPERATOR, io.BytesIO(many(number)), "big", KROON)
    assert (found.transactions, found.fresh, count(hub)) == (number, number, number)


def test_what_a_crash_cut_off_is_finished_by_the_same_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after the first of three chunks; nothing of it is shown as imported."""
    content, taken = many(2500), []

    def dies(*arguments: object) -> None:
        if taken:
            raise KeyboardInterrupt
        taken.append(sightings.take_chunk(*arguments))  # type: ignore[arg-type]  # passed on as they came

    with monkeypatch.context() as patched:
        patched.setattr(payments_in, "take_chunk", dies)
        with pytest.raises(KeyboardInterrupt):
            import_bank_file(hub, LOCAL_OPERATOR, io.BytesIO(content), "big", KROON)
    assert count(hub) == 1000
    found = import_bank_file(hub, LOCAL_OPERATOR, io.BytesIO(content), "big", KROON)
    assert (found.is_duplicate, found.fresh, count(hub)) == (False, 2500, 2500)


def one(content: bytes) -> BankTransaction:
    return next(part for part in read_bank_file(io.BytesIO(content), "x") if isinstance(part, BankTransaction))


@pytest.mark.parametrize(
    ("here", "there", "answer"),
    [
        ({"bank_ref": "A"}, {"bank_ref": "A"}, Same.YES),
        ({"bank_ref": "A"}, {"bank_ref": "B"}, Same.NO),
        ({"e2e": "E"}, {"e2e": "E"}, Same.YES),
        ({"e2e": "E"}, {"e2e": "F"}, Same.NO),
        ({"text": "thanks, Jan"}, {"text": "THANKS JAN"}, Same.YES),
        ({"iban": PAYER}, {"iban": "BE68539007547034"}, Same.NO),
        ({"text": "a1"}, {"text": "b2"}, Same.MAYBE),
        ({"text": "F-1", "iban": PAYER}, {"text": "F-1 of June", "iban": PAYER}, Same.YES),
        ({"text": "F-1", "iban": PAYER}, {"text": "F-2", "iban": PAYER}, Same.MAYBE),
        ({"text": "F-1", "e2e": "E"}, {"text": "F-2", "e2e": "E"}, Same.YES),
        ({"text": "CH-0ZGP-S42G-HW", "iban": PAYER}, {"text": "CH-9WRW-PTJ2-PE", "iban": PAYER}, Same.NO),
        ({}, {}, Same.MAYBE),
    ],
)
def test_whether_a_notification_and_a_statement_show_the_same_money(
    here: dict[str, str], there: dict[str, str], answer: Same
) -> None:
    first, second = one(camt("camt.054", [paid("5.00", **here)])), one(camt("camt.053", [paid("5.00", **there)]))
    assert same_money(first, "camt.054", second, "camt.053") is answer
    if answer is Same.YES and "bank_ref" not in here:  # two statements do not repeat a movement: a person looks
        assert same_money(first, "camt.053", second, "camt.053") is Same.MAYBE


def test_references_of_banks_differ_between_formats() -> None:
    shared = {"e2e": "E-1", "iban": "BE71096123456769"}
    first = one(camt("camt.053", [paid("5.00", bank_ref="X1", **shared)]))
    second = one(coda([paid("5.00", bank_ref="CODA-1", **shared)]))
    assert same_money(first, "camt.053", second, "coda") is Same.YES


def test_clues_survive_what_banks_do_to_texts() -> None:
    found = clues_of(one(camt("camt.053", [paid("5.00", text="Betr. rechnung 2026 INV-0042 vom 3.5.", name="Ünal &amp; Söhne GmbH")])))
    assert "2026INV0042" in found.tokens and "INV0042" in found.tokens
    assert found.name == bare_name("SOHNE UNAL") == "SOHNE UNAL"
