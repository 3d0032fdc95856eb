"""What a person sets for one partner agency."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def encrypted_or_local(url: str) -> str:
    """An address under which debtors' data may travel. Raises `ValueError` with words for a person."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("give scheme, host and path only, such as https://agency.example/hub")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("use https: debtors' data travels on this connection")
    return url.rstrip("/")


class PartnerNetworkSettings(BaseModel):
    """Settings of one connection to a partner agency's exchange service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(encrypted_or_local)] = Field(
        description="Address of the agency's exchange service, without /exchange/v1."
    )
    token: SecretStr = Field(min_length=1, description="Bearer token that the agency issued to this hub.")
    hook_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=2,
        description="Secrets of the agency's webhooks (whsec_...). Two while one replaces the other, the newer first.",
    )
    batch_limit: int = Field(default=20, ge=1, le=500, description="Most messages in one exchange.")
