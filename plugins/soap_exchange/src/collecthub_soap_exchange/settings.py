"""What a person sets for one office's exchange service."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.config import JsonDict

_PEM: JsonDict = {"contentMediaType": "application/x-pem-file"}  # a text of many lines, for whoever asks for it
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _encrypted_or_local(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        raise ValueError("give the whole address without user name, such as https://office.example/exchange/soap")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("use https: debtors' data travels on this connection")
    return url


class SoapExchangeSettings(BaseModel):
    """Settings of one connection to an office's SOAP service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wsdl: str = Field(
        default="", description="Path of a WSDL file with its schemas beside it; empty for the published contract."
    )
    endpoint: Annotated[str, AfterValidator(_encrypted_or_local)] = Field(
        description="Address of the service; the one in the WSDL is not used."
    )
    username: str = Field(min_length=1, description="The hub's user at the office.")
    password: SecretStr = Field(min_length=1, description="Password of that user.")
    import_map: Mapping[str, Path] = Field(
        default_factory=dict,
        description="Where the files lie that the WSDL imports: an address or relative path to a local file or folder.",
    )
    own_certificate: str = Field(
        default="", json_schema_extra=_PEM,
        description="The hub's certificate (PEM): with it calls are signed (WS-Security, SHA-256, timestamp).",
    )
    own_key: SecretStr | None = Field(
        default=None, description="Private key of that certificate (PEM).", json_schema_extra=_PEM
    )
    partner_certificates: tuple[str, ...] = Field(
        default=(),
        description="Certificates (PEM) of which one must sign every reply; two while the office changes its own.",
    )
    batch_limit: int = Field(default=1, ge=1, le=100, description="Most messages in one call.")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if bool(self.own_certificate) != bool(self.own_key):
            raise ValueError("the hub's certificate and its key go together")
        return self

    @property
    def signs(self) -> bool:
        """Whether calls or replies are signed."""
        return bool(self.own_certificate or self.partner_certificates)

    @property
    def wsdl_path(self) -> Path:
        """The WSDL to speak by; the published contract comes with the hub."""
        bundled = files("collecthub.formats").joinpath("schemas", "case-exchange-1.0.wsdl")
        return Path(self.wsdl or str(bundled))
