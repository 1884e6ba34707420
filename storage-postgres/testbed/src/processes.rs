//! Killing a server with everything that it started. Its backends are each in a session of their own, so that no
//! signal to a group reaches them all.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::keeper::output;

/// Kills the process and its children. It is stopped first, so that it neither starts new ones nor sees the old ones
/// die.
pub(crate) fn kill_family(parent: u32) -> Result<(), Fault> {
    const WITHIN: Duration = Duration::from_secs(10);
    signal("STOP", &[parent])?;
    let start = Instant::now();
    loop {
        let children = living_children(parent)?;
        if children.is_empty() {
            return signal("KILL", &[parent]);
        }
        if start.elapsed() > WITHIN {
            return Err(Fault::TooLate(format!("processes {children:?} do not die")));
        }
        // One of them may have ended by itself.
        let _ = signal("KILL", &children);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal(name: &str, processes: &[u32]) -> Result<(), Fault> {
    let script = "name=$1; shift; kill -s \"$name\" \"$@\"";
    let numbers = processes.iter().map(u32::to_string);
    output(Command::new("/bin/sh").args(["-c", script, "kill", name]).args(numbers)).map(drop)
}

/// Those that are not merely waiting to be counted as dead.
fn living_children(parent: u32) -> Result<Vec<u32>, Fault> {
    let lines = if Path::new("/proc/self/stat").exists() {
        let processes = std::fs::read_dir("/proc").map_err(|fault| Fault::program("list processes", fault))?;
        let stats = processes.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        // The name may hold anything, blanks and brackets too.
        stats.filter_map(|stat| Some(format!("{} {}", stat.split_once(' ')?.0, stat.rsplit_once(") ")?.1))).collect()
    } else {
        let listed = output(Command::new("ps").args(["-A", "-o", "pid=,stat=,ppid="]))?;
        listed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let child = |line: &String| {
        let mut words = line.split_whitespace();
        let (number, state, of) = (words.next()?.parse().ok()?, words.next()?, words.next()?.parse::<u32>().ok()?);
        (of == parent && !state.starts_with('Z')).then_some(number)
    };
    Ok(lines.iter().filter_map(child).collect())
}
