"""The tables of the Business One twin and the views that its entity sets read; columns carry the vendor's names.

Columns in lower case are the twin's own. Amounts are decimal text; dates are calendar days; unset values are null.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS partner (
    CardCode TEXT PRIMARY KEY, CardName TEXT, CardType TEXT, CompanyPrivate TEXT, GroupCode INTEGER, Currency TEXT,
    Country TEXT, FederalTaxID TEXT, EmailAddress TEXT, Phone1 TEXT, ContactPerson TEXT, LanguageCode INTEGER,
    PayTermsGrpCode INTEGER, BlockDunning TEXT, DunningLevel INTEGER, DunningDate TEXT, Frozen TEXT, Valid TEXT,
    UpdateDate TEXT, street TEXT, postcode TEXT, city TEXT, unseen TEXT DEFAULT '0', version INTEGER
);
CREATE TABLE IF NOT EXISTS document (
    object TEXT, DocEntry INTEGER, DocNum INTEGER, CardCode TEXT, CardName TEXT, NumAtCard TEXT, DocDate TEXT,
    DocDueDate TEXT, TaxDate TEXT, CreationDate TEXT, UpdateDate TEXT, UpdateTime TEXT, DocTotal TEXT, DocTotalFc TEXT,
    DocCurrency TEXT, PaidToDate TEXT, PaidToDateFC TEXT, DocumentStatus TEXT, Cancelled TEXT, CancelStatus TEXT,
    BlockDunning TEXT, NumberOfInstallments INTEGER, Comments TEXT, DownPaymentType TEXT, number TEXT, base INTEGER,
    base_type INTEGER, version INTEGER,
    PRIMARY KEY (object, DocEntry)
);
CREATE INDEX IF NOT EXISTS document_number ON document (number);
CREATE INDEX IF NOT EXISTS document_customer ON document (CardCode);
CREATE TABLE IF NOT EXISTS instalment (
    object TEXT, DocEntry INTEGER, InstallmentId INTEGER, DueDate TEXT, Total TEXT, TotalFC TEXT, PaidToDate TEXT,
    PaidToDateFC TEXT, DunningLevel INTEGER, LastDunningDate TEXT, PaymentOrdered TEXT, number TEXT,
    PRIMARY KEY (object, DocEntry, InstallmentId)
);
CREATE INDEX IF NOT EXISTS instalment_number ON instalment (number);
CREATE TABLE IF NOT EXISTS payment (
    DocEntry INTEGER PRIMARY KEY, DocNum INTEGER, CardCode TEXT, CardName TEXT, DocDate TEXT, DocCurrency TEXT,
    CashSum TEXT, CashSumFC TEXT, TransferSum TEXT, TransferReference TEXT, Cancelled TEXT, CancelStatus TEXT,
    Remarks TEXT, reconciled TEXT DEFAULT '0', number TEXT, version INTEGER
);
CREATE TABLE IF NOT EXISTS applied (
    payment INTEGER, LineNum INTEGER, DocEntry INTEGER, InstallmentId INTEGER, SumApplied TEXT, AppliedFC TEXT,
    InvoiceType TEXT, PRIMARY KEY (payment, LineNum)
);
CREATE TABLE IF NOT EXISTS activity (
    ActivityCode INTEGER PRIMARY KEY, CardCode TEXT, Notes TEXT, Details TEXT, ActivityDate TEXT, Activity TEXT,
    Closed TEXT, version INTEGER
);
CREATE TABLE IF NOT EXISTS journal (
    JdtNum INTEGER PRIMARY KEY, Number INTEGER, ReferenceDate TEXT, DueDate TEXT, Memo TEXT, BlockDunningLetter TEXT,
    version INTEGER
);
CREATE TABLE IF NOT EXISTS journal_line (
    JdtNum INTEGER, Line_ID INTEGER, ShortName TEXT, AccountCode TEXT, Debit TEXT, Credit TEXT, FCDebit TEXT,
    FCCredit TEXT, FCCurrency TEXT, DueDate TEXT, LineMemo TEXT, reconciled TEXT, number TEXT,
    PRIMARY KEY (JdtNum, Line_ID)
);
CREATE INDEX IF NOT EXISTS journal_customer ON journal_line (ShortName);
CREATE INDEX IF NOT EXISTS payment_customer ON payment (CardCode);
CREATE VIEW IF NOT EXISTS partner_account AS SELECT p.*, round(unseen
    + coalesce((SELECT sum((i.Total - i.PaidToDate) * iif(d.object = 'CreditNotes', -1, 1)) FROM document d
        JOIN instalment i USING (object, DocEntry) WHERE d.CardCode = p.CardCode AND DocumentStatus = 'bost_Open'
        AND DownPaymentType IS NOT 'dptRequest'), 0)
    - coalesce((SELECT sum(CashSum - m.reconciled) FROM payment m WHERE m.CardCode = p.CardCode AND Cancelled = 'tNO'), 0)
    + coalesce((SELECT sum(SumApplied) FROM payment m JOIN applied a ON a.payment = m.DocEntry
        WHERE m.CardCode = p.CardCode AND Cancelled = 'tNO'), 0)
    + coalesce((SELECT sum(Debit - Credit - reconciled * iif(Debit + 0 > 0, 1, -1)) FROM journal_line l
        WHERE l.ShortName = p.CardCode), 0), 2) AS CurrentAccountBalance FROM partner p;
CREATE VIEW IF NOT EXISTS down_payments AS SELECT * FROM document WHERE object = 'DownPayments';
CREATE VIEW IF NOT EXISTS invoices AS SELECT * FROM document WHERE object = 'Invoices';
CREATE VIEW IF NOT EXISTS credit_notes AS SELECT * FROM document WHERE object = 'CreditNotes';
"""
