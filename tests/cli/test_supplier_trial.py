"""`exchange trial` against software built from the handbook alone, over SFTP and SOAP, and against careless software."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run
from collecthub.sandbox.twin import start_twin
from collecthub.wire.crypto import generate_identity, generate_login_key, login_public_key

LOGIN = generate_login_key()
OWN = generate_identity("hub", bits=2048)


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLLECTHUB_ALLOW_LOOPBACK", "true")
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


def sftp_words(folder: Path, port: int, username: str, fingerprint: str, certificate: str) -> list[str]:
    files = {"key": OWN.private_key_pem, "cert": OWN.certificate_pem, "login": LOGIN, "partner": certificate.encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [
        "exchange", "trial", "sftp_batch", "--set", "host=127.0.0.1", "--set", f"port={port}", "--set", f"username={username}",
        "--set", f"host_key_fingerprints={fingerprint}", "--set", f"partner_certificate=@{folder / 'partner'}",
        "--set", f"own_certificate=@{folder / 'cert'}", "--secret-file", f"own_key={folder / 'key'}",
        "--secret-file", f"private_key={folder / 'login'}", "--large-mb", "3", "--json",
    ]  # fmt: skip


def told(outcome: Any) -> dict[str, bool]:
    report = json.loads(outcome.stdout)
    return {one["step"]: one["is_passed"] for one in report["steps"]}


ALL = {"new", "amended", "duplicate", "recalled", "wrongly_signed", "large", "answers"}


def test_a_bailiffs_software_passes_over_sftp(tmp_path: Path, run: Run) -> None:
    twin = start_twin("bailiff", tmp_path / "bailiff", settings={"auto": "1", "seed": "t"})
    try:
        known = {"certificate_pem": OWN.certificate_pem.decode(), "ssh_public_key": login_public_key(LOGIN), "sender_ref": "collecthub"}
        twin.control("hub", known)
        facts = twin.facts
        words = sftp_words(tmp_path, facts["sftp_port"], facts["username"], facts["host_key_fingerprint"], facts["certificate_pem"])
        found = told(run(*words, "--partner", facts["partner_ref"], "--unmarked", "--seconds", "60", "--settle", "0.3"))
        assert found == dict.fromkeys(ALL, True)
        books = twin.control("books")
        assert [one["code"] for one in books["refused"]] == ["sig.invalid"]  # the stranger's file
    finally:
        twin.stop()


def test_a_lawyers_software_passes_over_soap_with_tests_alone(tmp_path: Path, run: Run) -> None:
    twin = start_twin("lawyer", tmp_path / "lawyer", settings={"auto": "1", "seed": "t"})
    try:
        facts = twin.facts
        (tmp_path / "password").write_text(facts["password"])
        words = [
            "exchange", "trial", "soap_exchange", "--partner", facts["partner_ref"], "--large-mb", "2", "--settle", "0.3", "--json",
            "--set", f"endpoint={twin.url}{facts['path']}", "--set", f"username={facts['username']}",
            "--secret-file", f"password={tmp_path / 'password'}",
        ]  # fmt: skip
        assert told(run(*words, "--seconds", "60")) == dict.fromkeys(ALL, True)
        assert twin.control("books")["cases"] == []  # tests alone leave nothing in its books
        assert set(told(run(*words, "--level", "1"))) == {"new", "duplicate", "wrongly_signed", "large", "answers"}
    finally:
        twin.stop()


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[dict[str, Any]]:
    hub = {"certificate": OWN.certificate_pem.decode(), "login": login_public_key(LOGIN)}
    (tmp_path / "hub.json").write_text(json.dumps(hub))
    program = Path(__file__).with_name("careless_supplier.py")
    with subprocess.Popen([sys.executable, str(program), str(tmp_path)], stdin=subprocess.PIPE) as running:
        ends_at = time.monotonic() + 60
        while not (tmp_path / "ready.json").exists():
            assert running.poll() is None and time.monotonic() < ends_at, "the software did not start"
            time.sleep(0.05)
        yield json.loads((tmp_path / "ready.json").read_text())
        running.kill()


def test_careless_software_is_told_what_it_does_wrong(tmp_path: Path, careless: dict[str, Any], run: Run) -> None:
    words = sftp_words(tmp_path, careless["port"], "hub", careless["fingerprint"], careless["certificate"])
    outcome = run(*words, "--partner", "careless", "--steps", "new,duplicate,wrongly_signed", "--settle", "60", wanted=1)
    assert told(outcome) == {"new": True, "duplicate": False, "wrongly_signed": False, "answers": True}
    seen = {one["step"]: one["seen"] for one in json.loads(outcome.stdout)["steps"]}
    assert seen["duplicate"] == "accepted C-1, accepted C-2"
    assert seen["wrongly_signed"] == "answered accepted"
    ignored = run(*words, "--partner", "careless", "--steps", "recalled", "--seconds", "1", wanted=1)
    assert told(ignored) == {"recalled": False, "answers": True}


def test_nobody_there_is_something_outside(tmp_path: Path, run: Run) -> None:
    words = sftp_words(tmp_path, 1, "hub", "SHA256:x", OWN.certificate_pem.decode())
    assert "cannot be reached" in run(*words, wanted=4).output
    assert "there is no step" in run(*words, "--steps", "renewed", wanted=2).output
