"""Ways before a court, by hand: what is open towards whom, and the reason where it is not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.finding import KnownDocument, View
from collecthub.law.feasibility.ways import Way, way_book, ways
from collecthub.model.circumstances import Clause
from collecthub.model.mandate import Mandate, MandateKind, MandateState, best, ends_on, standing, wanted
from feasibility.files import DAY, PAPERS, case, claim, file, hold, law


def judged(country: str = "DE", **changes: Any) -> dict[str, Way]:
    view = View(file=file(country, **changes), as_of=DAY, atlas=bundled_atlas(), laws=law)
    return {way.rule.id: way for way in ways(view)}


def test_a_sound_claim_in_the_union_has_four_ways() -> None:
    found = judged()
    assert {name for name, way in found.items() if way.standing == "possible"} == {
        "order_for_payment", "epo", "escp", "local_suit",
    }  # fmt: skip
    # Three years from the end of 2026, section 195 and 199 BGB; Belgium's ten years end later.
    assert found["epo"].limitation_on == dt.date(2029, 12, 31)
    assert found["eeo"].reason == "there is no judgment or title yet"


@pytest.mark.parametrize(
    ("changes", "way", "reason"),
    [
        ({"of": case(claims=[claim(amount="5000.01")])}, "escp", "above the ceiling of 5,000 EUR"),
        ({"of": case(holds=(hold("dispute"),))}, "epo", "dispute on file"),
        ({"documents": PAPERS[:1]}, "local_suit", "not on file: invoice"),
        ({"of": case(claims=[claim(due="2018-01-31")])}, "epo", "since 2021-12-31"),
        ({"clauses": (Clause(kind="court", country="FR"),)}, "order_for_payment", "exclusive clause for FR"),
    ],
)
def test_what_is_known_against_a_way_rejects_it(changes: dict[str, Any], way: str, reason: str) -> None:
    found = judged(**changes)[way]
    assert found.standing == "rejected" and reason in found.reason


def test_beyond_the_union_nothing_is_made_up() -> None:
    found = judged("UY")
    assert found["epo"].standing == found["escp"].standing == "rejected" and "not_bound" in found["epo"].reason
    assert found["local_suit"].standing == "unknown" and "no limitation period of UY is known" in found["local_suit"].reason
    assert found["local_suit"].limitation_on is None, "one of the two laws is not known, and it may end earlier"
    title = judged("UY", documents=(*PAPERS, KnownDocument(kind="judgment")), title_on=DAY, title_country="BE")
    assert title["exequatur"].standing != "rejected", "the Hague convention of 2019 holds in both"


def test_arbitration_needs_its_clause_and_then_is_open() -> None:
    assert judged()["arbitration"].reason == "the contract has no arbitration clause"
    agreed = judged("UY", clauses=(Clause(kind="arbitration", country="FR", document_kind="contract"),))
    assert agreed["arbitration"].standing == "unknown" and agreed["local_suit"].standing == "rejected"
    unread = judged(clauses=None)["arbitration"]
    assert (unread.standing, unread.reason) == ("unknown", "whether the contract has an arbitration clause is not known")


def test_every_way_has_a_source_and_no_fee_is_made_up() -> None:
    assert [way.id for way in way_book().ways] == [
        "order_for_payment", "epo", "escp", "eeo", "exequatur", "local_suit", "arbitration",
    ]  # fmt: skip
    assert all(way.source and way.documents for way in way_book().ways)
    assert {way.id: way.days for way in way_book().ways if way.days} == {"epo": 60, "escp": 88}


# --- mandates -------------------------------------------------------------------------------------

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def paper(kind: str = "agreement", **more: Any) -> Mandate:
    values: dict[str, Any] = {
        "mandate_id": "m", "kind": MandateKind(kind), "partner_id": "p", "signed_on": dt.date(2026, 1, 1), "created_at": NOON,
    }  # fmt: skip
    return Mandate(**{**values, **more})


def test_a_paper_ends_by_its_words_or_its_age() -> None:
    assert standing(None, DAY) is MandateState.MISSING
    assert standing(paper(), DAY) is MandateState.VALID and ends_on(paper()) is None
    assert standing(paper(expires_on=DAY), DAY) is MandateState.VALID
    assert standing(paper(expires_on=DAY), DAY + dt.timedelta(days=1)) is MandateState.EXPIRED
    assert standing(paper(state="revoked"), DAY) is MandateState.REVOKED
    check = paper("identity_check", checked_on=dt.date(2025, 6, 15))
    assert (standing(check, DAY), ends_on(check)) == (MandateState.VALID, DAY)
    assert standing(check, DAY + dt.timedelta(days=1)) is MandateState.STALE


def test_the_paper_that_names_more_counts_and_nobody_elses() -> None:
    for_all, for_one = paper("power_of_attorney"), paper("power_of_attorney", creditor_id="c", state="revoked", mandate_id="n")
    kind = MandateKind.POWER_OF_ATTORNEY
    assert best([for_one, for_all], kind, "p", "c") == for_one and best([for_one, for_all], kind, "p", "d") == for_all
    assert best([for_all], kind, "q", "c") is None
    newer = msgspec.structs.replace(for_all, signed_on=dt.date(2026, 2, 1), mandate_id="o")
    assert best([newer, for_all], kind, "p", "d") == newer
    (missing,) = wanted(("agreement", "power_of_attorney"), [for_all], "p", "d", DAY)
    assert missing.text == "agreement of p: missing"
