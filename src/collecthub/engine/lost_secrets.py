"""Go on without the master key: a person says that it is lost, and what it sealed is given up."""

from __future__ import annotations

import contextlib
import datetime as dt

from collecthub.config import HubSettings
from collecthub.store.audit import append_audit
from collecthub.store.database import Database
from collecthub.store.lost_key import Forgotten, forget_unreadable
from collecthub.store.migrate import upgrade
from collecthub.store.queries.scope import Scope


def give_up_secrets(settings: HubSettings, scope: Scope) -> Forgotten:
    """Forget what cannot be read, in one transaction with its place in the audit trail; done twice, it does nothing.

    It needs no open hub, because a hub without its key does not open.
    """
    database = Database(settings.database)
    with contextlib.closing(database):
        upgrade(database)
        with database.write() as conn:
            gone = forget_unreadable(conn, settings.key_file)
            if gone.secrets or gone.debtor_pages:
                append_audit(
                    conn, now=dt.datetime.now(dt.UTC), actor=scope.subject, action="secrets.given_up", subject="hub",
                    detail=f"{len(gone.secrets)} secrets, {gone.debtor_pages} debtors' pages",
                )
    return gone
