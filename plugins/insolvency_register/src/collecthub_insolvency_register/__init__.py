"""collecthub plugin insolvency_register: publications of a register of insolvencies as a feed in JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_insolvency_register.settings import InsolvencyRegisterSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_insolvency_register.connector import InsolvencyRegisterConnector

    return InsolvencyRegisterConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """The connector of one register."""
    return (
        ConnectorSpec(
            kind="insolvency_register", title="Register of insolvencies (feed)", role=ConnectorRole.REGISTER,
            settings=InsolvencyRegisterSettings, load=_load,
        ),
    )
