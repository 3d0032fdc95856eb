"""The connection check of one partner's SFTP account, step by step, each with its cure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

from collecthub.sdk import CheckStep, CollecthubError, ConfigurationError, ConnectorContext
from collecthub.wire.crypto import Certificate, load_certificate, load_identity
from collecthub.wire.openpgp import (
    openpgp_certificate,
    openpgp_decrypt,
    openpgp_encrypt,
    openpgp_ends_at,
    openpgp_fingerprint,
)
from collecthub.wire.sftp import seen_fingerprint
from collecthub_sftp_batch.client import PartnerFolders
from collecthub_sftp_batch.keys import KeyRing
from collecthub_sftp_batch.mapping import Sealing
from collecthub_sftp_batch.settings import CASE_FILE, SealedSettings, SftpBatchSettings

_WARN_DAYS = 30


def check_connection(
    ctx: ConnectorContext, settings: SftpBatchSettings, folders: PartnerFolders, sealing: Sealing
) -> Sequence[CheckStep]:
    """Format and keys first, then as far as the server lets us: after a failed step at the server nothing follows."""
    steps = [*check_keys(ctx, settings, sealing)]
    at_server: tuple[tuple[str, Callable[[], str]], ...] = (
        ("host key", partial(_host_key, settings, allow_loopback=ctx.allow_loopback)),
        ("login", folders.log_in),
        ("folders", partial(_folders, folders)),
    )
    for name, act in at_server:
        steps.append(_step(name, act))
        if not steps[-1].is_ok:
            break
    return steps


def check_keys(ctx: ConnectorContext, settings: SealedSettings, sealing: Sealing) -> Sequence[CheckStep]:
    """What can be tried without anybody else: the format's particulars, and every key."""
    return (
        *_format(settings, sealing),
        _step("own certificate", partial(_own_certificate, settings, ctx.now())),
        _step("partner certificate", partial(_partner_certificate, settings, ctx.now())),
        *_coming(settings, ctx.now()),
        *_openpgp(settings, ctx.now()),
    )


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, is_ok=True, detail=act())
    except CollecthubError as error:
        return CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure)


def _format(settings: SealedSettings, sealing: Sealing) -> Sequence[CheckStep]:
    """A court's format must be installed and take its particulars; the case exchange needs nothing."""
    if settings.case_format == CASE_FILE:
        return ()
    return (_step("format", lambda: f"{sealing.court().format_id}, its particulars can be read"),)


def _openpgp(settings: SealedSettings, now: dt.datetime) -> Sequence[CheckStep]:
    if settings.encryption != "openpgp":
        return ()
    return (_step("OpenPGP", partial(_openpgp_round, settings, now)),)


def _openpgp_round(settings: SealedSettings, now: dt.datetime) -> str:
    """Encrypt for the partner and open with the own key what is encrypted for its certificate."""
    keys = KeyRing(settings)
    openpgp_encrypt(b"trial", keys.openpgp_recipients)
    own = keys.openpgp_keys[0]
    openpgp_decrypt(openpgp_encrypt(b"trial", [openpgp_certificate(own)]), own)
    ends_at = openpgp_ends_at(keys.openpgp_recipients[0])
    if ends_at is not None and ends_at < now:
        raise ConfigurationError(
            f"the partner's OpenPGP certificate ended on {ends_at:%Y-%m-%d}", cure="Ask the partner for its new one."
        )
    fingerprint = openpgp_fingerprint(keys.openpgp_recipients[0])
    return f"{fingerprint}, " + (f"valid until {ends_at:%Y-%m-%d}" if ends_at else "without an end")


def _own_certificate(settings: SealedSettings, now: dt.datetime) -> str:
    identity = load_identity(settings.own_key.get_secret_value().encode(), settings.own_certificate.encode())
    return _validity(identity.certificate, now, cure="Generate a new identity and give its certificate to the partner.")


def _partner_certificate(settings: SealedSettings, now: dt.datetime) -> str:
    certificate = load_certificate(settings.partner_certificate.encode())
    return _validity(certificate, now, cure="Ask the partner for its new certificate.")


def _coming(settings: SealedSettings, now: dt.datetime) -> Sequence[CheckStep]:
    """The partner's coming certificate while it changes: it may not be valid yet, but must not have ended."""
    if not settings.next_partner_certificate:
        return ()
    ends_at = load_certificate(settings.next_partner_certificate.encode()).not_valid_after_utc
    detail = f"valid until {ends_at:%Y-%m-%d}; make it the partner certificate when the partner has changed over"
    return (CheckStep(name="coming partner certificate", is_ok=now <= ends_at, detail=detail),)


def _validity(certificate: Certificate, now: dt.datetime, *, cure: str) -> str:
    ends_at = certificate.not_valid_after_utc
    if not certificate.not_valid_before_utc <= now <= ends_at:
        raise ConfigurationError(
            f"the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to {ends_at:%Y-%m-%d}",
            cure=cure,
        )
    days = (ends_at - now).days
    return f"valid until {ends_at:%Y-%m-%d}" + (f", {days} days left: renew it now" if days < _WARN_DAYS else "")


def _host_key(settings: SftpBatchSettings, *, allow_loopback: bool) -> str:
    seen = seen_fingerprint(settings.host, settings.port, allow_loopback=allow_loopback)
    if seen not in settings.host_key_fingerprints:
        raise ConfigurationError(
            f"the server shows {seen}, which is not among the confirmed host keys",
            cure="Ask the partner over another channel whether this is its key; only then add it to the settings.",
        )
    return f"{seen} is confirmed"


def _folders(folders: PartnerFolders) -> str:
    missing = [name for name in folders.wanted if not folders.exists(name)]
    if missing:
        raise ConfigurationError(
            f"missing at the partner: {', '.join(missing)}",
            cure="Ask the partner to create them, or correct the folder in the settings.",
        )
    return ", ".join(folders.wanted)
