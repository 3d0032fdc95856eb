"""Is it the same money? A bank shows one movement in camt.052, camt.054, camt.053, CODA and MT940, and files overlap.

Asked of two records of one account with equal amount, direction, currency and booking date. Pure.
"""

from __future__ import annotations

import enum

from collecthub.formats.bank.statement import BankTransaction
from collecthub.model.payment_reference import find_case_numbers, find_ogm


class Same(enum.Enum):
    """The answer. *Maybe* is for a person: money is neither counted twice nor lost by a guess."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


def same_money(one: BankTransaction, one_kind: str, other: BankTransaction, other_kind: str) -> Same:
    """Whether two records from different files are one movement.

    The bank's own reference decides within a family of formats. Else whatever both state must agree, and something
    must; two statements of the same kind do not repeat a movement, so there agreement alone is a doubt. So is a payer
    who is the same and writes something else: he may have paid twice on one day.
    """
    if _family(one_kind) == _family(other_kind) and one.bank_ref and other.bank_ref:
        return Same.YES if one.bank_ref == other.bank_ref else Same.NO
    refs = _both((one.end_to_end_ref, other.end_to_end_ref), (one.reference, other.reference))
    payer = _both((one.payer_account, other.payer_account))
    if any(left != right for left, right in (*refs, *payer)) or _name_other_cases(one, other):
        return Same.NO
    texts = _both((one.text, other.text))
    if bool(one.bank_ref) and one.bank_ref == other.bank_ref or refs:
        agrees = True
    elif any(left not in right and right not in left for left, right in texts):
        agrees = False
    else:
        agrees = bool(payer) or any(left == right for left, right in texts)
    return Same.YES if agrees and one_kind != other_kind else Same.MAYBE


def _both(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """What both records state, as it is compared."""
    return [(_bare(left), _bare(right)) for left, right in pairs if left and right]


def _name_other_cases(one: BankTransaction, other: BankTransaction) -> bool:
    left, right = _cases_in(one), _cases_in(other)
    return bool(left and right) and not left & right


def _cases_in(one: BankTransaction) -> set[str]:
    said = f"{one.reference} {one.text}"
    return {*find_ogm(said)[0], *find_case_numbers(said)}


def _family(kind: str) -> str:
    return kind.partition(".")[0]


def _bare(text: str) -> str:
    return "".join(char for char in text.upper() if char.isalnum())
