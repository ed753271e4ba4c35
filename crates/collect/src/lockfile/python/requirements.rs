//! `requirements*.txt`, by the rules of pip. <https://pip.pypa.io/en/stable/reference/requirements-file-format/>
//!
//! A line that names no exact version locks nothing and gives no package; that it is open is not told here. What
//! `pip-compile` and `uv` note behind a package (`# via flask`) gives edges, and which are asked for directly.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::requirement::{self, Requirement};
use super::{MAX_VERSIONS, condition_of, hash, integrity, normalised, origin, sorted};
use crate::lockfile::{Edge, Files, Locked, Malformed, Origin, Package};

/// Files that include each other deeper than this are not read.
const MAX_DEPTH: usize = 32;

/// Reads it, with what it includes.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let mut reader = Reader::default();
    reader.file(files, Role::Requires, 0)?;
    Ok(reader.finish())
}

/// What a file is included for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Requires,
    Constrains,
}

#[derive(Default)]
struct Reader {
    seen: BTreeSet<(String, Role)>,
    packages: Vec<Package>,
    /// Requirements without a version, for which a constraint may name one.
    open: Vec<Package>,
    constraints: BTreeMap<String, String>,
    registry: Option<Origin>,
    unclear: Vec<Malformed>,
    /// By the place of a package: what needs it, as noted behind it.
    via: Vec<(usize, String)>,
}

/// A line with those that it continues, and its number.
struct Line<'t> {
    number: usize,
    text: Cow<'t, str>,
}

impl Reader {
    fn file(&mut self, files: &Files<'_>, role: Role, depth: usize) -> Result<(), Malformed> {
        if !self.seen.insert((files.path().to_owned(), role)) {
            return Ok(());
        }
        let text = text(files)?;
        let mut notes = false;
        for line in lines(&text) {
            let trimmed = line.text.trim();
            if let Some(comment) = trimmed.strip_prefix('#') {
                if role == Role::Requires && depth == 0 {
                    // What a note goes on with is set in; a comment of its own is not.
                    notes = self.note(comment.trim(), notes && comment.starts_with("  "));
                }
                continue;
            }
            let (content, comment) = without_comment(trimmed);
            if content.is_empty() {
                continue;
            }
            let before = self.packages.len();
            let outcome = self.line(files, content, role, depth);
            notes = outcome.is_ok() && self.packages.len() > before && depth == 0;
            if notes && let Some(comment) = comment {
                self.note(comment.trim(), false);
                notes = false;
            }
            // Only the file itself is told of by its lines.
            if let Err(what) = outcome
                && depth == 0
            {
                self.unclear.push(Malformed { line: line.number, column: 1, what });
            }
        }
        Ok(())
    }

    fn line(&mut self, files: &Files<'_>, line: &str, role: Role, depth: usize) -> Result<(), &'static str> {
        if line.starts_with('-') {
            return self.option(files, line, role, depth);
        }
        let (line, options) = split_options(line);
        let hashes = integrity(options_named(options, "--hash").filter_map(hash));
        let Some(found) = read_requirement(line) else { return Err("not a requirement") };
        match (role, found) {
            (Role::Requires, Found::Locked(package)) => {
                self.packages.push(Package { integrity: hashes, ..package });
            }
            (Role::Requires, Found::Open(package)) => {
                self.open.push(Package { integrity: hashes, ..package });
            }
            (Role::Constrains, Found::Locked(package)) => {
                self.constraints.insert(package.name, package.version);
            }
            (Role::Constrains, Found::Open(_)) | (_, Found::Folder) => {}
        }
        Ok(())
    }

    fn option(
        &mut self,
        files: &Files<'_>,
        line: &str,
        role: Role,
        depth: usize,
    ) -> Result<(), &'static str> {
        let (name, value) = option(line);
        match name {
            "-r" | "--requirement" => self.include(files, value, role, depth),
            "-c" | "--constraint" => self.include(files, value, Role::Constrains, depth),
            "-e" | "--editable" => {
                let Some(found) = read_requirement(value) else { return Ok(()) };
                if let (Role::Requires, Found::Locked(package)) = (role, found) {
                    self.packages.push(package);
                }
                Ok(())
            }
            "-i" | "--index-url" | "--pypi-url" => {
                self.registry = origin::registry(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn include(
        &mut self,
        files: &Files<'_>,
        place: &str,
        role: Role,
        depth: usize,
    ) -> Result<(), &'static str> {
        if place.contains("://") {
            return Err("includes a file by its URL, which is not read");
        }
        let Some(other) = files.beside(place).filter(|_| depth < MAX_DEPTH) else {
            return Err("includes a file that was not read");
        };
        self.file(&other, role, depth + 1).map_err(|_error| "includes a file that is not text")
    }

    /// What stands behind a package: `via flask`, `via` and then one of a line; whether more may follow.
    fn note(&mut self, comment: &str, more: bool) -> bool {
        let names = match comment.strip_prefix("via") {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest,
            _ if more => comment,
            _ => return false,
        };
        let Some(at) = self.packages.len().checked_sub(1) else { return false };
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            self.via.push((at, name.to_owned()));
        }
        true
    }

    fn finish(mut self) -> Locked {
        for package in std::mem::take(&mut self.open) {
            if let Some(version) = self.constraints.get(&package.name) {
                self.packages.push(Package { version: version.clone(), ..package });
            }
        }
        self.edges();
        for package in self.packages.iter_mut().filter(|package| package.origin.is_none()) {
            package.origin.clone_from(&self.registry);
        }
        Locked { version: String::new(), packages: merged(self.packages), unclear: self.unclear }
    }

    /// What the notes tell: needed by another package of the file, or else by the project. A constraint needs nothing.
    fn edges(&mut self) {
        if self.via.is_empty() {
            return;
        }
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, package) in self.packages.iter().enumerate() {
            let named = places.entry(package.name.as_str()).or_default();
            if named.len() < MAX_VERSIONS {
                named.push(at);
            }
        }
        let mut edges: Vec<(usize, Edge)> = Vec::new();
        let mut direct: BTreeSet<usize> = BTreeSet::new();
        for (at, by) in self.via.iter().filter(|(_, by)| !by.starts_with("-c ")) {
            let name = normalised(by.split(['[', ' ']).next().unwrap_or_default());
            let needing = name.and_then(|name| places.get(name.as_str())).filter(|_| !by.contains('('));
            let (Some(needing), Some(needed)) = (needing, self.packages.get(*at)) else {
                direct.insert(*at);
                continue;
            };
            let edge = Edge { name: needed.name.clone(), version: Some(needed.version.clone()) };
            edges.extend(needing.iter().map(|needing| (*needing, edge.clone())));
        }
        for (at, package) in self.packages.iter_mut().enumerate() {
            package.direct = Some(direct.contains(&at));
        }
        for (at, edge) in edges {
            self.packages.get_mut(at).into_iter().for_each(|package| package.needs.push(edge.clone()));
        }
    }
}

/// One version once, whichever files name it.
fn merged(packages: Vec<Package>) -> Vec<Package> {
    let mut out: Vec<Package> = Vec::new();
    let mut places: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    for package in packages {
        let key = (package.name.clone(), package.version.clone(), package.when.clone());
        let at = *places.entry(key).or_insert(out.len());
        match out.get_mut(at) {
            Some(known) => {
                known.integrity.extend(package.integrity);
                known.needs.extend(package.needs);
                known.direct = known.direct.max(package.direct);
            }
            None => out.push(package),
        }
    }
    for package in &mut out {
        package.integrity = integrity(package.integrity.drain(..));
        package.needs = sorted(std::mem::take(&mut package.needs));
    }
    out
}

enum Found {
    Locked(Package),
    Open(Package),
    /// A folder of the project's own.
    Folder,
}

fn read_requirement(line: &str) -> Option<Found> {
    if let Some(found) = requirement::parse(line) {
        return Some(of_requirement(&found));
    }
    let (place, marker) = line.split_once(" ;").or_else(|| line.split_once("; ")).unwrap_or((line, ""));
    let place = place.trim();
    let is_place = place.contains(['/', '\\']) || place.starts_with('.') || origin::of_file(place).is_some();
    if !is_place || place.contains(char::is_whitespace) {
        return None;
    }
    let place = place.split_once('[').filter(|_| !place.contains("://")).map_or(place, |(place, _)| place);
    let fragment = place.split_once('#').map(|(_, fragment)| fragment).unwrap_or_default();
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    let named = egg.map(|egg| egg.split('[').next().unwrap_or_default());
    let plain = origin::location(place);
    let file = origin::of_file(&plain);
    let Some(name) = named.or_else(|| file.map(|(name, _)| name)).and_then(normalised) else {
        // A repository without a name is needed, but not by which name.
        return (!place.contains("://")).then_some(Found::Folder);
    };
    let marker = Some(marker.trim()).filter(|marker| !marker.is_empty());
    let found = Requirement { name, url: Some(place), marker, ..Requirement::default() };
    Some(of_requirement(&found))
}

fn of_requirement(found: &Requirement<'_>) -> Found {
    let package =
        Package { name: found.name.clone(), when: found.marker.and_then(condition_of), ..Package::default() };
    let Some(url) = found.url else {
        return match requirement::pin(found.versions) {
            Some(version) => Found::Locked(Package { version: version.to_owned(), ..package }),
            None => Found::Open(package),
        };
    };
    if let Some((place, revision)) = origin::git(url) {
        return match revision {
            Some(revision) => Found::Locked(Package {
                version: revision.to_owned(),
                origin: Some(Origin::Git(place)),
                ..package
            }),
            None => Found::Open(package),
        };
    }
    let place = origin::location(url);
    let version = origin::of_file(&place).map_or_else(|| place.clone(), |(_, version)| version.to_owned());
    let is_path = place.starts_with("file:") || !place.contains("://");
    let origin = if is_path { Origin::Path(place) } else { Origin::Url(place) };
    Found::Locked(Package { version, origin: Some(origin), ..package })
}

/// The lines of a file that name a package without fixing its version: line, and name.
pub(crate) fn open_lines(text: &str) -> Vec<(usize, String)> {
    let open = |line: Line<'_>| {
        let (content, _) = without_comment(line.text.trim());
        let (requirement, _) = split_options(content);
        match read_requirement(requirement).filter(|_| !content.starts_with('-'))? {
            Found::Open(package) => Some((line.number, package.name)),
            Found::Locked(_) | Found::Folder => None,
        }
    };
    lines(text).filter_map(open).collect()
}

/// The text, which PowerShell's `>` writes as UTF-16.
fn text<'f>(files: &Files<'f>) -> Result<Cow<'f, str>, Malformed> {
    let decode = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().copied().map(unit).collect();
        String::from_utf16(&units).map_err(|_error| Malformed { line: 1, column: 1, what: "not UTF-16" })
    };
    match files.bytes() {
        [0xff, 0xfe, rest @ ..] => decode(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => decode(rest, u16::from_be_bytes).map(Cow::Owned),
        _ => files.text().map(Cow::Borrowed),
    }
}

/// Lines that end in a backslash go on in the next; a comment does not.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut all = text.lines().enumerate();
    std::iter::from_fn(move || {
        let (at, first) = all.next()?;
        let mut whole = Cow::Borrowed(first);
        let mut last = first;
        while last.ends_with('\\') && !last.trim_start().starts_with('#') {
            let kept = whole.trim_end_matches('\\').len();
            whole.to_mut().truncate(kept);
            let Some((_, next)) = all.next() else { break };
            if next.trim_start().starts_with('#') {
                whole.to_mut().push(' ');
            }
            whole.to_mut().push_str(next);
            last = next;
        }
        Some(Line { number: at + 1, text: whole })
    })
}

/// A line before its comment, and the comment; `#` within a word begins none.
fn without_comment(line: &str) -> (&str, Option<&str>) {
    let starts = line.match_indices('#').map(|(at, _)| at);
    for at in starts {
        let (before, comment) = line.split_at(at);
        if before.is_empty() || before.ends_with(char::is_whitespace) {
            return (before.trim_end(), comment.strip_prefix('#'));
        }
    }
    (line, None)
}

/// A requirement, and the options behind it.
fn split_options(line: &str) -> (&str, &str) {
    let at = line.match_indices(" -").map(|(at, _)| at).next();
    let (requirement, options) = line.split_at(at.unwrap_or(line.len()));
    (requirement.trim(), options)
}

/// The values of an option, with a space or `=` in front.
fn options_named<'t>(options: &'t str, name: &'static str) -> impl Iterator<Item = &'t str> {
    options.split(" --").filter_map(move |part| {
        let rest = part.trim().strip_prefix(name.trim_start_matches('-'))?;
        rest.trim_start().strip_prefix('=').or(Some(rest)).map(str::trim)
    })
}

/// An option's name and value: `-r x`, `-rx`, `--requirement x`, `--requirement=x`.
fn option(line: &str) -> (&str, &str) {
    if let Some(end) = line.find(|c: char| c == '=' || c.is_whitespace()).filter(|_| line.starts_with("--")) {
        let (name, value) = line.split_at(end);
        return (name, value.trim_start_matches(|c: char| c == '=' || c.is_whitespace()).trim());
    }
    let end = if line.starts_with("--") {
        line.len()
    } else {
        line.char_indices().nth(2).map_or(line.len(), |(at, _)| at)
    };
    let (name, value) = line.split_at(end);
    (name, value.trim())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    fn told(files: &[(&str, &str)], expected: &[&str]) {
        check(read, "requirements.txt", files, expected);
    }

    #[test]
    fn lines_of_many_kinds() {
        let text = "# a comment\n--index-url https://pypi.org/simple\n-i https://pypi.org/simple # and another\n\nClick==8.1.7 \\\n    --hash=sha256:02 \\\n    --hash sha256:01  # no note\nb[x,y] == 1.0 ; os_name == 'nt'\nc===2.0+local --config-settings=\"a=b\"\nd (==3)\ne>=4\nf\ng @ https://host.example.org/g-5-py3-none-any.whl#sha256=00\nh @ git+https://u:hunter2@host.example.org/h.git@0123abc\n-e git+https://host.example.org/i@v1#egg=i\n-e .\n./j/k-6.tar.gz\nl @ file:///srv/l\n./folder\n=1\nm == nonsense version\nn==1.*\n";
        told(
            &[("requirements.txt", text)],
            &[
                "format ",
                "click 8.1.7 direct? dev? sha256:01 sha256:02",
                "b 1.0 direct? dev? when python: os_name == 'nt'",
                "c 2.0+local direct? dev?",
                "d 3 direct? dev?",
                "g 5 from url https://host.example.org/g-5-py3-none-any.whl direct? dev?",
                "h 0123abc from git https://host.example.org/h.git direct? dev?",
                "i v1 from git https://host.example.org/i direct? dev?",
                "k 6 from path ./j/k-6.tar.gz direct? dev?",
                "l file:///srv/l from path file:///srv/l direct? dev?",
                "unclear 20:1: not a requirement",
                "unclear 21:1: not a requirement",
            ],
        );
    }

    #[test]
    fn includes_and_constraints() {
        told(
            &[
                (
                    "requirements.txt",
                    "-r base/requirements.in\n-c limits.txt\nb\nb2\n-rmissing.txt\n-r https://host.example.org/x.txt\n",
                ),
                (
                    "base/requirements.in",
                    "a==1\n-r ../requirements.txt\n--requirement=more.txt\nnonsense line\n",
                ),
                ("base/more.txt", "c==3 # via x\n-i https://u:p@index.example.org/simple\n"),
                ("limits.txt", "b==2\nz==9\nb2<3\n"),
            ],
            &[
                "format ",
                "a 1 from registry https://index.example.org/simple direct? dev?",
                "c 3 from registry https://index.example.org/simple direct? dev?",
                "b 2 from registry https://index.example.org/simple direct? dev?",
                "unclear 5:1: includes a file that was not read",
                "unclear 6:1: includes a file by its URL, which is not read",
            ],
        );
    }

    #[test]
    fn notes_of_what_needs_it() {
        told(
            &[(
                "requirements.txt",
                "a==1\n    # via\n    #   -r requirements.in\n    #   -c limits.txt\n    #   b\nb==2 ; os_name == 'nt'\n    # via shop (pyproject.toml)\nb==3 ; os_name != 'nt'  # via -r requirements.in\nc==4 # via a, b\n# The following packages are unsafe\nd==5\n",
            )],
            &[
                "format ",
                "a 1 direct dev? -> c 4",
                "b 2 direct dev? when python: os_name == 'nt' -> a 1 -> c 4",
                "b 3 direct dev? when python: os_name != 'nt' -> a 1 -> c 4",
                "c 4 dev?",
                "d 5 dev?",
            ],
        );
    }

    #[test]
    fn of_powershell() {
        for (mark, unit) in
            [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let mut bytes = mark.to_vec();
            bytes.extend("a==1\r\nb==2\r\n".encode_utf16().flat_map(unit));
            let others = BTreeMap::new();
            let locked = read(&Files::new("requirements.txt", &bytes, &others)).unwrap();
            let found: Vec<String> = locked
                .packages
                .iter()
                .map(|package| format!("{} {}", package.name, package.version))
                .collect();
            assert_eq!(found, ["a 1", "b 2"]);
        }
    }
}
