"""What a published format cannot carry, said before anything is written: the element of the case file and the limit.

An adapter fills a `Carrier` while it builds its document. Every value passes through it; nothing is cut to fit.
At the end `refuse_if_unfit` raises with all reasons at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.model.exchange import CaseFile, ClaimPart, Exchange
from collecthub.model.money import minor_units
from collecthub.model.party import Address
from collecthub.ports import CaseFormat

S = TypeVar("S", bound=msgspec.Struct)

_HEX32 = re.compile(r"[0-9a-f]{32}")


@runtime_checkable
class TakesParticulars(Protocol):
    """A format that asks for more than a case knows. A plugin's format may satisfy it as well."""

    def with_particulars(self, given: Mapping[str, Any]) -> CaseFormat:
        """The same format with particulars. Raises `ConfigurationError` naming the field that is wrong."""
        ...

    def left_behind(self, exchange: Exchange) -> tuple[Objection, ...]:
        """What the case files hold and the document has no place for."""
        ...


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """One value that does not fit: where it stands in the case file (or `particulars`), where it would go, and the limit."""

    element: str
    target: str
    limit: str

    def sentence(self) -> str:
        """The objection in words."""
        where = f" ({self.target})" if self.target else ""
        return f"{self.element} {self.limit}{where}"


class UnfitCaseError(PermanentError):
    """A case that a format cannot express. `objections` holds every reason."""

    def __init__(self, format_id: str, case_number: str, objections: tuple[Objection, ...]) -> None:
        words = "; ".join(objection.sentence() for objection in objections)
        super().__init__(
            f"Case {case_number} cannot be written as {format_id}: {words}",
            cure="Correct these values or give them as particulars; nothing was cut and nothing was written.",
            reference=case_number,
        )
        self.format_id = format_id
        self.objections = objections


class Carrier:
    """Collects objections while a document is built."""

    def __init__(self, format_id: str, case_number: str) -> None:
        self._format_id = format_id
        self._case_number = case_number
        self._objections: list[Objection] = []
        self._prefix = ""

    def within(self, message: str) -> None:
        """From now on, elements are those of this message of the batch."""
        self._prefix = f"{message}." if message else ""

    def object(self, element: str, limit: str, target: str = "") -> None:
        """Note one thing that does not fit."""
        where = element if element.startswith("particulars") else self._prefix + element
        objection = Objection(element=where, target=target, limit=limit)
        if objection not in self._objections:
            self._objections.append(objection)

    def check(self, is_fit: bool, element: str, limit: str, target: str = "") -> bool:
        """Note the limit unless it is kept, and say whether it is."""
        if not is_fit:
            self.object(element, limit, target)
        return is_fit

    def text(
        self, value: str, element: str, target: str, *, most: int, least: int = 1, pattern: str = "", words: str = ""
    ) -> str:
        """The value itself; objects when it is too short, too long or has characters that the format refuses."""
        if len(value) < least:
            self.object(element, "is missing", target)
        elif len(value) > most:
            self.object(element, f"has {len(value)} characters, at most {most} fit", target)
        elif pattern and not re.fullmatch(pattern, value):
            self.object(element, f"must be {words}", target)
        return value

    def minor(self, amount: Decimal, currency: str, element: str, target: str) -> int:
        """The amount in whole minor units, exactly; objects when it is negative or finer than that."""
        scaled = amount.scaleb(minor_units(currency))
        whole = scaled == scaled.to_integral_value()
        if self.check(whole and amount >= 0, element, "is not a positive amount in whole minor units", target):
            return int(scaled)
        return 0

    def only(self, value: str, allowed: Iterable[str], element: str, target: str = "") -> bool:
        """Objects unless the value is one of a few."""
        words = tuple(allowed)
        return self.check(value in words, element, f"is {value or 'empty'}, only {', '.join(words)} can be written", target)

    def something_open(self, file: CaseFile) -> None:
        """Objects to a case in which nothing is asked any more."""
        is_open = bool(file.claims) and file.principal > 0
        self.check(is_open, "principal", f"is {file.principal} with {len(file.claims)} open claims: there is nothing to ask")

    @property
    def objections(self) -> tuple[Objection, ...]:
        """Everything noted so far."""
        return tuple(self._objections)

    def refuse_if_unfit(self) -> None:
        """Raise `UnfitCaseError` with every reason, if there is one."""
        if self._objections:
            raise UnfitCaseError(self._format_id, self._case_number, self.objections)


def case_files(exchange: Exchange, format_id: str, most: int) -> tuple[CaseFile, ...]:
    """The case files of an exchange. Raises `PermanentError` when it holds anything else, or too many."""
    others = sorted({type(message).__name__ for message in exchange.messages if not isinstance(message, CaseFile)})
    if others or not 1 <= len(exchange.messages) <= most:
        held = f"{', '.join(others)}" if others else f"{len(exchange.messages)} case files"
        raise PermanentError(
            f"{format_id} carries 1 to {most} case files and nothing else; the exchange holds {held}",
            cure="Send other messages as case exchange, and split larger batches.",
            reference=exchange.exchange_id,
        )
    return tuple(message for message in exchange.messages if isinstance(message, CaseFile))


# Parts of a case file that a court document can do without. What a format does not carry of them is said, never hidden.
_SIDE_PARTS: Mapping[str, Callable[[CaseFile], object]] = {
    "documents": lambda file: file.documents,
    "mandate_ref": lambda file: file.mandate_ref,
    "dunning_level": lambda file: file.dunning_level,
    "dunning_steps": lambda file: file.dunning_steps,
    "titles": lambda file: file.titles,
    "orders": lambda file: file.orders,
    "claims.interest": lambda file: [term for claim in file.claims for term in claim.interest],
    "claims.part": lambda file: [claim.part for claim in file.claims if claim.part is not ClaimPart.PRINCIPAL],
    "claims.kind": lambda file: [claim.kind for claim in file.claims if claim.kind not in ("", "principal")],
    "claims.related_claim_ids": lambda file: [one for claim in file.claims for one in claim.related_claim_ids],
    "language": lambda file: file.language,
    "payment.account": lambda file: file.payment.account,
    "payment.reference": lambda file: file.payment.reference,
    "creditor.contacts": lambda file: file.creditor.contacts,
    "creditor.vat_ref": lambda file: file.creditor.vat_ref,
    "creditor.registration_ref": lambda file: file.creditor.registration_ref,
    "debtors.contacts": lambda file: [contact for debtor in file.debtors for contact in debtor.contacts],
    "debtors.vat_ref": lambda file: [debtor.vat_ref for debtor in file.debtors if debtor.vat_ref],
    "debtors.registration_ref": lambda file: [one.registration_ref for one in file.debtors if one.registration_ref],
}


def left_behind(exchange: Exchange, carried: frozenset[str]) -> tuple[Objection, ...]:
    """What the case files hold beside the claim itself and the format has no place for."""
    files = [message for message in exchange.messages if isinstance(message, CaseFile)]
    return tuple(
        Objection(element=name, target="", limit="has no place in the format")
        for name, part in _SIDE_PARTS.items()
        if name not in carried and any(part(file) for file in files)
    )


def address_rows(address: Address) -> tuple[str, ...]:
    """Address lines and the town, in order, without the postcode; what is empty is left out."""
    return tuple(row for row in (*address.lines, address.city) if row.strip())


def as_uuid(identifier: str) -> str:
    """An id of ours written as a UUID, or an empty string when it is not 32 hex digits.

    >>> as_uuid("0197a3c4d5e6f7081920a1b2c3d4e5f6")
    '0197a3c4-d5e6-f708-1920-a1b2c3d4e5f6'
    """
    if not _HEX32.fullmatch(identifier):
        return ""
    return "-".join((identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:]))


def from_uuid(text: str) -> str:
    """The id of ours in a UUID, or the text as it is."""
    plain = text.strip().replace("-", "").lower()
    return plain if _HEX32.fullmatch(plain) else text.strip()


def read_particulars(kind: type[S], given: Mapping[str, Any], format_id: str) -> S:
    """Particulars of a format from the tree of a JSON or TOML file.

    Raises `ConfigurationError` naming the field when one is unknown, missing or of the wrong kind.
    """
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"The particulars for {format_id} cannot be read: {error}",
            cure=f"Compare the file with the page docs/formats/{format_id}.md.",
        ) from error
