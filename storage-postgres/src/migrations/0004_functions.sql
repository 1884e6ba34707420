-- What a batch does every time, as functions: a server connection plans their statements once, although no statement of
-- the ledger has a name (docs/adr/0008). They run with the rights of who calls them.

-- The heads of books, locked in the order of their merchants. First come the transaction's settings, all of which end with
-- it: the names that its other statements use, its time-outs, and plans that do not change with what the server has
-- counted, since every join is by a key.
CREATE FUNCTION lock_books(merchants uuid[], lock_timeout text, statement_timeout text, idle_timeout text)
RETURNS SETOF books LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', '{schema}, pg_temp', true), set_config('lock_timeout', lock_timeout, true),
        set_config('statement_timeout', statement_timeout, true),
        set_config('idle_in_transaction_session_timeout', idle_timeout, true),
        set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
        set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
        set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);
    RETURN QUERY SELECT * FROM books WHERE merchant_id = ANY (merchants) ORDER BY merchant_id FOR UPDATE;
END $$;

-- What a batch needs of books that are not kept in memory, or not wholly.
CREATE FUNCTION load_campaigns(merchants uuid[]) RETURNS SETOF campaigns LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT * FROM campaigns WHERE merchant_id = ANY (merchants);
END $$;

CREATE FUNCTION load_open_deposits(merchants uuid[]) RETURNS SETOF deposits LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT * FROM deposits WHERE merchant_id = ANY (merchants) AND status <> 3;
END $$;

CREATE FUNCTION load_platform(merchants uuid[]) RETURNS SETOF platform LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT * FROM platform WHERE merchant_id = ANY (merchants);
END $$;

-- A partner's terms for a campaign, or for every one, and its accounts in a currency, or else in the campaign's (MAD where
-- it is not there yet); nulls for what has no row.
CREATE FUNCTION load_terms(
    merchants uuid[], partner_ids uuid[], every boolean[], campaign_ids uuid[], currencies text[]
) RETURNS TABLE (
    merchant_id uuid, partner_id uuid, every_campaign boolean, campaign_id uuid, share integer, delay_days bigint,
    currency text, accounts partners
) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT n.merchant_id, n.partner_id, n.every_campaign, n.campaign_id, a.share, a.delay_days,
            coalesce(n.currency, c.currency, 'MAD'), p
        FROM unnest(merchants, partner_ids, every, campaign_ids, currencies)
            n (merchant_id, partner_id, every_campaign, campaign_id, currency)
        LEFT JOIN agreements a ON a.merchant_id = n.merchant_id AND a.partner_id = n.partner_id
            AND a.every_campaign = n.every_campaign AND a.campaign_id = n.campaign_id
        LEFT JOIN campaigns c ON c.merchant_id = n.merchant_id AND c.campaign_id = n.campaign_id
        LEFT JOIN partners p ON p.merchant_id = n.merchant_id AND p.partner_id = n.partner_id
            AND p.currency = coalesce(n.currency, c.currency, 'MAD');
END $$;

-- Leads, each with its partner's accounts and its deposit.
CREATE FUNCTION load_leads(merchants uuid[], lead_ids uuid[])
RETURNS TABLE (l leads, p partners, d deposits) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t, a, b FROM unnest(merchants, lead_ids) n (merchant_id, lead_id)
        JOIN leads t USING (merchant_id, lead_id)
        LEFT JOIN partners a ON a.merchant_id = t.merchant_id AND a.partner_id = t.partner_id AND a.currency = t.currency
        LEFT JOIN deposits b ON b.merchant_id = t.merchant_id AND b.deposit_id = t.deposit_id;
END $$;

-- Writes entries, and the rows that most entries change: for each table one array a column.
CREATE FUNCTION write_books(
    entry_merchant_id uuid[], entry_seq bigint[], entry_before bigint[], entry_at timestamptz[], entry_kind text[],
    entry_key text[], entry_payload text[], entry_hash bytea[], head_merchant_id uuid[], head_before bigint[],
    head_seq bigint[], head_hash bytea[], head_last_at timestamptz[], head_day bigint[], head_next_due timestamptz[],
    head_receipt_year bigint[], head_receipt_number bigint[], head_moved boolean[], deposit_merchant_id uuid[],
    deposit_deposit_id uuid[], deposit_campaign_id uuid[], deposit_currency text[], deposit_status bigint[],
    deposit_balance_minor bigint[], deposit_reserved_minor bigint[], deposit_initial_minor bigint[],
    deposit_topped_up_minor bigint[], deposit_level bigint[], deposit_basis bigint[], deposit_reference bigint[],
    deposit_auto_threshold_minor bigint[], deposit_auto_amount_minor bigint[], deposit_auto_requested boolean[],
    deposit_opened_seq bigint[], deposit_today text[], platform_merchant_id uuid[], platform_currency text[],
    platform_commission_minor bigint[], platform_receivable_minor bigint[], platform_losses_minor bigint[],
    platform_adjustments_minor bigint[], platform_opening_minor bigint[], platform_stripe_minor bigint[], platform_cmi_minor bigint[],
    platform_bank_transfer_minor bigint[], platform_crypto_minor bigint[], platform_manual_minor bigint[], platform_counts text[],
    partner_merchant_id uuid[], partner_partner_id uuid[], partner_currency text[], partner_held_minor bigint[],
    partner_payable_minor bigint[], partner_in_payout_minor bigint[], partner_paid_minor bigint[], partner_leads text[],
    lead_merchant_id uuid[], lead_lead_id uuid[], lead_campaign_id uuid[], lead_partner_id uuid[],
    lead_deposit_id uuid[], lead_currency text[], lead_source bigint[], lead_value_minor bigint[],
    lead_commission_minor bigint[], lead_partner_minor bigint[], lead_policy_version bigint[], lead_rate bigint[],
    lead_share bigint[], lead_delay_days bigint[], lead_minimum_quality bigint[], lead_on_timeout bigint[],
    lead_created_at timestamptz[], lead_window_hours bigint[], lead_created_seq bigint[], lead_status bigint[],
    lead_decided_at timestamptz[], lead_score bigint[], lead_part bigint[], lead_due_at timestamptz[],
    move_merchant_id uuid[], move_lead_id uuid[], move_status bigint[], move_decided_at timestamptz[],
    move_score bigint[], move_part bigint[], move_due_at timestamptz[]
) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    -- Where new entries stand among those of all books: at this transaction's number, or where their book's last is.
    here bigint := (SELECT pg_current_xact_id()::text::bigint + xid_offset FROM meta);
    met bigint;
BEGIN
    INSERT INTO journal (merchant_id, seq, position, at, kind, key, payload, hash)
    SELECT n.merchant_id, n.seq, greatest(n.before, here), n.at, n.kind, n.key, n.payload, n.hash
    FROM unnest(
        entry_merchant_id, entry_seq, entry_before, entry_at, entry_kind, entry_key, entry_payload, entry_hash
    ) n (merchant_id, seq, before, at, kind, key, payload, hash);
    -- The lock has kept them where they were; if anything got past it, nothing is written.
    UPDATE books b SET
        seq = n.seq, hash = n.hash, last_at = n.last_at, day = n.day, next_due = n.next_due, receipt_year = n.receipt_year,
        receipt_number = n.receipt_number, position = CASE WHEN n.moved THEN greatest(b.position, here) ELSE b.position END
    FROM unnest(
        head_merchant_id, head_before, head_seq, head_hash, head_last_at, head_day, head_next_due, head_receipt_year,
        head_receipt_number, head_moved
    ) n (merchant_id, before, seq, hash, last_at, day, next_due, receipt_year, receipt_number, moved)
    WHERE b.merchant_id = n.merchant_id AND b.seq = n.before;
    GET DIAGNOSTICS met = ROW_COUNT;
    IF met <> cardinality(head_merchant_id) THEN
        RAISE EXCEPTION '% of % books are there', met, cardinality(head_merchant_id) USING ERRCODE = 'LL001';
    END IF;
    IF cardinality(deposit_merchant_id) > 0 THEN
        UPDATE deposits t SET
            campaign_id = n.campaign_id, currency = n.currency, status = n.status, balance_minor = n.balance_minor,
            reserved_minor = n.reserved_minor, initial_minor = n.initial_minor, topped_up_minor = n.topped_up_minor,
            level = n.level, basis = n.basis, reference = n.reference, auto_threshold_minor = n.auto_threshold_minor,
            auto_amount_minor = n.auto_amount_minor, auto_requested = n.auto_requested, opened_seq = n.opened_seq,
            today = n.today
        FROM unnest(
            deposit_merchant_id, deposit_deposit_id, deposit_campaign_id, deposit_currency, deposit_status,
            deposit_balance_minor, deposit_reserved_minor, deposit_initial_minor, deposit_topped_up_minor,
            deposit_level, deposit_basis, deposit_reference, deposit_auto_threshold_minor, deposit_auto_amount_minor,
            deposit_auto_requested, deposit_opened_seq, deposit_today
        ) n (
            merchant_id, deposit_id, campaign_id, currency, status, balance_minor, reserved_minor, initial_minor,
            topped_up_minor, level, basis, reference, auto_threshold_minor, auto_amount_minor, auto_requested,
            opened_seq, today
        )
        WHERE t.merchant_id = n.merchant_id AND t.deposit_id = n.deposit_id;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met <> cardinality(deposit_merchant_id) THEN
            INSERT INTO deposits (
                merchant_id, deposit_id, campaign_id, currency, status, balance_minor, reserved_minor, initial_minor,
                topped_up_minor, level, basis, reference, auto_threshold_minor, auto_amount_minor, auto_requested,
                opened_seq, today
            )
            SELECT * FROM unnest(
                deposit_merchant_id, deposit_deposit_id, deposit_campaign_id, deposit_currency, deposit_status,
                deposit_balance_minor, deposit_reserved_minor, deposit_initial_minor, deposit_topped_up_minor,
                deposit_level, deposit_basis, deposit_reference, deposit_auto_threshold_minor,
                deposit_auto_amount_minor, deposit_auto_requested, deposit_opened_seq, deposit_today
            )
            ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    IF cardinality(platform_merchant_id) > 0 THEN
        UPDATE platform t SET
            commission_minor = n.commission_minor, receivable_minor = n.receivable_minor, losses_minor = n.losses_minor,
            adjustments_minor = n.adjustments_minor, opening_minor = n.opening_minor, stripe_minor = n.stripe_minor, cmi_minor = n.cmi_minor,
            bank_transfer_minor = n.bank_transfer_minor, crypto_minor = n.crypto_minor, manual_minor = n.manual_minor,
            counts = n.counts
        FROM unnest(
            platform_merchant_id, platform_currency, platform_commission_minor, platform_receivable_minor,
            platform_losses_minor, platform_adjustments_minor, platform_opening_minor, platform_stripe_minor, platform_cmi_minor,
            platform_bank_transfer_minor, platform_crypto_minor, platform_manual_minor, platform_counts
        ) n (
            merchant_id, currency, commission_minor, receivable_minor, losses_minor, adjustments_minor, opening_minor, stripe_minor,
            cmi_minor, bank_transfer_minor, crypto_minor, manual_minor, counts
        )
        WHERE t.merchant_id = n.merchant_id AND t.currency = n.currency;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met <> cardinality(platform_merchant_id) THEN
            INSERT INTO platform (
                merchant_id, currency, commission_minor, receivable_minor, losses_minor, adjustments_minor, opening_minor,
                stripe_minor, cmi_minor, bank_transfer_minor, crypto_minor, manual_minor, counts
            )
            SELECT * FROM unnest(
                platform_merchant_id, platform_currency, platform_commission_minor, platform_receivable_minor,
                platform_losses_minor, platform_adjustments_minor, platform_opening_minor, platform_stripe_minor, platform_cmi_minor,
                platform_bank_transfer_minor, platform_crypto_minor, platform_manual_minor, platform_counts
            )
            ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    IF cardinality(partner_merchant_id) > 0 THEN
        UPDATE partners t SET
            held_minor = n.held_minor, payable_minor = n.payable_minor, in_payout_minor = n.in_payout_minor,
            paid_minor = n.paid_minor, leads = n.leads
        FROM unnest(
            partner_merchant_id, partner_partner_id, partner_currency, partner_held_minor, partner_payable_minor,
            partner_in_payout_minor, partner_paid_minor, partner_leads
        ) n (
            merchant_id, partner_id, currency, held_minor, payable_minor, in_payout_minor, paid_minor, leads
        )
        WHERE t.merchant_id = n.merchant_id AND t.partner_id = n.partner_id AND t.currency = n.currency;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met <> cardinality(partner_merchant_id) THEN
            INSERT INTO partners (
                merchant_id, partner_id, currency, held_minor, payable_minor, in_payout_minor, paid_minor, leads
            )
            SELECT * FROM unnest(
                partner_merchant_id, partner_partner_id, partner_currency, partner_held_minor, partner_payable_minor,
                partner_in_payout_minor, partner_paid_minor, partner_leads
            )
            ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    IF cardinality(lead_merchant_id) > 0 THEN
        INSERT INTO leads (
            merchant_id, lead_id, campaign_id, partner_id, deposit_id, currency, source, value_minor, commission_minor,
            partner_minor, policy_version, rate, share, delay_days, minimum_quality, on_timeout, created_at,
            window_hours, created_seq, status, decided_at, score, part, due_at
        )
        SELECT * FROM unnest(
            lead_merchant_id, lead_lead_id, lead_campaign_id, lead_partner_id, lead_deposit_id, lead_currency,
            lead_source, lead_value_minor, lead_commission_minor, lead_partner_minor, lead_policy_version, lead_rate,
            lead_share, lead_delay_days, lead_minimum_quality, lead_on_timeout, lead_created_at, lead_window_hours,
            lead_created_seq, lead_status, lead_decided_at, lead_score, lead_part, lead_due_at
        );
    END IF;
    IF cardinality(move_merchant_id) > 0 THEN
        UPDATE leads t SET
            status = n.status, decided_at = n.decided_at, score = n.score, part = n.part, due_at = n.due_at
        FROM unnest(
            move_merchant_id, move_lead_id, move_status, move_decided_at, move_score, move_part, move_due_at
        ) n (merchant_id, lead_id, status, decided_at, score, part, due_at)
        WHERE t.merchant_id = n.merchant_id AND t.lead_id = n.lead_id;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met <> cardinality(move_merchant_id) THEN
            RAISE EXCEPTION '% of % leads are there', met, cardinality(move_merchant_id) USING ERRCODE = 'LL001';
        END IF;
    END IF;
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = '{schema}'::regnamespace AND proname ~ '^(lock|load|write)_' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {writer}', name);
    END LOOP;
END $$;
