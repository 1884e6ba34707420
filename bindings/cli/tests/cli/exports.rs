//! `export` and `import`: files that are whole or not there, and books that are the same or not there.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::ground::{CAMPAIGN, DEPOSIT, MERCHANT, NOBODY, Store, of_merchant};

struct Files<'s>(&'s Store);

impl Files<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.folder.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What is in the folder beside the ledger.
    fn all(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.0.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with("ledger.db"));
        names.sort();
        names
    }
}

/// Two books, one with a customer.
fn told(store: Store) -> Store {
    let store = store.prepared();
    let customer =
        json!({ "campaign": CAMPAIGN, "partner": NOBODY, "value": "90.00", "customer": { "name": "Aïcha" } });
    store.send("create_lead", customer);
    store
        .run(&["do", "open_deposit", "--json", &json!({ "merchant": NOBODY, "amount": "2000.00" }).to_string()])
        .json();
    store
}

fn there_and_back(store: &Store, other: &Store) {
    let files = Files(store);
    let books = files.name("books.jsonl");
    let exported = store.run(&["export", "--format", "jsonl", "--out", &books, "--json"]).json();
    assert_eq!((&exported["books"], &exported["entries"], &exported["private"]), (&json!(2), &json!(5), &json!(1)));
    assert_eq!(exported["file"], json!(books));
    let text = files.text("books.jsonl");
    assert!(text.contains("Aïcha") && text.ends_with("}}\n"), "{text}");
    assert_eq!(store.run(&["export", "--format", "jsonl", "--out", "-"]).ok(), text);

    other.run(&["init"]).ok();
    let imported = other.run(&["import", &books, "--json"]).json();
    assert_eq!((&imported["new_books"], &imported["new_entries"]), (&json!(2), &json!(5)));
    assert_eq!(imported["sha256"], exported["sha256"]);
    other.run(&["check"]).ok();
    for merchant in [MERCHANT, NOBODY] {
        let head = |store: &Store| store.run(&["check", merchant, "--json"]).json();
        assert_eq!(head(store), head(other), "{merchant}");
    }
    assert_eq!(other.run(&["export", "--format", "jsonl", "--out", "-"]).ok(), text);
    let again = other.run(&["import", &books]).ok();
    assert!(
        again.ends_with(": 2 books, 5 entries, 1 private texts, 0 missed leads; new are 0 books, 0 entries\n"),
        "{again}"
    );

    let bare = files.name("bare.jsonl");
    let told = store.run(&["export", "--format", "jsonl", "--without-private", "--merchant", MERCHANT, "--out", &bare]);
    assert_eq!(told.ok(), format!("{bare}: 1 books, 4 entries, 0 private texts, 0 missed leads\n"));
    assert!(!files.text("bare.jsonl").contains("Aïcha"));

    let csv = files.name("statement.csv");
    let scope = ["--merchant", MERCHANT, "--deposit", DEPOSIT, "--out", &csv];
    assert_eq!(store.run(&[&["export", "--format", "csv"][..], &scope].concat()).ok(), format!("{csv}: 1 lines\n"));
    let statement = files.text("statement.csv");
    assert!(statement.starts_with("seq,at,kind,") && statement.contains(",5000.00,"), "{statement}");
    for (format, said) in [("hledger", "liabilities:merchants:"), ("beancount", "Liabilities:Merchants:")] {
        let file = files.name(format);
        let answer = store.run(&["export", "--format", format, "--out", &file, "--json"]).json();
        assert_eq!(
            (&answer["format"], &answer["books"], &answer["transactions"]),
            (&json!(format), &json!(2), &json!(2))
        );
        assert!(files.text(format).contains(said));
    }
    assert_eq!(files.all(), ["bare.jsonl", "beancount", "books.jsonl", "hledger", "statement.csv"]);
}

#[test]
fn books_go_from_a_file_to_another_and_are_the_same() {
    there_and_back(&told(Store::sqlite()), &Store::sqlite());
}

#[test]
fn books_go_from_a_server_to_a_file() {
    there_and_back(&told(Store::postgres("export")), &Store::sqlite());
}

#[test]
fn books_go_from_a_file_to_a_server() {
    there_and_back(&told(Store::sqlite()), &Store::postgres("import"));
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    let store = told(Store::sqlite());
    let files = Files(&store);
    let file = files.name("books");
    let export = |more: &[&str]| store.run(&[&["export", "--format", "jsonl", "--out", &file], more].concat());
    std::fs::write(files.path("books"), "mine").unwrap();
    assert!(export(&[]).failed(4).contains("(file_exists)"));
    assert_eq!(files.text("books"), "mine");
    // One that fails half-way leaves what was there, and nothing beside.
    store.damage("UPDATE private SET text = text || ' '");
    assert!(export(&["--force"]).failed(7).contains("(check_failed)"));
    assert_eq!((files.text("books").as_str(), files.all()), ("mine", vec!["books".to_owned()]));
    store.damage("UPDATE private SET text = rtrim(text)");
    export(&["--force"]).ok();
    assert!(files.text("books").starts_with("{\"header\""));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(files.path("books")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "others can read personal data");
    let nowhere = store.run(&["export", "--format", "jsonl", "--out", "/no/such/folder/books"]);
    assert!(nowhere.failed(1).contains("(export_output)"));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = store.command(&["export", "--format", "jsonl", "--out", "-"]);
    let ran = crate::ground::Ran::of(command.stdout(full).output().unwrap());
    assert!(ran.failed(1).contains("(output_failed)"));
    for (arguments, said) in [
        (&["--format", "csv", "--out", "-"][..], "--deposit"),
        (&["--format", "csv", "--out", "-", "--merchant", MERCHANT], "--deposit"),
        (&["--format", "hledger", "--out", "-", "--merchant", MERCHANT, "--deposit", DEPOSIT], "is for csv"),
        (&["--format", "hledger", "--out", "-", "--without-private"], "is for jsonl"),
        (&["--format", "jsonl", "--out", "-", "--deposit", DEPOSIT], "--merchant"),
        (&["--format", "json", "--out", "-"], "possible values: jsonl"),
        (&["--format", "jsonl"], "--out"),
    ] {
        let err = store.run(&[&["export"][..], arguments].concat()).failed(2);
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    let nobodys = ["export", "--format", "csv", "--out", "-", "--merchant", MERCHANT, "--deposit", NOBODY];
    assert!(store.run(&nobodys).failed(3).contains("(deposit_not_found)"));
}

#[test]
fn what_is_not_whole_is_not_imported() {
    let store = told(Store::sqlite());
    let files = Files(&store);
    let books = files.name("books");
    store.run(&["export", "--format", "jsonl", "--out", &books]).ok();
    let genuine = files.text("books");
    let empty = Store::sqlite();
    empty.run(&["init"]).ok();
    let lines = genuine.lines().count();
    let cut: String = genuine.lines().take(lines - 1).map(|line| format!("{line}\n")).collect();
    let newer = genuine.replacen("\"version\":1", "\"version\":2", 1);
    for (text, code, said) in [
        (cut, 4, "(import_cut)"),
        (genuine[..genuine.len() - 1].to_owned(), 4, "(import_cut)"),
        (genuine.replacen("5000", "6000", 1), 4, "(import_damaged)"),
        (genuine.replacen("Aïcha", "Aicha", 1), 4, "(import_damaged)"),
        (newer, 4, "(import_version)"),
        ("{}\n".to_owned(), 4, "(import_not_books)"),
    ] {
        assert_ne!(text, genuine);
        std::fs::write(files.path("books"), text).unwrap();
        let err = empty.run(&["import", &books]).failed(code);
        assert!(err.contains(said), "{said:?} is not in {err}");
        assert_eq!(empty.run(&["status", "--json"]).json(), json!({ "merchants": [] }), "{said}");
    }
    std::fs::write(files.path("books"), &genuine).unwrap();
    // Another history of the same merchant's.
    empty.run(&["do", "open_deposit", "--json", &of_merchant(json!({ "amount": "3000.00" }))]).json();
    let err: Value = serde_json::from_str(&empty.run(&["import", &books, "--json"]).failed(3)).unwrap();
    assert_eq!(
        (&err["error"]["code"], &err["error"]["details"]["merchant"]),
        (&json!("import_book_differs"), &json!(MERCHANT))
    );
    assert_eq!(empty.run(&["status", "--json"]).json()["merchants"].as_array().unwrap().len(), 1);
    for file in ["no-such-file", "."] {
        assert!(empty.run(&["import", file]).failed(4).contains("(import_source)"), "{file}");
    }
}
