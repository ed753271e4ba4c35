//! What `pyproject.toml` and `Pipfile` ask for, and what `uv.lock` says it was made for. Poetry, PDM and Pipenv record a hash
//! of all requests together, and none of them by itself.
//!
//! Where the lockfile does not record them, requests under a marker are left out: it may rightly have nothing for them.

use std::collections::BTreeSet;

use parallax_model::platform::pep440::Version;
use toml::de::DeValue;

use super::manifest::beside;
use super::table::{self, Table};
use super::{normalised, requirement};
use crate::lockfile::{Declared, Files};

/// Longer requests are not kept.
const MAX_REQUEST: usize = 200;

/// The lists of a project by the standards, and by the tools that had theirs before.
fn requirements<'t>(root: &'t Table<'_>) -> Vec<&'t str> {
    let mut texts = Vec::new();
    if let Some(project) = table::table(root, "project") {
        texts.extend(table::texts(project, "dependencies"));
        texts.extend(lists(project, "optional-dependencies"));
    }
    texts.extend(lists(root, "dependency-groups"));
    if let Some(uv) = table::table_at(root, &["tool", "uv"]) {
        texts.extend(table::texts(uv, "dev-dependencies"));
    }
    texts
}

fn lists<'t>(parent: &'t Table<'_>, name: &str) -> impl Iterator<Item = &'t str> {
    let items = table::fields(parent, name).flat_map(|(_, list)| table::items(Some(list)));
    items.filter_map(|item| table::as_text(item.get_ref()))
}

/// Whether a build may add requests that the file does not show.
fn is_dynamic(root: &Table<'_>) -> bool {
    let project = table::table(root, "project");
    let mut dynamic = project.into_iter().flat_map(|project| table::texts(project, "dynamic"));
    dynamic.any(|field| matches!(field, "dependencies" | "optional-dependencies"))
}

/// The name of a project.
fn name_of(root: &Table<'_>) -> Option<String> {
    let project = table::table(root, "project").or_else(|| table::table_at(root, &["tool", "poetry"]));
    normalised(table::text(project?, "name")?)
}

/// Clauses of the standard in one spelling; `None` of one whose versions have several spellings.
fn canonical(clauses: &str) -> Option<String> {
    let mut all: Vec<String> = clauses
        .split(',')
        .map(|clause| clause.chars().filter(|c| !c.is_whitespace()).collect::<String>())
        .filter(|clause| !clause.is_empty())
        .collect();
    all.sort_unstable();
    all.dedup();
    let plain = |clause: &String| {
        let version = clause.trim_start_matches(['=', '<', '>', '~', '!']);
        let version = version.strip_suffix(".*").unwrap_or(version);
        let spelled = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'a' | 'b' | 'r' | 'c');
        version.chars().all(spelled) && Version::parse(version).is_some()
    };
    if !all.iter().all(plain) || clauses.len() > MAX_REQUEST {
        return None;
    }
    Some(if all.is_empty() { "*".to_owned() } else { all.join(",") })
}

/// `uv.lock`: the project's and its workspace's packages stand in it with what they asked for.
pub(in crate::lockfile) fn uv(files: &Files<'_>) -> Declared {
    let mut declared = Declared::with_lock();
    let text = files.text().unwrap_or_default();
    // Local packages are few among many, and the others say nothing here.
    let is_local = |block: &&str| {
        let source = block.lines().find(|line| line.starts_with("source = "));
        source.is_some_and(|line| ["editable", "virtual", "directory"].iter().any(|kind| line.contains(kind)))
    };
    for block in text.split("\n[[package]]").skip(1).filter(is_local) {
        let block = format!("[[package]]{block}");
        let Ok(root) = table::parse(&block) else { continue };
        for package in table::tables(&root, "package") {
            declared.own.extend(table::text(package, "name").and_then(normalised));
            of_member(files, package, &mut declared);
        }
    }
    declared
}

fn of_member(files: &Files<'_>, package: &Table<'_>, declared: &mut Declared) {
    let source = table::table(package, "source");
    let folder =
        source.and_then(|source| ["editable", "virtual"].iter().find_map(|kind| table::text(source, kind)));
    let Some(folder) = folder else { return };
    let Some(now) = beside(files, &format!("{folder}/pyproject.toml")).filter(|root| !is_dynamic(root))
    else {
        return;
    };
    for (name, _) in
        table::table_at(&now, &["tool", "uv"]).into_iter().flat_map(|uv| table::fields(uv, "sources"))
    {
        normalised(name).iter().for_each(|name| declared.doubt(name));
    }
    for found in requirements(&now).into_iter().filter_map(requirement::parse) {
        match canonical(found.versions).filter(|_| found.url.is_none()) {
            Some(text) => declared.ask(&found.name, &text),
            None => declared.doubt(&found.name),
        }
    }
    let Some(metadata) = table::table(package, "metadata") else { return };
    let groups = table::fields(metadata, "requires-dev").flat_map(|(_, list)| table::items(Some(list)));
    let all = table::list(metadata, "requires-dist").chain(groups);
    for asked in all.filter_map(|item| table::as_table(item.get_ref())) {
        let Some(name) = table::text(asked, "name").and_then(normalised) else { continue };
        let known = ["name", "specifier", "marker", "extra", "extras"];
        let plain = asked.keys().all(|field| known.contains(&field.get_ref().as_ref()));
        match canonical(table::text(asked, "specifier").unwrap_or_default()).filter(|_| plain) {
            Some(text) => declared.made(&name, &text),
            None => declared.doubt(&name),
        }
    }
}

/// PDM: what every installation has; its lockfile may leave out groups.
pub(in crate::lockfile) fn pdm(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let Some(root) = beside(files, "pyproject.toml") else { return declared };
    declared.own.extend(name_of(&root));
    if let Some(project) = table::table(&root, "project").filter(|_| !is_dynamic(&root)) {
        table::texts(project, "dependencies").for_each(|text| ask(text, &mut declared));
    }
    declared
}

/// Takes a requirement of the standard that stands under no marker.
fn ask(text: &str, declared: &mut Declared) {
    let Some(found) = requirement::parse(text) else { return };
    match canonical(found.versions).filter(|_| found.url.is_none() && found.marker.is_none()) {
        Some(text) => declared.ask(&found.name, &text),
        None => declared.doubt(&found.name),
    }
}

/// Poetry, in its own tables and in those of the standard.
pub(in crate::lockfile) fn poetry(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let Some(root) = beside(files, "pyproject.toml") else { return declared };
    declared.own.extend(name_of(&root));
    if !is_dynamic(&root) {
        requirements(&root).into_iter().for_each(|text| ask(text, &mut declared));
    }
    let Some(tool) = table::table_at(&root, &["tool", "poetry"]) else { return declared };
    let groups = table::fields(tool, "group").filter_map(|(_, group)| table::as_table(group));
    let lists = groups.map(|group| (group, "dependencies"));
    for (parent, list) in [(tool, "dependencies"), (tool, "dev-dependencies")].into_iter().chain(lists) {
        for (name, value) in table::fields(parent, list) {
            let Some(name) = normalised(name).filter(|name| name != "python") else { continue };
            own_table(
                &name,
                value,
                &["version", "extras", "optional", "source", "allow-prereleases"],
                &mut declared,
            );
        }
    }
    declared
}

/// `Pipfile`.
pub(in crate::lockfile) fn pipenv(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let Some(root) = beside(files, "Pipfile") else { return declared };
    for (name, value) in ["packages", "dev-packages"].iter().flat_map(|list| table::fields(&root, list)) {
        let Some(name) = normalised(name) else { continue };
        own_table(&name, value, &["version", "extras", "index"], &mut declared);
    }
    declared
}

/// A version, or a table with one; other fields than those that are known may mean anything.
fn own_table(name: &str, value: &DeValue<'_>, known: &[&str], declared: &mut Declared) {
    let plain = |inner: &&Table<'_>| inner.keys().all(|field| known.contains(&field.get_ref().as_ref()));
    let inner = table::as_table(value).filter(plain).and_then(|inner| table::text(inner, "version"));
    match table::as_text(value).or(inner).and_then(range) {
        Some(text) => declared.ask(name, &text),
        None => declared.doubt(name),
    }
}

/// What the tools write themselves: carets, tildes and alternatives too.
fn range(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_digit() || " .,*<>=!^~|".contains(c);
    if !text.chars().all(plain) || text.len() > MAX_REQUEST || text.trim().is_empty() {
        return None;
    }
    let alternative = |one: &str| {
        let clauses: BTreeSet<String> = one
            .split(',')
            .map(|clause| clause.chars().filter(|c| !c.is_whitespace()).collect::<String>())
            .filter(|clause| !clause.is_empty())
            .collect();
        clauses.into_iter().collect::<Vec<_>>().join(",")
    };
    let alternatives: Vec<String> = text.split('|').map(alternative).filter(|one| !one.is_empty()).collect();
    Some(alternatives.join(" || "))
}

#[cfg(test)]
mod tests {
    use crate::lockfile::declared::lines;

    #[test]
    fn of_uv() {
        let lock = "version = 1\n\n[[package]]\nname = \"flask\"\nversion = \"3.0.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\nsource = { editable = \".\" }\n\n[package.metadata]\nrequires-dist = [\n    { name = \"flask\", specifier = \">=2,<4\" },\n    { name = \"local\", editable = \"local\" },\n    { name = \"any\", marker = \"sys_platform == 'win32'\" },\n    { name = \"mine\" },\n]\n\n[package.metadata.requires-dev]\ndev = [{ name = \"pytest\", specifier = \">=8\" }]\n\n[[package]]\nname = \"z\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
        let now = "[project]\nname = 'shop'\ndependencies = ['Flask <4, >= 3', 'local', 'any; sys_platform == \"win32\"', 'mine', 'odd ===x']\n[dependency-groups]\ndev = ['pytest>=8', {include-group = 'lint'}]\nlint = ['shop[x]']\n[tool.uv.sources]\nmine = { git = 'https://h/mine' }\n";
        assert_eq!(
            lines("uv", lock, &[("pyproject.toml", now)]),
            [
                "asked any *",
                "asked flask <4,>=3",
                "asked pytest >=8",
                "made any *",
                "made flask <4,>=2",
                "made pytest >=8"
            ]
        );
        let dynamic = "[project]\nname = 'shop'\ndynamic = ['dependencies']\n";
        assert_eq!(lines("uv", lock, &[("pyproject.toml", dynamic)]), Vec::<String>::new());
    }

    #[test]
    fn of_poetry() {
        let now = "[tool.poetry]\nname = 'shop'\n[tool.poetry.dependencies]\npython = '^3.9'\nFlask = '^2.0 | ^3.0'\nwin = { version = '1', markers = 'x' }\nlocal = { path = '../l' }\nextra = { version = '>=1, <2', optional = true }\n[tool.poetry.group.test.dependencies]\npytest = '*'\n[tool.poetry.dev-dependencies]\nblack = '23.1.0b1'\n";
        assert_eq!(
            lines("poetry", "", &[("pyproject.toml", now)]),
            ["asked extra <2,>=1", "asked flask ^2.0 || ^3.0", "asked pytest *"]
        );
    }

    #[test]
    fn of_pdm_and_pipenv() {
        let now = "[project]\nname = 'shop'\ndependencies = ['flask>=2', 'w; os_name == \"nt\"']\noptional-dependencies.x = ['y']\n";
        assert_eq!(lines("pdm", "", &[("pyproject.toml", now)]), ["asked flask >=2"]);
        let pipfile = "[packages]\nflask = '*'\nreq = {version = '==2.0', extras = ['x']}\nw = {version = '*', markers = 'x'}\ng = {git = 'https://h/g'}\n[dev-packages]\npytest = '>=7'\n[scripts]\nx = '1'\n";
        assert_eq!(
            lines("pipenv", "", &[("Pipfile", pipfile)]),
            ["asked flask *", "asked pytest >=7", "asked req ==2.0"]
        );
    }
}
