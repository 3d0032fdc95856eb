"""What partners get wrong, on purpose or not: the whole is refused with a code, or one message becomes a fault."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat
from collecthub.formats.xml_reading import NAMESPACE
from collecthub.model.exchange import Exchange, Fault
from formats.exchanges import case_file, exchange, payment

NEIGHBOURS = exchange(payment(1), payment(2), payment(3))
XML, JSON = XmlFormat().encode(NEIGHBOURS).decode(), JsonFormat().encode(NEIGHBOURS).decode()
Format = XmlFormat | JsonFormat


def swap(text: str, old: str, new: str) -> bytes:
    """The text with one piece replaced; fails when the piece is not there."""
    assert old in text, old
    return text.replace(old, new, 1).encode()


def second(text: str, old: str, new: str) -> bytes:
    """The same within the second message."""
    head, mark, tail = text.partition("m-2")
    assert mark
    return (head + mark).encode() + swap(tail, old, new)


# --- the whole is refused ---------------------------------------------------------------------------------------

WHOLE = {
    "truncated xml": (XmlFormat(), XML[:-40].encode(), "xml.malformed"),
    "doctype": (XmlFormat(), swap(XML, "<Exchange", '<!DOCTYPE x [<!ENTITY e "1">]><Exchange'), "xml.doctype"),
    "another namespace": (XmlFormat(), swap(XML, NAMESPACE, "urn:somebody:else"), "exchange.namespace"),
    "another version's namespace": (XmlFormat(), swap(XML, NAMESPACE, f"{NAMESPACE[:-3]}2.0"), "exchange.version"),
    "books instead of messages": (XmlFormat(), XmlFormat().encode_accounts(()), "exchange.namespace"),
    "another version": (XmlFormat(), swap(XML, ">1.0<", ">1.1<"), "exchange.version"),
    "a message less": (XmlFormat(), swap(XML, "<MessageCount>3", "<MessageCount>4"), "exchange.count"),
    "no sender": (XmlFormat(), swap(XML, "<SenderRef>hub</SenderRef>", ""), "exchange.head"),
    "head out of order": (
        XmlFormat(), swap(XML, "<ReceiverRef>office</ReceiverRef>", "").replace(
            b"<SenderRef>", b"<ReceiverRef>office</ReceiverRef><SenderRef>"), "exchange.head",
    ),
    "a second head field": (XmlFormat(), swap(XML, "<SenderRef>", "<SenderRef>eve</SenderRef><SenderRef>"), "exchange.head"),
    "two lots of messages": (XmlFormat(), swap(XML, "</Messages>", "</Messages><Messages/>"), "exchange.head"),
    "no messages element": (XmlFormat(), XML.partition("<Messages>")[0].encode() + b"</Exchange>", "exchange.head"),
    "unzoned moment": (XmlFormat(), swap(XML, "08:30:00Z", "08:30:00"), "exchange.head"),
    "truncated json": (JsonFormat(), JSON[:-20].encode(), "json.malformed"),
    "not utf-8": (JsonFormat(), JSON.replace("office", "Gerichtsbüro").encode("latin-1"), "json.encoding"),
    "utf-16": (JsonFormat(), JSON.encode("utf-16"), "json.encoding"),
    "byte order mark": (JsonFormat(), b"\xef\xbb\xbf" + JSON.encode(), "json.malformed"),
    "nan": (JsonFormat(), second(JSON, '"12.50"', "NaN"), "json.malformed"),
    "infinity": (JsonFormat(), second(JSON, '"12.50"', "-Infinity"), "json.malformed"),
    "raw control character": (JsonFormat(), second(JSON, "P2", "P\x012"), "json.malformed"),
    "nested deeply": (JsonFormat(), b'{"messages":' + b"[" * 200_000, "json.limit"),
    "a key twice in the head": (JsonFormat(), swap(JSON, "{", '{"sender_ref":"eve",'), "exchange.head"),
    "an unknown key in the head": (JsonFormat(), swap(JSON, "{", '{"note":"x",'), "exchange.head"),
    "json version": (JsonFormat(), swap(JSON, '"1.0"', '"2.0"'), "exchange.version"),
    "count as text": (JsonFormat(), swap(JSON, '"message_count":3', '"message_count":"3"'), "exchange.head"),
    "count with exponent": (JsonFormat(), swap(JSON, '"message_count":3', '"message_count":3e0'), "exchange.head"),
    "wrong count": (JsonFormat(), swap(JSON, '"message_count":3', '"message_count":2'), "exchange.count"),
    "a list": (JsonFormat(), b"[]", "exchange.head"),
    "no list of messages": (JsonFormat(), b'{"messages":{}}', "exchange.head"),
    "nothing": (JsonFormat(), b"", "json.malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_is_refused(name: str) -> None:
    spelling, content, code = WHOLE[name]
    with pytest.raises(QuarantineError) as refusal:
        spelling.decode(content)
    assert refusal.value.code == code


# --- one message is bad -----------------------------------------------------------------------------------------

XML_FAULTS = {
    "no amount": ('<Amount currencyID="EUR">12.50</Amount>', "", "message.missing", "/Amount"),
    "exponent": (">12.50<", ">1e9<", "message.amount", "/Amount"),
    "digits of another script": (">12.50<", ">١٢<", "message.amount", "/Amount"),
    "thousands separator": (">12.50<", ">1,250.00<", "message.amount", "/Amount"),
    "seven decimals": (">12.50<", ">1.0000001<", "message.amount", "/Amount"),
    "impossible date": ("2026-06-12", "2026-02-30", "message.date", "/ReceivedOn"),
    "other currency": ('currencyID="EUR"', 'currencyID="USD"', "message.currency", "/Amount"),
    "no currency": (' currencyID="EUR"', "", "message.currency", "/Amount"),
    "unknown element": ("<Amount", "<Bonus>1</Bonus><Amount", "message.unknown", "/Bonus"),
    "foreign element": ("<Amount", '<x:Amount xmlns:x="urn:x">1</x:Amount><Amount', "message.unknown", ""),
    "element twice": ("<Amount", '<Amount currencyID="EUR">1.00</Amount><Amount', "message.repeated", "/Amount"),
    "elements in a value": (">12.50<", ">1<b/>2.50<", "message.value", "/Amount"),
    "out of order": ("<Currency>EUR</Currency>", "", "message.schema", ""),
    "unexpected attribute": ("<ReceivedOn>", '<ReceivedOn zone="CET">', "message.schema", ""),
    "text between elements": ("<Currency>", "urgent<Currency>", "message.schema", ""),
    "identifier with a space": ("m-2<", "m 2<", "message.value", "/MessageId"),
    "same message id": ("m-2<", "m-1<", "message.repeated", "/MessageId"),
}


def bad_xml(name: str) -> bytes:
    old, new, _, _ = XML_FAULTS[name]
    if name == "out of order":
        return second(XML, old, new).replace(b"2</PaymentRef>", b"2</PaymentRef>", 1).replace(
            b'">12.50</Amount><ReceivedOn>2026-06-12</ReceivedOn></PaymentReport><PaymentReport><MessageId>m-3',
            b'">12.50</Amount><Currency>EUR</Currency><ReceivedOn>2026-06-12</ReceivedOn></PaymentReport>'
            b"<PaymentReport><MessageId>m-3", 1,
        )  # fmt: skip
    return swap(XML, old, new) if old.startswith("m-2") else second(XML, old, new)


def only_fault(spelling: Format, content: bytes) -> Fault:
    """The one fault of a reading in which the neighbours came through."""
    decoded = spelling.decode(content)
    assert [message.message_id for message in decoded.messages] == ["m-1", "m-3"]
    (fault,) = decoded.faults
    return fault


@pytest.mark.parametrize("name", XML_FAULTS)
def test_a_bad_xml_message_becomes_a_fault_beside_good_neighbours(name: str) -> None:
    _, _, code, path = XML_FAULTS[name]
    fault = only_fault(XmlFormat(), bad_xml(name))
    assert fault.code == code, fault
    assert fault.path.startswith(f"/Exchange/Messages/PaymentReport[2]{path}, line "), fault.path
    assert fault.case_id == "case-2"
    assert "PaymentReport" in fault.excerpt


def test_a_fault_names_the_line_of_the_bad_element() -> None:
    pretty = etree.tostring(etree.fromstring(XML.encode()), pretty_print=True).decode()
    content = second(pretty, "2026-06-12", "2026-02-30")
    line = 1 + content.decode().split("2026-02-30")[0].count("\n")
    fault = only_fault(XmlFormat(), content)
    assert fault.path == f"/Exchange/Messages/PaymentReport[2]/ReceivedOn, line {line}"
    assert "2026-02-30" in fault.reason


def test_an_unknown_xml_message_is_a_fault() -> None:
    content = XML.replace("<PaymentReport><MessageId>m-2", "<CaseGift><MessageId>m-2")
    content = content.replace("</PaymentReport><PaymentReport><MessageId>m-3", "</CaseGift><PaymentReport><MessageId>m-3")
    fault = only_fault(XmlFormat(), content.encode())
    assert (fault.code, fault.path.partition(",")[0]) == ("message.unknown", "/Exchange/Messages/CaseGift[1]")


def test_a_comment_cannot_cut_an_amount() -> None:
    messages = XmlFormat().decode(second(XML, ">12.50<", ">1<!-- -->2.50<")).messages
    assert [getattr(message, "amount", None) for message in messages] == [payment().amount] * 3


JSON_FAULTS = {
    "no amount": ('"amount":"12.50",', "", "message.missing", ".amount"),
    "money as a number": ('"12.50"', "12.50", "message.amount", ".amount"),
    "money as a whole number": ('"12.50"', "12", "message.amount", ".amount"),
    "an exponent": ('"12.50"', "1e999999999", "message.amount", ".amount"),
    "an exponent as text": ('"12.50"', '"1e9"', "message.amount", ".amount"),
    "digits of another script": ('"12.50"', '"١٢"', "message.amount", ".amount"),
    "a number of a million digits": ('"12.50"', "1" * 1_000_000, "message.amount", ".amount"),
    "a truth": ('"12.50"', "true", "message.amount", ".amount"),
    "nothing": ('"12.50"', "null", "message.amount", ".amount"),
    "a list": ('"12.50"', '["12.50"]', "message.amount", ".amount"),
    "impossible date": ('"2026-06-12"', '"2026-02-30"', "message.date", ".received_on"),
    "unknown field": ('"amount"', '"bonus":1,"amount"', "message.unknown", ".bonus"),
    "a key twice": ('"amount"', '"amount":"1.00","amount"', "message.repeated", ""),
    "escaped control character": ('"P2"', r'"P\u00002"', "message.value", ".payment_ref"),
    "half a character": ('"P2"', r'"\ud800"', "message.value", ".payment_ref"),
    "negative without reversal": ('"12.50"', '"-12.50"', "message.contradiction", ""),
    "currency in small letters": ('"EUR"', '"eur"', "message.value", ".currency"),
}


@pytest.mark.parametrize("name", JSON_FAULTS)
def test_a_bad_json_message_becomes_a_fault_beside_good_neighbours(name: str) -> None:
    old, new, code, path = JSON_FAULTS[name]
    fault = only_fault(JsonFormat(), second(JSON, old, new))
    assert (fault.code, fault.path) == (code, f"messages[1]{path}"), fault
    assert (fault.message_id, fault.case_id) == ("m-2", "case-2")
    assert len(fault.reason) < 500


@pytest.mark.parametrize("value", ["null", "7", '"x"', "[]", "{}", '{"type":"case_gift"}', '{"type":["case_file"]}'])
def test_a_thing_that_is_no_message_is_a_fault(value: str) -> None:
    first, _, third = json.loads(JSON)["messages"]
    content = json.loads(JSON) | {"messages": [first, json.loads(value), third]}
    assert only_fault(JsonFormat(), json.dumps(content).encode()).code == "message.unknown"


# --- what no schema can say ---------------------------------------------------------------------------------------


def edited(spelling: Format, sent: Exchange, edit: Callable[[str], str]) -> tuple[Fault, ...]:
    text = spelling.encode(sent).decode()
    changed = edit(text)
    assert changed != text
    return spelling.decode(changed.encode()).faults


@pytest.mark.parametrize("spelling", [XmlFormat(), JsonFormat()], ids=["xml", "json"])
def test_a_case_file_must_add_up_and_its_documents_must_match(spelling: Format) -> None:
    sent = exchange(case_file())
    (fault,) = edited(spelling, sent, lambda text: text.replace("60.10", "60.11"))
    assert fault.code == "message.contradiction"
    assert "150.10" in fault.reason and "150.11" in fault.reason
    (fault,) = edited(spelling, sent, lambda text: text.replace("JVBERi0x", "JVBERi0y"))
    assert fault.code == "message.contradiction" and "sha256" in fault.reason
    (fault,) = edited(spelling, sent, lambda text: text.replace("claim-2", "claim-1"))
    assert "claim_id" in fault.reason


def test_a_reason_never_quotes_a_name() -> None:
    (fault,) = edited(JsonFormat(), exchange(case_file()), lambda text: text.replace("Παπαδόπουλος", "Παπα\\nδόπουλος"))
    assert fault.path == "messages[0].debtors[0].name"
    assert "Παπα" not in fault.reason


def test_a_document_that_the_container_does_not_hold_is_a_fault() -> None:
    content, documents = XmlFormat().encode_with_files(exchange(case_file(), payment(2)))
    (name,) = documents
    decoded = XmlFormat().decode_with_files(content, {})
    assert [fault.code for fault in decoded.faults] == ["message.document"]
    assert name in decoded.faults[0].reason
    assert [message.message_id for message in decoded.messages] == ["m-2"]
    (fault,) = XmlFormat().decode_with_files(content, {name: b"another file"}).faults
    assert "sha256" in fault.reason


def test_books_are_refused_whole() -> None:
    good = {"case_id": "c", "holder_ref": "", "currency": "EUR", "principal": "1", "paid": "0", "costs": "0", "is_stopped": False}
    assert len(JsonFormat().decode_accounts(json.dumps({"items": [good], "next_cursor": None}).encode())) == 1
    for items in ([good, good | {"paid": 1}], {}, [None]):
        with pytest.raises(QuarantineError) as refusal:
            JsonFormat().decode_accounts(json.dumps({"items": items, "next_cursor": None}).encode())
        assert refusal.value.code == "accounts.invalid"
    xml = XmlFormat().encode_accounts(JsonFormat().decode_accounts(json.dumps({"items": [good]}).encode())).decode()
    for old, new in (('currencyID="EUR">1<', 'currencyID="USD">1<'), (">1<", ">1e3<"), ("<IsStopped>", "x<IsStopped>")):
        with pytest.raises(QuarantineError) as refusal:
            XmlFormat().decode_accounts(swap(xml, old, new))
        assert refusal.value.code == "accounts.invalid"
