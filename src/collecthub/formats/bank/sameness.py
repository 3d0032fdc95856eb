"""Is it the same money? A bank shows one movement in camt.052, camt.054, camt.053, CODA and MT940, and files overlap.

Asked of two records of one account with equal amount, direction, currency and booking date. Pure.
"""

from __future__ import annotations

import enum

from collecthub.formats.bank.statement import BankTransaction


class Same(enum.Enum):
    """The answer. *Maybe* is for a person: money is neither counted twice nor lost by a guess."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


def same_money(one: BankTransaction, one_kind: str, other: BankTransaction, other_kind: str) -> Same:
    """Whether two records from different files are one movement.

    The bank's own reference decides within a family of formats. Else whatever both state must agree, and something
    must; two statements of the same kind do not repeat a movement, so there agreement alone is a doubt.
    """
    if _family(one_kind) == _family(other_kind) and one.bank_ref and other.bank_ref:
        return Same.YES if one.bank_ref == other.bank_ref else Same.NO
    stated = [
        (left, right)
        for left, right in (
            (one.end_to_end_ref, other.end_to_end_ref), (one.reference, other.reference),
            (one.payer_account, other.payer_account),
        )
        if left and right
    ]  # fmt: skip
    if any(_bare(left) != _bare(right) for left, right in stated):
        return Same.NO
    agrees = bool(stated) or bool(one.text) and _bare(one.text) == _bare(other.text)
    agrees = agrees or bool(one.bank_ref) and one.bank_ref == other.bank_ref
    return Same.YES if agrees and one_kind != other_kind else Same.MAYBE


def _family(kind: str) -> str:
    return kind.partition(".")[0]


def _bare(text: str) -> str:
    return "".join(char for char in text.upper() if char.isalnum())
