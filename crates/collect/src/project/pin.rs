//! Pins: what one place of a project says of the version of one tool. Holds the names that tools go by
//! and how a version text is tidied. Does not read files, and does not judge whether pins agree.

use std::borrow::Cow;

pub(crate) use crate::lockfile::Malformed;
pub(crate) use crate::secret::without_credentials;

/// What one place declares of one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    /// The tool, named as the runtime collector names it.
    pub(super) tool: String,
    /// The field within the file; empty where the file speaks of one tool only.
    pub(super) field: String,
    /// What it declares.
    pub(super) declared: Declared,
    /// The line, from 1.
    pub(super) line: usize,
}

/// A version, or another file that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declared {
    /// A version or a range; ` || ` stands between several that are all declared.
    Version(String),
    /// What another file of the project declares; its path.
    SameAs(String),
}

/// What a reader of one format gives.
pub(super) type Read = Result<Vec<Pin>, Malformed>;

impl Pin {
    /// A pin on a version; the tool's name and the version's form are tidied. `None` where nothing is said.
    pub(super) fn version(tool: &str, field: impl Into<String>, text: &str, line: usize) -> Option<Self> {
        let tool = tool_name(tool);
        let text = tidy(&tool, text);
        let declared = Declared::Version(text);
        let said = !tool.is_empty() && declared != Declared::Version(String::new());
        said.then(|| Self { tool: tool.into_owned(), field: field.into(), declared, line })
    }

    /// A pin on several versions, all of which are declared.
    pub(super) fn versions<'a>(
        tool: &str,
        field: impl Into<String>,
        texts: impl IntoIterator<Item = &'a str>,
        line: usize,
    ) -> Option<Self> {
        let name = tool_name(tool);
        let mut list: Vec<String> = Vec::new();
        for text in texts.into_iter().map(|text| tidy(&name, text)) {
            if !text.is_empty() && !list.contains(&text) {
                list.push(text);
            }
        }
        Self::version(tool, field, &list.join(" || "), line)
    }

    /// A pin that points to another file.
    pub(super) fn same_as(tool: &str, field: impl Into<String>, path: &str, line: usize) -> Self {
        let path = path.trim().trim_start_matches("./").to_owned();
        let tool = tool_name(tool).into_owned();
        Self { tool, field: field.into(), declared: Declared::SameAs(path), line }
    }
}

/// The one name of a tool that its users and their version managers name in several ways.
pub(super) fn tool_name(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    let name = name.strip_prefix("core:").or_else(|| name.strip_prefix("asdf:")).unwrap_or(name);
    match name {
        "nodejs" => "node".into(),
        "golang" => "go".into(),
        "rust" => "rustc".into(),
        "erlang" | "otp" => "erl".into(),
        "mvn" => "maven".into(),
        "dotnet-core" | "dotnet-sdk" => "dotnet".into(),
        "python3" => "python".into(),
        // A `/` would read as a sub-folder in the key.
        other if other.contains('/') => without_credentials(other).replace('/', ":").into(),
        other => other.into(),
    }
}

/// Distributions of Java whose version is Java's own.
const JAVA_PREFIXES: &[&str] = &[
    "adoptopenjdk-",
    "corretto-",
    "liberica-",
    "microsoft-",
    "openjdk-",
    "openjdk64-",
    "oracle-",
    "oracle64-",
    "semeru-openj9-",
    "temurin-",
];

/// Tidies the form of a version or range and keeps its meaning: white space, quotes, a leading `v` or `=`,
/// the tool's own name in front (`ruby-3.2.2`, `go1.21`), Java's distribution.
fn tidy(tool: &str, text: &str) -> String {
    let mut text = text.trim().trim_matches(['"', '\'']).trim();
    let own = match tool {
        "ruby" => &["ruby-"][..],
        "python" => &["cpython-", "python-", "Python "],
        "go" => &["go"],
        "node" => &["node-"],
        "java" => JAVA_PREFIXES,
        "deno" => &["deno-"],
        "bun" => &["bun-"],
        "erl" => &["OTP-"],
        _ => &[],
    };
    for prefix in own {
        if let Some(rest) = text.strip_prefix(prefix).filter(|r| starts_with_digit(r)) {
            text = rest;
        }
    }
    // `==3.1` and `=3.1` are 3.1 alone; `=== ` is Python's text equality, the same here.
    if let Some(rest) = text.strip_prefix('=') {
        text = rest.trim_start_matches('=').trim_start();
    }
    if let Some(rest) = text.strip_prefix(['v', 'V']).filter(|r| starts_with_digit(r)) {
        text = rest;
    }
    if tool == "java" {
        text = without_java_vendor(text);
    }
    text.to_owned()
}

/// `17.0.9-tem` of SDKMAN is 17.0.9.
fn without_java_vendor(text: &str) -> &str {
    match text.rsplit_once('-') {
        Some((version, vendor))
            if starts_with_digit(version)
                && !vendor.is_empty()
                && vendor != "ea"
                && vendor.bytes().all(|b| b.is_ascii_lowercase()) =>
        {
            version
        }
        Some(_) | None => text,
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_digit())
}

/// Where a text's lines end, so that a place is found without reading the text again.
pub(crate) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    /// Of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self { ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect() }
    }

    /// The line, from 1, of a place.
    pub(crate) fn at(&self, offset: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < offset)
    }

    /// What is malformed at a place.
    pub(crate) fn malformed(&self, offset: usize, what: &'static str) -> Malformed {
        let line = self.at(offset);
        let start = line.checked_sub(2).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        Malformed { line, column: offset.saturating_sub(start) + 1, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_tidied_and_meaning_is_kept() {
        let check = |tool: &str, text: &str, expected: &str| {
            let pin = Pin::version(tool, "", text, 1).unwrap();
            assert_eq!(pin.declared, Declared::Version(expected.to_owned()), "{tool} {text}");
        };
        check("node", " v18.19.0\r", "18.19.0");
        check("node", "lts/*", "lts/*");
        check("node", "=18.1", "18.1");
        check("node", ">=18 <21", ">=18 <21");
        check("ruby", "ruby-3.2.2", "3.2.2");
        check("ruby", "jruby-9.4.5.0", "jruby-9.4.5.0");
        check("python", "==3.11.*", "3.11.*");
        check("go", "go1.21.5", "1.21.5");
        check("java", "temurin-17.0.9+9", "17.0.9+9");
        check("java", "17.0.9-tem", "17.0.9");
        check("java", "24-ea", "24-ea");
        check("node", "vendored", "vendored");
        assert_eq!(Pin::version("node", "", " \n", 1), None);
        assert_eq!(Pin::version("", "", "1", 1), None);
        assert_eq!(Pin::version("nodejs", "", "1", 1).unwrap().tool, "node");
        assert_eq!(Pin::version("ubi:a/b", "", "1", 1).unwrap().tool, "ubi:a:b");
    }

    #[test]
    fn places_count_from_one() {
        let lines = Lines::of("a\nbc");
        assert_eq!((lines.at(0), lines.at(1), lines.at(2), lines.at(99)), (1, 1, 2, 2));
        let at = lines.malformed(3, "x");
        assert_eq!((at.line, at.column), (2, 2));
    }
}
