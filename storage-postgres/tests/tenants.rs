//! Two tenants against each other: in one schema, in two, and as Supabase's roles behind row-level security.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::access::{Database, Role, code, feed, state, unique, url_as, url_to};
use common::story::{self, Told, send, tell};
use common::{Direct, Schema, direct, pooled};
use leadledger::{
    CampaignId, Command, Cursor, DepositId, JournalQuery, LeadId, LeadOrder, LeadQuery, Ledger, MerchantId, Needs,
    PartnerId, PayoutId, Store, StoreError, TopUpId,
};
use leadledger_postgres::{Migration, PostgresStore, Realtime};
use serde_json::{Value, json};
use uuid::Uuid;

/// All rows of one book, and which transaction wrote each.
fn dump(schema: &str, merchant: MerchantId) -> Vec<String> {
    let server = Direct::connect(direct());
    let tables = format!(
        "SELECT string_agg(format('SELECT %L || '' '' || xmin || '' '' || t::text FROM %s t WHERE merchant_id = ''{merchant}''', \
         relname, oid::regclass), ' UNION ALL ') \
         FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' \
         AND relname NOT IN ('meta', 'subscribers')"
    );
    let rows = server.text(&tables);
    let mut rows: Vec<String> = server.texts(&rows).unwrap().into_iter().flatten().collect();
    rows.sort();
    rows
}

/// One command of the prober's, with the other's ids, and the code that it must give.
type Probe = (&'static str, Value, &'static str);

/// Every command, with every id of the other's that it can name. Where one makes something, its id may well be used in
/// another book; the table says so, and those come last.
fn commands(mine: &Told, theirs: &Told) -> Vec<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    for campaign in &theirs.campaigns {
        let no = "campaign_not_found";
        probes.extend([
            ("update_campaign", json!({ "campaign": campaign, "rate": "5" }), no),
            ("pause_campaign", json!({ "campaign": campaign }), no),
            ("resume_campaign", json!({ "campaign": campaign }), no),
            ("set_agreement", json!({ "campaign": campaign, "partner": mine.partners[0], "share": "5" }), no),
            ("open_deposit", json!({ "campaign": campaign, "amount": "5000.00" }), no),
            ("create_lead", json!({ "campaign": campaign, "partner": mine.partners[0], "value": "300.00" }), no),
            ("begin_top_up", json!({ "campaign": campaign, "amount": "500.00", "method": "stripe" }), no),
        ]);
    }
    for deposit in &theirs.deposits {
        let no = "deposit_not_found";
        probes.extend([
            ("top_up", json!({ "deposit": deposit, "amount": "500.00" }), no),
            ("adjust_deposit", json!({ "deposit": deposit, "amount": "-5.00", "reason": "mine" }), no),
            ("set_alert_settings", json!({ "deposit": deposit, "basis": "available" }), no),
            ("set_auto_top_up", json!({ "deposit": deposit }), no),
            ("suspend_deposit", json!({ "deposit": deposit }), no),
            ("resume_deposit", json!({ "deposit": deposit }), no),
            ("close_deposit", json!({ "deposit": deposit }), no),
        ]);
    }
    for lead in theirs.leads.iter().chain([&theirs.missed]) {
        let no = "lead_not_found";
        probes.extend([
            ("validate_lead", json!({ "lead": lead, "score": 9, "feedback": "mine" }), no),
            ("reject_lead", json!({ "lead": lead, "reason": "mine" }), no),
            ("convert_lead", json!({ "lead": lead }), no),
            ("lose_lead", json!({ "lead": lead }), no),
            ("reverse_lead", json!({ "lead": lead, "reason": "mine" }), no),
            ("erase_customer", json!({ "lead": lead }), no),
        ]);
    }
    for top_up in &theirs.top_ups {
        let no = "top_up_not_found";
        probes.extend([
            ("attach_reference", json!({ "top_up": top_up, "reference": "pi_mine" }), no),
            ("attach_reference", json!({ "top_up": top_up, "reference": theirs.references[0] }), no),
            (
                "succeed_top_up",
                json!({ "top_up": top_up, "reference": theirs.references[1], "received": "700.00" }),
                no,
            ),
            ("fail_top_up", json!({ "top_up": top_up }), no),
            ("cancel_top_up", json!({ "top_up": top_up }), no),
            ("refund_top_up", json!({ "top_up": top_up }), no),
            ("dispute_top_up", json!({ "top_up": top_up }), no),
            ("win_dispute", json!({ "top_up": top_up }), no),
            ("lose_dispute", json!({ "top_up": top_up }), no),
        ]);
    }
    for payout in &theirs.payouts {
        probes.push(("settle_payout", json!({ "payout": payout }), "payout_not_found"));
        probes.push(("cancel_payout", json!({ "payout": payout }), "payout_not_found"));
    }
    for partner in &theirs.partners {
        probes.push(("request_payout", json!({ "partner": partner, "amount": "0.10" }), "insufficient_funds"));
        probes.push(("write_off", json!({ "partner": partner, "reason": "mine" }), "nothing_owed"));
    }
    probes.push(("write_off", json!({ "reason": "mine" }), "nothing_owed"));
    let deposit = json!({ "deposit": theirs.deposits[0], "balance": "10.00", "status": "active" });
    probes.push(("open_book", json!({ "deposits": [deposit] }), "book_not_empty"));
    probes
}

/// Ids are the book's own: the same one in another book is another thing.
fn same_ids(mine: &Told, theirs: &Told) -> Vec<Probe> {
    let their = |ids: &[Uuid]| ids[0];
    vec![
        ("run_due", json!({}), "ok"),
        ("begin_top_up", json!({ "top_up": their(&theirs.top_ups), "amount": "500.00", "method": "stripe" }), "ok"),
        ("attach_reference", json!({ "top_up": their(&theirs.top_ups), "reference": theirs.references[0] }), "ok"),
        (
            "succeed_top_up",
            json!({ "top_up": their(&theirs.top_ups), "reference": theirs.references[1], "received": "500.00" }),
            "ok",
        ),
        ("register_campaign", json!({ "campaign": their(&theirs.campaigns) }), "ok"),
        ("set_agreement", json!({ "partner": their(&theirs.partners), "share": "50" }), "ok"),
        (
            "open_deposit",
            json!({ "deposit": their(&theirs.deposits), "campaign": their(&theirs.campaigns), "amount": "2000.00" }),
            "ok",
        ),
        (
            "create_lead",
            json!({ "lead": their(&theirs.leads), "campaign": their(&theirs.campaigns), "value": "300.00",
                    "partner": their(&theirs.partners), "customer": { "name": "Mine" } }),
            "ok",
        ),
        ("validate_lead", json!({ "lead": their(&theirs.leads), "score": 9 }), "ok"),
        (
            "request_payout",
            json!({ "payout": their(&theirs.payouts), "partner": mine.partners[1], "amount": "0.10" }),
            "ok",
        ),
        ("close_deposit", json!({ "deposit": their(&theirs.deposits) }), "ok"),
    ]
}

/// Every read, with the other's ids; what each gives as text, which must not name the other's.
fn reads(ledger: &Ledger, store: &PostgresStore, me: MerchantId, theirs: &Told) -> Vec<(&'static str, String)> {
    let mut seen: Vec<(&'static str, String)> = Vec::new();
    let mut see = |what, value: &dyn Debug| seen.push((what, format!("{value:?}")));
    for id in theirs.deposits.iter().map(|id| DepositId(*id)) {
        assert_eq!(ledger.deposit(me, id).wait().unwrap(), None);
        assert_eq!(ledger.statement(me, id, None, 100).wait().unwrap(), None);
        let cursor = Cursor(format!("statement:{id}:5:1000"));
        assert_eq!(ledger.statement(me, id, Some(cursor), 100).wait().unwrap(), None);
        see("deposit", &());
        see("statement", &());
        see("statement after", &());
    }
    for id in theirs.leads.iter().chain([&theirs.missed]).map(|id| LeadId(*id)) {
        assert_eq!(ledger.lead(me, id).wait().unwrap(), None);
        assert_eq!(ledger.lead_texts(me, id).wait().unwrap(), None);
        see("lead", &());
        see("lead_texts", &());
    }
    for id in &theirs.top_ups {
        assert_eq!(ledger.top_up_state(me, TopUpId(*id)).wait().unwrap(), None);
        see("top_up_state", &());
    }
    for id in &theirs.payouts {
        assert_eq!(ledger.payout_state(me, PayoutId(*id)).wait().unwrap(), None);
        see("payout_state", &());
    }
    for id in &theirs.partners {
        assert_eq!(ledger.partner(me, PartnerId(*id)).wait().unwrap(), []);
        let query = LeadQuery { partner: Some(PartnerId(*id)), ..LeadQuery::of(me) };
        assert_eq!(ledger.leads(query).wait().unwrap().items, []);
        see("partner", &());
        see("leads of a partner", &());
    }
    for id in &theirs.campaigns {
        let query = LeadQuery { campaign: Some(CampaignId(*id)), ..LeadQuery::of(me) };
        assert_eq!(ledger.leads(query).wait().unwrap().items, []);
        see("leads of a campaign", &());
    }
    for order in [LeadOrder::Newest, LeadOrder::ReviewPriority] {
        // A cursor names a place, not a book: it leads no further than one's own leads.
        let their = LeadQuery { order, limit: 1, ..LeadQuery::of(theirs.merchant) };
        let after = store.leads(&their).unwrap().next;
        see("leads", &ledger.leads(LeadQuery { order, limit: 100, ..LeadQuery::of(me) }).wait().unwrap());
        see("leads after", &ledger.leads(LeadQuery { order, after, ..LeadQuery::of(me) }).wait().unwrap());
    }
    see("deposits", &ledger.deposits(me).wait().unwrap());
    see("campaigns", &ledger.campaigns(me).wait().unwrap());
    see("book", &ledger.book(me).wait().unwrap());
    see("check", &ledger.check(me).wait().unwrap());
    for seq in [0, 10, 1_000] {
        see("events", &ledger.events(me, seq, 1_000).wait().unwrap());
    }
    let ids = |ids: &[Uuid]| ids.to_vec();
    let needs = Needs {
        leads: ids(&theirs.leads).into_iter().map(LeadId).collect(),
        missed: [LeadId(theirs.missed)].into(),
        deposits: ids(&theirs.deposits).into_iter().map(DepositId).collect(),
        top_ups: ids(&theirs.top_ups).into_iter().map(TopUpId).collect(),
        payouts: ids(&theirs.payouts).into_iter().map(PayoutId).collect(),
        private: ids(&theirs.leads).into_iter().map(LeadId).collect(),
        keys: theirs.keys.iter().map(|text| text.as_str().try_into().unwrap()).collect(),
        references: theirs.references.iter().map(|text| text.as_str().try_into().unwrap()).collect(),
        ..Needs::default()
    };
    let book = store.book(me, &needs).unwrap();
    assert!(needs.leads.iter().all(|id| book.leads.get(id).is_none()));
    assert!(needs.missed.iter().all(|id| book.missed.get(id).is_none()));
    assert!(needs.deposits.iter().all(|id| book.deposits.get(id).is_none()));
    assert!(needs.top_ups.iter().all(|id| book.top_ups.get(id).is_none()));
    assert!(needs.payouts.iter().all(|id| book.payouts.get(id).is_none()));
    assert!(needs.keys.iter().all(|key| book.keys.get(key).is_none()));
    assert!(book.private.is_empty());
    see("store's book", &());
    let before = JournalQuery::Before { merchant: me, seq: Some(1_000) };
    see("store's journal", &store.journal(&before, 1_000).unwrap());
    seen
}

/// What was done, for the line at the end.
#[derive(Default)]
struct Counts {
    reads: usize,
    commands: usize,
}

/// Every read and every command by `mine` with the ids of `theirs`; `theirs` stays as it is.
fn against(ledger: &Ledger, store: &PostgresStore, mine: &Told, theirs: &Told, at: &str) -> Counts {
    let mut counts = Counts::default();
    let me = mine.merchant;
    let before = dump(at, theirs.merchant);
    assert!(before.len() > 60, "{}", before.len());
    let look = |counts: &mut Counts| {
        let seen = reads(ledger, store, me, theirs);
        for (what, text) in &seen {
            for id in theirs.ids().iter().filter(|id| **id != me.to_string()) {
                assert!(!text.contains(id.as_str()), "{what} shows {id}");
            }
        }
        counts.reads += seen.len();
    };
    look(&mut counts);
    let probes = commands(mine, theirs);
    for (n, (name, fields, wanted)) in probes.iter().enumerate() {
        // Their keys say nothing in another book, whatever they were used for.
        for key in [None, Some(theirs.keys[n % theirs.keys.len()].as_str())] {
            let said = send(ledger, me, name, fields, key);
            assert_eq!(said.unwrap_err().code(), *wanted, "{name} {fields} with {key:?}");
            counts.commands += 1;
        }
        assert_eq!(dump(at, theirs.merchant), before, "{name} {fields}");
    }
    look(&mut counts);
    let made = same_ids(mine, theirs);
    for (n, (name, fields, _)) in made.iter().enumerate() {
        let done = send(ledger, me, name, fields, Some(&theirs.keys[n]));
        assert_eq!(done.map(|done| done.replayed), Ok(false), "{name} {fields}");
        counts.commands += 1;
        assert_eq!(dump(at, theirs.merchant), before, "{name} {fields}");
    }
    let named: Vec<&str> = probes.iter().chain(&made).map(|(name, ..)| *name).collect();
    for name in Command::NAMES {
        assert!(named.contains(name), "no probe of {name}");
    }
    assert!(ledger.check(me).wait().is_ok());
    counts
}

static READS: AtomicUsize = AtomicUsize::new(0);
static COMMANDS: AtomicUsize = AtomicUsize::new(0);
static PROBES: AtomicUsize = AtomicUsize::new(0);

fn say() {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    println!("tenants: {} reads, {} commands, {} RLS probes", of(&READS), of(&COMMANDS), of(&PROBES));
}

fn add(counts: &Counts) {
    READS.fetch_add(counts.reads, Ordering::Relaxed);
    COMMANDS.fetch_add(counts.commands, Ordering::Relaxed);
    say();
}

#[test]
fn two_merchants_in_one_schema() {
    let schema = Schema::new();
    let clock = story::clock();
    let ledger = schema.ledger_by(&clock);
    let store = schema.store();
    let (one, two) = (tell(&ledger, MerchantId::generate()), tell(&ledger, MerchantId::generate()));
    // Things are due on both, and neither may be settled by the other.
    clock.set(ledger.now().plus_hours(100));
    add(&against(&ledger, &store, &one, &two, &schema.name));
}

#[test]
fn two_schemas_side_by_side() {
    let schemas = [Schema::new(), Schema::new()];
    let clock = story::clock();
    let ledgers = schemas.each_ref().map(|schema| schema.ledger_by(&clock));
    let stores = schemas.each_ref().map(Schema::store);
    // The same merchant in both, and one that is in the first only.
    let both = MerchantId::generate();
    let first = tell(&ledgers[0], both);
    let mut absent = first.clone();
    absent.merchant = tell(&ledgers[0], MerchantId::generate()).merchant;
    let before = (dump(&schemas[0].name, both), dump(&schemas[0].name, absent.merchant));
    assert_eq!(ledgers[1].book(both).wait().unwrap().entries, 0);
    assert_eq!(ledgers[1].all_events(None, 100).wait().unwrap().items, []);
    assert_eq!(ledgers[1].run_due_everywhere(100).wait().unwrap().1, 0);
    assert_eq!(dump(&schemas[1].name, both), Vec::<String>::new());
    let cursors = [
        ledgers[0].all_events(None, 1).wait().unwrap().next,
        ledgers[0].leads(LeadQuery { limit: 1, ..LeadQuery::of(both) }).wait().unwrap().next,
    ];
    assert_eq!(ledgers[1].all_events(cursors[0].clone(), 1).wait().unwrap_err().code(), "store_foreign");
    let query = LeadQuery { after: cursors[1].clone(), ..LeadQuery::of(both) };
    assert_eq!(ledgers[1].leads(query).wait().unwrap_err().code(), "store_foreign");

    let second = tell(&ledgers[1], both);
    add(&against(&ledgers[1], &stores[1], &second, &first, &schemas[0].name));
    assert_eq!((dump(&schemas[0].name, both), dump(&schemas[0].name, absent.merchant)), before);
    let entries = usize::try_from(ledgers[1].book(both).wait().unwrap().entries).unwrap();
    assert_eq!(feed(&stores[1], None, entries).len(), entries);
}

const VIEWS: [&str; 7] =
    ["entries_view", "postings_view", "statements_view", "deposits_view", "leads_view", "figures_view", "days_view"];
const SEEN: [&str; 13] = [
    "entries_view",
    "postings_view",
    "statements_view",
    "deposits_view",
    "leads_view",
    "figures_view",
    "days_view",
    "journal",
    "deposits",
    "leads",
    "books",
    "platform",
    "days",
];
const UNSEEN: [&str; 11] = [
    "meta",
    "subscribers",
    "private",
    "opening_private",
    "campaigns",
    "agreements",
    "partners",
    "top_ups",
    "payment_references",
    "payouts",
    "missed",
];
const DENIED: &str = "42501";

/// Supabase's roles, which are there before any schema is; PostgREST is the authenticator, and becomes one of the others
/// for each request.
fn supabase() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let server = Direct::connect(direct());
        for role in [
            "anon NOLOGIN NOINHERIT",
            "authenticated NOLOGIN NOINHERIT",
            "service_role NOLOGIN NOINHERIT BYPASSRLS",
            "authenticator LOGIN NOINHERIT",
        ] {
            // A server that is not private may have them.
            assert!(["ok", "42710"].contains(&state(&server, &format!("CREATE ROLE {role}")).as_str()));
        }
        server.batch("GRANT anon, authenticated, service_role TO authenticator").unwrap();
    });
}

/// A request as PostgREST makes it; its rows, or the SQLSTATE.
fn request(connection: &Direct, role: &str, claims: Option<&str>, sql: &str) -> Result<Vec<String>, String> {
    PROBES.fetch_add(1, Ordering::Relaxed);
    let claims = claims
        .map(|claims| format!("; SELECT set_config('request.jwt.claims', '{}', true)", claims.replace('\'', "''")));
    connection.batch(&format!("BEGIN; SET LOCAL ROLE {role}{}", claims.unwrap_or_default())).unwrap();
    let rows = connection.texts(sql);
    connection.batch("ROLLBACK").unwrap();
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(Option::unwrap_or_default).collect()),
        Err(fault) => Err(fault.code().unwrap().code().to_owned()),
    }
}

/// Which merchants' rows a request sees, and how many.
fn rows(schema: &str, relation: &str) -> String {
    format!("SELECT merchant_id || ' ' || count(*) FROM {schema}.{relation} GROUP BY merchant_id ORDER BY 1")
}

#[test]
fn claims() {
    supabase();
    let schema = Schema::new();
    let clock = story::clock();
    let ledger = schema.ledger_by(&clock);
    let (one, two) = (tell(&ledger, MerchantId::generate()), tell(&ledger, MerchantId::generate()));
    let (a, b, nobody) = (one.merchant.to_string(), two.merchant.to_string(), Uuid::now_v7().to_string());
    let server = Direct::connect(direct());
    let own = |relation: &str, merchant: &str| -> Vec<String> {
        let all = server.texts(&rows(&schema.name, relation)).unwrap().into_iter().flatten();
        let own: Vec<String> = all.filter(|row| row.starts_with(merchant)).collect();
        assert_eq!(own.len(), 1);
        own
    };
    let upper = a.to_uppercase();
    let claim = |value: Value| Some(json!({ "merchant_id": value }).to_string());
    let app = |value: Value| Some(json!({ "app_metadata": value }).to_string());
    let text = |text: &str| Some(text.to_owned());
    let cases: Vec<(Option<String>, &str)> = vec![
        (claim(json!(a)), &a),
        (claim(json!(b)), &b),
        (claim(json!(upper)), &a),
        (app(json!({ "merchant_id": a })), &a),
        (app(json!({ "merchant_id": b, "provider": "email" })), &b),
        (Some(json!({ "merchant_id": a, "app_metadata": { "merchant_id": b } }).to_string()), &a),
        (Some(json!({ "merchant_id": null, "app_metadata": { "merchant_id": b } }).to_string()), &b),
        (Some(json!({ "sub": nobody, "role": "authenticated", "merchant_id": a }).to_string()), &a),
        (None, ""),
        (text(""), ""),
        (text(" "), ""),
        (text("{"), ""),
        (text("merchant_id"), ""),
        (Some(format!("{{\"merchant_id\": \"{a}\"")), ""),
        (Some(format!("{{'merchant_id': '{a}'}}")), ""),
        (Some(format!("{{\"merchant_id\": \"{a}\\u0000\"}}")), ""),
        (text("5"), ""),
        (text("null"), ""),
        (text("true"), ""),
        (text("[]"), ""),
        (text("{}"), ""),
        (Some(json!(a).to_string()), ""),
        (Some(json!([a]).to_string()), ""),
        (Some(json!([{ "merchant_id": a }]).to_string()), ""),
        (Some(json!({ "claims": { "merchant_id": a } }).to_string()), ""),
        (Some(json!({ "MERCHANT_ID": a }).to_string()), ""),
        (Some(json!({ "user_metadata": { "merchant_id": a } }).to_string()), ""),
        (Some(json!({ "sub": a }).to_string()), ""),
        (claim(json!(null)), ""),
        (claim(json!(5)), ""),
        (claim(json!(true)), ""),
        (claim(json!([a])), ""),
        (claim(json!([a, b])), ""),
        (claim(json!({ "merchant_id": a })), ""),
        (claim(json!("")), ""),
        (claim(json!("nobody")), ""),
        (claim(json!(nobody)), ""),
        (claim(json!(format!("{a},{b}"))), ""),
        (claim(json!(format!("{{{a},{b}}}"))), ""),
        (claim(json!(format!("{a}' OR '1'='1"))), ""),
        (claim(json!("x'); DROP TABLE leads; --")), ""),
        (claim(json!("%")), ""),
        (claim(json!("a".repeat(100_000))), ""),
        (app(json!(a)), ""),
        (app(json!([a])), ""),
        (app(json!(null)), ""),
        (app(json!({ "merchant_id": [a] })), ""),
        (Some("[".repeat(100_000)), ""),
        (Some(format!("{}{}", "{\"merchant_id\":".repeat(20_000), "}".repeat(20_000))), ""),
    ];
    let before = [dump(&schema.name, one.merchant), dump(&schema.name, two.merchant)];
    for url in [url_as(direct(), "authenticator"), url_as(pooled(), "authenticator")] {
        let client = Direct::connect(&url);
        for (claims, seen) in &cases {
            let shown = claims.as_deref().map_or("none", |claims| &claims[..claims.len().min(120)]);
            for relation in SEEN {
                let wanted = if seen.is_empty() { Vec::new() } else { own(relation, seen) };
                let found = request(&client, "authenticated", claims.as_deref(), &rows(&schema.name, relation));
                assert_eq!(found, Ok(wanted), "{relation} with {shown}");
            }
        }
        // Whatever the claim is.
        for claims in [None, claim(json!(a)), claim(json!(b))] {
            let claims = claims.as_deref();
            for relation in UNSEEN {
                let sql = format!("SELECT * FROM {}.{relation}", schema.name);
                assert_eq!(request(&client, "authenticated", claims, &sql), Err(DENIED.to_owned()), "{relation}");
            }
            for role in ["anon", "service_role", "authenticator"] {
                for relation in SEEN.iter().chain(&UNSEEN) {
                    let sql = format!("SELECT * FROM {}.{relation}", schema.name);
                    assert_eq!(request(&client, role, claims, &sql), Err(DENIED.to_owned()), "{role} {relation}");
                }
            }
            for role in ["anon", "authenticated", "service_role"] {
                for sql in writes(&a) {
                    let sql = sql.replace('$', &schema.name);
                    // A view over several rows cannot be written by anybody.
                    let refused = request(&client, role, claims, &sql).unwrap_err();
                    assert!([DENIED, "55000"].contains(&refused.as_str()), "{role}: {sql}: {refused}");
                }
            }
        }
    }
    assert_eq!([dump(&schema.name, one.merchant), dump(&schema.name, two.merchant)], before);
    say();
}

/// Statements that write, or try to get the right to.
fn writes(merchant: &str) -> Vec<String> {
    let mut all = Vec::new();
    for relation in SEEN.iter().chain(&UNSEEN) {
        if !["meta", "subscribers"].contains(relation) {
            all.push(format!("INSERT INTO $.{relation} (merchant_id) VALUES ('{merchant}')"));
            all.push(format!("UPDATE $.{relation} SET merchant_id = '{merchant}'"));
        }
        all.push(format!("DELETE FROM $.{relation}"));
        if !VIEWS.contains(relation) {
            all.push(format!("TRUNCATE $.{relation}"));
            all.push(format!("LOCK TABLE $.{relation} IN EXCLUSIVE MODE"));
            all.push(format!("ALTER TABLE $.{relation} DISABLE ROW LEVEL SECURITY"));
        }
    }
    let more = [
        "SELECT 1 FROM $.leads FOR UPDATE",
        "CREATE TABLE $.mine (id int)",
        "DROP SCHEMA $ CASCADE",
        "SET ROLE leadledger_writer",
        "SET ROLE leadledger_reader",
        "SET ROLE leadledger_owner",
        "SET session_replication_role = replica",
    ];
    all.extend(more.map(str::to_owned));
    all
}

#[test]
fn a_claim_ends_with_its_transaction() {
    supabase();
    let schema = Schema::reached_by(pooled());
    let ledger = schema.ledger_by(&story::clock());
    let told = tell(&ledger, MerchantId::generate());
    let url = url_as(pooled(), "authenticator");
    let claims = json!({ "merchant_id": told.merchant }).to_string();
    let sql = rows(&schema.name, "leads");
    let pid = "SELECT pg_backend_pid()";
    let mut shared = 0;
    for _ in 0..20 {
        let first = Direct::connect(&url);
        assert_eq!(request(&first, "authenticated", Some(&claims), &sql).unwrap().len(), 1);
        let served_by = first.text(pid);
        first
            .batch(&format!(
                "BEGIN; SET LOCAL ROLE authenticated; SELECT set_config('request.jwt.claims', '{claims}', true); COMMIT"
            ))
            .unwrap();
        let second = Direct::connect(&url);
        shared += usize::from(second.text(pid) == served_by);
        assert_eq!(second.text("SELECT current_user"), "authenticator");
        assert_eq!(second.text("SELECT coalesce(current_setting('request.jwt.claims', true), '')"), "");
        assert_eq!(request(&second, "authenticated", None, &sql), Ok(Vec::new()));
    }
    assert!(shared > 0, "no two clients met on a server connection");
    // What a request has set says nothing to a ledger's batches on the same connections.
    tell(&ledger, MerchantId::generate());
    println!("tenants: {shared} of 20 clients came upon the connection of the one before");
    say();
}

#[test]
fn a_mapping_of_the_hosts() {
    supabase();
    let schema = Schema::new();
    let ledger = schema.ledger_by(&story::clock());
    let merchants: Vec<String> = (0..3).map(|_| tell(&ledger, MerchantId::generate()).merchant.to_string()).collect();
    let users: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
    let host = unique("host");
    let server = Direct::connect(direct());
    server
        .batch(&format!(
            "CREATE SCHEMA {host}; \
             CREATE FUNCTION {host}.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ \
                 SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$; \
             CREATE TABLE {host}.members (user_id uuid, merchant_id uuid); \
             INSERT INTO {host}.members VALUES ('{u0}', '{m0}'), ('{u0}', '{m1}'), ('{u1}', '{m2}'), ('{u3}', NULL); \
             CREATE FUNCTION {host}.merchants() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER AS $$ \
                 SELECT merchant_id FROM {host}.members WHERE user_id = (SELECT {host}.uid()) $$; \
             GRANT USAGE ON SCHEMA {host} TO authenticated, leadledger_owner",
            u0 = users[0],
            u1 = users[1],
            u3 = users[3],
            m0 = merchants[0],
            m1 = merchants[1],
            m2 = merchants[2],
        ))
        .unwrap();
    let mut migration = Migration { schema: schema.name.clone(), ..Migration::default() };
    migration.merchants_of = Some(format!("{host}.merchants"));
    PostgresStore::migrate(direct(), &migration).unwrap();
    // Left out, it stays.
    migration.merchants_of = None;
    PostgresStore::migrate(direct(), &migration).unwrap();
    let user = |n: usize| Some(json!({ "sub": users[n] }).to_string());
    let client = Direct::connect(&url_as(direct(), "authenticator"));
    for (claims, seen) in [
        (user(0), vec![0, 1]),
        (user(1), vec![2]),
        (user(2), vec![]),
        (user(3), vec![]),
        (None, vec![]),
        (Some(String::new()), vec![]),
        // The claim means nothing any more.
        (Some(json!({ "merchant_id": merchants[2] }).to_string()), vec![]),
        (Some(json!({ "merchant_id": merchants[2], "sub": users[0] }).to_string()), vec![0, 1]),
    ] {
        for relation in SEEN {
            let found = request(&client, "authenticated", claims.as_deref(), &rows(&schema.name, relation)).unwrap();
            let mut wanted: Vec<&str> = seen.iter().map(|n| merchants[*n].as_str()).collect();
            wanted.sort_unstable();
            let found: Vec<&str> = found.iter().map(|row| row.split(' ').next().unwrap()).collect();
            assert_eq!(found, wanted, "{relation} with {claims:?}");
        }
    }
    migration.merchants_of = Some(format!("{host}.no_such_function"));
    assert_eq!(code(PostgresStore::migrate(direct(), &migration), "no_such_function"), "store_foreign");
    drop(schema);
    server.batch(&format!("DROP SCHEMA {host} CASCADE")).unwrap();
    say();
}

#[test]
fn every_view_asks_for_its_reader() {
    supabase();
    let schema = Schema::new();
    let server = Direct::connect(direct());
    let all = |filter: &str| {
        let sql = format!(
            "SELECT relname FROM pg_class WHERE relnamespace = '{}'::regnamespace AND {filter} ORDER BY 1",
            schema.name
        );
        server.texts(&sql).unwrap().into_iter().flatten().collect::<Vec<_>>()
    };
    let mut views = VIEWS.to_vec();
    views.sort_unstable();
    assert_eq!(all("relkind IN ('v', 'm')"), views);
    assert_eq!(all("relkind = 'v' AND 'security_invoker=true' = ANY (reloptions)"), views);
    assert_eq!(all("relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)"), ["meta"]);
    // Whoever has a policy, and what for.
    let policies = format!(
        "SELECT DISTINCT policyname || ' ' || array_to_string(roles, ',') || ' ' || cmd FROM pg_policies \
         WHERE schemaname = '{}' ORDER BY 1",
        schema.name
    );
    let policies: Vec<String> = server.texts(&policies).unwrap().into_iter().flatten().collect();
    assert_eq!(
        policies,
        [
            "merchant authenticated SELECT",
            "owner leadledger_owner ALL",
            "reader leadledger_reader SELECT",
            "writer leadledger_writer ALL",
        ]
    );
}

#[test]
fn realtime() {
    supabase();
    let database = Database::new("");
    // As on Supabase: migrated by a role that is no superuser, and the schema `realtime` is for some roles only.
    let postgres = Role::new("LOGIN CREATEROLE BYPASSRLS");
    let server = Direct::connect(&database.url());
    server.batch(&format!("GRANT CREATE ON DATABASE {} TO {}", database.name, postgres.name)).unwrap();
    let url = url_to(&postgres.url(), &database.name);
    let roles = unique("crew");
    let migrate = |realtime: Realtime| {
        let migration =
            Migration { schema: "books".to_owned(), roles: roles.clone(), realtime, ..Migration::default() };
        PostgresStore::migrate(&url, &migration).unwrap().realtime
    };
    let there = || server.text("SELECT count(*) FROM pg_trigger WHERE tgname = 'journal_realtime'");
    assert!(!migrate(Realtime::WherePossible));
    assert_eq!(there(), "0");
    server
        .batch(
            "CREATE SCHEMA realtime; CREATE TABLE realtime.messages \
                 (n bigserial, payload jsonb, event text, topic text, private boolean); \
             CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true) \
                 RETURNS void LANGUAGE sql AS $$ INSERT INTO realtime.messages (payload, event, topic, private) \
                 VALUES (payload, event, topic, private) $$; \
             REVOKE ALL ON FUNCTION realtime.send FROM public",
        )
        .unwrap();
    // What the migrating role may not use is not there for it.
    assert!(!migrate(Realtime::WherePossible));
    server
        .batch(&format!(
            "GRANT USAGE ON SCHEMA realtime TO {0}, anon, authenticated, service_role; \
             GRANT ALL ON ALL TABLES IN SCHEMA realtime TO {0}; GRANT ALL ON ALL SEQUENCES IN SCHEMA realtime TO {0}; \
             GRANT EXECUTE ON FUNCTION realtime.send TO {0}",
            postgres.name
        ))
        .unwrap();
    assert!(!migrate(Realtime::Keep) && migrate(Realtime::WherePossible) && migrate(Realtime::Keep));
    assert!(migrate(Realtime::WherePossible));
    assert_eq!(there(), "1");

    let app = Role::new(&format!("LOGIN IN ROLE {roles}_writer"));
    let store = common::access::opened(&url_to(&app.url(), &database.name), "books").unwrap();
    let ledger =
        Ledger::with_shared(std::sync::Arc::new(store), story::clock(), leadledger::Options::default()).unwrap();
    let merchant = MerchantId::generate();
    tell(&ledger, merchant);
    let entries = ledger.book(merchant).wait().unwrap().entries;
    // One caller: every entry was a commit of its own.
    let messages = "SELECT count(*) || ' ' || count(DISTINCT payload) || ' ' || max((payload ->> 'seq')::bigint) FROM realtime.messages";
    assert_eq!(server.text(messages), format!("{entries} {entries} {entries}"));
    let others = format!(
        "SELECT count(*) FROM realtime.messages WHERE topic <> 'books:{merchant}' OR event <> 'entries' OR NOT private \
         OR payload - 'seq' <> '{{\"merchant_id\": \"{merchant}\"}}'"
    );
    assert_eq!(server.text(&others), "0");
    // Many callers: one message for each book of each commit, whatever it holds.
    server.batch("TRUNCATE realtime.messages").unwrap();
    let more = MerchantId::generate();
    let open = |merchant| send(&ledger, merchant, "open_deposit", &json!({ "amount": "5000.00" }), None).unwrap();
    open(more);
    let deposit = ledger.deposits(more).wait().unwrap()[0].id;
    let top_up = |n: u32| {
        let mut fields = json!({ "deposit": deposit, "amount": format!("{}.00", 100 + n) });
        fields["merchant"] = json!(more);
        ledger.submit(Command::from_json("top_up", fields).unwrap()).send()
    };
    let pending: Vec<_> = (0..200).map(top_up).collect();
    pending.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
    let commits = "SELECT count(DISTINCT xmin::text) FROM books.journal WHERE merchant_id = ";
    let told = server.text("SELECT count(*) FROM realtime.messages");
    assert_eq!(told, server.text(&format!("{commits} '{more}'")));
    assert!(told.parse::<u32>().unwrap() < 201, "no commit held several entries");

    // Whatever it does, the commit stands.
    let broken = "CREATE OR REPLACE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true) \
                  RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$";
    for sql in [broken, "REVOKE EXECUTE ON FUNCTION realtime.send FROM public", "DROP SCHEMA realtime CASCADE"] {
        server.batch(sql).unwrap();
        open(MerchantId::generate());
    }
    // It is gone, so nobody is told; the trigger waits for its return.
    assert!(!migrate(Realtime::WherePossible));
    assert!(!migrate(Realtime::Off));
    let left = "SELECT count(*) FROM pg_proc WHERE proname = 'tell_realtime'";
    assert_eq!((there(), server.text(left)), ("0".to_owned(), "0".to_owned()));
    assert!(!migrate(Realtime::Keep));
    open(MerchantId::generate());
    drop(ledger);
    drop(database);
    for part in ["reader", "writer", "owner"] {
        Direct::connect(direct()).batch(&format!("DROP ROLE {roles}_{part}")).unwrap();
    }
    println!("tenants: {told} messages for 201 entries sent at once");
}

#[test]
fn a_cursor_says_whose_list_it_is() {
    let schema = Schema::new();
    let store = schema.store();
    for text in ["", "postgres", "postgres:::", "memory:1", "postgres:00000000000000000000000000000000:all:0:0:0"] {
        let query = JournalQuery::All { after: Some(Cursor(text.to_owned())) };
        assert!(matches!(store.journal(&query, 1), Err(StoreError::Foreign(_))), "{text}");
    }
}
