//! The example backend, in an environment of its own: its style is everybody's, its types and tests are checked here.

use std::process::Command;

use crate::postgres;
use crate::python::Workshop;
use crate::python::checks::pyright;
use crate::python::distribution::Distribution;
use crate::python::environment::Environment;
use crate::run::{self, Failure, root};

pub(super) fn run(workshop: &Workshop, built: &Distribution) -> Result<(), Failure> {
    let example = root().join("examples/python-fastapi");
    let environment = Environment::fresh(workshop.path("example"))?;
    environment.install_alone(built.wheel())?;
    environment.install_required(&example.join("requirements-test.txt"))?;

    // Its own settings are those of its folder, as for somebody who begins with a copy of it.
    let mut mypy = environment.python(&["-m", "mypy", "--cache-dir"]);
    run::run(mypy.arg(workshop.path("mypy-example")).current_dir(&example))?;
    run::run(pyright(workshop, &environment)?.arg("--warnings").arg("--project").arg(&example))?;

    // The guide's switch from the old tables is made with the command line.
    run::run(&mut run::cargo(&["build", "--package", "leadledger-cli"]))?;

    let mut pytest = workshop.outside(Command::new(environment.program("pytest")))?;
    let cache = format!("cache_dir={}", workshop.path("pytest-example").display());
    pytest.arg("-o").arg(cache).current_dir(&example);
    pytest.env("LEADLEDGER_CLI", run::target()?.join("debug/leadledger"));
    run::run(&mut postgres::with_server(pytest)?)
}
