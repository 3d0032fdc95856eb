"""The lawyer's SOAP service as zeep reads its WSDL, and as a hand-written client that loses replies sees it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.partner_messages import NS, amendment_xml, case_file_xml, case_number_on, exchange_xml

SERVICE = f"{NS}:service"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class Counsel:
    """A hub's side in plain requests and lxml."""

    def __init__(self, twin: RunningTwin) -> None:
        self.twin = twin

    def post(self, operation: str, content: str, *, password: str = "", action: str = "") -> requests.Response:
        body = (
            f'<e:Envelope xmlns:e="{SOAP}"><e:Body><s:{operation} xmlns:s="{SERVICE}">{content}</s:{operation}>'
            "</e:Body></e:Envelope>"
        )
        return requests.post(
            self.twin.url + self.twin.facts["path"], body.encode(), timeout=10,
            auth=(self.twin.facts["username"], password or self.twin.facts["password"]),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action or operation},
        )  # fmt: skip

    def call(self, operation: str, content: str = "") -> etree._Element:
        answer = self.post(operation, content)
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content).find(f".//{{{SERVICE}}}{operation}Response")

    def fetched(self) -> list[etree._Element]:
        """Every message in the outbox, read page by page."""
        found: list[etree._Element] = []
        cursor = ""
        while True:
            answer = self.call("FetchExchanges", f"<s:AfterCursor>{cursor}</s:AfterCursor><s:Limit>2</s:Limit>")
            found += answer.findall(f".//{{{NS}}}Messages/*")
            cursors = [one.text for one in answer.iter(f"{{{SERVICE}}}Cursor")]
            if answer.findtext(f"{{{SERVICE}}}HasMore") == "false":
                return found
            cursor = cursors[-1] or ""

    def fault(self, operation: str, content: str, **options: str) -> tuple[int, str]:
        answer = self.post(operation, content, **options)
        return answer.status_code, etree.fromstring(answer.content).findtext(f".//{{{SERVICE}}}Code")


@pytest.fixture
def counsel(tmp_path: Path) -> Iterator[Counsel]:
    counsel = Counsel(start_twin("lawyer", tmp_path, settings={"auto": "1", "bundle": "3"}))
    yield counsel
    counsel.twin.stop()


def submission(name: str, *messages: str) -> str:
    return exchange_xml(name, "lawyer", messages)


def verdicts(answer: etree._Element) -> list[str]:
    return [one.text or "" for one in answer.iter(f"{{{NS}}}Verdict")]


def test_zeep_reads_the_served_contract_and_does_a_whole_case(counsel: Counsel) -> None:
    facts = counsel.twin.facts
    url = counsel.twin.url + facts["path"]
    session = requests.Session()
    client = zeep.Client(f"{url}?wsdl", transport=Transport(session=session),
                         wsse=UsernameToken(facts["username"], facts["password"]))  # fmt: skip
    service = client.create_service(f"{{{SERVICE}}}CaseExchangeSoap", url)
    amount = {"_value_1": "80.50", "currencyID": "EUR"}
    file = {
        "MessageId": "m1", "CaseId": "c1", "CaseNumber": case_number_on("silent", "lawyer"), "Procedure": "judicial",
        "Currency": "EUR", "Language": "fr", "Creditor": {"Name": "Molen"}, "Debtor": [{"Name": "Émile «A» 张伟"}],
        "Claim": [{"ClaimId": "k1", "InvoiceRef": "I1", "DueOn": dt.date(2026, 1, 31), "OriginalAmount": amount,
                   "OpenAmount": amount}],
        "Principal": amount, "Payment": {"Payee": "Molen"},
    }  # fmt: skip
    answer = service.SubmitExchange(Exchange={
        "ExchangeId": "x1", "Version": "1.0", "SenderRef": "collecthub", "ReceiverRef": "lawyer",
        "CreatedAt": dt.datetime(2026, 6, 15, 8, tzinfo=dt.UTC), "MessageCount": 1,
        "Messages": {"_value_1": [{"CaseFile": file}]},
    })  # fmt: skip
    assert answer.Duplicate is False
    assert [one["CaseAcknowledgement"].Verdict for one in answer.Exchange.Messages._value_1] == ["accepted"]
    counsel.twin.control("work", {"days": 9})
    page = service.FetchExchanges(Limit=100)
    codes = [one["CaseStatusUpdate"].StatusCode for item in page.Item for one in item.Exchange.Messages._value_1
             if "CaseStatusUpdate" in one]  # fmt: skip
    assert {"summons_served", "hearing_set", "judgment_given", "title_enforceable"} <= set(codes)
    service.AcknowledgeExchange(ExchangeId=page.Item[0].Exchange.ExchangeId, Accepted=True)
    (line,) = service.GetAccounts().AccountLine
    assert (line.Principal._value_1, line.Costs._value_1) == (80.5, line.Costs._value_1)
    assert line.Costs._value_1 > 0
    assert service.GetExchangeState(ExchangeId="x1").State == "accepted"
    assert service.GetExchangeState(ExchangeId="x2").Known is False


def test_what_breaks_the_contract_is_a_fault_and_changes_nothing(counsel: Counsel) -> None:
    file = case_file_xml("c1", "N-1")
    good = submission("x1", file)
    assert counsel.fault("SubmitExchange", good, password="wrong") == (401, "credentials")
    for content, code in {
        submission("x1", file.replace("<Procedure>enforcement", "<Procedure>violence")): "xml.schema",
        submission("x1", file.replace("250.00</OpenAmount>", "2.5e2</OpenAmount>")): "xml.schema",
        submission("x1", file.replace('EUR">250.00</Principal', 'USD">250.00</Principal')): "xml.schema",
        exchange_xml("x1", "lawyer", [file], count=3): "count",
        exchange_xml("x1", "bailiff", [file]): "address",
    }.items():
        assert counsel.fault("SubmitExchange", content) == (500, code)
    assert counsel.fault("BurnExchange", "") == (500, "xml.schema")
    assert counsel.fault("AcknowledgeExchange", "<s:ExchangeId>no</s:ExchangeId><s:Accepted>true</s:Accepted>") == (
        500, "unknown_exchange")  # fmt: skip
    hostile = f'<!DOCTYPE x><e:Envelope xmlns:e="{SOAP}"><e:Body/></e:Envelope>'
    answer = requests.post(counsel.twin.url + counsel.twin.facts["path"], hostile, timeout=10)
    assert "xml.doctype" in answer.text
    books = counsel.twin.control("books")
    assert books["cases"] == []
    assert len(books["refused"]) == 9


def test_a_lost_reply_is_given_again_and_a_changed_exchange_is_refused(counsel: Counsel) -> None:
    number = case_number_on("silent", "lawyer")
    good = submission("x1", case_file_xml("c1", number))
    counsel.twin.control("faults", {"path": "/exchange", "drop_after_bytes": 0})
    with pytest.raises(requests.RequestException):
        counsel.post("SubmitExchange", good)
    again, once_more = counsel.post("SubmitExchange", good), counsel.post("SubmitExchange", good)
    assert again.content == once_more.content
    assert b"<s:Duplicate>true<" in again.content
    changed = submission("x1", case_file_xml("c1", number, amount="251.00"))
    assert counsel.fault("SubmitExchange", changed) == (500, "changed")
    books = counsel.twin.control("books")
    assert (len(books["cases"]), books["duplicates"]["exchanges"], books["exchanges_in"]) == (1, 2, 1)


def test_it_can_be_down_or_answer_a_page_of_html(counsel: Counsel) -> None:
    counsel.twin.control("faults", {"path": "/exchange", "status": 200, "body": "<html>hello</html>"})
    answer = counsel.post("GetAccounts", "")
    assert (answer.status_code, answer.text) == (200, "<html>hello</html>")
    counsel.twin.control("down", {"seconds": 30})
    assert counsel.post("GetAccounts", "").status_code == 503
    counsel.twin.control("down", {"seconds": 0})
    assert counsel.call("GetAccounts").find(f"{{{NS}}}Accounts") is not None


def test_books_survive_a_kill_and_a_recall_ends_the_work(counsel: Counsel) -> None:
    files = [case_file_xml(f"c{n}", f"N-{n}") for n in range(30)]
    first = counsel.call("SubmitExchange", submission("x1", *files))
    accepted = verdicts(first).count("accepted")
    counsel.twin.control("work", {"days": 2})
    early = len(counsel.fetched())
    assert early > accepted
    counsel.twin.kill()
    counsel.twin = start_twin("lawyer", counsel.twin.home, settings={"auto": "1", "bundle": "3"})
    assert len(counsel.fetched()) == early
    assert verdicts(counsel.call("SubmitExchange", submission("x1", *files))) == verdicts(first)
    recalled = counsel.call("SubmitExchange", submission("x2", *(amendment_xml(f"c{n}", "recall") for n in range(30))))
    assert verdicts(recalled) == ["accepted"] * 30
    counsel.twin.control("work", {"days": 10})
    assert len(counsel.fetched()) == early
    assert counsel.twin.control("books")["acts_after_recall"] == 0


def test_mischief_garbles_one_answer_and_the_next_is_good(tmp_path: Path) -> None:
    counsel = Counsel(start_twin("lawyer", tmp_path, settings={"auto": "1", "mischief": "1"}))
    try:
        counsel.call("SubmitExchange", submission("x1", *(case_file_xml(f"c{n}", f"N-{n}") for n in range(20))))
        counsel.twin.control("work", {"days": 6})
        broken: list[Any] = [counsel.post("FetchExchanges", "").content for _ in range(2)]
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(broken[0])
        assert re.search(rb"<!DOCTYPE", broken[1])
        assert counsel.fetched()
        done = {row["kind"]: row["expect"] for row in counsel.twin.control("books")["mischief"]}
        assert (done["truncated"], done["doctype"], done["unknown_case"]) == ("retry", "retry", "quarantine")
    finally:
        counsel.twin.stop()
