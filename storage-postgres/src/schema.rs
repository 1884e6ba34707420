//! The schema: its migrations, who may do what in it, and what a server must be like to keep it.

use leadledger::{Currency, StoreError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::address::Address;
use crate::link::Link;
use crate::wire::{Columns, Param, Statement};
use crate::{PostgresOptions, Realtime};

/// Numbered from 1; `meta.version` says how many a schema has.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_books.sql"),
    include_str!("migrations/0002_views.sql"),
    include_str!("migrations/0003_roles.sql"),
    include_str!("migrations/0004_functions.sql"),
    include_str!("migrations/0005_subscribers.sql"),
];

const REALTIME: &str = include_str!("migrations/realtime.sql");

/// The oldest server that can run the migrations: `security_invoker` views came with it.
const SERVER: i32 = 150_000;

/// The newest schema that this code knows.
pub(crate) fn known_version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// How a schema is set up; see [`crate::PostgresStore::migrate`].
#[derive(Clone, Debug)]
pub struct Migration {
    /// The schema's name: lower-case letters, digits and `_`, at most 48 of them.
    pub schema: String,
    /// The roles are named `<roles>_owner`, `<roles>_writer` and `<roles>_reader`, and are made where they are missing.
    /// Schemas may share them.
    pub roles: String,
    /// A function of the host's, `schema.name`, without parameters and `RETURNS SETOF uuid`: the merchants that the user of
    /// Supabase's role `authenticated` may see. Without one it stays as it is: at first, the claim `merchant_id`.
    pub merchants_of: Option<String>,
    /// Whether commits are told to Supabase's Realtime, where that is there.
    pub realtime: Realtime,
    /// Goes on where the server does not write durably; see [`PostgresOptions::accept_data_loss`].
    pub accept_data_loss: bool,
}

impl Default for Migration {
    fn default() -> Self {
        Self {
            schema: "leadledger".to_owned(),
            roles: "leadledger".to_owned(),
            merchants_of: None,
            realtime: Realtime::Keep,
            accept_data_loss: false,
        }
    }
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version before; 0 where there was none.
    pub from: u32,
    /// Its version now.
    pub to: u32,
    /// Whether commits are told to Supabase's Realtime now.
    pub realtime: bool,
}

fn misconfigured(what: impl std::fmt::Display) -> StoreError {
    StoreError::Misconfigured(what.to_string())
}

/// A name that needs no quotes, and cannot be anything but a name.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if first && rest && name.len() <= 48 && !name.starts_with("pg_") {
        return Ok(());
    }
    Err(misconfigured(format!("{what} {name:?} is not a name of lower-case letters, digits and _ (at most 48)")))
}

/// The one row that a question always gives.
fn one(link: &mut Link, begin: Option<&str>, sql: &'static str, params: Vec<Param<'_>>) -> Result<Row, StoreError> {
    let answers = link.exchange(begin, &[Statement { sql: sql.into(), params }], None);
    let answers = answers.map_err(|fault| fault.store_error())?;
    answers.into_iter().flatten().next().ok_or_else(|| misconfigured("the server says nothing"))
}

/// Refuses a server that cannot keep a ledger, or would lose one.
pub(crate) fn check_server(link: &mut Link, accept_data_loss: bool) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), \
               current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_version')";
    let row = one(link, None, sql, Vec::new())?;
    let mut columns = Columns::of(&row);
    let version: i32 = columns.int()?;
    let (encoding, fsync, synchronous) = (columns.text()?, columns.text()?, columns.text()?);
    if version < SERVER {
        return Err(misconfigured(format!("the server is PostgreSQL {}: 15 or later is needed", columns.text()?)));
    }
    if encoding != "UTF8" {
        return Err(misconfigured(format!("the database's encoding is {encoding}: UTF8 is needed")));
    }
    let lossy = "commits would be lost when the machine fails (accept_data_loss goes on nevertheless)";
    if fsync == "off" && !accept_data_loss {
        return Err(misconfigured(format!("the server runs with fsync=off: {lossy}")));
    }
    if synchronous == "off" && !accept_data_loss {
        return Err(misconfigured(format!("the connection has synchronous_commit=off: {lossy}")));
    }
    Ok(())
}

/// What a schema says of itself.
pub(crate) struct Meta {
    pub(crate) version: u32,
    pub(crate) store: Uuid,
    /// The journal knows of transactions that this server has not had yet.
    pub(crate) restored: bool,
}

/// Reads a schema's own row; none where there is no such schema, or it is somebody else's.
fn meta(link: &mut Link, begin: Option<&str>, schema: &str) -> Result<Option<Meta>, StoreError> {
    let there = "SELECT quote_ident($1) = $1, m.oid IS NOT NULL, \
                     EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid), \
                     coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(m.oid, 'SELECT'), true) \
                 FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = $1 \
                 LEFT JOIN pg_class m ON m.relnamespace = n.oid AND m.relname = 'meta'";
    let row = one(link, begin, there, vec![Param::Text(schema.into())])?;
    let mut columns = Columns::of(&row);
    let (plain, ours, used, readable) = (columns.flag()?, columns.flag()?, columns.flag()?, columns.flag()?);
    if !plain {
        return Err(misconfigured(format!("schema {schema:?} is a word of SQL's own: another name is needed")));
    }
    if !readable {
        return Err(misconfigured(format!("no right to read schema {schema}: grant the role of its writers")));
    }
    if !ours && used {
        return Err(StoreError::Foreign(format!("schema {schema} holds tables, but none of a ledger")));
    }
    if !ours {
        return Ok(None);
    }
    let sql = "SELECT version, store_id, coalesce((SELECT max(position) FROM journal), 0) \
               >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_offset FROM meta";
    let path = format!("BEGIN READ ONLY; SET LOCAL search_path = {schema}, pg_temp");
    // Within a transaction the path is already set.
    let (begin, end) = if begin.is_some() { (None, None) } else { (Some(path.as_str()), Some("COMMIT")) };
    let rows = link.exchange(begin, &[Statement { sql: sql.into(), params: Vec::new() }], end);
    let rows = rows.map_err(|fault| fault.store_error())?;
    let row = rows.first().and_then(|rows| rows.first());
    let mut columns = Columns::of(row.ok_or_else(|| misconfigured(format!("schema {schema} has lost its meta row")))?);
    Ok(Some(Meta { version: columns.int()?, store: columns.id()?, restored: columns.flag()? }))
}

/// The mark of a schema's cursors, where this code can use it.
pub(crate) fn check_schema(link: &mut Link, schema: &str) -> Result<Uuid, StoreError> {
    let needed = known_version();
    let found = meta(link, None, schema)?.ok_or(StoreError::Outdated { found: 0, needed })?;
    if found.version > needed {
        return Err(StoreError::Newer { found: found.version, known: needed });
    }
    if found.version < needed {
        return Err(StoreError::Outdated { found: found.version, needed });
    }
    if found.restored {
        return Err(misconfigured(format!("schema {schema} was restored from another server: migrate it once")));
    }
    Ok(found.store)
}

/// Brings a schema up to date, in one transaction; two at once are safe, since the second waits for the first.
pub(crate) fn migrate(
    address: &Address,
    options: &PostgresOptions,
    wanted: &Migration,
) -> Result<Migrated, StoreError> {
    check_name("schema", &wanted.schema)?;
    check_name("roles", &wanted.roles)?;
    if let Some(function) = &wanted.merchants_of {
        let parts: Vec<&str> = function.split('.').collect();
        let [schema, name] = parts.as_slice() else {
            return Err(misconfigured(format!("merchants_of {function:?} is not schema.name")));
        };
        check_name("merchants_of", schema)?;
        check_name("merchants_of", name)?;
    }
    let mut link = Link::open(address, options.connect_timeout, options.patience())?;
    check_server(&mut link, wanted.accept_data_loss)?;
    // Whatever fails on the way, the link is dropped, and the transaction with it.
    let Migration { schema, roles, .. } = wanted;
    // Each statement must see what the migration before it has committed. Quoted, since whether the name is a word of
    // SQL's own is only known then.
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '50s'; \
         SET LOCAL search_path = \"{schema}\", pg_temp; \
         SELECT pg_advisory_xact_lock(hashtextextended('leadledger migrate {schema}', 0))"
    );
    let found = meta(&mut link, Some(&begin), schema)?;
    let from = found.as_ref().map_or(0, |found| found.version);
    if from > known_version() {
        return Err(StoreError::Newer { found: from, known: known_version() });
    }
    run(&mut link, &prepare(schema, roles))?;
    for (version, sql) in (1_u32..).zip(MIGRATIONS).filter(|(version, _)| *version > from) {
        run(&mut link, &fill(sql, wanted))?;
        run(&mut link, &format!("UPDATE meta SET version = {version}"))?;
    }
    if found.is_some_and(|found| found.restored) {
        // No writer may be under way while the numbers move on.
        run(
            &mut link,
            "LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE; \
             UPDATE meta SET xid_offset = (SELECT max(position) FROM journal) \
                 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint + 1",
        )?;
    }
    if let Some(function) = &wanted.merchants_of {
        let function = function.replace('.', "\".\"");
        let sql = format!(
            "CREATE OR REPLACE FUNCTION visible_merchants() RETURNS uuid[] LANGUAGE sql STABLE \
             SET search_path = pg_catalog AS $$ SELECT coalesce(array_agg(m), '{{}}') FROM \"{function}\"() m $$"
        );
        run(&mut link, &sql)?;
    }
    let realtime = set_realtime(&mut link, wanted)?;
    // Nobody has to know whether a migration that failed here happened: the next one sees it.
    link.exchange(None, &[], Some("COMMIT")).map_err(|fault| fault.commit_error())?;
    Ok(Migrated { from, to: known_version(), realtime })
}

fn run(link: &mut Link, script: &str) -> Result<(), StoreError> {
    link.exchange(Some(script), &[], None).map(|_| ()).map_err(|fault| fault.store_error())
}

/// The roles and the schema, where they are missing; what follows is the owner's.
fn prepare(schema: &str, roles: &str) -> String {
    format!(
        "DO $$
        DECLARE
            name text;
            able boolean;
        BEGIN
            FOREACH name IN ARRAY ARRAY['{roles}_owner', '{roles}_writer', '{roles}_reader'] LOOP
                BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
                    END IF;
                -- Another database's migration may have made it meanwhile.
                EXCEPTION WHEN duplicate_object OR unique_violation THEN
                END;
            END LOOP;
            -- From 16 on, whoever makes a role is its member, but may not act as it.
            IF current_setting('server_version_num')::integer < 160000 THEN
                able := pg_has_role(current_user, '{roles}_owner', 'MEMBER');
            ELSE
                able := pg_has_role(current_user, '{roles}_owner', 'SET');
            END IF;
            IF NOT able THEN
                BEGIN
                    GRANT {roles}_owner TO CURRENT_USER;
                EXCEPTION WHEN unique_violation THEN
                END;
            END IF;
            SELECT nspowner::regrole::text INTO name FROM pg_namespace WHERE nspname = '{schema}';
            IF name IS NULL THEN
                CREATE SCHEMA {schema} AUTHORIZATION {roles}_owner;
            ELSIF name <> '{roles}_owner' THEN
                RAISE EXCEPTION 'schema {schema} belongs to %, not to {roles}_owner', name USING ERRCODE = '42501';
            END IF;
        END $$;
        SET LOCAL ROLE {roles}_owner"
    )
}

/// Puts names and lists into a migration's text.
fn fill(sql: &str, wanted: &Migration) -> String {
    let currencies = |decimals: u32| {
        let codes = Currency::all().filter(|currency| currency.decimals() == decimals);
        codes.map(|currency| format!("'{currency}'")).collect::<Vec<_>>().join(", ")
    };
    sql.replace("{schema}", &wanted.schema)
        .replace("{owner}", &format!("{}_owner", wanted.roles))
        .replace("{writer}", &format!("{}_writer", wanted.roles))
        .replace("{reader}", &format!("{}_reader", wanted.roles))
        .replace("{zero_decimals}", &currencies(0))
        .replace("{three_decimals}", &currencies(3))
        .replace("{four_decimals}", &currencies(4))
}

/// Installs or removes the trigger that tells Realtime; says whether it is there.
///
/// The function is the migrating role's: on Supabase only the roles that come with it may use the schema `realtime`.
fn set_realtime(link: &mut Link, wanted: &Migration) -> Result<bool, StoreError> {
    run(link, "SET LOCAL ROLE NONE")?;
    let sql = "SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
                   WHERE n.nspname = 'realtime' AND p.proname = 'send' \
                   AND oidvectortypes(p.proargtypes) = 'jsonb, text, text, boolean' \
                   AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')), \
               EXISTS (SELECT FROM pg_trigger WHERE tgname = 'journal_realtime' AND tgrelid = 'journal'::regclass)";
    let row = one(link, None, sql, Vec::new())?;
    let mut columns = Columns::of(&row);
    let (possible, there) = (columns.flag()?, columns.flag()?);
    match wanted.realtime {
        Realtime::Keep => Ok(there),
        Realtime::Off => {
            run(link, "DROP TRIGGER IF EXISTS journal_realtime ON journal; DROP FUNCTION IF EXISTS tell_realtime()")?;
            Ok(false)
        }
        Realtime::WherePossible => {
            if possible && !there {
                run(link, &fill(REALTIME, wanted))?;
            }
            Ok(possible)
        }
    }
}
