//! Pins in TOML: `mise.toml`, `rust-toolchain.toml`, `pyproject.toml`, `Pipfile`, `Cargo.toml`. Pure.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::pin::{Lines, Malformed, Pin, Read};

type Table<'a> = Spanned<DeTable<'a>>;

/// `mise.toml`: everything under `[tools]`.
pub(super) fn mise(text: &str) -> Read {
    let root = parse(text)?;
    let Some(DeValue::Table(tools)) = value(&root, &["tools"]).map(Spanned::get_ref) else {
        return Ok(Vec::new());
    };
    let lines = Lines::of(text);
    let pin = |(name, found): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let versions = mise_versions(found.get_ref());
        Pin::versions(name.get_ref(), "", versions, lines.at(name.span().start))
    };
    Ok(tools.iter().filter_map(pin).collect())
}

/// `"20"`, `["20", "18"]`, `{version = "20"}`, and lists of such.
fn mise_versions<'v>(value: &'v DeValue<'_>) -> Vec<&'v str> {
    match value {
        DeValue::Array(items) => items.iter().flat_map(|item| mise_versions(item.get_ref())).collect(),
        DeValue::Table(table) => ["version", "prefix", "ref", "path"]
            .into_iter()
            .find_map(|name| scalar(table.get(name)?.get_ref()))
            .into_iter()
            .collect(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => scalar(value).into_iter().collect(),
    }
}

/// `rust-toolchain.toml`, or `rust-toolchain`, which is either that or a bare channel.
pub(super) fn rust_toolchain(text: &str) -> Read {
    if !text.contains('[') {
        return super::version_file::single("rustc", text);
    }
    let root = parse(text)?;
    Ok(pin_at(text, &root, "rustc", &["toolchain", "channel"], "").into_iter().collect())
}

/// `pyproject.toml`: `requires-python`, and Poetry's own.
pub(super) fn pyproject(text: &str) -> Read {
    let root = parse(text)?;
    let places: [&[&str]; 3] = [
        &["project", "requires-python"],
        &["tool", "poetry", "dependencies", "python"],
        &["tool", "poetry", "dependencies", "python", "version"],
    ];
    Ok(places.iter().filter_map(|place| pin_at(text, &root, "python", place, &place.join("."))).collect())
}

/// `Pipfile`: `[requires]`.
pub(super) fn pipfile(text: &str) -> Read {
    let root = parse(text)?;
    let names = ["python_version", "python_full_version"];
    Ok(names
        .iter()
        .filter_map(|name| pin_at(text, &root, "python", &["requires", name], &format!("requires.{name}")))
        .collect())
}

/// `Cargo.toml`: `rust-version`, which is a minimum.
pub(super) fn cargo(text: &str) -> Read {
    let root = parse(text)?;
    let places: [&[&str]; 2] = [&["package", "rust-version"], &["workspace", "package", "rust-version"]];
    let pin = |place: &&[&str]| {
        let found = value(&root, place)?;
        let minimum = format!(">={}", scalar(found.get_ref())?);
        Pin::version("rustc", place.join("."), &minimum, Lines::of(text).at(found.span().start))
    };
    Ok(places.iter().filter_map(pin).collect())
}

fn pin_at(text: &str, root: &Table<'_>, tool: &str, place: &[&str], field: &str) -> Option<Pin> {
    let found = value(root, place)?;
    Pin::version(tool, field, scalar(found.get_ref())?, Lines::of(text).at(found.span().start))
}

fn value<'t, 'a>(root: &'t Table<'a>, place: &[&str]) -> Option<&'t Spanned<DeValue<'a>>> {
    let (last, folders) = place.split_last()?;
    let mut table = root.get_ref();
    for name in folders {
        let DeValue::Table(inner) = table.get(*name)?.get_ref() else { return None };
        table = inner;
    }
    table.get(*last)
}

/// A version that was written without quotes keeps its digits: `3.10` is not 3.1.
fn scalar<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text),
        DeValue::Integer(number) => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn parse(text: &str) -> Result<Table<'_>, Malformed> {
    // The parser's message may quote the file, so only the place is kept.
    DeTable::parse(text)
        .map_err(|error| Lines::of(text).malformed(error.span().map_or(0, |span| span.start), "not TOML"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn tools_of_mise() {
        check_pins(
            mise(
                "[env]\nA='1'\n[tools]\nnode = '20'\npython = ['3.11', '3.10']\n'core:go' = {version='1.22', x=1}\nterraform = 1.10\n[[tools.java]]\nversion = 'temurin-21'\n",
            ),
            &[
                "go = 1.22 @6",
                "java = 21 @8",
                "node = 20 @4",
                "python = 3.11 || 3.10 @5",
                "terraform = 1.10 @7",
            ],
        );
        check_pins(mise("tools = 3"), &[]);
    }

    #[test]
    fn rust_toolchains() {
        check_pins(rust_toolchain("[toolchain]\nchannel = \"1.75.0\"\n"), &["rustc = 1.75.0 @2"]);
        check_pins(rust_toolchain("nightly-2024-01-01\n"), &["rustc = nightly-2024-01-01 @1"]);
        check_pins(rust_toolchain("[toolchain]\npath = '/x'"), &[]);
        check_pins(cargo("[package]\nrust-version = '1.85'\n"), &["rustc[package.rust-version] = >=1.85 @2"]);
        check_pins(cargo("[package]\nrust-version.workspace = true\n"), &[]);
    }

    #[test]
    fn pythons() {
        check_pins(
            pyproject("[project]\nrequires-python = '>=3.9'\n[tool.poetry.dependencies]\npython = '^3.10'\n"),
            &[
                "python[project.requires-python] = >=3.9 @2",
                "python[tool.poetry.dependencies.python] = ^3.10 @4",
            ],
        );
        check_pins(
            pyproject("tool.poetry.dependencies.python = {version='^3.8'}"),
            &["python[tool.poetry.dependencies.python.version] = ^3.8 @1"],
        );
        check_pins(
            pipfile("[requires]\npython_version = '3.11'"),
            &["python[requires.python_version] = 3.11 @2"],
        );
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_place() {
        let error = mise("[tools]\nnode = \"hunter2").unwrap_err();
        assert_eq!((error.line, error.what), (2, "not TOML"));
        for text in ["[", "a", "=", "[tools]\nnode=", "\u{0}", "[a]\n[a]"] {
            assert!(mise(text).is_err(), "{text:?}");
        }
    }
}
