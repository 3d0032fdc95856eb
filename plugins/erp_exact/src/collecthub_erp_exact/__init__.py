"""collecthub plugin erp_exact: Exact Online as a source of open items and a place to write back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_erp_exact.settings import ExactSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_erp_exact.connector import ExactConnector

    return ExactConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One connector kind: a connection to one Exact Online country host."""
    return [
        ConnectorSpec(
            kind="erp_exact", title="Exact Online", role=ConnectorRole.ERP, settings=ExactSettings, load=_load
        )
    ]
