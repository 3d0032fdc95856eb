"""collecthub plugin sftp_batch: signed and encrypted batches of case files over SFTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub_sftp_batch.settings import SftpBatchSettings, SftpMailboxSettings


def _load_mailbox() -> Callable[[ConnectorContext], object]:
    from collecthub_sftp_batch.mailbox import SftpMailboxConnector

    return SftpMailboxConnector


def _load() -> Callable[[ConnectorContext], object]:
    from collecthub_sftp_batch.connector import SftpBatchConnector

    return SftpBatchConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One connection is one partner's SFTP account, or his mailbox at the hub."""
    return (
        ConnectorSpec(
            kind="sftp_batch",
            title="Partner by SFTP (signed and encrypted batches)",
            role=ConnectorRole.PARTNER,
            settings=SftpBatchSettings,
            load=_load,
        ),
        ConnectorSpec(
            kind="sftp_mailbox",
            title="Partner without a server (fetches from the hub by SFTP)",
            role=ConnectorRole.PARTNER,
            settings=SftpMailboxSettings,
            load=_load_mailbox,
        ),
    )
