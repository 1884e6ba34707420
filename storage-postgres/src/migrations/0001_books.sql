-- Amounts are minor units of the currency beside them, percentages are parts per million. Codes are listed in the views
-- of 0002. Every primary key of a book's rows begins with its merchant, and so does every index that is looked up by
-- merchant: the tables can be distributed by `merchant_id`, all together (docs/adr/0007).

CREATE TABLE meta (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version    integer NOT NULL,
    -- Marks the cursors that this store gives.
    store_id   uuid    NOT NULL DEFAULT gen_random_uuid(),
    -- Added to transactions' numbers: more than 0 where the books came from another server, whose numbers were higher.
    xid_offset bigint  NOT NULL DEFAULT 0
);
INSERT INTO meta (version) VALUES (0);

CREATE TABLE books (
    merchant_id    uuid        PRIMARY KEY,
    seq            bigint      NOT NULL CHECK (seq >= 0),
    hash           bytea       NOT NULL CHECK (length(hash) = 32),
    last_at        timestamptz NOT NULL,
    -- The local day that the book is in, counted from 1970.
    day            integer,
    next_due       timestamptz,
    receipt_year   integer,
    receipt_number bigint,
    -- That of the last entry.
    position       bigint      NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX books_due ON books (next_due, merchant_id) WHERE next_due IS NOT NULL;

-- The truth. `position` orders the entries of all books: the number of the transaction that wrote the entry, or that of
-- the book's entry before where it is higher. So it never falls within a book, and whoever reads only positions below
-- the oldest transaction that still runs misses none that is yet to be committed.
CREATE TABLE journal (
    merchant_id uuid        NOT NULL,
    seq         bigint      NOT NULL CHECK (seq > 0),
    position    bigint      NOT NULL,
    at          timestamptz NOT NULL,
    kind        text        NOT NULL,
    key         text,
    payload     text        NOT NULL,
    hash        bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (merchant_id, seq)
);
CREATE UNIQUE INDEX journal_by_key ON journal (merchant_id, key) WHERE key IS NOT NULL;
CREATE INDEX journal_by_position ON journal (position);

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only';
END $$;
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Personal data and free text, erasable. `seq` is that of the entry they came with.
CREATE TABLE private (
    merchant_id uuid   NOT NULL,
    seq         bigint NOT NULL,
    lead_id     uuid,
    salt        bytea  NOT NULL CHECK (length(salt) = 16),
    text        text   NOT NULL,
    PRIMARY KEY (merchant_id, seq)
);
CREATE INDEX private_by_lead ON private (merchant_id, lead_id) WHERE lead_id IS NOT NULL;

-- The same of the leads that came in with a book's opening: one entry, many leads.
CREATE TABLE opening_private (
    merchant_id uuid   NOT NULL,
    lead_id     uuid   NOT NULL,
    seq         bigint NOT NULL,
    salt        bytea  NOT NULL CHECK (length(salt) = 16),
    text        text   NOT NULL,
    PRIMARY KEY (merchant_id, lead_id)
);

CREATE TABLE campaigns (
    merchant_id         uuid     NOT NULL,
    campaign_id         uuid     NOT NULL,
    currency            text     NOT NULL,
    policy_version      bigint   NOT NULL,
    minimum_value_minor bigint   NOT NULL CHECK (minimum_value_minor >= 0),
    threshold_minor     bigint   NOT NULL CHECK (threshold_minor >= 0),
    rate                integer  NOT NULL CHECK (rate BETWEEN 0 AND 1000000),
    fixed_minor         bigint   NOT NULL CHECK (fixed_minor BETWEEN 0 AND threshold_minor),
    default_share       integer  NOT NULL CHECK (default_share BETWEEN 0 AND 1000000),
    window_hours        bigint   NOT NULL CHECK (window_hours > 0),
    minimum_quality     smallint CHECK (minimum_quality BETWEEN 1 AND 10),
    auto_stop           boolean  NOT NULL,
    on_timeout          smallint NOT NULL,
    status              smallint NOT NULL,
    PRIMARY KEY (merchant_id, campaign_id)
);

-- `campaign_id` means nothing (and is the nil UUID) where the terms are for every campaign.
CREATE TABLE agreements (
    merchant_id    uuid    NOT NULL,
    partner_id     uuid    NOT NULL,
    every_campaign boolean NOT NULL,
    campaign_id    uuid    NOT NULL,
    share          integer NOT NULL CHECK (share BETWEEN 0 AND 1000000),
    delay_days     bigint  NOT NULL CHECK (delay_days >= 0),
    PRIMARY KEY (merchant_id, partner_id, every_campaign, campaign_id)
);

CREATE TABLE deposits (
    merchant_id          uuid     NOT NULL,
    deposit_id           uuid     NOT NULL,
    campaign_id          uuid,
    currency             text     NOT NULL,
    status               smallint NOT NULL,
    balance_minor        bigint   NOT NULL,
    reserved_minor       bigint   NOT NULL,
    initial_minor        bigint   NOT NULL,
    topped_up_minor      bigint   NOT NULL,
    level                smallint NOT NULL,
    basis                smallint NOT NULL,
    reference            smallint NOT NULL,
    auto_threshold_minor bigint,
    auto_amount_minor    bigint,
    auto_requested       boolean  NOT NULL,
    opened_seq           bigint   NOT NULL,
    today                text     NOT NULL,
    PRIMARY KEY (merchant_id, deposit_id),
    CHECK (0 <= reserved_minor AND reserved_minor <= balance_minor)
) WITH (fillfactor = 50);

-- The accounts of a book that belong neither to a deposit nor to a partner, debit positive.
CREATE TABLE platform (
    merchant_id         uuid   NOT NULL,
    currency            text   NOT NULL,
    commission_minor    bigint NOT NULL,
    receivable_minor    bigint NOT NULL CHECK (receivable_minor >= 0),
    losses_minor        bigint NOT NULL,
    adjustments_minor   bigint NOT NULL,
    opening_minor       bigint NOT NULL,
    stripe_minor        bigint NOT NULL,
    cmi_minor           bigint NOT NULL,
    bank_transfer_minor bigint NOT NULL,
    crypto_minor        bigint NOT NULL,
    manual_minor        bigint NOT NULL,
    counts              text   NOT NULL,
    PRIMARY KEY (merchant_id, currency)
) WITH (fillfactor = 50);

CREATE TABLE partners (
    merchant_id     uuid   NOT NULL,
    partner_id      uuid   NOT NULL,
    currency        text   NOT NULL,
    held_minor      bigint NOT NULL,
    payable_minor   bigint NOT NULL,
    in_payout_minor bigint NOT NULL,
    paid_minor      bigint NOT NULL,
    leads           text   NOT NULL,
    PRIMARY KEY (merchant_id, partner_id, currency)
) WITH (fillfactor = 50);
-- A partner's totals are looked up over all books.
CREATE INDEX partners_by_partner ON partners (partner_id, merchant_id);

CREATE TABLE leads (
    merchant_id      uuid        NOT NULL,
    lead_id          uuid        NOT NULL,
    campaign_id      uuid        NOT NULL,
    partner_id       uuid        NOT NULL,
    deposit_id       uuid        NOT NULL,
    currency         text        NOT NULL,
    source           smallint    NOT NULL,
    value_minor      bigint      NOT NULL,
    commission_minor bigint      NOT NULL CHECK (commission_minor >= 0),
    partner_minor    bigint      NOT NULL CHECK (partner_minor BETWEEN 0 AND commission_minor),
    policy_version   bigint      NOT NULL,
    rate             integer,
    share            integer     NOT NULL,
    delay_days       bigint      NOT NULL,
    minimum_quality  smallint,
    on_timeout       smallint    NOT NULL,
    created_at       timestamptz NOT NULL,
    window_hours     bigint      NOT NULL,
    created_seq      bigint      NOT NULL,
    status           smallint    NOT NULL,
    decided_at       timestamptz,
    score            smallint,
    part             smallint    NOT NULL,
    due_at           timestamptz,
    PRIMARY KEY (merchant_id, lead_id)
);
CREATE UNIQUE INDEX leads_by_creation ON leads (merchant_id, created_seq);
-- Small: only what time alone will move, in the order in which it will.
CREATE INDEX leads_due ON leads (merchant_id, due_at, part, created_seq) WHERE due_at IS NOT NULL;

CREATE TABLE top_ups (
    merchant_id    uuid     NOT NULL,
    top_up_id      uuid     NOT NULL,
    method         smallint NOT NULL,
    campaign_id    uuid,
    currency       text     NOT NULL,
    amount_minor   bigint   NOT NULL CHECK (amount_minor > 0),
    received_minor bigint   NOT NULL,
    refunded_minor bigint   NOT NULL CHECK (refunded_minor BETWEEN 0 AND received_minor),
    status         smallint NOT NULL,
    reference      text,
    deposit_id     uuid,
    receipt_year   integer,
    receipt_number bigint,
    succeeded_seq  bigint,
    begun_seq      bigint   NOT NULL,
    PRIMARY KEY (merchant_id, top_up_id)
);

CREATE TABLE payment_references (
    merchant_id uuid     NOT NULL,
    method      smallint NOT NULL,
    reference   text     NOT NULL,
    top_up_id   uuid     NOT NULL,
    PRIMARY KEY (merchant_id, reference, method)
);

CREATE TABLE payouts (
    merchant_id   uuid     NOT NULL,
    payout_id     uuid     NOT NULL,
    partner_id    uuid     NOT NULL,
    currency      text     NOT NULL,
    amount_minor  bigint   NOT NULL CHECK (amount_minor > 0),
    status        smallint NOT NULL,
    requested_seq bigint   NOT NULL,
    PRIMARY KEY (merchant_id, payout_id)
);

-- Leads refused for want of money: a figure beside the books. `day` counts days since 1970.
CREATE TABLE missed (
    merchant_id      uuid    NOT NULL,
    lead_id          uuid    NOT NULL,
    day              integer NOT NULL,
    currency         text    NOT NULL,
    commission_minor bigint  NOT NULL,
    PRIMARY KEY (merchant_id, lead_id)
);

-- Local days that are over, counted from 1970, of a book (`whole`: `deposit_id` is the nil UUID) and of each of its
-- deposits: what was counted, as JSON, and when the book's last entry of that day was. The present day is counted in
-- `platform.counts` and `deposits.today`.
CREATE TABLE days (
    merchant_id uuid        NOT NULL,
    currency    text        NOT NULL,
    whole       boolean     NOT NULL,
    deposit_id  uuid        NOT NULL,
    day         integer     NOT NULL,
    until       timestamptz NOT NULL,
    counts      text        NOT NULL,
    PRIMARY KEY (merchant_id, currency, whole, deposit_id, day)
);
