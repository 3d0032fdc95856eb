"""XAdES, ASiC-E, CMS signatures and OpenPGP: others verify and open what we write, we read theirs, nothing unsigned."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from collecthub.errors import ConfigurationError, QuarantineError
from collecthub.wire.asic import MIMETYPE, SIGNATURES, pack_signed, unpack_signed
from collecthub.wire.cms import cms_sign, cms_verify
from collecthub.wire.crypto import Identity, generate_identity
from collecthub.wire.openpgp import (
    generate_openpgp,
    openpgp_decrypt,
    openpgp_encrypt,
    openpgp_ends_at,
    openpgp_fingerprint,
)
from collecthub.wire.sign import SigningKey, sign_xml
from collecthub.wire.xades import sign_xades, verify_xades
from collecthub.wire.xml import parse, serialise

NOW = dt.datetime.now(dt.UTC)
DOCUMENT = b'<Exchange xmlns="urn:x"><Amount currencyID="EUR">100.00</Amount></Exchange>'
FILES = {"exchange.xml": DOCUMENT, "documents/a b.pdf": b"%PDF-1.4 evidence"}
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"


@pytest.fixture(scope="module")
def partner() -> Identity:
    return generate_identity("partner", bits=2048)


@pytest.fixture(scope="module")
def key(partner: Identity) -> SigningKey:
    return SigningKey.of(partner)


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(QuarantineError) as refused:
        act()
    return refused.value.code


# --- XAdES ----------------------------------------------------------------------------------------


def test_xmlsec_verifies_our_xades(partner: Identity, key: SigningKey, tmp_path: Path) -> None:
    signed = serialise(sign_xades(parse(DOCUMENT), key, NOW))
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    command = [
        tool("xmlsec1"), "--verify", "--trusted-pem", "cert.pem", "--enabled-reference-uris", "empty,same-doc",
        "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
        "--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:KeyInfo", "signed.xml",
    ]  # fmt: skip
    for content, is_good in ((signed, True), (signed.replace(b"100.00", b"100.01"), False)):
        (tmp_path / "signed.xml").write_bytes(content)
        done = subprocess.run(command, check=False, capture_output=True, cwd=tmp_path)
        assert (done.returncode == 0) is is_good, done.stderr


def test_xades_says_when_and_who_and_gives_the_document_back(partner: Identity, key: SigningKey) -> None:
    signed = serialise(sign_xades(parse(DOCUMENT), key, dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)))
    assert parse(signed).findtext(f".//{XADES}SigningTime") == "2026-06-15T10:00:00Z"
    assert etree.tostring(verify_xades(signed, [partner.certificate]), method="c14n2") == DOCUMENT


def test_xades_is_refused_when_anything_was_changed_or_is_not_signed(partner: Identity, key: SigningKey) -> None:
    signed = serialise(sign_xades(parse(DOCUMENT), key, NOW))
    trusted = [partner.certificate]
    stranger = generate_identity("stranger", bits=2048)
    assert refusal(lambda: verify_xades(signed.replace(b"100.00", b"1.00"), trusted)) == "sig.invalid"
    time = parse(signed).findtext(f".//{XADES}SigningTime") or ""
    moved = signed.replace(time.encode(), b"2020-01-01T00:00:00Z")
    assert refusal(lambda: verify_xades(moved, trusted)) == "sig.invalid"
    assert refusal(lambda: verify_xades(signed, [stranger.certificate])) == "sig.signer"
    assert refusal(lambda: verify_xades(signed, trusted, at=NOW + dt.timedelta(days=2_000))) == "sig.signer"
    plain = serialise(sign_xml(parse(DOCUMENT), key))
    assert refusal(lambda: verify_xades(plain, trusted)) == "sig.properties"
    assert refusal(lambda: verify_xades(DOCUMENT, trusted)) == "sig.missing"


def test_a_document_that_is_wrapped_around_a_signed_one_is_refused(partner: Identity, key: SigningKey) -> None:
    inner = sign_xades(parse(DOCUMENT), key, NOW)
    evil = parse(DOCUMENT.replace(b"100.00", b"0.00"))
    signature = inner[-1]
    evil.append(inner)
    evil.append(signature)
    assert refusal(lambda: verify_xades(serialise(evil), [partner.certificate])) == "sig.invalid"


# --- ASiC-E ---------------------------------------------------------------------------------------


def test_an_asic_container_is_as_the_standard_says(key: SigningKey) -> None:
    packed = pack_signed(FILES, key, NOW)
    assert packed[30:38] == b"mimetype" and packed[38 : 38 + len(MIMETYPE)] == MIMETYPE  # for tools that look at bytes
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"mimetype", *FILES, "META-INF/manifest.xml", SIGNATURES}


def test_xmlsec_verifies_the_files_of_our_container(partner: Identity, key: SigningKey, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(pack_signed(FILES, key, NOW))) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    command = [
        tool("xmlsec1"), "--verify", "--trusted-pem", "cert.pem", "--enabled-reference-uris", "same-doc,remote",
        "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", SIGNATURES,
    ]  # fmt: skip
    assert subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode == 0
    (tmp_path / "documents/a b.pdf").write_bytes(b"%PDF-1.4 forged")
    assert subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode != 0


def repacked(packed: bytes, change: dict[str, bytes | None]) -> bytes:
    """The container with files replaced, added or left out."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()} | change
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return target.getvalue()


def test_only_what_the_container_signs_comes_out(partner: Identity, key: SigningKey) -> None:
    packed, trusted = pack_signed(FILES, key, NOW), [partner.certificate]
    assert unpack_signed(packed, trusted) == FILES
    pdf = "documents/a b.pdf"
    signatures = parse(zipfile.ZipFile(io.BytesIO(packed)).read(SIGNATURES))
    less = serialise(signatures).replace(b"documents/a%20b.pdf", b"exchange.xml")
    for change, code in (
        ({pdf: b"forged"}, "sig.invalid"),
        ({"more.xml": b"<x/>"}, "sig.coverage"),
        ({pdf: None}, "sig.coverage"),
        ({SIGNATURES: None}, "sig.missing"),
        ({"META-INF/signatures002.xml": b"<x/>"}, "sig.ambiguous"),
        ({SIGNATURES: less}, "sig.coverage"),
        ({"mimetype": b"application/zip"}, "archive.type"),
    ):
        assert refusal(lambda change=change: unpack_signed(repacked(packed, change), trusted)) == code, change
    stranger = [generate_identity("stranger", bits=2048).certificate]
    assert refusal(lambda: unpack_signed(packed, stranger)) == "sig.signer"


# --- CMS ------------------------------------------------------------------------------------------


def openssl(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([tool("openssl"), *words], check=False, capture_output=True, cwd=folder, input=given)


@pytest.fixture
def folder(tmp_path: Path, partner: Identity) -> Path:
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    (tmp_path / "key.pem").write_bytes(partner.private_key_pem)
    return tmp_path


def test_openssl_verifies_our_cms_signature(folder: Path, key: SigningKey) -> None:
    content = b"PK\x03\x04\r\n binary\n" * 50
    words = ("cms", "-verify", "-inform", "DER", "-binary", "-CAfile", "cert.pem", "-purpose", "any")
    done = openssl(folder, *words, given=cms_sign(content, key))
    assert (done.returncode, done.stdout) == (0, content), done.stderr
    assert openssl(folder, *words, given=cms_sign(content, key).replace(b"binary", b"forged")).returncode != 0


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_we_verify_the_cms_signature_of_openssl(folder: Path, partner: Identity, digest: str) -> None:
    words = ("cms", "-sign", "-binary", "-nodetach", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER")
    signed = openssl(folder, *words, "-md", digest, given=b"zip").stdout
    assert cms_verify(signed, [partner.certificate]) == b"zip"
    assert refusal(lambda: cms_verify(signed.replace(b"zip", b"zap"), [partner.certificate])) == "sig.invalid"


def test_we_verify_an_ecdsa_signature_of_openssl(tmp_path: Path) -> None:
    from collecthub.wire.crypto import load_certificate

    openssl(tmp_path, *"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN=e -days 9".split())
    words = "cms -sign -binary -nodetach -md sha256 -signer cert.pem -inkey key.pem -outform DER".split()
    signed = openssl(tmp_path, *words, given=b"zip").stdout
    assert cms_verify(signed, [load_certificate((tmp_path / "cert.pem").read_bytes())]) == b"zip"


def test_what_a_cms_signature_does_not_prove_is_refused(folder: Path, partner: Identity, key: SigningKey) -> None:
    trusted = [partner.certificate]
    sign = ("cms", "-sign", "-binary", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER")
    detached = openssl(folder, *sign, given=b"zip").stdout
    bare = openssl(folder, *sign, "-nodetach", "-noattr", given=b"zip").stdout
    weak = openssl(folder, *sign, "-nodetach", "-md", "sha1", given=b"zip").stdout
    good = openssl(folder, *sign, "-nodetach", given=b"zip").stdout
    other = generate_identity("partner", bits=2048)
    stranger = [other.certificate]
    (folder / "other.pem").write_bytes(other.certificate_pem + other.private_key_pem)
    again = ("cms", "-resign", "-inform", "DER", "-outform", "DER", "-binary", "-nodetach", "-signer", "other.pem")
    twice = openssl(folder, *again, given=good).stdout
    assert refusal(lambda: cms_verify(detached, trusted)) == "sig.missing"
    assert refusal(lambda: cms_verify(b"PK\x03\x04", trusted)) == "sig.missing"
    assert refusal(lambda: cms_verify(bare, trusted)) == "sig.coverage"
    assert refusal(lambda: cms_verify(weak, trusted)) == "sig.algorithm"
    assert refusal(lambda: cms_verify(twice, trusted)) == "sig.ambiguous"
    assert refusal(lambda: cms_verify(good, stranger)) == "sig.signer"
    assert refusal(lambda: cms_verify(good, trusted, at=NOW + dt.timedelta(days=2_000))) == "sig.signer"
    assert cms_verify(good, [*stranger, *trusted]) == b"zip"  # two live certificates while one changes


# --- OpenPGP --------------------------------------------------------------------------------------


@pytest.fixture
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """GnuPG with a home of its own, as short as its sockets need it."""
    home = tmp_path_factory.mktemp("pgp", numbered=True)
    short = Path("/tmp") / f"pgp-{os.getpid()}-{home.name}"
    short.mkdir(mode=0o700)
    base = [tool("gpg"), "--homedir", str(short), "--batch", "--yes", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", ""]

    def run(*words: str, given: bytes = b"") -> bytes:
        return subprocess.run([*base, *words], input=given, check=True, capture_output=True).stdout

    yield run
    subprocess.run(["gpgconf", "--homedir", str(short), "--kill", "gpg-agent"], check=False, capture_output=True)
    shutil.rmtree(short, ignore_errors=True)


def test_gnupg_opens_what_we_encrypt_and_we_what_it_encrypts(gnupg: Callable[..., bytes]) -> None:
    gnupg("--quick-generate-key", "Bailiff", "default", "default", "2y")
    theirs = gnupg("--armor", "--export", "Bailiff")
    secret, ours = generate_openpgp("hub")
    sealed = openpgp_encrypt(b"PK\x03\x04 case", [theirs, ours])
    assert gnupg("--decrypt", given=sealed) == b"PK\x03\x04 case"
    assert openpgp_decrypt(sealed, secret) == b"PK\x03\x04 case"
    gnupg("--import", given=ours)
    back = gnupg("--encrypt", "--recipient", openpgp_fingerprint(ours).upper(), given=b"answer")
    assert openpgp_decrypt(back, secret) == b"answer"
    assert abs((openpgp_ends_at(theirs) or NOW) - NOW - dt.timedelta(days=730)) < dt.timedelta(days=2)


def test_openpgp_that_does_not_open_is_refused() -> None:
    (secret, ours), (other, _) = generate_openpgp("hub"), generate_openpgp("other")
    sealed = openpgp_encrypt(b"case", [ours])
    assert refusal(lambda: openpgp_decrypt(sealed, other)) == "crypto.undecryptable"
    assert refusal(lambda: openpgp_decrypt(sealed[:-9] + b"\0" * 9, secret)) == "crypto.undecryptable"
    assert refusal(lambda: openpgp_decrypt(b"PK", secret)) == "crypto.undecryptable"
    for act in (
        lambda: openpgp_encrypt(b"x", []), lambda: openpgp_encrypt(b"x", [b"no key"]),
        lambda: openpgp_decrypt(sealed, b"no key"), lambda: openpgp_ends_at(b"no key"),
    ):
        with pytest.raises(ConfigurationError):
            act()
