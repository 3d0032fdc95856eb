"""What a person sets for a mail server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _an_address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(char in text for char in " \t\r\n<>,;\""):
        raise ValueError("give one plain address, such as reminders@agency.example")
    return text


class ContactSmtpSettings(BaseModel):
    """Settings of a mail server by which debtors are written to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="Name of the mail server, as its certificate says it.")
    port: int = Field(default=587, ge=1, le=65535, description="Port: 587 with starttls, 465 with tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the line is encrypted; none only on this machine."
    )
    user: str = Field(default="", description="Login name; empty when the server asks for none.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the login.")
    sender: Annotated[str, AfterValidator(_an_address)] = Field(
        description="Address the messages come from. Its domain must allow this server to send (SPF, DKIM)."
    )
    authority: str = Field(default="", description="PEM of the authority to trust instead of the machine's own.")

    inbox: Path | None = Field(
        default=None,
        description="Maildir folder to which the mail server delivers what comes back to the sender's address: replies "
        "and undelivered messages. Empty: nobody reads them here.",
    )
    imap_host: str = Field(
        default="", description="Mail server with the mailbox of the sender's address, instead of a Maildir: read over IMAP."
    )
    imap_port: int = Field(default=993, ge=1, le=65535, description="Its port: 993 with tls, 143 with starttls.")
    imap_security: Literal["starttls", "tls", "none"] = Field(
        default="tls", description="How that line is encrypted; none only on this machine."
    )
    imap_user: str = Field(default="", description="Login of the mailbox, where it is another than that of the server out.")
    imap_password: SecretStr = Field(default=SecretStr(""), description="Password of that login.")
    imap_folder: str = Field(
        default="INBOX", min_length=1, max_length=200,
        description="Folder of the mailbox. Everything in it is read; nothing is deleted.",
    )

    @model_validator(mode="after")
    def _is_encrypted(self) -> ContactSmtpSettings:
        lines = ((self.host, self.security), (self.imap_host or "localhost", self.imap_security))
        if any(security == "none" and host not in _LOOPBACK for host, security in lines):
            raise ValueError("use tls or starttls: the messages tell about debts")
        if self.inbox is not None and self.imap_host:
            raise ValueError("name a Maildir or a mailbox over IMAP, not both")
        return self
