"""A partner's reply by mail: the filled form attached, or its fields as lines in the text.

    case_id: 0192...
    answer: accept
    holder_ref: UY-7

Each `case_id` begins a new row. Quote marks before a line are ignored, so that a partner may write into what he quotes;
names of fields are those of the form in any of its languages, with hyphens or underscores, in any case.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import email.utils
import re
from collections.abc import Collection, Iterator, Mapping
from email.message import EmailMessage

import msgspec

from collecthub.errors import QuarantineError
from collecthub.formats.form_words import column_named
from collecthub.formats.partner_form import COLUMNS, read_form, said_in
from collecthub.formats.partner_parcel import brought
from collecthub.model.exchange import Decoded

MEDIA_TYPE = "message/rfc822"
_FIELD = re.compile(r"^[>\s]*([^\W\d_][\w\-'’ ]{1,40}?)\s*:\s*(.*?)\s*$")
_FORMS = (".csv", ".xlsx")
_PAPERS = (".pdf", ".png", ".jpg", ".jpeg")


def read_mail(
    content: bytes, name: str, partner_id: str, now: dt.datetime, *, senders: Collection[str] = ()
) -> Decoded:
    """What a reply says. Raises `QuarantineError`: `mail.sender` for somebody else's, `mail.empty` for one without a form.

    `senders` are the partner's own addresses; without any every reply is refused, since a sender is easily forged and the
    address is the least that must fit.
    """
    mail = email.message_from_bytes(content, policy=email.policy.default)
    if not isinstance(mail, EmailMessage):
        raise QuarantineError(f"{name} is no mail", code="mail.malformed", cure="Ask the partner to send it again.")
    sender = email.utils.parseaddr(str(mail.get("From", "")))[1].lower()
    if sender not in {one.lower() for one in senders}:
        raise QuarantineError(
            "the mail does not come from an address of this partner", code="mail.sender",
            cure="Add the address to the connection when the partner confirms it.",
        )
    found = [read_form(part, part_name, partner_id, now) for part_name, part in _attached(mail, _FORMS)]
    text = mail.get_body(preferencelist=("plain",))
    rows = list(_rows(str(text.get_content()) if text is not None else ""))
    if rows:
        found.append(said_in(rows, name, partner_id, now))
    cases = {row["case_id"] for _, row in rows} | {one.case_id for part in found for one in part.messages}
    about = cases.pop() if len(cases) == 1 else ""
    papers = tuple(brought(partner_id, part_name, part, about) for part_name, part in _attached(mail, _PAPERS))
    if not found and any(one.about for one in papers):
        found.append(said_in((), name, partner_id, now))
    if not found:
        raise QuarantineError(
            "the mail holds no form, attached or in its text", code="mail.empty", cure="A person reads it and answers."
        )
    return msgspec.structs.replace(
        found[0], messages=tuple(one for part in found for one in part.messages),
        faults=tuple(one for part in found for one in part.faults), papers=papers,
    )


def _attached(mail: EmailMessage, endings: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for part in mail.iter_attachments():
        name = part.get_filename() or ""
        content = part.get_payload(decode=True)
        is_letterhead = part.get("Content-ID") and part.get_content_disposition() == "inline"
        if name.lower().endswith(endings) and isinstance(content, bytes) and not is_letterhead:
            yield name[:140], content


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    row: dict[str, str] = {}
    begun = 0
    for number, line in enumerate(text.splitlines(), 1):
        match = _FIELD.match(line)
        field = column_named(match.group(1)) if match else ""
        if match is None or field not in COLUMNS or (not row and field != "case_id"):
            continue
        if field == "case_id" and row.get("case_id"):
            yield begun, row
            row = {}
        if not row:
            begun = number
        row[field] = match.group(2)
    if row.get("case_id"):
        yield begun, row
