//! npm's registries: the document of a version (`dist.integrity`, `dist.shasum`), or that of the package where a registry
//! has none of versions. <https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::connection::{Connection, Failure, base64};
use super::places::Place;
use super::{Asked, Served, State};

const MOST: u64 = 64 << 20;
/// Only what installers need.
const SHORT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

#[derive(Deserialize)]
struct Version {
    version: Option<String>,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    integrity: Option<String>,
    shasum: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    versions: BTreeMap<String, Version>,
}

pub(super) fn ask(asked: &Asked, place: &Place, connection: &Connection) -> Result<Served, Failure> {
    let name = asked.name.replace('/', "%2f");
    let one = format!("{}/{name}/{}", place.base, asked.version);
    if let Some(bytes) = connection.get(&one, "application/json", place, MOST)? {
        let version: Option<Version> = serde_json::from_slice(&bytes).ok();
        if let Some(version) = version.filter(|found| found.version.as_deref() == Some(&asked.version)) {
            return Ok(served(version));
        }
    }
    let all = format!("{}/{name}", place.base);
    let Some(bytes) = connection.get(&all, SHORT, place, MOST)? else {
        return Ok(Served { state: State::Absent, ..Served::default() });
    };
    let mut document: Document = serde_json::from_slice(&bytes).map_err(|_error| place.not_understood())?;
    let absent = || Served { state: State::Absent, ..Served::default() };
    Ok(document.versions.remove(&asked.version).map_or_else(absent, served))
}

fn served(version: Version) -> Served {
    let Some(dist) = version.dist else { return Served::default() };
    let mut hashes: Vec<String> =
        dist.integrity.iter().flat_map(|text| text.split_ascii_whitespace()).map(str::to_owned).collect();
    if let Some(digits) = dist.shasum {
        // Lockfiles have it in either spelling.
        hashes.extend(bytes_of(&digits).map(|bytes| format!("sha1-{}", base64(&bytes))));
        hashes.push(format!("sha1:{digits}"));
    }
    Served { hashes, state: State::There }
}

/// Bytes of hexadecimal digits.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}
