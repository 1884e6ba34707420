-- Who may do what. The owner migrates, the writer is the ledger, the reader is for reports; Supabase's `authenticated`
-- sees its own merchants' rows and no others. Row security holds for the owner too.

-- The merchants that the present user may see, from the claim `merchant_id` of the JWT that PostgREST has checked (at the
-- top, or in `app_metadata`, which only the host's backend can write). A claim that is missing or is not one UUID gives
-- none. `PostgresStore::migrate` replaces it where the host maps users to merchants by a function of its own.
CREATE FUNCTION visible_merchants() RETURNS uuid[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
    claims jsonb;
BEGIN
    claims := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    RETURN ARRAY[coalesce(claims ->> 'merchant_id', claims -> 'app_metadata' ->> 'merchant_id')::uuid];
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN ARRAY[]::uuid[];
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['books', 'journal', 'private', 'opening_private', 'campaigns', 'agreements', 'deposits', 'platform',
                                'partners', 'leads', 'top_ups', 'payment_references', 'payouts', 'missed', 'days'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner ON %I TO {owner} USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY writer ON %I TO {writer} USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO {writer}', name);
        IF name NOT IN ('journal', 'private', 'opening_private') THEN
            EXECUTE format('GRANT UPDATE ON %I TO {writer}', name);
        END IF;
        -- Personal data is not for reports.
        IF name NOT IN ('private', 'opening_private') THEN
            EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO {reader} USING (true)', name);
            EXECUTE format('GRANT SELECT ON %I TO {reader}', name);
        END IF;
    END LOOP;
    GRANT DELETE ON private, opening_private, missed TO {writer};
    GRANT USAGE ON SCHEMA {schema} TO {writer}, {reader};
    GRANT SELECT ON meta TO {writer}, {reader};
    GRANT SELECT ON entries_view, postings_view, statements_view, deposits_view, leads_view, figures_view, days_view
        TO {writer}, {reader};
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        FOREACH name IN ARRAY ARRAY['journal', 'deposits', 'leads', 'books', 'platform', 'days'] LOOP
            EXECUTE format('CREATE POLICY merchant ON %I FOR SELECT TO authenticated '
                           'USING (merchant_id = ANY ((SELECT visible_merchants())::uuid[]))', name);
            EXECUTE format('GRANT SELECT ON %I TO authenticated', name);
        END LOOP;
        GRANT USAGE ON SCHEMA {schema} TO authenticated;
        GRANT SELECT ON entries_view, postings_view, statements_view, deposits_view, leads_view, figures_view, days_view
            TO authenticated;
    END IF;
END $$;
