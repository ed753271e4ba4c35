//! `Dockerfile`, `Containerfile`: the images of its `FROM` lines. Arguments take their defaults; what the file
//! alone does not tell stays as it is written. Pure.

use std::collections::{BTreeMap, HashSet};

use parse_dockerfile::Instruction;

use super::image;
use super::pin::{Lines, Malformed, Pin, Read};

/// Reads the `FROM` lines that name a language's image.
pub(super) fn read(text: &str) -> Read {
    let parsed = parse_dockerfile::parse(text).map_err(|error| Malformed {
        line: error.line().max(1),
        column: error.column().max(1),
        what: "not a Dockerfile",
    })?;
    let lines = Lines::of(text);
    let mut arguments = BTreeMap::new();
    let mut stages = HashSet::new();
    let mut pins = Vec::new();
    for instruction in &parsed.instructions {
        #[expect(clippy::wildcard_enum_match_arm, reason = "another's enum, which may grow")]
        match instruction {
            // After the first FROM they belong to a stage, and no FROM sees them.
            Instruction::Arg(arg) if stages.is_empty() => declare(&arg.arguments.value, &mut arguments),
            Instruction::From(from) => {
                let stage = from.as_.as_ref().map_or("", |(_, name)| name.value.as_ref());
                let image = expand(&from.image.value, &arguments);
                if !stages.contains(&image.to_ascii_lowercase()) {
                    let field = if stage.is_empty() { String::new() } else { format!("stage {stage}") };
                    let line = lines.at(from.from.span.start);
                    let pin = |(tool, version): (&str, String)| Pin::version(tool, &*field, &version, line);
                    pins.extend(image::versions(&image).into_iter().filter_map(pin));
                }
                stages.insert(stage.to_ascii_lowercase());
            }
            _ => {}
        }
    }
    Ok(pins)
}

/// `ARG A=1 B="2"`: those that have a default.
pub(crate) fn declare(line: &str, arguments: &mut BTreeMap<String, String>) {
    for word in line.split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            let value = expand(value.trim_matches(['"', '\'']), arguments);
            arguments.insert(name.to_owned(), value);
        }
    }
}

/// Replaces `$A`, `${A}`, `${A:-default}`, `${A-default}` and `${A:+other}` where the value is known.
pub(crate) fn expand(text: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    // Arguments that double each time must not fill the memory.
    while let Some((before, after)) = rest.split_once('$').filter(|_| out.len() < 4096) {
        out.push_str(before);
        let (whole, expression, left) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        {
            Some((inner, left)) => (format!("${{{inner}}}"), inner, left),
            None => {
                let end =
                    after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
                let (name, left) = after.split_at(end);
                (format!("${name}"), name, left)
            }
        };
        out.push_str(&lookup(expression, arguments).unwrap_or(whole));
        rest = left;
    }
    out.push_str(rest);
    out
}

fn lookup(expression: &str, arguments: &BTreeMap<String, String>) -> Option<String> {
    let end = expression.find([':', '-', '+']).unwrap_or(expression.len());
    let (name, operator) = expression.split_at(end);
    let value = arguments.get(name).filter(|v| !v.is_empty());
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    match (operator.chars().next(), value) {
        (Some('+'), Some(_)) => operator.get(1..).map(str::to_owned),
        (Some('+'), None) => Some(String::new()),
        (Some('-'), None) => operator.get(1..).map(str::to_owned),
        (_, value) => value.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn from_lines() {
        let check = |text: &str, expected: &[&str]| check_pins(read(text), expected);
        check("FROM node:20-alpine\nRUN x\n", &["node = 20 @1"]);
        check(
            "# syntax=docker/dockerfile:1\nARG V=3.12\nFROM --platform=$BUILDPLATFORM python:${V}-slim AS build\nFROM build AS test\nFROM golang:1.22\nCOPY --from=build /a /a\n",
            &["python[stage build] = 3.12 @3", "go = 1.22 @5"],
        );
        check("FROM node:${V:-18}\n", &["node = 18 @1"]);
        check("FROM node:${V}\n", &["node = ${V} @1"]);
        check("ARG A=node\nARG B=$A:1$A\nFROM $B", &["node = 1node @3"]);
        check("FROM scratch AS node\nFROM node\n", &[]);
        check("from \\\n  ruby:3.2\n", &["ruby = 3.2 @1"]);
        check("FROM python:3.12@sha256:aa", &["python = 3.12 @1"]);
        check("FROM debian:12\nRUN <<EOF\nFROM node:1\nEOF\n", &[]);
    }

    #[test]
    fn what_is_no_dockerfile_is_named_by_its_place() {
        for text in ["", "nonsense", "FROM", "FROM node\n{{ if }}\n"] {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert_eq!(read("FROM node\n\nWHAT x\n").unwrap_err().line, 3);
    }

    #[test]
    fn doubling_arguments_are_bounded() {
        let doubling: String = (1..60).map(|n| format!("ARG A{n}=$A{}$A{}\n", n - 1, n - 1)).collect();
        let text = format!("ARG A0=aaaaaaaaaa\n{doubling}FROM node:$A59\n");
        assert!(read(&text).is_ok());
    }
}
