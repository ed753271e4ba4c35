//! Cargo's sparse indexes: one line of JSON a version. <https://doc.rust-lang.org/cargo/reference/registry-index.html>

use serde::Deserialize;

use super::connection::{Connection, Failure};
use super::places::Place;
use super::{Asked, Served, State};

const MOST: u64 = 64 << 20;

#[derive(Deserialize)]
struct Line {
    vers: String,
    cksum: String,
    #[serde(default)]
    yanked: bool,
}

pub(super) fn ask(asked: &Asked, place: &Place, connection: &Connection) -> Result<Served, Failure> {
    let url = format!("{}/{}", place.base, path(&asked.name));
    let absent = || Served { state: State::Absent, ..Served::default() };
    let Some(bytes) = connection.get(&url, "*/*", place, MOST)? else { return Ok(absent()) };
    let text = str::from_utf8(&bytes).map_err(|_error| place.not_understood())?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()).peekable();
    if lines.peek().is_none() {
        return Err(place.not_understood());
    }
    let line = lines.find(|line| same(&line.vers, &asked.version));
    Ok(line.map_or_else(absent, |line| Served {
        hashes: vec![format!("sha256:{}", line.cksum)],
        state: if line.yanked { State::Yanked } else { State::There },
    }))
}

/// Versions that differ in what follows `+` can't both be there.
fn same(one: &str, other: &str) -> bool {
    one.split('+').next() == other.split('+').next()
}

/// `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcd`.
fn path(name: &str) -> String {
    let name = name.to_lowercase();
    let part = |range| name.get(range).unwrap_or_default();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", part(0..1)),
        _ => format!("{}/{}/{name}", part(0..2), part(2..4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |name: &str, expected: &str| assert_eq!(path(name), expected);
        check("a", "1/a");
        check("ab", "2/ab");
        check("Abc", "3/a/abc");
        check("serde", "se/rd/serde");
    }
}
