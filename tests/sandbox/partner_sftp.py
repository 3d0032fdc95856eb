"""A hub's side of the SFTP profile made of other parts than the twin's: paramiko, the openssl and plain zip tools."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import paramiko
import pytest
import signxml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from collecthub.sandbox.twin import RunningTwin
from sandbox.partner_messages import NS

SUFFIX = ".zip.p7m"


class HubDesk:
    """A hub with its own key, certificate and login, talking to one bailiff."""

    def __init__(self, folder: Path, twin: RunningTwin) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self.folder, self.twin = folder, twin
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate = _identity()
        self._opened: dict[bytes, dict[str, bytes]] = {}
        self._lines: dict[int, tuple[ExitStack, paramiko.SFTPClient]] = {}
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        (folder / "hub.key").write_bytes(_private(self.key))
        (folder / "hub.pem").write_bytes(self.pem)
        (folder / "partner.pem").write_text(twin.facts["certificate_pem"])
        self.login = paramiko.ECDSAKey.generate()
        twin.control("hub", {
            "certificate_pem": self.pem.decode(), "sender_ref": "collecthub",
            "ssh_public_key": f"{self.login.get_name()} {self.login.get_base64()}",
        })  # fmt: skip

    @contextmanager
    def sftp(self, login: paramiko.PKey | None = None, username: str = "hub") -> Iterator[paramiko.SFTPClient]:
        transport = paramiko.Transport((self.twin.facts["sftp_host"], self.twin.facts["sftp_port"]))
        try:
            transport.start_client(timeout=5)
            assert transport.get_remote_server_key().fingerprint == self.twin.facts["host_key_fingerprint"]
            transport.auth_publickey(username, login or self.login)
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            yield client
        finally:
            transport.close()

    def line(self) -> paramiko.SFTPClient:
        """The hub's own connection to the twin as it runs now; kept open."""
        if self.twin.pid not in self._lines:
            self.close()
            stack = ExitStack()
            self._lines[self.twin.pid] = stack, stack.enter_context(self.sftp())
        return self._lines[self.twin.pid][1]

    def close(self) -> None:
        """Hang up."""
        for stack, _ in self._lines.values():
            stack.close()
        self._lines.clear()

    def sealed(self, xml: bytes, files: dict[str, bytes] | None = None, *, manifest: bool = True) -> bytes:
        """A container as the handbook says, encrypted by the openssl command."""
        content = {"exchange.xml": xml, **(files or {})}
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("META-INF/manifest.json", json.dumps({"files": sums if manifest else {}}))
            for name, data in content.items():
                archive.writestr(name, data)
        command = ["openssl", "cms", "-encrypt", "-binary", "-aes256", "-outform", "DER"]
        return _run([*command, "-recip", str(self.folder / "partner.pem")], buffer.getvalue())

    def signed(self, xml: str, key: rsa.RSAPrivateKey | None = None) -> bytes:
        signer = signxml.XMLSigner(
            method=signxml.methods.enveloped, c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"
        )
        signed = signer.sign(etree.fromstring(xml), key=key or self.key, cert=self.pem.decode())
        return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")

    def put(self, name: str, content: bytes, folder: str = "in") -> None:
        sftp = self.line()
        with sftp.open(f"{folder}/.{name}.part", "wb") as file:
            file.write(content)
        sftp.rename(f"{folder}/.{name}.part", f"{folder}/{name}")

    def submit(self, exchange_id: str, xml: str) -> None:
        self.put(f"bailiff-{exchange_id}{SUFFIX}", self.sealed(self.signed(xml)))

    def fetch(self, prefix: str = "collecthub-") -> dict[str, bytes]:
        sftp = self.line()
        names = sorted(name for name in sftp.listdir("out") if name.startswith(prefix))
        return {name: self._content(sftp, f"out/{name}") for name in names}

    @staticmethod
    def _content(sftp: paramiko.SFTPClient, path: str) -> bytes:
        with sftp.open(path) as file:
            return file.read()

    def opened(self, container: bytes) -> dict[str, bytes]:
        """Decrypted by the openssl command, sums checked by hand; each container once."""
        if container not in self._opened:
            self._opened[container] = self._decrypted(container)
        return self._opened[container]

    def _decrypted(self, container: bytes) -> dict[str, bytes]:
        command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", str(self.folder / "hub.key")]
        plain = _run([*command, "-recip", str(self.folder / "hub.pem")], container)
        with zipfile.ZipFile(io.BytesIO(plain)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        sums = json.loads(files.pop("META-INF/manifest.json"))["files"]
        assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        return files

    def messages(self) -> list[etree._Element]:
        """All messages in `out`, in the order of their files."""
        found: list[etree._Element] = []
        for container in self.fetch().values():
            root = etree.fromstring(self.opened(container)["exchange.xml"])
            found += root.findall(f"{{{NS}}}Messages/*")
        return found

    def accounts(self) -> dict[str, dict[str, str]]:
        """Lines of the newest books by case."""
        newest = list(self.fetch("accounts-").values())[-1]
        root = etree.fromstring(self.opened(newest)["accounts.xml"])
        lines = [{etree.QName(field).localname: field.text or "" for field in line} for line in root
                 if etree.QName(line).localname == "AccountLine"]  # fmt: skip
        return {line["CaseId"]: line for line in lines}


def text(message: etree._Element, name: str) -> str:
    return message.findtext(f"{{{NS}}}{name}", "")


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until a condition holds and return what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


@cache
def _identity() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(start.replace(year=2035))
    return key, builder.sign(key, hashes.SHA256())


def _private(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _run(command: list[str], content: bytes) -> bytes:
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout
