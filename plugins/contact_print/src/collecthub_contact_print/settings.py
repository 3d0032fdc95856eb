"""What a person sets for a folder of letters."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ContactPrintSettings(BaseModel):
    """Settings of the folder that a printer or mail house empties."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(
        description="Folder on this machine; it is synchronised by the mail house's own tool, or printed from."
    )

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        if not folder.is_absolute():
            raise ValueError("give the whole path, such as /srv/letters")
        return folder
