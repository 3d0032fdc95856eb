"""What a person sets for a connection to the Debitura network."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from collecthub_partner_network.settings import encrypted_or_local


class DebituraSettings(BaseModel):
    """Settings of one connection to a network that behaves as Debitura publishes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(encrypted_or_local)] = Field(description="Address of the network's service.")
    token: SecretStr = Field(min_length=1, description="Bearer token that the network issued.")
    hook_secret: SecretStr | None = Field(default=None, description="Secret that signs the network's webhooks.")
    signature_header: str = Field(
        default="X-Debitura-Signature", min_length=1, description="Header with the time and the signature of a webhook."
    )
