"""What other countries' registers write and answer: the Norwegian request for attachment, and the result of an Icelandic batch."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from typer.testing import CliRunner
from wire.test_foreign_wsdls import NOWHERE, maps

from collecthub.cli.exchange import app
from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.elan import ElanFormat, left_behind, read_elan
from collecthub.formats.inkasso_replies import Asked, ClaimKey, read_operation
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import AckVerdict, CaseAcknowledgement, CaseFile
from collecthub.wire.soap import SoapClient

SCHEMA = Path(__file__).parents[2] / "schemas" / "case-exchange-1.0.xsd"


@pytest.fixture
def request_file(shared_data: Path) -> Path:
    return shared_data / "formats" / "norway-elan" / "begjaering-v0-enkel.json"


def edited(path: Path, *edits: tuple[str, str]) -> bytes:
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def test_the_norwegian_sample_is_a_case_of_three_linked_claims(request_file: Path) -> None:
    """Sum and kinds are those of the folder's own page: 12,532.38 NOK over principal, interest and out-of-court costs."""
    exchange = read_elan(request_file.read_bytes())
    (file,) = exchange.messages
    assert isinstance(file, CaseFile)
    assert (file.principal, file.currency, file.procedure.value) == (Decimal("12532.38"), "NOK", "enforcement")
    principal, *others = file.claims
    assert [claim.kind for claim in file.claims] == ["principal", "interest", "out_of_court_cost"]
    assert [claim.related_claim_ids for claim in others] == [(principal.claim_id,)] * 2
    assert (principal.original_amount, principal.open_amount) == (Decimal("12469.14"), Decimal("11000.14"))
    assert (file.creditor.name, file.debtors[0].name) == ("UPERSONLIG FRISK TIGER AS", "HENSIKT LYSEGUL")
    assert (file.payment.account, file.payment.reference) == ("NO5969930570044", "2509937609")
    assert [order.text for order in file.orders] == ["utleggspant", "utleggstrekk"]
    content = XmlFormat().encode(exchange)
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert XmlFormat().decode(content).messages == exchange.messages
    assert read_elan(request_file.read_bytes()) == exchange, "the same request has the same ids"


def test_what_a_case_file_has_no_place_for_is_named_and_the_debtors_number_stays_out(request_file: Path) -> None:
    content = request_file.read_bytes()
    assert {"vedlegg", "innbetaling", "renteOpplysning", "prosessfullmektig"} <= set(left_behind(content))
    assert "44926701751" not in str(read_elan(content))
    with pytest.raises(PermanentError, match="not written"):
        ElanFormat().encode(read_elan(content))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"beloep": 11000.14', '"beloep": 11000.15', "gjenstaaendeBeloep: is 11000.15, the payments leave 11000.14"),
        ('"kravdetaljer": "Rentekrav"', '"kravdetaljer": "Bot"', "kravdetaljer: is 'Bot'"),
        ('"relatertKrav": [\n        "00890772001"\n      ]', '"relatertKrav": []', "relatertKrav: names no claim"),
        ('"beloep": 12469.14', '"beloep": 12469.145', "no amount of NOK"),
        ('"forfallsdato": "2024-06-15"', '"forfallsdato": "15.06.2024"', "forfallsdato: is '15.06.2024', no day"),
        ('"valuta": "NOK"\n      },\n      "innbetaling"', '"valuta": "EUR"\n      },\n      "innbetaling"', "EUR, NOK"),
        ('"innsenderReferanse": "InnsenderRef124"', '"reference": "InnsenderRef124"', "misstates 'innsenderReferanse'"),
    ],
)  # fmt: skip
def test_a_request_that_contradicts_itself_is_refused_with_its_place(request_file: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(QuarantineError, match=place.replace("(", r"\(")):
        read_elan(edited(request_file, (old, new)))


def leaves(tree: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON document where a plain value stands: the object or list, and the key."""
    items = list(tree.items() if isinstance(tree, dict) else enumerate(tree))
    inner = [found for _, value in items if isinstance(value, dict | list) for found in leaves(value)]
    return inner + [(tree, key) for key, value in items if not isinstance(value, dict | list)]


ODD: tuple[Any, ...] = (None, {}, "NaN", "a\u0000b", "x" * 400)


def test_no_value_breaks_the_reader(request_file: Path) -> None:
    """Whatever stands in whatever place: a case file that keeps its own rules, or a refusal in words."""
    tree = json.loads(request_file.read_bytes())
    refused = 0
    for number, (holder, key) in enumerate(leaves(tree)):
        before, holder[key] = holder[key], ODD[number % len(ODD)]
        try:
            assert XmlFormat().encode(read_elan(json.dumps(tree).encode()))
        except QuarantineError as error:
            refused += 1
            assert error.code == "elan.invalid"
        holder[key] = before
    assert refused > 10


def test_a_field_that_stands_twice_is_refused(request_file: Path) -> None:
    with pytest.raises(QuarantineError, match="twice"):
        read_elan(edited(request_file, ('"valuta": "NOK"', '"valuta": "NOK", "valuta": "NOK"')))


def test_anybodys_file_can_be_read_by_people(request_file: Path, tmp_path: Path) -> None:
    """A request of another country and a partner's own reports, as a page, with what is wrong named."""
    page = tmp_path / "request.html"
    shown = CliRunner().invoke(app, ["show", str(request_file), "--output", str(page), "--json"])
    said = json.loads(shown.stdout)
    assert shown.exit_code == 0 and "vedlegg" in said["not_carried"] and said["faults"] == []
    assert "HENSIKT LYSEGUL" in page.read_text(encoding="utf-8")
    reports = SCHEMA.parents[1] / "docs" / "handbook" / "examples" / "reports.xml"
    spoilt = tmp_path / "reports.xml"
    spoilt.write_text(reports.read_text(encoding="utf-8").replace("<ReceivedOn>20", "<ReceivedOn>x20", 1), encoding="utf-8")
    other = CliRunner().invoke(app, ["show", str(spoilt), "--format", "case-exchange-json"])
    assert other.exit_code == 1 and "ReceivedOn" in other.stderr
    assert len(json.loads(other.stdout)["messages"]) == 7


# --- Iceland -----------------------------------------------------------------------------------------------------------

SPACE = "http://IcelandicOnlineBanking/2005/12/01/"
AT = dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)
KNOWN = {
    ClaimKey("5501012345", "0101-66-000001", f"2026-05-0{day}"): Asked(case_id=f"case-{day}", message_id=f"m-{day}") for day in (1, 2)
}


def result(status: str) -> bytes:
    def key(day: int) -> str:
        return f"<c:Key><c:ClaimantID>5501012345</c:ClaimantID><c:Account>0101-66-000001</c:Account><c:DueDate>2026-05-0{day}</c:DueDate></c:Key>"

    error = '<c:Error><k:Code>117</k:Code><k:Message>Kennitala greiðanda finnst ekki</k:Message></c:Error>'
    return (
        f'<GetClaimOperationResultResponse xmlns="{SPACE}Claims" xmlns:c="{SPACE}ClaimTypes" xmlns:k="{SPACE}CommonTypes">'
        f"<GetClaimOperationResultResult><c:ID>op-7</c:ID><c:Status>{status}</c:Status>"
        f"<c:Success>{key(1)}<c:Print>NoInformation</c:Print></c:Success><c:Errors>{key(2)}{error}</c:Errors>"
        f"<c:Errors>{key(3)}{error}</c:Errors></GetClaimOperationResultResult></GetClaimOperationResultResponse>"
    ).encode()


def told(client: SoapClient, content: bytes) -> Any:
    """The same result as a client made of the published WSDL reads it."""
    zeep: Any = client._client
    element = zeep.get_element(f"{{{SPACE}Claims}}GetClaimOperationResultResponse")
    return element.parse(etree.fromstring(content), zeep.wsdl.types)


def test_one_claim_of_an_icelandic_batch_fails_and_one_is_accepted(shared_data: Path) -> None:
    content = result("CompletedWithErrors")
    wsdl, mapped, _ = maps(shared_data / "formats")["iobs"]
    client = SoapClient(wsdl, NOWHERE, allow_loopback=True, import_map=mapped)
    published = told(client, content).GetClaimOperationResultResult
    client.close()
    assert (published.Status, len(published.Success), published.Errors[0].Error.Code) == ("CompletedWithErrors", 1, "117")
    decoded = read_operation(content, KNOWN, AT)
    accepted, refused = decoded.messages
    assert isinstance(accepted, CaseAcknowledgement) and isinstance(refused, CaseAcknowledgement)
    assert (accepted.in_reply_to, accepted.verdict) == ("m-1", AckVerdict.ACCEPTED)
    assert (refused.in_reply_to, refused.verdict, refused.reason_code) == ("m-2", AckVerdict.REFUSED, "117")
    assert [fault.code for fault in decoded.faults] == ["inkasso.key"]


def test_a_batch_in_progress_says_nothing_and_an_invented_state_is_kept_for_a_person() -> None:
    assert read_operation(result("InProgress"), KNOWN, AT).messages == ()
    with pytest.raises(QuarantineError, match="Mislaid"):
        read_operation(result("Mislaid"), KNOWN, AT)
