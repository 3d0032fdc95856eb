"""Taking files out: all of them or a reason, each once, nothing that the partner did not sign."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange
from collecthub.ports import RawMessage, Verdict
from collecthub.sandbox import signed_container as oracle
from collecthub.testing.fakes import ListJournal

Make = Callable[..., Exchange]
ACCEPTED = Verdict(is_accepted=True)
SUFFIX = ".zip.p7m"


def work(connector, office, exchange: Exchange, days: int = 6) -> None:
    connector.deliver(connector.prepare(exchange), ListJournal())
    office.await_exchanges(1)
    office.twin.control("work", {"days": days, "advance_clock": False})


def test_what_the_office_says_is_read_and_set_aside(connect, office, exchange: Make) -> None:
    connector, sent = connect(), exchange(10)
    work(connector, office, sent)
    fetched = list(connector.fetch(""))
    assert fetched and all(checkpoint == "" for _, checkpoint in fetched)
    decoded = [connector.decode(raw) for raw, _ in fetched]
    assert all(one.messages and not one.faults for one in decoded)
    told = {message.case_id for one in decoded for message in one.messages}
    assert told >= {message.case_id for message in sent.messages}
    for _ in range(2):
        for raw, _ in fetched:
            connector.acknowledge(raw, ACCEPTED)
    assert list(connector.fetch("")) == []
    done = {path.name: path.read_bytes() for path in (office.files / "out" / "done").iterdir()}
    assert done == {raw.remote_ref: raw.content for raw, _ in fetched}


def test_the_office_learns_the_verdict(connect, office, exchange: Make) -> None:
    connector = connect()
    work(connector, office, exchange(10))
    (raw, _), *_ = connector.fetch("")
    connector.acknowledge(raw, Verdict(is_accepted=False, code="status.unknown", reason="Statut “ž” inconnu"))
    office.twin.control("work", {"days": 1, "advance_clock": False})
    sent = {f"collecthub-{one['exchange_id']}{SUFFIX}": one["verdict"] for one in office.books()["sent"]}
    assert json.loads(sent[raw.remote_ref]) == {
        "accepted": False, "code": "status.unknown", "reason": "Statut “ž” inconnu"
    }  # fmt: skip
    assert office.books()["refused"] == []


def test_a_newer_file_of_the_same_name_is_not_moved_away_unread(connect, office) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    (quiet / "out" / f"a{SUFFIX}").write_bytes(b"first")
    ((raw, _),) = connector.fetch("")
    (quiet / "out" / f"a{SUFFIX}").write_bytes(b"later")
    connector.acknowledge(raw, ACCEPTED)
    ((later, _),) = connector.fetch("")
    assert later.content == b"later"
    connector.acknowledge(raw, ACCEPTED)
    connector.acknowledge(later, Verdict(is_accepted=False, code="x"))
    assert list(connector.fetch("")) == []


def test_the_same_name_twice_keeps_both_files(connect, office) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    for content in (b"first", b"second", b"first"):
        (quiet / "out" / f"a{SUFFIX}").write_bytes(content)
        ((raw, _),) = connector.fetch("")
        connector.acknowledge(raw, ACCEPTED)
    done = sorted(path.read_bytes() for path in (quiet / "out" / "done").iterdir())
    assert done == [b"first", b"second"]
    receipt = json.loads((quiet / "receipt" / f"a{SUFFIX}.ack.json").read_bytes())
    assert receipt["file"] == f"a{SUFFIX}" and receipt["recorded_at"].endswith("+00:00")


def test_only_plain_files_are_read_and_the_rest_is_reported(connect, office) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    out = quiet / "out"
    (out / f"good{SUFFIX}").write_bytes(b"good")
    (out / f".half{SUFFIX}.part").write_bytes(b"half")
    (out / "folder.zip.p7m").mkdir()
    (out / "link.zip.p7m").symlink_to("/etc/hostname")
    os.mkfifo(out / "pipe.zip.p7m")
    (out / "two\nlines.zip.p7m").write_bytes(b"x")
    Path(os.fsdecode(bytes(out) + b"/\xff\xfe.zip.p7m")).write_bytes(b"x")
    with (out / "huge.zip.p7m").open("wb") as huge:
        huge.truncate(5_000_000_000)
    fetched = [raw for raw, _ in connector.fetch("")]
    assert [raw.remote_ref for raw in fetched if raw.content == b"good"] == [f"good{SUFFIX}"]
    codes = []
    for raw in fetched:
        if raw.content != b"good":
            with pytest.raises(QuarantineError) as caught:
                connector.decode(raw)
            codes.append(caught.value.code)
    assert sorted(codes) == ["file.size", "file.type", "file.type", "file.type", "name.encoding", "name.unsafe"]
    for raw in fetched:
        connector.acknowledge(raw, Verdict(is_accepted=raw.content == b"good"))
    assert (out / "huge.zip.p7m").exists() and (out / "link.zip.p7m").is_symlink()
    assert len(list((quiet / "receipt").glob("*.nak.json"))) == 6
    assert [raw.content for raw, _ in connector.fetch("")] == [raw.content for raw in fetched if raw.content != b"good"]


# --- what must not be believed --------------------------------------------------------------------


@pytest.fixture
def sealed(office, exchange: Make, hub_identity) -> Callable[..., RawMessage]:
    """Make files as the office makes them, with its key or a stranger's, and spoilt on the way."""
    mine = oracle.kept_identity(office.twin.home, "bailiff")
    hub = x509.load_pem_x509_certificate(hub_identity.certificate_pem)

    def make(
        *, signer: oracle.Identity = mine, name: str = "exchange.xml", sender: str = "bailiff",
        receiver: str = "collecthub", spoil: Callable[[bytes], bytes] = bytes,
    ) -> RawMessage:  # fmt: skip
        content = XmlFormat().encode(exchange())
        content = content.replace(b">collecthub</SenderRef>", f">{sender}</SenderRef>".encode())
        content = content.replace(b">bailiff</ReceiverRef>", f">{receiver}</ReceiverRef>".encode())
        xml = spoil(oracle.sign(etree.fromstring(content), signer))
        return RawMessage(remote_ref="x", media_type="application/pkcs7-mime", content=oracle.seal(name, xml, hub))

    return make


def refusal(connector, raw: RawMessage) -> str:
    with pytest.raises(QuarantineError) as caught:
        connector.decode(raw)
    return caught.value.code


def test_the_office_itself_is_believed(connect, sealed) -> None:
    assert len(connect().decode(sealed()).messages) == 1


def test_another_signer_is_not(connect, sealed) -> None:
    assert refusal(connect(), sealed(signer=oracle.new_identity("bailiff"))) == "sig.signer"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda xml: xml.replace(b"120.50", b"0.01"), "sig.invalid"),
        (lambda xml: xml[: xml.index(b"<ds:Signature")] + b"</Exchange>", "sig.missing"),
        (lambda xml: xml[: len(xml) // 2], "xml.malformed"),
        (lambda xml: xml.replace(b"<Exchange", b"<!DOCTYPE Exchange>\n<Exchange", 1), "xml.doctype"),
        (lambda xml: b"%PDF-1.7\n1 0 obj << /OpenAction << /S /JavaScript >> >>", "xml.malformed"),
        (lambda xml: b"MZ\x90\x00\x03" + bytes(200), "xml.encoding"),
    ],
    ids=["changed", "unsigned", "truncated", "doctype", "a PDF", "a program"],
)
def test_a_spoilt_document_is_not(connect, sealed, spoil: Callable[[bytes], bytes], code: str) -> None:
    assert refusal(connect(), sealed(spoil=spoil)) == code


def test_a_tampered_container_is_not(connect, sealed, office) -> None:
    raw = sealed()
    flipped = bytearray(raw.content)
    flipped[len(flipped) // 2] ^= 1
    code = refusal(connect(), RawMessage(remote_ref="x", media_type=raw.media_type, content=bytes(flipped)))
    assert code.split(".")[0] in {"crypto", "archive"}
    junk = RawMessage(remote_ref="x", media_type=raw.media_type, content=b"not a container")
    assert refusal(connect(), junk) == "crypto.undecryptable"
    assert refusal(connect(), sealed(name="other.xml")) == "archive.content"


def test_a_signed_exchange_of_or_for_somebody_else_is_not(connect, sealed) -> None:
    assert refusal(connect(), sealed(sender="other-office")) == "exchange.sender"
    assert refusal(connect(), sealed(receiver="other-hub")) == "exchange.receiver"


# --- books ----------------------------------------------------------------------------------------


def test_the_newest_books_count(connect, office, exchange: Make) -> None:
    connector, sent = connect(), exchange(20)
    work(connector, office, sent, days=20)
    assert len(list((office.files / "out").glob("accounts-*"))) > 1
    lines = {line.case_id: line for line in connector.accounts()}
    books = {one["case_id"]: one for one in office.books()["cases"] if one["case_id"] in lines}
    assert len(lines) == len(books) and len(lines.keys() & {message.case_id for message in sent.messages}) > 10
    assert {key: line.paid for key, line in lines.items()} == {key: Decimal(one["paid"]) for key, one in books.items()}
    assert any(line.paid for line in lines.values())


def test_no_books_yet_is_nothing(connect, office) -> None:
    office.quiet()
    assert list(connect(folder="quiet").accounts()) == []


# --- an office that sends broken files on purpose ---------------------------------------------------


@pytest.mark.chaos
@pytest.mark.parametrize("office", [{"mischief": "1"}], indirect=True)
def test_what_the_office_spoils_is_named_and_its_neighbours_come_through(connect, office, exchange: Make) -> None:
    connector = connect()
    for start in (1, 100):
        work(connector, office, exchange(30, start), days=15)
    refused, faulty, good = {}, set(), 0
    for raw, _ in connector.fetch(""):
        exchange_id = raw.remote_ref.removeprefix("collecthub-").removesuffix(SUFFIX)
        try:
            decoded = connector.decode(raw)
        except QuarantineError as error:
            refused[exchange_id] = error.code
            continue
        good += len(decoded.messages)
        faulty |= {decoded.exchange_id} if decoded.faults else set()
    spoilt = {one["kind"]: one["exchange_id"] for one in office.books()["mischief"]}
    assert {refused.pop(spoilt[kind]) for kind in ("doctype", "truncated", "wrong_signature")} == {
        "xml.doctype", "xml.malformed", "sig.signer"
    }  # fmt: skip
    assert refused == {} and faulty == {spoilt["impossible_date"]} and good > 50
