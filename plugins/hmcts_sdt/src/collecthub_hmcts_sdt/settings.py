"""What a person sets for one customer number at SDT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _encrypted_or_local(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        raise ValueError("give the whole address without user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("use https: debtors' data travels on this connection")
    return url


class HmctsSdtSettings(BaseModel):
    """Settings of one connection to HMCTS Secure Data Transfer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Annotated[str, AfterValidator(_encrypted_or_local)] = Field(
        min_length=1, description="Address of the SDT service that HMCTS named."
    )
    sdt_customer_id: str = Field(pattern="^[1-9][0-9]{7}$", description="Customer number, eight digits.")
    target_application_id: str = Field(
        default="mcol", min_length=4, max_length=4, description="The court's system, four characters."
    )
    signatory: str = Field(
        min_length=1, max_length=30, description="The person who signs the statements of truth; never the hub itself."
    )
    document: Literal["claim", "warrant"] = Field(default="claim", description="What a handed-over case becomes.")
    particulars: Mapping[str, Any] = Field(
        default_factory=dict, description="What the cases need beyond that, as for `collecthub case export`: interest, "
        "solicitor's cost, correspondence, claim numbers for warrants.",
    )
    username: str = Field(default="", description="User name for the service, when HMCTS gave one.")
    password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    client_certificate_file: Path | None = Field(default=None, description="Certificate (PEM) for mutual TLS.")
    client_key_file: Path | None = Field(default=None, description="Private key (PEM) of that certificate.")
    update_username: str = Field(default="", description="User name with which updateItem calls come to the hub.")
    update_password: SecretStr = Field(
        default=SecretStr(""), description="Its password; without one the hub takes no updateItem calls."
    )
    batch_limit: int = Field(
        default=1, ge=1, le=2000,
        description="Most claims in one bulk request. With 1, a claim that does not fit holds up nobody else.",
    )
