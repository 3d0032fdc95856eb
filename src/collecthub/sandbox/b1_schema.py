"""The tables of the Business One twin and the views that its entity sets read; columns carry the vendor's names.

Columns in lower case are the twin's own. Amounts are decimal text; dates are calendar days; unset values are null.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS partner (
    CardCode TEXT PRIMARY KEY, CardName TEXT, CardType TEXT, CompanyPrivate TEXT, GroupCode INTEGER, Currency TEXT,
    Country TEXT, FederalTaxID TEXT, EmailAddress TEXT, Phone1 TEXT, ContactPerson TEXT, LanguageCode INTEGER,
    PayTermsGrpCode INTEGER, BlockDunning TEXT, DunningLevel INTEGER, DunningDate TEXT, Frozen TEXT, Valid TEXT,
    UpdateDate TEXT, street TEXT, postcode TEXT, city TEXT, version INTEGER
);
CREATE TABLE IF NOT EXISTS document (
    object TEXT, DocEntry INTEGER, DocNum INTEGER, CardCode TEXT, CardName TEXT, NumAtCard TEXT, DocDate TEXT,
    DocDueDate TEXT, TaxDate TEXT, CreationDate TEXT, UpdateDate TEXT, UpdateTime TEXT, DocTotal TEXT, DocTotalFc TEXT,
    DocCurrency TEXT, PaidToDate TEXT, PaidToDateFC TEXT, DocumentStatus TEXT, Cancelled TEXT, CancelStatus TEXT,
    BlockDunning TEXT, NumberOfInstallments INTEGER, Comments TEXT, number TEXT, base INTEGER, version INTEGER,
    PRIMARY KEY (object, DocEntry)
);
CREATE INDEX IF NOT EXISTS document_number ON document (number);
CREATE TABLE IF NOT EXISTS instalment (
    object TEXT, DocEntry INTEGER, InstallmentId INTEGER, DueDate TEXT, Total TEXT, TotalFC TEXT, PaidToDate TEXT,
    PaidToDateFC TEXT, DunningLevel INTEGER, LastDunningDate TEXT, PaymentOrdered TEXT, number TEXT,
    PRIMARY KEY (object, DocEntry, InstallmentId)
);
CREATE INDEX IF NOT EXISTS instalment_number ON instalment (number);
CREATE TABLE IF NOT EXISTS payment (
    DocEntry INTEGER PRIMARY KEY, DocNum INTEGER, CardCode TEXT, CardName TEXT, DocDate TEXT, DocCurrency TEXT,
    CashSum TEXT, CashSumFC TEXT, TransferSum TEXT, TransferReference TEXT, Cancelled TEXT, CancelStatus TEXT,
    Remarks TEXT, number TEXT, version INTEGER
);
CREATE TABLE IF NOT EXISTS applied (
    payment INTEGER, LineNum INTEGER, DocEntry INTEGER, InstallmentId INTEGER, SumApplied TEXT, AppliedFC TEXT,
    InvoiceType TEXT, PRIMARY KEY (payment, LineNum)
);
CREATE TABLE IF NOT EXISTS activity (
    ActivityCode INTEGER PRIMARY KEY, CardCode TEXT, Notes TEXT, Details TEXT, ActivityDate TEXT, Activity TEXT,
    Closed TEXT, version INTEGER
);
CREATE VIEW IF NOT EXISTS invoices AS SELECT * FROM document WHERE object = 'Invoices';
CREATE VIEW IF NOT EXISTS credit_notes AS SELECT * FROM document WHERE object = 'CreditNotes';
"""
