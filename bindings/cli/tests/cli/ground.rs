//! What the tests stand on: runs of the binary, and stores of their own.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use leadledger_testbed::server;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::NoTls;

pub(crate) const MERCHANT: &str = "442a26ae-0f1e-5c1d-8a4a-d8421e3d1e5e";
pub(crate) const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
pub(crate) const CAMPAIGN: &str = "d47e4f0f-4c6d-5e1f-9d3e-a8c36720206f";
pub(crate) const DEPOSIT: &str = "42cbd32f-6f0b-5b7e-9ffb-6260c2a4fdc2";
pub(crate) const PARTNER: &str = "2fa6dafe-6c6b-5aa5-b7ff-24dd7dbeffa5";
pub(crate) const LEAD: &str = "9c035e99-e47c-51c9-8da0-11e6bc407cdf";

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it wrote, where it ended well and complained of nothing.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The one JSON document that it wrote.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|fault| panic!("{fault}: {out}"))
    }

    /// What it said on stderr, where it ended with `code`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self.err
    }
}

/// The binary, with nothing of this process's environment that it would look at.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadledger"));
    for variable in ["LEADLEDGER_URL", "LC_ALL", "LC_MONETARY", "LC_NUMERIC", "LANG"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    Ran::of(binary().args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// A store of the test's own, gone with it.
pub(crate) struct Store {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    schema: Option<String>,
}

impl Store {
    /// A file that is not there yet.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("ledger.db").display());
        Self { url, folder, schema: None }
    }

    /// A schema that is not there yet.
    pub(crate) fn postgres(name: &str) -> Self {
        let schema = format!("cli_{}_{name}", std::process::id());
        let url = server().unwrap().url();
        let joint = if url.contains('?') { '&' } else { '?' };
        Self { url: format!("{url}{joint}schema={schema}"), folder: tempfile::tempdir().unwrap(), schema: Some(schema) }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.args(arguments).env("LEADLEDGER_URL", &self.url).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with_stdin(&self, arguments: &[&str], text: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Sends a command of `MERCHANT`'s; its answer.
    #[track_caller]
    pub(crate) fn send(&self, name: &str, fields: Value) -> Value {
        self.run(&["do", name, "--json", &of_merchant(fields)]).json()
    }

    /// A store with a campaign, a deposit of 5000.00 and a pending lead of 600.00.
    pub(crate) fn prepared(self) -> Self {
        self.run(&["init"]).ok();
        self.send("register_campaign", json!({ "campaign": CAMPAIGN }));
        self.send("open_deposit", json!({ "deposit": DEPOSIT, "amount": "5000.00" }));
        self.send("create_lead", lead_fields());
        self
    }

    /// Does something to the file behind the ledger's back.
    pub(crate) fn damage(&self, sql: &str) {
        let file = self.folder.path().join("ledger.db");
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }
}

/// Runs statements on the server, beside the ledger.
pub(crate) fn server_sql(sql: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, driver) = tokio_postgres::connect(server().unwrap().url(), NoTls).await?;
        runtime.spawn(driver);
        client.batch_execute(sql).await
    })
}

impl Drop for Store {
    fn drop(&mut self) {
        let Some(schema) = &self.schema else { return };
        if let Err(fault) = server_sql(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")) {
            eprintln!("schema {schema} stays: {fault}");
        }
    }
}

pub(crate) fn lead_fields() -> Value {
    json!({ "lead": LEAD, "campaign": CAMPAIGN, "partner": PARTNER, "value": "600.00", "source": "tiktok" })
}

/// The text of a command's fields, with `MERCHANT` as whose book.
pub(crate) fn of_merchant(mut fields: Value) -> String {
    fields.as_object_mut().unwrap().insert("merchant".to_owned(), json!(MERCHANT));
    fields.to_string()
}
