"""collecthub plugin erp_sap: hook implementations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.settings import S4Settings


def _s4() -> Callable[[ConnectorContext], object]:
    from collecthub_erp_sap.connector import S4Connector

    return S4Connector


def _business_one() -> Callable[[ConnectorContext], object]:
    from collecthub_erp_sap.business_one.connector import BusinessOneConnector

    return BusinessOneConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The kinds of SAP systems that can be connected."""
    return [
        ConnectorSpec(
            kind="erp_sap", title="SAP S/4HANA", role=ConnectorRole.ERP, settings=S4Settings, load=_s4
        ),
        ConnectorSpec(
            kind="erp_sap_b1", title="SAP Business One", role=ConnectorRole.ERP, settings=BusinessOneSettings,
            load=_business_one,
        ),
    ]  # fmt: skip
