"""collecthub plugin contact_print: letters to debtors as PDF files in a folder, or in batches for a mail house."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_contact_print.settings import ContactMailHouseSettings, ContactPrintSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_contact_print.connector import ContactPrintConnector

    return ContactPrintConnector


def _load_mail_house() -> Callable[[ConnectorContext], object]:
    from collecthub_contact_print.mail_house import ContactMailHouseConnector

    return ContactMailHouseConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The connectors of one folder of letters, and of one mail house."""
    return (
        ConnectorSpec(
            kind="contact_print", title="Letters to debtors (folder of a mail house)", role=ConnectorRole.CHANNEL,
            settings=ContactPrintSettings, load=_load,
        ),
        ConnectorSpec(
            kind="contact_mail_house", title="Letters to debtors (mail house over SFTP)", role=ConnectorRole.CHANNEL,
            settings=ContactMailHouseSettings, load=_load_mail_house,
        ),
    )
