//! A program out of a Debian package that nobody installs: fetched with its missing libraries, and unpacked.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fault::{Fault, Trying};
use crate::keeper::output;
use crate::tools::Tool;

/// A program of a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// Where the program is, from the root.
    pub(crate) program: &'static str,
}

/// Fetches and unpacks it, and of the libraries that it depends on those that are not installed, until its program can
/// be loaded.
pub(crate) fn fetch(wanted: Package, root: &Path) -> Result<(), Fault> {
    let mut apt = Apt { options: Vec::new() };
    let packages = root.join("packages");
    std::fs::create_dir_all(&packages).trying(packages.display())?;
    let first = match apt.download(wanted.name, &packages) {
        Ok(package) => package,
        // Unknown, or superseded since the lists were read.
        Err(_) => {
            apt = Apt::with_lists_in(root)?;
            apt.download(wanted.name, &packages)?
        }
    };
    unpack(&first, root)?;
    let mut names: VecDeque<String> = libraries_of(&first)?.into();
    let mut seen = BTreeSet::new();
    loop {
        let missing = missing_libraries(&unpacked(wanted, root).trying(wanted.name)?)?;
        if missing.is_empty() {
            return Ok(());
        }
        let next = std::iter::from_fn(|| names.pop_front()).find(|name| seen.insert(name.clone()) && !installed(name));
        let Some(name) = next else {
            return Err(Fault::program(wanted.name, format!("no package has {}", missing.join(", "))));
        };
        let package = apt.download(&name, &packages)?;
        unpack(&package, root)?;
        names.extend(libraries_of(&package)?);
    }
}

/// The unpacked program, with every folder that holds libraries.
pub(crate) fn unpacked(package: Package, root: &Path) -> std::io::Result<Tool> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<PathBuf> = ["lib", "usr/lib"].map(|name| root.join(name)).into();
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(".so") && !found.contains(&folder) {
                found.push(folder.clone());
            }
        }
    }
    let libraries: Vec<&Path> = found.iter().map(PathBuf::as_path).collect();
    let libraries = std::env::join_paths(libraries).ok().filter(|paths| !paths.is_empty());
    Ok(Tool { program: root.join(package.program), libraries })
}

/// As `ldd` names them.
fn missing_libraries(program: &Tool) -> Result<Vec<String>, Fault> {
    let mut ldd = Command::new("ldd");
    if let Some(libraries) = &program.libraries {
        ldd.env("LD_LIBRARY_PATH", libraries);
    }
    let lines = output(ldd.arg(&program.program))?;
    let missing = lines.lines().filter(|line| line.contains("not found"));
    Ok(missing.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
}

fn unpack(package: &Path, root: &Path) -> Result<(), Fault> {
    output(Command::new("dpkg-deb").arg("-x").arg(package).arg(root)).map(drop)
}

/// The names of the libraries' packages that it depends on.
fn libraries_of(package: &Path) -> Result<Vec<String>, Fault> {
    let depends = output(Command::new("dpkg-deb").args(["-f"]).arg(package).arg("Depends"))?;
    Ok(library_names(&depends))
}

/// Of alternatives, the first.
fn library_names(depends: &str) -> Vec<String> {
    let first = |dependency: &str| Some(dependency.split(['|', '(', ':']).next()?.trim().to_owned());
    depends.split(',').filter_map(first).filter(|name| name.starts_with("lib")).collect()
}

fn installed(name: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", name]))
        .is_ok_and(|said| said == "installed")
}

/// apt-get, with the system's package lists or with its own, for which one need not be root.
struct Apt {
    options: Vec<OsString>,
}

impl Apt {
    /// Reads the lists afresh, into the folder.
    fn with_lists_in(root: &Path) -> Result<Self, Fault> {
        let mut options = Vec::new();
        for (option, name) in [("Dir::State::lists", "lists"), ("Dir::Cache", "cache")] {
            let folder = root.join(name);
            std::fs::create_dir_all(folder.join("partial")).trying(folder.display())?;
            let mut assignment = OsString::from(format!("{option}="));
            assignment.push(folder);
            options.extend(["-o".into(), assignment]);
        }
        let apt = Self { options };
        output(Command::new("apt-get").args(&apt.options).args(["-q", "update"]))?;
        Ok(apt)
    }

    /// The package's file, in a folder of its own below `folder`.
    fn download(&self, name: &str, folder: &Path) -> Result<PathBuf, Fault> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).trying(folder.display())?;
        output(Command::new("apt-get").args(&self.options).args(["-q", "download", name]).current_dir(&folder))?;
        let mut files = std::fs::read_dir(&folder).trying(folder.display())?.flatten();
        let file = files.find(|entry| entry.path().extension().is_some_and(|extension| extension == "deb"));
        file.map(|entry| entry.path()).ok_or_else(|| Fault::program("apt-get download", format!("{name}: no file")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries() {
        let depends = "lsb-base (>= 3.1), libc-ares2 (>= 1.12), libsystemd0 | libelogind0, libevent-2.1-7t64:any\n";
        assert_eq!(library_names(depends), ["libc-ares2", "libsystemd0", "libevent-2.1-7t64"]);
    }
}
