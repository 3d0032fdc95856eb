"""A partner's own habits: names, folders, done-files, hours, sizes, keys that change, and what counts as a whole file."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

from collecthub.errors import ConfigurationError, PermanentError, QuarantineError, RetryableError
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import AmendmentCode, CaseAmendment, Exchange
from collecthub.ports import DeliveryState, RawMessage, Verdict
from collecthub.sandbox import signed_container as oracle
from collecthub.testing.fakes import ListJournal
from collecthub.wire.container import pack
from collecthub.wire.crypto import Identity, envelope_decrypt, envelope_encrypt, generate_identity
from collecthub.wire.sign import SigningKey, sign_xml
from collecthub.wire.xml import parse, serialise

Make = Callable[..., Exchange]
FOLDER = {"folder": "quiet"}


def kept(office) -> Identity:
    """The key of the office, as it lies on its own disk."""
    mine = oracle.kept_identity(office.twin.home, "bailiff")
    key = mine.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(key, mine.certificate_pem.encode())


def recall(sent: Exchange) -> Exchange:
    """A recall of the first case."""
    case = sent.messages[0]
    return msgspec.structs.replace(
        sent, exchange_id="recall-1", messages=(
            CaseAmendment(
                message_id="r-1", case_id=case.case_id, code=AmendmentCode.RECALL, reason_code="paid", currency="EUR",
                principal=case.principal * 0, effective_on=dt.date(2026, 6, 15),
            ),
        ),
    )  # fmt: skip


def test_a_file_goes_by_the_partners_names_and_folders(connect, office, exchange: Make) -> None:
    quiet = office.quiet()
    (quiet / "tmp").mkdir()
    connector = connect(
        **FOLDER, file_name="CH_{kind}_{count:04}_{created:%Y%m%d}_{exchange}", temporary_path="tmp/{name}",
        final_path="in/{name}", done_file="in/{name}.done",
    )
    sent = msgspec.structs.replace(exchange(2), created_at=dt.datetime(2026, 6, 15, tzinfo=dt.UTC))
    envelope = connector.prepare(sent)
    assert envelope.name == f"CH_cases_0002_20260615_{sent.exchange_id}.zip.p7m"

    seen: list[list[str]] = []

    class Looking(ListJournal):
        def mark(self, intent: str) -> None:
            super().mark(intent)
            seen.append(sorted(path.relative_to(quiet).as_posix() for path in quiet.rglob("*") if path.is_file()))

    connector.deliver(envelope, Looking())
    assert seen == [[f"tmp/{envelope.name}"]]  # nothing lies in the partner's folder before the file is whole
    assert sorted(path.name for path in (quiet / "in").iterdir()) == [envelope.name, f"{envelope.name}.done"]
    checked = subprocess.run(["sha256sum", "--check", f"{envelope.name}.done"], cwd=quiet / "in", check=False)
    assert checked.returncode == 0
    assert connector.probe(envelope, "renaming") is DeliveryState.ARRIVED


def test_a_crash_before_the_done_file_is_gone_on_with(connect, office, exchange: Make) -> None:
    quiet = office.quiet()
    connector = connect(**FOLDER, done_file="in/{name}.done")
    envelope = connector.prepare(exchange())
    (quiet / "in" / envelope.name).write_bytes(envelope.payload)
    assert connector.probe(envelope, "renaming") is DeliveryState.NOT_ARRIVED
    journal = ListJournal()
    assert connector.deliver(envelope, journal).detail == "was there already"
    assert (quiet / "in" / f"{envelope.name}.done").exists() and journal.marks == []
    assert connector.probe(envelope, "renaming") is DeliveryState.ARRIVED


def test_new_cases_wait_for_the_office_and_recalls_do_not(connect, office, exchange: Make) -> None:
    quiet = office.quiet()
    clock = [dt.datetime(2026, 6, 12, 14, 31, tzinfo=dt.UTC)]  # a Friday, 16:31 in Brussels
    connector = connect(
        now=lambda: clock[0], **FOLDER, zone="Europe/Brussels", work_days=(0, 1, 2, 3, 4), opens_at="08:00",
        cut_off_at="16:30",
    )
    sent = exchange()
    cases, changes = connector.prepare(sent), connector.prepare(recall(sent))
    with pytest.raises(RetryableError, match="takes new cases again") as caught:
        connector.deliver(cases, ListJournal())
    assert caught.value.retry_after_seconds == (2 * 24 + 15) * 3600 + 29 * 60
    assert isinstance(connector.deliver_many([(cases, ListJournal())])[0], RetryableError)
    connector.deliver(changes, ListJournal())
    assert [path.name for path in (quiet / "in").iterdir()] == [changes.name]
    clock[0] += dt.timedelta(seconds=caught.value.retry_after_seconds)
    connector.deliver(cases, ListJournal())
    assert len(list((quiet / "in").iterdir())) == 2


def test_a_file_that_is_too_large_is_not_made(connect, exchange: Make) -> None:
    connector = connect(one_file_per_case=True, file_bytes_max=10_000)
    assert connector.batch_limit == 1
    with pytest.raises(PermanentError, match="the partner takes 10000"):
        connector.prepare(exchange(60))


def test_many_files_leave_at_once_and_each_has_its_own_outcome(connect, office, exchange: Make) -> None:
    quiet = office.quiet()
    connector = connect(**FOLDER)
    envelopes = [connector.prepare(exchange(1, number)) for number in range(12)]
    (quiet / "in" / envelopes[3].name).write_bytes(b"a stranger's")
    (quiet / "in" / envelopes[4].name).write_bytes(envelopes[4].payload)

    class Withdrawn(ListJournal):
        def mark(self, intent: str) -> None:
            raise PermanentError("withdrawn")

    journals = [Withdrawn() if place == 5 else ListJournal() for place in range(12)]
    found = connector.deliver_many(list(zip(envelopes, journals, strict=True)))
    failed = [place for place, outcome in enumerate(found) if isinstance(outcome, Exception)]
    assert failed == [3, 5]
    assert "another file named" in str(found[3])
    assert (quiet / "in" / envelopes[3].name).read_bytes() == b"a stranger's"
    for place, envelope in enumerate(envelopes):
        if place not in failed:
            assert (quiet / "in" / envelope.name).read_bytes() == envelope.payload
            assert connector.probe(envelope, "renaming") is DeliveryState.ARRIVED
    assert not (quiet / "in" / envelopes[5].name).exists()


def test_keys_change_without_a_gap(connect, office, exchange: Make, hub_identity) -> None:
    coming, new_own = generate_identity("bailiff 2", bits=2048), generate_identity("hub 2", bits=2048)
    pem = coming.certificate_pem.decode()
    changing = connect(
        next_partner_certificate=pem, own_key=new_own.private_key_pem.decode(),
        own_certificate=new_own.certificate_pem.decode(), previous_own_key=hub_identity.private_key_pem.decode(),
        previous_own_certificate=hub_identity.certificate_pem.decode(),
    )
    sent = exchange()
    steps = {step.name: step for step in changing.check()}
    assert steps["coming partner certificate"].is_ok
    back = msgspec.structs.replace(sent, sender_ref="bailiff", receiver_ref="collecthub")
    signed = serialise(sign_xml(parse(XmlFormat().encode(back)), SigningKey.of(coming)))
    for recipient in (hub_identity, new_own):  # the partner may still use the hub's former certificate
        content = envelope_encrypt(pack({"exchange.xml": signed}), [recipient.certificate_pem])
        raw = RawMessage(remote_ref="x", media_type="application/pkcs7-mime", content=content)
        assert changing.decode(raw).exchange_id == sent.exchange_id
        with pytest.raises(QuarantineError):
            connect(own_key=new_own.private_key_pem.decode(), own_certificate=new_own.certificate_pem.decode()).decode(raw)
    assert envelope_decrypt(changing.prepare(sent).payload, coming).startswith(b"PK")
    assert envelope_decrypt(changing.prepare(sent).payload, kept(office)).startswith(b"PK")  # the one in use as well


def test_a_file_is_read_when_the_partners_rule_says_that_it_is_whole(connect, office) -> None:
    out = office.quiet() / "out"
    (out / "a.zip.p7m").write_bytes(b"half")
    by_done_file = connect(**FOLDER, arrival="done_file")
    assert list(by_done_file.fetch("")) == []
    (out / "a.zip.p7m.done").write_bytes(b"")
    ((raw, _),) = by_done_file.fetch("")
    assert (raw.remote_ref, raw.content) == ("a.zip.p7m", b"half")
    by_done_file.acknowledge(raw, Verdict(is_accepted=True))
    assert [path.name for path in out.iterdir()] == ["done"]

    (out / "b.zip.p7m").write_bytes(b"part")
    patient = connect(**FOLDER, arrival="stable", stable_seconds=0)
    assert [raw.content for raw, _ in patient.fetch("")] == [b"part"]
    impatient = connect(**FOLDER, arrival="stable", stable_seconds=3600)
    assert list(impatient.fetch("")) == [] and list(impatient.fetch("")) == []


def test_a_setting_that_could_lose_a_file_is_refused(connect) -> None:
    for wrong in (
        {"file_name": "batch"}, {"file_name": "{exchange}/x"}, {"file_name": "{exchange}{secret}"},
        {"temporary_path": "in/tmp"}, {"temporary_path": "../{name}"}, {"zone": "Mars/Base"},
        {"opens_at": "17:00", "cut_off_at": "08:00"}, {"private_key": None}, {"previous_own_certificate": "x"},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            connect(**wrong)


def test_a_password_alone_and_a_wrong_login_are_told_apart(connect, office) -> None:
    with pytest.raises(ConfigurationError, match="refused the login"):
        list(connect(private_key=None, password="secret").fetch(""))
