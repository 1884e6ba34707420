//! Writes the Python package's records, events, methods and functions from the facade's tables: names, types and
//! docstrings are those of the Rust code.
//!
//! `cargo run -p leadledger-python-generate` writes the files; a test fails where they are not what it would write.

// Text is put together here: clearer with one form for all of it.
#![allow(clippy::format_push_string)]

mod front;
mod methods;
mod records;
mod text;

use std::path::{Path, PathBuf};

/// Each generated file of the package, by name.
fn files() -> Vec<(&'static str, String)> {
    let front = std::fs::read_to_string(package().join("__init__.py")).unwrap_or_default();
    vec![
        ("__init__.py", front::front_module(&front)),
        ("_records.py", records::records_module()),
        ("_refusals.py", records::refusals_module()),
        ("events.py", records::events_module()),
        ("_operations.py", methods::operations_module(false)),
        ("_async_operations.py", methods::operations_module(true)),
        ("_functions.py", methods::functions_module()),
    ]
}

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/leadledger")
}

fn main() -> std::io::Result<()> {
    for (name, text) in files() {
        std::fs::write(package().join(name), text)?;
        println!("wrote {name}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_what_is_generated() {
        for (name, text) in files() {
            let there = std::fs::read_to_string(package().join(name)).unwrap_or_default();
            let differs = "differs: run cargo run -p leadledger-python-generate";
            assert!(there == text, "{name} {differs}");
        }
    }
}
