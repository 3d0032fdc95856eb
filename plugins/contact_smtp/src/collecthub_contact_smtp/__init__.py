"""collecthub plugin contact_smtp: e-mail to debtors over SMTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_contact_smtp.settings import ContactSmtpSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_contact_smtp.connector import ContactSmtpConnector

    return ContactSmtpConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The connector of one mail server by which debtors are written to."""
    return (
        ConnectorSpec(
            kind="contact_smtp", title="E-mail to debtors (SMTP)", role=ConnectorRole.CHANNEL,
            settings=ContactSmtpSettings, load=_load,
        ),
    )
