//! `package.json`: `engines`, `volta`, `packageManager`, `devEngines`. Reads no other field. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::pin::{Lines, Pin, Read};
use crate::lockfile::json::malformed;

#[derive(Deserialize)]
struct Manifest<'a> {
    #[serde(borrow, default)]
    engines: Option<&'a RawValue>,
    #[serde(borrow, default)]
    volta: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "packageManager")]
    package_manager: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "devEngines")]
    dev_engines: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Engine<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the fields that pin a tool. A field of an unexpected shape is what npm ignores, and is passed over.
pub(super) fn read(text: &str) -> Read {
    let manifest: Manifest<'_> =
        serde_json::from_str(text).map_err(|e| malformed(&e, "not a package.json"))?;
    let place = Place { start: text.as_ptr() as usize, lines: Lines::of(text) };
    let mut pins = Vec::new();
    for (field, raw) in [("engines", manifest.engines), ("volta", manifest.volta)] {
        if let Some(fields) = raw.and_then(inner::<Fields<'_>>) {
            let pin = |(tool, raw): (&String, &&RawValue)| {
                let version = inner::<Cow<'_, str>>(raw)?;
                // Volta's `extends` names another package.json, which is read as itself.
                let known = field != "volta" || tool != "extends";
                let name = format!("{field}.{tool}");
                if known { Pin::version(tool, name, &version, place.line(raw)) } else { None }
            };
            pins.extend(fields.iter().filter_map(pin));
        }
    }
    pins.extend(manifest.package_manager.and_then(|raw| package_manager(&place, raw)));
    if let Some(fields) = manifest.dev_engines.and_then(inner::<Fields<'_>>) {
        for name in ["runtime", "packageManager"] {
            pins.extend(fields.get(name).map(|raw| dev_engines(&place, name, raw)).unwrap_or_default());
        }
    }
    Ok(pins)
}

/// `pnpm@8.6.0+sha256.abc`: name and version; the hash fixes bytes, not behaviour, and is left out.
fn package_manager(place: &Place, raw: &RawValue) -> Option<Pin> {
    let declared = inner::<Cow<'_, str>>(raw)?;
    let (tool, version) = declared.rsplit_once('@').filter(|_| !declared.contains("//"))?;
    let version = version.split('+').next().unwrap_or_default();
    Pin::version(tool, "packageManager", version, place.line(raw))
}

/// One engine, or a list of which any will do.
fn dev_engines(place: &Place, field: &str, raw: &RawValue) -> Vec<Pin> {
    let list = match inner::<Engine<'_>>(raw) {
        Some(one) => vec![one],
        None => inner::<Vec<&RawValue>>(raw).into_iter().flatten().filter_map(inner::<Engine<'_>>).collect(),
    };
    list.iter()
        .filter_map(|engine| {
            let raw = engine.version?;
            let version = inner::<Cow<'_, str>>(raw)?;
            Pin::version(&engine.name, format!("devEngines.{field}"), &version, place.line(raw))
        })
        .collect()
}

fn inner<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Where the file's text lies, and its lines.
struct Place {
    start: usize,
    lines: Lines,
}

impl Place {
    /// The line of a value that was borrowed from the text: its address less the text's.
    fn line(&self, raw: &RawValue) -> usize {
        self.lines.at((raw.get().as_ptr() as usize).saturating_sub(self.start))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn fields_that_pin() {
        check_pins(
            read(
                "{\n \"name\": \"x\",\n \"engines\": {\n  \"node\": \">=18 <21\", \"npm\": 9,\n  \"vscode\": \"^1.8\"},\n \"volta\": {\"node\": \"18.19.0\", \"extends\": \"../package.json\"},\n \"packageManager\": \"pnpm@8.6.0+sha256.abc\"\n}",
            ),
            &[
                "node[engines.node] = >=18 <21 @4",
                "vscode[engines.vscode] = ^1.8 @5",
                "node[volta.node] = 18.19.0 @6",
                "pnpm[packageManager] = 8.6.0 @7",
            ],
        );
        check_pins(
            read(
                r#"{"devEngines": {"runtime": {"name": "node", "version": ">=20"},
                    "packageManager": [{"name": "npm", "version": "10.x"}, {"name": "yarn"}, 3], "os": {"name": "linux"}}}"#,
            ),
            &["node[devEngines.runtime] = >=20 @1", "npm[devEngines.packageManager] = 10.x @2"],
        );
        check_pins(read(r#"{"packageManager": "pnpm@https://u:p@h/x?token=t"}"#), &[]);
        check_pins(
            read(r#"{"engines": ["node >= 0.8"], "volta": null, "packageManager": {}, "devEngines": []}"#),
            &[],
        );
    }

    #[test]
    fn what_is_no_manifest_is_named_by_its_place() {
        let check = |text: &str, expected: (usize, usize, &str)| {
            let error = read(text).unwrap_err();
            assert_eq!((error.line, error.column, error.what), expected, "{text}");
        };
        check("", (1, 1, "ends too early"));
        check("{\n\"engines\": {", (2, 12, "ends too early"));
        check("{\"a\": tru}", (1, 10, "not JSON"));
        check("\"hunter2\"", (1, 9, "not a package.json"));
    }
}
