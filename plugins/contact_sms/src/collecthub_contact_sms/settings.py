"""What a person sets for a gateway of text messages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _plain(text: str) -> str:
    if not text.isascii() or not text.isalnum():
        raise ValueError("use letters and digits only, as the gateway knows the sender")
    return text


class ContactSmsSettings(BaseModel):
    """Settings of a gateway that speaks the GSMA OneAPI (OMA RESTful Network API for Messaging)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(description="Address of the gateway up to the part before /outbound.")
    token: SecretStr = Field(description="Bearer token of the account.")
    sender: Annotated[str, AfterValidator(_plain)] = Field(
        max_length=15, description="Number or name that the messages come from, as agreed with the gateway."
    )
    registration: str = Field(
        default="", pattern="^[A-Za-z0-9_-]{0,64}$",
        description="Registration under which the gateway keeps answers. Empty: nobody reads them here.",
    )
    honours_correlator: bool = Field(
        default=True,
        description="Whether the gateway sends a repeated clientCorrelator once, as the interface promises. If not, a "
        "message in doubt waits for a person.",
    )
