//! The checks of the Python files and of the installed package.

use std::path::Path;
use std::process::Command;

use crate::postgres;
use crate::python::environment::Environment;
use crate::python::{Workshop, package};
use crate::run::{self, Failure, root};

/// What mypy checks beside the installed package; pyright has its list in `pyproject.toml`.
const FOLDERS: [&str; 2] = ["tests", "bench"];

fn ruff(workshop: &Workshop, arguments: &[&str]) -> Command {
    let mut ruff = Command::new(workshop.tools.program("ruff"));
    ruff.args(arguments).arg(".").current_dir(root()).env("RUFF_CACHE_DIR", workshop.path("ruff"));
    ruff
}

/// The style of every Python file of the project.
pub(super) fn style(workshop: &Workshop) -> Result<(), Failure> {
    run::run(&mut ruff(workshop, &["format", "--check"]))?;
    run::run(&mut ruff(workshop, &["check", "--output-format", "concise"]))
}

/// Mends what can be mended without being asked.
pub(super) fn mend(workshop: &Workshop) -> Result<(), Failure> {
    // What is left for a person to mend keeps nothing else from being formatted.
    let left = run::run(&mut ruff(workshop, &["check", "--fix", "--output-format", "concise"]));
    run::run(&mut ruff(workshop, &["format"]))?;
    left
}

/// Types: the installed package by both checkers, its stubs against what is there at run time, and all that uses it.
pub(super) fn types(workshop: &Workshop, clean: &Environment) -> Result<(), Failure> {
    let installed = clean.site_packages()?.join("leadledger");
    let configuration = package().join("pyproject.toml");

    let mypy = || -> Result<Command, Failure> {
        let mut mypy = workshop.outside(clean.python(&["-m", "mypy", "--config-file"]))?;
        mypy.arg(&configuration).arg("--cache-dir").arg(workshop.path("mypy"));
        Ok(mypy)
    };
    let mut itself = mypy()?;
    itself.args(["--package", "leadledger"]);
    let mut checks = vec![itself];
    for folder in FOLDERS {
        let mut used = mypy()?;
        used.arg(package().join(folder));
        checks.push(used);
    }
    let mut stubtest = workshop.outside(clean.python(&["-m", "mypy.stubtest", "leadledger", "--mypy-config-file"]))?;
    let allowed = package().join("stubtest-allowlist.txt");
    stubtest.arg(&configuration).arg("--allowlist").arg(allowed);
    checks.push(stubtest);

    // Pyright takes the folders relative to its settings only.
    let installed = installed.strip_prefix(&workshop.folder)?;
    let settings = serde_json::json!({ "extends": configuration, "include": [installed], "exclude": [] });
    let project = workshop.path("pyrightconfig.json");
    std::fs::write(&project, settings.to_string())?;
    for project in [&project, &package()] {
        let mut strict = pyright(workshop, clean)?;
        strict.arg("--warnings").arg("--project").arg(project);
        checks.push(strict);
    }
    // Whether everything that is public has a type, for those who are strict. (Python's own `numbers` has not, which
    // every `Decimal` would be reproached with.)
    let mut complete = pyright(workshop, clean)?;
    complete.args(["--ignoreexternal", "--verifytypes", "leadledger"]);
    checks.push(complete);

    // Each has its say before the first failure counts.
    let outcomes: Vec<_> = checks.iter_mut().map(run::run).collect();
    outcomes.into_iter().collect()
}

/// Pyright, for what is installed in the environment. It runs on the machine's Node.
pub(super) fn pyright(workshop: &Workshop, environment: &Environment) -> Result<Command, Failure> {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Err("pyright needs Node: install Debian's `nodejs`".into());
    }
    let mut pyright = workshop.outside(Command::new(workshop.tools.program("pyright")))?;
    let python = environment.program("python");
    // Also by the PATH: with --verifytypes it looks nowhere else.
    let programs = python.parent().map(Path::to_path_buf);
    let others = std::env::var_os("PATH").unwrap_or_default();
    pyright.env("PATH", std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&others)))?);
    // Newer versions of itself are no concern of a pinned one.
    pyright.env("PYRIGHT_PYTHON_IGNORE_WARNINGS", "1").arg("--pythonpath").arg(python);
    Ok(pyright)
}

/// The package's tests, its doctests and those of its README among them, on the wheel.
pub(super) fn tests(workshop: &Workshop, clean: &Environment, arguments: &[String]) -> Result<(), Failure> {
    let from = "import leadledger, sys; sys.exit(not leadledger.__file__.startswith(sys.prefix))";
    run::run(&mut workshop.outside(clean.python(&["-c", from]))?)
        .map_err(|fault| format!("it is not the wheel that would be tested: {fault}"))?;
    let mut pytest = workshop.outside(Command::new(clean.program("pytest")))?;
    pytest.arg("-o").arg(format!("cache_dir={}", workshop.path("pytest").display())).arg(package().join("tests"));
    run::run(postgres::with_server(pytest)?.args(arguments))
}
