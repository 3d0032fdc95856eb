"""SOAP calls whose outcome is never guessed: only a valid SOAP reply counts as an answer.

zeep builds requests and reads replies by the WSDL; WSDL and schemas are local files and nothing they name is
fetched. The calls themselves go through `wire.http`, replies through `wire.xml`.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.wsdl.bindings.soap import Soap12Binding
from zeep.wsse.username import UsernameToken
from zeep.xsd.const import SkipValue

from collecthub.errors import (
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse
from collecthub.wire.xml import Element, parse, serialise

logging.getLogger("zeep").setLevel(logging.INFO)  # below that it writes whole messages into the log

_Client: Any = zeep.Client  # zeep is untyped
_Transport: Any = zeep.Transport
_Token: Any = UsernameToken
_SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_CREDENTIAL_FAULTS: Final = {
    "FailedAuthentication",
    "InvalidSecurityToken",
    "FailedCheck",
}  # WS-Security 1.1, 12
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class SoapFaultError(PermanentError):
    """The service refused the call. `fault_code` is its code without prefix, such as `Client`."""

    def __init__(self, fault_code: str, text: str, *, reference: str) -> None:
        super().__init__(
            f"The service refused {reference}: {text or 'no reason given'} (fault {fault_code}).",
            cure="Correct what the service names and send it as a new message.",
            reference=reference,
        )
        self.fault_code = fault_code


class SoapClient:
    """Calls to one SOAP service. `endpoint` counts, whatever address the WSDL names.

    `reads` are the operations without effect: for them a lost or invalid reply is a `RetryableError`, for all
    others an `InDoubtError`. `service` and `port` are needed only when the WSDL has several. With a username,
    each call carries a WS-Security UsernameToken. Raises `ConfigurationError` for a WSDL that cannot be used or that
    reaches outside its own folder.
    """

    def __init__(
        self,
        wsdl_path: Path,
        endpoint: str,
        *,
        service: str = "",
        port: str = "",
        username: str = "",
        password: str = "",
        reads: Collection[str] = (),
        allow_loopback: bool = False,
        allow_networks: tuple[str, ...] = (),
        connect_seconds: float = 5,
        read_seconds: float = 60,
        total_seconds: float = 120,
        max_bytes: int = 20_000_000,
        verify: str | bool = True,
        client_cert: str | tuple[str, str] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._reads = frozenset(reads)
        self._http = HttpClient(
            endpoint,
            allow_loopback=allow_loopback,
            allow_networks=allow_networks,
            connect_seconds=connect_seconds,
            read_seconds=read_seconds,
            total_seconds=total_seconds,
            max_bytes=max_bytes,
            verify=verify,
            client_cert=client_cert,
        )
        token = _Token(username, password) if username else None
        self._client = _client(wsdl_path, token)
        self._binding, self._proxy = _binding(self._client, service, port, endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def call(self, operation: str, /, **arguments: Any) -> Any:
        """Call an operation and return what zeep makes of the reply.

        Raises `PermanentError` for arguments that do not fit the WSDL (nothing was sent), `SoapFaultError` for a
        refusal, `ConfigurationError` for refused credentials, `RetryableError` when nothing arrived or the service
        asks to come back, `InDoubtError` when there is no valid reply.
        """
        reply = SimpleNamespace(
            status_code=200,
            content=serialise(self.call_raw(operation, **arguments).getroottree().getroot()),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            encoding="utf-8",
        )
        declared = self._binding.get(operation)
        try:
            return self._binding.process_reply(self._client, declared, reply)
        except (
            Exception
        ) as error:  # whatever zeep stumbles over, the call was sent and its reply is not understood
            raise self._doubt(operation, f"the reply does not fit the WSDL ({error})") from error

    def call_raw(self, operation: str, /, **arguments: Any) -> Element:
        """The same call; returns the reply, which is the element in the Body. Much faster for big replies.

        An argument may be an element that exists already (`wire.xml.parse` of stored bytes); it is sent as it is.
        """
        body = serialise(self._envelope(operation, arguments))
        answer = self._http.request(
            "POST",
            self._endpoint,
            headers=self._headers(operation),
            body=body,
            is_safe_to_repeat=operation in self._reads,
        )
        return self._reply(operation, answer)

    def _envelope(self, operation: str, arguments: dict[str, Any]) -> Element:
        ready = {name: value for name, value in arguments.items() if isinstance(value, Element)}
        try:
            envelope: Element = self._client.create_message(
                self._proxy, operation, **{**arguments, **dict.fromkeys(ready, SkipValue)}
            )
            if ready:
                declared = dict(self._binding.get(operation).input.body.type.elements)
                order = [declared[name].qname.text for name in declared]
                _insert(
                    envelope, [(declared[name].qname.text, value) for name, value in ready.items()], order
                )
            return envelope
        except (ZeepError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise PermanentError(
                f"The call {operation} does not fit the WSDL: {error}.", reference=operation
            ) from error

    def _headers(self, operation: str) -> dict[str, str]:
        action = self._binding.get(operation).soapaction or ""
        if isinstance(self._binding, Soap12Binding):
            return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

    def _reply(self, operation: str, answer: HttpResponse) -> Element:
        if answer.status in {429, 503}:
            raise RetryableError(
                f"The service asks to come back later (HTTP {answer.status}).",
                reference=operation,
                retry_after_seconds=answer.retry_after_seconds,
            )
        try:
            envelope = parse(answer.content)
        except QuarantineError as error:
            raise self._unreadable(operation, answer, error) from error
        name = etree.QName(envelope)
        body = envelope.find(f"{{{name.namespace}}}Body")
        if name.namespace not in {_SOAP_11, _SOAP_12} or name.localname != "Envelope" or body is None:
            raise self._unreadable(operation, answer, None)
        fault = body.find(f"{{{name.namespace}}}Fault")
        if fault is not None:
            refused = _fault(fault, operation)
            if answer.status in {401, 403} or refused.fault_code in _CREDENTIAL_FAULTS:
                raise self._no_entry(operation, f"{answer.status}, {refused.message}")
            raise refused
        if not answer.is_success or len(body) != 1:
            raise self._unreadable(operation, answer, None)
        return body[0]

    def _unreadable(self, operation: str, answer: HttpResponse, error: QuarantineError | None) -> Exception:
        if answer.status in {401, 403, 404, 405}:
            return self._no_entry(operation, str(answer.status))
        why = error.message if error else "not a SOAP envelope with a reply in it"
        return self._doubt(operation, f"HTTP {answer.status}, {why}")

    def _no_entry(self, operation: str, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The service at {self._endpoint} answers HTTP {why}.",
            cure="Check the address and the credentials with the partner.",
            reference=operation,
        )

    def _doubt(self, operation: str, why: str) -> InDoubtError | RetryableError:
        if operation in self._reads:
            return RetryableError(f"{operation} got no valid SOAP reply: {why}.", reference=operation)
        return InDoubtError(
            f"{operation} got no valid SOAP reply, so its outcome is unknown: {why}.",
            cure="Ask the service for the state of this message, or send it again with the same id.",
            reference=operation,
        )


def _insert(envelope: Element, ready: list[tuple[str, Element]], order: list[str]) -> None:
    """Put elements that exist already into the message, at the places that the WSDL gives them."""
    body = envelope.find(f"{{{etree.QName(envelope).namespace}}}Body")
    message = body[0] if body is not None else envelope
    for name, element in ready:
        if element.tag != name:
            raise ValueError(f"expected the element {name}, got {element.tag!r}")
        message.append(copy.deepcopy(element))
    message[:] = sorted(message, key=lambda child: order.index(str(child.tag)))


def _fault(fault: Element, operation: str) -> SoapFaultError:
    texts = {
        etree.QName(element).localname: " ".join("".join(map(str, element.itertext())).split())
        for element in fault.iter()
        if isinstance(element.tag, str)
    }
    code = texts.get("faultcode") or texts.get("Value") or "unknown"
    text = texts.get("faultstring") or texts.get("Text") or ""
    return SoapFaultError(
        _UNPRINTABLE.sub(" ", code.rpartition(":")[2])[:60],
        _UNPRINTABLE.sub(" ", text)[:300],
        reference=operation,
    )


def _client(wsdl_path: Path, token: Any) -> Any:
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        return _Client(
            str(wsdl_path.resolve()), wsse=token, transport=_LocalFiles(wsdl_path), settings=settings
        )
    except (ZeepError, etree.LxmlError, OSError, LookupError, ValueError) as error:
        raise ConfigurationError(
            f"The WSDL {wsdl_path.name} cannot be used: {error}.", reference=wsdl_path.name
        ) from error


def _binding(client: Any, service: str, port: str, endpoint: str) -> tuple[Any, Any]:
    try:
        services = client.wsdl.services
        ports = services[service or next(iter(services))].ports
        binding = ports[port or next(iter(ports))].binding
        return binding, client.create_service(binding.name, endpoint)
    except (LookupError, StopIteration, ValueError) as error:
        raise ConfigurationError(
            f"The WSDL has no service {service!r} with a port {port!r}.", cure="Use the names in the WSDL."
        ) from error


class _LocalFiles(_Transport):  # type: ignore[misc]  # zeep is untyped
    """Hands zeep the files of the WSDL's own folder and nothing else; it never calls anybody."""

    def __init__(self, wsdl_path: Path) -> None:
        super().__init__()
        self._folder = wsdl_path.resolve().parent

    def load(self, url: str) -> bytes:
        parts = urlsplit(str(url))
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme not in {"", "file"} or parts.netloc or not path.is_relative_to(self._folder):
            raise ConfigurationError(
                f"The WSDL refers to {url}, outside of its own folder.",
                cure="Save that file beside the WSDL and refer to it by its name.",
                reference=str(url),
            )
        return path.read_bytes()
