"""wire.sign: signatures that others verify, theirs that we verify, and every way to fake one."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import signxml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod

from collecthub.errors import QuarantineError
from collecthub.wire.crypto import Identity, generate_identity, load_certificate
from collecthub.wire.sign import SigningKey, sign_xml, verify_xml
from collecthub.wire.xml import Element, parse, serialise

DS = "{http://www.w3.org/2000/09/xmldsig#}"
DOCUMENT = b'<Exchange xmlns="urn:x" xmlns:q="urn:q"><Amount currencyID="EUR" q:a="1">100.00</Amount> <Name>\xc3\x9cnal</Name></Exchange>'


@pytest.fixture(scope="module")
def partner() -> Identity:
    return generate_identity("partner", bits=2048)


@pytest.fixture(scope="module")
def signed(partner: Identity) -> bytes:
    return serialise(sign_xml(parse(DOCUMENT), SigningKey.of(partner)))


def refusal(content: bytes, *trusted: Identity, at: dt.datetime | None = None) -> str:
    with pytest.raises(QuarantineError) as refused:
        verify_xml(content, [identity.certificate for identity in trusted], at=at)
    return refused.value.code


def amount(root: Element) -> str | None:
    return root.findtext("{urn:x}Amount")


def test_what_is_signed_is_verified_and_returned_without_the_signature(
    partner: Identity, signed: bytes
) -> None:
    root = verify_xml(signed, [partner.certificate])
    assert etree.tostring(root, method="c14n2") == etree.tostring(parse(DOCUMENT), method="c14n2")
    assert root.find(f"{DS}Signature") is None


def test_signing_leaves_the_original_alone(partner: Identity) -> None:
    root = parse(DOCUMENT)
    sign_xml(root, SigningKey.of(partner))
    assert serialise(root) == serialise(parse(DOCUMENT))


def test_xmlsec_verifies_our_signature(signed: bytes, partner: Identity, tmp_path: Path) -> None:
    xmlsec = shutil.which("xmlsec1")
    if not xmlsec:
        pytest.skip("xmlsec1 is not installed")
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    (tmp_path / "signed.xml").write_bytes(signed)
    command = [
        xmlsec,
        "--verify",
        "--trusted-pem",
        "cert.pem",
        "--enabled-reference-uris",
        "empty",
        "signed.xml",
    ]
    assert subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode == 0
    (tmp_path / "signed.xml").write_bytes(signed.replace(b"100.00", b"100.01"))
    assert subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode != 0


TEMPLATE = """<Exchange xmlns="urn:x"><Amount>100.00</Amount><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo>
<SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature></Exchange>"""


def test_we_verify_the_signature_of_xmlsec(partner: Identity, tmp_path: Path) -> None:
    xmlsec = shutil.which("xmlsec1")
    if not xmlsec:
        pytest.skip("xmlsec1 is not installed")
    (tmp_path / "key.pem").write_bytes(partner.private_key_pem)
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    (tmp_path / "template.xml").write_text(TEMPLATE)
    signed = subprocess.run(
        [xmlsec, "--sign", "--privkey-pem", "key.pem,cert.pem", "template.xml"],
        capture_output=True, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    assert amount(verify_xml(signed, [partner.certificate])) == "100.00"


def test_an_ecdsa_signer_is_accepted() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    identity = identity_of(key)
    signed = serialise(sign_xml(parse(DOCUMENT), SigningKey.of(identity)))
    assert amount(verify_xml(signed, [identity.certificate])) == "100.00"


def identity_of(key: ec.EllipticCurvePrivateKey) -> Identity:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ec")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(private, certificate.public_bytes(serialization.Encoding.PEM))


def test_a_comment_never_changes_what_is_read(partner: Identity, signed: bytes) -> None:
    cut = signed.replace(b"100.00", b"10<!-- x -->0.00")
    assert amount(verify_xml(cut, [partner.certificate])) == "100.00"


def wrapped(signed: bytes) -> bytes:
    """The classic: an evil document in front, the signed one moved below a wrapper, its signature kept valid."""
    root = etree.fromstring(signed)
    signature = root.find(f"{DS}Signature")
    evil = etree.fromstring(DOCUMENT.replace(b"100.00", b"0.00"))
    wrapper = etree.SubElement(evil, "{urn:x}Wrapper")
    moved = copy.deepcopy(root)
    wrapper.append(moved)
    moved.remove(moved.find(f"{DS}Signature"))
    evil.append(signature)
    return etree.tostring(evil)


def nested(signed: bytes) -> bytes:
    outer = etree.fromstring(DOCUMENT.replace(b"100.00", b"0.00"))
    outer.append(etree.fromstring(signed))
    return etree.tostring(outer)


def twice(signed: bytes) -> bytes:
    root = etree.fromstring(signed)
    root.append(copy.deepcopy(root.find(f"{DS}Signature")))
    return etree.tostring(root)


def by_id(signed: bytes) -> bytes:
    """A reference to a part by Id, with the Id put on two elements."""
    text = signed.replace(b'URI=""', b'URI="#part"').replace(b"<Amount", b'<Amount Id="part"')
    return text.replace(b"<Name>", b'<Name Id="part">')


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(signed: bytes) -> bytes:
        assert old in signed
        return signed.replace(old, new)

    return change


RSA = b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = b"http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = b"http://www.w3.org/2000/09/xmldsig#enveloped-signature"
XSLT = b"http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = b"http://www.w3.org/TR/1999/REC-xpath-19991116"


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (lambda signed: DOCUMENT, "sig.missing"),
        (wrapped, "sig.invalid"),
        (nested, "sig.coverage"),
        (twice, "sig.ambiguous"),
        (by_id, "sig.coverage"),
        (swapped(b"100.00", b"0.00"), "sig.invalid"),
        (swapped(b'currencyID="EUR"', b'currencyID="JPY"'), "sig.invalid"),
        (swapped(b"<Name>", b"<Name> "), "sig.invalid"),
        (swapped(RSA, b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "sig.algorithm"),
        (swapped(RSA, b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "sig.algorithm"),
        (swapped(RSA, b"http://www.w3.org/2000/09/xmldsig#dsa-sha1"), "sig.algorithm"),
        (swapped(RSA, b""), "sig.algorithm"),
        (swapped(SHA256, b"http://www.w3.org/2000/09/xmldsig#sha1"), "sig.algorithm"),
        (swapped(ENVELOPED, XSLT), "sig.coverage"),
        (swapped(ENVELOPED, XPATH), "sig.coverage"),
        (swapped(b'URI=""', b'URI="http://127.0.0.1:9/x"'), "sig.coverage"),
        (swapped(b"<Exchange ", b"<!DOCTYPE Exchange><Exchange "), "xml.doctype"),
    ],
)
def test_a_forgery_is_refused_by_its_name(
    partner: Identity, signed: bytes, attack: Callable[[bytes], bytes], code: str
) -> None:
    content = attack(signed)
    content = content.replace(b"<?xml version='1.0' encoding='UTF-8'?>\n", b"")
    assert refusal(content, partner) == code


def test_every_changed_character_of_the_document_is_seen(partner: Identity, signed: bytes) -> None:
    """Whatever still verifies says the same as the original."""
    start, end = signed.index(b"<Amount"), signed.index(b"<ds:Signature")
    for position in range(start, end):
        damaged = signed[:position] + bytes([signed[position] ^ 1]) + signed[position + 1 :]
        with pytest.raises(QuarantineError):
            verify_xml(damaged, [partner.certificate])


def test_only_the_expected_signer_counts(partner: Identity, signed: bytes) -> None:
    other = generate_identity("other", bits=2048)
    assert refusal(signed, other) == "sig.signer"
    assert refusal(signed) == "sig.signer"
    assert amount(verify_xml(signed, [other.certificate, partner.certificate])) == "100.00"
    assert amount(verify_xml(signed, [partner.certificate, partner.certificate])) == "100.00"


def test_a_certificate_in_the_document_is_no_proof(partner: Identity) -> None:
    """Signed by a stranger who names the partner's certificate."""
    stranger = generate_identity("stranger", bits=2048)
    forged = serialise(sign_xml(parse(DOCUMENT), SigningKey.of(stranger)))
    root = etree.fromstring(forged)
    der = partner.certificate.public_bytes(serialization.Encoding.DER)
    next(root.iter(f"{DS}X509Certificate")).text = base64.b64encode(der).decode()
    assert refusal(etree.tostring(root), partner) == "sig.invalid"


def test_an_expired_signer_is_refused_and_the_moment_counts() -> None:
    start = dt.datetime(2026, 1, 10, tzinfo=dt.UTC)
    old = generate_identity("old", bits=2048, days=30, starts_at=start)
    signed = serialise(sign_xml(parse(DOCUMENT), SigningKey.of(old)))
    assert amount(verify_xml(signed, [old.certificate], at=start + dt.timedelta(days=3))) == "100.00"
    assert refusal(signed, old, at=start + dt.timedelta(days=40)) == "sig.signer"
    assert refusal(signed, old, at=start - dt.timedelta(days=3)) == "sig.signer"
    assert refusal(signed, old) == "sig.signer"


def test_a_short_key_is_refused() -> None:
    weak = generate_identity("weak", bits=1024)
    signed = serialise(sign_xml(parse(DOCUMENT), SigningKey.of(weak)))
    assert refusal(signed, weak) == "sig.algorithm"


def test_an_hmac_made_with_the_public_key_is_refused(partner: Identity) -> None:
    signer = signxml.XMLSigner(
        method=SignatureConstructionMethod.enveloped, signature_algorithm="hmac-sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )  # fmt: skip
    public = partner.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    forged = etree.tostring(signer.sign(etree.fromstring(DOCUMENT), key=public))
    assert refusal(forged, partner) == "sig.algorithm"


def test_a_signature_over_nothing_is_refused(partner: Identity, signed: bytes) -> None:
    root = etree.fromstring(signed)
    info = next(root.iter(f"{DS}SignedInfo"))
    info.remove(info.find(f"{DS}Reference"))
    assert refusal(etree.tostring(root), partner) in {"sig.algorithm", "sig.ambiguous"}


def test_the_name_of_a_certificate_is_its_content(partner: Identity) -> None:
    assert load_certificate(partner.certificate_pem) == partner.certificate
