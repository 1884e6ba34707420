//! What the testbed must know of a server's URL.

use crate::fault::Fault;

/// The parts of `postgres://role:password@host:port/database?options`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) role: String,
    pub(crate) password: Option<String>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, Fault> {
        Self::parts(url).ok_or_else(|| {
            // Not the URL itself: it may hold a password.
            Fault::Unusable("a server's URL must be postgres://ROLE[:PASSWORD]@HOST[:PORT]/DATABASE".to_owned())
        })
    }

    fn parts(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
        let (who, place) = rest.split('?').next()?.rsplit_once('@')?;
        let (role, password) = who.split_once(':').map_or((who, None), |(role, password)| (role, Some(password)));
        let (place, database) = place.split_once('/')?;
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, 5432),
        };
        let password = match password {
            Some(password) => Some(decoded(password)?),
            None => None,
        };
        let (role, database) = (decoded(role)?, decoded(database)?);
        let complete = !role.is_empty() && !host.is_empty() && !database.is_empty();
        complete.then(|| Self { role, password, host: host.to_owned(), port, database })
    }
}

/// With `%41` for `A`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let target = Target::parse("postgresql://a%20b:p%40@h.example:6543/books?sslmode=disable").unwrap();
        assert_eq!((target.role.as_str(), target.password.as_deref()), ("a b", Some("p@")));
        assert_eq!((target.host.as_str(), target.port, target.database.as_str()), ("h.example", 6543, "books"));
        assert_eq!(Target::parse("postgres://r@h/d").unwrap().port, 5432);
        for wrong in ["mysql://r@h/d", "postgres://r@h", "postgres://r@h/", "postgres://h/d", "postgres://r@h:x/d"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
