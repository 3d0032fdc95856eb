"""What a person sets for a connection to Exact Online."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _https_url(url: str) -> str:
    """A plain https address without a trailing slash; http is admitted for a sandbox on this machine only."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("write an address such as https://start.exactonline.be")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("the address must begin with https://")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


HttpsUrl = Annotated[str, AfterValidator(_https_url)]


class ExactSettings(BaseModel):
    """A connection belongs to one country host, one app registration and the divisions named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: HttpsUrl = Field(
        "https://start.exactonline.be",
        description="Country host of the administration, such as .be, .nl or .de.",
        examples=[f"https://start.exactonline.{country}" for country in ("be", "nl", "de", "fr", "es", "co.uk", "com")],
    )
    auth_url: HttpsUrl | None = Field(
        None, description="Consent page; derived from the host when left empty."
    )
    token_url: HttpsUrl | None = Field(
        None, description="Token endpoint; derived from the host when left empty."
    )
    client_id: str = Field(min_length=1, description="Client id of the app registration in the App Centre.")
    client_secret: SecretStr = Field(description="Client secret of the app registration.")
    redirect_uri: HttpsUrl = Field(description="Redirect address of the app registration, letter for letter.")
    divisions: tuple[int, ...] = Field(
        (), description="Division numbers whose open items are pulled; chosen after consent, from what the user may see."
    )
    reserve_calls: int = Field(
        200, ge=0, description="Calls of the daily budget that bulk pulls leave for people and write-back."
    )
    compare_daily: bool = Field(
        True, description="Read the list of open items once a day as a control; one call per 60 open items."
    )
    amount_sign: Literal[1, -1] = Field(
        1, description="-1 when this administration serves customer invoices as negative payment terms."
    )
    person_classifications: tuple[str, ...] = Field(
        (), description="Values of Classification1 (guids) that mark consumers."
    )
    public_classifications: tuple[str, ...] = Field(
        (), description="Values of Classification1 (guids) that mark public bodies."
    )
    read_notes: bool = Field(
        True, description="Read the notes of the last year on customers that enter a case; one call per 20 customers."
    )
    write_note: bool = Field(
        True, description="Write a note on the account when something happens in a case."
    )
    write_task: bool = Field(False, description="Open a task when a case was refused, returned or closed.")
    write_block: bool = Field(
        False, description="Block the account while its case is placed; this also stops order entry in Exact."
    )
    write_reference: bool = Field(
        False, description="Write the case number into the empty payment reference of receivables whose case is placed."
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Webhook secret of the app, not the client secret."
    )

    def consent_page(self) -> str:
        """Where a person gives consent."""
        return self.auth_url or f"{self.base_url}/api/oauth2/auth"

    def token_endpoint(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return self.token_url or f"{self.base_url}/api/oauth2/token"
