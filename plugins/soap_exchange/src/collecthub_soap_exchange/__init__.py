"""collecthub plugin soap_exchange: case exchange with lawyers over SOAP."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_soap_exchange.settings import SoapExchangeSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_soap_exchange.connector import SoapExchangeConnector

    return SoapExchangeConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The SOAP connector: one connection is one office's exchange service."""
    return (
        ConnectorSpec(
            kind="soap_exchange",
            title="Partner by SOAP (case exchange service)",
            role=ConnectorRole.PARTNER,
            settings=SoapExchangeSettings,
            load=_load,
        ),
    )
