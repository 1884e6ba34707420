//! A folder that is made the same as another. Files that are the same already keep their times: cargo tells by the
//! time of a file whether it has changed, and those in a source distribution are all of 2006.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use crate::run::Failure;

/// Moves what is in `from` to `to`, and removes whatever else is there.
pub(super) fn settle(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    let mut names: BTreeSet<OsString> = BTreeSet::new();
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (new, old) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            if old.is_file() {
                std::fs::remove_file(&old)?;
            }
            settle(&new, &old)?;
        } else {
            let text = std::fs::read(&new)?;
            if old.is_dir() {
                std::fs::remove_dir_all(&old)?;
            }
            if !std::fs::read(&old).is_ok_and(|found| found == text) {
                std::fs::write(&old, text)?;
            }
        }
        names.insert(entry.file_name());
    }
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            let path = entry.path();
            if entry.file_type()?.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let write = |root: &Path, name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (name, text) in [("a/same", "1"), ("a/other", "2"), ("a/kind", "3"), ("b/kind/deep", "4"), ("b/new", "5")] {
            write(&from, name, text);
        }
        for (name, text) in [("a/same", "1"), ("a/other", "-"), ("a/kind/deep", "-"), ("b/kind", "-"), ("gone/x", "-")]
        {
            write(&to, name, text);
        }
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        for name in ["a/same", "a/other"] {
            std::fs::File::options().write(true).open(to.join(name)).unwrap().set_modified(long_ago).unwrap();
        }

        settle(&from, &to).unwrap();

        for (name, text) in [("a/same", "1"), ("a/other", "2"), ("a/kind", "3"), ("b/kind/deep", "4"), ("b/new", "5")] {
            assert_eq!(std::fs::read_to_string(to.join(name)).unwrap(), text, "{name}");
        }
        assert!(!to.join("gone").exists());
        let modified = |name: &str| std::fs::metadata(to.join(name)).unwrap().modified().unwrap();
        assert_eq!(modified("a/same"), long_ago);
        assert_ne!(modified("a/other"), long_ago);
    }
}
