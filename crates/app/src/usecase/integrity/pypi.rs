//! Python's indexes: the JSON document of a version, or where an index has none the page of the package (PEP 691, else HTML).
//! <https://docs.pypi.org/api/json/>, <https://packaging.python.org/en/latest/specifications/simple-repository-api/>

use serde::Deserialize;
use serde_json::Value;

use super::connection::{Connection, Failure};
use super::places::Place;
use super::{Asked, Served, State};

const MOST: u64 = 64 << 20;
const SIMPLE: &str = "application/vnd.pypi.simple.v1+json, text/html; q=0.5";

#[derive(Deserialize)]
struct Release {
    urls: Vec<File>,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
struct File {
    digests: Hashes,
    #[serde(default)]
    yanked: Value,
}

#[derive(Deserialize)]
struct PageFile {
    filename: String,
    hashes: Hashes,
    #[serde(default)]
    yanked: Value,
}

#[derive(Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

pub(super) fn ask(asked: &Asked, place: &Place, connection: &Connection) -> Result<Served, Failure> {
    if let Some(base) = place.base.strip_suffix("/simple") {
        let url = format!("{base}/pypi/{}/{}/json", asked.name, asked.version);
        let bytes = connection.get(&url, "application/json", place, MOST)?;
        if let Some(release) = bytes.and_then(|bytes| serde_json::from_slice::<Release>(&bytes).ok()) {
            return Ok(of(release
                .urls
                .into_iter()
                .map(|file| (file.digests.sha256, is_yanked(&file.yanked)))));
        }
    }
    let url = format!("{}/{}/", place.base, asked.name);
    let Some(bytes) = connection.get(&url, SIMPLE, place, MOST)? else {
        return Ok(Served { state: State::Absent, ..Served::default() });
    };
    if let Ok(page) = serde_json::from_slice::<Page>(&bytes) {
        let own = page.files.into_iter().filter(|file| is_of(&file.filename, &asked.version));
        return Ok(of(own.map(|file| (file.hashes.sha256, is_yanked(&file.yanked)))));
    }
    let text = str::from_utf8(&bytes).map_err(|_error| place.not_understood())?;
    Ok(of(links(text, &asked.version)))
}

/// PEP 592: `false`, `true`, or why.
fn is_yanked(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(_) => true,
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether a file (`name-1.0.tar.gz`, `name-1.0-py3-none-any.whl`) is of a version.
fn is_of(file: &str, version: &str) -> bool {
    file.match_indices(&format!("-{version}")).any(|(at, found)| {
        let rest = file.get(at + found.len()..).unwrap_or_default();
        rest.starts_with('-')
            || [".tar.", ".zip", ".tgz", ".egg", ".whl"].iter().any(|end| rest.starts_with(end))
    })
}

fn of(files: impl Iterator<Item = (Option<String>, bool)>) -> Served {
    let mut served = Served::default();
    let (mut any, mut usable) = (false, false);
    for (hash, yanked) in files {
        any = true;
        usable |= !yanked;
        served.hashes.extend(hash.map(|hash| format!("sha256:{hash}")));
    }
    served.state = match (any, usable) {
        (false, _) => State::Absent,
        (true, false) => State::Yanked,
        (true, true) => State::There,
    };
    served
}

/// The links of a page: `<a href="..#sha256=..">file</a>`.
fn links<'t>(text: &'t str, version: &'t str) -> impl Iterator<Item = (Option<String>, bool)> + 't {
    text.split("<a ").skip(1).filter_map(move |link| {
        let (attributes, rest) = link.split_once('>')?;
        let file = rest.split('<').next().unwrap_or_default().trim();
        let hash = attributes
            .split_once("#sha256=")
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>());
        is_of(file, version).then(|| (hash, attributes.contains("data-yanked")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_version() {
        let check =
            |file: &str, version: &str, expected: bool| assert_eq!(is_of(file, version), expected, "{file}");
        check("click-8.1.7-py3-none-any.whl", "8.1.7", true);
        check("click-8.1.7.tar.gz", "8.1.7", true);
        check("click-8.1.70.tar.gz", "8.1.7", false);
        check("a-1-2-1.0.zip", "1.0", true);
        check("click-8.1.7.post1.tar.gz", "8.1.7", false);
        check("", "1", false);
    }

    #[test]
    fn links_of_a_page() {
        let page = "<html><a href=\"x/a-1.tar.gz#sha256=00ff\" data-yanked=\"\">a-1.tar.gz</a>\n<a href='a-2.zip#md5=1'>a-2.zip</a><a ";
        assert_eq!(links(page, "1").collect::<Vec<_>>(), [(Some("00ff".to_owned()), true)]);
        assert_eq!(links(page, "2").collect::<Vec<_>>(), [(None, false)]);
        assert_eq!(of(links(page, "1")).state, State::Yanked);
        assert_eq!(of(links("", "1")).state, State::Absent);
    }
}
