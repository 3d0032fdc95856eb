"""wire.container and wire.names: what is packed comes back; what attacks is refused before it is inflated."""

from __future__ import annotations

import io
import json
import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecthub.errors import PermanentError, QuarantineError
from collecthub.wire.container import MANIFEST, pack, unpack
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.names import name_problem, path_problem

FILES = {"exchange.xml": b"<a/>", "documents/Rechnung \u00e9\u4e2d.pdf": b"%PDF" * 5000, "empty": b""}


def hostile(build: Callable[[zipfile.ZipFile], object], *, manifest: dict[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps({"files": manifest or {}}))
        build(archive)
    return target.getvalue()


def refusal(content: bytes, **limits: int) -> str:
    with pytest.raises(QuarantineError) as refused:
        unpack(content, **limits)
    return refused.value.code


def test_what_is_packed_comes_back_and_others_read_it_too() -> None:
    content = pack(FILES)
    assert unpack(content) == FILES
    assert pack(FILES) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [MANIFEST, *FILES]
        assert archive.testzip() is None
        manifest = json.loads(archive.read(MANIFEST))
    assert manifest == {"files": {name: sha256_hex(body) for name, body in FILES.items()}}


@given(
    st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: not path_problem(name)), st.binary())
)
def test_any_harmless_name_and_content_survive(files: dict[str, bytes]) -> None:
    files.pop(MANIFEST, None)
    assert unpack(pack(files)) == files


BOMB = b"\0" * 30_000_000
LINK = zipfile.ZipInfo("link")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16
FIFO = zipfile.ZipInfo("pipe")
FIFO.external_attr = (stat.S_IFIFO | 0o600) << 16


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda z: z.writestr("a", BOMB), "archive.ratio"),
        (lambda z: [z.writestr(str(n), b"") for n in range(2001)], "archive.files"),
        (lambda z: z.writestr("../a", b"x"), "archive.name"),
        (lambda z: z.writestr("a/../../b", b"x"), "archive.name"),
        (lambda z: z.writestr("/etc/passwd", b"x"), "archive.name"),
        (lambda z: z.writestr("C:/a", b"x"), "archive.name"),
        (lambda z: z.writestr("a\\b", b"x"), "archive.name"),
        (lambda z: z.writestr("a//b", b"x"), "archive.name"),
        (lambda z: z.writestr("a\u202efdp.xml", b"x"), "archive.name"),
        (lambda z: z.writestr("x" * 300, b"x"), "archive.name"),
        (lambda z: z.writestr(LINK, b"/etc/passwd"), "archive.type"),
        (lambda z: z.writestr(FIFO, b""), "archive.type"),
        (lambda z: z.writestr("folder/", b""), "archive.type"),
        (lambda z: z.writestr("a", b"x"), "archive.manifest"),
        (lambda z: z.writestr("a", b"x" * 100, zipfile.ZIP_LZMA), "archive.malformed"),
        (lambda z: z.writestr("a", b"x" * 100, zipfile.ZIP_BZIP2), "archive.malformed"),
    ],
)
def test_an_attack_is_refused_by_its_name(build: Callable[[zipfile.ZipFile], object], code: str) -> None:
    content = hostile(build)
    tracemalloc.start()
    started = time.perf_counter()
    assert refusal(content) == code
    assert time.perf_counter() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused() -> None:
    assert refusal(hostile(lambda z: [z.writestr("a", b"1"), z.writestr("a", b"2")])) == "archive.duplicate"


def many_entries(count: int) -> bytes:
    """Only the directory of an archive, which is all that a reader would list."""
    entry = (
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, 0, 0)
    return entry * count + end


def test_sixty_thousand_entries_are_not_even_listed() -> None:
    content = many_entries(60_000)
    started = time.perf_counter()
    assert refusal(content) == "archive.files"
    assert time.perf_counter() - started < 0.1


def patched(content: bytes, offset_in_entry: int, value: bytes) -> bytes:
    """The archive with some bytes of its last directory entry replaced."""
    start = content.rindex(b"PK\x01\x02") + offset_in_entry
    return content[:start] + value + content[start + len(value) :]


def test_a_lie_about_the_size_does_not_inflate_more() -> None:
    content = hostile(lambda z: z.writestr("a", BOMB), manifest={"a": sha256_hex(BOMB)})
    tracemalloc.start()
    assert refusal(patched(content, 24, (10).to_bytes(4, "little"))) == "archive.malformed"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_an_encrypted_entry_and_a_hidden_nul_are_refused() -> None:
    content = hostile(lambda z: z.writestr("a.xml_b", b"x"))
    assert refusal(patched(content, 8, b"\x01\x00")) == "archive.encrypted"
    assert refusal(content.replace(b"a.xml_b", b"a.xml\0b")) == "archive.name"


def test_total_and_ratio_are_capped() -> None:
    content = pack({"a": bytes(range(256)) * 40_000})
    assert refusal(content, max_total=1_000_000) == "archive.size"
    assert refusal(content, max_ratio=10) == "archive.ratio"
    assert len(unpack(content, max_ratio=1000)["a"]) == 10_240_000


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"%PDF-1.7", b"PK\x05\x06" + b"\0" * 18, pack(FILES)[:-30], pack(FILES)[40:]]
)
def test_what_is_no_whole_archive_is_refused(content: bytes) -> None:
    assert refusal(content) in {"archive.malformed", "archive.manifest"}


def test_one_changed_byte_anywhere_never_changes_a_file_unseen() -> None:
    content = pack(FILES)
    for position in range(0, len(content), 7):
        damaged = content[:position] + bytes([content[position] ^ 0x21]) + content[position + 1 :]
        try:
            found = unpack(damaged)
        except QuarantineError:
            continue
        assert found == FILES


@pytest.mark.parametrize(
    "manifest",
    [{"a": "0" * 64}, {"a": sha256_hex(b"x"), "b": sha256_hex(b"")}, {"b": sha256_hex(b"x")}],
)
def test_the_manifest_must_say_exactly_what_is_there(manifest: dict[str, str]) -> None:
    assert refusal(hostile(lambda z: z.writestr("a", b"x"), manifest=manifest)) == "archive.manifest"


@pytest.mark.parametrize("name", ["../a", "/a", "a\nb", "", "x" * 256, "a\u202eb"])
def test_a_name_that_would_be_refused_is_not_packed(name: str) -> None:
    with pytest.raises(PermanentError):
        pack({name: b""})


@pytest.mark.parametrize(
    "name", ["status 07:30.xml", "\u4e2d\u6587.xml", ".hidden", "a..b", "-rf", "\u05e9\u05dc\u05d5\u05dd.xml"]
)
def test_an_unusual_name_is_not_an_unsafe_one(name: str) -> None:
    assert name_problem(name) == ""
