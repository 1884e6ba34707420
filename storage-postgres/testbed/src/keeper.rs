//! A server that cannot outlive whoever started it.
//!
//! A shell stands between: it holds the reading end of a pipe whose other end only this process has. However this
//! process ends, the pipe closes, and the shell stops the server. (A signal on the parent's death would not do: it is
//! tied to the thread that started the server.)

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::account;
use crate::fault::{Fault, Trying};

/// Reads names of signals for the server; at the end of them sends the last one, and removes the folder, if one is
/// named, when the server has gone.
const SCRIPT: &str = r#"
log=$1 last=$2 remove=$3; shift 3
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
server=$!
{ while read -r name; do kill -s "$name" "$server"; done; kill -s "$last" "$server"; } <&3 3<&- &
watcher=$!
exec 3<&- </dev/null
wait "$server"
kill -s TERM "$watcher" 2>/dev/null
wait "$watcher" && [ -n "$remove" ] && rm -rf -- "$remove"
:
"#;

/// What to start, and how it ends.
pub(crate) struct Kept<'a> {
    pub(crate) command: Command,
    pub(crate) log: &'a Path,
    /// The signal that ends it when this process has gone.
    pub(crate) last: &'a str,
    /// Its folder, removed after this process has gone, and the lock that says that it is in use.
    pub(crate) throwaway: Option<(&'a Path, &'a File)>,
}

#[derive(Debug)]
pub(crate) struct Keeper {
    shell: Child,
    signals: Option<ChildStdin>,
}

impl Keeper {
    /// Starts it under the servers' account.
    pub(crate) fn start(kept: Kept<'_>) -> Result<Self, Fault> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "keeper"]).arg(kept.log).arg(kept.last);
        shell.arg(kept.throwaway.map_or(Path::new(""), |(folder, _)| folder));
        shell.arg(kept.command.get_program()).args(kept.command.get_args());
        shell.envs(kept.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // Of its own group: Ctrl-C at the terminal reaches only the parent, whose death then says what to do.
        shell.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null());
        // The shell says nothing. What it gets as its error output is the lock, held so until the server has gone.
        shell.stderr(match kept.throwaway {
            Some((_, lock)) => Stdio::from(lock.try_clone().trying("the run's lock")?),
            None => Stdio::null(),
        });
        let what = format!("start {}", kept.command.get_program().to_string_lossy());
        let mut shell = account::run_as(&mut shell).spawn().trying(what)?;
        let signals = shell.stdin.take();
        Ok(Self { shell, signals })
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// Sends the signal; a server that has gone takes none.
    pub(crate) fn signal(&mut self, name: &str) {
        if let Some(signals) = &mut self.signals {
            let _ = writeln!(signals, "{name}");
        }
    }

    /// Whether it has gone within that time.
    pub(crate) fn gone_within(&mut self, time: Duration) -> bool {
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > time {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.signals = None;
        if !self.gone_within(Duration::from_secs(10)) {
            // Its server is then stuck in the kernel; the shell waits on without us.
            return;
        }
        let _ = self.shell.wait();
    }
}

/// The last lines of a log, as one.
pub(crate) fn last_lines(log: &Path) -> String {
    const LINES: usize = 5;
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().rev().take(LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

/// Runs it to its end: what it printed, or the last of what it complained about.
pub(crate) fn output(command: &mut Command) -> Result<String, Fault> {
    let line = std::iter::once(command.get_program()).chain(command.get_args());
    let line = line.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let output = command.output().trying(&line)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned();
    Err(Fault::program(line, format!("{}: {last}", output.status)))
}
