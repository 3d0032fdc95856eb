"""What a person sets for one partner's SFTP account."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic.config import JsonDict


def _fingerprint(text: str) -> str:
    if not text.startswith("SHA256:"):
        raise ValueError("write a host key's fingerprint as ssh-keygen -l shows it: SHA256:...")
    return text.rstrip("=")


def _folder(text: str) -> str:
    if ".." in text.split("/"):
        raise ValueError("a folder has no .. in it")
    return text.strip("/") if text != "/" else ""


_PEM: JsonDict = {"contentMediaType": "application/x-pem-file"}  # a text of many lines, for whoever asks for it


class SftpBatchSettings(BaseModel):
    """Settings of one connection to a partner's SFTP account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="The partner's SFTP server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    username: str = Field(min_length=1, description="The hub's account there.")
    private_key: SecretStr = Field(
        min_length=1, description="Private key of that account (PEM or OpenSSH).", json_schema_extra=_PEM
    )
    host_key_fingerprints: tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = Field(
        min_length=1, description="Host keys that the partner confirmed (SHA256:...); no other server is spoken to."
    )
    partner_certificate: str = Field(
        min_length=1, json_schema_extra=_PEM,
        description="The partner's certificate (PEM): files to it are encrypted for it, its files are signed with it.",
    )
    own_certificate: str = Field(
        min_length=1, description="The hub's certificate for this partner (PEM).", json_schema_extra=_PEM
    )
    own_key: SecretStr = Field(
        min_length=1, description="Private key of that certificate (PEM).", json_schema_extra=_PEM
    )
    folder: Annotated[str, AfterValidator(_folder)] = Field(
        default="", description="Folder that holds in, out and receipt; empty for the account's first folder."
    )
    promises_not_to_touch_tmp: bool = Field(
        default=True,
        description="The partner has promised that nothing on its side touches names that begin with a dot. "
        "Then a temporary name that is gone after a crash proves that the file was delivered; "
        "without the promise a person decides.",
    )
    batch_limit: int = Field(default=500, ge=1, le=2000, description="Most messages in one file.")
