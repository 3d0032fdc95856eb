"""Words, sentences, ladders, forms: the parts of the portal that need no browser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, get_args

import pytest
from starlette.datastructures import FormData

from collecthub.engine.desk import GUARDING_HOLDS, PERSONS_HOLDS
from collecthub.model.codes import Outcome, Phase, Status
from collecthub.model.event import Fact
from collecthub.model.exchange import CostBearer
from collecthub.model.ledger import LedgerLine, LineKind
from collecthub.store.queries.case_file import MessageView, Step, TimelineEntry
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.ladder import ladders
from collecthub.web.portal.money_story import movements
from collecthub.web.portal.pages import local_path
from collecthub.web.portal.sentences import TOLD_KINDS
from collecthub.web.portal.words import HOLDS, OUTCOMES, PHASES, STATUSES, TABLES, countries

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def test_every_fact_has_a_sentence() -> None:
    assert {fact.__struct_config__.tag for fact in get_args(Fact)} == TOLD_KINDS


def test_every_code_has_a_word_and_a_tone() -> None:
    assert set(PHASES) == {phase.value for phase in Phase}
    assert set(STATUSES) == {status.value for status in Status}
    assert set(OUTCOMES) == {outcome.value for outcome in Outcome}
    assert set(HOLDS) >= PERSONS_HOLDS | GUARDING_HOLDS
    assert {tone for table in TABLES.values() for _, tone in table.values()} <= {
        "quiet",
        "info",
        "good",
        "warn",
        "bad",
    }
    assert len(countries()) == 250  # 249 of ISO 3166-1 and Kosovo


def _message(state: str = "sent", steps: tuple[str, ...] = ("queued",), **more: str) -> MessageView:
    return MessageView(
        message_id="m", kind="case_file", partner_id="p", state=state, envelope_id=None,
        ladder=tuple(Step(name=name, at=NOON) for name in steps), **more,
    )  # fmt: skip


def _entry(seq: int, kind: str, **fact: str) -> TimelineEntry:
    return TimelineEntry(seq=seq, kind=kind, occurred_at=NOON, recorded_at=NOON, fact=fact)


@pytest.mark.parametrize(
    ("message", "history", "expected"),
    [
        (_message("queued"), (), "Prepared done, Sent now, Received open, Accepted open, Acted open, Result open"),
        (
            _message("enveloped", envelope_state="in_doubt"), (),
            "Prepared done, Sent bad, Received open, Accepted open, Acted open, Result open",
        ),
        (
            _message(steps=("queued", "sent", "received", "refused")), (),
            "Prepared done, Sent done, Received done, Refused bad",
        ),
        (
            _message(steps=("queued", "sent", "accepted")),
            (_entry(1, "case_sent", message_id="m"), _entry(2, "payment_reported"), _entry(3, "case_returned")),
            "Prepared done, Sent done, Received done, Accepted done, Acted done, Result done",
        ),
        (
            _message(steps=("queued", "sent", "accepted")),
            (_entry(1, "case_sent", message_id="m"), _entry(2, "case_sent", message_id="n"), _entry(3, "case_returned")),
            "Prepared done, Sent done, Received done, Accepted done, Acted now, Result open",
        ),
        (_message("withdrawn"), (), "Prepared done, Sent open, Received open, Accepted open, Acted open, Result open"),
    ],
    ids=["queued", "in doubt", "refused", "returned", "another's return", "withdrawn"],
)  # fmt: skip
def test_a_ladder_shows_how_far_a_message_came(
    message: MessageView, history: tuple[TimelineEntry, ...], expected: str
) -> None:
    (ladder,) = ladders([message], history)
    assert ", ".join(f"{rung.name} {rung.state}" for rung in ladder.rungs) == expected


def test_money_is_told_with_its_sign_and_what_is_owed_after_it() -> None:
    def line(kind: LineKind, amount: str, **more: Any) -> LedgerLine:
        return LedgerLine(kind=kind, amount=Decimal(amount), currency="EUR", booked_on=NOON.date(), **more)

    told = movements(
        [
            line(LineKind.PRINCIPAL, "100", basis="invoice F-1", claim_id="c"),
            line(LineKind.COST, "20", bearer=CostBearer.CREDITOR, basis="bailiff_act"),
            line(LineKind.PAYMENT, "60", reference="P-1"),
            line(LineKind.PAYMENT, "-60", reference="P-1"),
        ],
        {"c": "F-1"},
    )  # fmt: skip
    assert [(entry.what, entry.why, entry.amount, entry.balance) for entry in told] == [
        ("Principal", "Invoice F-1", Decimal(100), Decimal(100)),
        ("Cost", "Bailiff act", Decimal(20), Decimal(100)),
        ("Payment", "reference P-1", Decimal(-60), Decimal(40)),
        ("Payment, reversed", "reference P-1", Decimal(60), Decimal(100)),
    ]


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("1234.50", "EUR", "1234.50"), ("1234,50", "EUR", "1234.50"), ("1 234,5", "EUR", "1234.5"),
        ("1200", "JPY", "1200"), ("1.234", "KWD", "1.234"),
        ("1.234,50", "EUR", None), ("1,234", "EUR", None), ("-5", "EUR", None), ("NaN", "EUR", None),
        ("١٢", "EUR", None), ("12.5", "JPY", None), ("9" * 16, "EUR", None), ("", "EUR", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_one_way_or_not_at_all(text: str, currency: str, expected: str | None) -> None:
    entered = Entered(FormData({"amount": text}))
    amount = entered.amount("amount", currency)
    if expected is None:
        with pytest.raises(EnteredError) as refused:
            entered.check()
        assert set(refused.value.fields) == {"amount"}
    else:
        entered.check()
        assert amount == Decimal(expected)


@pytest.mark.parametrize("field", ["a\x00b", "\ud800", "x" * 5000])
def test_a_text_that_no_database_takes_is_named(field: str) -> None:
    entered = Entered(FormData({"text": field}))
    entered.text("text")
    assert "text" in entered.wrong


@pytest.mark.parametrize(
    "path", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "", "/\n"]
)
def test_a_login_never_leads_elsewhere(path: str) -> None:
    assert local_path(path) == "/"
