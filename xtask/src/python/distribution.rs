//! The source distribution, and the wheel that is built from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python::environment::{self, Environment};
use crate::python::{Workshop, only, package, unpacked};
use crate::run::{self, Failure};

/// What the source distribution must hold beside what the build itself misses when it is not there.
const SDIST_HOLDS: [&str; 6] =
    ["Cargo.lock", "PKG-INFO", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "python/leadledger/py.typed"];
/// What the wheel must hold.
const WHEEL_HOLDS: [&str; 6] = [
    "leadledger/__init__.py",
    "leadledger/_native.abi3.so",
    "leadledger/_native.pyi",
    "leadledger/py.typed",
    ".dist-info/licenses/LICENSE-MIT",
    ".dist-info/licenses/LICENSE-APACHE",
];
/// The stable ABI from Python 3.10 on, and a tag that says how old a Linux may be.
const WHEEL_TAGS: &str = "-cp310-abi3-manylinux_";

pub(super) struct Distribution {
    sdist: PathBuf,
    wheel: PathBuf,
}

impl Distribution {
    /// Builds both, in release, as they would be uploaded: without LTO and with more codegen units the compilation took
    /// longer (347 seconds of processor time against 287), so that there is no reason to test anything else.
    pub(super) fn build(workshop: &Workshop) -> Result<Self, Failure> {
        let dist = workshop.emptied("dist")?;
        let manifest = package().join("Cargo.toml");
        run::run(maturin(workshop).arg("sdist").arg("--manifest-path").arg(manifest).arg("--out").arg(&dist))?;
        let sdist = only(&dist, ".tar.gz")?;
        let source = unpack(workshop, &sdist)?;

        // The audit fails on a library that no Linux promises to have; the tag is the oldest that it allows.
        let build = ["build", "--release", "--auditwheel", "check", "--compatibility", "pypi"];
        run::run(maturin(workshop).args(build).arg("--out").arg(&dist).current_dir(source))?;
        let wheel = only(&dist, ".whl")?;
        if !wheel.to_string_lossy().contains(WHEEL_TAGS) {
            return Err(format!("{} has not the tags {WHEEL_TAGS}*", wheel.display()).into());
        }
        let listed = workshop.tools.python(&["-m", "zipfile", "--list"]).arg(&wheel).output()?;
        let listed = String::from_utf8(listed.stdout)?;
        let lacks = WHEEL_HOLDS.iter().find(|name| !listed.contains(*name));
        match lacks {
            None => Ok(Self { sdist, wheel }),
            Some(name) => Err(format!("{} lacks {name}:\n{listed}", wheel.display()).into()),
        }
    }

    pub(super) fn wheel(&self) -> &Path {
        &self.wheel
    }

    /// Installs the source distribution as pip does for somebody without a wheel, and opens a ledger.
    pub(super) fn install_from_sdist(&self, workshop: &Workshop) -> Result<(), Failure> {
        let environment = Environment::fresh(workshop.path("from-sdist"))?;
        // The same target directory: what was just compiled from the same files is not compiled again.
        let mut pip = environment.pip(&["--no-binary", "leadledger", "--no-deps"]);
        run::run(pip.arg(&self.sdist).env("CARGO_TARGET_DIR", workshop.path("build")))?;
        let opens = "import leadledger; leadledger.Ledger.open('memory:').close()";
        run::run(&mut workshop.outside(environment.python(&["-c", opens]))?)
    }
}

/// With a target directory of its own, since cargo would take what it compiled from here for what it compiles from the
/// unpacked sources.
fn maturin(workshop: &Workshop) -> Command {
    let mut maturin = Command::new(workshop.tools.program("maturin"));
    maturin.env("CARGO_TARGET_DIR", workshop.path("build"));
    maturin
}

/// The folder with what is in the source distribution.
fn unpack(workshop: &Workshop, sdist: &Path) -> Result<PathBuf, Failure> {
    let new = workshop.emptied("unpacked")?;
    let mut tar = Command::new("tar");
    run::run(tar.args(["--extract", "--strip-components=1", "--file"]).arg(sdist).arg("--directory").arg(&new))?;
    if let Some(name) = SDIST_HOLDS.iter().find(|name| !new.join(name).is_file()) {
        return Err(format!("{} lacks {name}", sdist.display()).into());
    }
    let source = workshop.path("source");
    unpacked::settle(&new, &source)?;
    environment::remove(&new)?;
    Ok(source)
}
