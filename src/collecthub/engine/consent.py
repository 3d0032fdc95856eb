"""A person's consent at an ERP's vendor: out with a signed state, back to the hub's own address with a code.

The state is sealed with the hub's key, bound to the connection and to the login that began the consent (RFC 6749
section 10.12), good for a quarter of an hour and for one answer. Where the vendor offers it, the code is bound to
the hub as well (PKCE, RFC 7636).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import secrets

import msgspec

from collecthub.config import HubSettings
from collecthub.engine.case_work import close_tasks
from collecthub.engine.connection_settings import chosen_divisions
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError, ConfigurationError, PermanentError
from collecthub.ports import Consenting, Divided, ProvenConsenting
from collecthub.store.audit import append_audit
from collecthub.store.connections import (
    BY_CHOICE,
    BY_CONSENT,
    BY_TROUBLE,
    ConnectionRow,
    change_connection,
    read_connection,
)
from collecthub.store.consents import (
    DENIED,
    GIVEN,
    REFUSED,
    Consent,
    add_consent,
    end_consent,
    read_consent,
    spend_consent,
)
from collecthub.store.queries.doors import owned_connection
from collecthub.store.queries.scope import Scope

CALLBACK_PATH = "/oauth/callback"
LASTS = dt.timedelta(minutes=15)
_AGAIN = "Press Reconnect on the connection's page to begin anew."
_PURPOSE = "consent"


class ConsentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor's redirect brought. `error` is the vendor's code when it brought no consent."""

    state: str
    code: str = ""
    error: str = ""
    error_text: str = ""


class BegunConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that waits for its answer: the page to open, and the state that will come back."""

    url: str
    state: str


class ConsentRefusedError(PermanentError):
    """An answer that brought no consent. The connection is as it was before."""


def callback_url(settings: HubSettings, seen: str = "") -> str:
    """The address to register at a vendor: under it browsers come back to this hub.

    `seen` is the address at which a browser has just reached the hub, for a hub that was not told its own.

    >>> callback_url(HubSettings(home=".", public_url="https://hub.example/"))
    'https://hub.example/oauth/callback'
    """
    hub = settings.public_url or seen or f"http://{settings.host}:{settings.port}"
    return hub.rstrip("/") + CALLBACK_PATH


def asks_consent(hub: Hub, row: ConnectionRow) -> bool:
    """Whether a connection's vendor asks a person for consent."""
    return isinstance(hub.connector_for(row), Consenting | ProvenConsenting)


def begin_consent(hub: Hub, scope: Scope, connection_id: str, *, session_hash: str | None = None) -> BegunConsent:
    """The vendor's page for a connection. Raises `PermanentError` when its kind needs no consent."""
    with hub.database.read() as conn:
        row = owned_connection(conn, scope, connection_id)
    connector = hub.connector_for(row)
    if not isinstance(connector, Consenting | ProvenConsenting):
        raise PermanentError(f"a {row.kind} connection needs no consent", cure="Check it instead.")
    now = dt.datetime.now(dt.UTC)
    content = msgspec.json.encode([connection_id, secrets.token_urlsafe(16)]).decode()
    state = _text(hub.key.seal(content, _PURPOSE, session_hash or ""))
    verifier = secrets.token_urlsafe(48)
    if isinstance(connector, ProvenConsenting):
        url = hub.call(
            connector.begin_proven_consent, state, pkce_challenge(verifier), what=f"{row.kind}.consent",
            connection_id=connection_id,
        )
    else:
        verifier = ""
        url = hub.call(connector.begin_consent, state, what=f"{row.kind}.consent", connection_id=connection_id)
    with hub.database.write() as conn:
        add_consent(
            conn,
            Consent(
                state_hash=_digest(state), connection_id=connection_id, subject=scope.subject, session_hash=session_hash,
                verifier=_text(hub.key.seal(verifier, _PURPOSE, connection_id)) if verifier else "", begun_at=now,
                expires_at=now + LASTS,
            ),
        )
    return BegunConsent(url=url, state=state)


def finish_consent(hub: Hub, answer: ConsentAnswer, *, session_hash: str | None = None) -> str:
    """Take what the browser brought back; returns the connection's id.

    `session_hash` is the login of the browser that came back, if it has one. Raises `PermanentError` for a state
    that is not ours, spent, expired or of another login, and `ConsentRefusedError` when the vendor gave no consent.
    """
    consent = _spent(hub, answer.state, session_hash)
    try:
        if not answer.code:
            raise _denied(answer, consent.connection_id)
        row = _take_code(hub, consent, answer.code)
    except CollecthubError as error:
        with hub.database.write() as conn:
            outcome = DENIED if not answer.code else REFUSED
            end_consent(conn, consent.state_hash, outcome, f"{error.message} {error.cure}".strip())
        if isinstance(error, ConsentRefusedError):
            raise
        refused = ConsentRefusedError(error.message, cure=error.cure or _AGAIN, reference=consent.connection_id)
        raise refused from error
    _go_on(hub, row, consent.subject)
    with hub.database.write() as conn:  # last, because somebody may wait for it to look at what follows
        end_consent(conn, consent.state_hash, GIVEN)
    return row.connection_id


def take_bare_code(hub: Hub, connection_id: str, code: str) -> None:
    """Take a code that a person copied out of an address, on the hub's own machine, where no state is needed."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    connector = hub.connector_for(row) if row is not None else None
    if row is None or not isinstance(connector, Consenting):
        raise PermanentError("a code alone is not enough here", cure="Paste the whole address that the browser was sent to.")
    hub.call(connector.finish_consent, code, what=f"{row.kind}.consent", connection_id=connection_id)
    _go_on(hub, row, "user:local")


def consent_of(hub: Hub, state: str) -> Consent | None:
    """How a consent stands, for whoever began it."""
    with hub.database.read() as conn:
        return read_consent(conn, _digest(state))


def is_begun_elsewhere(hub: Hub, state: str) -> bool:
    """Whether a state was made without a browser's login: then the answer needs none either."""
    return _opened(hub, state, "") is not None


def pkce_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier; the example is that of RFC 7636, appendix B.

    >>> pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return _text(hashlib.sha256(verifier.encode()).digest())


# --- the state ------------------------------------------------------------------------------------


def _spent(hub: Hub, state: str, session_hash: str | None) -> Consent:
    """The consent that a state stands for, used up by this very call."""
    connection_id = _opened(hub, state, session_hash) if session_hash else None
    connection_id = connection_id or _opened(hub, state, "")
    if connection_id is None:
        raise PermanentError("this answer does not belong to a consent that was begun in this login", cure=_AGAIN)
    now = dt.datetime.now(dt.UTC)
    with hub.database.write() as conn:
        consent = read_consent(conn, _digest(state))
        is_first = spend_consent(conn, _digest(state), now)
    if consent is None or not is_first:
        raise PermanentError("this consent was answered before", cure=_AGAIN, reference=connection_id)
    if consent.expires_at < now:
        with hub.database.write() as conn:
            end_consent(conn, consent.state_hash, REFUSED, "The answer came too late.")
        minutes = int(LASTS.total_seconds() // 60)
        raise PermanentError(
            f"this consent was begun more than {minutes} minutes ago", cure=_AGAIN, reference=connection_id
        )
    return consent


def _opened(hub: Hub, state: str, bound_to: str) -> str | None:
    """The connection of a state that this hub has sealed for this login; None for every other text."""
    try:
        sealed = base64.b64decode(state + "=" * (-len(state) % 4), altchars=b"-_", validate=True)
        connection_id, _ = msgspec.json.decode(hub.key.unseal(sealed, _PURPOSE, bound_to), type=tuple[str, str])
    except (binascii.Error, ValueError, ConfigurationError):
        return None
    return connection_id


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


# --- the code -------------------------------------------------------------------------------------


def _denied(answer: ConsentAnswer, connection_id: str) -> ConsentRefusedError:
    if answer.error in ("access_denied", ""):
        return ConsentRefusedError(
            "the consent was not given at the vendor's page", cure=f"Nothing was changed. {_AGAIN}",
            reference=connection_id,
        )
    said = f"{answer.error[:100]} {answer.error_text[:200]}".strip()
    return ConsentRefusedError(
        f"the vendor's page answered {said!r}",
        cure="Check client id and redirect address of the app registration, then press Reconnect.",
        reference=connection_id,
    )


def _take_code(hub: Hub, consent: Consent, code: str) -> ConnectionRow:
    with hub.database.read() as conn:
        row = read_connection(conn, consent.connection_id)
    if row is None:
        raise PermanentError("the connection is not there any more", cure="Add it anew.")
    connector, what = hub.connector_for(row), f"{row.kind}.consent"
    if isinstance(connector, ProvenConsenting) and consent.verifier:
        sealed = base64.urlsafe_b64decode(consent.verifier + "=" * (-len(consent.verifier) % 4))
        verifier = hub.key.unseal(sealed, _PURPOSE, row.connection_id)
        hub.call(connector.finish_proven_consent, code, verifier, what=what, connection_id=row.connection_id)
    elif isinstance(connector, Consenting):
        hub.call(connector.finish_consent, code, what=what, connection_id=row.connection_id)
    return row


def _go_on(hub: Hub, row: ConnectionRow, subject: str) -> None:
    """The connection works again from now on, or waits for the choice of its divisions."""
    connector = hub.connector_for(row)
    must_choose = isinstance(connector, Divided) and not chosen_divisions(row, connector)
    with hub.work() as work:
        close_tasks(work, done_by=subject, connection_id=row.connection_id, kind="connection")
        append_audit(
            work.conn, now=work.now, actor=subject, action="connection.consented", subject=row.connection_id
        )
        if must_choose:
            change_connection(
                work.conn, row.connection_id, status="stopped", cause=BY_CHOICE, status_until=None,
                status_detail="Consent is given. Choose what is to be pulled.",
            )
        elif row.cause in ("", BY_CONSENT, BY_TROUBLE):
            change_connection(
                work.conn, row.connection_id, status="ok", cause="", status_detail="", status_until=None,
                next_due_at=work.now,
            )
            work.wake("pull", row.connection_id)
