-- Tells Supabase's Realtime, once for each book and commit, how far its journal goes now: on the private topic
-- `{schema}:<merchant>`, event `entries`. A send that fails is a warning, and the commit stands.
CREATE FUNCTION tell_realtime() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    told record;
BEGIN
    FOR told IN SELECT merchant_id, max(seq) AS seq FROM written GROUP BY merchant_id LOOP
        PERFORM realtime.send(jsonb_build_object('merchant_id', told.merchant_id, 'seq', told.seq), 'entries',
                              '{schema}:' || told.merchant_id, true);
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'Realtime was not told: %', SQLERRM;
    RETURN NULL;
END $$;
-- Nobody may tell from a table of their own.
REVOKE ALL ON FUNCTION tell_realtime() FROM public;
CREATE TRIGGER journal_realtime AFTER INSERT ON journal
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION tell_realtime();
