"""The composition root: settings in, a working hub out. The only module that knows every part."""

from __future__ import annotations

from pathlib import Path

from collecthub.bundled import form_folder, form_mail, intake, jurisdictions, mailbox, routes, solvency
from collecthub.config import HubSettings, load_settings
from collecthub.engine.context import Hub
from collecthub.engine.durable_queue import DurableQueue, prepare
from collecthub.errors import ConfigurationError
from collecthub.formats import plugin as formats_plugin
from collecthub.plugins import PluginSet, load_plugins
from collecthub.store.migrate import is_current, upgrade

BUNDLED = (
    ("formats", formats_plugin), ("routes", routes), ("intake", intake), ("jurisdictions", jurisdictions),
    ("mailbox", mailbox), ("form_folder", form_folder), ("form_mail", form_mail), ("solvency", solvency),
)


def load_all_plugins(settings: HubSettings) -> PluginSet:
    """The bundled plugins and every installed one."""
    return load_plugins(BUNDLED, settings.disabled_plugins)


def open_hub(settings: HubSettings | None = None, *, plugins: PluginSet | None = None, migrate: bool = True) -> Hub:
    """A hub on its database, brought to the current schema first if `migrate`."""
    settings = settings or load_settings()
    _usable(settings.home)
    hub = Hub(settings, plugins or load_all_plugins(settings))
    if migrate:
        upgrade(hub.database)
        prepare(hub.database)
    elif not is_current(hub.database):
        raise ConfigurationError("the database has another schema", cure="Run `collecthub db upgrade`.")
    hub.now()  # fixes the business clock before any transaction needs it
    return hub


def open_client(settings: HubSettings | None = None) -> Hub:
    """A hub for commands beside a running one: it can enqueue work but never starts workers or recovery."""
    hub = open_hub(settings)
    hub.queue = DurableQueue(hub.database)
    return hub


def _usable(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the home folder {home} cannot be made ({error.strerror})", cure="Set COLLECTHUB_HOME to a folder of yours."
        ) from error
