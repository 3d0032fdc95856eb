"""ASiC-E containers with XAdES (ETSI EN 319 162-1): a zip in which a signature refers to every file.

The first entry is `mimetype`, stored and without extra field, so that a tool knows the container by its first bytes;
the signature lies in `META-INF/signatures001.xml`, and `META-INF/manifest.xml` lists the files with their media types
(OpenDocument, as annex A of the standard asks for). The SHA-256 sums are those of the signature.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lxml import etree

from collecthub.errors import PermanentError, QuarantineError
from collecthub.wire.container import entry, unpack_bare
from collecthub.wire.crypto import Certificate
from collecthub.wire.names import path_problem
from collecthub.wire.sign import SigningKey
from collecthub.wire.xades import media_type, sign_files, verify_files
from collecthub.wire.xml import serialise

MIMETYPE: Final = b"application/vnd.etsi.asic-e+zip"
SIGNATURES: Final = "META-INF/signatures001.xml"
MANIFEST: Final = "META-INF/manifest.xml"
_META: Final = "META-INF/"
_ASIC: Final = "{http://uri.etsi.org/02918/v1.2.1#}"
_ODF: Final = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"


def pack_signed(files: Mapping[str, bytes], key: SigningKey, at: dt.datetime) -> bytes:
    """The container of these files, signed. Raises `PermanentError` for a name that the reader would refuse."""
    for name in files:
        if problem := path_problem(name):
            raise PermanentError(f"A file cannot be packed: its name {problem}.", reference=repr(name[:80]))
    named: dict[Any, str] = {"asic": _ASIC.strip("{}")}
    root = etree.Element(f"{_ASIC}XAdESSignatures", nsmap=named)
    root.append(sign_files(files, key, at))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        first = entry("mimetype")
        first.compress_type = zipfile.ZIP_STORED
        archive.writestr(first, MIMETYPE)
        for name, content in {**files, MANIFEST: _manifest(files), SIGNATURES: serialise(root)}.items():
            archive.writestr(entry(name), content, compresslevel=6)
    return target.getvalue()


def unpack_signed(
    content: bytes, trusted: Sequence[Certificate], *, at: dt.datetime | None = None
) -> dict[str, bytes]:
    """The files that the signature covers, and nothing else.

    Raises `QuarantineError`: what `container.unpack` refuses, `archive.type` when it is not ASiC-E, `sig.missing`,
    `sig.ambiguous` (several signatures), `sig.coverage`, and what `xades.verify_files` refuses.
    """
    found = unpack_bare(content)
    if next(iter(found), "") != "mimetype" or found.pop("mimetype") != MIMETYPE:
        raise QuarantineError(
            "The container is not ASiC-E: its first entry is not the mimetype of one.", code="archive.type",
            cure="Ask the sender for an ASiC-E container, or set another container in the profile.",
        )
    aside = {name: found.pop(name) for name in [*found] if name.startswith(_META)}
    signatures = [name for name in aside if "signature" in name.lower()]
    if not signatures:
        raise QuarantineError("The container is not signed.", code="sig.missing", cure="Ask the sender to sign it.")
    if len(signatures) > 1:
        raise QuarantineError(f"The container carries {len(signatures)} signature files.", code="sig.ambiguous")
    return verify_files(aside[signatures[0]], found, trusted, at=at)


def _manifest(files: Mapping[str, bytes]) -> bytes:
    named: dict[Any, str] = {"manifest": _ODF.strip("{}")}
    root = etree.Element(f"{_ODF}manifest", nsmap=named)
    root.set(f"{_ODF}version", "1.2")
    for path, kind in (("/", MIMETYPE.decode()), *((name, media_type(name)) for name in files)):
        listed = etree.SubElement(root, f"{_ODF}file-entry")
        listed.set(f"{_ODF}full-path", path)
        listed.set(f"{_ODF}media-type", kind)
    return serialise(root)
