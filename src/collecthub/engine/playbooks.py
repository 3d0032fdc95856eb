"""What operator and creditor agree on: the steps before a hand-over."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collecthub.engine.context import Hub
from collecthub.model.contact import ContactPolicy
from collecthub.store.audit import append_audit
from collecthub.store.connections import read_creditor, write_creditor
from collecthub.store.queries.scope import NotThereError, Scope


def agree_contact(hub: Hub, scope: Scope, creditor_id: str, policies: Sequence[ContactPolicy]) -> None:
    """From now on new cases of a creditor follow these steps. Raises `NotThereError` for a creditor out of scope."""
    with hub.work() as work:
        row = read_creditor(work.conn, creditor_id)
        if row is None or (scope.creditor_id is not None and scope.creditor_id != creditor_id):
            raise NotThereError(f"there is no creditor {creditor_id}", cure="See `collecthub creditor list`.")
        playbook = msgspec.structs.replace(row.playbook, contact=tuple(policies))
        write_creditor(work.conn, msgspec.structs.replace(row, playbook=playbook), work.now)
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="playbook.agreed", subject=creditor_id,
            detail=", ".join(policy.name for policy in policies),
        )
