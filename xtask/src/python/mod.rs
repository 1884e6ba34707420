//! The Python package: built as it is released, installed where nothing else is, and checked there.
//!
//! The wheel is built from what the source distribution holds, so that both are proven by one compilation. All is kept
//! below `target/python`: `tools` (a virtual environment, kept while its requirements are the same), `source` (the
//! source distribution, unpacked), `build` (cargo's), `dist` (what would be uploaded), and the virtual environments
//! `clean`, `example` and `from-sdist`, which are made anew each time.

mod checks;
mod distribution;
mod environment;
mod example;
mod unpacked;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::run::{self, Failure, root};

use distribution::Distribution;
use environment::Environment;

/// The package's room.
fn package() -> PathBuf {
    root().join("bindings/python")
}

/// All that this subcommand makes, and the tools that it does it with.
struct Workshop {
    folder: PathBuf,
    tools: Environment,
    /// Held to the end: two runs at once would take each other's environments away.
    _lock: File,
}

impl Workshop {
    fn open() -> Result<Self, Failure> {
        let folder = run::target()?.join("python");
        std::fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let tools = Environment::kept(folder.join("tools"), &package().join("requirements-tools.txt"))?;
        Ok(Self { folder, tools, _lock: lock })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder, empty.
    fn emptied(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.path(name);
        environment::remove(&folder)?;
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// From a folder in which no source of the package can be imported, and without leaving anything beside the sources.
    fn outside(&self, mut command: Command) -> Result<Command, Failure> {
        let elsewhere = self.path("elsewhere");
        std::fs::create_dir_all(&elsewhere)?;
        command.current_dir(elsewhere).env("PYTHONPYCACHEPREFIX", self.path("pycache")).env_remove("PYTHONPATH");
        Ok(command)
    }
}

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let workshop = Workshop::open()?;
    match arguments {
        [fix] if fix == "--fix" => checks::mend(&workshop),
        [bench, rest @ ..] if bench == "bench" => measure(&workshop, rest),
        [] => everything(&workshop),
        some => some_tests(&workshop, some),
    }
}

fn everything(workshop: &Workshop) -> Result<(), Failure> {
    timed("style", || checks::style(workshop))?;
    let built = timed("sdist and wheel", || Distribution::build(workshop))?;
    timed("install from the sdist", || built.install_from_sdist(workshop))?;
    let clean = timed("clean environment", || clean(workshop, &built))?;
    timed("types", || checks::types(workshop, &clean))?;
    timed("tests", || checks::tests(workshop, &clean, &[]))?;
    timed("example", || example::run(workshop, &built))
}

/// With arguments of pytest: its tests alone, on a wheel that is as new.
fn some_tests(workshop: &Workshop, arguments: &[String]) -> Result<(), Failure> {
    let built = Distribution::build(workshop)?;
    let clean = clean(workshop, &built)?;
    checks::tests(workshop, &clean, arguments)?;
    eprintln!("with arguments, nothing but these tests was run");
    Ok(())
}

/// The package's measurements, on the wheel.
fn measure(workshop: &Workshop, arguments: &[String]) -> Result<(), Failure> {
    let built = Distribution::build(workshop)?;
    let clean = clean(workshop, &built)?;
    let program = package().join("bench/run.py");
    let command = workshop.outside(clean.python(&[program.as_os_str()]))?;
    run::run(crate::postgres::with_server(command)?.args(arguments))
}

/// An environment with the wheel, which must need nothing, and then with what its tests need.
fn clean(workshop: &Workshop, built: &Distribution) -> Result<Environment, Failure> {
    let clean = Environment::fresh(workshop.path("clean"))?;
    clean.install_alone(built.wheel())?;
    clean.install_required(&package().join("requirements-test.txt"))?;
    Ok(clean)
}

fn timed<T>(what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    eprintln!("--> python: {what}");
    let start = Instant::now();
    let outcome = work();
    eprintln!("<-- python: {what}: {:.1?}", start.elapsed());
    outcome
}

/// The files of the folder with that ending; there must be exactly one.
fn only(folder: &Path, ending: &str) -> Result<PathBuf, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => Err(format!("{}: {} files end with {ending}, not one", folder.display(), found.len()).into()),
    }
}
