"""WS-Security and import maps, against a checking server: xmlsec1 judges what we sign, and its signatures are believed."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from collecthub.errors import ConfigurationError, InDoubtError, PermanentError
from collecthub.wire.crypto import Identity, generate_identity
from collecthub.wire.sign import SigningKey
from collecthub.wire.soap import SoapClient
from collecthub.wire.wss import MessageSecurity
from collecthub.wire.xml import parse, serialise
from wire.peers import Seen, http_peer
from wire.test_soap import ARGUMENTS, REPLY, SCHEMA, SOAP_11, XML, envelope, written

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def hub() -> Identity:
    return generate_identity("hub", bits=2048, starts_at=NOW - dt.timedelta(days=1))


@pytest.fixture(scope="module")
def partner() -> Identity:
    return generate_identity("partner", bits=2048, starts_at=NOW - dt.timedelta(days=1))


@pytest.fixture
def wsdl(tmp_path: Path) -> Path:
    return written(tmp_path, "case.xsd", "http://schemas.xmlsoap.org/wsdl/soap/")


def signed(by: Identity, at: dt.datetime = NOW) -> bytes:
    """The reply with a signature over body and timestamp."""
    reply = parse(envelope(REPLY))
    MessageSecurity(key=SigningKey.of(by), now=lambda: at).secure(reply)
    return serialise(reply)


def call(wsdl: Path, hub: Identity, partner: Identity, reply: bytes) -> tuple[Any, bytes]:
    """Submit, and what the server saw of it."""
    security = MessageSecurity(
        username="hub", password="secret", key=SigningKey.of(hub), trusted=(partner.certificate,), now=lambda: NOW
    )
    with http_peer(lambda _seen: (200, XML, reply)) as peer:
        soap = SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True, security=security)
        answer = soap.call_raw("Submit", **ARGUMENTS)
        return answer, peer.requests[0].body


def test_xmlsec_accepts_what_we_sign(wsdl: Path, hub: Identity, partner: Identity, tmp_path: Path) -> None:
    xmlsec = shutil.which("xmlsec1")
    if not xmlsec:
        pytest.skip("xmlsec1 is not installed")
    answer, seen = call(wsdl, hub, partner, signed(partner))
    assert answer.findtext("{urn:s}Fee") == "12.50"
    (tmp_path / "hub.pem").write_bytes(hub.certificate_pem)
    for name, content, code in (("sent.xml", seen, 0), ("spoilt.xml", seen.replace(b"100.00", b"900.00"), 1)):
        (tmp_path / name).write_bytes(content)
        done = subprocess.run(
            [xmlsec, "--verify", "--pubkey-cert-pem", tmp_path / "hub.pem", "--id-attr:Id", f"{WSU}:Timestamp",
             "--id-attr:Id", f"{SOAP_11}:Body", tmp_path / name], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        if code == 0:
            assert "SignedInfo References (ok/all): 2/2" in done.stderr
    assert b"rsa-sha256" in seen and b"rsa-sha1" not in seen
    assert b"<wsse:Username>hub</wsse:Username>" in seen and b"2026-06-15T12:00:00Z" in seen


def wrapped(reply: bytes) -> bytes:
    """The signed body moved aside, and another one in its place."""
    root = etree.fromstring(reply)
    body = root.find(f"{{{SOAP_11}}}Body")
    assert body is not None
    place = list(root).index(body)
    header = root.find(f"{{{SOAP_11}}}Header")
    assert header is not None
    etree.SubElement(header, "Aside").append(body)
    forged = etree.Element(f"{{{SOAP_11}}}Body")
    forged.append(etree.fromstring(REPLY.replace("12.50", "0.00")))
    root.insert(place, forged)
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda partner, _other: envelope(REPLY), r"sig\.missing"),
        (lambda _partner, other: signed(other), r"sig\.invalid"),
        (lambda partner, _other: signed(partner).replace(b"12.50", b"99.50"), r"sig\.invalid"),
        (lambda partner, _other: signed(partner, NOW - dt.timedelta(minutes=6)), r"sig\.stale"),
        (lambda partner, _other: signed(partner, NOW + dt.timedelta(minutes=6)), r"sig\.stale"),
        (lambda partner, _other: wrapped(signed(partner)), r"sig\."),
    ],
    ids=["unsigned", "stranger", "changed", "old", "future", "wrapped"],
)
def test_a_reply_that_proves_nothing_leaves_the_call_in_doubt(
    wsdl: Path, hub: Identity, partner: Identity, make: Callable[[Identity, Identity], bytes], code: str
) -> None:
    """A wrapped reply is either refused or read as signed; never the forged amount."""
    with pytest.raises(InDoubtError, match=code):
        answer, _ = call(wsdl, hub, partner, make(partner, hub))
        raise InDoubtError(f"sig.read {answer.findtext('{urn:s}Fee') != '0.00' or pytest.fail('forged')}")


def test_an_import_map_finds_what_the_wsdl_imports_and_nothing_is_fetched(tmp_path: Path) -> None:
    calls: list[Seen] = []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "case.xsd").write_text(SCHEMA)

    def seen(request: Seen) -> tuple[int, dict[str, str], bytes]:
        calls.append(request)
        return 200, XML, SCHEMA.encode()

    with http_peer(seen) as peer:
        folder = tmp_path / "wsdl"
        folder.mkdir()
        for location, mapped in (
            (f"{peer.url}/schemas/case.xsd", {f"{peer.url}/schemas": elsewhere}),
            (f"{peer.url}/schemas/case.xsd", {f"{peer.url}/schemas/case.xsd": elsewhere / "case.xsd"}),
            ("../xsd/case.xsd", {"../xsd": elsewhere}),
        ):
            wsdl = written(folder, location, "http://schemas.xmlsoap.org/wsdl/soap/")
            (folder / "case.xsd").unlink()
            SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True, import_map=mapped).close()
            with pytest.raises(ConfigurationError, match="outside of its own folder|ExternalReferenceForbidden"):
                SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True)
        (folder / "case.xsd").write_text(SCHEMA)
        wsdl = written(folder, f"{peer.url}/schemas/../../etc/hostname", "http://schemas.xmlsoap.org/wsdl/soap/")
        with pytest.raises(ConfigurationError):
            SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True, import_map={f"{peer.url}/schemas": elsewhere})
    assert calls == []


def test_a_document_is_sent_as_it_is_and_only_where_it_belongs(wsdl: Path) -> None:
    document = parse(b'<Submit xmlns="urn:s"><Id>7</Id><Case xmlns="urn:c"><Amount>1.00</Amount></Case></Submit>')
    with http_peer(lambda _seen: (200, XML, envelope(REPLY))) as peer:
        soap = SoapClient(wsdl, f"{peer.url}/soap", allow_loopback=True, username="hub", password="secret")
        assert soap.call_document("Submit", document).tag == "{urn:s}SubmitResponse"
        with pytest.raises(PermanentError, match=r"Submit takes \{urn:s\}Submit"):
            soap.call_document("Submit", parse(b"<other/>"))
    assert b"<Id>7</Id>" in peer.requests[0].body and b"UsernameToken" in peer.requests[0].body
