"""The tables of the SAP twin and the views that its services read; columns carry the vendor's names.

Columns in lower case are the twin's own. Unset codes are empty texts, unset dates are null, as on the wire.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    CompanyCode TEXT, FiscalYear TEXT, AccountingDocument TEXT, AccountingDocumentItem TEXT,
    number TEXT, kind TEXT, Customer TEXT, FinancialAccountType TEXT, AccountingDocumentType TEXT,
    AccountingDocumentItemType TEXT, DebitCreditCode TEXT, PostingKey TEXT, SpecialGLCode TEXT, BillingDocument TEXT,
    DocumentReferenceID TEXT, AssignmentReference TEXT, DocumentItemText TEXT, PaymentReference TEXT,
    InvoiceReference TEXT, InvoiceReferenceFiscalYear TEXT, InvoiceItemReference TEXT, FollowOnDocumentType TEXT,
    IsReversal INTEGER, IsReversed INTEGER, ReverseDocument TEXT, ReverseDocumentFiscalYear TEXT,
    PostingDate TEXT, DocumentDate TEXT, DueCalculationBaseDate TEXT, NetDueDate TEXT, LastDunningDate TEXT,
    ClearingDate TEXT, ClearingCreationDate TEXT, AccountingDocumentCreationDate TEXT, LastChangeDate TEXT,
    CreationTime TEXT, PaymentTerms TEXT, NetPaymentDays TEXT, PaymentMethod TEXT, PaymentBlockingReason TEXT,
    DunningLevel TEXT, DunningBlockingReason TEXT, DunningKey TEXT, DunningArea TEXT, IsCleared INTEGER,
    ClearingAccountingDocument TEXT, ClearingDocFiscalYear TEXT, ClearingIsReversed INTEGER,
    AmountInTransactionCurrency TEXT, TransactionCurrency TEXT, AmountInCompanyCodeCurrency TEXT,
    CompanyCodeCurrency TEXT, AmountInBalanceTransacCrcy TEXT, BalanceTransactionCurrency TEXT,
    PRIMARY KEY (CompanyCode, FiscalYear, AccountingDocument, AccountingDocumentItem)
);
CREATE INDEX IF NOT EXISTS item_number ON item (number);
CREATE INDEX IF NOT EXISTS item_customer ON item (Customer);
CREATE INDEX IF NOT EXISTS item_open ON item (CompanyCode, FiscalYear, AccountingDocument) WHERE IsCleared = 0;
CREATE INDEX IF NOT EXISTS item_reference ON item (InvoiceReference) WHERE InvoiceReference <> '';
CREATE TABLE IF NOT EXISTS customer (
    Customer TEXT PRIMARY KEY, BusinessPartner TEXT UNIQUE, AddressID TEXT UNIQUE, person TEXT, relation TEXT,
    name TEXT, kind TEXT, language TEXT, country TEXT, vat TEXT, email TEXT, phone TEXT, contact TEXT, street TEXT,
    postcode TEXT, city TEXT, blocked INTEGER, archived INTEGER, created TEXT, changed TEXT, changed_time TEXT
);
CREATE TABLE IF NOT EXISTS customer_company (
    Customer TEXT, CompanyCode TEXT, PaymentTerms TEXT, PaymentBlockingReason TEXT, ReconciliationAccount TEXT,
    AccountingClerk TEXT, AccountByCustomer TEXT, PRIMARY KEY (Customer, CompanyCode)
);
CREATE TABLE IF NOT EXISTS customer_dunning (
    Customer TEXT, CompanyCode TEXT, DunningArea TEXT, DunningBlock TEXT, DunningLevel TEXT, DunningProcedure TEXT,
    DunningRecipient TEXT, LastDunnedOn TEXT, LegDunningProcedureOn TEXT, DunningClerk TEXT, version INTEGER,
    PRIMARY KEY (Customer, CompanyCode, DunningArea)
);
CREATE TABLE IF NOT EXISTS billing (
    BillingDocument TEXT PRIMARY KEY, CompanyCode TEXT, FiscalYear TEXT, AccountingDocument TEXT,
    BillingDocumentType TEXT, SDDocumentCategory TEXT, BillingDocumentDate TEXT, CreationDate TEXT,
    TotalGrossAmount TEXT, TransactionCurrency TEXT, PayerParty TEXT, SoldToParty TEXT, DocumentReferenceID TEXT,
    CustomerPaymentTerms TEXT, due TEXT, LastChangeDate TEXT, LastChangeDateTime TEXT
);
CREATE TABLE IF NOT EXISTS change_request (
    message TEXT PRIMARY KEY, received REAL, due REAL, body BLOB, outcome TEXT
);

CREATE VIEW IF NOT EXISTS cube AS
    SELECT item.*, customer.name AS CustomerName FROM item JOIN customer USING (Customer);
CREATE VIEW IF NOT EXISTS business_partner AS
    SELECT BusinessPartner, Customer, name AS BusinessPartnerFullName, name AS BusinessPartnerName,
           CASE kind WHEN 'person' THEN '1' ELSE '2' END AS BusinessPartnerCategory,
           CASE kind WHEN 'person' THEN 'X' ELSE '' END AS IsNaturalPerson,
           CASE kind WHEN 'person' THEN '' ELSE name END AS OrganizationBPName1,
           CASE kind WHEN 'person' THEN name ELSE '' END AS LastName,
           CASE kind WHEN 'public' THEN '0005' ELSE '' END AS LegalForm,
           language AS CorrespondenceLanguage, blocked AS BusinessPartnerIsBlocked, archived AS IsMarkedForArchiving,
           created AS CreationDate, changed AS LastChangeDate, changed_time AS LastChangeTime, changed AS ETag
      FROM customer
    UNION ALL
    SELECT person, '', contact, contact, '1', 'X', '', contact, '', language, 0, archived, created, changed,
           changed_time, changed
      FROM customer WHERE contact <> '';
CREATE VIEW IF NOT EXISTS customer_general AS
    SELECT Customer, name AS CustomerName, name AS CustomerFullName, vat AS VATRegistration, created AS CreationDate,
           CASE kind WHEN 'person' THEN 'CPD' WHEN 'public' THEN 'GOV' ELSE 'CUST' END AS CustomerAccountGroup,
           CASE kind WHEN 'person' THEN 'X' ELSE '' END AS NFPartnerIsNaturalPerson, blocked AS PostingIsBlocked
      FROM customer;
CREATE VIEW IF NOT EXISTS address AS
    SELECT BusinessPartner, AddressID, country AS Country, city AS CityName, postcode AS PostalCode,
           street AS StreetName, name AS FullName, language AS Language, created AS ValidityStartDate,
           '9999-12-31T23:59:59' AS ValidityEndDate
      FROM customer;
CREATE VIEW IF NOT EXISTS email AS
    SELECT AddressID, '' AS Person, '001' AS OrdinalNumber, 1 AS IsDefaultEmailAddress, email AS EmailAddress,
           upper(email) AS SearchEmailAddress
      FROM customer WHERE email <> '';
CREATE VIEW IF NOT EXISTS phone AS
    SELECT AddressID, '' AS Person, '001' AS OrdinalNumber, country AS DestinationLocationCountry,
           1 AS IsDefaultPhoneNumber, phone AS PhoneNumber, phone AS InternationalPhoneNumber, '1' AS PhoneNumberType
      FROM customer WHERE phone <> '';
CREATE VIEW IF NOT EXISTS tax AS
    SELECT BusinessPartner, country || '0' AS BPTaxType, vat AS BPTaxNumber FROM customer WHERE vat <> '';
CREATE VIEW IF NOT EXISTS contact AS
    SELECT relation AS RelationshipNumber, BusinessPartner AS BusinessPartnerCompany, person AS BusinessPartnerPerson,
           '9999-12-31T00:00:00' AS ValidityEndDate, created AS ValidityStartDate, 1 AS IsStandardRelationship,
           'BUR001' AS RelationshipCategory, '0003' AS ContactPersonFunction, '0003' AS ContactPersonDepartment,
           email AS EmailAddress, phone AS PhoneNumber
      FROM customer WHERE contact <> '';
"""
