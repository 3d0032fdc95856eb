"""The hub's SOAP service: strangers' clients fetch a case, say what happened in it, and are told what is wrong.

Oracles: zeep, which reads the served contract, and the `soap` package of Node.js where it is installed (its folder in
COLLECTHUB_NODE_SOAP, as in CI); `xmllint`-like checks are lxml's on the published schema.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import zeep
from lxml import etree
from walk.scripted import ScriptedPlugin, World
from zeep.wsse.username import UsernameToken

from collecthub.bundled import mailbox
from collecthub.engine.context import Hub
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import CreditorRow, Playbook, add_connection, write_creditor, write_partner
from collecthub.store.queries.scope import Role
from collecthub.testing.inline import run_until_idle
from collecthub.web.app import create_app
from web.office import connection, make_hub
from web.server import served

NS = "urn:collecthub:case-exchange:1.0"
SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
NODE = os.environ.get("COLLECTHUB_NODE_SOAP", "")


class Desk:
    """A hub with one case in a bailiff's mailbox, its address and the bailiff's key."""

    def __init__(self, hub: Hub, url: str, key: str, peer_key: str) -> None:
        self.hub, self.url, self.key, self.peer_key = hub, url, key, peer_key

    def case(self) -> Case:
        with self.hub.database.read() as conn:
            (found,) = read_cases(conn, sa.true())
        return found

    def kinds(self) -> list[str]:
        with self.hub.database.read() as conn:
            return [event.kind for event in read_events(conn, self.case().case_id)]

    def post(self, body: str, *, version: str = SOAP_11, header: str = "", **more: Any) -> requests.Response:
        """A call written by hand."""
        envelope = (
            f'<e:Envelope xmlns:e="{version}" xmlns:s="{NS}:service" xmlns:c="{NS}"><e:Header>{header}</e:Header>'
            f"<e:Body>{body}</e:Body></e:Envelope>"
        )
        kind = "text/xml" if version == SOAP_11 else "application/soap+xml"
        headers = {"Content-Type": kind, **more.pop("headers", {})}
        auth = more.pop("auth", ("bailiff", self.key))
        content = more.pop("content", envelope)
        return requests.post(f"{self.url}/exchange/v1/soap", data=content, headers=headers, auth=auth, timeout=60)

    def client(self, port: str) -> Any:
        """zeep on the contract as it is served, sending to this hub."""
        client = zeep.Client(f"{self.url}/exchange/v1/soap", wsse=UsernameToken("bailiff", self.key))
        binding = client.wsdl.services["CaseExchangeService"].ports[port].binding.name
        return client.create_service(binding, f"{self.url}/exchange/v1/soap")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = World()
    hub, _queue = make_hub(
        tmp_path, f"sqlite:///{tmp_path}/hub.sqlite3", ("scripted", ScriptedPlugin(world)), ("mailbox", mailbox)
    )
    now = hub.now()
    with hub.database.write() as conn:
        party = Party(name="De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name="De Kroon", party=party, playbook=Playbook()), now)
        for partner_id, countries in (("bailiff", ("UY",)), ("peer", ("XX",))):
            profile = PartnerProfile(partner_id=partner_id, name=partner_id, role="agency", countries=countries)
            write_partner(conn, profile, now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now))
        add_connection(conn, connection("box", "mailbox", "partner", None, "bailiff", now))
        keys = [accounts.add_api_key(conn, name=who, role=Role.PARTNER, partner_id=who, now=now)[0]
                for who in ("bailiff", "peer")]  # fmt: skip
    world.parties["U1"] = Party(name="Montevideo SA", country="UY")
    world.invoice("1", "U1", "2026-04-01", "500.00")
    with hub.work() as work:
        work.wake("pull", "books")
    run_until_idle(hub)
    with served(create_app(hub)) as url:
        yield Desk(hub, url, *keys)
    hub.close()


def report(desk: Desk, exchange_id: str = "b-1") -> dict[str, Any]:
    """What a bailiff says: taken on, and a first act. Two answers to one case file."""
    case = desk.case()
    assert case.placement is not None
    head = {"CaseId": case.case_id, "HolderRef": "2026/77"}
    return {
        "ExchangeId": exchange_id, "Version": "1.0", "SenderRef": "bailiff", "ReceiverRef": desk.hub.settings.operator_name,
        "CreatedAt": "2026-06-15T12:00:00Z", "MessageCount": 2,
        "Messages": {
            "_value_1": [
                {"CaseAcknowledgement": {
                    "MessageId": f"{exchange_id}-1", **head, "InReplyTo": case.placement.message_id, "Verdict": "accepted",
                    "OccurredAt": "2026-06-15T09:00:00Z"}},
                {"CaseStatusUpdate": {
                    "MessageId": f"{exchange_id}-2", **head, "Sequence": 1, "StatusCode": "contact_made",
                    "Text": "rang the bell", "OccurredAt": "2026-06-15T10:00:00Z"}},
            ]
        },
    }  # fmt: skip


@pytest.mark.parametrize("port", ["CaseExchangeSoap", "CaseExchangeSoap12"])
def test_zeep_fetches_the_case_and_reports_on_it(desk: Desk, port: str) -> None:
    service = desk.client(port)
    fetched = service.FetchExchanges(Limit=10)
    assert not fetched.HasMore
    (item,) = fetched.Item
    case_file = item.Exchange.Messages._value_1[0]["CaseFile"]
    assert (case_file.CaseId, str(case_file.Principal._value_1)) == (desk.case().case_id, "500.00")
    assert desk.case().status is Status.SENT
    assert service.FetchExchanges(AfterCursor=item.Cursor).Item == []
    assert service.AcknowledgeExchange(ExchangeId=item.Exchange.ExchangeId, Accepted=True)
    said = service.SubmitExchange(Exchange=report(desk))
    again = service.SubmitExchange(Exchange=report(desk))
    assert (said.ExchangeId, said.Duplicate, again.Duplicate) == ("b-1", False, True)
    assert service.GetExchangeState(ExchangeId="b-1").State == "received"
    run_until_idle(desk.hub)
    assert service.GetExchangeState(ExchangeId="b-1").State == "accepted"
    assert not service.GetExchangeState(ExchangeId="b-2").Known
    assert desk.case().status is Status.ACTIVE
    assert [desk.kinds().count(kind) for kind in ("case_accepted", "status_reported")] == [1, 1]


def test_what_is_changed_under_a_used_id_or_not_for_this_hub_is_refused(desk: Desk) -> None:
    service = desk.client("CaseExchangeSoap")
    service.SubmitExchange(Exchange=report(desk))
    changed = report(desk)
    changed["CreatedAt"] = "2026-06-15T12:00:01Z"
    with pytest.raises(zeep.exceptions.Fault, match="came before with other content"):
        service.SubmitExchange(Exchange=changed)
    service.SubmitExchange(Exchange=report(desk, "b-9") | {"SenderRef": "somebody"})
    run_until_idle(desk.hub)
    assert service.GetExchangeState(ExchangeId="b-9").State == "refused"
    with pytest.raises(zeep.exceptions.Fault, match="unknown_exchange"):
        service.AcknowledgeExchange(ExchangeId="never", Accepted=True)
    with pytest.raises(zeep.exceptions.Fault, match="holds none of yours"):
        service.GetAccounts()


def test_a_refused_exchange_becomes_a_task(desk: Desk) -> None:
    service = desk.client("CaseExchangeSoap")
    (item,) = service.FetchExchanges().Item
    service.AcknowledgeExchange(ExchangeId=item.Exchange.ExchangeId, Accepted=False, Code="xml.schema", Reason="no key")
    with desk.hub.database.read() as conn:
        titles = conn.scalars(sa.select(t.tasks.c.title)).all()
    assert f"box could not take exchange {item.Exchange.ExchangeId}" in titles


ASK = "<s:GetExchangeState><s:ExchangeId>x</s:ExchangeId></s:GetExchangeState>"
WSA = "http://www.w3.org/2005/08/addressing"


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"auth": ("bailiff", "wrong")}, "credentials"),
    ({"auth": ("peer", "")}, "credentials"),
    ({"body": "<s:DeleteAll/>"}, "operation"),
    ({"body": "<s:GetExchangeState/>"}, "xml.schema"),
    ({"body": "<s:SubmitExchange/>"}, "xml.schema"),
    ({"body": ASK + ASK}, "envelope"),
    ({"headers": {"SOAPAction": f'"{NS}:SubmitExchange"'}}, "envelope.action"),
    ({"header": f'<a:ReplyTo xmlns:a="{WSA}"><a:Address>http://127.0.0.1:9/</a:Address></a:ReplyTo>'},
     "envelope.reply_to"),
    ({"headers": {"Content-Type": 'multipart/related; type="application/xop+xml"'}}, "envelope.media_type"),
    ({"content": f'<!DOCTYPE x><e:Envelope xmlns:e="{SOAP_11}"/>'}, "xml.doctype"),
    ({"content": "<html/>"}, "envelope"),
)  # fmt: skip


def test_what_is_wrong_with_a_call_is_named_in_a_fault(desk: Desk) -> None:
    for version in (SOAP_11, SOAP_12):
        for call, code in WRONG:
            answer = desk.post(call.get("body", ASK), version=version, **{k: v for k, v in call.items() if k != "body"})
            assert answer.status_code in (400, 401, 500), answer.text
            root = etree.fromstring(answer.content)
            assert root.findtext(f".//{{{NS}:service}}Code") == code, answer.text
    swapped = desk.post(ASK, auth=("peer", desk.key))
    assert swapped.status_code == 401


def test_a_header_that_must_be_understood_is_not_passed_over(desk: Desk) -> None:
    for version in (SOAP_11, SOAP_12):
        header = f'<x:Transaction xmlns:x="urn:x" xmlns:e="{version}" e:mustUnderstand="1"/>'
        assert "MustUnderstand" in desk.post(ASK, version=version, header=header).text
        assert desk.post(ASK, version=version).status_code == 200


def test_another_hub_hands_over_and_hears_back_over_soap(desk: Desk) -> None:
    """A partner without a mailbox is a hub whose cases we hold: the same service, the other direction."""
    service = zeep.Client(f"{desk.url}/exchange/v1/soap", wsse=UsernameToken("peer", desk.peer_key)).create_service(
        f"{{{NS}:service}}CaseExchangeSoap", f"{desk.url}/exchange/v1/soap"
    )
    (item,) = desk.client("CaseExchangeSoap").FetchExchanges().Item
    exchange = zeep.helpers.serialize_object(item.Exchange)
    exchange |= {"ExchangeId": "p-1", "SenderRef": "peer", "ReceiverRef": desk.hub.settings.operator_name}
    assert not service.SubmitExchange(Exchange=exchange).Duplicate
    (answered,) = service.FetchExchanges().Item
    acknowledgement = answered.Exchange.Messages._value_1[0]["CaseAcknowledgement"]
    assert acknowledgement.Verdict == "accepted"
    (line,) = service.GetAccounts().AccountLine
    assert str(line.Principal._value_1) == "500.00"


@pytest.mark.skipif(not NODE, reason="COLLECTHUB_NODE_SOAP names no folder with the Node.js package soap")
def test_a_client_of_another_ecosystem_fetches_and_reports(desk: Desk, tmp_path: Path) -> None:
    script = tmp_path / "client.js"
    script.write_text(NODE_CLIENT)
    said = report(desk)
    exchange = {k: v for k, v in said.items() if k != "Messages"}
    (first, second) = said["Messages"]["_value_1"]
    exchange["Messages"] = {**first, **second}
    arguments = [desk.url, desk.key, json.dumps(exchange)]
    done = subprocess.run(
        ["node", str(script), *arguments], env={**os.environ, "NODE_PATH": f"{NODE}/node_modules"}, cwd=NODE,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert heard == {"case": desk.case().case_id, "duplicate": [False, True], "fault": True}
    run_until_idle(desk.hub)
    assert desk.case().status is Status.ACTIVE


NODE_CLIENT = """
const soap = require(require.resolve("soap", {paths: [process.env.NODE_PATH]}));
const [url, key, exchange] = process.argv.slice(2);
(async () => {
  const address = url + "/exchange/v1/soap";
  const client = await soap.createClientAsync(address, {endpoint: address});
  client.setEndpoint(address);
  client.setSecurity(new soap.WSSecurity("bailiff", key, {hasTimeStamp: true}));
  const [fetched] = await client.FetchExchangesAsync({Limit: 10});
  const items = [].concat(fetched.Item);
  const duplicate = [];
  for (const _ of [1, 2]) {
    const [said] = await client.SubmitExchangeAsync({Exchange: JSON.parse(exchange)});
    duplicate.push(said.Duplicate);
  }
  let fault = false;
  try { await client.AcknowledgeExchangeAsync({ExchangeId: "never", Accepted: true}); } catch (error) { fault = true; }
  console.log(JSON.stringify({case: items[0].Exchange.Messages.CaseFile.CaseId, duplicate, fault}));
})().catch((error) => { console.error(error.message || error); process.exit(1); });
"""


def test_basic_authentication_alone_is_enough(desk: Desk) -> None:
    token = base64.b64encode(f"bailiff:{desk.key}".encode()).decode()
    answer = desk.post(ASK, auth=None, headers={"Authorization": f"Basic {token}"})
    assert answer.status_code == 200
