"""Speaks SDT's published contract: what to send, and what each of its answers means for the sender."""

from __future__ import annotations

import re
from functools import cached_property

from collecthub.sdk import ConfigurationError, InDoubtError, PermanentError, RetryableError
from collecthub.wire.soap import SoapClient, SoapFaultError
from collecthub.wire.soap_service import element
from collecthub.wire.xml import Element
from collecthub_hmcts_sdt.contract import BULK_REPLY, FEEDBACK, FEEDBACK_REPLY, IMPORTS, QUERY_REPLY, WSDL
from collecthub_hmcts_sdt.mapping import status_of, text
from collecthub_hmcts_sdt.settings import HmctsSdtSettings

# "... and the SDT Bulk Reference MCOL-20130722000000-000000001 was allocated." (error_messages of hmcts/civil-sdt)
_ALLOCATED = re.compile(r"SDT Bulk Reference (\S{29}) was allocated")
_LATER = frozenset({"SDT_INT_ERR", "TAR_APP_BUSY", "TAR_APP_ERROR", "REQ_NOT_ACK"})
_SETTINGS = frozenset({"CUST_NOT_SETUP", "CUST_ID_INVALID"})
_READS = ("getBulkFeedback", "submitQuery")


class SdtClient:
    """The SDT service. Every method raises the error that tells its caller what to do."""

    def __init__(self, settings: HmctsSdtSettings, *, allow_loopback: bool) -> None:
        self._settings = settings
        self._allow_loopback = allow_loopback

    @cached_property
    def _soap(self) -> SoapClient:
        given = self._settings
        certificate = str(given.client_certificate_file) if given.client_certificate_file else None
        key = str(given.client_key_file) if given.client_key_file else None
        return SoapClient(
            WSDL, given.endpoint, username=given.username, password=given.password.get_secret_value(), reads=_READS,
            import_map=IMPORTS, allow_loopback=self._allow_loopback,
            client_cert=(certificate, key) if certificate and key else certificate,
        )

    def ready(self) -> str:
        """Read the contract; returns its name. Raises `ConfigurationError`."""
        _ = self._soap
        return WSDL.name

    def close(self) -> None:
        """Give the connection back."""
        if "_soap" in self.__dict__:
            self._soap.close()

    def submit(self, exchange_id: str, bulk: Element) -> tuple[str, bool]:
        """Hand a bulk request over; returns SDT's reference for it and whether SDT had it before.

        Raises `InDoubtError` unless the answer is about this very request.
        """
        reply = self._called("submitBulk", bulk)
        code, error, words = status_of(reply)
        answered = text(reply, f"{BULK_REPLY}customerReference")
        if reply.tag != f"{BULK_REPLY}bulkResponse" or answered != exchange_id or not code:
            raise InDoubtError(
                f"bulk request {exchange_id} was answered with {reply.tag} for {answered[:40]!r}",
                cure="It is submitted again under the same reference; SDT refuses a second one and names the first.",
                reference=exchange_id,
            )
        if error == "DUP_CUST_FILEID":
            return self._allocated(exchange_id, reply, words), True
        if code != "Ok":
            raise _refusal(error, words, exchange_id)
        return text(reply, f"{BULK_REPLY}sdtBulkReference"), False

    def _allocated(self, exchange_id: str, reply: Element, words: str) -> str:
        found = _ALLOCATED.search(words)
        reference = text(reply, f"{BULK_REPLY}sdtBulkReference") or (found[1] if found else "")
        if not reference:
            raise InDoubtError(
                f"SDT has the bulk request {exchange_id}, but did not say under which reference",
                cure="Ask HMCTS for the SDT bulk reference of this customer reference.", reference=exchange_id,
            )
        return reference

    def feedback(self, reference: str) -> Element:
        """What became of the requests of a bulk."""
        document = element(f"{FEEDBACK}bulkFeedbackRequest")
        header = element(f"{FEEDBACK}header", parent=document)
        element(f"{FEEDBACK}sdtCustomerId", self._settings.sdt_customer_id, header)
        element(f"{FEEDBACK}sdtBulkReference", reference, header)
        reply = self._called("getBulkFeedback", document)
        told = text(reply, f"{FEEDBACK_REPLY}sdtBulkReference")
        if reply.tag != f"{FEEDBACK_REPLY}bulkFeedbackResponse" or told not in ("", reference):
            raise RetryableError(f"SDT answered the question for {reference} with {reply.tag} for {told[:40]!r}")
        return self._settled(reply, reference)

    def query(self, document: Element) -> Element:
        """Answers to a question of ours."""
        reply = self._called("submitQuery", document)
        if reply.tag != f"{QUERY_REPLY}submitQueryResponse":
            raise RetryableError(f"SDT answered a query with {reply.tag}")
        return self._settled(reply, "submitQuery")

    def _settled(self, reply: Element, reference: str) -> Element:
        code, error, words = status_of(reply)
        if code == "Error":
            raise _refusal(error, words, reference)
        return reply

    def _called(self, operation: str, document: Element) -> Element:
        try:
            return self._soap.call_document(operation, document)
        except SoapFaultError as fault:
            if fault.fault_code not in ("Server", "Receiver"):
                raise
            if operation in _READS:
                raise RetryableError(fault.message, cure="It is tried again by itself.") from fault
            raise InDoubtError(
                fault.message, cure="It is submitted again under the same reference, which SDT takes once."
            ) from fault


def _refusal(code: str, words: str, reference: str) -> PermanentError | RetryableError | ConfigurationError:
    """The error for SDT's own error code."""
    said = f"SDT says {code or 'Error'}: {words[:300] or 'no reason given'}"
    if code in _LATER:
        return RetryableError(said, cure="It is tried again by itself.", reference=reference)
    if code in _SETTINGS:
        return ConfigurationError(said, cure="Check the customer number with HMCTS.", reference=reference)
    return PermanentError(said, cure="Correct what SDT names and send the case anew.", reference=reference)
