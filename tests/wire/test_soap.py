"""wire.soap: what counts as a reply, against a server written by hand; requests are checked by the WSDL's own schema."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    RetryableError,
)
from collecthub.wire.soap import SoapClient, SoapFaultError
from collecthub.wire.xml import parse
from wire.peers import Answer, Peer, Seen, http_peer, read_request, tcp_peer

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:c" targetNamespace="urn:c"
    elementFormDefault="qualified">
  <xs:element name="Case"><xs:complexType><xs:sequence>
    <xs:element name="Amount" type="xs:decimal"/><xs:element name="DueOn" type="xs:date" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element></xs:schema>"""
WSDL = """<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="SOAP" xmlns:c="urn:c" xmlns:s="urn:s"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:s" name="Office">
  <w:types><xs:schema xmlns:c="urn:c" targetNamespace="urn:s" elementFormDefault="qualified">
    <xs:import namespace="urn:c" schemaLocation="LOCATION"/>
    <xs:element name="Submit"><xs:complexType><xs:sequence>
      <xs:element name="Id" type="xs:string"/><xs:element ref="c:Case"/><xs:element name="Note" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="SubmitResponse"><xs:complexType><xs:sequence>
      <xs:element name="Id" type="xs:string"/><xs:element name="Fee" type="xs:decimal"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="State"><xs:complexType><xs:sequence><xs:element name="Id" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="StateResponse"><xs:complexType><xs:sequence><xs:element name="Known" type="xs:boolean"/></xs:sequence></xs:complexType></xs:element>
  </xs:schema></w:types>
  <w:message name="SubmitIn"><w:part name="p" element="s:Submit"/></w:message>
  <w:message name="SubmitOut"><w:part name="p" element="s:SubmitResponse"/></w:message>
  <w:message name="StateIn"><w:part name="p" element="s:State"/></w:message>
  <w:message name="StateOut"><w:part name="p" element="s:StateResponse"/></w:message>
  <w:portType name="P">
    <w:operation name="Submit"><w:input message="s:SubmitIn"/><w:output message="s:SubmitOut"/></w:operation>
    <w:operation name="State"><w:input message="s:StateIn"/><w:output message="s:StateOut"/></w:operation>
  </w:portType>
  <w:binding name="B" type="s:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="Submit"><soap:operation soapAction="urn:s:Submit"/><w:input><soap:body use="literal"/></w:input><w:output><soap:body use="literal"/></w:output></w:operation>
    <w:operation name="State"><soap:operation soapAction="urn:s:State"/><w:input><soap:body use="literal"/></w:input><w:output><soap:body use="literal"/></w:output></w:operation>
  </w:binding>
  <w:service name="Office"><w:port name="Port" binding="s:B"><soap:address location="http://192.0.2.1/elsewhere"/></w:port></w:service>
</w:definitions>"""
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


@pytest.fixture
def wsdl(tmp_path: Path) -> Path:
    return written(tmp_path, "case.xsd", "http://schemas.xmlsoap.org/wsdl/soap/")


def written(folder: Path, location: str, soap: str) -> Path:
    (folder / "case.xsd").write_text(SCHEMA)
    path = folder / "office.wsdl"
    path.write_text(WSDL.replace("LOCATION", location).replace("SOAP", soap))
    return path


def envelope(body: str, version: str = SOAP_11) -> bytes:
    return (
        f'<?xml version="1.0"?><e:Envelope xmlns:e="{version}"><e:Body>{body}</e:Body></e:Envelope>'.encode()
    )


REPLY = '<SubmitResponse xmlns="urn:s"><Id>7</Id><Fee>12.50</Fee></SubmitResponse>'
XML = {"Content-Type": "text/xml; charset=utf-8"}
ARGUMENTS = {"Id": "7", "Case": {"Amount": Decimal("100.00")}, "Note": "<&>"}


def client(wsdl: Path, peer: Peer, **options: object) -> SoapClient:
    return SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True, reads={"State"}, **options)  # type: ignore[arg-type]


@pytest.fixture
def office() -> Iterator[Peer]:
    with http_peer(lambda seen: (200, XML, envelope(REPLY))) as peer:
        yield peer


def test_a_call_says_what_the_wsdl_says(wsdl: Path, office: Peer) -> None:
    with client(wsdl, office, username="hub", password="p<w") as lawyer:
        reply = lawyer.call("Submit", **ARGUMENTS)
    assert (reply.Id, reply.Fee) == ("7", Decimal("12.50"))
    seen = office.requests[0]
    assert (seen.path, seen.headers["soapaction"]) == ("/soap", '"urn:s:Submit"')
    assert seen.headers["content-type"].startswith("text/xml")
    sent = etree.fromstring(seen.body)
    assert sent.xpath("string(//*[local-name()='Username'])") == "hub"
    assert sent.xpath("string(//*[local-name()='Password'])") == "p<w"
    message = sent.find(f"{{{SOAP_11}}}Body")[0]
    types = etree.parse(wsdl).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    etree.XMLSchema(etree.ElementTree(types)).assertValid(message)
    assert message.xpath("string(//*[local-name()='Note'])") == "<&>"


def test_a_raw_call_returns_the_reply_element(wsdl: Path, office: Peer) -> None:
    with client(wsdl, office) as lawyer:
        reply = lawyer.call_raw("Submit", **ARGUMENTS)
    assert (reply.tag, reply.findtext("{urn:s}Fee")) == ("{urn:s}SubmitResponse", "12.50")


def test_an_element_that_exists_is_sent_as_it_is(wsdl: Path, office: Peer) -> None:
    case = parse(b'<k:Case xmlns:k="urn:c"><k:Amount>100.00</k:Amount><k:DueOn>2026-06-15</k:DueOn></k:Case>')
    with client(wsdl, office) as lawyer:
        for _ in range(2):
            lawyer.call("Submit", Id="7", Case=case, Note="n")
        with pytest.raises(PermanentError):
            lawyer.call("Submit", Id="7", Case=parse(b"<Other/>"))
    first, second = (seen.body for seen in office.requests)
    assert first == second and b"<k:Amount>100.00</k:Amount>" in first
    message = etree.fromstring(first).find(f"{{{SOAP_11}}}Body")[0]
    types = etree.parse(wsdl).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    etree.XMLSchema(etree.ElementTree(types)).assertValid(message)


def test_soap_12_is_spoken_where_the_wsdl_says_so(tmp_path: Path) -> None:
    wsdl = written(tmp_path, "case.xsd", "http://schemas.xmlsoap.org/wsdl/soap12/")
    fault = "<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text xml:lang='en'>No</e:Text></e:Reason></e:Fault>"
    replies = iter([(200, XML, envelope(REPLY, SOAP_12)), (400, XML, envelope(fault, SOAP_12))])
    with http_peer(lambda seen: next(replies)) as peer, client(wsdl, peer) as lawyer:
        assert lawyer.call("Submit", **ARGUMENTS).Id == "7"
        with pytest.raises(SoapFaultError, match="No"):
            lawyer.call("Submit", **ARGUMENTS)
    assert (
        peer.requests[0].headers["content-type"]
        == 'application/soap+xml; charset=utf-8; action="urn:s:Submit"'
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"Id": "7"},
        {**ARGUMENTS, "Other": 1},
        {**ARGUMENTS, "Case": {"Amount": Decimal(1), "X": 1}},
        {**ARGUMENTS, "Case": {}},
    ],
)
def test_arguments_that_do_not_fit_are_not_sent(
    wsdl: Path, office: Peer, arguments: dict[str, object]
) -> None:
    with client(wsdl, office) as lawyer, pytest.raises(PermanentError, match="does not fit the WSDL"):
        lawyer.call("Submit", **arguments)
    with client(wsdl, office) as lawyer, pytest.raises(PermanentError):
        lawyer.call("NoSuchOperation")
    assert office.requests == []


FAULT = "<e:Fault><faultcode>e:Client</faultcode><faultstring>Unknown\n debtor</faultstring><detail><x>1</x></detail></e:Fault>"
LAUGHS = '<!DOCTYPE x [<!ENTITY s SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("answer", "act", "question"),
    [
        ((500, XML, envelope(FAULT)), SoapFaultError, SoapFaultError),
        ((200, XML, envelope(FAULT)), SoapFaultError, SoapFaultError),
        (
            (200, {"Content-Type": "text/html"}, b"<html><body>Welcome</body></html>"),
            InDoubtError,
            RetryableError,
        ),
        ((200, XML, b"<!doctype html><title>x</title>"), InDoubtError, RetryableError),
        ((200, XML, b""), InDoubtError, RetryableError),
        ((200, XML, envelope("")), InDoubtError, RetryableError),
        ((200, XML, envelope(REPLY)[:-20]), InDoubtError, RetryableError),
        (
            (200, XML, envelope(REPLY).replace(b"<e:Env", LAUGHS.encode() + b"<e:Env")),
            InDoubtError,
            RetryableError,
        ),
        ((200, XML, envelope(REPLY, "urn:other")), InDoubtError, RetryableError),
        ((500, XML, envelope(REPLY)), InDoubtError, RetryableError),
        ((502, {}, b"Bad gateway"), InDoubtError, RetryableError),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), InDoubtError, RetryableError),
        ((503, {"Retry-After": "7"}, b"busy"), RetryableError, RetryableError),
        ((429, {}, b""), RetryableError, RetryableError),
        ((401, {}, b"no"), ConfigurationError, ConfigurationError),
        ((401, XML, envelope(FAULT)), ConfigurationError, ConfigurationError),
        (
            (500, XML, envelope(FAULT.replace("e:Client", "wsse:FailedAuthentication"))),
            ConfigurationError,
            ConfigurationError,
        ),
        ((404, {}, b"no"), ConfigurationError, ConfigurationError),
    ],
)
def test_only_a_valid_reply_is_an_answer(
    wsdl: Path, answer: Answer, act: type[CollecthubError], question: type[CollecthubError]
) -> None:
    with http_peer(lambda seen: answer) as peer, client(wsdl, peer) as lawyer:
        for call in (lawyer.call, lawyer.call_raw):
            with pytest.raises(act) as refused:
                call("Submit", **ARGUMENTS)
            assert refused.type is act
            assert socket.gethostname() not in str(refused.value)
            with pytest.raises(question):
                call("State", Id="7")
    assert len(peer.requests) == 4, "nothing is sent twice"


def test_a_fault_tells_code_and_text(wsdl: Path) -> None:
    with (
        http_peer(lambda seen: (500, XML, envelope(FAULT))) as peer,
        client(wsdl, peer) as lawyer,
        pytest.raises(SoapFaultError, match=r"Unknown debtor \(fault Client\)") as refused,
    ):
        lawyer.call("Submit", **ARGUMENTS)
    assert refused.value.fault_code == "Client"


def test_a_busy_service_names_its_time(wsdl: Path) -> None:
    with (
        http_peer(lambda seen: (503, {"Retry-After": "7"}, b"")) as peer,
        client(wsdl, peer) as lawyer,
        pytest.raises(RetryableError) as refused,
    ):
        lawyer.call("Submit", **ARGUMENTS)
    assert refused.value.retry_after_seconds == 7


def test_a_reply_of_another_shape_is_in_doubt(wsdl: Path) -> None:
    wrong = '<SubmitResponse xmlns="urn:s"><Id>7</Id><Fee>soon</Fee></SubmitResponse>'
    with (
        http_peer(lambda seen: (200, XML, envelope(wrong))) as peer,
        client(wsdl, peer) as lawyer,
        pytest.raises(InDoubtError),
    ):
        lawyer.call("Submit", **ARGUMENTS)


def test_a_lost_reply_is_in_doubt_and_a_closed_door_is_not(wsdl: Path) -> None:
    def process_and_die(connection: socket.socket) -> None:
        read_request(connection)

    with tcp_peer(process_and_die) as peer, client(wsdl, peer) as lawyer:
        with pytest.raises(InDoubtError):
            lawyer.call("Submit", **ARGUMENTS)
        with pytest.raises(RetryableError):
            lawyer.call("State", Id="7")
    with client(wsdl, peer) as lawyer, pytest.raises(RetryableError):
        lawyer.call("Submit", **ARGUMENTS)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:PORT/case.xsd",
        "file:///etc/hostname",
        "../case.xsd",
        "https://127.0.0.1:PORT/case.xsd",
    ],
)
def test_a_wsdl_reaches_nothing_outside_its_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "case.xsd").write_text(SCHEMA)
    inner = tmp_path / "inner"
    inner.mkdir()
    with http_peer(lambda seen: (200, XML, SCHEMA.encode())) as canary:
        wsdl = written(
            inner, location.replace("PORT", str(canary.port)), "http://schemas.xmlsoap.org/wsdl/soap/"
        )
        with pytest.raises(ConfigurationError):
            client(wsdl, canary)
    assert canary.requests == []


def damaged(change: Callable[[str], str]) -> Callable[[Path], None]:
    return lambda path: path.write_text(change(path.read_text())) and None


@pytest.mark.parametrize(
    "change",
    [
        damaged(lambda text: text[:300]),
        damaged(lambda text: '<!DOCTYPE x [<!ENTITY a "b">]>' + text),
        damaged(lambda text: text.replace('binding="s:B"', 'binding="s:Nothing"')),
        lambda path: path.unlink(),
    ],
)
def test_a_wsdl_that_cannot_be_used_is_a_setting(
    wsdl: Path, office: Peer, change: Callable[[Path], None]
) -> None:
    change(wsdl)
    with pytest.raises(ConfigurationError):
        client(wsdl, office)


def test_service_and_port_can_be_named(wsdl: Path, office: Peer) -> None:
    with client(wsdl, office, service="Office", port="Port") as lawyer:
        assert lawyer.call("Submit", **ARGUMENTS).Id == "7"
    with pytest.raises(ConfigurationError):
        client(wsdl, office, service="Other")


def test_nobody_answers_for_another(wsdl: Path) -> None:
    def echo_headers(seen: Seen) -> Answer:
        return 200, XML, envelope(REPLY.replace("7", seen.headers.get("cookie", "none")))

    with http_peer(echo_headers) as peer, client(wsdl, peer) as lawyer:
        assert lawyer.call("Submit", **ARGUMENTS).Id == "none"
