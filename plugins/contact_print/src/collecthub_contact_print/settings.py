"""What a person sets for a folder of letters, or for a mail house behind SFTP."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.config import JsonDict

_PEM: JsonDict = {"contentMediaType": "application/x-pem-file"}  # a text of many lines, for whoever asks for it


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


class ContactMailHouseSettings(BaseModel):
    """Settings of a mail house that takes letters over SFTP and answers there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="The mail house's SFTP server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    username: str = Field(min_length=1, description="The hub's account there.")
    private_key: SecretStr | None = Field(
        default=None, description="Private key of that account (PEM or OpenSSH).", json_schema_extra=_PEM
    )
    password: SecretStr | None = Field(default=None, description="Password, where there is no key.")
    host_key_fingerprints: tuple[str, ...] = Field(
        min_length=1, description="Host keys that the mail house confirmed (SHA256:...); no other server is spoken to."
    )
    folder: str = Field(default="", description="Folder of the account that holds letters, batches and answers.")

    @field_validator("host_key_fingerprints")
    @classmethod
    def _shown(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if not all(one.startswith("SHA256:") for one in given):
            raise ValueError("write a host key's fingerprint as ssh-keygen -l shows it: SHA256:...")
        return tuple(one.rstrip("=") for one in given)

    @field_validator("folder")
    @classmethod
    def _below(cls, folder: str) -> str:
        if ".." in folder.split("/"):
            raise ValueError("a folder has no .. in it")
        return folder.strip("/")

    @model_validator(mode="after")
    def _a_way_in(self) -> ContactMailHouseSettings:
        if not (self.private_key or self.password):
            raise ValueError("give a private key or a password")
        return self
