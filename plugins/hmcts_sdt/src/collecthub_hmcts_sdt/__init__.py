"""collecthub plugin hmcts_sdt: county court claims and warrants over HMCTS Secure Data Transfer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_hmcts_sdt.settings import HmctsSdtSettings


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_hmcts_sdt.connector import HmctsSdtConnector

    return HmctsSdtConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One connection is one customer number at SDT."""
    return (
        ConnectorSpec(
            kind="hmcts_sdt",
            title="County court of England and Wales (HMCTS Secure Data Transfer)",
            role=ConnectorRole.PARTNER,
            settings=HmctsSdtSettings,
            load=_load,
            vocabularies=("sdt", "collecthub"),
        ),
    )
