"""The token pair of one connection: the most fragile thing in the whole exchange with Exact Online.

An access token lives 600 seconds, may be refreshed only from second 570, and each refresh token works once. A pair
that is lost between the wire and the disk costs a person's consent. So: one lease per connection across all
processes, the vault is read again after the lease is held, a new pair is stored before it is used, and the call
itself is made by a process that outlives this one (`courier`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from contextlib import ExitStack
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from collecthub.sdk import (
    ConfigurationError,
    ConnectorContext,
    ConsentError,
    InDoubtError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse, safe_json
from collecthub_erp_exact import courier
from collecthub_erp_exact.settings import ExactSettings

PAIR = "exact.tokens"
"""Name of the pair in the connection's vault."""

ERRAND = "exact.errand"
"""Name of the refresh that may be under way."""

EARLIEST_REFRESH = dt.timedelta(seconds=570)
STALE_BEFORE_EXPIRY = dt.timedelta(seconds=30)  # a token must still be valid behind the vendor's balancer
_LEASE_SECONDS = 15  # when it runs out during a call, the errand still keeps others from repeating that call
_WAIT_SECONDS = 40.0
_POLL_SECONDS = 0.1
_TROUBLE_SECONDS = 60.0
_CALLS_A_DAY = 190  # of the 200 that the vendor admits per app and user
_SPENT_SECONDS = 3600.0
_RECONNECT = "Reconnect: give consent again with `collecthub connection consent` or in the portal."


class TokenPair(msgspec.Struct, frozen=True):
    """What the vault holds. A non-empty `consent_needed` is the vendor's reason why only a person can go on."""

    access_token: str
    refresh_token: str
    obtained_at: dt.datetime
    expires_at: dt.datetime
    consent_needed: str = ""

    def is_fresh(self, now: dt.datetime) -> bool:
        """Whether the access token may be used for another call."""
        return now < self.expires_at - STALE_BEFORE_EXPIRY

    def may_refresh(self, now: dt.datetime) -> bool:
        """Whether the vendor accepts a refresh already."""
        return now >= self.obtained_at + EARLIEST_REFRESH


class _Issued(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str
    expires_in: str | int = "600"  # a digit string on the wire


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


def consent_url(settings: ExactSettings, state: str) -> str:
    """The page where a person gives consent; it redirects to `redirect_uri` with `code` and `state`."""
    query = {
        "client_id": settings.client_id,
        "redirect_uri": settings.redirect_uri,
        "response_type": "code",
        "state": state,
        "force_login": "0",
    }
    return f"{settings.consent_page()}?{urlencode(query)}"


class TokenKeeper:
    """Gives out the access token of one connection and renews it when it is time."""

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: ExactSettings = ctx.settings
        self._pair: TokenPair | None = None
        endpoint = urlsplit(self._settings.token_endpoint())
        self._origin, self._path = f"{endpoint.scheme}://{endpoint.netloc}", endpoint.path
        self._http = HttpClient(
            self._origin,
            allow_loopback=ctx.allow_loopback,
            total_seconds=courier.CALL_SECONDS,
            headers={"Accept": "application/json"},
            cookies=False,
        )

    def access_token(self) -> str:
        """A token that is good for a call now.

        Raises `ConsentError` when a person must give consent, `RetryableError` when the token endpoint or the
        lease cannot be reached in time.
        """
        pair = self._pair
        if pair is None or not pair.is_fresh(self._ctx.now()):
            pair = self._stored()
        if not pair.is_fresh(self._ctx.now()):
            pair = self._renewed(pair)
        self._pair = pair
        return pair.access_token

    def replacement(self, rejected: str) -> str | None:
        """A newer access token than the one the API just rejected, if another process has stored one."""
        self._pair = pair = self._stored()
        return pair.access_token if pair.access_token != rejected else None

    def take_code(self, code: str) -> None:
        """Exchange the code of a consent, decoded once, and store the pair. Raises `ConsentError` when it is refused."""
        redirect = self._settings.redirect_uri
        with ExitStack() as stack:
            self._await_lease(stack, None)
            try:
                answer = self._http.request(
                    "POST", self._path, headers={"Content-Type": "application/x-www-form-urlencoded"},
                    body=self._form("authorization_code", code=code, redirect_uri=redirect).encode(),
                    is_safe_to_repeat=False,
                )  # fmt: skip
            except InDoubtError as lost:
                raise ConsentError(
                    f"The answer to the consent was lost: {lost.message}", cure=_RECONNECT
                ) from lost
            if self._keep(answer, self._ctx.now()) is None:
                raise ConsentError(
                    f"Exact Online refused the consent: {answer.json_error_text()}", cure=_RECONNECT
                )

    def close(self) -> None:
        """Close the kept connection."""
        self._http.close()

    def _stored(self) -> TokenPair:
        text = self._ctx.vault.read(PAIR)
        if text is None:
            raise ConsentError("This connection has no consent in Exact Online yet.", cure=_RECONNECT)
        pair = msgspec.json.decode(text, type=TokenPair)
        if pair.consent_needed:
            raise _consent_error(pair.consent_needed)
        return pair

    def _renewed(self, replaced: TokenPair) -> TokenPair:
        """The pair after a refresh by this process or, while we waited for the lease, by another one."""
        with ExitStack() as stack:
            renewed = self._await_lease(stack, replaced)
            if renewed is not None:
                return renewed
            pair = self._stored()  # another process may have been quicker
            now = self._ctx.now()
            if pair.is_fresh(now) or not pair.may_refresh(now):
                return pair
            return self._refresh(pair)

    def _await_lease(self, stack: ExitStack, replaced: TokenPair | None) -> TokenPair | None:
        """Enter the lease, or return the pair that its holder stored meanwhile in place of `replaced`."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                stack.enter_context(self._ctx.vault.exclusive(PAIR, _LEASE_SECONDS))
                return None
            except RetryableError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)
            if replaced is not None:
                pair = self._stored()
                if pair.is_fresh(self._ctx.now()):
                    return pair

    def _refresh(self, pair: TokenPair) -> TokenPair:
        """Renew `pair`, or take over the answer of a refresh whose sender was killed. Needs the lease."""
        now = self._ctx.now()
        renews = hashlib.sha256(pair.refresh_token.encode()).hexdigest()
        errand = courier.read_errand(self._ctx.vault.read(ERRAND))
        is_mine = errand is not None and errand.renews == renews
        outcome = courier.recover(errand, now) if errand is not None and is_mine else None
        if errand is None or outcome is None:
            errand = self._sent(renews, errand, now)
            outcome = courier.run(
                errand, self._origin, self._path, self._form("refresh_token", refresh_token=pair.refresh_token),
                allow_loopback=self._ctx.allow_loopback,
            )  # fmt: skip
        renewed = None if outcome.error else self._keep(outcome.answer(), errand.begun_at if is_mine else now)
        self._ctx.vault.write(ERRAND, errand.settled().text())
        courier.discard(errand)
        return renewed or self._after_refusal(pair, outcome)

    def _sent(self, renews: str, earlier: courier.Errand | None, now: dt.datetime) -> courier.Errand:
        """A new errand, written down before anybody is asked."""
        if earlier is not None and earlier.calls_on(now.date()) >= _CALLS_A_DAY:
            raise RetryableError(
                f"The token was renewed {_CALLS_A_DAY} times today; Exact Online admits 200 times a day.",
                cure="Look for another program that uses this app registration; the work goes on within the hour.",
                retry_after_seconds=_SPENT_SECONDS,
            )
        errand = courier.new_errand(renews, now, earlier)
        self._ctx.vault.write(ERRAND, errand.text())
        if earlier is not None:
            courier.discard(earlier)
        return errand

    def _keep(self, answer: HttpResponse, obtained_at: dt.datetime) -> TokenPair | None:
        """Store the pair that an answer carries, whatever its status: a refused refresh may still bring one."""
        issued = _read(answer, _Issued)
        if issued is None:
            return None
        lifetime = dt.timedelta(seconds=int(issued.expires_in))
        pair = TokenPair(issued.access_token, issued.refresh_token, obtained_at, obtained_at + lifetime)
        self._ctx.vault.write(PAIR, msgspec.json.encode(pair).decode())
        self._pair = pair
        return pair

    def _after_refusal(self, pair: TokenPair, outcome: courier.Outcome) -> TokenPair:
        try:
            answer = outcome.answer()
        except InDoubtError as lost:
            # The only way to learn whether the vendor took the refresh is to ask again; a used one is refused.
            raise RetryableError(
                f"The answer to a token refresh was lost: {lost.message}",
                cure="It is tried again; should the old token be used up, a new consent will be asked for.",
                retry_after_seconds=5,
            ) from lost
        refusal = _read(answer, _Refusal) or _Refusal()
        said = f"{refusal.error_description} {answer.headers.get('reason', '')}".strip().lower()
        if "not expired" in said or "tooearly" in said:
            if self._ctx.now() < pair.expires_at:
                return pair  # refused as too early: the old pair stays valid
            raise RetryableError(
                "Exact Online says that the token is not yet due for a refresh, but it has expired here.",
                cure="Check this machine's clock.",
                retry_after_seconds=30,
            )
        if "toomany" in said or "too many" in said:
            raise RetryableError(
                "Exact Online admits no more token calls of this app today.",
                cure="Look for another program that uses this app registration; the work goes on by itself.",
                retry_after_seconds=_SPENT_SECONDS,
            )
        if "rate limit" in said or answer.status == 429 or answer.status >= 500:
            raise RetryableError(
                f"The token endpoint of Exact Online answers {answer.json_error_text()}",
                cure="Nothing to do; it is tried again.",
                retry_after_seconds=answer.retry_after_seconds or _TROUBLE_SECONDS,
            )
        if "refresh token" in said or refusal.error in ("unauthorized_client", "invalid_grant"):
            reason = refusal.error_description or refusal.error
            spent = msgspec.structs.replace(pair, consent_needed=reason)
            self._ctx.vault.write(PAIR, msgspec.json.encode(spent).decode())
            self._pair = None
            raise _consent_error(reason)
        raise ConfigurationError(
            f"Exact Online refuses to renew the token: {answer.json_error_text()}",
            cure="Check client id and client secret of the app registration.",
        )

    def _form(self, grant_type: str, **fields: str) -> str:
        secret = self._settings.client_secret.get_secret_value()
        form = {"grant_type": grant_type, **fields, "client_id": self._settings.client_id, "client_secret": secret}
        return urlencode(form)


Body = TypeVar("Body")


def _read(answer: HttpResponse, body: type[Body]) -> Body | None:
    try:
        found: Body = safe_json(answer.content, body)
    except QuarantineError:
        return None
    return found


def _consent_error(reason: str) -> ConsentError:
    return ConsentError(f"Exact Online asks for a new consent: {reason}", cure=_RECONNECT)
