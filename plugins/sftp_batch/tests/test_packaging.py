"""Container, signature and encryption by profile: opened with openssl, gpg and xmlsec1; what a partner writes is read."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from formats.court_cases import ENGLISH, altered, particulars, sent
from pydantic import ValidationError

from collecthub.errors import ConfigurationError, PermanentError, QuarantineError
from collecthub.exchange_ports import KeyHolder, Profiled
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.verdict import judge
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import (
    AmendmentCode,
    CaseAmendment,
    CaseInstruction,
    DocumentItem,
    Exchange,
    InstructionCode,
    Message,
)
from collecthub.ports import RawMessage
from collecthub.testing.fakes import context, utc_now
from collecthub.wire.asic import pack_signed
from collecthub.wire.cms import cms_sign
from collecthub.wire.container import pack, unpack
from collecthub.wire.crypto import Identity, envelope_decrypt, envelope_encrypt, generate_identity, sha256_hex
from collecthub.wire.openpgp import generate_openpgp, openpgp_decrypt, openpgp_encrypt
from collecthub.wire.sign import SigningKey, sign_xml
from collecthub.wire.xades import sign_xades
from collecthub.wire.xml import parse, serialise
from collecthub_sftp_batch.connector import SftpBatchConnector
from collecthub_sftp_batch.settings import SftpBatchSettings

NOW = dt.datetime.now(dt.UTC)
Connect = Callable[..., SftpBatchConnector]
PDF = b"%PDF-1.4 invoice"
CASE = altered(
    ENGLISH, documents=(
        DocumentItem(name="i.pdf", kind="invoice", media_type="application/pdf", sha256=sha256_hex(PDF), content=PDF),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def partner() -> Identity:
    return generate_identity("partner", bits=2048)


@pytest.fixture(scope="module")
def partner_pgp() -> tuple[bytes, bytes]:
    return generate_openpgp("partner")


@pytest.fixture(scope="module")
def hub_pgp() -> tuple[bytes, bytes]:
    return generate_openpgp("hub")


@pytest.fixture
def connect_by(
    hub_identity: Identity, partner: Identity, partner_pgp: tuple[bytes, bytes], hub_pgp: tuple[bytes, bytes]
) -> Connect:
    """A connector that seals and opens by a profile; it reaches nobody."""

    def build(now: Callable[[], dt.datetime] = utc_now, **profile: Any) -> SftpBatchConnector:
        values = {
            "host": "127.0.0.1", "port": 1, "username": "hub", "password": "x", "host_key_fingerprints": ("SHA256:x",),
            "own_key": hub_identity.private_key_pem.decode(), "own_certificate": hub_identity.certificate_pem.decode(),
            "partner_certificate": partner.certificate_pem.decode(),
            "partner_openpgp_certificate": partner_pgp[1].decode(), "own_openpgp_key": hub_pgp[0].decode(), **profile,
        }  # fmt: skip
        formats = {one.format_id: one for one in (XmlFormat(), SdtFormat("mcolClaim"))}
        return SftpBatchConnector(
            context(
                SftpBatchSettings.model_validate(values), formats=formats, sender_ref="collecthub",
                receiver_ref="partner", now=now,
            )
        )  # fmt: skip

    return build


def hand_over(*messages: Message) -> Exchange:
    return msgspec.structs.replace(sent(*messages or (CASE,)), sender_ref="collecthub", receiver_ref="partner", created_at=NOW)


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def run(folder: Path, *words: str, given: bytes = b"") -> bytes:
    return subprocess.run([tool(words[0]), *words[1:]], input=given, check=True, capture_output=True, cwd=folder).stdout


def kept(folder: Path, **pems: bytes) -> Path:
    for name, content in pems.items():
        (folder / f"{name}.pem").write_bytes(content)
    return folder


def test_openssl_opens_a_file_with_a_cms_signature(connect_by: Connect, partner, hub_identity, tmp_path: Path) -> None:
    envelope = connect_by(signature="cms").prepare(hand_over())
    assert envelope.name.endswith(".zip.p7s.p7m")
    folder = kept(tmp_path, key=partner.private_key_pem, cert=partner.certificate_pem, hub=hub_identity.certificate_pem)
    signed = run(folder, *"openssl cms -decrypt -inform DER -inkey key.pem -recip cert.pem -binary".split(), given=envelope.payload)
    words = "openssl cms -verify -inform DER -binary -CAfile hub.pem -purpose any".split()
    files = unpack(run(folder, *words, given=signed))
    verdict = judge(files["exchange.xml"])
    assert verdict.is_valid and files[f"documents/{sha256_hex(PDF)}.pdf"] == PDF


@pytest.fixture
def gpg(tmp_path: Path) -> Iterator[Callable[..., bytes]]:
    """GnuPG with a home of its own, as short as its sockets need it."""
    home = Path("/tmp") / f"gpg-{os.getpid()}-{sha256_hex(str(tmp_path).encode())[:8]}"
    home.mkdir(mode=0o700)
    yield lambda *words, given=b"": run(
        home, "gpg", "--homedir", str(home), "--batch", "--yes", "--trust-model", "always", "--pinentry-mode", "loopback",
        "--passphrase", "", *words, given=given
    )
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def test_gpg_and_xmlsec_open_a_signed_container(
    connect_by: Connect, gpg: Callable[..., bytes], hub_identity, tmp_path: Path
) -> None:
    gpg("--quick-generate-key", "Bailiff", "default", "default", "2y")
    theirs = gpg("--armor", "--export", "Bailiff").decode()
    envelope = connect_by(**PROFILES["openpgp"], partner_openpgp_certificate=theirs).prepare(hand_over())
    assert envelope.name.endswith(".asice.pgp")
    with zipfile.ZipFile(io.BytesIO(gpg("--decrypt", given=envelope.payload))) as archive:
        archive.extractall(tmp_path)
    kept(tmp_path, hub=hub_identity.certificate_pem)
    run(
        tmp_path, "xmlsec1", "--verify", "--trusted-pem", "hub.pem", "--enabled-reference-uris", "same-doc,remote",
        "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "META-INF/signatures001.xml",
    )
    assert judge((tmp_path / "exchange.xml").read_bytes()).is_valid


def answers(partner: Identity, hub: Identity, hub_pgp: bytes, name: str, **changes: Any) -> bytes:
    """What a partner's own software makes of an exchange, in one of the ways."""
    exchange = msgspec.structs.replace(hand_over(), sender_ref="partner", receiver_ref="collecthub", **changes)
    key, content = SigningKey.of(partner), XmlFormat().encode(exchange)
    ways: dict[str, Callable[[], bytes]] = {
        "xmldsig": lambda: pack({"exchange.xml": serialise(sign_xml(parse(content), key))}),
        "xades": lambda: pack({"exchange.xml": serialise(sign_xades(parse(content), key, NOW))}),
        "cms": lambda: cms_sign(pack({"exchange.xml": content}), key),
        "asic_e": lambda: pack_signed({"exchange.xml": content}, key, NOW),
        "openpgp": lambda: pack_signed({"exchange.xml": content}, key, NOW),
    }
    if name == "openpgp":
        return openpgp_encrypt(ways[name](), [hub_pgp])
    return envelope_encrypt(ways[name](), [hub.certificate_pem])


PROFILES: dict[str, dict[str, Any]] = {
    "xmldsig": {}, "xades": {"signature": "xades"}, "cms": {"signature": "cms"},
    "asic_e": {"container": "asic_e", "signature": "xades"},
    "openpgp": {"container": "asic_e", "signature": "xades", "encryption": "openpgp"},
}  # fmt: skip


def raw(content: bytes) -> RawMessage:
    return RawMessage(remote_ref="x", media_type="application/octet-stream", content=content)


@pytest.mark.parametrize("way", PROFILES)
def test_a_profile_reads_its_own_way_and_no_weaker_one(connect_by: Connect, partner, hub_identity, hub_pgp, way: str) -> None:
    connector = connect_by(**PROFILES[way])
    stranger = generate_identity("stranger", bits=2048)
    for other in PROFILES:
        file = answers(partner, hub_identity, hub_pgp[1], other)
        if other == way:
            assert connector.decode(raw(file)).messages
        else:
            with pytest.raises(QuarantineError):
                connector.decode(raw(file))
    with pytest.raises(QuarantineError) as refused:
        connector.decode(raw(answers(stranger, hub_identity, hub_pgp[1], way)))
    assert refused.value.code == "sig.signer"


def test_openpgp_keys_change_without_a_gap(connect_by: Connect, partner, partner_pgp, hub_identity, hub_pgp) -> None:
    coming, new_own = generate_openpgp("partner 2"), generate_openpgp("hub 2")
    changing = connect_by(
        **PROFILES["openpgp"], next_partner_openpgp_certificate=coming[1].decode(), own_openpgp_key=new_own[0].decode(),
        previous_own_openpgp_key=hub_pgp[0].decode(),
    )
    for recipient in (hub_pgp, new_own):
        assert changing.decode(raw(answers(partner, hub_identity, recipient[1], "openpgp"))).messages
    payload = changing.prepare(hand_over()).payload
    for secret in (partner_pgp[0], coming[0]):
        assert openpgp_decrypt(payload, secret)[30:38] == b"mimetype"
    ends = {one.key for one in changing.key_ends()}
    assert ends == {
        "own certificate", "partner certificate", "own OpenPGP key", "partner's OpenPGP certificate",
        "partner's coming OpenPGP certificate",
    }  # fmt: skip


# --- formats, levels, the trial -------------------------------------------------------------------


COURT = {
    "case_format": "sdt-claim", "signature": "cms", "particulars": particulars("sdt-claim"),
    "may_leave_out": ("language", "payment.account", "payment.reference"),
}  # fmt: skip


def test_a_courts_document_goes_as_the_profile_says(connect_by: Connect, partner) -> None:
    connector = connect_by(**COURT)
    assert connector.batch_limit == 1
    opened = envelope_decrypt(connector.prepare(hand_over()).payload, partner)
    start = opened.index(b"PK\x03\x04")
    with zipfile.ZipFile(io.BytesIO(opened[start:])) as archive:
        assert judge(archive.read("sdt-claim.xml")).is_valid
        assert archive.read(f"documents/{sha256_hex(PDF)}.pdf") == PDF


def test_what_a_courts_document_cannot_carry_blocks_it_by_name(connect_by: Connect) -> None:
    unfit = altered(CASE, currency="EUR")
    with pytest.raises(PermanentError, match="currency"):
        connect_by(**COURT).prepare(hand_over(unfit))
    with pytest.raises(PermanentError, match=r"has no place for .*mandate_ref"):
        connect_by(**COURT).prepare(hand_over(altered(CASE, mandate_ref="M-1")))
    with pytest.raises(ConfigurationError):
        connect_by(**{**COURT, "particulars": {"unknown": "x"}}).prepare(hand_over())


def test_what_a_partners_level_does_not_read_is_a_persons_to_say(connect_by: Connect) -> None:
    recall = CaseAmendment(
        message_id="r-1", case_id=CASE.case_id, code=AmendmentCode.RECALL, reason_code="paid", currency="GBP",
        principal=Decimal(0), effective_on=dt.date(2026, 6, 15),
    )  # fmt: skip
    question = CaseInstruction(message_id="q-1", case_id=CASE.case_id, code=InstructionCode.QUESTION, text="When?")
    taken = {level: [] for level in (1, 2, 3)}
    for level, found in taken.items():
        connector = connect_by(conformance_level=level)
        assert (connector.batch_limit == 1) is (level < 3)  # a refusal must not hold up the others
        for message in (CASE, question, recall):
            try:
                found.append(connector.prepare(hand_over(message)).message_ids[0])
            except PermanentError as error:
                assert "conformance level" in error.message
    assert taken == {1: [CASE.message_id], 2: [CASE.message_id, "q-1"], 3: [CASE.message_id, "q-1", "r-1"]}


def test_a_trial_is_marked_both_ways(connect_by: Connect, partner, hub_identity, hub_pgp) -> None:
    trial, real = connect_by(is_test=True), connect_by()
    sealed = envelope_decrypt(trial.prepare(hand_over()).payload, partner)
    assert XmlFormat().read(unpack(sealed)["exchange.xml"]).exchange.is_test
    marked = answers(partner, hub_identity, hub_pgp[1], "xmldsig", is_test=True)
    assert trial.decode(raw(marked)).is_test and real.decode(raw(marked)).is_test
    with pytest.raises(QuarantineError) as refused:
        trial.decode(raw(answers(partner, hub_identity, hub_pgp[1], "xmldsig")))
    assert refused.value.code == "exchange.test"


def test_a_profile_says_in_words_what_happens(connect_by: Connect) -> None:
    friday = dt.datetime(2026, 6, 12, 14, 31, tzinfo=dt.UTC)
    connector = connect_by(
        lambda: friday, **PROFILES["openpgp"], zone="Europe/Brussels", work_days=(0, 1, 2, 3, 4), opens_at="08:00",
        cut_off_at="16:30", conformance_level=2, file_name="CH_{exchange}", done_file="in/{name}.done",
    )
    assert isinstance(connector, Profiled) and isinstance(connector, KeyHolder)
    said = {line.topic: line.says for line in connector.profile()}
    assert "closed until Monday 2026-06-15 08:00" in said["opening hours"]
    assert said["file names"].startswith("in/CH_{exchange}.asice.pgp")
    assert said["done-file"] == "in/CH_{exchange}.asice.pgp.done"
    for topic, words in (
        ("format", "case-file"), ("container", "ASiC-E"), ("signature", "XAdES"), ("encryption", "OpenPGP"),
        ("limits", "one message a file"), ("conformance", "level 2"), ("host key", "SHA256:x"), ("test", "no:"),
    ):
        assert words in said[topic]


def test_a_profile_that_cannot_work_is_refused(connect_by: Connect) -> None:
    for wrong in (
        {"container": "asic_e"}, {"case_format": "sdt-claim"}, {"encryption": "openpgp", "own_openpgp_key": None},
        {"case_format": "sdt-claim", "signature": "cms", "is_test": True}, {"conformance_level": 4},
    ):
        with pytest.raises(ValidationError):
            connect_by(**wrong)
