//! Gradle's `gradle.lockfile` and `verification-metadata.xml`.
//! <https://docs.gradle.org/current/userguide/dependency_locking.html>,
//! <https://docs.gradle.org/current/userguide/dependency_verification.html>
//!
//! A module of which every configuration is of tests is for development. The second file lists what may be fetched, which may
//! be more than one build resolves; of its artifacts the hashes count, not the signatures. XML with a document type is refused.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::{Files, Locked, Malformed, Package};

/// Elements and texts beyond this are refused.
const MOST_NODES: u32 = 4_000_000;

pub(super) fn lock(files: &Files<'_>) -> Result<Locked, Malformed> {
    let mut locked = Locked::default();
    for (at, line) in files.text()?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        match module(line) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(Malformed {
                line: at + 1,
                column: 1,
                what: "not a module, its version and its configurations",
            }),
        }
    }
    Ok(locked)
}

/// `group:artifact:version=compileClasspath,testRuntimeClasspath`.
fn module(line: &str) -> Option<Package> {
    let (coordinates, configurations) = line.split_once('=')?;
    let (name, version) = coordinates.rsplit_once(':')?;
    if version.is_empty() || !name.contains(':') || name.contains(char::is_whitespace) {
        return None;
    }
    let of_tests = |name: &str| name.starts_with("test") || name.contains("Test");
    let mut names = configurations.split(',').filter(|name| !name.is_empty()).peekable();
    let dev = names.peek().is_some().then(|| names.all(of_tests));
    Some(Package { name: name.to_owned(), version: version.to_owned(), dev, ..Package::default() })
}

pub(super) fn verification(files: &Files<'_>) -> Result<Locked, Malformed> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    // The parser's message may quote the file, so only the place is kept.
    let document = Document::parse_with_options(files.text()?, options).map_err(|error| {
        let typed = matches!(error, roxmltree::Error::DtdDetected);
        let what = if typed { "a document type, which is not read" } else { "not XML" };
        let place = error.pos();
        Malformed { line: count(place.row), column: count(place.col), what }
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "verification-metadata" {
        return Err(Malformed { line: 1, column: 1, what: "not Gradle's verification metadata" });
    }
    let mut locked = Locked::default();
    let lists = root.children().filter(|node| is(node, "components"));
    for component in lists.flat_map(|list| list.children()).filter(|node| is(node, "component")) {
        match verified(&component) {
            Some(package) => locked.packages.push(package),
            None => {
                let place = document.text_pos_at(component.range().start);
                let what = "a component without group, name and version";
                locked.unclear.push(Malformed { line: count(place.row), column: count(place.col), what });
            }
        }
    }
    Ok(locked)
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn verified(component: &Node<'_, '_>) -> Option<Package> {
    let said = |name: &str| component.attribute(name).filter(|text| !text.is_empty());
    let (group, name, version) = (said("group")?, said("name")?, said("version")?);
    let mut integrity = BTreeSet::new();
    for artifact in component.children().filter(|node| is(node, "artifact")) {
        for hash in artifact.children().filter(Node::is_element) {
            let kind = hash.tag_name().name();
            if matches!(kind, "md5" | "sha1" | "sha256" | "sha512") {
                let trusted = hash.children().filter(|node| is(node, "also-trust"));
                let values = std::iter::once(hash).chain(trusted).filter_map(|node| node.attribute("value"));
                integrity.extend(values.map(|value| format!("{kind}:{value}")));
            }
        }
    }
    Some(Package {
        name: format!("{group}:{name}"),
        version: version.to_owned(),
        integrity: integrity.into_iter().collect(),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn modules() {
        shown::check(
            shown::read(
                lock,
                "# This is a Gradle generated file\norg.a:a:1.0=compileClasspath,testCompileClasspath\norg.b:b:2.0-rc1=testRuntimeClasspath,debugUnitTestRuntimeClasspath\norg.c:c:3.0=\nempty=annotationProcessor\n",
            ),
            &["org.a:a 1.0 run", "org.b:b 2.0-rc1 dev", "org.c:c 3.0"],
        );
        shown::check(
            shown::read(lock, "a:b=c\nhunter2\na:b:=c\n<<<<<<< HEAD\n"),
            &["! 1:1", "! 2:1", "! 3:1", "! 4:1"]
                .map(|place| format!("{place}: not a module, its version and its configurations"))
                .each_ref()
                .map(String::as_str),
        );
        shown::hostile(lock);
    }

    const METADATA: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<verification-metadata xmlns="https://schema.gradle.org/dependency-verification">
 <configuration><verify-metadata>true</verify-metadata></configuration>
 <components>
  <component group="org.a" name="a" version="1.0">
   <artifact name="a-1.0.jar"><sha256 value="bb" origin="Generated by Gradle"><also-trust value="aa"/></sha256><pgp value="k"/></artifact>
   <artifact name="a-1.0.pom"><sha512 value="cc"/></artifact>
  </component>
  <component group="org.b" name="b"/>
 </components>
</verification-metadata>"#;

    #[test]
    fn components() {
        shown::check(
            shown::read(verification, METADATA),
            &[
                "org.a:a 1.0 [sha256:aa sha256:bb sha512:cc]",
                "! 9:3: a component without group, name and version",
            ],
        );
        shown::hostile(verification);
        let check = |text: &str, expected: &str| shown::check(shown::read(verification, text), &[expected]);
        check("<project/>", "!! 1:1: not Gradle's verification metadata");
        check("<verification-metadata>\n<components>", "!! 1:1: not XML");
        check(
            "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\n<verification-metadata>&b;</verification-metadata>",
            "!! 1:1: a document type, which is not read",
        );
    }
}
