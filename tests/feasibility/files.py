"""Case files for the checks, built from events like real ones: complete and sound unless a test changes something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import Assessment, assess
from collecthub.law.feasibility.finding import CaseFacts, KnownDocument, Mandate
from collecthub.law.packs import bundled_countries, bundled_law
from collecthub.law.rules import CountryLaw
from collecthub.model import event as ev
from collecthub.model.case import Case, Hold
from collecthub.model.circumstances import Letter
from collecthub.model.history import apply
from collecthub.model.party import Address, Party, PartyKind

DAY = dt.date(2026, 6, 15)
NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
CREDITOR = Party(name="Brouwerij De Kroon", country="BE")
PAPERS = tuple(KnownDocument(kind=kind, language="de") for kind in ("contract", "invoice", "delivery"))


@cache
def law(country: str) -> CountryLaw | None:
    """The bundled law of a country."""
    return bundled_law(country) if country in bundled_countries() else None


def claim(number: str = "F1", *, due: str = "2026-03-31", amount: str = "1000", level: int = 2) -> ev.Claim:
    due_on = dt.date.fromisoformat(due)
    return ev.Claim(
        claim_id=number, number=number, issued_on=due_on - dt.timedelta(days=30), due_on=due_on,
        original_amount=Decimal(amount), open_amount=Decimal(amount), dunning_level=level,
    )  # fmt: skip


def case(
    country: str = "DE", *, segment: str = "B2B", currency: str = "EUR", claims: Sequence[ev.Claim] = (),
    facts: Sequence[Any] = (), **changes: Any,
) -> Case:  # fmt: skip
    """A case that was opened by the ERP; `facts` happened afterwards, `changes` are laid over the outcome."""
    opened = ev.CaseOpened(
        number="2026-1", creditor_id="kroon", connection_id="erp", debtor_ref="D1", debtor_digest="", currency=currency,
        segment=segment, claims=tuple(claims) or (claim(),),
    )  # fmt: skip
    found: Case | None = None
    for seq, fact in enumerate((opened, *facts), 1):
        found = apply(found, ev.CaseEvent(
            case_id="c1", seq=seq, occurred_at=NOON, recorded_at=NOON, actor="hub", previous_hash="", fact=fact,
        ))  # fmt: skip
    assert found is not None
    debtor = Party(
        name="Kunde", country=country, kind=PartyKind.PERSON if segment == "B2C" else PartyKind.COMPANY,
        registration_ref="" if segment == "B2C" else "HRB 1",
        address=Address(lines=("Hauptstrasse 1",), postcode="10115", city="Berlin", country=country),
    )  # fmt: skip
    return msgspec.structs.replace(found, **{"debtor": debtor, **changes})


def hold(reason: str, since: str = "2026-06-01") -> Hold:
    return Hold(reason=reason, since_at=dt.datetime.fromisoformat(f"{since}T12:00:00+00:00"), set_by="hub")


def file(country: str = "DE", *, of: Case | None = None, **changes: Any) -> CaseFacts:
    """A file in which every check is clear or does not apply."""
    complete: dict[str, Any] = {
        "case": of or case(country), "creditor": CREDITOR, "documents": PAPERS, "clauses": (),
        "letters": (Letter(kind="reminder", sent_on=dt.date(2026, 4, 15)), Letter(kind="pre_action", sent_on=DAY)),
        "mandate": Mandate(form="original"), "registers_asked_on": DAY, "sanctions_asked_on": DAY,
    }  # fmt: skip
    return CaseFacts(**{**complete, **changes})


def judged(of: CaseFacts, day: dt.date = DAY) -> Assessment:
    return assess(of, day, bundled_atlas(), law)
