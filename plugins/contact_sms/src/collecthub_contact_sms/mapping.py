"""A message to a debtor as the OneAPI takes it, and the gateway's answers: pure."""

from __future__ import annotations

from typing import Any

import msgspec
import phonenumbers

from collecthub.sdk import CameBack, DebtorMessage, PermanentError

LONGEST = 459  # three parts of 153 characters: what gateways take without a word
DUPLICATE = "SVC0005"  # "Correlator %1 specified in message part %2 is a duplicate"


def number_of(phone: str, country: str) -> str:
    """A phone number as the interface wants it. Raises `PermanentError` for what is no number in that country.

    >>> number_of("0470 12 34 56", "BE"), number_of("+31 6 12345678", "BE")
    ('tel:+32470123456', 'tel:+31612345678')
    """
    try:
        found = phonenumbers.parse(phone, country or None)
    except phonenumbers.NumberParseException:
        found = None
    if found is None or not phonenumbers.is_valid_number(found):
        raise PermanentError(
            "the phone number of the debtor is not valid", cure="Correct it in the ERP, or use another channel."
        )
    return "tel:" + phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def request_body(message: DebtorMessage, sender: str) -> bytes:
    """The request. Raises `PermanentError` for a text that is too long, or a number that is none."""
    if len(message.text) > LONGEST:
        raise PermanentError(
            f"the text message has {len(message.text)} characters", cure=f"Shorten its template to {LONGEST}."
        )
    return msgspec.json.encode(
        {
            "outboundSMSMessageRequest": {
                "address": [number_of(message.phone, message.address.country)],
                "senderAddress": f"tel:{sender}",
                "outboundSMSTextMessage": {"message": message.text},
                "clientCorrelator": message.contact_id,
            }
        }
    )


def refusal_of(said: Any) -> tuple[str, str]:
    """The code and the words of a `requestError`; empty where there is none.

    >>> refusal_of({"requestError": {"serviceException": {"messageId": "SVC0004", "text": "No %1", "variables": ["x"]}}})
    ('SVC0004', 'No x')
    """
    error = said.get("requestError", {}) if isinstance(said, dict) else {}
    found: Any = next(iter(error.values()), {}) if isinstance(error, dict) else {}
    if not isinstance(found, dict):
        return "", ""
    text = str(found.get("text", ""))
    for place, value in enumerate(found.get("variables") or (), start=1):
        text = text.replace(f"%{place}", str(value))
    return str(found.get("messageId", "")), text[:200]


def place_of(said: Any) -> str:
    """Where the gateway keeps the request; empty where it does not say."""
    found = said.get("outboundSMSMessageRequest") if isinstance(said, dict) else None
    return str(found.get("resourceURL", ""))[:400] if isinstance(found, dict) else ""


def answers_of(said: Any) -> list[Any]:
    """The messages of an `inboundSMSMessageList`, those without an id left out: they could not be taken."""
    found = said.get("inboundSMSMessageList") if isinstance(said, dict) else None
    messages = found.get("inboundSMSMessage") if isinstance(found, dict) else None
    return [one for one in messages if message_id_of(one)] if isinstance(messages, list) else []


def message_id_of(message: Any) -> str:
    """The gateway's id of an answer; empty where it names none."""
    return str(message.get("messageId") or "")[:140] if isinstance(message, dict) else ""


def came_back(content: bytes) -> CameBack | None:
    """An answer: who said what.

    >>> came_back(b'{"senderAddress": "tel:+32470123456", "message": "STOP"}')
    CameBack(contact_id='', kind='reply', reason='', text='STOP', sender='+32470123456')
    """
    try:
        said = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
    sender, text = (said.get(name) for name in ("senderAddress", "message")) if isinstance(said, dict) else (None, None)
    if not isinstance(sender, str) or not isinstance(text, str):
        return None
    clean = "".join(char for char in text if char.isprintable() or char == "\n")
    return CameBack(contact_id="", kind="reply", text=clean.strip()[:4000], sender=sender.removeprefix("tel:"))
