-- For people and BI: amounts as NUMERIC with the currency's decimals, names instead of codes. `security_invoker`: whoever
-- reads a view needs the right to read the rows behind it.

CREATE FUNCTION amount(minor numeric, currency text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN currency IN ({zero_decimals}) THEN minor
        WHEN currency IN ({three_decimals}) THEN round(minor / 1000, 3)
        WHEN currency IN ({four_decimals}) THEN round(minor / 10000, 4)
        ELSE round(minor / 100, 2)
    END
$$;

CREATE VIEW entries_view WITH (security_invoker = true) AS
SELECT merchant_id, seq, at, kind, payload::jsonb AS payload, encode(hash, 'hex') AS hash
FROM journal;

-- The journal as double entry: one row a posting, debit positive.
CREATE VIEW postings_view WITH (security_invoker = true) AS
SELECT j.merchant_id, j.seq, j.at, j.kind, p.line - 1 AS line, p.posting ->> 0 AS account,
       amount((p.posting ->> 1)::bigint, j.currency) AS amount, j.currency
FROM (SELECT merchant_id, seq, at, kind, payload::jsonb AS payload, coalesce(payload::jsonb ->> 'currency', 'MAD') AS currency
      FROM journal) j,
     jsonb_array_elements(j.payload -> 'postings') WITH ORDINALITY p (posting, line);

-- What moved each deposit, and what was in it then.
CREATE VIEW statements_view WITH (security_invoker = true) AS
SELECT merchant_id, substr(account, 9)::uuid AS deposit_id, seq, at, kind, -amount AS amount, currency,
       sum(-amount) OVER (PARTITION BY merchant_id, account ORDER BY seq, line) AS balance
FROM postings_view
WHERE account LIKE 'deposit:%';

CREATE VIEW deposits_view WITH (security_invoker = true) AS
SELECT merchant_id, deposit_id, campaign_id, currency, amount(balance_minor, currency) AS balance,
       amount(reserved_minor, currency) AS reserved, amount(balance_minor - reserved_minor, currency) AS available,
       CASE status WHEN 0 THEN 'active' WHEN 3 THEN 'closed' ELSE 'suspended' END AS status,
       CASE level WHEN 0 THEN 'healthy' WHEN 1 THEN 'attention' WHEN 2 THEN 'warning' WHEN 3 THEN 'critical'
           ELSE 'depleted' END AS told_level
FROM deposits;

CREATE VIEW leads_view WITH (security_invoker = true) AS
SELECT merchant_id, lead_id, campaign_id, partner_id, deposit_id, currency,
       CASE source WHEN 0 THEN 'instagram' WHEN 1 THEN 'tiktok' WHEN 2 THEN 'whatsapp' WHEN 3 THEN 'facebook'
           WHEN 4 THEN 'direct' ELSE 'other' END AS source,
       amount(value_minor, currency) AS value, amount(commission_minor, currency) AS commission,
       amount(partner_minor, currency) AS partner_part,
       CASE status WHEN 0 THEN 'pending' WHEN 1 THEN 'validated' WHEN 2 THEN 'rejected' WHEN 3 THEN 'expired'
           WHEN 4 THEN 'converted' WHEN 5 THEN 'lost' ELSE 'reversed' END AS status,
       created_at, created_at + window_hours * interval '1 hour' AS expires_at, decided_at, score
FROM leads;

-- What each book counts since its beginning.
CREATE VIEW figures_view WITH (security_invoker = true) AS
SELECT merchant_id, currency,
       coalesce((counts #>> '{leads,created}')::bigint, 0) AS created,
       coalesce((counts #>> '{leads,captured}')::bigint, 0) AS ever_validated,
       coalesce((counts #>> '{leads,rejected}')::bigint, 0) AS rejected,
       coalesce((counts #>> '{leads,expired}')::bigint, 0) AS expired,
       coalesce((counts #>> '{leads,reversed}')::bigint, 0) AS reversed,
       coalesce((counts #>> '{leads,converted}')::bigint, 0) AS converted,
       coalesce((counts #>> '{leads,lost}')::bigint, 0) AS lost,
       amount(coalesce((counts #>> '{leads,captured_minor}')::numeric, 0), currency) AS commission,
       amount(coalesce((counts #>> '{turnover,deposited_minor}')::numeric, 0), currency) AS deposited
FROM (SELECT merchant_id, currency, counts::jsonb -> 'total' AS counts FROM platform) p;

-- The same by local day, the present one too; leads are counted on the day of their creation, or of their decision.
CREATE VIEW days_view WITH (security_invoker = true) AS
SELECT merchant_id, currency, date '1970-01-01' + day AS day,
       coalesce((counts #>> '{leads,created}')::bigint, 0) AS created,
       coalesce((counts #>> '{leads,captured}')::bigint, 0) AS ever_validated,
       coalesce((counts #>> '{leads,rejected}')::bigint, 0) AS rejected,
       coalesce((counts #>> '{leads,expired}')::bigint, 0) AS expired,
       amount(coalesce((counts #>> '{leads,captured_minor}')::numeric, 0), currency) AS commission,
       amount(coalesce((counts #>> '{turnover,deposited_minor}')::numeric, 0), currency) AS deposited
FROM (SELECT merchant_id, currency, day, counts::jsonb AS counts FROM days WHERE whole
      UNION ALL
      SELECT p.merchant_id, p.currency, b.day, p.counts::jsonb -> 'today'
      FROM platform p JOIN books b USING (merchant_id) WHERE p.counts::jsonb ? 'today') d;
