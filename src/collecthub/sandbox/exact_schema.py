"""The tables of the Exact twin and the views that its endpoints read; columns carry the vendor's names.

Columns in lower case are the twin's own. `Timestamp` is the row version: unique in a division and rising.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS division (
    Code INTEGER PRIMARY KEY, Description TEXT, Country TEXT, Currency TEXT, Status INTEGER, version INTEGER,
    next_number INTEGER, DivisionMoveDate TEXT, Created TEXT, Modified TEXT
);
CREATE TABLE IF NOT EXISTS account (
    ID TEXT PRIMARY KEY, Division INTEGER, Timestamp INTEGER, customer_ref TEXT, Code TEXT, Name TEXT, Status TEXT,
    Type TEXT, IsSales INTEGER, Blocked INTEGER, Email TEXT, Phone TEXT, Language TEXT, Country TEXT, Postcode TEXT,
    City TEXT, AddressLine1 TEXT, VATNumber TEXT, ChamberOfCommerce TEXT, MainContact TEXT, Classification1 TEXT,
    PaymentConditionSales TEXT, CreditLineSales TEXT, SalesCurrency TEXT, Remarks TEXT, IsAnonymised INTEGER,
    InvoiceAccount TEXT, Parent TEXT, Classification2 TEXT, Classification3 TEXT, Classification4 TEXT,
    Classification5 TEXT, Classification6 TEXT, Classification7 TEXT, Classification8 TEXT,
    StartDate TEXT, EndDate TEXT, Created TEXT, Modified TEXT, UNIQUE (Division, customer_ref)
);
CREATE TABLE IF NOT EXISTS contact (
    ID TEXT PRIMARY KEY, Division INTEGER, Timestamp INTEGER, Account TEXT, FirstName TEXT, LastName TEXT,
    FullName TEXT, Email TEXT, BusinessEmail TEXT, Phone TEXT, BusinessPhone TEXT, Language TEXT,
    JobTitleDescription TEXT, IsMainContact INTEGER, IsMailingExcluded INTEGER, IsAnonymised INTEGER,
    StartDate TEXT, EndDate TEXT, Created TEXT, Modified TEXT
);
CREATE TABLE IF NOT EXISTS invoice (
    EntryID TEXT PRIMARY KEY, InvoiceID TEXT UNIQUE, document_id TEXT UNIQUE, attachment_id TEXT UNIQUE,
    Division INTEGER, number TEXT, Account TEXT, InvoiceNumber INTEGER, EntryNumber INTEGER, InvoiceDate TEXT,
    DueDate TEXT, Currency TEXT, AmountFC TEXT, AmountDC TEXT, Type INTEGER, YourRef TEXT, file_size INTEGER,
    Created TEXT, UNIQUE (Division, number)
);
CREATE TABLE IF NOT EXISTS term (
    ID TEXT PRIMARY KEY, Division INTEGER, Timestamp INTEGER, HID INTEGER, number TEXT, kind TEXT, Account TEXT,
    Status INTEGER, IsFullyPaid INTEGER, Currency TEXT, RateFC TEXT, AmountFC TEXT, AmountDC TEXT,
    TransactionAmountFC TEXT, TransactionAmountDC TEXT, TransactionType INTEGER, InvoiceNumber INTEGER,
    EntryNumber INTEGER, EntryID TEXT, TransactionEntryID TEXT, TransactionID TEXT, EntryDate TEXT, InvoiceDate TEXT,
    DueDate TEXT, TransactionDueDate TEXT, EndDate TEXT, LastPaymentDate TEXT, Description TEXT, YourRef TEXT,
    Journal TEXT, JournalDescription TEXT, PaymentMethod TEXT, PaymentReference TEXT, PaymentCondition TEXT,
    PaymentDays INTEGER, TransactionIsReversal INTEGER, Created TEXT, Modified TEXT
);
CREATE INDEX IF NOT EXISTS term_version ON term (Division, Timestamp);
CREATE INDEX IF NOT EXISTS term_open ON term (Division, HID) WHERE EndDate IS NULL;
CREATE INDEX IF NOT EXISTS term_number ON term (Division, number);
CREATE INDEX IF NOT EXISTS term_account ON term (Account);
CREATE INDEX IF NOT EXISTS invoice_number ON invoice (Division, InvoiceNumber);
CREATE INDEX IF NOT EXISTS account_version ON account (Division, Timestamp);
CREATE INDEX IF NOT EXISTS contact_account ON contact (Account);
CREATE TABLE IF NOT EXISTS deleted (
    Timestamp INTEGER, Division INTEGER, ID TEXT, EntityKey TEXT, EntityType INTEGER, DeletedBy TEXT,
    DeletedDate TEXT, PRIMARY KEY (Division, Timestamp)
);
CREATE TABLE IF NOT EXISTS condition (
    ID TEXT PRIMARY KEY, Division INTEGER, Code TEXT, Description TEXT, PaymentDays INTEGER,
    PaymentEndOfMonths INTEGER, PaymentMethod TEXT, Percentage TEXT, Created TEXT, Modified TEXT
);
CREATE INDEX IF NOT EXISTS condition_code ON condition (Division, Code);
CREATE TABLE IF NOT EXISTS line (
    ID TEXT PRIMARY KEY, Division INTEGER, EntryID TEXT, LineNumber INTEGER, Description TEXT, Quantity TEXT,
    AmountFC TEXT, VATAmountFC TEXT
);
CREATE INDEX IF NOT EXISTS line_entry ON line (EntryID);
CREATE TABLE IF NOT EXISTS mailed (
    InvoiceID TEXT, Division INTEGER, SendEmailToCustomer INTEGER, DocumentCreationSuccess TEXT,
    EmailCreationSuccess TEXT
);
CREATE TABLE IF NOT EXISTS note (
    ID TEXT PRIMARY KEY, Division INTEGER, HID INTEGER, Account TEXT, Contact TEXT, Document TEXT, User TEXT,
    Subject TEXT, Notes TEXT, Date TEXT, Status INTEGER, Creator TEXT, Created TEXT, Modified TEXT
);
CREATE TABLE IF NOT EXISTS task (
    ID TEXT PRIMARY KEY, Division INTEGER, HID INTEGER, Account TEXT, Contact TEXT, Document TEXT, User TEXT,
    Description TEXT, Notes TEXT, ActionDate TEXT, Status INTEGER, TaskType INTEGER, Creator TEXT, Created TEXT,
    Modified TEXT
);
CREATE TABLE IF NOT EXISTS subscription (
    ID TEXT PRIMARY KEY, Division INTEGER, ClientID TEXT, client TEXT, CallbackURL TEXT, Topic TEXT,
    Description TEXT, UserID TEXT, Creator TEXT, CreatorFullName TEXT, Created TEXT, validated INTEGER,
    IsInstant INTEGER, UNIQUE (Division, client, Topic)
);

CREATE VIEW IF NOT EXISTS receivable AS
    SELECT term.*, account.Code AS AccountCode, account.Name AS AccountName, account.Country AS AccountCountry,
           account.MainContact AS AccountContact, invoice.document_id AS Document,
           condition.Description AS PaymentConditionDescription
      FROM term JOIN account ON account.ID = term.Account
      LEFT JOIN invoice ON invoice.EntryID = term.TransactionEntryID
      LEFT JOIN condition ON condition.Division = term.Division AND condition.Code = term.PaymentCondition;
CREATE VIEW IF NOT EXISTS customer AS
    SELECT account.*, condition.Description AS PaymentConditionSalesDescription, other.Name AS InvoiceAccountName
      FROM account
      LEFT JOIN condition
        ON condition.Division = account.Division AND condition.Code = account.PaymentConditionSales
      LEFT JOIN account AS other ON other.ID = account.InvoiceAccount;
CREATE VIEW IF NOT EXISTS entry_line AS
    SELECT ID, Division, EntryID, LineNumber, Description, Quantity, AmountFC, VATAmountFC FROM line
    UNION ALL
    SELECT InvoiceID AS ID, Division, EntryID, 1, 'Delivery ' || number, '1', AmountFC, '0'
      FROM invoice WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.EntryID = invoice.EntryID);
CREATE VIEW IF NOT EXISTS receivables_list AS
    SELECT HID, term.Division, Account AS AccountId, Code AS AccountCode, Name AS AccountName, AmountFC AS Amount,
           '0' AS AmountInTransit, Currency AS CurrencyCode, Description, DueDate, InvoiceDate, EntryNumber,
           InvoiceNumber, Journal AS JournalCode, JournalDescription, YourRef
      FROM term JOIN account ON account.ID = term.Account WHERE term.EndDate IS NULL;
CREATE VIEW IF NOT EXISTS sales_invoice AS
    SELECT invoice.*, Account AS InvoiceTo, Account AS OrderedBy, Account AS DeliverTo, Name AS InvoiceToName,
           Name AS OrderedByName, 50 AS Status, invoice.Created AS Modified
      FROM invoice JOIN account ON account.ID = invoice.Account;
CREATE VIEW IF NOT EXISTS document AS
    SELECT document_id AS ID, invoice.Division, Account, Code AS AccountCode, Name AS AccountName,
           InvoiceNumber AS SalesInvoiceNumber, EntryID AS FinancialTransactionEntryID, 10 AS Type,
           'Invoice ' || number AS Subject, InvoiceDate AS DocumentDate, Currency, AmountFC,
           invoice.Created, invoice.Created AS Modified
      FROM invoice JOIN account ON account.ID = invoice.Account;
CREATE VIEW IF NOT EXISTS attachment AS
    SELECT attachment_id AS ID, Division, document_id AS Document, number || '.pdf' AS FileName,
           file_size AS FileSize, attachment_id AS Url
      FROM invoice;
"""
