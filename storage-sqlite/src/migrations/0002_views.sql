-- For people: names instead of codes, ids as text, times as ISO 8601. Amounts stay in minor units.

CREATE VIEW entries_view AS
SELECT lower(hex(b.merchant)) AS merchant, j.payload ->> '$.seq' AS seq, j.payload ->> '$.at' AS at,
       j.payload ->> '$.do' AS kind, j.payload, lower(hex(j.hash)) AS hash, j.row
FROM journal j JOIN books b ON b.no = j.book;

-- The journal as double entry: one row a posting, debit positive.
CREATE VIEW postings_view AS
SELECT lower(hex(b.merchant)) AS merchant, j.payload ->> '$.seq' AS seq, j.payload ->> '$.at' AS at,
       j.payload ->> '$.do' AS kind, p.value ->> '$[0]' AS account, p.value ->> '$[1]' AS amount,
       coalesce(j.payload ->> '$.currency', 'MAD') AS currency
FROM journal j JOIN books b ON b.no = j.book, json_each(j.payload, '$.postings') p;

CREATE VIEW deposits_view AS
SELECT lower(hex(b.merchant)) AS merchant, lower(hex(d.id)) AS deposit, lower(hex(d.campaign)) AS campaign, d.currency,
       d.balance, d.reserved, d.balance - d.reserved AS available,
       CASE d.status WHEN 0 THEN 'active' WHEN 3 THEN 'closed' ELSE 'suspended' END AS status,
       CASE d.level WHEN 0 THEN 'healthy' WHEN 1 THEN 'attention' WHEN 2 THEN 'warning' WHEN 3 THEN 'critical'
           ELSE 'depleted' END AS told_level
FROM deposits d JOIN books b ON b.no = d.book;

CREATE VIEW leads_view AS
SELECT lower(hex(b.merchant)) AS merchant, lower(hex(l.id)) AS lead, lower(hex(c.id)) AS campaign,
       lower(hex(l.partner)) AS partner, lower(hex(d.id)) AS deposit, c.currency,
       CASE l.source WHEN 0 THEN 'instagram' WHEN 1 THEN 'tiktok' WHEN 2 THEN 'whatsapp' WHEN 3 THEN 'facebook'
           WHEN 4 THEN 'direct' ELSE 'other' END AS source,
       l.value, l.commission, l.partner_part,
       CASE l.status WHEN 0 THEN 'pending' WHEN 1 THEN 'validated' WHEN 2 THEN 'rejected' WHEN 3 THEN 'expired'
           WHEN 4 THEN 'converted' WHEN 5 THEN 'lost' ELSE 'reversed' END AS status,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.created_at / 1000000.0, 'unixepoch') AS created_at, l.score
FROM leads l JOIN books b ON b.no = l.book JOIN campaigns c ON c.no = l.campaign JOIN deposits d ON d.no = l.deposit;

-- What each book counts since its beginning.
CREATE VIEW figures_view AS
SELECT lower(hex(b.merchant)) AS merchant, p.currency, coalesce(p.counts ->> '$.total.leads.created', 0) AS created,
       coalesce(p.counts ->> '$.total.leads.captured', 0) AS ever_validated,
       coalesce(p.counts ->> '$.total.leads.rejected', 0) AS rejected,
       coalesce(p.counts ->> '$.total.leads.expired', 0) AS expired,
       coalesce(p.counts ->> '$.total.leads.reversed', 0) AS reversed,
       coalesce(p.counts ->> '$.total.leads.converted', 0) AS converted,
       coalesce(p.counts ->> '$.total.leads.lost', 0) AS lost,
       coalesce(p.counts ->> '$.total.leads.captured_minor', 0) AS commission,
       coalesce(p.counts ->> '$.total.turnover.deposited_minor', 0) AS deposited
FROM platform p JOIN books b ON b.no = p.book;

-- The same by local day, the present one last; leads are counted on the day of their creation, or of their decision.
CREATE VIEW days_view AS
SELECT lower(hex(b.merchant)) AS merchant, d.currency, date(d.day * 86400, 'unixepoch') AS day,
       coalesce(d.counts ->> '$.leads.created', 0) AS created,
       coalesce(d.counts ->> '$.leads.captured', 0) AS ever_validated,
       coalesce(d.counts ->> '$.leads.rejected', 0) AS rejected, coalesce(d.counts ->> '$.leads.expired', 0) AS expired,
       coalesce(d.counts ->> '$.leads.captured_minor', 0) AS commission,
       coalesce(d.counts ->> '$.turnover.deposited_minor', 0) AS deposited
FROM (SELECT book, currency, day, counts FROM days WHERE deposit = x''
      UNION ALL
      SELECT p.book, p.currency, c.day, p.counts -> '$.today' FROM platform p JOIN books c ON c.no = p.book
      WHERE p.counts -> '$.today' IS NOT NULL) d
JOIN books b ON b.no = d.book;
