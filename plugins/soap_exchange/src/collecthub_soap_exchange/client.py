"""Speaks the published WSDL with one office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collecthub.sdk import ConfigurationError, InDoubtError, QuarantineError, RetryableError, Verdict
from collecthub.wire.crypto import load_certificate, load_identity
from collecthub.wire.soap import Security, SoapClient, SoapFaultError
from collecthub.wire.xml import Element, parse
from collecthub_soap_exchange.mapping import CASE, SERVICE, is_true, text_of, verdict_arguments
from collecthub_soap_exchange.settings import SoapExchangeSettings

# Operations that may be repeated at will: no answer is then a reason to ask again, not to doubt.
_REPEATABLE = ("GetExchangeState", "FetchExchanges", "AcknowledgeExchange", "GetAccounts")

# Fault codes of WS-Security (SOAP Message Security 1.1, 12) that speak of the login.
_LOGIN_FAULTS = frozenset({"FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken"})


class ExchangeClient:
    """The office's exchange service. Every method raises the error that tells its caller what to do."""

    def __init__(
        self, settings: SoapExchangeSettings, *, allow_loopback: bool, now: Callable[[], dt.datetime]
    ) -> None:
        self._soap = SoapClient(
            settings.wsdl_path,
            settings.endpoint,
            username="" if settings.signs else settings.username,
            password=settings.password.get_secret_value(),
            import_map=settings.import_map,
            security=_security(settings, now) if settings.signs else None,
            reads=_REPEATABLE,
            allow_loopback=allow_loopback,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._soap.close()

    def submit(self, exchange_id: str, content: bytes) -> Element:
        """Hand an exchange over. Raises `InDoubtError` unless the reply is about this very exchange."""
        with _faults_understood(is_repeatable=False):
            reply = self._soap.call_raw("SubmitExchange", Exchange=parse(content))
        answered = text_of(reply, f"{SERVICE}ExchangeId")
        if reply.tag != f"{SERVICE}SubmitExchangeResponse" or answered != exchange_id:
            raise InDoubtError(
                f"exchange {exchange_id} was answered with {reply.tag} for {answered!r}",
                cure="The hub asks the office what became of it before anything is sent again.",
                reference=exchange_id,
            )
        return reply

    def knows(self, exchange_id: str) -> bool:
        """Whether the office has an exchange."""
        reply = self._ask("GetExchangeState", ExchangeId=exchange_id)
        if text_of(reply, f"{SERVICE}ExchangeId") != exchange_id:
            raise RetryableError(f"the office told the state of another exchange than {exchange_id}")
        return is_true(reply, f"{SERVICE}Known")

    def fetch(self, after: str, limit: int) -> Element:
        """Exchanges that wait for the hub after a cursor."""
        return self._ask("FetchExchanges", Limit=limit, **({"AfterCursor": after} if after else {}))

    def give_verdict(self, exchange_id: str, verdict: Verdict) -> None:
        """Tell the office what became of its exchange; the same verdict again changes nothing."""
        self._ask("AcknowledgeExchange", ExchangeId=exchange_id, **verdict_arguments(verdict))

    def accounts(self) -> Element:
        """The office's books, an Accounts element."""
        found = self._ask("GetAccounts").find(f"{CASE}Accounts")
        if found is None:
            raise QuarantineError("the office answered without its books", code="accounts.invalid")
        return found

    def _ask(self, operation: str, **arguments: object) -> Element:
        with _faults_understood(is_repeatable=True):
            reply = self._soap.call_raw(operation, **arguments)
        if reply.tag != f"{SERVICE}{operation}Response":
            raise RetryableError(f"{operation} was answered with {reply.tag}", cure="It is tried again by itself.")
        return reply


def _security(settings: SoapExchangeSettings, now: Callable[[], dt.datetime]) -> Security:
    """WS-Security as the settings say. Raises `ConfigurationError` where its library is not installed."""
    try:
        from collecthub.wire.sign import SigningKey
        from collecthub.wire.wss import MessageSecurity
    except ImportError as error:
        raise ConfigurationError(
            "Signed SOAP messages need the extra `xml`.", cure="Install collecthub[xml], or ask the office to do without."
        ) from error
    key = None
    if settings.own_key is not None:
        pair = load_identity(settings.own_key.get_secret_value().encode(), settings.own_certificate.encode())
        key = SigningKey.of(pair)
    return MessageSecurity(
        username=settings.username, password=settings.password.get_secret_value(), key=key, now=now,
        trusted=tuple(load_certificate(pem.encode()) for pem in settings.partner_certificates),
    )


@contextmanager
def _faults_understood(*, is_repeatable: bool) -> Iterator[None]:
    """Tell faults apart: a refused login is for the settings, a fault of the server leaves the outcome open."""
    try:
        yield
    except SoapFaultError as fault:
        if fault.fault_code in _LOGIN_FAULTS:
            raise ConfigurationError(fault.message, cure="Check user name and password with the office.") from fault
        if fault.fault_code not in ("Server", "Receiver"):
            raise
        if is_repeatable:
            raise RetryableError(fault.message, cure="It is tried again by itself.") from fault
        raise InDoubtError(
            fault.message, cure="The hub asks the office what became of it before anything is sent again."
        ) from fault
