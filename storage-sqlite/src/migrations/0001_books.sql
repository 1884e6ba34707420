-- Amounts are minor units of the currency beside them; times are microseconds since 1970 (UTC); ids are the 16 bytes
-- of a UUID. Codes are listed in the views of 0002. Rows are appended in time order; what is looked up by merchant is
-- small, or found by following pointers back from the book's row (docs/adr/0003).

CREATE TABLE books (
    no             INTEGER PRIMARY KEY,
    merchant       BLOB    NOT NULL UNIQUE CHECK (length(merchant) = 16),
    seq            INTEGER NOT NULL CHECK (seq >= 0),
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    last_at        INTEGER NOT NULL,
    -- The local day that the book is in, counted from 1970.
    day            INTEGER,
    next_due       INTEGER,
    receipt_year   INTEGER,
    receipt_number INTEGER,
    last_row       INTEGER,
    last_lead      INTEGER
) STRICT;
CREATE INDEX books_due ON books (next_due, merchant) WHERE next_due IS NOT NULL;

-- The truth. `previous` is the row of the same book's entry before.
CREATE TABLE journal (
    row      INTEGER PRIMARY KEY,
    book     INTEGER NOT NULL,
    previous INTEGER,
    payload  TEXT    NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- The row of every 64th entry of a book: where a walk back through the journal can begin.
CREATE TABLE journal_marks (
    book INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    row  INTEGER NOT NULL,
    PRIMARY KEY (book, mark)
) STRICT, WITHOUT ROWID;

-- Idempotency keys. The key comes first: time-ordered keys append.
CREATE TABLE keys (
    key  TEXT    NOT NULL,
    book INTEGER NOT NULL,
    row  INTEGER NOT NULL,
    PRIMARY KEY (key, book)
) STRICT, WITHOUT ROWID;

-- Personal data and free text, erasable. `row` is that of the entry they came with.
CREATE TABLE private (
    row  INTEGER PRIMARY KEY,
    book INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    lead BLOB,
    salt BLOB    NOT NULL CHECK (length(salt) = 16),
    text TEXT    NOT NULL
) STRICT;
CREATE INDEX private_by_lead ON private (lead, book) WHERE lead IS NOT NULL;

-- The same of the leads that came in with a book's opening: one entry, many leads.
CREATE TABLE opening_private (
    book INTEGER NOT NULL,
    lead BLOB    NOT NULL CHECK (length(lead) = 16),
    seq  INTEGER NOT NULL,
    salt BLOB    NOT NULL CHECK (length(salt) = 16),
    text TEXT    NOT NULL,
    PRIMARY KEY (book, lead)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
    no              INTEGER PRIMARY KEY,
    book            INTEGER NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    currency        TEXT    NOT NULL,
    policy_version  INTEGER NOT NULL,
    minimum_value   INTEGER NOT NULL CHECK (minimum_value >= 0),
    threshold       INTEGER NOT NULL CHECK (threshold >= 0),
    rate            INTEGER NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    fixed           INTEGER NOT NULL CHECK (fixed BETWEEN 0 AND threshold),
    default_share   INTEGER NOT NULL CHECK (default_share BETWEEN 0 AND 1000000),
    window_hours    INTEGER NOT NULL CHECK (window_hours > 0),
    minimum_quality INTEGER CHECK (minimum_quality BETWEEN 1 AND 10),
    auto_stop       INTEGER NOT NULL,
    on_timeout      INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    UNIQUE (book, id)
) STRICT;

CREATE TABLE agreements (
    book       INTEGER NOT NULL,
    partner    BLOB    NOT NULL CHECK (length(partner) = 16),
    campaign   BLOB    NOT NULL CHECK (length(campaign) IN (0, 16)),
    share      INTEGER NOT NULL CHECK (share BETWEEN 0 AND 1000000),
    delay_days INTEGER NOT NULL CHECK (delay_days >= 0),
    PRIMARY KEY (book, partner, campaign)
) STRICT, WITHOUT ROWID;

CREATE TABLE deposits (
    no             INTEGER PRIMARY KEY,
    book           INTEGER NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    campaign       BLOB    CHECK (length(campaign) = 16),
    currency       TEXT    NOT NULL,
    status         INTEGER NOT NULL,
    balance        INTEGER NOT NULL,
    reserved       INTEGER NOT NULL,
    initial        INTEGER NOT NULL,
    topped_up      INTEGER NOT NULL,
    level          INTEGER NOT NULL,
    basis          INTEGER NOT NULL,
    reference      INTEGER NOT NULL,
    auto_threshold INTEGER,
    auto_amount    INTEGER,
    auto_requested INTEGER NOT NULL,
    opened_seq     INTEGER NOT NULL,
    today          TEXT    NOT NULL,
    UNIQUE (book, id),
    CHECK (0 <= reserved AND reserved <= balance)
) STRICT;

-- The accounts of a book that belong neither to a deposit nor to a partner, debit positive.
CREATE TABLE platform (
    no            INTEGER PRIMARY KEY,
    book          INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    commission    INTEGER NOT NULL,
    receivable    INTEGER NOT NULL CHECK (receivable >= 0),
    losses        INTEGER NOT NULL,
    adjustments   INTEGER NOT NULL,
    opening       INTEGER NOT NULL,
    stripe        INTEGER NOT NULL,
    cmi           INTEGER NOT NULL,
    bank_transfer INTEGER NOT NULL,
    crypto        INTEGER NOT NULL,
    manual        INTEGER NOT NULL,
    counts        TEXT    NOT NULL,
    UNIQUE (book, currency)
) STRICT;

CREATE TABLE partners (
    no        INTEGER PRIMARY KEY,
    book      INTEGER NOT NULL,
    partner   BLOB    NOT NULL CHECK (length(partner) = 16),
    currency  TEXT    NOT NULL,
    held      INTEGER NOT NULL,
    payable   INTEGER NOT NULL,
    in_payout INTEGER NOT NULL,
    paid      INTEGER NOT NULL,
    leads     TEXT    NOT NULL,
    UNIQUE (book, partner, currency)
) STRICT;
CREATE INDEX partners_by_partner ON partners (partner);

-- `campaign` and `deposit` are numbers of rows here; `previous` is the row of the same book's lead before.
CREATE TABLE leads (
    row             INTEGER PRIMARY KEY,
    book            INTEGER NOT NULL,
    previous        INTEGER,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    campaign        INTEGER NOT NULL,
    partner         BLOB    NOT NULL CHECK (length(partner) = 16),
    deposit         INTEGER NOT NULL,
    source          INTEGER NOT NULL,
    value           INTEGER NOT NULL,
    commission      INTEGER NOT NULL CHECK (commission >= 0),
    partner_part    INTEGER NOT NULL CHECK (partner_part BETWEEN 0 AND commission),
    policy_version  INTEGER NOT NULL,
    rate            INTEGER,
    share           INTEGER NOT NULL,
    delay_days      INTEGER NOT NULL,
    minimum_quality INTEGER,
    on_timeout      INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    window_hours    INTEGER NOT NULL,
    decided_at      INTEGER,
    score           INTEGER,
    part            INTEGER NOT NULL,
    created_seq     INTEGER NOT NULL,
    due_at          INTEGER
) STRICT;
CREATE UNIQUE INDEX leads_by_id ON leads (id, book);
-- Small: only what time alone will move, in the order in which it will.
CREATE INDEX leads_due ON leads (book, due_at, part, created_seq) WHERE due_at IS NOT NULL;

CREATE TABLE top_ups (
    book          INTEGER NOT NULL,
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    method        INTEGER NOT NULL,
    campaign      BLOB    CHECK (length(campaign) = 16),
    currency      TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount > 0),
    received      INTEGER NOT NULL,
    refunded      INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND received),
    status        INTEGER NOT NULL,
    reference     TEXT,
    deposit       BLOB    CHECK (length(deposit) = 16),
    receipt_year  INTEGER,
    receipt_no    INTEGER,
    succeeded_seq INTEGER,
    begun_seq     INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_references (
    book      INTEGER NOT NULL,
    method    INTEGER NOT NULL,
    reference TEXT    NOT NULL,
    top_up    BLOB    NOT NULL CHECK (length(top_up) = 16),
    PRIMARY KEY (book, method, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE payouts (
    book          INTEGER NOT NULL,
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    partner       BLOB    NOT NULL CHECK (length(partner) = 16),
    currency      TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount > 0),
    status        INTEGER NOT NULL,
    requested_seq INTEGER NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;

-- Leads refused for want of money: a figure beside the books. `day` counts days since 1970.
CREATE TABLE missed (
    book       INTEGER NOT NULL,
    lead       BLOB    NOT NULL CHECK (length(lead) = 16),
    day        INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    commission INTEGER NOT NULL,
    PRIMARY KEY (book, lead)
) STRICT, WITHOUT ROWID;

-- Local days that are over, of a book (`deposit` is empty) and of each of its deposits: what was counted, as JSON, and
-- when the book's last entry of that day was. The present day is counted in `platform.counts` and `deposits.today`.
CREATE TABLE days (
    book     INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    deposit  BLOB    NOT NULL CHECK (length(deposit) IN (0, 16)),
    day      INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    counts   TEXT    NOT NULL,
    PRIMARY KEY (book, currency, deposit, day)
) STRICT, WITHOUT ROWID;
