"""The entity types of Exact Online that the twin serves: names and Edm types are facts of the vendor's interface.

Source: field names of the public clients of 2025, types completed from the reference of 2019 and from $metadata.
"""

from __future__ import annotations

from collecthub.sandbox.odata import Dialect, EntityType

DIALECT = Dialect(
    functions=frozenset({"substringof", "startswith", "endswith", "trim", "tolower", "toupper"})
)


def _entity(name: str, key: str, **names_by_type: str) -> EntityType:
    properties = {name: edm for edm, names in names_by_type.items() for name in names.split()}
    return EntityType(f"Exact.Web.Api.Models.{name}", (key,), {key: properties[key], **properties}, DIALECT)


ME = _entity(
    "System.Me",
    "UserID",
    Guid="UserID DivisionCustomer EmployeeID",
    Int32="AccountingDivision CurrentDivision DossierDivision",
    String=(
        "CustomerCode DivisionCustomerCode DivisionCustomerName DivisionCustomerSiretNumber "
        "DivisionCustomerVatNumber Email FirstName FullName Gender Initials Language LanguageCode "
        "LastName MiddleName Mobile Nationality PackageCode Phone PhoneExtension PictureUrl ServerTime "
        "ThumbnailPictureFormat Title UserName"
    ),
    Boolean=(
        "IsClientUser IsEmployeeSelfServiceUser IsMyFirmLiteUser IsMyFirmPortalUser "
        "IsOEIMigrationMandatory IsStarterUser"
    ),
    Int64="Legislation",
    Double="ServerUtcOffset",
    Binary="ThumbnailPicture",
)
DIVISION = _entity(
    "HRM.Division",
    "Code",
    Int32="Code BlockingStatus HID",
    DateTime="ArchiveDate Created Modified StartDate",
    Collection="Class_01 Class_02 Class_03 Class_04 Class_05",
    String=(
        "Country CountryDescription CreatorFullName Currency CurrencyDescription CustomerCode "
        "CustomerName Description ModifierFullName OBNumber SiretNumber TaxOfficeNumber "
        "TaxReferenceNumber TemplateCode VATNumber Website"
    ),
    Guid="Creator Customer Modifier",
    Byte="Main",
    Int16="Status",
)
SYSTEM_DIVISION = _entity(
    "System.Division",
    "Code",
    Int32="Code BlockingStatus Status",
    String=(
        "AddressLine1 AddressLine2 AddressLine3 BusinessTypeCode BusinessTypeDescription "
        "ChamberOfCommerceEstablishment ChamberOfCommerceNumber City CompanySizeCode "
        "CompanySizeDescription Country CreatorFullName Currency CustomerCode CustomerName "
        "DatevAccountantNumber DatevClientNumber Description Email Fax Legislation ModifierFullName "
        "OBNumber Phone Postcode SbiCode SbiDescription SectorCode SectorDescription SiretNumber State "
        "SubsectorCode SubsectorDescription TaxOfficeNumber TaxReferenceNumber TemplateCode VATNumber "
        "Website"
    ),
    DateTime="ArchiveDate Created DivisionHRLinkUnlinkDate DivisionMoveDate Modified StartDate",
    Collection="Class_01 Class_02 Class_03 Class_04 Class_05",
    Guid="Creator Customer Modifier",
    Boolean="Current IsDossierDivision IsHRDivision IsMainDivision IsPracticeDivision",
    Int64="Hid",
    Double="ShareCapital",
)
RECEIVABLES_LIST = _entity(
    "ReadFinancial.ReceivablesList",
    "HID",
    Int64="HID",
    String="AccountCode AccountName CurrencyCode Description JournalCode JournalDescription YourRef",
    Guid="AccountId",
    Double="Amount AmountInTransit",
    DateTime="DueDate InvoiceDate",
    Int32="EntryNumber InvoiceNumber",
    Collection="Notes",
)
RECEIVABLE = _entity(
    "Cashflow.Receivable",
    "ID",
    Guid=(
        "ID Account AccountBankAccountID AccountContact BankAccountID Creator DirectDebitMandate Document "
        "EntryID GLAccount Modifier ReceivableSelector TransactionEntryID TransactionID"
    ),
    String=(
        "AccountBankAccountNumber AccountCode AccountContactName AccountCountry AccountName "
        "BankAccountNumber CashflowTransactionBatchCode CreatorFullName Currency Description "
        "DirectDebitMandateDescription DirectDebitMandateReference DocumentSubject EndToEndID "
        "GLAccountCode GLAccountDescription Journal JournalDescription ModifierFullName PaymentCondition "
        "PaymentConditionDescription PaymentInformationID PaymentMethod PaymentReference "
        "ReceivableSelectorFullName YourRef"
    ),
    Double=(
        "AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
        "TransactionAmountDC TransactionAmountFC"
    ),
    DateTime=(
        "Created DiscountDueDate DueDate EndDate EntryDate InvoiceDate LastPaymentDate Modified "
        "ReceivableSelected TransactionDueDate"
    ),
    Int16=(
        "DirectDebitMandatePaymentType DirectDebitMandateType EndPeriod EndYear Status "
        "TransactionReportingPeriod TransactionReportingYear TransactionStatus"
    ),
    Int32=(
        "Division DocumentNumber EntryNumber InvoiceNumber OrderNumber PaymentDays PaymentDaysDiscount "
        "ReceivableBatchNumber Source TransactionType"
    ),
    Byte="IsBatchBooking",
    Boolean="IsFullyPaid TransactionIsReversal",
)
SYNC_PAYMENT_TERM = _entity(
    "Sync.Cashflow.PaymentTerm",
    "Timestamp",
    Int64="Timestamp",
    Guid=(
        "Account AccountBankAccountID AccountContact BankAccountID Creator DirectDebitMandate Document "
        "EntryID GLAccount ID Modifier PaymentSelector ReceivableSelector TransactionEntryID "
        "TransactionID"
    ),
    String=(
        "AccountBankAccountNumber AccountCode AccountContactName AccountCountry AccountName "
        "BankAccountNumber CashflowTransactionBatchCode CreatorFullName Currency Description "
        "DirectDebitMandateDescription DirectDebitMandateReference DocumentSubject EndToEndID "
        "GLAccountCode GLAccountDescription Journal JournalDescription ModifierFullName PaymentCondition "
        "PaymentConditionDescription PaymentInformationID PaymentMethod PaymentReference "
        "PaymentSelectorFullName ReceivableSelectorFullName YourRef"
    ),
    Double=(
        "AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
        "TransactionAmountDC TransactionAmountFC"
    ),
    Int16=(
        "ApprovalStatus DirectDebitMandatePaymentType DirectDebitMandateType EndPeriod EndYear LineType "
        "Status TransactionReportingPeriod TransactionReportingYear TransactionStatus"
    ),
    DateTime=(
        "Created DiscountDueDate DueDate EndDate EntryDate InvoiceDate LastPaymentDate Modified "
        "PaymentSelected ReceivableSelected TransactionDueDate"
    ),
    Int32=(
        "Division DocumentNumber EntryNumber InvoiceNumber OrderNumber PaymentBatchNumber PaymentDays "
        "PaymentDaysDiscount ReceivableBatchNumber Source TransactionType"
    ),
    Byte="IsBatchBooking",
    Boolean="IsFullyPaid TransactionIsReversal",
)
SYNC_DELETED = _entity(
    "Sync.Deleted",
    "Timestamp",
    Int64="Timestamp",
    Guid="DeletedBy EntityKey ID",
    DateTime="DeletedDate",
    Int32="Division EntityType",
)
ACCOUNT = _entity(
    "CRM.Account",
    "ID",
    Guid=(
        "ID Accountant AccountManager ActivitySector ActivitySubSector BusinessType Classification1 "
        "Classification2 Classification3 Classification4 Classification5 Classification6 Classification7 "
        "Classification8 CompanySize Creator GLAccountPurchase GLAccountSales GLAP GLAR InvoiceAccount "
        "LeadPurpose LeadSource MainContact Modifier Parent PriceList Reseller ShippingMethod"
    ),
    String=(
        "AccountManagerFullName AddressLine1 AddressLine2 AddressLine3 BSN ChamberOfCommerce City Code "
        "CodeAtSupplier Country CountryName CreatorFullName CustomField DatevCreditorCode DatevDebtorCode "
        "Email EORINumber Fax GlnNumber IncotermAddressPurchase IncotermAddressSales IncotermCodePurchase "
        "IncotermCodeSales IntraStatArea IntraStatDeliveryTerm IntraStatSystem IntraStatTransactionA "
        "IntraStatTransactionB IntraStatTransportMethod InvoiceAccountCode InvoiceAccountName Language "
        "LanguageDescription LogoFileName LogoThumbnailUrl LogoUrl ModifierFullName Name OINNumber "
        "PayAsYouEarn PaymentConditionPurchase PaymentConditionPurchaseDescription PaymentConditionSales "
        "PaymentConditionSalesDescription PeppolIdentifier Phone PhoneExtension Postcode PurchaseCurrency "
        "PurchaseCurrencyDescription PurchaseVATCode PurchaseVATCodeDescription Remarks ResellerCode "
        "ResellerName RSIN SalesCurrency SalesCurrencyDescription SalesVATCode SalesVATCodeDescription "
        "SearchCode State StateName Status TradeName Type UniqueTaxpayerReference VATLiability VATNumber "
        "Website"
    ),
    Int32=(
        "AccountManagerHID AutomaticProcessProposedEntry DeliveryAdvice Division IncotermVersionPurchase "
        "IncotermVersionSales InvoiceAttachmentType InvoicingMethod PeppolIdentifierType PurchaseLeadDays "
        "SecurityLevel ShippingLeadDays"
    ),
    Collection="BankAccounts",
    Boolean=(
        "Blocked CanDropShip EnableSalesPaymentLink HasWithholdingTaxSales IgnoreDatevWarningMessage "
        "IsExtraDuty IsPilot IsReseller IsSales IsSupplier RecepientOfCommissions ShowRemarkForSales"
    ),
    Byte=(
        "ConsolidationScenario IsAccountant IsAgency IsAnonymised IsCompetitor IsMailing "
        "SeparateInvPerSubscription"
    ),
    DateTime="ControlledDate Created EndDate EstablishedDate Modified StartDate",
    Double="CreditLinePurchase CreditLineSales DiscountPurchase DiscountSales Latitude Longitude",
    Binary="Logo",
)
CONTACT = _entity(
    "CRM.Contact",
    "ID",
    Guid=(
        "ID Account AccountMainContact Creator IdentificationDocument IdentificationUser LeadPurpose "
        "LeadSource Modifier Person"
    ),
    Boolean="AccountIsCustomer AccountIsSupplier IsMailingExcluded IsMainContact",
    String=(
        "AccountName AddressLine2 AddressStreet AddressStreetNumber AddressStreetNumberSuffix BirthPlace "
        "BusinessEmail BusinessFax BusinessMobile BusinessPhone BusinessPhoneExtension City Code Country "
        "CreatorFullName CustomField Email FirstName FullName Gender Initials JobTitleDescription "
        "Language LastName MarketingNotes MiddleName Mobile ModifierFullName Nationality Notes "
        "PartnerName PartnerNamePrefix Phone PhoneExtension PictureName PictureThumbnailUrl PictureUrl "
        "Postcode SocialSecurityNumber State Title TitleAbbreviation TitleDescription"
    ),
    DateTime="BirthDate Created EndDate IdentificationDate Modified StartDate",
    Int32="Division HID",
    Byte="IsAnonymised",
    Binary="Picture",
)
SALES_INVOICE = _entity(
    "SalesInvoice.SalesInvoice",
    "InvoiceID",
    Guid=(
        "InvoiceID Creator DeliverTo DeliverToAddress DeliverToContactPerson Document InvoiceTo "
        "InvoiceToContactPerson Modifier OrderedBy OrderedByContactPerson Salesperson ShippingMethod "
        "Warehouse"
    ),
    Double=(
        "AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount "
        "ExtraDutyAmountFC GAccountAmountFC VATAmountDC VATAmountFC WithholdingTaxAmountFC "
        "WithholdingTaxBaseAmount WithholdingTaxPercentage"
    ),
    DateTime="Created DueDate InvoiceDate Modified OrderDate",
    String=(
        "CreatorFullName Currency DeliverToContactPersonFullName DeliverToName Description "
        "DocumentSubject IncotermAddress IncotermCode InvoiceToContactPersonFullName InvoiceToName "
        "Journal JournalDescription ModifierFullName OrderedByContactPersonFullName OrderedByName "
        "PaymentCondition PaymentConditionDescription PaymentReference Remarks SalesChannel "
        "SalesChannelCode SalesChannelDescription SalespersonFullName SelectionCode SelectionCodeCode "
        "SelectionCodeDescription ShippingMethodCode ShippingMethodDescription "
        "StarterSalesInvoiceStatusDescription StatusDescription TypeDescription YourRef"
    ),
    Int16="DiscountType StarterSalesInvoiceStatus Status",
    Int32="Division DocumentNumber IncotermVersion InvoiceNumber OrderNumber Type",
    Boolean="IsExtraDuty",
    Collection="SalesInvoiceLines SalesInvoiceOrderChargeLines",
)
SALES_ENTRY_LINE = _entity(
    "SalesEntry.SalesEntryLine",
    "ID",
    Guid="ID Asset EntryID GLAccount Subscription TrackingNumber",
    Double=(
        "AmountDC AmountFC ExtraDutyAmountFC ExtraDutyPercentage Quantity StatisticalNetWeight "
        "StatisticalQuantity StatisticalValue VATAmountDC VATAmountFC VATBaseAmountDC VATBaseAmountFC "
        "VATPercentage"
    ),
    String=(
        "AssetDescription CostCenter CostCenterDescription CostUnit CostUnitDescription CustomField "
        "Description GLAccountCode GLAccountDescription IntraStatArea IntraStatCountry "
        "IntraStatDeliveryTerm IntraStatTransactionA IntraStatTransactionB IntraStatTransportMethod Notes "
        "Project ProjectDescription SerialNumber StatisticalNumber SubscriptionDescription "
        "TrackingNumberDescription VATCode VATCodeDescription"
    ),
    DateTime="From To",
    Int32="Division LineNumber Type",
)
PRINTED_SALES_INVOICE = _entity(
    "SalesInvoice.PrintedSalesInvoice",
    "InvoiceID",
    Guid="InvoiceID Document DocumentLayout EmailLayout PostboxSender",
    String=(
        "DocumentCreationError DocumentCreationSuccess EmailCreationError EmailCreationSuccess ExtraText "
        "PeppolCreationError PeppolCreationSuccess PostboxMessageCreationError "
        "PostboxMessageCreationSuccess SenderEmailAddress"
    ),
    DateTime="InvoiceDate",
    Int32="Division ReportingPeriod ReportingYear",
    Boolean=(
        "SendEmailToCustomer SendInvoiceToCustomerPostbox SendInvoiceViaPeppol SendOutputBasedOnAccount"
    ),
)
DOCUMENT = _entity(
    "Documents.Document",
    "ID",
    Guid=(
        "ID Account Category Contact Creator DocumentFolder FinancialTransactionEntryID Item Modifier "
        "Opportunity Project"
    ),
    String=(
        "AccountCode AccountName Body CategoryDescription ContactFullName ContractID ContractNumber "
        "CreatorFullName Currency DocumentFolderCode DocumentFolderDescription DocumentViewUrl "
        "EntryStatusDescription ItemCode ItemDescription Language ModifierFullName ProjectCode "
        "ProjectDescription Subject TeamsMeetingId TypeDescription"
    ),
    Boolean="ActionRegenerateEntryProposal HasEmptyBody InheritShare",
    Double="AmountFC",
    DateTime="Created DocumentDate ExpiryDate Modified",
    Int32=(
        "Division HID ProposedEntryStatus SalesInvoiceNumber SalesOrderNumber SendMethod ShopOrderNumber Type"
    ),
)
DOCUMENT_ATTACHMENT = _entity(
    "Documents.DocumentAttachment",
    "ID",
    Guid="ID Document",
    Binary="Attachment",
    String="FileName Url",
    Double="FileSize",
)
PAYMENT_CONDITION = _entity(
    "PaymentCondition",
    "ID",
    Guid="ID Creator CreditManagementScenario Modifier",
    String=(
        "Code CreatorFullName CreditManagementScenarioCode CreditManagementScenarioDescription "
        "Description DiscountCalculation ModifierFullName PaymentDiscountType PaymentMethod "
        "VATCalculation"
    ),
    DateTime="Created Modified",
    Int32="DiscountPaymentDays Division PaymentDays PaymentEndOfMonths",
    Double="DiscountPercentage Percentage",
)
WEBHOOK_SUBSCRIPTION = _entity(
    "Webhooks.WebhookSubscription",
    "ID",
    Guid="ID ClientID Creator UserID",
    String="CallbackURL CreatorFullName Description Topic",
    DateTime="Created",
    Int32="Division",
    Boolean="IsInstant",
)
COMMUNICATION_NOTE = _entity(
    "Activities.CommunicationNote",
    "ID",
    Guid="ID Account Campaign Contact Creator Document Modifier Opportunity User",
    String=(
        "AccountName CampaignDescription ContactFullName CreatorFullName DocumentSubject ModifierFullName "
        "Notes OpportunityName StatusDescription Subject UserFullName"
    ),
    Collection="Attachments",
    DateTime="Created Date Modified",
    Int32="Division HID Status",
)
TASK = _entity(
    "Activities.Task",
    "ID",
    Guid="ID Account Contact Creator CustomTaskType Document Employee Modifier Opportunity Project User",
    String=(
        "AccountName ContactFullName CreatorFullName Description DocumentSubject ModifierFullName Notes "
        "OpportunityName ProjectDescription StatusDescription TaskTypeDescription UserFullName"
    ),
    DateTime="ActionDate Created Modified",
    Collection="Attachments",
    Int32="Division HID Status TaskType",
)


def _synced(entity: EntityType, name: str) -> EntityType:
    """The type of the sync twin of an entity: the same fields, keyed by row version."""
    properties = {"Timestamp": "Int64", **entity.properties}
    return EntityType(f"Exact.Web.Api.Models.Sync.{name}", ("Timestamp",), properties, DIALECT)


SYNC_ACCOUNT = _synced(ACCOUNT, "CRM.Account")
SYNC_CONTACT = _synced(CONTACT, "CRM.Contact")
