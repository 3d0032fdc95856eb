"""What goes out comes back: the same exchange in both spellings, whatever script the names are in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from collecthub.errors import PermanentError
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import AccountLine, Exchange, PaymentReport
from formats.exchanges import ACCOUNTS, EXCHANGES, case_file, exchange, generated, payment

FORMATS = [XmlFormat(), JsonFormat()]


@pytest.mark.parametrize("spelling", FORMATS, ids=lambda spelling: spelling.format_id)
@generated
@given(sent=EXCHANGES)
def test_an_exchange_comes_back_as_it_went(spelling: XmlFormat | JsonFormat, sent: Exchange) -> None:
    reading = spelling.read(spelling.encode(sent))
    assert reading.faults == ()
    assert reading.exchange == sent


@pytest.mark.parametrize("spelling", FORMATS, ids=lambda spelling: spelling.format_id)
@generated
@given(sent=ACCOUNTS)
def test_books_come_back_as_they_went(spelling: XmlFormat | JsonFormat, sent: tuple[AccountLine, ...]) -> None:
    assert spelling.decode_accounts(spelling.encode_accounts(sent)) == sent


@generated
@given(sent=EXCHANGES)
def test_documents_may_lie_beside_the_xml(sent: Exchange) -> None:
    content, documents = XmlFormat().encode_with_files(sent)
    decoded = XmlFormat().decode_with_files(content, documents)
    assert decoded.faults == ()
    assert decoded.messages == sent.messages


def test_the_same_exchange_always_gives_the_same_bytes() -> None:
    sent = exchange(case_file(), payment())
    for spelling in FORMATS:
        assert spelling.encode(sent) == spelling.encode(msgspec.structs.replace(sent))


def test_a_moment_keeps_its_instant_and_money_its_digits() -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=45))
    sent = msgspec.structs.replace(
        exchange(payment(amount="1000.10")), created_at=dt.datetime(2026, 1, 1, 0, 0, tzinfo=zone)
    )
    for spelling in FORMATS:
        assert b"2025-12-31T18:15:00Z" in spelling.encode(sent)
        message = spelling.decode(spelling.encode(sent)).messages[0]
        assert isinstance(message, PaymentReport) and str(message.amount) == "1000.10"


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("NaN", "not an amount"), ("1E+15", "not an amount"), ("0.0000001", "not an amount"), ("-1", "reverses_ref")],
)
def test_a_value_that_cannot_travel_is_refused_before_it_leaves(amount: str, reason: str) -> None:
    sent = exchange(payment(1), msgspec.structs.replace(payment(2), amount=Decimal(amount)))
    for spelling in FORMATS:
        with pytest.raises(PermanentError, match=reason) as refusal:
            spelling.encode(sent)
        assert "messages[1]" in refusal.value.message


def test_an_exponent_never_leaves() -> None:
    sent = exchange(msgspec.structs.replace(payment(), amount=Decimal("1E+3")))
    assert b">1000<" in XmlFormat().encode(sent)
    assert b'"1000"' in JsonFormat().encode(sent)


def test_a_moment_without_zone_or_a_control_character_is_refused_before_it_leaves() -> None:
    for broken in (
        msgspec.structs.replace(exchange(payment()), created_at=dt.datetime(2026, 1, 1)),  # noqa: DTZ001 on purpose
        exchange(msgspec.structs.replace(payment(), holder_ref="a\x00b")),
        exchange(msgspec.structs.replace(payment(), case_id="two words")),
        exchange(msgspec.structs.replace(case_file(), debtors=())),
        exchange(msgspec.structs.replace(case_file(), principal=Decimal(1))),
    ):
        for spelling in FORMATS:
            with pytest.raises(PermanentError):
                spelling.encode(broken)
