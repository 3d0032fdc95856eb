"""Settings of a hub: read once, at the edge. Environment first, then the TOML file, then the default.

`docs/settings.md` is generated from `HubSettings`. Connections have settings of their own, in the database.
"""

from __future__ import annotations

import datetime as dt
import difflib
import logging
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collecthub.errors import ConfigurationError

log = logging.getLogger(__name__)

_PREFIX = "COLLECTHUB_"
_NEAR = 0.65  # DB_URL is near DATABASE_URL; of what no setting is called, nothing comes above 0.57
# Nothing of a hub: read by the checks of the checkout, which start hubs.
_OF_CHECKS = (
    "AXE", "CONTACTS", "CONTACT_KILLS", "KILLS", "KILL_SEED", "LEDGERS", "NODE_SOAP", "REQUIRE_ALL", "SCREENSHOTS",
    "SFTP_FILES", "SFTP_KILLS", "SHARED", "WRITE_SCHEMAS",
)


class HubSettings(BaseModel):
    """Everything that can be set from outside. Environment names are `COLLECTHUB_` plus the field in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(description="Folder for everything the hub writes: database, evidence, keys, logs.")
    database_url: str = Field(
        default="", description="`sqlite:///...` or `postgresql://...`; empty means SQLite in the home folder."
    )
    master_key_file: Path | None = Field(
        default=None, description="Key that encrypts secrets. Outside the database and never in a backup."
    )
    business_date: dt.date | None = Field(
        default=None, description="The date the hub takes for today. Sandbox and tests only."
    )
    public_url: str = Field(default="", description="Address under which partners and browsers reach this hub.")
    host: str = Field(default="127.0.0.1", description="Address `serve` listens on.")
    port: int = Field(default=8420, ge=0, le=65535, description="Port `serve` listens on.")
    sftp_port: int = Field(
        default=-1, ge=-1, le=65535,
        description="Port on which `serve` keeps the mailboxes of partners without a server, by SFTP; -1 for none.",
    )
    operator_name: str = Field(default="collecthub", description="Who runs this hub, as partners see it.")
    operator_address: str = Field(
        default="", description="Postal address of who runs it, divided by commas (Kouter 1, 9000 Gent): on letters under his heading, for what comes back.",
    )
    allow_loopback: bool = Field(
        default=False, description="Lets connections call 127.0.0.1. Sandbox and tests only."
    )
    worker_concurrency: int = Field(default=4, ge=1, le=64, description="Jobs one worker process runs at a time.")
    call_seconds: float = Field(default=300, gt=0, description="Longest time one call to a plugin may take.")
    disabled_plugins: tuple[str, ...] = Field(default=(), description="Plugins that are installed but not loaded.")

    @property
    def database(self) -> str:
        """The database address in SQLAlchemy's form."""
        if not self.database_url:
            return f"sqlite:///{self.home / 'hub.sqlite3'}"
        if self.database_url.startswith(("postgresql://", "postgres://")):
            return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        return self.database_url

    @property
    def key_file(self) -> Path:
        """Where the master key lies."""
        return self.master_key_file or self.home / "keys" / "master.key"

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite")


def default_home(cwd: Path) -> Path:
    """`.collecthub` in a checkout of the project, else the user's data folder."""
    in_checkout = (cwd / "src" / "collecthub").is_dir() or (cwd / ".collecthub").is_dir()
    return cwd / ".collecthub" if in_checkout else Path(platformdirs.user_data_dir("collecthub"))


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> HubSettings:
    """Read the settings; without COLLECTHUB_CONFIG a `collecthub.toml` in the home folder is read. Raises `ConfigurationError` with one sentence per wrong setting."""
    env = os.environ if environ is None else environ
    home = Path(overrides.get("home") or env.get("COLLECTHUB_HOME") or default_home(Path.cwd())).expanduser()
    in_home = home / "collecthub.toml"
    values: dict[str, Any] = _from_file(env.get("COLLECTHUB_CONFIG") or (str(in_home) if in_home.exists() else ""))
    unknown = _refuse_misspelt(env)
    for name in HubSettings.model_fields:
        given = env.get(f"COLLECTHUB_{name.upper()}")
        if given:
            values[name] = given.split(",") if name == "disabled_plugins" else given
    values.update(overrides)
    values["home"] = home
    try:
        settings = HubSettings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_said(".".join(map(str, e["loc"])), e["type"], e["msg"]) for e in error.errors()),
            cure="Correct it in the environment (COLLECTHUB_...) or in the file COLLECTHUB_CONFIG names.",
        ) from error
    if not settings.database.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError(
            "COLLECTHUB_DATABASE_URL is neither sqlite:///... nor postgresql://...",
            cure="Use sqlite:///path/to/file or postgresql://user:password@host/database.",
        )
    if unknown:
        log.warning("ignored, as no setting has this name: %s (the settings are in docs/settings.md)", ", ".join(unknown))
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})


def _refuse_misspelt(env: Mapping[str, str]) -> list[str]:
    """A variable that nearly has a setting's name was meant for it; others, which are returned, may belong to whoever
    runs the hub.
    """
    known = {f"{_PREFIX}{name.upper()}" for name in (*HubSettings.model_fields, "config", *_OF_CHECKS)}
    given = sorted(name for name, value in env.items() if value and name.startswith(_PREFIX) and name not in known)
    meant = {name: near for name in given if (near := _nearest(name.removeprefix(_PREFIX).lower()))}
    if meant:
        raise ConfigurationError(
            "; ".join(f"{name} is no setting, {_PREFIX}{near.upper()} is" for name, near in meant.items()),
            cure="Correct its name in the environment, or remove it.",
        )
    return given


def _nearest(name: str) -> str:
    return next(iter(difflib.get_close_matches(name, [*HubSettings.model_fields, "config"], n=1, cutoff=_NEAR)), "")


def _said(name: str, kind: str, message: str) -> str:
    """One wrong setting in words."""
    if kind != "extra_forbidden":
        return f"setting {name}: {message}"
    near = _nearest(name)
    return f"setting {name}: there is none of this name" + (f", {near} is one" if near else "")


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"the settings file {path} cannot be read ({error.strerror})",
            cure="Correct COLLECTHUB_CONFIG or remove it.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"the settings file {path} is not valid TOML: {error}", cure="Correct that line."
        ) from error
