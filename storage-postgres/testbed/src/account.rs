//! The account that servers run under: PostgreSQL and PgBouncer refuse root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::fault::{Fault, Trying};

/// Of another user, to whom root gives what a server touches.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// `None`: the user who runs this.
fn account() -> Option<Account> {
    static ACCOUNT: OnceLock<Option<Account>> = OnceLock::new();
    *ACCOUNT.get_or_init(|| if uid() == 0 { named("postgres").or_else(|| named("nobody")) } else { None })
}

/// The number of the user who runs this; it cannot be asked for in std.
pub(crate) fn uid() -> u32 {
    static UID: OnceLock<u32> = OnceLock::new();
    *UID.get_or_init(|| {
        let said = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&said).trim().parse().unwrap_or(u32::MAX)
    })
}

fn named(name: &str) -> Option<Account> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        found.then_some(Account { uid, gid })
    })
}

/// Makes the command run under the servers' account.
pub(crate) fn run_as(command: &mut Command) -> &mut Command {
    if let Some(Account { uid, gid }) = account() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Gives the file or folder (not what is in it) to the servers' account.
pub(crate) fn hand_over(path: &Path) -> Result<(), Fault> {
    match account() {
        Some(Account { uid, gid }) => chown(path, Some(uid), Some(gid)).trying(format!("chown {}", path.display())),
        None => Ok(()),
    }
}

/// Whether the servers' account can enter the folder.
pub(crate) fn can_enter(folder: &Path) -> bool {
    let mut test = Command::new("/bin/sh");
    test.args(["-c", "cd -- \"$1\" 2>/dev/null", "sh"]).arg(folder).current_dir("/").stdin(Stdio::null());
    run_as(&mut test).status().is_ok_and(|status| status.success())
}
