//! The list of dpkg (Debian, Ubuntu), as far as its lines were kept.
//! <https://www.debian.org/doc/debian-policy/ch-controlfields.html>

use super::Package;

/// The lines that are needed.
pub(super) const LINES: &[&str] = &["Package: ", "Status: ", "Version: ", "Architecture: ", "Source: "];

/// The installed packages of a list. One that was removed and has left its settings is not installed.
pub(super) fn read(text: &str) -> Vec<Package> {
    records(text).filter(|(_, status)| status.ends_with(" installed")).map(|(package, _)| package).collect()
}

/// The same of a list of its own, which has no status.
pub(super) fn read_part(text: &str) -> Vec<Package> {
    records(text)
        .filter(|(_, s)| s.is_empty() || s.ends_with(" installed"))
        .map(|(package, _)| package)
        .collect()
}

fn records(text: &str) -> impl Iterator<Item = (Package, &str)> {
    let mut lines = text.lines().filter_map(|line| line.split_once(": ")).peekable();
    std::iter::from_fn(move || {
        let mut package = Package::default();
        let mut status = "";
        loop {
            let (field, value) = lines.next()?;
            let value = value.trim();
            match field {
                "Package" => package.name = value.to_owned(),
                "Status" => status = value,
                "Version" => package.version = value.to_owned(),
                "Architecture" => package.architecture = value.to_owned(),
                // `glibc (2.36-9)`: the version stands there where it differs.
                "Source" => package.source = value.split(' ').next().unwrap_or_default().to_owned(),
                _ => {}
            }
            if lines.peek().is_none_or(|(field, _)| *field == "Package") {
                return Some((package, status));
            }
        }
    })
    .filter(|(package, _)| !package.name.is_empty() && !package.version.is_empty())
}
