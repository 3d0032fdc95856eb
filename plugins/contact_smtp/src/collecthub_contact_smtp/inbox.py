"""Mail that comes back: what lies in a Maildir, and what it says about a message of ours. Formats: RFC 3464, RFC 3834."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from collecthub.sdk import CameBack, ConfigurationError

LARGEST = 25_000_000
_LONGEST = 4000
_IDS = re.compile(r"<([^<>@\s]+)@([^<>@\s]+)>")


def read_inbox(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each new mail, oldest first. Raises `ConfigurationError` for a folder that is no Maildir."""
    if folder is None:
        return
    if not (folder / "new").is_dir():
        raise ConfigurationError(f"{folder.name} is no Maildir", cure="Name the folder that holds cur, new and tmp.")
    for file in sorted((folder / "new").iterdir(), key=lambda one: (one.stat().st_mtime_ns, one.name)):
        if file.is_file():
            with file.open("rb") as mail:
                yield file.name, mail.read(LARGEST)


def mark_seen(folder: Path | None, name: str) -> None:
    """Move a mail to where Maildir keeps what was seen."""
    if folder is not None and (folder / "new" / name).is_file():
        (folder / "cur").mkdir(exist_ok=True)
        (folder / "new" / name).rename(folder / "cur" / f"{name.partition(':')[0]}:2,S")


def came_back(content: bytes, domain: str) -> CameBack | None:
    """What a mail says about a message whose id ends in `domain`; None when it names none of ours."""
    mail = message_from_bytes(content, EmailMessage, policy=default)
    assert isinstance(mail, EmailMessage), "the policy makes such messages"
    if mail.get_content_type() == "multipart/report":
        return _report(mail, domain)
    said = " ".join(str(mail.get(name, "")) for name in ("In-Reply-To", "References"))
    contact_id = _ours(said, domain)
    if not contact_id:
        return None
    is_automatic = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower() != "no"
    return CameBack(contact_id=contact_id, kind="note" if is_automatic else "reply", text=_words(mail))


def _report(mail: EmailMessage, domain: str) -> CameBack | None:
    """A report on delivery: only what failed for good is a bounce; a delay goes on by itself."""
    returned = next((part for part in mail.walk() if part.get_content_type() in _ORIGINALS), None)
    contact_id = _ours(_original_id(returned), domain)
    if not contact_id:
        return None
    statuses = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    fields = [block for part in statuses for block in part.get_payload() if isinstance(block, EmailMessage)]
    actions = {str(block.get("Action", "")).strip().lower() for block in fields}
    reasons = (str(block.get("Diagnostic-Code") or block.get("Status") or "") for block in fields)
    reason = next(filter(None, reasons), "the mail server gave no reason")
    return CameBack(contact_id=contact_id, kind="bounce" if "failed" in actions else "note", reason=_flat(reason)[:300])


_ORIGINALS = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"})


def _original_id(part: object) -> str:
    if not isinstance(part, EmailMessage):
        return ""
    payload = part.get_payload()
    if isinstance(payload, list):
        return next((str(one.get("Message-ID", "")) for one in payload if isinstance(one, EmailMessage)), "")
    found = re.search(r"(?im)^message-id:\s*(<[^>]+>)", str(payload))
    return found[1] if found else ""


def _ours(text: str, domain: str) -> str:
    return next((local for local, host in reversed(_IDS.findall(text)) if host.lower() == domain.lower()), "")


def _words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    try:
        said = str(body.get_content()) if body is not None else ""
    except (LookupError, UnicodeError):  # a character set that nobody knows
        said = ""
    if body is not None and body.get_content_subtype() == "html":
        said = re.sub(r"<[^>]*>", " ", said)
    own = [line for line in said.splitlines() if not line.startswith(">")]
    return "".join(char for char in "\n".join(own) if char.isprintable() or char == "\n").strip()[:_LONGEST]


def _flat(text: str) -> str:
    return " ".join(text.split())
