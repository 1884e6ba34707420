//! Virtual environments, made by the machine's `python3`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure};

/// What its requirements were when it was made; written last.
const STAMP: &str = "requirements.txt";

pub(super) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// An empty one, in the place of the last.
    pub(super) fn fresh(folder: PathBuf) -> Result<Self, Failure> {
        remove(&folder)?;
        let made = run::run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        made.map_err(|fault| format!("{fault} (Python needs its venv module: Debian's python3-venv)"))?;
        Ok(Self { folder })
    }

    /// One with the required packages; the last, if it was made with the same requirements.
    pub(super) fn kept(folder: PathBuf, requirements: &Path) -> Result<Self, Failure> {
        let wanted = std::fs::read(requirements).map_err(|fault| format!("{}: {fault}", requirements.display()))?;
        if std::fs::read(folder.join(STAMP)).is_ok_and(|found| found == wanted) {
            return Ok(Self { folder });
        }
        let made = Self::fresh(folder)?;
        made.install_required(requirements)?;
        std::fs::write(made.folder.join(STAMP), wanted)?;
        Ok(made)
    }

    /// Installs a wheel that must need nothing else: there is no index to take it from.
    pub(super) fn install_alone(&self, wheel: &Path) -> Result<(), Failure> {
        run::run(self.pip(&["--no-index"]).arg(wheel))
    }

    /// Installs what the file requires, from wheels where there are any.
    pub(super) fn install_required(&self, requirements: &Path) -> Result<(), Failure> {
        run::run(self.pip(&["--prefer-binary", "--requirement"]).arg(requirements))
    }

    /// `pip install` with these arguments.
    pub(super) fn pip(&self, arguments: &[&str]) -> Command {
        let mut pip = self.python(&["-m", "pip", "install", "--quiet"]);
        pip.args(arguments);
        pip
    }

    /// The environment's Python with these arguments.
    pub(super) fn python<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut python = Command::new(self.program("python"));
        python.args(arguments);
        python
    }

    /// The path of one of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Where its packages are.
    pub(super) fn site_packages(&self) -> Result<PathBuf, Failure> {
        let output = self.python(&["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.folder.display(), String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
    }
}

/// Removes the folder, if there is one.
pub(super) fn remove(folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {fault}", folder.display()).into())
        }
        _ => Ok(()),
    }
}
