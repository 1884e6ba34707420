//! Prose: the paths, links, packages, subcommands and decisions that it names exist, and the code map is complete.

use std::path::Path;

use crate::SUBCOMMANDS;
use crate::tidy::{Fault, File};

/// Endings by which a name without a folder passes for a path.
const PATH_ENDINGS: [&str; 6] = [".rs", ".md", ".toml", ".sql", ".json", ".sh"];
/// Folders whose every file the code map names, itself or by a folder within.
const MAPPED: [&str; 3] = ["core/src/", "storage-sqlite/src/", "storage-postgres/src/"];

pub(super) fn check(files: &[File], root: &Path) -> Vec<Fault> {
    let packages: Vec<&str> = files.iter().filter_map(package_name).collect();
    let mut faults = Vec::new();
    for file in files {
        if is_prose(&file.path) {
            faults.extend(paths(file, root));
            faults.extend(links(file, root));
        }
        faults.extend(commands(file, &packages));
        faults.extend(decisions(file, files));
        if file.path == "ARCHITECTURE.md" {
            faults.extend(code_map(file, files));
        }
    }
    faults
}

fn is_prose(path: &str) -> bool {
    matches!(path, "README.md" | "ARCHITECTURE.md" | "CHANGELOG.md" | "bindings/python/README.md")
        || (path.starts_with("docs/") && Path::new(path).extension().is_some_and(|found| found == "md"))
}

/// The package of a manifest.
fn package_name(file: &File) -> Option<&str> {
    let manifest = file.path.rsplit('/').next() == Some("Cargo.toml");
    let line = file.text.lines().find_map(|line| line.strip_prefix("name = \""));
    line.and_then(|rest| rest.strip_suffix('"')).filter(|_| manifest)
}

/// Lines outside of code blocks.
fn prose_lines(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut in_block = false;
    file.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    })
}

/// What stands in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn paths(file: &File, root: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in prose_lines(file) {
        for name in quoted(line).filter(|name| looks_like_path(name)) {
            // Of a pattern, the folder.
            let literal = name.split('*').next().unwrap_or(name);
            if !root.join(literal).exists() {
                faults.push(file.fault(number, format!("names `{name}`, which does not exist")));
            }
        }
    }
    faults
}

fn looks_like_path(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    let built = name.starts_with("target/");
    let placed = name.contains('/') && !name.starts_with('/');
    let named = PATH_ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending));
    !name.is_empty() && name.chars().all(plain) && !built && !name.starts_with('*') && (placed || named)
}

fn links(file: &File, root: &Path) -> Vec<Fault> {
    let folder = root.join(&file.path).parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf);
    let mut faults = Vec::new();
    for (number, line) in prose_lines(file) {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                faults.push(file.fault(number, format!("links to {target}, which does not exist")));
            }
        }
    }
    faults
}

fn commands(file: &File, packages: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for name in words_after(line, "cargo xtask ") {
            if !SUBCOMMANDS.iter().any(|subcommand| subcommand.name == name) {
                faults.push(file.fault(number, format!("names `cargo xtask {name}`, which does not exist")));
            }
        }
        for name in words_after(line, "cargo run -p ") {
            if !packages.contains(&name) {
                faults.push(file.fault(number, format!("runs package {name}, which does not exist")));
            }
        }
    }
    faults
}

/// The lower-case word after each occurrence of `call`; a placeholder in capitals or braces is none.
fn words_after<'a>(line: &'a str, call: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(call).skip(1).filter_map(|rest| {
        let end =
            rest.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('-');
        (!word.is_empty()).then_some(word)
    })
}

/// A decision may be named by its number alone, as the sources do.
fn decisions(file: &File, files: &[File]) -> Vec<Fault> {
    const PLACE: &str = "docs/adr/";
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for rest in line.split(PLACE).skip(1) {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let decision = format!("{PLACE}{}-", &rest[..digits]);
            if digits > 0 && !files.iter().any(|file| file.path.starts_with(&decision)) {
                faults.push(
                    file.fault(number, format!("names decision {PLACE}{}, which does not exist", &rest[..digits])),
                );
            }
        }
    }
    faults
}

fn code_map(map: &File, files: &[File]) -> Vec<Fault> {
    let named: Vec<&str> = prose_lines(map).flat_map(|(_, line)| quoted(line)).collect();
    let is_named = |path: &str, room: &str| {
        let folder = |name: &&str| name.ends_with('/') && name.len() > room.len() && path.starts_with(*name);
        named.contains(&path) || named.iter().any(folder)
    };
    let in_rooms = MAPPED.iter().flat_map(|room| files.iter().map(move |file| (*room, file.path.as_str())));
    in_rooms
        .filter(|(room, path)| path.starts_with(room) && !is_named(path, room))
        .map(|(_, path)| map.fault(0, format!("the code map does not name {path}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let manifest = File { path: "a/Cargo.toml".to_owned(), text: "[package]\nname = \"some-crate\"\n".to_owned() };
        let decision = File { path: "docs/adr/0001-one.md".to_owned(), text: String::new() };
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let found = check(&[manifest, decision, file], &crate::run::root());
        found.into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
    }

    #[test]
    fn paths_in_backticks() {
        let fine = "`core/src/lib.rs`, `core/`, `Cargo.toml`, `core/conformance/scenarios/*.json`, `target/x.json`, \
                    `a::b`, `.await`, `MIT OR Apache-2.0`, `*.json`\n```text\n`no/such/file` \n```\n";
        assert_eq!(faults("README.md", fine), Vec::<String>::new());
        assert_eq!(
            faults("README.md", "\n`core/src/none.rs`\n"),
            ["2: names `core/src/none.rs`, which does not exist"]
        );
        assert_eq!(faults("docs/a.md", "`none.toml`\n").len(), 1);
        assert_eq!(faults("docs/a.md", "`none/*.json`\n").len(), 1);
        assert_eq!(faults("core/src/a.rs", "//! `none.toml`\n"), Vec::<String>::new());
    }

    #[test]
    fn links_are_relative_to_their_file() {
        assert_eq!(faults("README.md", "[a](core/src/lib.rs) [b](#part) [c](https://example.com/x)\n").len(), 0);
        assert_eq!(faults("docs/a.md", "[a](../README.md#part)\n").len(), 0);
        assert_eq!(faults("docs/a.md", "[a](README.md)\n"), ["1: links to README.md, which does not exist"]);
    }

    #[test]
    fn commands_and_decisions() {
        // In pieces, so that this file itself stays in order.
        let unknown = concat!("run `cargo xtask", " nothing`, `cargo run -p", " nobody`, docs/adr/", "9999\n");
        assert_eq!(faults("a.rs", unknown).len(), 3);
        let known = concat!("run `cargo xtask ci`, `cargo xtask`, cargo xtask NAME, `cargo run -p", " some-crate`\n");
        assert_eq!(faults("a.rs", known).len(), 0);
        assert_eq!(faults("a.rs", concat!("docs/adr/", "0001 and docs/adr/", "0001-one.md\n")).len(), 0);
    }

    #[test]
    fn the_code_map_is_complete() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let count = |text: &str| {
            let files = ["core/src/lib.rs", "core/src/deep/one.rs", "xtask/src/main.rs"].map(|path| file(path, ""));
            code_map(&file("ARCHITECTURE.md", text), &files).len()
        };
        assert_eq!(count("`core/src/lib.rs` `core/src/deep/`\n"), 0);
        assert_eq!(count("`core/src/lib.rs` `core/src/deep/one.rs`\n"), 0);
        assert_eq!(count("`core/src/` `core/src/lib.rs`\n"), 1);
        assert_eq!(count("```text\n`core/src/lib.rs`\n```\n"), 2);
    }
}
