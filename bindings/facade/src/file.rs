//! Files that are there whole or not at all, and never over another one unasked.

use std::io::{ErrorKind, Write};
use std::path::Path;

use leadledger::{ExportError, InvalidInput};

use crate::fault::Fault;

/// Writes a file with `write`: into one beside it, which takes the name only once it is whole and on the disk. Refuses,
/// with `file_exists`, a name that is taken, unless it may be written over.
pub fn write_file<T, E: From<Fault>>(
    path: &Path,
    over: bool,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let failed = |fault: &std::io::Error| Fault::from(ExportError::Output(format!("{}: {fault}", path.display())));
    let exists = || {
        let what = format!("{} is there already, and was not to be written over", path.display());
        Fault::from(InvalidInput::new("file_exists", "path", what))
    };
    if !over && path.exists() {
        return Err(exists().into());
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or_else(|| Path::new("."));
    let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
    let beside = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder);
    let mut beside = beside.map_err(|fault| failed(&fault))?;
    let written = write(&mut beside)?;
    beside.as_file().sync_all().map_err(|fault| failed(&fault))?;
    let taken = if over { beside.persist(path) } else { beside.persist_noclobber(path) };
    taken.map_err(|fault| match fault.error.kind() {
        ErrorKind::AlreadyExists => exists(),
        _ => failed(&fault.error),
    })?;
    Ok(written)
}
