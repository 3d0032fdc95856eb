"""What a plugin imports: this module and `collecthub.wire`, nothing else of the core.

The names below are stable within a major version.
"""

from __future__ import annotations

import pluggy

from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    ContractError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Phase, Status, StatusCode
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import (
    AccountLine,
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    ClaimItem,
    CostBearer,
    CostStatement,
    Decoded,
    DocumentItem,
    Exchange,
    Fault,
    InstructionCode,
    Message,
    PaymentInstruction,
    PaymentReport,
    Procedure,
)
from collecthub.model.ids import derived_id, new_id
from collecthub.model.invoice import ItemKind, ItemState, RawInvoice, RefusedRow
from collecthub.model.money import Money, minor_units, parse_amount, round_amount
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.ports import (
    CaseFormat,
    CaseReport,
    CaseReporter,
    Checkable,
    CheckStep,
    ConnectorContext,
    ControlTotal,
    DebtorRecord,
    DebtorSource,
    DeliveryState,
    Dispatcher,
    DocumentSource,
    Envelope,
    HookAnswer,
    HookReceiver,
    HookRequest,
    InvoiceDocument,
    InvoiceSource,
    Journal,
    OpenItem,
    OpenItemBooks,
    Page,
    PartnerBooks,
    PartnerProfile,
    RawMessage,
    Receipt,
    RouteProposal,
    StatusSource,
    Vault,
    Verdict,
    Veto,
)
from collecthub.registers import ConnectorRole, ConnectorSpec

hookimpl = pluggy.HookimplMarker("collecthub")

__all__ = [name for name in dir() if not name.startswith("_") and name not in {"annotations", "pluggy"}]
