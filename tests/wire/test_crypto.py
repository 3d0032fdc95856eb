"""wire.crypto against the openssl command and the reference library of Standard Webhooks."""

from __future__ import annotations

import base64
import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from collecthub.errors import ConfigurationError, PermanentError, QuarantineError
from collecthub.wire.crypto import (
    Identity,
    certificate_fingerprint,
    envelope_decrypt,
    envelope_encrypt,
    generate_identity,
    generate_login_key,
    load_identity,
    login_public_key,
    sha256_hex,
    verify_webhook,
    webhook_headers,
)

PAYLOAD = bytes(range(256)) + b"\r\nline\n\r" * 50
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def partner() -> Identity:
    return generate_identity("partner", bits=2048)


@pytest.fixture
def openssl() -> str:
    found = shutil.which("openssl")
    if not found:
        pytest.skip("openssl is not installed")
    return found


def test_openssl_opens_our_envelope(openssl: str, partner: Identity, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(partner.private_key_pem)
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    other = generate_identity("second", bits=2048)
    envelope = envelope_encrypt(PAYLOAD, [other.certificate_pem, partner.certificate_pem])
    opened = subprocess.run(
        [openssl, "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", "key.pem", "-recip", "cert.pem"],
        input=envelope, capture_output=True, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    shown = subprocess.run(
        [openssl, "cms", "-cmsout", "-print", "-inform", "DER"],
        input=envelope,
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert opened == PAYLOAD == envelope_decrypt(envelope, partner) == envelope_decrypt(envelope, other)
    assert "aes-256-cbc" in shown


@pytest.mark.parametrize("cipher", ["-aes-256-cbc", "-aes-128-cbc"])
def test_we_open_the_envelope_of_openssl(
    openssl: str, partner: Identity, tmp_path: Path, cipher: str
) -> None:
    (tmp_path / "cert.pem").write_bytes(partner.certificate_pem)
    envelope = subprocess.run(
        [openssl, "cms", "-encrypt", "-binary", cipher, "-outform", "DER", "cert.pem"],
        input=PAYLOAD, capture_output=True, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    assert envelope_decrypt(envelope, partner) == PAYLOAD


def test_what_cannot_be_opened_says_one_thing_only(partner: Identity) -> None:
    envelope = envelope_encrypt(PAYLOAD, [partner.certificate_pem])
    stranger = generate_identity("stranger", bits=2048)
    damaged = [b"", b"x", PAYLOAD, envelope[:-1], envelope[1:], envelope[: len(envelope) // 2]]
    messages = set()
    for content, identity in [*((one, partner) for one in damaged), (envelope, stranger)]:
        with pytest.raises(QuarantineError) as refused:
            envelope_decrypt(content, identity)
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1 and messages.pop()[0] == "crypto.undecryptable"


def test_a_changed_envelope_never_gives_the_payload(partner: Identity) -> None:
    """It hides, it does not prove: one in 256 changed endings opens to something else, which a signature must catch."""
    envelope = envelope_encrypt(PAYLOAD, [partner.certificate_pem])
    for position in range(len(envelope) - 40, len(envelope)):
        damaged = envelope[:position] + bytes([envelope[position] ^ 1]) + envelope[position + 1 :]
        try:
            opened = envelope_decrypt(damaged, partner)
        except QuarantineError as refused:
            opened = refused.code.encode()
        assert opened != PAYLOAD


def test_an_expired_or_missing_recipient_is_a_setting(partner: Identity) -> None:
    old = generate_identity("old", bits=2048, days=10, starts_at=NOW - dt.timedelta(days=11))
    for recipients in (
        [],
        [old.certificate_pem],
        [b"no certificate"],
        [partner.certificate_pem, old.certificate_pem],
    ):
        with pytest.raises(ConfigurationError):
            envelope_encrypt(PAYLOAD, recipients)


def test_an_identity_is_a_pair_and_hides_its_key(partner: Identity) -> None:
    other = generate_identity("other", bits=2048)
    assert load_identity(partner.private_key_pem, partner.certificate_pem) == partner
    assert "PRIVATE" not in repr(partner)
    for key, certificate in [(partner.private_key_pem, other.certificate_pem), (b"x", other.certificate_pem)]:
        with pytest.raises(ConfigurationError):
            load_identity(key, certificate)


def test_fingerprints_are_those_of_openssl_and_ssh_keygen(
    openssl: str, partner: Identity, tmp_path: Path
) -> None:
    shown = subprocess.run(
        [openssl, "x509", "-noout", "-fingerprint", "-sha256"],
        input=partner.certificate_pem, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    assert (
        certificate_fingerprint(partner.certificate)
        == shown.strip().partition("=")[2].replace(":", "").lower()
    )
    keygen = shutil.which("ssh-keygen")
    if not keygen:
        pytest.skip("ssh-keygen is not installed")
    file = tmp_path / "id"
    file.write_bytes(key := generate_login_key())
    file.chmod(0o600)
    public = subprocess.run([keygen, "-y", "-f", file], capture_output=True, check=True).stdout.decode()
    assert public.split()[:2] == login_public_key(key).split()


def test_sha256_is_the_known_one() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_reference_library_accepts_our_webhook() -> None:
    body = '{"name":"Ünal","amount":"12.50"}'.encode()
    # The library compares with this very moment, not with the one at which the tests were collected.
    headers = webhook_headers(SECRET, "msg_1", dt.datetime.now(dt.UTC), body)
    assert Webhook(SECRET).verify(body, headers) == {"name": "Ünal", "amount": "12.50"}
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)


def theirs(secret: str, id: str = "msg_2", at: dt.datetime = NOW, body: str = '{"b":1}') -> dict[str, str]:
    return {
        "Webhook-Id": id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(id, at, body),
    }


def test_we_accept_the_webhook_of_the_reference_library() -> None:
    assert verify_webhook([SECRET], theirs(SECRET), b'{"b":1}', NOW) == "msg_2"
    rotating = theirs(OTHER) | {"Webhook-Signature": f"v1a,xyz {theirs(OTHER)['Webhook-Signature']}"}
    assert verify_webhook([SECRET, OTHER], rotating, b'{"b":1}', NOW) == "msg_2"


MINUTES = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (theirs(OTHER), b'{"b":1}'),
        (theirs(SECRET), b'{"b": 1}'),
        (theirs(SECRET, at=NOW - 6 * MINUTES), b'{"b":1}'),
        (theirs(SECRET, at=NOW + 6 * MINUTES), b'{"b":1}'),
        (theirs(SECRET, id="a.b"), b'{"b":1}'),
        (theirs(SECRET) | {"Webhook-Id": "msg_3"}, b'{"b":1}'),
        (theirs(SECRET) | {"Webhook-Signature": ""}, b'{"b":1}'),
        (theirs(SECRET) | {"Webhook-Signature": "v1,é"}, b'{"b":1}'),
        (theirs(SECRET) | {"Webhook-Timestamp": "٣"}, b'{"b":1}'),
        (theirs(SECRET) | {"Webhook-Timestamp": "1e9"}, b'{"b":1}'),
        ({}, b'{"b":1}'),
    ],
    ids=[
        "secret",
        "re-serialised",
        "old",
        "early",
        "dot",
        "other id",
        "none",
        "not ascii",
        "arabic",
        "float",
        "empty",
    ],
)
def test_a_forged_webhook_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(PermanentError):
        verify_webhook([SECRET], headers, body, NOW)


def test_no_secret_at_all_accepts_nothing() -> None:
    with pytest.raises(PermanentError):
        verify_webhook([], theirs(SECRET), b'{"b":1}', NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_" + base64.b64encode(b"short").decode(), "whsec_?!"])
def test_a_weak_secret_is_a_setting(secret: str) -> None:
    with pytest.raises(ConfigurationError):
        webhook_headers(secret, "msg", NOW, b"")


def test_an_ambiguous_id_is_not_signed() -> None:
    for id in ("a.b", "", "a b", "a\nb"):
        with pytest.raises(PermanentError):
            webhook_headers(SECRET, id, NOW, b"")
