"""The entity types of the Business One twin: those of the published type list where it is at hand, else what is needed.

The Service Layer names its enumerations as texts (`bost_Open`, `tYES`) and takes dates as quoted texts in `$filter`;
so both are strings here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collecthub.sandbox.odata import Dialect, EntityType

DIALECT = Dialect(
    functions=frozenset({"substringof", "startswith", "endswith"}),
    unknown_property="Property '{name}' of '{type}' is invalid",
    bad_guid="Query string error - Invalid symbol in the filter condition",
    syntax="Query string error - Invalid symbol in the filter condition",
)
SETS = {
    "Invoices": ("Document", "DocEntry", "invoices"),
    "DownPayments": ("Document", "DocEntry", "down_payments"),
    "CreditNotes": ("Document", "DocEntry", "credit_notes"),
    "IncomingPayments": ("Payment", "DocEntry", "payment"),
    "BusinessPartners": ("BusinessPartner", "CardCode", "partner_account"),
    "JournalEntries": ("JournalEntry", "JdtNum", "journal"),
    "Activities": ("Activity", "ActivityCode", "activity"),
}
"""Entity set to the name of its type, its key and the table or view behind it."""
NESTED = {
    "Document": ("DocumentInstallments", "DocumentLines"),
    "Payment": ("PaymentInvoices",),
    "JournalEntry": ("JournalEntryLines",),
    "BusinessPartner": ("BPAddresses", "ContactEmployees"),
}
"""Type to the collections that stand within its records."""
WRITABLE = {
    "Invoices": frozenset({"BlockDunning", "Comments"}), "DownPayments": frozenset({"BlockDunning", "Comments"}),
    "BusinessPartners": frozenset({"BlockDunning"}),
}  # fmt: skip
YES_NO = ("tYES", "tNO")
_SCALARS = {"int": "Int32", "float": "Double", "str": "String", "SapBool": "String"}


def _type(strings: str, integers: str = "", doubles: str = "") -> dict[str, str]:
    kinds = (("String", strings), ("Int32", integers), ("Double", doubles))
    return {name: edm for edm, names in kinds for name in names.split()}


_BUILT_IN = {
    "Document": _type(
        "CardCode CardName NumAtCard DocDate DocDueDate TaxDate CreationDate UpdateDate UpdateTime DocCurrency "
        "DocumentStatus Cancelled CancelStatus BlockDunning Comments DocType PaymentReference DownPaymentType",
        "DocEntry DocNum NumberOfInstallments AttachmentEntry PaymentGroupCode",
        "DocTotal DocTotalFc DocTotalSys PaidToDate PaidToDateFC PaidToDateSys DocRate",
    ),
    "Payment": _type(
        "CardCode CardName DocDate DocCurrency TransferReference TransferDate Cancelled CancelStatus Remarks DocType",
        "DocEntry DocNum",
        "CashSum CashSumFC TransferSum BillOfExchangeAmount DocRate",
    ),
    "BusinessPartner": _type(
        "CardCode CardName CardType CompanyPrivate Currency Country FederalTaxID EmailAddress Phone1 Phone2 Cellular "
        "ContactPerson BlockDunning DunningDate DunningTerm Frozen Valid UpdateDate UpdateTime",
        "GroupCode LanguageCode PayTermsGrpCode DunningLevel",
        "CurrentAccountBalance CreditLimit",
    ),
    "JournalEntry": _type("ReferenceDate DueDate TaxDate Memo Reference BlockDunningLetter", "JdtNum Number"),
    "Activity": _type("CardCode Notes Details ActivityDate Activity Closed DocType DocEntry", "ActivityCode"),
}


def entity_types(shared: Path | None) -> Mapping[str, EntityType]:
    """Entity sets with their types."""
    path = shared / "erp" / "sap" / "b1_service_layer_types.json" if shared else None
    published = json.loads(path.read_bytes())["entities"] if path is not None and path.is_file() else {}
    return {
        name: EntityType(kind, (key,), _properties(kind, published.get(kind, ())), DIALECT)
        for name, (kind, key, _) in SETS.items()
    }


def _properties(kind: str, published: list[Mapping[str, Any]]) -> dict[str, str]:
    known = {one["name"]: _SCALARS.get(one["type"], _edm(one["type"])) for one in published}
    return {**known, **_BUILT_IN[kind], **dict.fromkeys(NESTED.get(kind, ()), "Collection")}


def _edm(kind: str) -> str:
    """Enumerations are texts; lists and records cannot be filtered by."""
    return "String" if kind.endswith(("Field", "Enum")) else "Collection"
