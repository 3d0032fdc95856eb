"""What a hub sends, written by hand from the published contract: the same case as JSON and as XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from collecthub.sandbox.office_plan import track_of

Json = dict[str, Any]

NS = "urn:collecthub:case-exchange:1.0"


def case_number_on(track: str, seed: str, nth: int = 0) -> str:
    """A case number that the office with this seed puts on a track."""
    return [number for n in range(5_000) if track_of(seed, number := f"C-{n}").name == track][nth]


def case_file(case_id: str, case_number: str, *, amount: str = "250.00", currency: str = "EUR") -> Json:
    return {
        "type": "case_file", "message_id": f"m-{case_id}", "case_id": case_id, "case_number": case_number,
        "procedure": "amicable", "currency": currency, "language": "de",
        "creditor": {"name": "Brouwerij De Molen", "country": "BE"},
        "debtors": [{"name": "Zażółć & Söhne <GmbH>", "country": "DE", "address": {"lines": ["Hauptstraße 1"]}}],
        "claims": [{"claim_id": f"k-{case_id}", "invoice_ref": "INV 1", "due_on": "2026-01-31",
                    "original_amount": amount, "open_amount": amount}],
        "principal": amount, "payment": {"payee": "Brouwerij De Molen", "account": "BE71096123456769"},
    }  # fmt: skip


def amendment(case_id: str, code: str, *, principal: str = "0", name: str = "", currency: str = "EUR") -> Json:
    return {
        "type": "case_amendment", "message_id": name or f"a-{code}-{case_id}", "case_id": case_id, "code": code,
        "reason_code": "paid_at_creditor", "currency": currency, "principal": principal, "effective_on": "2026-06-15",
    }  # fmt: skip


def exchange(name: str, receiver: str, messages: Sequence[Json], sender: str = "collecthub") -> Json:
    return {
        "exchange_id": name, "version": "1.0", "sender_ref": sender, "receiver_ref": receiver,
        "created_at": "2026-06-15T08:00:00Z", "is_test": False, "message_count": len(messages),
        "messages": list(messages),
    }  # fmt: skip


def case_file_xml(case_id: str, case_number: str, *, amount: str = "250.00", document: str = "") -> str:
    money = f'currencyID="EUR">{amount}'
    return f"""<CaseFile><MessageId>m-{case_id}</MessageId><CaseId>{case_id}</CaseId>
      <CaseNumber>{escape(case_number)}</CaseNumber><Procedure>enforcement</Procedure><Currency>EUR</Currency>
      <Language>nl</Language><Creditor><Name>Brouwerij De Molen</Name></Creditor>
      <Debtor><Name>Ελένη &lt;script&gt;</Name><Kind>person</Kind>
        <Address><Line>Kerkstraat 1</Line><Country>BE</Country></Address></Debtor>
      <Claim><ClaimId>k-{case_id}</ClaimId><InvoiceRef>INV 1</InvoiceRef><DueOn>2026-01-31</DueOn>
        <OriginalAmount {money}</OriginalAmount><OpenAmount {money}</OpenAmount></Claim>
      <Principal {money}</Principal><Payment><Payee>Brouwerij De Molen</Payee></Payment>{document}</CaseFile>"""


def amendment_xml(case_id: str, code: str, principal: str = "0") -> str:
    return f"""<CaseAmendment><MessageId>a-{code}-{case_id}</MessageId><CaseId>{case_id}</CaseId><Code>{code}</Code>
      <ReasonCode>paid_at_creditor</ReasonCode><Currency>EUR</Currency>
      <Principal currencyID="EUR">{principal}</Principal><EffectiveOn>2026-06-15</EffectiveOn></CaseAmendment>"""


def exchange_xml(
    name: str, receiver: str, messages: Sequence[str], *, sender: str = "collecthub", count: int | None = None
) -> str:
    return f"""<Exchange xmlns="{NS}"><ExchangeId>{name}</ExchangeId><Version>1.0</Version>
      <SenderRef>{sender}</SenderRef><ReceiverRef>{receiver}</ReceiverRef><CreatedAt>2026-06-15T08:00:00Z</CreatedAt>
      <MessageCount>{len(messages) if count is None else count}</MessageCount><Messages>{"".join(messages)}</Messages>
      </Exchange>"""
