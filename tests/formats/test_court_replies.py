"""What courts and bailiffs answer, built from their published samples and schemas, as messages of the exchange."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.epu_acts import COST_ACT, read_acts
from collecthub.formats.epu_schemas import epu_faults
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.sdt_particulars import request_id
from collecthub.formats.sdt_replies import PROCEDURE_DATES
from collecthub.formats.xjustiz_replies import read_reply
from collecthub.model.codes import Phase
from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    Message,
)
from collecthub.model.status_tables import status_tables
from collecthub.wire.xml import parse
from formats.court_cases import CASE_ID, MESSAGE_ID

SDT = SdtFormat("mcolClaim")
REQUEST = request_id(CASE_ID, MESSAGE_ID)


# --- HMCTS SDT ------------------------------------------------------------------------------------------------------


def feedback(shared_data: Path, *edits: tuple[str, str]) -> tuple[Message, ...]:
    """The published feedback sample, about a request of ours."""
    path = shared_data / "formats/hmcts-sdt/samples/e2e/RequestBulkFeedbackTest.testValidRequestBulkFeedback.response.xml"
    text = path.read_text(encoding="utf-8")
    for old, new in (("USER_REQUEST_ID_BF1", REQUEST), *edits):
        assert old in text
        text = text.replace(old, new)
    decoded = SDT.decode(text.encode())
    assert [fault.code for fault in decoded.faults] == ["sdt.request"]  # the sample's second request is nobody's
    return decoded.messages


def test_a_feedback_sample_tells_states_dates_warrant_and_fee(shared_data: Path) -> None:
    messages = feedback(shared_data, ("<mresp:fee>0</mresp:fee>", "<mresp:fee>10500</mresp:fee>"))
    updates = [message for message in messages if isinstance(message, CaseStatusUpdate)]
    assert {message.case_id for message in messages} == {CASE_ID}
    assert [(update.status_code, update.sequence) for update in updates] == [
        ("Accepted", 5), ("issueDate", 7), ("serviceDate", 8), ("warrantNumber", 11),
    ]  # fmt: skip
    assert updates[3].text == "12345678 123 Court Code"
    assert updates[1].occurred_at == dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    (fee,) = (message for message in messages if isinstance(message, CostStatement))
    assert (fee.amount, fee.currency, fee.cost_type) == (Decimal("105.00"), "GBP", "court_fee")


def test_every_date_and_number_of_the_procedure_is_in_the_table() -> None:
    known = status_tables()["sdt"].codes
    assert {code: known[code].meaning for code in (*PROCEDURE_DATES, "warrantNumber")} == {
        "issueDate": "status_report", "serviceDate": "summons_served", "judgmentEnteredDate": "judgment_given",
        "firstPaymentDate": "status_report", "warrantNumber": "status_report",
    }  # fmt: skip
    assert known["warrantNumber"].phase is Phase.ENFORCEMENT


def test_the_same_feedback_twice_has_the_same_ids(shared_data: Path) -> None:
    assert feedback(shared_data) == feedback(shared_data)


# The states of Base.xsd, and what section 8 of the field's crosswalk makes of them.
STATES = {
    "Received": "received", "Forwarded": "sent", "Initially Accepted": "accepted",
    "Awaiting Data": "info_requested", "Accepted": "accepted", "Rejected": "refused",
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_schema_means_one_thing(state: str, shared_data: Path) -> None:
    messages = feedback(shared_data, ('<ns2:status code="Accepted"/>', f'<ns2:status code="{state}"/>'))
    (update,) = (m for m in messages if isinstance(m, CaseStatusUpdate) and m.status_code == state)
    assert status_tables()["sdt"].codes[update.status_code].meaning == STATES[state]


def test_an_invented_state_reaches_the_case_in_its_own_words_and_waits_for_a_person(shared_data: Path) -> None:
    messages = feedback(shared_data, ('<ns2:status code="Accepted"/>', '<ns2:status code="Mislaid"/>'))
    (update,) = (m for m in messages if isinstance(m, CaseStatusUpdate) and m.status_code == "Mislaid")
    assert update.status_code not in status_tables()["sdt"].codes
    assert update.sequence > 11


def test_a_refused_bulk_file_says_why(shared_data: Path) -> None:
    folder = shared_data / "formats/hmcts-sdt/samples/e2e"
    decoded = SDT.decode((folder / "SubmitBulkTest.testCountMismatch.response.xml").read_bytes())
    assert (decoded.exchange_id, decoded.messages) == ("abc1223481", ())
    assert [fault.code for fault in decoded.faults] == ["sdt.REQ_COUNT_MISMATCH"]
    assert status_tables()["sdt"].codes["REQ_COUNT_MISMATCH"].meaning == "refused"


@pytest.mark.parametrize("name", ["BulkFeedbackResponse.xml", "BulkSubmitResponse.xml"])
def test_samples_without_namespaces_are_refused_in_words(name: str, shared_data: Path) -> None:
    with pytest.raises(QuarantineError, match="namespace 'none'") as refusal:
        SDT.decode((shared_data / "formats/hmcts-sdt/samples/v2" / name).read_bytes())
    assert refusal.value.code == "sdt.unknown"


# --- Polish bailiffs -----------------------------------------------------------------------------------------------

# Every act of typRodzajCzynnosci, and what the crosswalk makes of it.
ACTS = {
    "podjęcie postępowania egzekucyjnego": ("status_report", None),
    COST_ACT: ("cost_incurred", None),
    "umorzono przez wyegzekwowanie w całości": ("closed", "paid_full"),
    "umorzono przez wyegzekwowanie w części": ("closed", "paid_partial"),
    "umorzono w inny sposób": (None, None),  # why is not stated: a person decides
    "zwrot wniosku": (None, None),
    "przekazano sprawę": ("transferred", None),
}


def acts(*kinds: str, amount: str = "12.50", signature: str = "VI Nc-e 123/26") -> bytes:
    """A package of acts in the court's structure."""
    one = (
        "<CzynnoscEPU><Klauzula><IDNakazu>1</IDNakazu><IDKlauzuli>2</IDKlauzuli><Sygnatura>{0}</Sygnatura>"
        "<DataKlauzuli>2026-05-01</DataKlauzuli><KodKlauzuli>K1</KodKlauzuli></Klauzula>"
        '<Komornik ID="7"><Nazwa>Komornik Sądowy</Nazwa></Komornik><SygnaturaKom>Km 12/26</SygnaturaKom>'
        "<DataCzynnosci>2026-06-0{1}T10:00:00</DataCzynnosci><DataOdnotowania>2026-06-0{1}T12:00:00</DataOdnotowania>"
        "<Kwota>{2}</Kwota><Rodzaj>{3}</Rodzaj></CzynnoscEPU>"
    )
    body = "".join(one.format(signature, day, amount, kind) for day, kind in enumerate(kinds, 1))
    package = '<CzynnosciEgzekucyjneEPU xmlns="http://www.currenda.pl/epu" OznaczeniePaczki="P1">{0}</CzynnosciEgzekucyjneEPU>'
    return package.format(body).encode()


def test_the_acts_built_here_are_what_the_courts_schema_accepts(shared_data: Path) -> None:
    assert epu_faults(parse(acts(*ACTS)), shared_data / "formats/epu-poland/xsd") == []


def test_seven_acts_mean_what_the_crosswalk_says() -> None:
    decoded = read_acts(acts(*ACTS), {"VI Nc-e 123/26": CASE_ID})
    assert decoded.faults == ()
    updates = [message for message in decoded.messages if isinstance(message, CaseStatusUpdate)]
    table = status_tables()["epu"]
    for update, (meaning, outcome) in zip(updates, ACTS.values(), strict=True):
        found = table.codes.get(update.status_code)
        assert (found and found.meaning) == meaning, update.status_code
        assert outcome is None or (found and found.outcome) == outcome
        assert found or update.status_code in table.ambiguous
    assert [update.sequence for update in updates] == sorted(update.sequence for update in updates)
    assert updates[0].occurred_at == dt.datetime(2026, 6, 1, 8, 0, tzinfo=dt.UTC)  # 10:00 in a Polish summer


def test_the_cost_act_alone_adds_a_cost_that_the_debtor_bears() -> None:
    decoded = read_acts(acts(*ACTS), {"VI Nc-e 123/26": CASE_ID})
    (cost,) = (message for message in decoded.messages if isinstance(message, CostStatement))
    assert (cost.amount, cost.currency, cost.bearer) == (Decimal("12.50"), "PLN", CostBearer.DEBTOR)


def test_an_act_on_an_unknown_file_or_with_a_bad_amount_is_a_fault_beside_good_ones() -> None:
    known = {"VI Nc-e 123/26": CASE_ID}
    assert [fault.code for fault in read_acts(acts("zwrot wniosku", signature="VI Nc-e 9/26"), known).faults] == ["epu.act"]
    mixed = acts("zwrot wniosku", "przekazano sprawę").replace(b"<Kwota>12.50<", b"<Kwota>1e9<", 1)
    decoded = read_acts(mixed, known)
    assert (len(decoded.messages), len(decoded.faults)) == (1, 1)
    assert "CzynnoscEPU[1]" in decoded.faults[0].path


# --- XJustiz -------------------------------------------------------------------------------------------------------

UUID_MESSAGE, UUID_CASE = "0197a3c4-d5e6-f708-1920-a1b2c3d4e5f7", "0197a3c4-d5e6-f708-1920-a1b2c3d4e5f6"
HEAD = f"""
<nachrichtenkopf xjustizVersion="3.6.2"><erstellungszeitpunkt>2026-06-16T09:30:00+02:00</erstellungszeitpunkt>
<absender><informationen><auswahl_kommunikationspartner><sonstige>Gerichtsvollzieher</sonstige></auswahl_kommunikationspartner>
</informationen><aktenzeichen>DR II 12/26</aktenzeichen>
<eigeneNachrichtenID>11111111-2222-3333-4444-555555555555</eigeneNachrichtenID></absender>
<empfaenger><informationen><auswahl_kommunikationspartner><sonstige>hub</sonstige></auswahl_kommunikationspartner>
</informationen><auswahl_aktenzeichen><aktenzeichen.unbekannt>true</aktenzeichen.unbekannt></auswahl_aktenzeichen>
<fremdeNachrichtenID>{UUID_MESSAGE}</fremdeNachrichtenID></empfaenger>
<nachrichtenuebergreifenderProzess><prozessID>{UUID_CASE}</prozessID></nachrichtenuebergreifenderProzess>
<herstellerinformation><nameDesProdukts>P</nameDesProdukts><herstellerDesProdukts>H</herstellerDesProdukts><version>1</version>
</herstellerinformation></nachrichtenkopf>"""
ERROR = (
    '<fachdaten><fehler><auswahl_fehlercode><fehlercode listVersionID="1.3"><code xmlns="">004</code></fehlercode>'
    "</auswahl_fehlercode><zusatzinformation>Titel fehlt</zusatzinformation>{0}</fehler></fachdaten>"
)
GOES_ON = "<auswahl_statusWeiterverarbeitung><erfolgt>true</erfolgt></auswahl_statusWeiterverarbeitung>"
RECEIPT = "<fachdaten>{0}</fachdaten>"
DISTURBED = (
    '<stoerungsmeldung><stoerungsID><code xmlns="">2</code></stoerungsID>'
    "<stoerungsGrund>unlesbar</stoerungsGrund></stoerungsmeldung>"
)
ANSWERS = {
    "error": ("gds.fehler.0005007", ERROR.format(""), AckVerdict.REFUSED, "004", "Titel fehlt"),
    "error that stops nothing": ("gds.fehler.0005007", ERROR.format(GOES_ON), AckVerdict.RECEIVED, "004", "Titel fehlt"),
    "done": ("gds.verarbeitungsbestaetigung.0005008", "", AckVerdict.ACCEPTED, "", ""),
    "receipt": (
        "eeb.zuruecklaufend.2200007",
        RECEIPT.format("<empfangsbestaetigung>2026-06-16</empfangsbestaetigung>"),
        AckVerdict.RECEIVED, "", "2026-06-16",
    ),
    "disturbed": ("eeb.zuruecklaufend.2200007", RECEIPT.format(DISTURBED), AckVerdict.REFUSED, "2", "unlesbar"),
}  # fmt: skip
MODULES = {"0005": "xjustiz_0005_nachrichten_3_2.xsd", "2200": "xjustiz_2200_eeb_3_1.xsd"}


def answer(name: str, body: str) -> bytes:
    return f'<nachricht.{name} xmlns="http://www.xjustiz.de">{HEAD}{body}</nachricht.{name}>'.encode()


@pytest.mark.parametrize("why", ANSWERS)
def test_an_answer_finds_its_order_and_case(why: str, shared_data: Path) -> None:
    name, body, verdict, code, reason = ANSWERS[why]
    content = answer(name, body)
    module = MODULES[name[-7:-3]]
    schema = etree.XMLSchema(etree.parse(shared_data / "formats/xjustiz-3.6.2/xsd" / module))
    assert schema.validate(etree.fromstring(content)), schema.error_log
    (message,) = read_reply(content).messages
    assert isinstance(message, CaseAcknowledgement)
    assert (message.in_reply_to, message.case_id, message.holder_ref) == (MESSAGE_ID, CASE_ID, "DR II 12/26")
    assert (message.verdict, message.reason_code, message.reason) == (verdict, code, reason)
    assert message.occurred_at == dt.datetime(2026, 6, 16, 7, 30, tzinfo=dt.UTC)


def test_an_answer_without_a_process_is_a_fault() -> None:
    content = answer("gds.verarbeitungsbestaetigung.0005008", "").replace(UUID_CASE.encode(), b"")
    decoded = read_reply(content)
    assert (decoded.messages, [fault.code for fault in decoded.faults]) == ((), ["xjustiz.process"])


def test_an_order_is_no_answer_and_a_doctype_is_refused_unread() -> None:
    with pytest.raises(QuarantineError) as refusal:
        read_reply(answer("zvstr.vollstreckungsauftrag.2600003", ""))
    assert refusal.value.code == "xjustiz.unknown"
    for read in (read_reply, SDT.decode, lambda content: read_acts(content, {})):
        with pytest.raises(QuarantineError) as refusal:
            read(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')
        assert refusal.value.code == "xml.doctype"
