"""An order to the bank is read again before it leaves: its published schema, and what banks refuse beyond it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from collecthub.errors import PermanentError
from collecthub.formats.bank.pain001 import CreditTransfer, PaymentOrder, write_pain001
from collecthub.formats.bank.pain001_check import order_faults, refuse_faulty

FAULTS = {
    "a control sum that is not the sum": ("<CtrlSum>17.50</CtrlSum><", "<CtrlSum>17.51</CtrlSum><", "control sum"),
    "a number of payments": ("<NbOfTxs>2</NbOfTxs>", "<NbOfTxs>3</NbOfTxs>", "says 3 payments and holds 2"),
    "a third decimal": (">10.00</InstdAmt>", ">10.000</InstdAmt>", "payment RM-1: 10.000 EUR has more than 2 decimals"),
    "a wrong digit of an account": ("BE71096123456769", "BE72096123456769", "the payee's account 'BE72096123456769' is not an IBAN"),
    "the payer's account": ("BE68539007547034", "BE68539007547035", "the account to pay from"),
    "a letter beyond the basic ones": ("Brasserie Zoe", "Brasserie Zo\u00e9", "the payee's name has letters that not every bank takes: \u00e9"),
    "a slash at the end of a reference": (">RM-2<", ">RM-2/<", "the reference 'RM-2/'"),
    "one payment twice": (">RM-2<", ">RM-1<", "payment RM-1 is in it twice"),
    "a name that is too long": ("Brasserie Zoe", "Z" * 71, "the payee's name is longer than 70 letters"),
    "more than one transfer may be": (">10.00</InstdAmt>", ">1000000000.00</InstdAmt>", "is more than the 999999999.99 EUR"),
    "what the schema forbids": ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>XXX</PmtMtd>", "PmtMtd"),
    "another message": ("pain.001.001.09", "pain.001.001.03", "it is not a pain.001.001.09 message"),
}  # fmt: skip


def order() -> bytes:
    transfers = tuple(
        CreditTransfer(
            end_to_end_ref=ref, amount=Decimal(amount), currency="EUR", payee="Brasserie Zo\u00e9", account="BE71096123456769",
            text="june",
        )
        for ref, amount in (("RM-1", "10.00"), ("RM-2", "7.50"))
    )  # fmt: skip
    made_at = dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)
    return write_pain001(
        PaymentOrder(
            message_ref="PO-1", made_at=made_at, payer="Kantoor", account="BE68539007547034", pay_on=made_at.date(),
            transfers=transfers,
        )
    )  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_sentence(fault: str) -> None:
    was, is_now, said = FAULTS[fault]
    content = order().decode()
    assert was in content
    faults = order_faults(content.replace(was, is_now, 1).encode())
    assert any(said in one for one in faults), faults


def test_a_right_order_has_none_and_a_wrong_one_does_not_leave() -> None:
    assert order_faults(order()) == ()
    refuse_faulty(order(), "PO-1")
    with pytest.raises(PermanentError, match="PO-1 would be refused by the bank: .*RM-1 is in it twice"):
        refuse_faulty(order().replace(b">RM-2<", b">RM-1<"), "PO-1")
