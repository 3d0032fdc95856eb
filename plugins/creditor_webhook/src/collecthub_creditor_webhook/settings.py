"""What a person sets for one webhook endpoint of a creditor."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

IMPORTANT_EVENTS = (
    "case_opened",
    "case_sent",
    "case_accepted",
    "case_refused",
    "dispatch_blocked",
    "route_missing",
    "amendment_acknowledged",
    "status_reported",
    "cost_reported",
    "payment_reported",
    "instruction_received",
    "hold_set",
    "hold_released",
    "case_returned",
    "case_closed",
    "case_reopened",
)

# What a partner may hear of: what passes between it and the hub in the cases it holds.
PARTNER_EVENTS = (
    "case_sent",
    "case_acknowledged",
    "case_accepted",
    "case_refused",
    "amendment_queued",
    "amendment_sent",
    "amendment_acknowledged",
    "instruction_queued",
    "instruction_received",
    "status_reported",
    "cost_reported",
    "payment_reported",
    "case_returned",
)
_IMPORTANT_TO_PARTNERS = ("case_sent", "amendment_sent", "instruction_queued")

_LOWEST_PORT, _WEB_PORTS = 1024, (80, 443)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _encrypted_or_local(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        raise ValueError("give the whole address without user name and fragment, such as https://erp.example/hooks")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("use https: the messages tell about debts")
    if parts.port is not None and parts.port < _LOWEST_PORT and parts.port not in _WEB_PORTS:
        raise ValueError("use a web port: 443, 80, or one from 1024 on")
    return url


class CreditorWebhookSettings(BaseModel):
    """Settings of one endpoint that is told about a creditor's cases."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_encrypted_or_local)] = Field(
        description="Address that takes the webhooks, by POST."
    )
    secret: SecretStr = Field(
        min_length=1, description="Secret that signs the webhooks (whsec_ and 24 to 64 bytes in base64)."
    )
    previous_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="The secret before this one, while both are good: each call then carries both signatures.",
    )
    events: tuple[str, ...] = Field(
        default=IMPORTANT_EVENTS, description="Kinds of case events that are told, such as payment_reported."
    )


def _for_partners(events: tuple[str, ...]) -> tuple[str, ...]:
    strange = sorted(set(events) - set(PARTNER_EVENTS))
    if strange:
        raise ValueError(f"a partner is not told of {', '.join(strange)}; choose among {', '.join(PARTNER_EVENTS)}")
    return events


class PartnerWebhookSettings(CreditorWebhookSettings):
    """Settings of one endpoint of a partner, that is told about the cases the partner holds."""

    events: Annotated[tuple[str, ...], AfterValidator(_for_partners)] = Field(
        default=_IMPORTANT_TO_PARTNERS, description="Kinds of case events that are told, such as case_sent."
    )
