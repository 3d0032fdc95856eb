"""What is said of findings: one reason to stop, one request per owner, warnings that travel, and only what is new."""

from __future__ import annotations

import datetime as dt

from collecthub.law.feasibility.finding import KnownDocument
from collecthub.law.feasibility.rules import remark_in, rule_book
from collecthub.law.feasibility.telling import change, reason_to_stop, requests, warnings
from collecthub.model.exchange import Procedure
from feasibility.files import case, claim, file, judged

BARRED = case(claims=[claim(due="2020-05-01")])
INVOICE = (KnownDocument(kind="invoice", language="de"),)


def test_the_worst_finding_is_the_reason_to_stop() -> None:
    assert reason_to_stop(judged(file())) is None
    stopped = reason_to_stop(judged(file(of=BARRED, procedure=Procedure.JUDICIAL, documents=INVOICE)))
    assert stopped is not None
    code, reason = stopped
    assert code == "feasibility.lim-01"
    assert "2023-12-31" in reason and "Interrupt limitation now" in reason and reason.endswith("(and 1 more)")


def test_each_owner_is_asked_once_with_the_earliest_day() -> None:
    answer = judged(file(of=BARRED, procedure=Procedure.JUDICIAL, documents=INVOICE, sanctions_asked_on=None))
    (asked,) = requests(answer)
    assert (asked.owner, asked.by_on, asked.is_blocking) == ("creditor", dt.date(2026, 6, 29), True)
    assert set(asked.findings) == {"LIM-01", "DOC-01"}
    assert asked.text.count("\n") == 1 and "Supply the contract or order" in asked.text
    everything = requests(answer, is_unknown_asked=True)
    assert [one.owner for one in everything] == ["creditor", "operator"]
    assert {"SAN-01"} <= set(everything[1].findings) and not everything[1].is_blocking
    assert requests(judged(file())) == ()


def test_warnings_travel_and_blocks_do_not() -> None:
    answer = judged(file(of=BARRED, documents=INVOICE))
    assert [text.split()[0] for text in warnings(answer)] == ["LIM-01", "DOC-01"]
    assert warnings(judged(file(of=BARRED, procedure=Procedure.JUDICIAL))) == ()


def test_only_what_is_new_is_said_again() -> None:
    before = judged(file(of=BARRED, documents=INVOICE))
    assert change(before, before).new == () and change(before, before).settled == ()
    assert {one.id for one in change(None, before).new} == {"LIM-01", "DOC-01"}
    supplied = judged(file(of=BARRED))
    assert (change(before, supplied).new, change(before, supplied).settled) == ((), ("DOC-01",))
    in_part = judged(file(of=BARRED, documents=(*INVOICE, KnownDocument(kind="contract"))))
    (changed,) = change(before, in_part).new
    assert changed.id == "DOC-01" and "contract" not in changed.evidence
    stopping = change(before, judged(file(of=BARRED, documents=INVOICE, procedure=Procedure.JUDICIAL)))
    assert {one.id for one in stopping.new if one.is_blocking} == {"LIM-01", "DOC-01"}


def test_every_rule_has_a_remark_in_every_language() -> None:
    for rule in rule_book().rules:
        said = {remark_in(rule, language) for language in ("en", "nl", "fr", "de", "es")}
        assert len(said) == 5 and all(said), rule.id
