"""What a feasibility check looks at and what it answers.

A check never guesses: what the file or the atlas does not say makes the verdict `unknown`, which blocks nothing and
goes to a person. A found one blocks the procedures that its rule names.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

import msgspec

from collecthub.law.atlas.facts import Atlas, Fact, Topic, fact_on
from collecthub.law.basis import Evidence
from collecthub.law.feasibility.evidence import as_recorded
from collecthub.law.limitation import LegalAct
from collecthub.law.rules import CountryLaw
from collecthub.model.case import Case
from collecthub.model.circumstances import Clause, InterestTerms, Letter
from collecthub.model.exchange import Procedure
from collecthub.model.licence import Licence
from collecthub.model.party import Party

# The law of a country by its two letters; None where no pack knows it.
Laws = Callable[[str], CountryLaw | None]


class Severity(enum.StrEnum):
    """How bad a finding is when it is true."""

    BLOCK = "block"
    HIGH = "high"
    MEDIUM = "medium"


class Verdict(enum.StrEnum):
    """What a check found out."""

    FOUND = "found"
    UNKNOWN = "unknown"
    CLEAR = "clear"
    NOT_APPLICABLE = "not_applicable"


# --- what a check looks at ------------------------------------------------------------------------


class KnownDocument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document of the file. An empty `language` is not known."""

    kind: str  # invoice, contract, order, delivery, terms, reminder, assignment, judgment, ...
    language: str = ""


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """The power of attorney for this case."""

    form: str  # copy, original, notarised, apostille
    expires_on: dt.date | None = None


class PartnerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The partner that the case would go to. None: not recorded."""

    partner_id: str
    role: str  # bailiff, lawyer, agency
    country: str = ""  # where it works on the data
    licences: tuple[Licence, ...] | None = None
    has_signed_clauses: bool | None = None  # standard contractual clauses 2021/914
    minimum_amount: Decimal = Decimal(0)
    minimum_currency: str = ""
    expected_cost: Decimal | None = None  # in the case's currency


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A case with everything around it that the checks look at. None: the file does not say.

    `procedure` is the step that is planned; `forum` the country of the court, the debtor's when empty; `instrument`
    an id of the atlas or `ios`, when one is planned.
    """

    case: Case
    creditor: Party | None = None
    procedure: Procedure = Procedure.AMICABLE
    forum: str = ""
    performed_in: str = ""  # country of delivery or service
    nature: str = ""  # kind of claim as limitation sees it: goods, utilities, ...; empty when not known
    contract_on: dt.date | None = None
    acts: tuple[LegalAct, ...] | None = None  # what may have moved limitation, with proof
    instrument: str = ""
    partner: PartnerFacts | None = None
    documents: tuple[KnownDocument, ...] | None = None
    clauses: tuple[Clause, ...] | None = None
    letters: tuple[Letter, ...] | None = None
    mandate: Mandate | None = None
    reminders_by: str = ""  # who reminds debtors, as a person stated it: creditor, hub, nobody
    document_languages: tuple[str, ...] = ()  # of the papers at hand, where nothing says which paper is in which
    interest: InterestTerms | None = None
    is_interest_counted_here: bool = False  # by the pack of the governing law, and nobody else's is claimed
    issuer_name: str = ""
    title_on: dt.date | None = None
    title_country: str = ""
    registers_asked_on: dt.date | None = None
    sanctions_asked_on: dt.date | None = None
    is_sanctioned: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file on a day, with what is known of the world."""

    file: CaseFacts
    as_of: dt.date
    atlas: Atlas
    laws: Laws

    @property
    def case(self) -> Case:
        return self.file.case

    @property
    def debtor_country(self) -> str:
        return self.case.debtor.country or self.case.debtor.address.country

    @property
    def creditor_country(self) -> str:
        return self.file.creditor.country if self.file.creditor else ""

    @property
    def forum(self) -> str:
        return self.file.forum or self.debtor_country

    @property
    def is_before_court(self) -> bool:
        return self.file.procedure is not Procedure.AMICABLE

    @property
    def is_consumer(self) -> bool:
        return self.case.segment == "B2C"

    def law(self, country: str) -> CountryLaw | None:
        """The law of a country, if a pack knows it."""
        return self.laws(country)

    def fact(self, country: str, topic: Topic) -> Fact:
        """What the atlas knows on the day."""
        return fact_on(self.atlas, country, topic, self.as_of)

    def has(self, *kinds: str) -> bool:
        """Whether the file holds a document of one of these kinds."""
        return any(document.kind in kinds for document in self.file.documents or ())


# --- what it answers ------------------------------------------------------------------------------


NOTHING: Mapping[str, object] = MappingProxyType({})


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The verdict of one check. `code` and `values` say what in the file or the atlas it rests on; no names of persons.

    A code is one of `evidence.toml`. `severity` and `level` replace those of the rule where the case is milder or the
    fact weaker.
    """

    verdict: Verdict
    code: str = ""
    values: Mapping[str, object] = NOTHING
    severity: Severity | None = None
    deadline_on: dt.date | None = None
    level: Evidence | None = None

    @property
    def evidence(self) -> str:
        """The same as the history records it, in English."""
        return as_recorded(self.code, self.values)


CLEAR = Answer(verdict=Verdict.CLEAR)
NOT_APPLICABLE = Answer(verdict=Verdict.NOT_APPLICABLE)


def found(
    code: str, said: Mapping[str, object] = NOTHING, /, *, severity: Severity | None = None,
    deadline_on: dt.date | None = None, level: Evidence | None = None, **values: object,
) -> Answer:  # fmt: skip
    """The finding is there: the code of its evidence, and its values (`said` are those that several codes share)."""
    return Answer(
        verdict=Verdict.FOUND, code=code, values=_with(said, values), severity=severity, deadline_on=deadline_on,
        level=level,
    )  # fmt: skip


def unknown(code: str, said: Mapping[str, object] = NOTHING, /, **values: object) -> Answer:
    """It cannot be said; why, and what is missing."""
    return Answer(verdict=Verdict.UNKNOWN, code=code, values=_with(said, values))


def _with(said: Mapping[str, object], values: Mapping[str, object]) -> Mapping[str, object]:
    return {**said, **values} if said else values


def money(amount: Decimal, currency: str) -> str:
    """An amount as a value of evidence.

    >>> money(Decimal("120.50"), "EUR")
    '120.50 EUR'
    """
    return f"{amount} {currency}"


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule that hit, or that could not be checked. `is_blocking`: it stops the procedure that is planned.

    `evidence` is what it rests on, in English; `code` and `values` say the same for every other language.
    `deadline_on` is the day of the law where there is one, else the day by which the owner should answer.
    """

    id: str
    category: str
    title: str
    verdict: Verdict
    severity: Severity
    is_blocking: bool
    evidence: str
    code: str
    values: dict[str, str]
    owner: str
    fix: str
    deadline_on: dt.date
    rule_version: dt.date
    source: str
    evidence_level: Evidence
