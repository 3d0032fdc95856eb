"""collecthub plugin contact_print: letters to debtors as PDF files in a folder that a mail house empties."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_contact_print.settings import ContactPrintSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_contact_print.connector import ContactPrintConnector

    return ContactPrintConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The connector of one folder of letters."""
    return (
        ConnectorSpec(
            kind="contact_print", title="Letters to debtors (folder of a mail house)", role=ConnectorRole.CHANNEL,
            settings=ContactPrintSettings, load=_load,
        ),
    )
