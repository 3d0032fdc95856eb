"""The entity types of the SAP twin: those of the vendor's EDMX where it is at hand, else the properties needed here.

The built-in lists name only what the twin keeps or what a client of receivables asks for; names and Edm types are
facts of the vendor's interface.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from collecthub.sandbox.odata import Dialect, EntityType

CUBE = "API_OPLACCTGDOCITEMCUBE_SRV"
PARTNER = "API_BUSINESS_PARTNER"
BILLING = "API_BILLING_DOCUMENT_SRV"
DIALECT = Dialect(
    functions=frozenset({"substringof", "startswith", "endswith", "tolower", "toupper"}),
    unknown_property="Property '{name}' not found in type '{type}'",
    bad_guid="Invalid token detected at position '{position}'",
    syntax="Invalid token detected at position '{position}'",
)


def _entity(name: str, key: str, **names_by_type: str) -> EntityType:
    properties = {name: edm for edm, names in names_by_type.items() for name in names.split()}
    return EntityType(name, tuple(key.split()), properties, DIALECT)


_BUILT_IN = {
    CUBE: {
        "A_OperationalAcctgDocItemCube": _entity(
            f"{CUBE}.A_OperationalAcctgDocItemCubeType",
            "CompanyCode FiscalYear AccountingDocument AccountingDocumentItem",
            String=(
                "CompanyCode FiscalYear AccountingDocument AccountingDocumentItem CompanyCodeName Customer CustomerName "
                "BranchAccount FinancialAccountType AccountingDocumentType AccountingDocumentItemType DebitCreditCode "
                "PostingKey SpecialGLCode SpecialGLTransactionType BillingDocument DocumentReferenceID "
                "AssignmentReference DocumentItemText AccountingDocumentHeaderText PaymentReference SEPAMandate "
                "InvoiceReference InvoiceReferenceFiscalYear InvoiceItemReference FollowOnDocumentType ReverseDocument "
                "ReverseDocumentFiscalYear PaymentTerms PaymentMethod PaymentBlockingReason DunningLevel "
                "DunningBlockingReason DunningKey DunningArea LatePaymentReason ClearingAccountingDocument "
                "ClearingDocFiscalYear ClearingItem TransactionCurrency CompanyCodeCurrency BalanceTransactionCurrency "
                "PaymentCurrency"
            ),
            Boolean="CustomerIsInExecution IsReversal IsReversed IsCleared ClearingIsReversed",
            DateTime=(
                "PostingDate DocumentDate DueCalculationBaseDate NetDueDate CashDiscount1DueDate CashDiscount2DueDate "
                "LastDunningDate ClearingDate ClearingCreationDate AccountingDocumentCreationDate LastChangeDate"
            ),
            Time="CreationTime",
            Decimal=(
                "NetPaymentDays CashDiscount1Days CashDiscount1Percent AmountInTransactionCurrency "
                "AmountInCompanyCodeCurrency AmountInBalanceTransacCrcy AmountInPaymentCurrency CashDiscountAmount "
                "NetPaymentAmount TaxAmount"
            ),
        )
    },
    PARTNER: {
        "A_BusinessPartner": _entity(
            f"{PARTNER}.A_BusinessPartnerType",
            "BusinessPartner",
            String=(
                "BusinessPartner Customer Supplier BusinessPartnerCategory BusinessPartnerFullName BusinessPartnerName "
                "CorrespondenceLanguage FirstName LastName IsNaturalPerson Language LegalForm OrganizationBPName1 "
                "OrganizationBPName2 SearchTerm1 ETag"
            ),
            DateTime="CreationDate LastChangeDate",
            Time="CreationTime LastChangeTime",
            Boolean="BusinessPartnerIsBlocked IsMarkedForArchiving",
        ),
        "A_BusinessPartnerAddress": _entity(
            f"{PARTNER}.A_BusinessPartnerAddressType",
            "BusinessPartner AddressID",
            String=(
                "BusinessPartner AddressID CityName Country District FullName HouseNumber Language POBox PostalCode "
                "Region StreetName Person"
            ),
            DateTimeOffset="ValidityStartDate ValidityEndDate",
        ),
        "A_AddressEmailAddress": _entity(
            f"{PARTNER}.A_AddressEmailAddressType",
            "AddressID Person OrdinalNumber",
            String="AddressID Person OrdinalNumber EmailAddress SearchEmailAddress AddressCommunicationRemarkText",
            Boolean="IsDefaultEmailAddress",
        ),
        "A_AddressPhoneNumber": _entity(
            f"{PARTNER}.A_AddressPhoneNumberType",
            "AddressID Person OrdinalNumber",
            String=(
                "AddressID Person OrdinalNumber DestinationLocationCountry PhoneNumber PhoneNumberExtension "
                "InternationalPhoneNumber PhoneNumberType"
            ),
            Boolean="IsDefaultPhoneNumber",
        ),
        "A_BusinessPartnerContact": _entity(
            f"{PARTNER}.A_BusinessPartnerContactType",
            "RelationshipNumber BusinessPartnerCompany BusinessPartnerPerson ValidityEndDate",
            String="RelationshipNumber BusinessPartnerCompany BusinessPartnerPerson RelationshipCategory",
            DateTime="ValidityEndDate ValidityStartDate",
            Boolean="IsStandardRelationship",
        ),
        "A_BPContactToFuncAndDept": _entity(
            f"{PARTNER}.A_BPContactToFuncAndDeptType",
            "RelationshipNumber BusinessPartnerCompany BusinessPartnerPerson ValidityEndDate",
            String=(
                "RelationshipNumber BusinessPartnerCompany BusinessPartnerPerson ContactPersonFunction "
                "ContactPersonDepartment PhoneNumber PhoneNumberExtension EmailAddress RelationshipCategory"
            ),
            DateTime="ValidityEndDate",
        ),
        "A_BusinessPartnerTaxNumber": _entity(
            f"{PARTNER}.A_BusinessPartnerTaxNumberType",
            "BusinessPartner BPTaxType",
            String="BusinessPartner BPTaxType BPTaxNumber BPTaxLongNumber",
        ),
        "A_Customer": _entity(
            f"{PARTNER}.A_CustomerType",
            "Customer",
            String=(
                "Customer BillingIsBlockedForCustomer CustomerAccountGroup CustomerClassification CustomerFullName "
                "CustomerName NFPartnerIsNaturalPerson OrderIsBlockedForCustomer Supplier CustomerCorporateGroup "
                "TaxNumber1 VATRegistration"
            ),
            DateTime="CreationDate",
            Boolean="PostingIsBlocked DeletionIndicator",
        ),
        "A_CustomerCompany": _entity(
            f"{PARTNER}.A_CustomerCompanyType",
            "Customer CompanyCode",
            String=(
                "Customer CompanyCode AccountByCustomer AccountingClerk AccountingClerkInternetAddress "
                "AccountingClerkPhoneNumber AlternativePayerAccount CustomerAccountNote CustomerHeadOffice "
                "PaymentBlockingReason PaymentMethodsList PaymentTerms ReconciliationAccount"
            ),
            Boolean="DeletionIndicator",
        ),
        "A_CustomerDunning": _entity(
            f"{PARTNER}.A_CustomerDunningType",
            "Customer CompanyCode DunningArea",
            String=(
                "Customer CompanyCode DunningArea DunningBlock DunningLevel DunningProcedure DunningRecipient "
                "DunningClerk AuthorizationGroup CustomerAccountGroup"
            ),
            DateTime="LastDunnedOn LegDunningProcedureOn",
        ),
    },
    BILLING: {
        "A_BillingDocument": _entity(
            f"{BILLING}.A_BillingDocumentType",
            "BillingDocument",
            String=(
                "BillingDocument SDDocumentCategory BillingDocumentType CancelledBillingDocument TransactionCurrency "
                "PayerParty SoldToParty CustomerPaymentTerms CompanyCode FiscalYear AccountingDocument "
                "DocumentReferenceID DunningBlockingReason InvoiceClearingStatus PaymentReference"
            ),
            DateTime="CreationDate LastChangeDate BillingDocumentDate",
            DateTimeOffset="LastChangeDateTime",
            Decimal="TotalNetAmount TaxAmount TotalGrossAmount",
            Boolean="BillingDocumentIsCancelled",
        )
    },
}
MAX_LENGTHS = {
    "DunningBlock": 1,
    "DunningLevel": 1,
    "DunningProcedure": 4,
    "DunningRecipient": 10,
    "DunningClerk": 2,
}


def edmx_file(shared: Path | None, service: str) -> Path | None:
    """The vendor's interface description of a service, when it is at hand."""
    path = shared / "erp" / "sap" / f"{service}.edmx" if shared else None
    return path if path is not None and path.is_file() else None


def entity_types(service: str, shared: Path | None) -> Mapping[str, EntityType]:
    """Entity sets of a service with their types; those that the twin serves."""
    path = edmx_file(shared, service)
    if path is None:
        return _BUILT_IN[service]
    found = {one.get("Name", ""): one for one in ET.parse(path).iter() if one.tag.endswith("}EntityType")}
    return {
        name: _read_type(found[entity.name.partition(".")[2]], service)
        for name, entity in _BUILT_IN[service].items()
    }


def _read_type(element: ET.Element, service: str) -> EntityType:
    key = tuple(one.get("Name", "") for one in element.iter() if one.tag.endswith("}PropertyRef"))
    properties = {
        one.get("Name", ""): one.get("Type", "").removeprefix("Edm.")
        for one in element
        if one.tag.endswith("}Property")
    }
    return EntityType(f"{service}.{element.get('Name')}", key, properties, DIALECT)
