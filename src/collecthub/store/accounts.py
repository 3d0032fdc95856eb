"""People and programs that may enter: users with sessions, API keys, and guessing slowed down.

Tokens and keys are random and stored as SHA-256; passwords as Argon2id. Guessing costs time that doubles and ends:
nobody is locked out for good, and an unknown user is answered like a wrong password.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterator
from functools import cache

import argon2
import msgspec
import sqlalchemy as sa

from collecthub.errors import PermanentError
from collecthub.model.ids import new_id
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role, Scope

SESSION_LASTS = dt.timedelta(hours=12)
PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX = 10, 500
FORGOTTEN_AFTER = dt.timedelta(minutes=15)
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,255}")


class Limit(msgspec.Struct, frozen=True):
    """How many wrong tries are free, and the longest wait after more of them."""

    free: int
    longest: dt.timedelta


# One address against one user is slowed at once; many users from one address and one user from many addresses
# later, the last only a little, so that an attacker cannot keep somebody out.
LIMITS = {
    "pair": Limit(5, dt.timedelta(minutes=15)),
    "address": Limit(20, dt.timedelta(minutes=15)),
    "user": Limit(20, dt.timedelta(seconds=30)),
}


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a login."""

    user_id: str
    email: str
    name: str
    role: Role
    creditor_id: str | None = None
    partner_id: str | None = None

    @property
    def scope(self) -> Scope:
        return Scope(
            role=self.role, subject=f"user:{self.user_id}", creditor_id=self.creditor_id, partner_id=self.partner_id
        )


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A logged-in browser. `csrf` must come back with every change it asks for."""

    session_hash: str
    user: User
    csrf: str
    expires_at: dt.datetime


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A program's credential, without the key itself, which was shown once."""

    key_id: str
    name: str
    role: Role
    creditor_id: str | None
    partner_id: str | None
    created_at: dt.datetime
    revoked_at: dt.datetime | None = None

    @property
    def scope(self) -> Scope:
        return Scope(
            role=self.role, subject=f"key:{self.key_id}", creditor_id=self.creditor_id, partner_id=self.partner_id
        )


# --- users ----------------------------------------------------------------------------------------


@cache
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher()  # the library's defaults follow RFC 9106


@cache
def _nobody() -> str:
    """A hash nobody's password fits, so that an unknown user costs the same time."""
    return _hasher().hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    """Argon2id hash. Raises `PermanentError` for a password that is too short or too long."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise PermanentError(
            f"the password has {len(password)} characters", cure=f"Choose at least {PASSWORD_LENGTH_MIN}."
        )
    return _hasher().hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes as long when there is no user. About a quarter of a second."""
    try:
        return _hasher().verify(stored or _nobody(), password[:PASSWORD_LENGTH_MAX]) and stored is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _check_tenant(conn: sa.Connection, role: Role, creditor_id: str | None, partner_id: str | None) -> None:
    """Raises `PermanentError` unless a role comes with exactly the tenant it needs, and that tenant is there."""
    wanted = {Role.OPERATOR: (False, False), Role.CREDITOR: (True, False), Role.PARTNER: (False, True)}[role]
    if (bool(creditor_id), bool(partner_id)) != wanted:
        raise PermanentError(
            f"the role {role.value} does not go with this tenant",
            cure="Name a creditor for role creditor, a partner for role partner, and neither for an operator.",
        )
    for what, column, named in (
        ("creditor", t.creditors.c.creditor_id, creditor_id), ("partner", t.partners.c.partner_id, partner_id),
    ):  # fmt: skip
        if named and conn.scalar(sa.select(column).where(column == named)) is None:
            raise PermanentError(f"there is no {what} {named[:64]!r}", cure=f"Take its id from the list of {what}s.")


def add_user(conn: sa.Connection, user: User, password: str, now: dt.datetime) -> None:
    """Insert a user. Raises `PermanentError` for a bad address or password or a taken address."""
    email = user.email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise PermanentError("this is not an e-mail address", cure="Write it as name@example.org.")
    _check_tenant(conn, user.role, user.creditor_id, user.partner_id)
    if conn.scalar(sa.select(t.users.c.user_id).where(t.users.c.email == email)) is not None:
        raise PermanentError("a user with this e-mail address exists", cure="Choose another, or give a new password: `collecthub user password`.")
    conn.execute(
        sa.insert(t.users).values(
            user_id=user.user_id, email=email, name=user.name, role=user.role.value, creditor_id=user.creditor_id,
            partner_id=user.partner_id, password_hash=hash_password(password), created_at=now,
        )
    )


def find_login(conn: sa.Connection, email: str) -> tuple[User, str] | None:
    """An enabled user and his password hash, or None."""
    row = conn.execute(
        sa.select(t.users).where(t.users.c.email == email.strip().lower(), t.users.c.disabled_at.is_(None))
    ).first()
    return None if row is None else (_user(row), row.password_hash)


def _user(row: sa.Row[tuple[object, ...]]) -> User:
    values = row._mapping
    return User(
        user_id=values["user_id"], email=values["email"], name=values["name"], role=Role(values["role"]),
        creditor_id=values["creditor_id"], partner_id=values["partner_id"],
    )


def read_users(conn: sa.Connection) -> list[User]:
    """All enabled users, by address."""
    query = sa.select(t.users).where(t.users.c.disabled_at.is_(None)).order_by(t.users.c.email)
    return [_user(row) for row in conn.execute(query)]


def disable_user(conn: sa.Connection, user_id: str, now: dt.datetime) -> None:
    """Close a user's door at once, his sessions included."""
    conn.execute(sa.update(t.users).where(t.users.c.user_id == user_id).values(disabled_at=now))
    conn.execute(sa.delete(t.sessions).where(t.sessions.c.user_id == user_id))


def change_password(conn: sa.Connection, user_id: str, password: str) -> None:
    """Set a new password and end every session of the user."""
    hashed = hash_password(password)
    conn.execute(sa.update(t.users).where(t.users.c.user_id == user_id).values(password_hash=hashed))
    conn.execute(sa.delete(t.sessions).where(t.sessions.c.user_id == user_id))


# --- sessions -------------------------------------------------------------------------------------


def token_digest(token: str) -> str:
    """What is stored of a session token or API key."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(conn: sa.Connection, user: User, now: dt.datetime) -> tuple[str, Session]:
    """A new session and the token for its cookie; the token is not stored."""
    token = secrets.token_urlsafe(32)
    session = Session(
        session_hash=token_digest(token), user=user, csrf=secrets.token_urlsafe(24), expires_at=now + SESSION_LASTS
    )
    conn.execute(sa.delete(t.sessions).where(t.sessions.c.expires_at < now))
    conn.execute(
        sa.insert(t.sessions).values(
            session_hash=session.session_hash, user_id=user.user_id, csrf=session.csrf, created_at=now,
            expires_at=session.expires_at,
        )
    )
    return token, session


def read_session(conn: sa.Connection, token: str, now: dt.datetime) -> Session | None:
    """The live session of a token whose user may still enter, or None."""
    row = conn.execute(
        sa.select(t.sessions.c.session_hash, t.sessions.c.csrf, t.sessions.c.expires_at, t.users)
        .join(t.users, t.users.c.user_id == t.sessions.c.user_id)
        .where(
            t.sessions.c.session_hash == token_digest(token), t.sessions.c.expires_at > now,
            t.users.c.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    return Session(session_hash=row.session_hash, user=_user(row), csrf=row.csrf, expires_at=row.expires_at)


def close_session(conn: sa.Connection, session_hash: str) -> None:
    """Log out."""
    conn.execute(sa.delete(t.sessions).where(t.sessions.c.session_hash == session_hash))


# --- guessing -------------------------------------------------------------------------------------


def _subjects(email: str, address: str) -> Iterator[tuple[str, str]]:
    user = hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
    yield "pair", f"pair:{user}:{address}"[:400]
    yield "address", f"address:{address}"[:400]
    yield "user", f"user:{user}"


_COUNT_TRY = sa.text(
    "INSERT INTO logins (subject, failures, last_at) VALUES (:subject, :failures, :last_at) "
    "ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at"
)


def count_try(conn: sa.Connection, email: str, address: str, now: dt.datetime) -> int:
    """Count a login before its password is looked at. Seconds to wait, or 0 when it may be tried.

    A refused try is not counted, so that waiting always ends.
    """
    wait = 0.0
    rows = []
    for name, subject in _subjects(email, address):
        row = conn.execute(sa.select(t.logins).where(t.logins.c.subject == subject).with_for_update()).first()
        fresh = row is not None and row.last_at > now - FORGOTTEN_AFTER
        failures = row.failures if row is not None and fresh else 0
        rows.append((subject, failures + 1))
        over = failures - LIMITS[name].free
        if row is not None and over >= 0:
            pause = min(dt.timedelta(seconds=2 ** min(over, 12)), LIMITS[name].longest)
            wait = max(wait, (row.last_at + pause - now).total_seconds())
    if wait > 0:
        return int(wait) + 1
    bound = _COUNT_TRY.bindparams(sa.bindparam("last_at", type_=t.logins.c.last_at.type))
    for subject, failures in rows:
        conn.execute(bound, {"subject": subject, "failures": failures, "last_at": now})
    return 0


def forget_tries(conn: sa.Connection, email: str, address: str) -> None:
    """A right password wipes the slate of this user at this address."""
    subjects = [subject for name, subject in _subjects(email, address) if name != "address"]
    conn.execute(sa.delete(t.logins).where(t.logins.c.subject.in_(subjects)))


# --- API keys -------------------------------------------------------------------------------------


def add_api_key(
    conn: sa.Connection,
    *,
    name: str,
    role: Role,
    creditor_id: str | None = None,
    partner_id: str | None = None,
    now: dt.datetime,
) -> tuple[str, ApiKey]:
    """A new key, shown this once, and its record."""
    _check_tenant(conn, role, creditor_id, partner_id)
    secret = f"ch_{role.value}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        key_id=new_id(), name=name, role=role, creditor_id=creditor_id, partner_id=partner_id, created_at=now
    )
    conn.execute(sa.insert(t.api_keys).values(key_hash=token_digest(secret), **msgspec.structs.asdict(key)))
    return secret, key


def read_api_key(conn: sa.Connection, secret: str) -> ApiKey | None:
    """The live key, or None."""
    row = conn.execute(
        sa.select(t.api_keys).where(t.api_keys.c.key_hash == token_digest(secret), t.api_keys.c.revoked_at.is_(None))
    ).first()
    return None if row is None else _key(row)


def read_api_keys(conn: sa.Connection) -> list[ApiKey]:
    """Every key that was given out, newest last."""
    return [_key(row) for row in conn.execute(sa.select(t.api_keys).order_by(t.api_keys.c.key_id))]


def _key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    values = row._mapping
    return ApiKey(
        key_id=values["key_id"], name=values["name"], role=Role(values["role"]), creditor_id=values["creditor_id"],
        partner_id=values["partner_id"], created_at=values["created_at"], revoked_at=values["revoked_at"],
    )


def revoke_api_key(conn: sa.Connection, key_id: str, now: dt.datetime) -> bool:
    """End a key at once. False when there is no such live key."""
    done = conn.execute(
        sa.update(t.api_keys)
        .where(t.api_keys.c.key_id == key_id, t.api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1
