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

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _encrypted_or_local(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        raise ValueError("give the whole address without user name and fragment, such as https://erp.example/hooks")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("use https: the messages tell about debts")
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
    events: tuple[str, ...] = Field(
        default=IMPORTANT_EVENTS, description="Kinds of case events that are told, such as payment_reported."
    )
