"""A large exchange is read message by message: same verdicts as whole, flat memory, every fault in its place."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from collecthub.errors import QuarantineError
from collecthub.formats.verdict import judge_file
from collecthub.formats.xml import XmlFormat
from collecthub.formats.xml_stream import StreamHead, stream_messages
from collecthub.model.exchange import Fault
from formats.court_cases import ENGLISH, altered, sent


def batch(count: int) -> bytes:
    """An exchange of so many case files."""
    files = [altered(ENGLISH, message_id=f"m-{number}", case_id=f"c-{number}") for number in range(count)]
    return XmlFormat().encode(sent(*files))


def test_the_stream_says_what_the_whole_says() -> None:
    content = batch(5).replace(b"<MessageId>m-3</MessageId>", b"<MessageId>m 3</MessageId>")
    content = content.replace(b"<MessageId>m-4</MessageId>", b"<MessageId>m-0</MessageId>")
    whole, head = XmlFormat().decode(content), StreamHead()
    found = list(stream_messages(io.BytesIO(content), head))
    assert tuple(one for one in found if not isinstance(one, Fault)) == whole.messages
    faults = [one for one in found if isinstance(one, Fault)]
    assert [(one.code, one.reason, one.path) for one in faults] == [(one.code, one.reason, one.path) for one in whole.faults]
    assert (head.exchange_id, head.sender_ref) == (whole.exchange_id, whole.sender_ref)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<MessageCount>3<", b"<MessageCount>4<", "exchange.count"),
        (b"<Version>1.0<", b"<Version>2.0<", "exchange.version"),
        (b"<SenderRef>", b"<Sender>", "xml.malformed"),
        (b"case-exchange:1.0", b"case-exchange:2.0", "exchange.head"),
        (b"?>", b"?><!DOCTYPE Exchange>", "xml.doctype"),
        (b"</Exchange>", b"", "xml.malformed"),
    ],
)
def test_a_stream_that_cannot_be_trusted_is_refused_whole(old: bytes, new: bytes, code: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        list(stream_messages(io.BytesIO(batch(3).replace(old, new, 1)), StreamHead()))
    assert refused.value.code == code


_MEASURE = """
import io, resource, sys
from pathlib import Path
from collecthub.formats.xml_stream import StreamHead, stream_messages
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        count = sum(1 for _ in stream_messages(file, StreamHead()))
    print(count, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_batch(tmp_path: Path) -> None:
    """Small first: the peak of one process only rises, so the second figure is that of the larger file."""
    one = batch(1)
    start, end = one.index(b"<CaseFile>"), one.index(b"</CaseFile>") + len(b"</CaseFile>")
    sizes = {"small": 200, "large": 2_500}
    for name, count in sizes.items():
        with (tmp_path / name).open("wb") as file:
            file.write(one[:start].replace(b"<MessageCount>1<", b"<MessageCount>%d<" % count))
            for number in range(count):
                file.write(one[start:end].replace(b"m-0", b"m-%d" % number))
            file.write(one[end:])
    paths = [str(tmp_path / name) for name in sizes]
    told = subprocess.run([sys.executable, "-c", _MEASURE, *paths], check=True, capture_output=True, text=True).stdout
    (few, small), (many, large) = (map(int, line.split()) for line in told.splitlines())
    assert (few, many) == (200, 2_500)
    assert large < small * 1.15, f"{small} kB became {large} kB for {(tmp_path / 'large').stat().st_size} bytes"


def test_a_large_file_is_judged_as_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collecthub.formats.verdict.WHOLE_BYTES_MAX", 1_000)
    (tmp_path / "batch.xml").write_bytes(batch(4))
    verdict = judge_file(tmp_path / "batch.xml")
    assert verdict.is_valid and [one.message_id for one in verdict.messages] == ["m-0", "m-1", "m-2", "m-3"]
    (tmp_path / "batch.xml").write_bytes(batch(4).replace(b"<MessageCount>4<", b"<MessageCount>5<"))
    assert [one.code for one in judge_file(tmp_path / "batch.xml").findings] == ["exchange.count"]


def test_a_large_exchange_of_a_container_is_read_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same messages and faults, documents taken from beside it; who writes to whom is told from its head."""
    content = batch(4).replace(b"<MessageId>m-2</MessageId>", b"<MessageId>m 2</MessageId>")
    whole = XmlFormat().decode_with_files(content, {})
    monkeypatch.setattr("collecthub.formats.xml.WHOLE_BYTES_MAX", 1_000)
    assert XmlFormat().decode_with_files(content, {}) == whole
    assert (len(whole.messages), len(whole.faults)) == (3, 1)
    head = XmlFormat().head(content)
    assert (head.sender_ref, head.receiver_ref) == ("hub", "office")
    monkeypatch.setattr("collecthub.formats.xml.STREAM_BYTES_MAX", 5_000)
    with pytest.raises(QuarantineError) as refused:
        XmlFormat().decode_with_files(batch(40), {})
    assert refused.value.code == "xml.limit"
