"""Consents that were begun in a browser: each `state` is spent once, by the first answer that brings it."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.store.tables import consents

GIVEN, DENIED, REFUSED = "given", "denied", "refused"
_KEPT = dt.timedelta(days=1)


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """One consent. `session_hash` is the login that began it, None when it was begun without a browser."""

    state_hash: str
    connection_id: str
    subject: str
    session_hash: str | None
    verifier: str  # sealed; empty when the vendor knows no PKCE
    begun_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None = None
    outcome: str = ""
    problem: str = ""


def add_consent(conn: sa.Connection, consent: Consent) -> None:
    """Remember a consent that begins now; old ones are forgotten."""
    conn.execute(sa.delete(consents).where(consents.c.expires_at < consent.begun_at - _KEPT))
    conn.execute(sa.insert(consents).values(**msgspec.structs.asdict(consent)))


def read_consent(conn: sa.Connection, state_hash: str) -> Consent | None:
    """The consent of a state, or None."""
    row = conn.execute(sa.select(consents).where(consents.c.state_hash == state_hash)).first()
    return None if row is None else Consent(**row._mapping)


def spend_consent(conn: sa.Connection, state_hash: str, now: dt.datetime) -> bool:
    """Use the state up; False when an answer did so before."""
    unspent = (consents.c.state_hash == state_hash) & consents.c.ended_at.is_(None)
    return conn.execute(sa.update(consents).where(unspent).values(ended_at=now)).rowcount == 1


def end_consent(conn: sa.Connection, state_hash: str, outcome: str, problem: str = "") -> None:
    """Note how it ended, for whoever waits for it."""
    conn.execute(
        sa.update(consents).where(consents.c.state_hash == state_hash).values(outcome=outcome, problem=problem)
    )
