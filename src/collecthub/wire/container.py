"""Zip containers with a manifest of SHA-256 sums; what comes from outside is checked before anything is inflated."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

import msgspec

from collecthub.errors import PermanentError, QuarantineError
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.names import path_problem

MANIFEST = "META-INF/manifest.json"
_DATE = (1980, 1, 1, 0, 0, 0)
_NAME_BYTES_MAX = 255
_RATIO_FREE_BYTES = 1_000_000  # below this, a good compression is no attack
_END = struct.Struct("<4s4H2LH")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class _Manifest(msgspec.Struct):
    files: dict[str, str]


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files, in this order, after a manifest `{"files": {name: sha256}}`.

    No clock and no file system enter it: the same files give the same bytes. Raises `PermanentError` for a name
    that `unpack` would refuse.
    """
    for name in files:
        if problem := path_problem(name):
            raise PermanentError(f"A file cannot be packed: its name {problem}.", reference=repr(name[:80]))
    sums = {name: sha256_hex(content) for name, content in files.items()}
    manifest = msgspec.json.encode({"files": sums})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in {MANIFEST: manifest, **files}.items():
            archive.writestr(entry(name), content, compresslevel=6)
    return target.getvalue()


def entry(name: str) -> zipfile.ZipInfo:
    """A regular file of a container, at no moment and of nobody."""
    made = zipfile.ZipInfo(name, date_time=_DATE)
    made.compress_type = zipfile.ZIP_DEFLATED
    made.create_system = 3
    made.external_attr = (stat.S_IFREG | 0o600) << 16
    return made


def unpack(
    content: bytes, *, max_files: int = 2000, max_total: int = 200_000_000, max_ratio: int = 200
) -> dict[str, bytes]:
    """The files of a container, without its manifest, each proven by the manifest's sum.

    Raises `QuarantineError`: `archive.malformed`, `archive.files` (too many), `archive.size`, `archive.ratio`,
    `archive.name` (absolute, `..`, control characters), `archive.type` (link, folder), `archive.duplicate`,
    `archive.encrypted`, `archive.manifest` (missing, or it says something else).
    """
    return _proven(unpack_bare(content, max_files=max_files, max_total=max_total, max_ratio=max_ratio))


def unpack_bare(
    content: bytes, *, max_files: int = 2000, max_total: int = 200_000_000, max_ratio: int = 200
) -> dict[str, bytes]:
    """The files of a zip in their order, nothing proven. Raises what `unpack` does, but for the manifest."""
    _refuse_crowd(content, max_files)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _refuse_entries(entries, max_files)
            _refuse_bomb(entries, len(content), max_total, max_ratio)
            return {part.filename: _inflated(archive, part) for part in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, struct.error) as error:
        raise QuarantineError(f"The archive is damaged: {error}.", code="archive.malformed") from error


def _refuse_crowd(content: bytes, max_files: int) -> None:
    """Read the number of entries from the end record, before a million of them are turned into objects."""
    start = content.rfind(b"PK\x05\x06", max(len(content) - _END.size - 65_535, 0))
    if start < 0 or len(content) - start < _END.size:
        raise QuarantineError("This is not a zip archive, or its end is missing.", code="archive.malformed")
    _, _, _, _, count, folder_bytes, _, _ = _END.unpack_from(content, start)
    if count > max_files + 1 or folder_bytes > (max_files + 1) * (46 + 2 * _NAME_BYTES_MAX):
        raise QuarantineError(f"The archive has more than {max_files} files.", code="archive.files")


def _refuse_entries(entries: list[zipfile.ZipInfo], max_files: int) -> None:
    if len(entries) > max_files + 1:
        raise QuarantineError(f"The archive has more than {max_files} files.", code="archive.files")
    names = set()
    for entry in entries:
        for code, problem in _entry_problems(entry):
            raise QuarantineError(
                f"The archive's entry {entry.orig_filename[:80]!r} {problem}.",
                code=code,
                cure="Ask for a plain zip.",
            )
        if entry.filename in names:
            raise QuarantineError(f"The archive holds {entry.filename!r} twice.", code="archive.duplicate")
        names.add(entry.filename)


def _entry_problems(entry: zipfile.ZipInfo) -> Iterator[tuple[str, str]]:
    if entry.flag_bits & 0x2041:
        yield "archive.encrypted", "is encrypted"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.is_dir() or kind not in {0, stat.S_IFREG}:
        yield "archive.type", "is not a regular file"
    if problem := path_problem(entry.orig_filename):
        yield "archive.name", problem
    if entry.compress_type not in _METHODS:
        yield "archive.malformed", "uses an unusual compression"


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One entry. Reading with a length keeps `zipfile` from inflating beyond the size that the entry declares."""
    with archive.open(entry) as part:
        return part.read(entry.file_size + 1)


def _refuse_bomb(entries: list[zipfile.ZipInfo], packed: int, max_total: int, max_ratio: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > max_total:
        raise QuarantineError(f"The archive unpacks to more than {max_total} bytes.", code="archive.size")
    if total > max(packed * max_ratio, _RATIO_FREE_BYTES):
        raise QuarantineError(
            f"The archive unpacks to {total // packed} times its size.", code="archive.ratio"
        )


def _proven(found: dict[str, bytes]) -> dict[str, bytes]:
    try:
        manifest = msgspec.json.decode(found.pop(MANIFEST), type=_Manifest).files
    except (KeyError, msgspec.DecodeError) as error:
        raise QuarantineError(
            f"The archive's {MANIFEST} is missing or cannot be read.", code="archive.manifest"
        ) from error
    wrong = sorted(
        name
        for name in manifest.keys() | found.keys()
        if name not in found or manifest.get(name) != sha256_hex(found[name])
    )
    if wrong:
        raise QuarantineError(
            f"{len(wrong)} files of the archive are not as its manifest says, first {wrong[0]!r}.",
            code="archive.manifest", cure="Ask the sender to send the container again.",
        )  # fmt: skip
    return found
