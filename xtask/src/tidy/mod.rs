//! What no compiler checks: prose that names what exists, headers, lengths, manifests, and what must not be committed.

mod manifests;
mod prose;
mod sources;

use std::path::{Path, PathBuf};

use crate::run::{self, Failure, root};

/// A text file of the project.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// Where something is not in order: the file, the line from 1 (0: the whole file), and what it is.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl File {
    fn fault(&self, line: usize, what: impl Into<String>) -> Fault {
        Fault { path: self.path.clone(), line, what: what.into() }
    }

    /// The lines, counted from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 7] = [".git", "target", "node_modules", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"];
/// What is read as text. Lock files are left out: they are not written by people.
const TEXT: [&str; 10] = ["rs", "py", "pyi", "toml", "md", "sql", "sh", "json", "yml", "txt"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    let files = files(&root())?;
    let mut faults = sources::check(&files);
    faults.extend(manifests::check(&files));
    faults.extend(prose::check(&files, &root()));
    for fault in &faults {
        println!("{}:{}: {}", fault.path, fault.line, fault.what);
    }
    println!("tidy: {} files, {} faults", files.len(), faults.len());
    if faults.is_empty() { Ok(()) } else { Err("the project is not tidy".into()) }
}

/// All text files under `root`, by path.
fn files(root: &Path) -> Result<Vec<File>, Failure> {
    let mut folders = vec![root.to_path_buf()];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type()?.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
            } else if is_text(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    let read = |path: &PathBuf| -> Result<File, Failure> {
        let text = std::fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
        let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        Ok(File { path, text })
    };
    found.iter().map(read).collect()
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    match extension {
        Some(extension) => TEXT.contains(&extension),
        // Scripts without an extension.
        None => path.parent().and_then(Path::file_name).is_some_and(|folder| folder == ".ci"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_the_rooms() {
        let files = files(&root()).unwrap();
        for expected in [".ci/run", "core/src/lib.rs", "storage-sqlite/src/migrations/0001_books.sql", "README.md"] {
            assert!(files.iter().any(|file| file.path == expected), "{expected}");
        }
    }
}
