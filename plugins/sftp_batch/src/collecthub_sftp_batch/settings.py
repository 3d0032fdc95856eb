"""What a person sets for one partner's SFTP account: the way in, the keys, and the partner's own habits."""

from __future__ import annotations

import datetime as dt
import string
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.config import JsonDict

NAME_FIELDS = frozenset({"sender", "receiver", "exchange", "kind", "count", "created"})
WORK_DAYS = (0, 1, 2, 3, 4)
CASE_FILE = "case-file"


def _fingerprint(text: str) -> str:
    if not text.startswith("SHA256:"):
        raise ValueError("write a host key's fingerprint as ssh-keygen -l shows it: SHA256:...")
    return text.rstrip("=")


def _folder(text: str) -> str:
    if ".." in text.split("/"):
        raise ValueError("a folder has no .. in it")
    return text.strip("/") if text != "/" else ""


def _named_path(text: str) -> str:
    """A path below the account's folder with the file's name in it."""
    if not text:
        return text
    if [field for _, field, _, _ in string.Formatter().parse(text) if field is not None] != ["name"]:
        raise ValueError("write {name} once where the file's name stands, and no other field")
    return _folder(text)


def _name_pattern(text: str) -> str:
    found = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    if "exchange" not in found:
        raise ValueError("a file name has {exchange} in it, or two files might have one name")
    if strange := found - NAME_FIELDS:
        raise ValueError(f"{', '.join(sorted(strange))} is not one of {', '.join(sorted(NAME_FIELDS))}")
    if "/" in text or text.startswith("."):
        raise ValueError("a file name has no / in it and does not begin with a dot")
    return text


def _zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise ValueError(f"{text} is no time zone; write one such as Europe/Brussels")
    return text


_PEM: JsonDict = {"contentMediaType": "application/x-pem-file"}  # a text of many lines, for whoever asks for it
_Path = Annotated[str, AfterValidator(_named_path)]
_Folder = Annotated[str, AfterValidator(_folder)]


class Login(BaseModel):
    """The way into the account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="The partner's SFTP server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    username: str = Field(min_length=1, description="The hub's account there.")
    private_key: SecretStr | None = Field(
        default=None, description="Private key of that account (PEM or OpenSSH).", json_schema_extra=_PEM
    )
    key_passphrase: SecretStr | None = Field(default=None, description="Passphrase of the private key, if it has one.")
    uses_agent: bool = Field(
        default=False, description="Log in with a key of the SSH agent that SSH_AUTH_SOCK names (hardware tokens)."
    )
    password: SecretStr | None = Field(
        default=None, description="Password, for partners that offer nothing better or want it beside the key."
    )
    host_key_fingerprints: tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = Field(
        min_length=1, description="Host keys that the partner confirmed (SHA256:...); no other server is spoken to."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if not (self.private_key or self.uses_agent or self.password):
            raise ValueError("give a private key, the agent or a password")
        return self


class Keys(BaseModel):
    """Whose certificate seals and signs. While one of them changes, the old and the new are both accepted."""

    partner_certificate: str = Field(
        min_length=1, json_schema_extra=_PEM,
        description="The partner's certificate (PEM): files to it are encrypted for it, its files are signed with it.",
    )
    next_partner_certificate: str = Field(
        default="", json_schema_extra=_PEM,
        description="The partner's coming certificate: files are encrypted for both, signatures of both are accepted.",
    )
    own_certificate: str = Field(
        min_length=1, description="The hub's certificate for this partner (PEM).", json_schema_extra=_PEM
    )
    own_key: SecretStr = Field(
        min_length=1, description="Private key of that certificate (PEM).", json_schema_extra=_PEM
    )
    previous_own_certificate: str = Field(
        default="", description="The hub's former certificate: files encrypted for it are still opened.",
        json_schema_extra=_PEM,
    )
    previous_own_key: SecretStr | None = Field(
        default=None, description="Private key of the former certificate.", json_schema_extra=_PEM
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if bool(self.previous_own_certificate) != bool(self.previous_own_key):
            raise ValueError("the former certificate and its key go together")
        return self


class Hours(BaseModel):
    """When the partner's office takes new cases. Amendments and recalls never wait."""

    zone: Annotated[str, AfterValidator(_zone)] = Field(default="UTC", description="The partner's time zone.")
    work_days: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(
        default=(), description="Days on which new cases are sent, Monday is 0; empty for every day."
    )
    opens_at: dt.time | None = Field(default=None, description="From this time of the partner's day.")
    cut_off_at: dt.time | None = Field(
        default=None, description="Until this time; what would leave later waits for the next opening."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens_at and self.cut_off_at and self.opens_at >= self.cut_off_at:
            raise ValueError("the cut-off lies after the opening")
        return self


class Files(BaseModel):
    """How files are named, and how much one of them holds."""

    file_name: Annotated[str, AfterValidator(_name_pattern)] = Field(
        default="{receiver}-{exchange}",
        description="Name of a file without its ending; fields: sender, receiver, exchange, kind (cases or changes), "
        "count, created (with a format such as {created:%Y%m%d%H%M%S}).",
    )
    batch_limit: int = Field(default=500, ge=1, le=2000, description="Most messages in one file.")
    one_file_per_case: bool = Field(default=False, description="Every case travels in a file of its own.")
    file_bytes_max: int = Field(
        default=50_000_000, ge=10_000, le=100_000_000, description="Largest file that the partner takes, in bytes."
    )


class Habits(BaseModel):
    """Where the partner takes files from and puts its own."""

    folder: _Folder = Field(
        default="", description="Folder that holds in, out and receipt; empty for the account's first folder."
    )
    final_path: _Path = Field(default="in/{name}", min_length=1, description="Where the partner takes files from.")
    temporary_path: _Path = Field(
        default="in/.{name}.part", min_length=1,
        description="Where a file lies until it is whole: another name (in/{name}.tmp) or another folder (tmp/{name}).",
    )
    done_file: _Path = Field(
        default="", description="A file that says that {name} is whole, written last, such as in/{name}.done."
    )
    promises_not_to_touch_tmp: bool = Field(
        default=True,
        description="The partner has promised that nothing on its side touches names that begin with a dot. "
        "Then a temporary name that is gone after a crash proves that the file was delivered; "
        "without the promise a person decides.",
    )
    inbox_folder: _Folder = Field(default="out", min_length=1, description="Where the partner puts its files.")
    arrival: Literal["rename", "done_file", "stable"] = Field(
        default="rename",
        description="When a file of the partner is whole: it appears by a rename, it has a done-file beside it "
        "(NAME.done), or neither: then its size and time must not change for a while.",
    )
    stable_seconds: int = Field(
        default=60, ge=0, le=3600, description="How long a file must not change before it is read (arrival: stable)."
    )
    stalled_minutes: int = Field(
        default=60, ge=1, le=10_080, description="After so long a file that is not whole is reported to a person."
    )


class Contents(BaseModel):
    """What a file for the partner holds, how it is signed and how it is encrypted. The defaults are the default profile."""

    case_format: Literal["case-file", "xjustiz-2600003", "sdt-claim", "sdt-warrant", "epu-claim"] = Field(
        default="case-file",
        description="The words of a case: the case exchange, or a court's own document. A case that a court's document "
        "cannot carry is not sent: the dispatch is blocked with every element and limit.",
    )
    particulars: Mapping[str, Any] = Field(
        default_factory=dict, description="What a court's document needs beyond the case, as for `collecthub case export`."
    )
    may_leave_out: tuple[str, ...] = Field(
        default=(), description="Elements of the case file that a court's document has no place for and that a person "
        "has agreed to leave out, such as mandate_ref; anything else that has no place blocks the dispatch.",
    )
    container: Literal["zip", "asic_e"] = Field(
        default="zip", description="A zip with a manifest of SHA-256 sums, or ASiC-E, whose signature holds the sums."
    )
    signature: Literal["xmldsig", "xades", "cms"] = Field(
        default="xmldsig", description="XML signature or XAdES baseline B in the exchange, or CMS around the zip; "
        "ASiC-E is signed with XAdES.",
    )
    encryption: Literal["cms", "openpgp"] = Field(
        default="cms", description="CMS for the partner's certificate, or OpenPGP for its OpenPGP certificate."
    )
    partner_openpgp_certificate: str = Field(
        default="", json_schema_extra=_PEM, description="The partner's OpenPGP certificate (armoured)."
    )
    next_partner_openpgp_certificate: str = Field(
        default="", json_schema_extra=_PEM, description="Its coming one: files are encrypted for both."
    )
    own_openpgp_key: SecretStr | None = Field(
        default=None, json_schema_extra=_PEM, description="The hub's OpenPGP secret key for this partner, unprotected."
    )
    previous_own_openpgp_key: SecretStr | None = Field(
        default=None, json_schema_extra=_PEM, description="The former one: files encrypted for it are still opened."
    )
    conformance_level: Literal[1, 2, 3] = Field(
        default=3, description="What the partner's software can do: 1 takes case files and acknowledges, 2 also "
        "statuses, instructions and costs, 3 also payments, amendments and recalls. What it cannot read is a person's to say.",
    )
    is_test: bool = Field(
        default=False, description="Trial: every exchange is marked as a test, and nothing real is sent or believed."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.container == "asic_e" and self.signature != "xades":
            raise ValueError("an ASiC-E container is signed with xades")
        if self.case_format != CASE_FILE and self.container != "asic_e" and self.signature != "cms":
            raise ValueError("a court's document is signed from outside: container asic_e with xades, or signature cms")
        if self.case_format != CASE_FILE and self.is_test:
            raise ValueError("a court's document has no test flag; use the court's own test system")
        if self.encryption == "openpgp" and not (self.partner_openpgp_certificate and self.own_openpgp_key):
            raise ValueError("openpgp needs partner_openpgp_certificate and own_openpgp_key")
        return self

    @property
    def suffix(self) -> str:
        """The ending of a file's name, the innermost layer first."""
        inner = {"asic_e": ".asice"}.get(self.container, ".zip") + (".p7s" if self.signature == "cms" else "")
        return inner + {"cms": ".p7m", "openpgp": ".pgp"}[self.encryption]


class SealedSettings(Keys, Files, Contents):
    """What sealed files are made by, whichever way they go."""

    @property
    def messages_most(self) -> int:
        """How many messages one file may carry; one where a refusal must not hold up the others."""
        is_narrow = self.one_file_per_case or self.case_format != CASE_FILE or self.conformance_level < 3
        return 1 if is_narrow else self.batch_limit


class SftpBatchSettings(Login, Hours, Habits, SealedSettings):
    """Settings of one connection to a partner's SFTP account."""


def _login_key(text: str) -> str:
    words = text.split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-")) or len(words[1]) < 60:
        raise ValueError("write a public key as OpenSSH does: ssh-ed25519 AAAA...")
    return text.strip()


class SftpMailboxSettings(SealedSettings):
    """Settings of one partner's mailbox at the hub: he logs in with his partner id as user name and one of these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login_keys: tuple[Annotated[str, AfterValidator(_login_key)], ...] = Field(
        min_length=1, max_length=4, description="His public keys as OpenSSH writes them; two while one changes."
    )
