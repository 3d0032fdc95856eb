"""Words, sentences, ladders, forms: the parts of the portal that need no browser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, get_args

import pytest
from starlette.datastructures import FormData

from collecthub.engine.desk import GUARDING_HOLDS, PERSONS_HOLDS
from collecthub.model.case import Placement
from collecthub.model.codes import Outcome, Phase, Status
from collecthub.model.event import Fact
from collecthub.model.exchange import CostBearer, Procedure
from collecthub.model.ids import derived_id
from collecthub.model.ledger import LedgerLine, LineKind
from collecthub.model.rungs import RungClocks
from collecthub.store.queries.case_file import MessageView, Step
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


HOUR = dt.timedelta(hours=1)


def _message(state: str = "sent", **more: str) -> MessageView:
    return MessageView(
        message_id=derived_id("placed", "case_file"), kind="case_file", partner_id="p", state=state, envelope_id=None,
        ladder=(Step(name="queued", at=NOON),), **more,
    )  # fmt: skip


def _placed(**more: Any) -> Placement:
    return Placement(
        placement_id="placed", partner_id="p", partner_name="Office", route="bailiff", procedure=Procedure.AMICABLE,
        reason="near", chosen_at=NOON, **more,
    )  # fmt: skip


_OPEN = "Received open, Validated open, Accepted open, Acted open, Result open"


@pytest.mark.parametrize(
    ("message", "placement", "expected"),
    [
        (_message("queued"), _placed(), f"Prepared done, Sent now, {_OPEN}"),
        (_message("enveloped", envelope_state="in_doubt"), _placed(), f"Prepared done, Sent bad, {_OPEN}"),
        (
            _message(), _placed(sent_at=NOON, acknowledged_at=NOON, ended_at=NOON, end_reason="refused: data"),
            "Prepared done, Sent done, Received done, Validated done, Refused bad",
        ),
        (
            _message(), _placed(sent_at=NOON, accepted_at=NOON, acted_at=NOON, ended_at=NOON, end_reason="returned: x"),
            "Prepared done, Sent done, Received done, Validated done, Accepted done, Acted done, Result done",
        ),
        (
            _message(), _placed(sent_at=NOON, acknowledged_at=NOON, ended_at=NOON, end_reason="recalled"),
            "Prepared done, Sent done, Received done, Validated open, Accepted open, Acted open, Result done",
        ),
        (
            _message(), _placed(sent_at=NOON - 25 * HOUR),
            "Prepared done, Sent done, Received late, Validated open, Accepted open, Acted open, Result open",
        ),
        (
            _message(), _placed(sent_at=NOON, accepted_at=NOON, clocks=RungClocks(acted_hours=0, result_hours=5)),
            "Prepared done, Sent done, Received done, Validated done, Accepted done, Acted open, Result now",
        ),
        (_message("withdrawn"), _placed(), f"Prepared done, Sent open, {_OPEN}"),
    ],
    ids=["queued", "in doubt", "refused", "returned", "recalled", "overdue", "own clocks", "withdrawn"],
)  # fmt: skip
def test_a_ladder_shows_how_far_a_message_came(message: MessageView, placement: Placement, expected: str) -> None:
    (ladder,) = ladders([message], (), (placement,), NOON)
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
