"""The layers of a partner's file: signature, container, encryption; each profile has one way, and only that is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from collecthub.sdk import QuarantineError
from collecthub.wire.asic import pack_signed, unpack_signed
from collecthub.wire.cms import cms_sign, cms_verify
from collecthub.wire.container import pack, unpack
from collecthub.wire.crypto import Certificate, envelope_decrypt, envelope_encrypt
from collecthub.wire.openpgp import openpgp_decrypt, openpgp_encrypt, openpgp_ends_at
from collecthub.wire.sign import sign_xml, verify_xml
from collecthub.wire.xades import sign_xades, verify_xades
from collecthub.wire.xml import parse, serialise
from collecthub_sftp_batch.keys import KeyRing
from collecthub_sftp_batch.settings import SealedSettings

Files = Mapping[str, bytes]


def packed(settings: SealedSettings, keys: KeyRing, name: str, content: bytes, beside: Files, at: dt.datetime) -> bytes:
    """The signed container around a document `name` and the files beside it."""
    if settings.container == "asic_e":
        return pack_signed({name: content, **beside}, keys.signing_key, at)
    if settings.signature == "cms":
        return cms_sign(pack({name: content, **beside}), keys.signing_key)
    root = parse(content)
    signed = sign_xades(root, keys.signing_key, at) if settings.signature == "xades" else sign_xml(root, keys.signing_key)
    return pack({name: serialise(signed), **beside})


def unpacked(
    settings: SealedSettings, trusted: Sequence[Certificate], name: str, content: bytes, at: dt.datetime
) -> tuple[bytes, dict[str, bytes]]:
    """What the partner's signature covers of the document `name`, and the files beside it.

    In a zip with a signature inside the document, the files beside it are bound by their sums in the document.
    """
    if settings.container == "asic_e":
        return _taken(name, unpack_signed(content, trusted, at=at))
    if settings.signature == "cms":
        return _taken(name, unpack(cms_verify(content, trusted, at=at)))
    document, files = _taken(name, unpack(content))
    verify = verify_xades if settings.signature == "xades" else verify_xml
    return serialise(verify(document, trusted, at=at)), files


def _taken(name: str, files: dict[str, bytes]) -> tuple[bytes, dict[str, bytes]]:
    if name not in files:
        raise QuarantineError(
            f"the container has no {name}", code="archive.content", cure="Ask the partner to send it again, whole."
        )
    return files.pop(name), files


def encrypted(settings: SealedSettings, keys: KeyRing, content: bytes, at: dt.datetime) -> bytes:
    """For every key of the partner that is live; one that has ended is left out while another one lives."""
    if settings.encryption == "cms":
        live = [pem for pem, found in zip(keys.recipients, keys.partner, strict=True) if found.not_valid_after_utc >= at]
        return envelope_encrypt(content, live or keys.recipients)
    live = [one for one in keys.openpgp_recipients if (ends_at := openpgp_ends_at(one)) is None or ends_at >= at]
    return openpgp_encrypt(content, live or keys.openpgp_recipients)


def decrypted(settings: SealedSettings, keys: KeyRing, content: bytes) -> bytes:
    """Opened with the key in use, else with the former one."""
    openers: list[Callable[[bytes], bytes]]
    if settings.encryption == "cms":
        openers = [lambda given, one=one: envelope_decrypt(given, one) for one in keys.identities]  # type: ignore[misc]  # bound now, not later
    else:
        openers = [lambda given, one=one: openpgp_decrypt(given, one) for one in keys.openpgp_keys]  # type: ignore[misc]  # the same
    for opener in openers[:-1]:
        try:
            return opener(content)
        except QuarantineError:
            continue
    return openers[-1](content)
