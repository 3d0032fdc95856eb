"""A partner's profile in plain words, and what its conformance level leaves to a person; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from collecthub.sdk import CaseAmendment, CaseInstruction, Exchange, PermanentError, ProfileLine
from collecthub_sftp_batch.hours import next_opening
from collecthub_sftp_batch.settings import CASE_FILE, SealedSettings, SftpBatchSettings, SftpMailboxSettings

_CONTAINERS = {
    "zip": "a zip with META-INF/manifest.json, which holds the SHA-256 sum of every file",
    "asic_e": "ASiC-E (ETSI EN 319 162-1), whose signature holds the SHA-256 sum of every file",
}
_SIGNATURES = {
    "xmldsig": "one XML signature over the whole exchange (RSA or ECDSA with SHA-256)",
    "xades": "XAdES baseline B: also who signed and when is signed",
    "cms": "CMS signed-data around the whole zip",
}
_ENCRYPTIONS = {"cms": "CMS for the partner's certificate (AES-256)", "openpgp": "OpenPGP for the partner's certificate"}
_ARRIVALS = {
    "rename": "a file of the partner is read when it has a name without a leading dot",
    "done_file": "a file of the partner is read when NAME.done lies beside it",
    "stable": "a file of the partner is read when it did not change for {seconds} seconds",
}
_LEVELS = {
    1: "level 1: case files go out, acknowledgements come in; statuses, instructions and recalls are left to people",
    2: "level 2: also statuses, instructions and costs; payments, amendments and recalls are left to people",
    3: "level 3: everything, payments and recalls included",
}
_LEVEL_OF = {CaseInstruction: 2, CaseAmendment: 3}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def refuse_above(level: int, exchange: Exchange) -> None:
    """Raise `PermanentError` for a message that software of this conformance level does not read."""
    for message in exchange.messages:
        needed = _LEVEL_OF.get(type(message), 1)
        if needed > level:
            raise PermanentError(
                f"the partner works at conformance level {level}; a {type(message).__name__} needs level {needed}",
                cure="Tell the partner yourself, by telephone or letter, and note it in the case.",
                reference=message.message_id,
            )


def sealed_lines(settings: SealedSettings) -> tuple[ProfileLine, ...]:
    """What a file for this partner holds, and what the partner's software is known to read."""
    said = {
        "format": _format(settings),
        "container": _CONTAINERS[settings.container],
        "signature": _SIGNATURES[settings.signature],
        "encryption": _ENCRYPTIONS[settings.encryption] + (
            ", and for the coming one as well" if _has_coming(settings) else ""
        ),
        "limits": _limits(settings),
        "conformance": _LEVELS[settings.conformance_level],
        "test": _test(settings),
    }
    return _lines(said)


def profile_lines(settings: SftpBatchSettings, now: dt.datetime) -> tuple[ProfileLine, ...]:
    """What happens with a file for this partner, from the words of a case to the opening hours."""
    name = settings.file_name + settings.suffix
    said = {
        "file names": f"{settings.final_path.format(name=name)}, until it is whole {settings.temporary_path.format(name=name)}",
        "done-file": settings.done_file.format(name=name) if settings.done_file else "none",
        "after a crash": _doubt(settings),
        "opening hours": _hours(settings, now),
        "answers": _ARRIVALS[settings.arrival].format(seconds=settings.stable_seconds)
        + f", in {settings.inbox_folder}/; an unfinished one is reported after {settings.stalled_minutes} minutes",
        "host key": f"pinned: {', '.join(settings.host_key_fingerprints)}; another one stops the connection until a person confirms it",
    }
    return (*sealed_lines(settings), *_lines(said))


def mailbox_lines(settings: SftpMailboxSettings) -> tuple[ProfileLine, ...]:
    """The same for a partner who fetches from the hub."""
    name = settings.file_name + settings.suffix
    said = {
        "file names": f"in/{name}; the partner moves it to in/done or removes it when he has it",
        "answers": "the partner writes out/.NAME.part and renames it to out/NAME; what became of it stands in receipt/",
        "login": f"user name: his partner id; {len(settings.login_keys)} keys are let in, no password",
    }
    return (*sealed_lines(settings), *_lines(said))


def _lines(said: Mapping[str, str]) -> tuple[ProfileLine, ...]:
    return tuple(ProfileLine(topic=topic, says=says) for topic, says in said.items())


def _format(settings: SealedSettings) -> str:
    if settings.case_format == CASE_FILE:
        return "case exchange 1.0 (case-file), the default"
    agreed = ", ".join(settings.may_leave_out) or "nothing"
    return (
        f"{settings.case_format}: a case that it cannot carry is not sent, and the objections stand in the case; "
        f"agreed to leave out: {agreed}; answers come as case exchange"
    )


def _has_coming(settings: SealedSettings) -> bool:
    coming = {"cms": settings.next_partner_certificate, "openpgp": settings.next_partner_openpgp_certificate}
    return bool(coming[settings.encryption])


def _doubt(settings: SftpBatchSettings) -> str:
    if settings.promises_not_to_touch_tmp:
        return "a temporary name that is gone proves the delivery, as the partner promised"
    return "a temporary name that is gone proves nothing: a person decides"


def _hours(settings: SftpBatchSettings, now: dt.datetime) -> str:
    zone = ZoneInfo(settings.zone)
    days = ", ".join(_DAYS[day] for day in sorted(settings.work_days)) or "every day"
    opens = f"{settings.opens_at:%H:%M}" if settings.opens_at else "00:00"
    closes = f"{settings.cut_off_at:%H:%M}" if settings.cut_off_at else "24:00"
    opening = next_opening(settings, now)
    here = f"now {now.astimezone(zone):%A %Y-%m-%d %H:%M} there"
    state = "open" if opening is None else f"closed until {opening:%A %Y-%m-%d %H:%M}"
    return f"new cases on {days} from {opens} to {closes} ({settings.zone}); {here}: {state}; recalls never wait"


def _limits(settings: SealedSettings) -> str:
    count = "one message a file" if settings.messages_most == 1 else f"at most {settings.messages_most} messages a file"
    return f"{count}, at most {settings.file_bytes_max} bytes; what is larger is refused before it is sent"


def _test(settings: SealedSettings) -> str:
    if settings.is_test:
        return "on trial: every exchange is marked as a test, and an answer that is not marked is refused"
    return "no: what is sent is meant; an answer marked as a test is read and changes nothing"
