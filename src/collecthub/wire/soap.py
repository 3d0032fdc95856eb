"""SOAP calls whose outcome is never guessed: only a valid SOAP reply counts as an answer.

zeep builds requests and reads replies by the WSDL; WSDL and schemas are local files and nothing they name is
fetched. The calls themselves go through `wire.http`, replies through `wire.xml`.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import unquote, urlsplit

import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.proxy import ServiceProxy
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
_Proxy: Any = ServiceProxy
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


class Security(Protocol):
    """What is added to calls and asked of replies; `collecthub.wire.wss` speaks WS-Security."""

    def secure(self, envelope: Element) -> None: ...

    def believed_body(self, envelope: Element) -> Element | None: ...


class SoapClient:
    """Calls to one SOAP service. `endpoint` counts, whatever address the WSDL names.

    `reads` are the operations without effect: for them a lost or invalid reply is a `RetryableError`, for all
    others an `InDoubtError`. `service` and `port` are needed only when the WSDL has several. With a username,
    each call carries a WS-Security UsernameToken. Raises `ConfigurationError` for a WSDL that cannot be used or that
    reaches outside its own folder.

    `import_map` says where the files lie that the WSDL and its schemas import: an address, or a path relative to the
    WSDL's folder, to a local file or folder. Nothing else is read, and nothing is ever fetched. With `security` each
    call carries the whole WS-Security header (and the user name from there), and replies must be signed where it says so.
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
        import_map: Mapping[str, Path] | None = None,
        security: Security | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._security = security
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
        self._client = _client(wsdl_path, token, import_map or {})
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
        return self._exchange(operation, self._envelope(operation, arguments))

    def call_document(self, operation: str, document: Element, /) -> Element:
        """The same call with the whole element of the body ready made, sent as it is; returns the reply's element.

        Raises `PermanentError` when it is not the element that the WSDL wants there.
        """
        wanted = self._binding.get(operation).input.body.qname.text
        if document.tag != wanted:
            raise PermanentError(f"{operation} takes {wanted}, not {document.tag!r}.", reference=operation)
        space = _SOAP_12 if isinstance(self._binding, Soap12Binding) else _SOAP_11
        envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
        etree.SubElement(envelope, f"{{{space}}}Body").append(copy.deepcopy(document))
        if self._client.wsse:
            envelope, _ = self._client.wsse.apply(envelope, {})
        return self._exchange(operation, envelope)

    def _exchange(self, operation: str, envelope: Element) -> Element:
        if self._security is not None:
            self._security.secure(envelope)
        body = serialise(envelope)
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
        body = self._believed(operation, envelope, body)
        fault = body.find(f"{{{name.namespace}}}Fault")
        if fault is not None:
            refused = _fault(fault, operation)
            if answer.status in {401, 403} or refused.fault_code in _CREDENTIAL_FAULTS:
                raise self._no_entry(operation, f"{answer.status}, {refused.message}")
            raise refused
        if not answer.is_success or len(body) != 1:
            raise self._unreadable(operation, answer, None)
        return body[0]

    def _believed(self, operation: str, envelope: Element, body: Element) -> Element:
        """The body, or what the partner signed of it; an unsigned answer proves nothing where a signed one is agreed."""
        try:
            found = self._security.believed_body(envelope) if self._security is not None else body
        except QuarantineError as error:
            raise self._doubt(operation, f"{error.code}: {error.message}") from error
        return body if found is None else found

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


def _client(wsdl_path: Path, token: Any, import_map: Mapping[str, Path]) -> Any:
    # With a map, addresses may be named; `_LocalFiles` still hands out local files only and calls nobody.
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=not import_map)
    try:
        return _Client(
            str(wsdl_path.resolve()), wsse=token, transport=_LocalFiles(wsdl_path, import_map), settings=settings
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
        # Not by name: a binding may stand in a WSDL that this one imports, where zeep does not look for names.
        return binding, _Proxy(client, binding, address=endpoint)
    except (LookupError, StopIteration, ValueError) as error:
        raise ConfigurationError(
            f"The WSDL has no service {service!r} with a port {port!r}.", cure="Use the names in the WSDL."
        ) from error


class _LocalFiles(_Transport):  # type: ignore[misc]  # zeep is untyped
    """Hands zeep the files of the WSDL's own folder, those of the import map, and nothing else; it never calls anybody."""

    def __init__(self, wsdl_path: Path, import_map: Mapping[str, Path]) -> None:
        super().__init__()
        self._folder = wsdl_path.resolve().parent
        self._mapped = {self._absolute(address): path.resolve() for address, path in import_map.items()}

    def _absolute(self, address: str) -> str:
        return address if urlsplit(address).scheme else str((self._folder / address).resolve())

    def load(self, url: str) -> bytes:
        parts = urlsplit(str(url))
        is_file = parts.scheme in {"", "file"} and not parts.netloc
        wanted = str(Path(unquote(parts.path)).resolve()) if is_file else str(url)
        for address, target in self._mapped.items():
            if wanted == address:
                return target.read_bytes()
            if wanted.startswith(f"{address.rstrip('/')}/"):
                path = (target / wanted[len(address.rstrip("/")) + 1 :]).resolve()
                if path.is_relative_to(target):
                    return path.read_bytes()
        if not is_file or not Path(wanted).is_relative_to(self._folder):
            raise ConfigurationError(
                f"The WSDL refers to {url}, outside of its own folder.",
                cure="Save that file beside the WSDL and refer to it by its name, or name it in the import map.",
                reference=str(url),
            )
        return Path(wanted).read_bytes()
