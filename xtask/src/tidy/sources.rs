//! Sources: a header on each file, no file too long, and nothing that must not be committed.

use crate::tidy::{Fault, File};

/// A file of so many lines is too long. Beyond, a file holds more than one noun.
const TOO_LONG: usize = 900;
/// What a Python file says that a program writes: its length is what there is to write.
const WRITTEN: &str = "Written by bindings/python/generate";

// Written in pieces, so that this file does not hold what it forbids.
const MACHINE_PATHS: [&str; 5] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "tmp/"), concat!("/", "home/"), concat!("/", "Users/")];
const REGISTRIES: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("repo", ".maven"),
];
const UNFINISHED: [&str; 3] = [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("#[", "ignore")];

pub(super) fn check(files: &[File]) -> Vec<Fault> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (extension, header) in [("rs", "//! "), ("sql", "-- "), ("py", "\"\"\"")] {
        if file.has_extension(extension) {
            if !file.text.starts_with(header) {
                faults.push(file.fault(1, format!("does not begin with a `{}` header", header.trim_end())));
            }
            let lines = file.text.lines().count();
            let written = file.has_extension("py") && file.text.contains(WRITTEN);
            if lines >= TOO_LONG && !written {
                faults.push(file.fault(0, format!("{lines} lines; a file must stay below {TOO_LONG}")));
            }
        }
    }
    for (number, line) in file.lines() {
        for path in MACHINE_PATHS.iter().filter(|path| names_path(line, path)) {
            faults.push(file.fault(number, format!("names a path of one machine: {path}")));
        }
        for host in REGISTRIES.iter().filter(|host| line.contains(**host)) {
            faults.push(file.fault(number, format!("names a registry's host: {host}")));
        }
        if file.has_extension("rs") {
            for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
                faults.push(file.fault(number, format!("is not finished: {mark}")));
            }
        }
    }
    faults
}

/// Whether `line` holds `path` as an absolute path, not as the end of a relative one (`a/tmp/b`).
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_ascii_alphanumeric() || matches!(before, '_' | '-' | '.' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: [usize; 0] = [];

    fn faults(path: &str, text: &str) -> Vec<usize> {
        check(&[File { path: path.to_owned(), text: text.to_owned() }]).into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn headers_and_lengths() {
        assert_eq!(faults("a.rs", "//! Why.\n"), FINE);
        assert_eq!(faults("a.rs", "fn main() {}\n"), [1]);
        assert_eq!(faults("a.sql", "SELECT 1;\n"), [1]);
        assert_eq!(faults("a.md", "# A title\n"), FINE);
        assert_eq!(faults("a.py", "\"\"\"Why.\"\"\"\n"), FINE);
        assert_eq!(faults("a.py", "import os\n"), [1]);
        assert_eq!(faults("a.rs", &"//! Why.\n".repeat(899)), FINE);
        assert_eq!(faults("a.rs", &"//! Why.\n".repeat(900)), [0]);
        assert_eq!(faults("a.py", &format!("\"\"\"Why.\n\n{WRITTEN}\n{}", "\n".repeat(900))), FINE);
    }

    #[test]
    fn what_must_not_be_committed() {
        for forbidden in MACHINE_PATHS.iter().chain(&REGISTRIES) {
            assert_eq!(faults("a.md", &format!("fine\n`{forbidden}x`\n")), [2], "{forbidden}");
        }
        for forbidden in UNFINISHED {
            assert_eq!(faults("a.rs", &format!("//! Why.\n{forbidden}\n")), [2], "{forbidden}");
        }
        assert_eq!(faults("a.md", concat!("a folder/", "tmp/x\n")), FINE);
    }
}
