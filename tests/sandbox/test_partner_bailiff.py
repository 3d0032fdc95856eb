"""The bailiff over real SFTP: strict with what comes, durable, and readable with other people's tools."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from collecthub.sandbox.exchange_xml import XSD
from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.partner_messages import amendment_xml, case_file_xml, case_number_on, exchange_xml
from sandbox.partner_sftp import SUFFIX, HubDesk, text, until


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubDesk]:
    folder = tmp_path_factory.mktemp("bailiff")
    twin = start_twin("bailiff", folder / "home", settings={"auto": "1"})
    desk = HubDesk(folder / "hub", twin)
    yield desk
    desk.close()
    twin.stop()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[RunningTwin]]:
    twins: list[RunningTwin] = []
    yield twins
    for twin in twins:
        twin.stop()


def books(desk: HubDesk) -> Any:
    return desk.twin.control("books")


def answers_to(desk: HubDesk, message_id: str) -> list[etree._Element]:
    return [message for message in desk.messages() if text(message, "InReplyTo") == message_id]


def test_a_case_is_taken_on_and_the_answer_is_valid_and_verifiable(desk: HubDesk, tmp_path: Path) -> None:
    desk.submit("x1", exchange_xml("x1", "bailiff", [case_file_xml("c1", case_number_on("silent", "bailiff"))]))
    (answer,) = until(lambda: answers_to(desk, "m-c1"))
    assert text(answer, "Verdict") == "accepted"
    assert text(answer, "HolderRef")
    schema = etree.XMLSchema(etree.parse(XSD))
    for container in [*desk.fetch().values(), *desk.fetch("accounts-").values()]:
        (xml,) = desk.opened(container).values()
        schema.assertValid(etree.fromstring(xml))
        _verify_with_xmlsec(xml, desk.folder / "partner.pem", tmp_path)


def _verify_with_xmlsec(xml: bytes, certificate: Path, folder: Path) -> None:
    if shutil.which("xmlsec1") is None:
        pytest.skip("xmlsec1 is not installed")
    (folder / "signed.xml").write_bytes(xml)
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), str(folder / "signed.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_the_hub_with_its_key_and_name_gets_in(desk: HubDesk) -> None:
    for login, username in ((paramiko.ECDSAKey.generate(), "hub"), (desk.login, "root")):
        with pytest.raises(paramiko.AuthenticationException), desk.sftp(login, username):
            pytest.fail("a stranger got in")
    with desk.sftp() as sftp:
        assert sorted(sftp.listdir("/../..")) == ["in", "out", "receipt"]


def test_it_hangs_up_while_it_is_down(desk: HubDesk) -> None:
    desk.twin.control("down", {"seconds": 30})
    with pytest.raises((paramiko.SSHException, EOFError)), desk.sftp():
        pytest.fail("the office was open")
    desk.twin.control("down", {"seconds": 0})
    with desk.sftp() as sftp:
        assert sftp.listdir("in") == []


def test_what_breaks_the_contract_is_refused_with_its_reason(desk: HubDesk) -> None:
    good = exchange_xml("x", "bailiff", [case_file_xml("bad", "N-1")])
    signed = desk.signed(good)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wrong_date = exchange_xml("x", "bailiff", [case_file_xml("bad", "N-1").replace("2026-01-31", "2026-02-30")])
    elsewhere = exchange_xml("x", "lawyer", [case_file_xml("bad", "N-1")])
    unnamed = desk.sealed(signed, {f"documents/{'0' * 64}.pdf": b"%PDF"})
    cases = {
        "crypto.undecryptable": b"not an envelope",
        "archive.manifest": desk.sealed(signed, manifest=False),
        "archive.documents": unnamed,
        "sig.invalid": desk.sealed(signed.replace(b"250.00", b"999.00")),
        "xml.doctype": desk.sealed(signed.replace(b"<Exchange", b"<!DOCTYPE Exchange><Exchange", 1)),
        "xml.malformed": desk.sealed(signed[:-40]),
        "xml.schema": desk.sealed(desk.signed(wrong_date)),
        "count": desk.sealed(desk.signed(exchange_xml("x", "bailiff", [case_file_xml("bad", "N-1")], count=2))),
        "exchange.address": desk.sealed(desk.signed(elsewhere)),
        "file.name": desk.sealed(signed),
    }
    names = {code: f"bailiff-{'x' if code == 'archive.documents' else code}{SUFFIX}" for code in cases}
    for code, content in cases.items():
        desk.put(names[code], content)
    desk.put(f"bailiff-stranger{SUFFIX}", desk.sealed(desk.signed(good, stranger)))
    desk.put(f"bailiff-unsigned{SUFFIX}", desk.sealed(good.encode()))
    wanted = {names[code]: code for code in cases}
    wanted |= {f"bailiff-{name}{SUFFIX}": "sig.invalid" for name in ("stranger", "unsigned")}
    refused = until(lambda: (rows := books(desk)["refused"]) and len(rows) >= len(wanted) and rows)
    assert {row["name"]: row["code"] for row in refused} == wanted
    assert all(case["case_id"] != "bad" for case in books(desk)["cases"])


def test_a_document_beside_the_case_file_is_taken(desk: HubDesk) -> None:
    content = b"%PDF-1.4 invoice"
    digest = hashlib.sha256(content).hexdigest()
    document = f"""<Document><Name>invoice.pdf</Name><Kind>invoice</Kind><MediaType>application/pdf</MediaType>
        <Sha256>{digest}</Sha256><Href>documents/{digest}.pdf</Href></Document>"""
    file = case_file_xml("doc1", case_number_on("silent", "bailiff"), document=document)
    xml = desk.signed(exchange_xml("xdoc", "bailiff", [file]))
    desk.put(f"bailiff-xdoc{SUFFIX}", desk.sealed(xml, {f"documents/{digest}.pdf": content}))
    (answer,) = until(lambda: answers_to(desk, "m-doc1"))
    assert text(answer, "Verdict") == "accepted"


def test_a_file_that_comes_again_is_answered_as_before_and_counted(desk: HubDesk) -> None:
    xml = exchange_xml("again", "bailiff", [case_file_xml("twice", case_number_on("silent", "bailiff"))])
    before = books(desk)["duplicates"]["exchanges"]
    for copies in (1, 2):
        desk.submit("again", xml)
        until(lambda copies=copies: len(answers_to(desk, "m-twice")) == copies)
    first, second = answers_to(desk, "m-twice")
    assert etree.tostring(first) == etree.tostring(second)
    assert books(desk)["duplicates"]["exchanges"] == before + 1
    desk.submit("again", xml.replace("INV 1", "INV 2"))
    until(lambda: books(desk)["refused"][-1]["code"] == "exchange.changed")


def test_names_with_a_dot_are_not_read_and_receipts_are(desk: HubDesk) -> None:
    sent = list(desk.fetch())
    with desk.sftp() as sftp:
        sftp.open("in/.unfinished.part", "wb").close()
    told = {"file": sent[0], "code": "xml.schema", "reason": "no", "recorded_at": "2026-06-15T08:00:00Z"}
    desk.put(f"{sent[0]}.nak.json", json.dumps(told).encode(), "receipt")
    verdict = until(lambda: next((one["verdict"] for one in books(desk)["sent"] if one["verdict"]), ""))
    assert json.loads(verdict) == {"accepted": False, "code": "xml.schema", "reason": "no"}
    with desk.sftp() as sftp:
        assert sftp.listdir("in") == [".unfinished.part"]


def test_killed_in_the_middle_it_takes_every_case_once_and_does_nothing_after_a_recall(
    tmp_path: Path, started: list[RunningTwin]
) -> None:
    started.append(start_twin("bailiff", tmp_path / "home"))
    desk = HubDesk(tmp_path / "hub", started[-1])
    numbers = [number for nth in range(3) for number in (
        case_number_on("paid_full", "bailiff", nth), case_number_on("costly", "bailiff", nth))]  # fmt: skip
    for n, number in enumerate(numbers):
        desk.submit(f"x{n}", exchange_xml(f"x{n}", "bailiff", [case_file_xml(f"c{n}", number)]))
        if n in (1, 3):
            desk.twin.kill()
            started.append(start_twin("bailiff", tmp_path / "home"))
            assert started[-1].facts["sftp_port"] == desk.twin.facts["sftp_port"]
            assert started[-1].facts["host_key_fingerprint"] == desk.twin.facts["host_key_fingerprint"]
            desk.twin = started[-1]
            desk.submit(f"x{n}", exchange_xml(f"x{n}", "bailiff", [case_file_xml(f"c{n}", number)]))
    until(lambda: books(desk)["exchanges_in"] == 6)
    assert [case["case_id"] for case in books(desk)["cases"]] == [f"c{n}" for n in range(6)]
    desk.twin.control("work", {"days": 2})
    desk.submit("r", exchange_xml("r", "bailiff", [amendment_xml(f"c{n}", "recall") for n in (0, 1)]))
    until(lambda: len([one for n in (0, 1) for one in answers_to(desk, f"a-recall-c{n}")]) == 2)
    desk.twin.control("work", {"days": 8})
    report, lines = books(desk), desk.accounts()
    assert report["acts_after_recall"] == 0
    paid = {text(one, "CaseId"): text(one, "Amount") for one in desk.messages() if one.tag.endswith("PaymentReport")}
    assert paid == {"c2": "250.00", "c4": "250.00"}  # the principal: the office charges a person nothing
    assert {case_id: line["Paid"] for case_id, line in lines.items() if line["Paid"] != "0"} == paid
    assert {lines[case_id]["Principal"] for case_id in ("c0", "c1")} == {"0"}
    desk.close()


def test_mischief_breaks_files_in_the_announced_ways(tmp_path: Path, started: list[RunningTwin]) -> None:
    started.append(start_twin("bailiff", tmp_path / "home", settings={"mischief": "1", "auto": "1"}))
    desk = HubDesk(tmp_path / "hub", started[0])
    files = [case_file_xml(f"c{n}", f"C-{n}") for n in range(20)]
    desk.submit("x1", exchange_xml("x1", "bailiff", files))
    until(lambda: books(desk)["exchanges_in"] == 1)
    desk.twin.control("work", {"days": 8})
    done = {row["kind"]: row["exchange_id"] for row in books(desk)["mischief"]}
    xml = {name: desk.opened(content)["exchange.xml"] for name, content in desk.fetch().items()}
    made = {kind: xml[f"collecthub-{name}{SUFFIX}"] for kind, name in done.items()}
    assert b"<!DOCTYPE" in made["doctype"]
    assert b"2026-02-30" in made["impossible_date"]
    assert b"XQ-99" in made["unknown_status"]
    assert not made["truncated"].endswith(b"</Exchange>")
    with pytest.raises(AssertionError):
        _verify_with_xmlsec(made["wrong_signature"], desk.folder / "partner.pem", tmp_path)
    case_id = next(etree.fromstring(made["out_of_order"]).iter("{*}CaseId")).text
    whole = [etree.fromstring(one) for one in xml.values() if one.endswith(b"</Exchange>")]
    updates = [update for root in whole for update in root.iter("{*}CaseStatusUpdate") if text(update, "CaseId") == case_id]
    sequences = [int(text(update, "Sequence")) for update in updates]
    assert sequences != sorted(sequences)
    desk.close()
