//! The schema on a real server: how it comes to be, what is refused, who may do what in it, what its views say, and what
//! becomes of it in another server.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::process::Command;

use common::access::{Database, Role, code, feed, migrated, opened, state, unique, url_as, url_to};
use common::story::{self, send, tell};
use common::{Direct, Schema, direct, tls};
use leadledger::{DepositId, JournalQuery, LeadQuery, Ledger, MerchantId, Options, Store, StoreError};
use leadledger_postgres::{Migrated, Migration, PostgresOptions, PostgresStore};
use leadledger_testbed::{Cluster, PASSWORD, PASSWORD_ROLE, Pooler, server_programs};
use serde_json::json;

/// Schemas and roles that are dropped at the end, whoever made them.
struct Made(Vec<String>, Vec<String>);

impl Drop for Made {
    fn drop(&mut self) {
        let server = Direct::connect(direct());
        for schema in &self.0 {
            let _ = server.batch(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        }
        for role in self.1.iter().flat_map(|roles| ["reader", "writer", "owner"].map(|part| format!("{roles}_{part}")))
        {
            let _ = server.batch(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
        }
    }
}

#[test]
fn from_nothing_and_again() {
    let name = unique("nothing");
    let _made = Made(vec![name.clone()], Vec::new());
    let first = migrated(direct(), &name).unwrap();
    assert_eq!(first, Migrated { from: 0, to: first.to, realtime: false });
    let marks = |sql: &str| Direct::connect(direct()).text(sql);
    let xmin = format!(
        "SELECT string_agg(c.xmin::text, ',' ORDER BY c.oid) FROM pg_class c WHERE relnamespace = '{name}'::regnamespace"
    );
    let before = marks(&xmin);
    let again = migrated(direct(), &name).unwrap();
    assert_eq!(again, Migrated { from: first.to, to: first.to, realtime: false });
    assert_eq!(marks(&xmin), before, "nothing was made anew");
    assert_eq!(code(opened(direct(), &name), ""), "ok");
}

#[test]
fn many_at_once() {
    // Supabase's `postgres` is no superuser. Whoever reads with an old snapshot must see the others' work all the same.
    let plain = Role::new("LOGIN CREATEROLE");
    let own = format!(
        "GRANT CREATE ON DATABASE {} TO {}",
        Direct::connect(direct()).text("SELECT current_database()"),
        plain.name
    );
    Direct::connect(direct()).batch(&own).unwrap();
    let strict = Role::new("LOGIN SUPERUSER");
    let set = format!("ALTER ROLE {} SET default_transaction_isolation = 'serializable'", strict.name);
    Direct::connect(direct()).batch(&set).unwrap();
    for (url, schemas) in
        [(direct().to_owned(), 1), (direct().to_owned(), 2), (strict.url(), 2), (plain.url(), 1), (plain.url(), 2)]
    {
        let roles = unique("crew");
        let names: Vec<String> = (0..schemas).map(|_| unique("crowd")).collect();
        let _made = Made(names.clone(), vec![roles.clone()]);
        let mut done: Vec<(String, Migrated)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let schema = names[n % schemas].clone();
                    let migration = Migration { schema: schema.clone(), roles: roles.clone(), ..Migration::default() };
                    let url = &url;
                    scope.spawn(move || (schema, PostgresStore::migrate(url, &migration).unwrap()))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        done.sort_by_key(|(schema, migrated)| (schema.clone(), migrated.from));
        for name in &names {
            let of: Vec<&Migrated> = done.iter().filter(|(schema, _)| schema == name).map(|(_, done)| done).collect();
            assert_eq!(of.len(), 8 / schemas);
            assert!(of[0].from == 0 && of[1..].iter().all(|done| done.from == done.to), "{of:?}");
            assert_eq!(code(opened(direct(), name), ""), "ok");
        }
    }
}

#[test]
fn names_that_are_refused() {
    let long = "a".repeat(49);
    for name in [
        "Upper",
        "with space",
        "quo\"te",
        "quo'te",
        "pg_x",
        "pg_catalog",
        "",
        "1st",
        "semi;colon",
        "dot.ted",
        "späne",
        "nul\0",
        "x; DROP SCHEMA public CASCADE",
        "x\" CASCADE; --",
        &long,
        "user",
        "select",
        "table",
        "authorization",
    ] {
        let migration = Migration { schema: name.to_owned(), ..Migration::default() };
        assert_eq!(code(PostgresStore::migrate(direct(), &migration), "schema"), "store_misconfigured", "{name:?}");
        assert_eq!(code(opened(direct(), name), "schema"), "store_misconfigured", "{name:?}");
    }
    for roles in ["Upper", "", "x; DROP ROLE leadledger", "x'", "pg_x", &long] {
        let migration = Migration { schema: unique("no"), roles: roles.to_owned(), ..Migration::default() };
        assert_eq!(code(PostgresStore::migrate(direct(), &migration), "roles"), "store_misconfigured", "{roles:?}");
    }
    for function in ["uid", "a.b.c", "auth.uid()", "auth.Uid", ".", "a.b; DROP SCHEMA public", "a.b() m; --"] {
        let migration =
            Migration { schema: unique("no"), merchants_of: Some(function.to_owned()), ..Migration::default() };
        let said = code(PostgresStore::migrate(direct(), &migration), "merchants_of");
        assert_eq!(said, "store_misconfigured", "{function:?}");
    }
}

#[test]
fn what_stands_in_a_schema() {
    for (sql, open, migrate) in [
        ("", "store_outdated", "ok"),
        ("CREATE SCHEMA $", "store_outdated", "store_misconfigured"),
        ("CREATE SCHEMA $ AUTHORIZATION leadledger_owner", "store_outdated", "ok"),
        ("CREATE SCHEMA $; CREATE TABLE $.orders (id int)", "store_foreign", "store_foreign"),
        ("CREATE SCHEMA $; CREATE TABLE $.meta (id int)", "store_foreign", "store_foreign"),
        ("CREATE SCHEMA $; CREATE VIEW $.meta AS SELECT 1 AS version", "store_foreign", "store_foreign"),
        ("migrate; UPDATE $.meta SET version = 99", "store_newer", "store_newer"),
        ("migrate; UPDATE $.meta SET version = 1", "store_outdated", ""),
        ("migrate; DELETE FROM $.meta", "store_misconfigured", "store_misconfigured"),
        ("migrate; DROP TABLE $.journal CASCADE", "store_foreign", "store_foreign"),
        ("migrate; ALTER SCHEMA $ OWNER TO leadledger", "ok", "store_misconfigured"),
    ] {
        // Makes the roles, where this is the first test.
        drop(Schema::new());
        let name = unique("stands");
        let _made = Made(vec![name.clone()], Vec::new());
        if sql.starts_with("migrate;") {
            migrated(direct(), &name).unwrap();
        }
        let sql = sql.trim_start_matches("migrate;").replace('$', &name);
        Direct::connect(direct()).batch(&sql).unwrap();
        assert_eq!(code(opened(direct(), &name), ""), open, "{sql}");
        if !migrate.is_empty() {
            assert_eq!(code(migrated(direct(), &name), ""), migrate, "{sql}");
        }
    }
    let name = unique("absent");
    let known = migrated(direct(), &name).unwrap().to;
    let _made = Made(vec![name.clone()], Vec::new());
    let found = |sql: &str| {
        Direct::connect(direct()).batch(&sql.replace('$', &name)).unwrap();
        opened(direct(), &name).unwrap_err()
    };
    let newer = StoreError::Newer { found: known + 1, known };
    assert_eq!(found("UPDATE $.meta SET version = version + 1"), newer);
    assert_eq!(found("UPDATE $.meta SET version = 1"), StoreError::Outdated { found: 1, needed: known });
    assert_eq!(found("DROP SCHEMA $ CASCADE"), StoreError::Outdated { found: 0, needed: known });
}

#[test]
fn servers_that_cannot_keep_a_ledger() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let other = Database::new(&format!("ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'"));
        let words = format!("encoding is {encoding}: UTF8 is needed");
        assert_eq!(code(migrated(&other.url(), "books"), &words), "store_misconfigured");
        assert_eq!(code(opened(&other.url(), "books"), &words), "store_misconfigured");
    }
    assert_eq!(code(opened(&url_to(direct(), "no_such_database"), "books"), "does not exist"), "store_misconfigured");

    let role = Role::new("LOGIN SUPERUSER");
    let database = Database::new("");
    let server = Direct::connect(direct());
    server.batch(&format!("ALTER ROLE {} SET synchronous_commit = off", role.name)).unwrap();
    server.batch(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name)).unwrap();
    let schema = Schema::new();
    for (url, name) in [(role.url(), &schema.name), (database.url(), &"books".to_owned())] {
        lossy(&url, name, "synchronous_commit=off");
    }
}

/// Refused, unless losing is accepted.
fn lossy(url: &str, schema: &str, words: &str) {
    assert_eq!(code(migrated(url, schema), words), "store_misconfigured");
    let accepting = Migration { schema: schema.to_owned(), accept_data_loss: true, ..Migration::default() };
    assert_eq!(code(PostgresStore::migrate(url, &accepting), ""), "ok");
    assert_eq!(code(opened(url, schema), words), "store_misconfigured");
    let options = PostgresOptions { schema: schema.to_owned(), accept_data_loss: true, ..PostgresOptions::default() };
    let store = PostgresStore::open_with(url, options).unwrap();
    let ledger = Ledger::with_shared(std::sync::Arc::new(store), story::clock(), Options::default()).unwrap();
    tell(&ledger, MerchantId::generate());
}

#[test]
fn a_server_without_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(folder.path()).unwrap();
    Direct::connect(&cluster.url()).batch("ALTER SYSTEM SET fsync = off").unwrap();
    cluster.restart().unwrap();
    lossy(&cluster.url(), "books", "fsync=off");
    Direct::connect(&cluster.url()).batch("ALTER SYSTEM RESET fsync").unwrap();
    cluster.restart().unwrap();
    assert_eq!(code(opened(&cluster.url(), "books"), ""), "ok");
}

#[test]
fn logins_that_may_not() {
    let schema = Schema::new();
    let nobody = Role::new("LOGIN");
    let words = format!("no right to read schema {}", schema.name);
    assert_eq!(code(opened(&nobody.url(), &schema.name), &words), "store_misconfigured");
    assert_eq!(code(migrated(&nobody.url(), &schema.name), &words), "store_misconfigured");
    assert_eq!(code(migrated(&nobody.url(), &unique("new")), "leadledger_owner"), "store_misconfigured");
    let writer = Role::new("LOGIN IN ROLE leadledger_writer");
    assert_eq!(code(migrated(&writer.url(), &schema.name), "leadledger_owner"), "store_misconfigured");

    Direct::connect(direct()).batch(&format!("GRANT leadledger_writer TO {PASSWORD_ROLE}")).unwrap();
    for (role, password, words, wanted) in [
        (PASSWORD_ROLE, Some(PASSWORD), "", "ok"),
        (PASSWORD_ROLE, Some("wrong-password"), "password authentication failed", "store_misconfigured"),
        (PASSWORD_ROLE, None, "password", "store_misconfigured"),
        ("no_such_role", None, "does not exist", "store_misconfigured"),
        ("leadledger_writer", None, "not permitted to log in", "store_misconfigured"),
    ] {
        let who = password.map_or_else(|| role.to_owned(), |password| format!("{role}:{password}"));
        let said = opened(&url_as(direct(), &who), &schema.name);
        if let Err(fault) = &said {
            assert!(!fault.to_string().contains("wrong-password"));
        }
        assert_eq!(code(said, words), wanted, "{role} {password:?}");
    }
}

#[test]
fn tls_is_what_the_address_says() {
    let schema = Schema::new();
    let folder = tempfile::tempdir().unwrap();
    let other = Pooler::start_tls(folder.path(), direct(), &[]).unwrap();
    let (base, authority) = tls().split_once("?sslmode=verify-full&sslrootcert=").unwrap();
    let wrong = other.ca_file().unwrap().display();
    let far = base.replacen("@localhost:", "@ledger.example.org:", 1);
    // It speaks nothing but TLS, so that whoever comes in has spoken it.
    let strict = other.url().replacen("@localhost:", "@ledger.example.org:", 1);
    let strict = strict.split_once('?').unwrap().0;
    for (url, words, wanted) in [
        (format!("{strict}?hostaddr=127.0.0.1"), "", "ok"),
        (format!("{strict}?sslmode=require&hostaddr=127.0.0.1"), "", "ok"),
        (format!("{strict}?sslmode=disable&hostaddr=127.0.0.1"), "", "store_unavailable"),
        (other.url(), "", "ok"),
        (tls().to_owned(), "", "ok"),
        (format!("{base}?sslmode=require"), "", "ok"),
        (format!("{base}?sslmode=verify-full&sslrootcert={wrong}"), "certificate", "store_misconfigured"),
        (format!("{far}?sslmode=require&hostaddr=127.0.0.1"), "", "ok"),
        (format!("{far}?hostaddr=127.0.0.1"), "", "ok"),
        (
            format!("{far}?sslmode=verify-full&sslrootcert={authority}&hostaddr=127.0.0.1"),
            "certificate",
            "store_misconfigured",
        ),
        (format!("{base}?sslmode=verify-full&sslrootcert=/no/such/file"), "/no/such/file", "store_misconfigured"),
    ] {
        assert_eq!(code(opened(&url, &schema.name), words), wanted, "{url}");
    }
}

const TABLES: [&str; 15] = [
    "books",
    "journal",
    "private",
    "opening_private",
    "campaigns",
    "agreements",
    "deposits",
    "platform",
    "partners",
    "leads",
    "top_ups",
    "payment_references",
    "payouts",
    "missed",
    "days",
];
const VIEWS: [&str; 7] =
    ["entries_view", "postings_view", "statements_view", "deposits_view", "leads_view", "figures_view", "days_view"];

#[test]
fn every_table_can_be_distributed_by_merchant() {
    let schema = Schema::new();
    let server = Direct::connect(direct());
    let keys = format!(
        "SELECT c.relname || ' ' || a.attname FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
         WHERE c.relnamespace = '{}'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('meta', 'subscribers') \
         ORDER BY 1",
        schema.name
    );
    let found: Vec<String> = server.texts(&keys).unwrap().into_iter().flatten().collect();
    let mut wanted = TABLES.map(|table| format!("{table} merchant_id"));
    wanted.sort();
    assert_eq!(found, wanted);
    // A unique index must have the column too, or it could not be kept on several servers.
    let unique = format!(
        "SELECT indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
         WHERE c.relnamespace = '{}'::regnamespace AND c.relname NOT IN ('meta', 'subscribers') AND i.indisunique AND NOT EXISTS \
         (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'merchant_id' AND a.attnum = ANY (i.indkey))",
        schema.name
    );
    assert_eq!(server.texts(&unique).unwrap(), []);
    let secured = format!(
        "SELECT count(*) FROM pg_class WHERE relnamespace = '{}'::regnamespace AND relkind = 'r' \
         AND relrowsecurity AND relforcerowsecurity",
        schema.name
    );
    // And subscribers, who are no book's.
    assert_eq!(server.text(&secured), (TABLES.len() + 1).to_string());
}

#[test]
fn who_may_do_what() {
    const DENIED: &str = "42501";
    const RAISED: &str = "P0001";
    let schema = Schema::new();
    let writer = Role::new("LOGIN IN ROLE leadledger_writer");
    let reader = Role::new("LOGIN IN ROLE leadledger_reader");
    let nobody = Role::new("LOGIN");
    let merchant = MerchantId::generate();
    let ledger_of = |url: &str| {
        let store = PostgresStore::open_with(url, schema.options()).unwrap();
        Ledger::with_shared(std::sync::Arc::new(store), story::clock(), Options::default()).unwrap()
    };
    // All of a ledger's work needs no more than the writer has.
    let ledger = ledger_of(&writer.url());
    let told = tell(&ledger, merchant);
    assert!(ledger.check(merchant).wait().is_ok());
    let entries = usize::try_from(ledger.book(merchant).wait().unwrap().entries).unwrap();
    assert_eq!(feed(&opened(&writer.url(), &schema.name).unwrap(), None, entries).len(), entries);

    let mut probes: Vec<(&str, String, &str)> = Vec::new();
    for table in TABLES {
        let append_only = ["journal", "private", "opening_private"].contains(&table);
        let deletes = ["private", "opening_private", "missed"].contains(&table);
        let journal = table == "journal";
        let of = |who: &'static str,
                  select: &'static str,
                  update: &'static str,
                  delete: &'static str,
                  truncate: &'static str| {
            [
                (who, format!("SELECT * FROM {table}"), select),
                (who, format!("UPDATE {table} SET merchant_id = merchant_id"), update),
                (who, format!("DELETE FROM {table}"), delete),
                (who, format!("TRUNCATE {table}"), truncate),
            ]
        };
        let when = |refused: bool, code: &'static str| if refused { code } else { "ok" };
        probes.extend(of("superuser", "ok", when(journal, RAISED), when(journal, RAISED), when(journal, RAISED)));
        probes.extend(of("owner", "ok", when(journal, RAISED), when(journal, RAISED), when(journal, RAISED)));
        probes.extend(of("writer", "ok", when(append_only, DENIED), when(!deletes, DENIED), DENIED));
        probes.extend(of("reader", when(table.ends_with("private"), DENIED), DENIED, DENIED, DENIED));
        probes.extend(of("nobody", DENIED, DENIED, DENIED, DENIED));
        let insert = format!("INSERT INTO {table} SELECT * FROM {table} WHERE false");
        probes.push(("writer", insert.clone(), "ok"));
        probes.push(("reader", insert, DENIED));
        probes.push(("reader", format!("SELECT merchant_id FROM {table} FOR UPDATE"), DENIED));
        for sql in [
            "ALTER TABLE $ ADD COLUMN x int",
            "ALTER TABLE $ DISABLE ROW LEVEL SECURITY",
            "DROP TABLE $ CASCADE",
            "ALTER TABLE $ DISABLE TRIGGER ALL",
            "CREATE INDEX ON $ (merchant_id)",
            "CREATE POLICY mine ON $ USING (true)",
            "ALTER TABLE $ OWNER TO CURRENT_USER",
        ] {
            probes.push(("writer", sql.replace('$', table), DENIED));
            probes.push(("reader", sql.replace('$', table), DENIED));
        }
    }
    for (who, reads, writes) in
        [("owner", "ok", "ok"), ("writer", "ok", "ok"), ("reader", DENIED, DENIED), ("nobody", DENIED, DENIED)]
    {
        let delete = if who == "owner" { "ok" } else { DENIED };
        probes.push((who, "SELECT * FROM subscribers".to_owned(), reads));
        probes.push((who, "UPDATE subscribers SET cursor = 'x'".to_owned(), writes));
        probes.push((who, "INSERT INTO subscribers VALUES ('x', 'y')".to_owned(), writes));
        probes.push((who, "DELETE FROM subscribers".to_owned(), delete));
        probes.push((who, "TRUNCATE subscribers".to_owned(), delete));
    }
    for view in VIEWS {
        for (who, wanted) in [("writer", "ok"), ("reader", "ok"), ("owner", "ok"), ("nobody", DENIED)] {
            probes.push((who, format!("SELECT * FROM {view}"), wanted));
        }
    }
    for who in ["writer", "reader", "nobody"] {
        for sql in [
            "UPDATE meta SET version = version",
            "DELETE FROM meta",
            "INSERT INTO meta (version) VALUES (1)",
            "CREATE TABLE more (id int)",
            "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "UPDATE deposits_view SET currency = 'EUR'",
            "DELETE FROM leads_view",
            "SET ROLE leadledger_owner",
            "SET session_replication_role = replica",
        ] {
            probes.push((who, sql.to_owned(), DENIED));
        }
        probes.push((who, "SELECT * FROM meta".to_owned(), if who == "nobody" { DENIED } else { "ok" }));
    }
    let connections = [
        ("superuser", Direct::connect(direct())),
        ("owner", Direct::connect(direct())),
        ("writer", Direct::connect(&writer.url())),
        ("reader", Direct::connect(&reader.url())),
        ("nobody", Direct::connect(&nobody.url())),
    ];
    connections[1].1.batch("SET ROLE leadledger_owner").unwrap();
    let mut wrong = Vec::new();
    for (who, sql, wanted) in &probes {
        let (_, connection) = connections.iter().find(|(name, _)| name == who).unwrap();
        let path = if *who == "nobody" { sql.replace("FROM ", &format!("FROM {}.", schema.name)) } else { sql.clone() };
        let path =
            if path == *sql && *who == "nobody" { format!("SELECT FROM {}.meta; {sql}", schema.name) } else { path };
        connection.batch(&format!("BEGIN; SET LOCAL search_path = {}", schema.name)).unwrap();
        let found = state(connection, &path);
        connection.batch("ROLLBACK").unwrap();
        if found != *wanted {
            wrong.push(format!("{who}: {sql}: {found}, not {wanted}"));
        }
    }
    println!("schema: {} statements by {} roles", probes.len(), connections.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What runs by itself is for the writer only.
    let public = format!(
        "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE pronamespace = '{}'::regnamespace \
         AND has_function_privilege('{}', oid, 'EXECUTE')",
        schema.name, nobody.name
    );
    let public = Direct::connect(direct()).text(&public);
    assert_eq!(public, "amount journal_is_append_only visible_merchants");

    // A reader can follow the journal by a ledger and watch a book, but has no place to keep; the rest is for the views.
    let reports = ledger_of(&reader.url());
    assert_eq!(reports.subscribe("reports").wait().unwrap_err().code(), "store_misconfigured");
    let mut watch = reports.watch(merchant).wait().unwrap();
    send(&ledger, merchant, "resume_campaign", &json!({ "campaign": told.campaigns[3] }), None).unwrap();
    let events = watch.next(std::time::Duration::from_mins(1)).unwrap().unwrap();
    assert_eq!(events[0].name(), "campaign_resumed");
    drop(watch);
    assert_eq!(reports.events(merchant, 0, 1000).wait().unwrap(), ledger.events(merchant, 0, 1000).wait().unwrap());
    assert_eq!(feed(&opened(&reader.url(), &schema.name).unwrap(), None, entries + 1).len(), entries + 1);
    let texts = reports.lead_texts(merchant, leadledger::LeadId(told.leads[0])).wait();
    assert_eq!(texts.unwrap_err().code(), "store_misconfigured");
    let refused = send(&reports, merchant, "suspend_deposit", &json!({ "deposit": told.deposits[0] }), None);
    assert_eq!(refused.unwrap_err().code(), "store_misconfigured");
}

#[test]
fn views_say_what_the_ledger_says() {
    let schema = Schema::new();
    let clock = story::clock();
    let ledger = schema.ledger_by(&clock);
    let merchant = MerchantId::generate();
    tell(&ledger, merchant);
    for (currency, amount, value) in
        [("TND", "912.345", "100.125"), ("JPY", "500000", "9999"), ("CLF", "77.1234", "3.0001")]
    {
        let (campaign, deposit) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let say = |name: &str, fields: serde_json::Value| drop(send(&ledger, merchant, name, &fields, None).unwrap());
        say(
            "register_campaign",
            json!({ "campaign": campaign, "currency": currency, "threshold": "100000", "fixed": "7", "rate": "3" }),
        );
        say("open_deposit", json!({ "deposit": deposit, "campaign": campaign, "amount": amount }));
        for _ in 0..3 {
            let (lead, partner) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
            say("create_lead", json!({ "lead": lead, "campaign": campaign, "partner": partner, "value": value }));
            say("validate_lead", json!({ "lead": lead }));
        }
        say("create_lead", json!({ "campaign": campaign, "partner": uuid::Uuid::now_v7(), "value": value }));
        say("top_up", json!({ "deposit": deposit, "amount": amount }));
        say("adjust_deposit", json!({ "deposit": deposit, "amount": "-1", "reason": "a correction" }));
    }
    // Some leads expire, and one is accepted.
    clock.set(ledger.now().plus_hours(100));
    let book = ledger.book(merchant).wait().unwrap();

    let reader = Role::new("LOGIN IN ROLE leadledger_reader");
    let reports = Direct::connect(&reader.url());
    reports.batch(&format!("SET search_path = {}", schema.name)).unwrap();
    let lines =
        |sql: &str| -> Vec<String> { reports.texts(sql).unwrap().into_iter().map(Option::unwrap_or_default).collect() };

    let sums = "SELECT seq FROM postings_view GROUP BY merchant_id, seq, currency HAVING sum(amount) <> 0";
    assert_eq!(lines(sums), Vec::<String>::new());
    let entries = ledger.events(merchant, 0, 10_000).wait().unwrap();
    let postings: usize = entries.iter().map(|recorded| recorded.entry.lines().len()).sum();
    assert_eq!(lines("SELECT count(*) FROM postings_view"), [postings.to_string()]);
    assert_eq!(lines("SELECT count(*) || ' ' || max(seq) FROM entries_view"), [format!("{0} {0}", book.entries)]);
    let currencies = "SELECT string_agg(DISTINCT currency || scale(amount), ',') FROM postings_view";
    assert_eq!(lines(currencies), ["CLF4,JPY0,MAD2,TND3"]);

    let mut wanted: Vec<String> = Vec::new();
    for (id, deposit) in &book.deposits {
        assert_eq!(ledger.deposit(merchant, *id).wait().unwrap().as_ref(), Some(deposit));
        let campaign = deposit.campaign.map(|campaign| campaign.to_string()).unwrap_or_default();
        let status = deposit.status.name().split('_').next().unwrap();
        wanted.push(format!(
            "{id} {campaign} {} {} {} {} {status}",
            deposit.currency, deposit.balance, deposit.reserved, deposit.available
        ));
    }
    let deposits = "SELECT concat_ws(' ', deposit_id, coalesce(campaign_id::text, ''), currency, balance, reserved, available, \
                    status) FROM deposits_view ORDER BY deposit_id";
    assert_eq!(lines(deposits), wanted);
    assert_eq!(wanted.len(), 7);

    for id in book.deposits.keys() {
        let lines = lines(&format!(
            "SELECT concat_ws(' ', seq, kind, sum(amount), (array_agg(balance ORDER BY n DESC))[1]) FROM \
             (SELECT *, row_number() OVER () AS n FROM statements_view WHERE deposit_id = '{id}') s \
             GROUP BY seq, kind ORDER BY seq DESC"
        ));
        let statement = ledger.statement(merchant, *id, None, 1000).wait().unwrap().unwrap();
        let wanted: Vec<String> = statement
            .lines
            .iter()
            .map(|line| format!("{} {} {} {}", line.seq, line.kind.name(), line.amount, line.balance_after))
            .collect();
        assert_eq!(lines, wanted);
    }
    let last = "SELECT d.deposit_id FROM deposits_view d WHERE d.balance <> (SELECT s.balance FROM statements_view s \
                WHERE s.merchant_id = d.merchant_id AND s.deposit_id = d.deposit_id ORDER BY seq DESC LIMIT 1)";
    assert_eq!(lines(last), Vec::<String>::new());

    let page = ledger.leads(LeadQuery { limit: 100, ..LeadQuery::of(merchant) }).wait().unwrap();
    let mut wanted: Vec<String> = page
        .items
        .iter()
        .map(|view| {
            format!(
                "{} {} {} {} {} {} {} {}",
                view.id,
                view.lead.status.name(),
                view.lead.source.name(),
                view.lead.currency,
                view.value,
                view.commission,
                view.partner_part,
                view.lead.expires_at().micros()
            )
        })
        .collect();
    wanted.sort();
    let leads = "SELECT concat_ws(' ', lead_id, status, source, currency, value, commission, partner_part, \
                 (extract(epoch FROM expires_at) * 1000000)::bigint) FROM leads_view ORDER BY lead_id";
    assert_eq!(lines(leads), wanted);
    let statuses = lines("SELECT DISTINCT status FROM leads_view ORDER BY 1");
    assert_eq!(statuses, ["converted", "expired", "lost", "rejected", "reversed", "validated"]);
    println!(
        "schema: views of {} entries, {postings} postings, {} deposits, {} leads agree",
        book.entries,
        book.deposits.len(),
        wanted.len()
    );
}

#[test]
fn restored_into_another_server() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [old, new] = folders.each_ref().map(|folder| Cluster::start(folder.path()).unwrap());
    migrated(&old.url(), "books").unwrap();
    let store = opened(&old.url(), "books").unwrap();
    let ledger = Ledger::with_shared(std::sync::Arc::new(store), story::clock(), Options::default()).unwrap();
    let merchants: Vec<MerchantId> = (0..3).map(|_| MerchantId::generate()).collect();
    let deposit = tell(&ledger, merchants[0]).deposits[0];
    // So many transactions that the new server would take longer to get there than this test.
    let burn = "DO $$ BEGIN FOR i IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$";
    Direct::connect(&old.url()).batch(burn).unwrap();
    tell(&ledger, merchants[1]);
    let store = opened(&old.url(), "books").unwrap();
    let count = |ledger: &Ledger| {
        let of = |merchant: &MerchantId| ledger.book(*merchant).wait().unwrap().entries;
        usize::try_from(merchants.iter().map(of).sum::<u64>()).unwrap()
    };
    let before = feed(&store, None, count(&ledger));
    let half = store.journal(&JournalQuery::All { after: None }, before.len() / 2).unwrap().next;
    drop((ledger, store));

    copy(&old, &new, folders[1].path());
    let restored = "was restored from another server: migrate it once";
    assert_eq!(code(opened(&new.url(), "books"), restored), "store_misconfigured");
    let healed = migrated(&new.url(), "books").unwrap();
    assert_eq!(healed.from, healed.to);
    let store = opened(&new.url(), "books").unwrap();
    assert_eq!(feed(&store, None, before.len()), before);
    let ledger = Ledger::with_shared(std::sync::Arc::new(store), story::clock(), Options::default()).unwrap();
    // Books of the old server and a new one go on.
    for _ in 0..5 {
        send(&ledger, merchants[0], "top_up", &json!({ "deposit": deposit, "amount": "100.00" }), None).unwrap();
    }
    tell(&ledger, merchants[2]);
    let store = opened(&new.url(), "books").unwrap();
    let after = feed(&store, None, count(&ledger));
    assert_eq!((after.len(), &after[..before.len()]), (count(&ledger), &before[..]));
    assert!(after.len() > before.len() + 50);
    // Whoever followed the old server goes on where it was.
    let rest = &after[before.len() / 2..];
    assert_eq!(feed(&store, half, rest.len()), rest);
    for merchant in &merchants {
        ledger.check(*merchant).wait().unwrap();
    }
    assert!(ledger.deposit(merchants[0], DepositId(deposit)).wait().unwrap().is_some());
    // Once is enough.
    let offset = "SELECT xid_offset FROM books.meta";
    let offset_before = Direct::connect(&new.url()).text(offset);
    migrated(&new.url(), "books").unwrap();
    assert_eq!(Direct::connect(&new.url()).text(offset), offset_before);
    println!("schema: restored with {} entries, offset {offset_before}, {} after", before.len(), after.len());
}

/// As docs/postgres.md has it: the roles first, then the dump.
fn copy(from: &Cluster, to: &Cluster, folder: &Path) {
    let programs = server_programs().unwrap();
    let file = folder.join("dump.sql");
    let mut dump = Command::new(programs.program("pg_dump"));
    ran(dump.args(["--schema", "books", "--file"]).arg(&file).arg(from.url()));
    let roles = "CREATE ROLE leadledger_owner; CREATE ROLE leadledger_writer; CREATE ROLE leadledger_reader";
    Direct::connect(&to.url()).batch(roles).unwrap();
    let mut restore = Command::new(programs.program("psql"));
    ran(restore.args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file"]).arg(&file).arg(to.url()));
}

fn ran(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_guide_holds() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/postgres.md")).unwrap();
    let blocks: Vec<&str> = guide.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 9);
    let database = Database::new("");
    let server = Direct::connect(&database.url());
    // What Supabase has and the guide only uses.
    server
        .batch(
            "DO $$ BEGIN CREATE ROLE authenticated; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
             CREATE SCHEMA auth; CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'; \
             CREATE SCHEMA realtime; CREATE TABLE realtime.messages (topic text); \
             CREATE FUNCTION realtime.topic() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
        )
        .unwrap();
    migrated(&database.url(), "leadledger").unwrap();
    let roles = || Direct::connect(direct()).batch("DROP ROLE IF EXISTS ledger_app, ledger_reports");
    roles().unwrap();
    for sql in &blocks {
        assert_eq!(state(&server, sql), "ok", "{sql}");
    }
    let merchants_of = Some("app.my_merchants".to_owned());
    PostgresStore::migrate(&database.url(), &Migration { merchants_of, ..Migration::default() }).unwrap();
    let url = url_as(&database.url(), "ledger_app");
    let store = opened(&url, "leadledger").unwrap();
    let ledger = Ledger::with_shared(std::sync::Arc::new(store), story::clock(), Options::default()).unwrap();
    tell(&ledger, MerchantId::generate());
    drop((ledger, server, database));
    roles().unwrap();
}
