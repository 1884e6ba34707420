//! Manifests: every crate has the workspace's lints and licence, and both licences' texts are there.

use crate::tidy::{Fault, File};

const LICENCE: &str = "license = \"MIT OR Apache-2.0\"";

pub(super) fn check(files: &[File]) -> Vec<Fault> {
    files.iter().filter(|file| file.path.rsplit('/').next() == Some("Cargo.toml")).flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Fault> {
    let has = |section: &str, entry: &str| entries(file).any(|(within, line)| within == section && line == entry);
    let begins = |section: &str| file.text.lines().any(|line| line.trim().starts_with(section));
    let wanted = if file.path == "Cargo.toml" {
        vec![
            ("the workspace's licence", has("workspace.package", LICENCE)),
            ("the workspace's lints", begins("[workspace.lints.rust]") && begins("[workspace.lints.clippy]")),
        ]
    } else if begins("[workspace]") {
        // Apart from the workspace (fuzz targets): nothing can be inherited.
        vec![("the licence", has("package", LICENCE))]
    } else {
        vec![
            ("the workspace's licence", has("package", "license.workspace = true")),
            ("the workspace's lints", has("lints", "workspace = true")),
        ]
    };
    wanted.into_iter().filter(|(_, there)| !there).map(|(what, _)| file.fault(0, format!("lacks {what}"))).collect()
}

/// Each line with the section that it stands in.
fn entries(file: &File) -> impl Iterator<Item = (&str, &str)> {
    let mut section = "";
    file.text.lines().map(str::trim).filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        Some((section, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        check(&[File { path: path.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn licence_and_lints() {
        let licence = "[package]\nlicense.workspace = true\n";
        assert_eq!(faults("a/Cargo.toml", &format!("{licence}[lints]\nworkspace = true\n")), 0);
        assert_eq!(faults("a/Cargo.toml", licence), 1);
        assert_eq!(faults("a/Cargo.toml", "[lints]\nworkspace = true\n"), 1);
        assert_eq!(faults("a/Cargo.toml", "[package]\n[dependencies]\nworkspace = true\n"), 2);
        assert_eq!(faults("fuzz/Cargo.toml", &format!("[package]\n{LICENCE}\n[workspace]\n")), 0);
        assert_eq!(faults("fuzz/Cargo.toml", "[package]\n[workspace]\n"), 1);
        assert_eq!(faults("Cargo.toml", "[workspace]\n"), 2);
    }
}
