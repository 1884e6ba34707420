//! One PostgreSQL server for all that a subcommand runs, and the subcommand that shows it to people.

use std::io::Read;
use std::process::Command;

use leadledger_testbed::{POOLER_VARIABLE, TLS_VARIABLE, URL_VARIABLE, server};

use crate::run::{self, Failure};

/// The server's three URLs, each with the variable in which tests look for it. Whatever no variable gives already is
/// started, once, and ends with this process.
pub(crate) fn variables() -> Result<[(&'static str, &'static str); 3], Failure> {
    let server = server()?;
    Ok([(URL_VARIABLE, server.url()), (POOLER_VARIABLE, server.pooled_url()?), (TLS_VARIABLE, server.tls_url()?)])
}

/// The command, with the variables for its tests.
pub(crate) fn with_server(mut command: Command) -> Result<Command, Failure> {
    command.envs(variables()?);
    Ok(command)
}

/// Takes a schema away that a subcommand made.
pub(crate) fn drop_schema(name: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, driver) = tokio_postgres::connect(server()?.url(), tokio_postgres::NoTls).await?;
        let driver = runtime.spawn(driver);
        client.batch_execute(&format!("DROP SCHEMA {name} CASCADE")).await?;
        driver.abort();
        Ok(())
    })
}

/// Prints them for a shell, and keeps the server until the input ends or Ctrl-C.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    run::no_arguments(arguments)?;
    for (variable, url) in variables()? {
        println!("export {variable}='{url}'");
    }
    eprintln!("the server runs until Ctrl-C, or the end of the input");
    let mut input = std::io::stdin().lock();
    while input.read(&mut [0; 1024])? > 0 {}
    Ok(())
}
