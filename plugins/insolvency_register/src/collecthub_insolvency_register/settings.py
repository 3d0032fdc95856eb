"""What a person sets for a register."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class InsolvencyRegisterSettings(BaseModel):
    """Settings of a register, or of a provider that passes its publications on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(description="Address of the feed up to the part before /publications.")
    token: SecretStr = Field(description="Bearer token of the subscription.")
    page_size: int = Field(default=200, ge=1, le=500, description="How many publications one answer may carry.")
