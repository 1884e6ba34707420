//! Real servers for tests and measurements: PostgreSQL, PgBouncer, and a proxy that breaks connections where it is
//! told. Whatever is not installed is fetched once, below the target directory. What cannot be had is an error in one
//! line: nothing is ever skipped.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account;
mod cluster;
mod debian;
mod fault;
mod home;
mod keeper;
mod place;
mod pooler;
mod processes;
mod proxy;
mod server;
mod target;
mod tls;
mod tools;
mod wire;

pub use cluster::{Cluster, DATABASE, PASSWORD, PASSWORD_ROLE, SUPERUSER, Stop};
pub use fault::Fault;
pub use pooler::Pooler;
pub use proxy::{Cut, Proxy, Side, Which};
pub use server::{POOLER_VARIABLE, ROLES, TLS_VARIABLE, TestServer, URL_VARIABLE, server};
pub use tools::{SERVER_VARIABLE, ServerPrograms, Tool, beancount_python, hledger, pooler_program, server_programs};
pub use wire::{Row, Wire, zero_ended};
