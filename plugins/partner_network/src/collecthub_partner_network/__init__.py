"""collecthub plugin partner_network: partner agencies that speak the case exchange over REST and webhooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_partner_network.debitura_settings import DebituraSettings
from collecthub_partner_network.settings import PartnerNetworkSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_partner_network.connector import PartnerNetworkConnector

    return PartnerNetworkConnector


def _load_debitura() -> Callable[[ConnectorContext], object]:
    from collecthub_partner_network.debitura_connector import DebituraConnector

    return DebituraConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The partner network's connector: one connection is one agency."""
    return (
        ConnectorSpec(
            kind="partner_network",
            title="Partner agency (REST and webhooks)",
            role=ConnectorRole.PARTNER,
            settings=PartnerNetworkSettings,
            load=_load,
        ),
        ConnectorSpec(
            kind="debitura",
            title="Debitura network",
            role=ConnectorRole.PARTNER,
            settings=DebituraSettings,
            load=_load_debitura,
            vocabularies=("debitura", "collecthub"),
        ),
    )
