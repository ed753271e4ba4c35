//! The form of Yarn's lockfiles, classic and berry: entries of fields, by indentation. Knows its lines, and nothing of
//! packages. Borrowed from the text; what is not of this form is an error with its place.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::lockfile::Malformed;

/// An entry: what stands at the margin, and the lines beneath it.
#[derive(Debug, Default)]
pub(super) struct Entry<'t> {
    /// The line, from 1.
    pub(super) line: usize,
    /// Its keys; classic separates several by commas, berry has them in one text.
    pub(super) keys: Vec<Cow<'t, str>>,
    /// The lines beneath it.
    pub(super) fields: Vec<Field<'t>>,
}

/// A line beneath an entry.
#[derive(Debug)]
pub(super) struct Field<'t> {
    /// How far it is indented: 2 for an entry's own, more for what stands beneath those.
    depth: usize,
    name: Cow<'t, str>,
    value: Cow<'t, str>,
}

impl<'t> Entry<'t> {
    /// The value of an own field; empty where it has none.
    pub(super) fn get(&self, name: &str) -> &str {
        let own = |field: &&Field<'t>| field.depth == 2 && field.name == name;
        self.fields.iter().find(own).map_or("", |field| field.value.as_ref())
    }

    /// Name and value of what stands directly beneath a field.
    pub(super) fn under(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let own = |field: &Field<'t>| field.depth == 2 && field.name == name;
        let start = self.fields.iter().position(own).map_or(self.fields.len(), |at| at + 1);
        let beneath = self.fields.iter().skip(start).take_while(|field| field.depth > 2);
        beneath.filter(|field| field.depth == 4).map(|field| (field.name.as_ref(), field.value.as_ref()))
    }

    /// The names beneath a field that have `optional: true`.
    pub(super) fn optional_under(&self, field: &str) -> HashSet<&str> {
        let own = |f: &Field<'t>| f.depth == 2 && f.name == field;
        let start = self.fields.iter().position(own).map_or(self.fields.len(), |at| at + 1);
        let mut names = HashSet::new();
        let mut within = "";
        for beneath in self.fields.iter().skip(start).take_while(|f| f.depth > 2) {
            if beneath.depth == 4 {
                within = &beneath.name;
            } else if beneath.name == "optional" && beneath.value == "true" {
                names.insert(within);
            }
        }
        names
    }
}

/// Reads the entries.
pub(super) fn parse(text: &str) -> Result<Vec<Entry<'_>>, Malformed> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    // A key too long for its line stands alone behind `?`, and what belongs to it behind the next line's `:`.
    let mut long: Option<(usize, Vec<Cow<'_, str>>)> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let depth = line.len() - content.len();
        let wrong = |rest: &str, what| Malformed { line: at + 1, column: line.len() - rest.len() + 1, what };
        if let Some(key) = content.strip_prefix("? ").filter(|_| depth == 0) {
            let (key, _) = token(key).ok_or_else(|| wrong(key, BROKEN))?;
            long = Some((at + 1, vec![key]));
            continue;
        }
        if let (":", Some((line, keys))) = (content, long.take_if(|_| depth == 0)) {
            entries.push(Entry { line, keys, fields: Vec::new() });
            continue;
        }
        let (mut keys, value) = split(content).map_err(|rest| wrong(rest, BROKEN))?;
        match (depth, entries.last_mut(), keys.pop()) {
            (0, _, Some(last)) if value.is_none() => {
                keys.push(last);
                entries.push(Entry { line: at + 1, keys, fields: Vec::new() });
            }
            (2 | 4 | 6 | 8, Some(entry), Some(name)) if keys.is_empty() => {
                entry.fields.push(Field { depth, name, value: value.unwrap_or_default() });
            }
            _ => return Err(wrong(content, BROKEN)),
        }
    }
    match long {
        Some((line, _)) => Err(Malformed { line, column: 1, what: "ends too early" }),
        None => Ok(entries),
    }
}

const BROKEN: &str = "not a lockfile of Yarn";

type Line<'t> = (Vec<Cow<'t, str>>, Option<Cow<'t, str>>);

/// The keys of a line, and its value; what could not be understood, otherwise.
fn split(content: &str) -> Result<Line<'_>, &str> {
    let (first, mut rest) = token(content).ok_or(content)?;
    let mut keys = vec![first];
    while let Some(more) = rest.strip_prefix(',') {
        let more = more.trim_start();
        let (key, after) = token(more).ok_or(more)?;
        keys.push(key);
        rest = after;
    }
    let value = match (rest.strip_prefix(':'), rest.strip_prefix(' ')) {
        (Some(value), _) | (None, Some(value)) => value.trim_start(),
        (None, None) => return Err(rest),
    };
    if !value.starts_with('"') {
        return Ok((keys, Some(value).filter(|value| !value.is_empty()).map(Cow::Borrowed)));
    }
    match token(value) {
        Some((value, "")) => Ok((keys, Some(value))),
        Some((_, rest)) => Err(rest),
        None => Err(value),
    }
}

/// A text in quotes, or a bare word; and what follows it.
fn token(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ':', ' ']).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return Some((Cow::Borrowed(word), rest)).filter(|_| !word.is_empty());
    };
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let (inner, rest) = quoted.split_at_checked(end)?;
    let rest = rest.strip_prefix('"')?;
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), rest));
    }
    let whole = text.get(..end + 2)?;
    Some((Cow::Owned(serde_json::from_str(whole).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let told = |entry: &Entry<'_>| {
            let fields =
                entry.fields.iter().map(|f| format!(" {}{}={}", ">".repeat(f.depth / 2), f.name, f.value));
            format!("{} {}:{}", entry.line, entry.keys.join(","), fields.collect::<String>())
        };
        match parse(text) {
            Ok(entries) => assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), expected, "{text:?}"),
            Err(error) => assert_eq!([error.to_string()], expected, "{text:?}"),
        }
    }

    #[test]
    fn entries_and_fields() {
        check(
            "# x\n\n\"@a/b@^1\", c@2, \"d@>= 1\":\n  version \"1.0.0\"\n  integrity sha512-a== sha1-b=\n  dependencies:\n    e \"^1\"\r\n",
            &["3 @a/b@^1,c@2,d@>= 1: >version=1.0.0 >integrity=sha512-a== sha1-b= >dependencies= >>e=^1"],
        );
        check(
            "__metadata:\n  version: 8\n\"a@npm:1, a@npm:2\":\n  x:\n    y:\n      optional: true\n",
            &["1 __metadata: >version=8", "3 a@npm:1, a@npm:2: >x= >>y= >>>optional=true"],
        );
        check("? \"long\"\n:\n  version: 1\n", &["1 long: >version=1"]);
        check("\"a\\\"\\u0062\":\n", &["1 a\"b:"]);
        check("", &[]);
    }

    #[test]
    fn what_is_of_another_form_is_named_by_its_place() {
        check("a:\n  version \"1\n", &["2:11: not a lockfile of Yarn"]);
        check("<<<<<<< HEAD\n", &["1:1: not a lockfile of Yarn"]);
        check("  version 1\n", &["1:3: not a lockfile of Yarn"]);
        check("a:\n   b 1\n", &["2:4: not a lockfile of Yarn"]);
        check("a:\n  b \"1\" 2\n", &["2:8: not a lockfile of Yarn"]);
        check("a:\n\tb 1\n", &["2:1: not a lockfile of Yarn"]);
        check("{\"a\": 1}", &["1:1: not a lockfile of Yarn"]);
        check("? \"a\"\n", &["1:1: ends too early"]);
        check("a", &["1:2: not a lockfile of Yarn"]);
        check("\"a\\u00\":\n", &["1:1: not a lockfile of Yarn"]);
        check(":", &["1:1: not a lockfile of Yarn"]);
    }

    #[test]
    fn fields_by_name() {
        let entries =
            parse("a:\n  v: 1\n  m:\n    b:\n      optional: true\n    c:\n      x: 1\n  z: 2\n").unwrap();
        let entry = &entries[0];
        assert_eq!((entry.get("v"), entry.get("optional"), entry.get("z")), ("1", "", "2"));
        assert_eq!(entry.under("m").map(|(name, _)| name).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(entry.optional_under("m"), HashSet::from(["b"]));
        assert!(entry.optional_under("none").is_empty());
    }
}
