//! What a project asks for itself, by the `pyproject.toml` or `Pipfile` beside its lockfile.
//!
//! Reads names, extras and markers; which versions would fit is not looked at, the lockfile says which were chosen.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::marker::alternatives::Alternatives;
use toml::de::DeValue;

use super::graph::{Purpose, Start, Want, When};
use super::table::{self, Table};
use super::{alternatives, normalised, requirement};
use crate::lockfile::Files;

/// The document beside a lockfile; `None` where it is not there or is none.
pub(super) fn beside<'f>(files: &Files<'f>, name: &str) -> Option<Table<'f>> {
    table::parse(files.beside(name)?.text().ok()?).ok()
}

/// What a `pyproject.toml` asks for, whichever tool reads it.
pub(super) fn starts<'t>(root: &'t Table<'_>) -> Vec<Start<'t>> {
    let mut starts = Vec::new();
    if let Some(project) = table::table(root, "project") {
        starts.extend(table::texts(project, "dependencies").filter_map(|text| start(text, Purpose::Main)));
        for (extra, list) in table::fields(project, "optional-dependencies") {
            let Some(extra) = normalised(extra) else { continue };
            let texts = table::items(Some(list)).filter_map(|item| table::as_text(item.get_ref()));
            starts.extend(texts.filter_map(|text| start(text, Purpose::Extra(extra.clone()))));
        }
    }
    groups(root, &mut starts);
    if let Some(tool) = table::table_at(root, &["tool", "pdm"]) {
        for (group, list) in table::fields(tool, "dev-dependencies") {
            let texts = table::items(Some(list)).filter_map(|item| table::as_text(item.get_ref()));
            starts.extend(texts.filter_map(|text| start(text, Purpose::Group(group.to_owned()))));
        }
    }
    if let Some(tool) = table::table_at(root, &["tool", "poetry"]) {
        poetry(tool, &mut starts);
    }
    starts
}

/// The names of what is asked for.
pub(super) fn names(starts: &[Start<'_>]) -> BTreeSet<String> {
    starts.iter().map(|start| start.want.name.clone()).collect()
}

/// What a `Pipfile` asks for.
pub(super) fn pipfile(root: &Table<'_>) -> BTreeSet<String> {
    let apart = ["source", "requires", "scripts", "pipenv", "pipfile"];
    let tables = root.iter().filter(|(name, _)| !apart.contains(&name.get_ref().as_ref()));
    let fields =
        tables.filter_map(|(_, value)| table::as_table(value.get_ref())).flat_map(|table| table.iter());
    fields.filter_map(|(name, _)| normalised(name.get_ref())).collect()
}

fn start(text: &str, purpose: Purpose) -> Option<Start<'_>> {
    want(text).map(|want| Start { want, purpose })
}

/// What a requirement's text asks for.
pub(super) fn want(text: &str) -> Option<Want<'_>> {
    let found = requirement::parse(text)?;
    let when = found.marker.map_or(When::Always, When::Marker);
    Some(Want { name: found.name, version: None, extras: found.extras, when })
}

/// `[dependency-groups]`, whose lists may include each other.
fn groups<'t>(root: &'t Table<'_>, starts: &mut Vec<Start<'t>>) {
    for (group, _) in table::fields(root, "dependency-groups") {
        let purpose = if is_optional_group(root, group) { Purpose::OptionalGroup } else { Purpose::Group };
        let mut open = vec![group.to_owned()];
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = open.pop() {
            let list = table::fields(root, "dependency-groups")
                .find(|(other, _)| normalised(other) == normalised(&name))
                .map(|(_, list)| list);
            if !normalised(&name).is_some_and(|name| seen.insert(name)) {
                continue;
            }
            for item in table::items(list) {
                if let Some(text) = table::as_text(item.get_ref()) {
                    starts.extend(start(text, purpose(group.to_owned())));
                } else if let Some(included) = table::as_table(item.get_ref()) {
                    open.extend(table::text(included, "include-group").map(str::to_owned));
                }
            }
        }
    }
}

/// Whether Poetry installs a group only when it is asked for.
pub(super) fn is_optional_group(root: &Table<'_>, group: &str) -> bool {
    table::table_at(root, &["tool", "poetry", "group", group])
        .is_some_and(|group| table::is_true(group, "optional"))
}

/// Poetry's own tables.
fn poetry<'t>(tool: &'t Table<'_>, starts: &mut Vec<Start<'t>>) {
    let mut extras: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (extra, list) in table::fields(tool, "extras") {
        for name in table::items(Some(list)).filter_map(|item| table::as_text(item.get_ref())) {
            let name = requirement::parse(name).map(|found| found.name);
            extras.entry(name.unwrap_or_default()).or_default().push(extra);
        }
    }
    for (name, value) in table::fields(tool, "dependencies") {
        for (want, is_optional) in wants(name, value) {
            let of_extras = extras.get(&want.name).filter(|_| is_optional);
            let purposes: Vec<Purpose> = match of_extras {
                Some(extras) => {
                    extras.iter().filter_map(|extra| normalised(extra)).map(Purpose::Extra).collect()
                }
                None => vec![Purpose::Main],
            };
            starts.extend(purposes.into_iter().map(|purpose| Start { want: want.clone(), purpose }));
        }
    }
    let groups =
        table::fields(tool, "group").filter_map(|(name, group)| Some((name, table::as_table(group)?)));
    for (name, group) in groups.chain([("dev", tool)]) {
        let field = if std::ptr::eq(group, tool) { "dev-dependencies" } else { "dependencies" };
        let purpose = if table::is_true(group, "optional") { Purpose::OptionalGroup } else { Purpose::Group };
        for (want, _) in table::fields(group, field).flat_map(|(name, value)| wants(name, value)) {
            starts.push(Start { want, purpose: purpose(name.to_owned()) });
        }
    }
}

/// What one of Poetry's fields asks for, with whether an extra must ask for it: a version, a table, or several of such
/// for several platforms.
fn wants<'t>(name: &str, value: &'t DeValue<'_>) -> Vec<(Want<'t>, bool)> {
    let Some(normal) = normalised(name).filter(|name| name != "python") else { return Vec::new() };
    let of_table = |table: &'t Table<'_>| {
        let extras = table::texts(table, "extras").filter_map(normalised).collect();
        let want = Want { name: normal.clone(), version: None, extras, when: when(table) };
        (want, table::is_true(table, "optional"))
    };
    match value {
        DeValue::Table(table) => vec![of_table(table)],
        DeValue::Array(list) => {
            list.iter().filter_map(|item| table::as_table(item.get_ref())).map(of_table).collect()
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => vec![(Want { name: normal, ..Want::default() }, false)],
    }
}

/// `markers`, `platform` and `python` of a dependency together.
fn when<'t>(table: &'t Table<'_>) -> When<'t> {
    let (marker, platform, python) =
        (table::text(table, "markers"), table::text(table, "platform"), table::text(table, "python"));
    if let (Some(marker), None, None) = (marker, platform, python) {
        return When::Marker(marker);
    }
    let mut when = marker.map_or_else(Alternatives::always, alternatives);
    if let Some(platform) = platform {
        when = when.and(&alternatives(&format!("sys_platform == '{platform}'")));
    }
    if let Some(python) = python {
        when = when.and(&of_python(python));
    }
    if when.is_always() { When::Always } else { When::Made(when) }
}

/// `>=3.8,<3.12` as a marker; carets and tildes are not worked out.
fn of_python(versions: &str) -> Alternatives {
    versions.split(',').map(str::trim).fold(Alternatives::always(), |all, clause| {
        let digits = clause.trim_start_matches(['<', '>', '=', '!', ' ']);
        let operator = clause.strip_suffix(digits).unwrap_or_default().trim();
        let name = if digits.split('.').count() > 2 { "python_full_version" } else { "python_version" };
        let plain = !operator.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let clause = if plain { format!("{name} {operator} '{digits}'") } else { "?".to_owned() };
        all.and(&alternatives(&clause))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_tool_reads_it() {
        let text = r#"
            [project]
            dependencies = ["A[x]>=1", "b; os_name == 'nt'", "not a requirement"]
            optional-dependencies.fast = ["c"]
            [dependency-groups]
            dev = ["d", {include-group = "Lint"}]
            lint = ["e", {include-group = "dev"}]
            [tool.pdm.dev-dependencies]
            test = ["f"]
            [tool.poetry.dependencies]
            python = "^3.9"
            g = {version = "*", optional = true}
            h = [{version = "1", python = "<3.9"}, {version = "2", python = ">=3.9.2", platform = "win32"}]
            i = {version = "1", python = "^3.9"}
            [tool.poetry.extras]
            more = ["g"]
            [tool.poetry.group.doc]
            optional = true
            dependencies.j = "*"
            [tool.poetry.dev-dependencies]
            k = {version = "1", markers = "os_name == 'nt'"}
        "#;
        let root = table::parse(text).unwrap();
        let tell = |start: &Start<'_>| {
            let when = match &start.want.when {
                When::Always => String::new(),
                When::Marker(marker) => (*marker).to_owned(),
                When::Made(made) => made.to_string(),
            };
            format!("{}{:?} {:?} {when}", start.want.name, start.want.extras, start.purpose)
                .trim_end()
                .to_owned()
        };
        let found: Vec<String> = starts(&root).iter().map(tell).collect();
        let expected = [
            "a[\"x\"] Main",
            "b[] Main os_name == 'nt'",
            "c[] Extra(\"fast\")",
            "d[] Group(\"dev\")",
            "e[] Group(\"dev\")",
            "e[] Group(\"lint\")",
            "d[] Group(\"lint\")",
            "f[] Group(\"test\")",
            "g[] Extra(\"more\")",
            "h[] Main python_version < '3.9'",
            "h[] Main python_full_version >= '3.9.2' and sys_platform == 'win32'",
            "i[] Main ?",
            "j[] OptionalGroup(\"doc\")",
            "k[] Group(\"dev\") os_name == 'nt'",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn of_pipenv() {
        let root = table::parse(
            "[[source]]\nurl = 'x'\n[packages]\nA_b = '*'\n[dev-packages]\nc = '*'\n[docs]\nd = '*'\n",
        );
        let names = pipfile(&root.unwrap());
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a-b", "c", "d"]);
    }
}
