"""The file container of the SFTP profile, read and written with a partner's own means.

CMS enveloped data (DER) around a zip with `META-INF/manifest.json`, the signed XML and its documents.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from collecthub.sandbox.contract import ContractBreach
from collecthub.sandbox.exchange_xml import parse, to_bytes

MANIFEST = "META-INF/manifest.json"
_EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_MAX_FILES, _MAX_BYTES = 2_000, 200_000_000
_RULES = SignatureConfiguration(
    require_x509=True, location="./", expect_references=1,
    signature_methods=frozenset({SignatureMethod.RSA_SHA256}), digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """A private RSA key with its self-signed certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> str:
        """What the other side needs to encrypt to and to verify this identity."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def new_identity(common_name: str) -> Identity:
    """A fresh identity, valid for ten years around the year 2026."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC)).not_valid_after(dt.datetime(2040, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return Identity(key, certificate)


def kept_identity(folder: Path, common_name: str) -> Identity:
    """The identity that lies in `folder`; made there the first time."""
    key_file, certificate_file = folder / "identity.key.pem", folder / "identity.cert.pem"
    if certificate_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return Identity(key, x509.load_pem_x509_certificate(certificate_file.read_bytes()))
    identity = new_identity(common_name)
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        identity.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    certificate_file.write_text(identity.certificate_pem)
    return identity


def sign(element: etree._Element, identity: Identity) -> bytes:
    """XML-DSig enveloped over the whole document, RSA-SHA256, exclusive canonical form."""
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped, signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256, c14n_algorithm=_EXCLUSIVE_C14N,
    )  # fmt: skip
    return to_bytes(signer.sign(element, key=identity.key, cert=identity.certificate_pem))


def seal(name: str, xml: bytes, recipient: x509.Certificate) -> bytes:
    """A container around one XML file, encrypted to the recipient."""
    manifest = json.dumps({"files": {name: hashlib.sha256(xml).hexdigest()}}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, manifest)
        archive.writestr(name, xml)
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(buffer.getvalue()).set_content_encryption_algorithm(AES256)
    return builder.add_recipient(recipient).encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def unseal(content: bytes, identity: Identity, sender: x509.Certificate) -> tuple[etree._Element, dict[str, bytes]]:
    """The verified `Exchange` element and the documents beside it; nothing unsigned is returned.

    Raises `ContractBreach`: `crypto.undecryptable`, `archive.*`, `xml.*`, `sig.invalid`, `sig.coverage`.
    """
    try:
        plain = pkcs7.pkcs7_decrypt_der(content, identity.certificate, identity.key, [])
    except (ValueError, TypeError) as error:
        raise ContractBreach("crypto.undecryptable", f"Not encrypted to this office: {error}") from error
    files = _unzip(plain)
    if "exchange.xml" not in files:
        raise ContractBreach("archive.content", "The container has no exchange.xml.")
    root = verify(files.pop("exchange.xml"), sender)
    return root, files


def verify(xml: bytes, sender: x509.Certificate) -> etree._Element:
    """The part of the document that the sender's signature covers, which must be all of it."""
    root = parse(xml)
    try:
        result = XMLVerifier().verify(root, x509_cert=sender, expect_config=_RULES)
    except Exception as error:  # signxml raises many kinds for what a stranger can write; each means the same here
        raise ContractBreach("sig.invalid", f"{type(error).__name__}: {error}") from error
    signed = result[0].signed_xml if isinstance(result, list) else result.signed_xml
    if signed is None or signed.tag != root.tag:
        raise ContractBreach("sig.coverage", "The signature does not cover the whole document.")
    return signed


def _unzip(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            unsafe = [name for name in names if name.startswith("/") or ".." in name.split("/") or "\\" in name]
            if unsafe or len(set(names)) != len(names) or len(names) > _MAX_FILES:
                raise ContractBreach("archive.names", "Unsafe, repeated or too many names in the container.")
            if sum(entry.file_size for entry in entries) > _MAX_BYTES:
                raise ContractBreach("archive.size", "The container unpacks to too much.")
            files = {entry.filename: archive.read(entry) for entry in entries}
        listed = json.loads(files.pop(MANIFEST))["files"]
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, ContractBreach):
            raise
        raise ContractBreach("archive.malformed", f"Not a container: {type(error).__name__}") from error
    if listed != {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}:
        raise ContractBreach("archive.manifest", "The manifest does not match the files.")
    return files
