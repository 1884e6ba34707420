//! What the measurements share: the cycle that all of them run, and what figures cost.

pub mod cycle;
pub mod figures;

/// Why a measurement was not made.
pub type Fault = Box<dyn std::error::Error>;

/// The options of this program's command line, each with its number.
pub fn options() -> Result<Vec<(String, u64)>, Fault> {
    let mut arguments = std::env::args_os().skip(1);
    let mut options = Vec::new();
    while let Some(name) = arguments.next() {
        let name = name.into_string().map_err(|name| format!("{} is not UTF-8", name.display()))?;
        let number = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        let number = number.to_str().ok_or_else(|| format!("{name} needs a number"))?.parse()?;
        options.push((name, number));
    }
    Ok(options)
}
