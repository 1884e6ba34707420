//! Where things are kept: what is fetched once, and a folder for each process that is removed after it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::account;
use crate::fault::{Fault, Trying};

/// The testbed's folder under the target directory; where the servers' account cannot enter it, one among the
/// temporary files.
pub(crate) fn home() -> Result<PathBuf, Fault> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = workspace.canonicalize().unwrap_or(workspace);
    let target = workspace.join(option_env!("CARGO_TARGET_DIR").unwrap_or("target"));
    let wanted = target.join("testbed");
    // A target directory that cannot be written is as good as none.
    if std::fs::create_dir_all(&wanted).is_ok() && account::can_enter(&wanted) && File::create(probe(&wanted)).is_ok() {
        let _ = std::fs::remove_file(probe(&wanted));
        return Ok(wanted);
    }
    let instead = std::env::temp_dir().join(format!("leadledger-testbed-{}", account::uid()));
    std::fs::create_dir_all(&instead).trying(instead.display())?;
    Ok(instead)
}

fn probe(folder: &Path) -> PathBuf {
    folder.join(format!("probe-{}", std::process::id()))
}

/// Makes `home/name` once, whoever asks for it at the same time: it is built beside and then renamed.
pub(crate) fn made_once(
    home: &Path,
    name: &str,
    build: impl FnOnce(&Path) -> Result<(), Fault>,
) -> Result<PathBuf, Fault> {
    let path = home.join(name);
    if path.exists() {
        return Ok(path);
    }
    let _lock = locked(home)?;
    if path.exists() {
        return Ok(path);
    }
    // Left by somebody who was killed: under the lock, nobody else builds here.
    let building = home.join(format!("{name}.building"));
    remove(&building)?;
    std::fs::create_dir_all(&building).trying(building.display())?;
    if let Err(fault) = build(&building) {
        let _ = remove(&building);
        return Err(fault);
    }
    std::fs::rename(&building, &path).trying(path.display())?;
    Ok(path)
}

/// Whoever changes what others may use holds this.
fn locked(home: &Path) -> Result<File, Fault> {
    let what = "the set-up's lock";
    let lock = File::create(home.join("set-up.lock")).trying(what)?;
    lock.lock().trying(what)?;
    Ok(lock)
}

pub(crate) fn remove(folder: &Path) -> Result<(), Fault> {
    match std::fs::remove_dir_all(folder) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault).trying(folder.display()),
        _ => Ok(()),
    }
}

/// A folder for the servers of one process. While it or one of its servers lives, the lock beside it is held.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    pub(crate) lock: File,
}

/// A fresh one; those of dead processes are removed.
pub(crate) fn run() -> Result<Run, Fault> {
    const PREFIX: &str = "run-";
    const LOCK: &str = "lock";
    let home = home()?;
    let _lock = locked(&home)?;
    for entry in std::fs::read_dir(&home).trying(home.display())?.flatten() {
        let path = entry.path();
        let is_lock = path.extension().is_some_and(|extension| extension == LOCK);
        if is_lock && entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let free = File::options().write(true).open(&path).is_ok_and(|lock| lock.try_lock().is_ok());
            // What cannot be removed now is tried again by the next; its lock stays for that.
            if free && remove(&path.with_extension("")).is_ok() {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
    let folder = home.join(format!("{PREFIX}{}", std::process::id()));
    let lock = File::create(folder.with_extension(LOCK)).trying("the run's lock")?;
    // Where a dead process had the same number, its servers are just ending.
    lock.lock().trying("the run's lock")?;
    remove(&folder)?;
    std::fs::create_dir_all(&folder).trying(folder.display())?;
    // Its servers' shells empty it.
    account::hand_over(&folder)?;
    Ok(Run { folder, lock })
}
