//! `requirements*.txt`: lines that name a package and leave its version open. Pure.

use super::{Found, Kind, Written};
use crate::lockfile::{Malformed, python};

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let why = "write the version that is meant: `name==1.2.3`, or let `uv pip compile` write the file";
    let found = |(line, name): (usize, String)| Found {
        kind: Kind::Requirement,
        text: name,
        line,
        column: 1,
        written: Written::Apart(why.to_owned()),
    };
    Ok(python::open_lines(text).into_iter().map(found).collect())
}
