//! A tree that JSON and TOML are read into, whose texts are borrowed from the file, and the way to YAML's.
//!
//! Duplicate names are refused with their place: two readers of one file may take either. Depth is bounded by the
//! parsers beneath; what is kept is in proportion to the file. Knows no format.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::de::{DeTable, DeValue};

use super::{Files, Malformed, Package};
use crate::project::pin::Lines;
use crate::yaml;

/// Maps of fewer fields than this are searched for a name that stands twice: a set costs more there than it saves.
const SEARCHED: usize = 24;

/// A node. Numbers and truth values are text here, as the file spells them.
#[derive(Debug)]
pub(super) enum Tree<'a> {
    /// `null`.
    Nothing,
    /// A scalar.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// A map, in the order of the file (sorted for TOML).
    Map(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Tree<'a> {
    /// The value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.fields().iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The text of a field that says something.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.get(name)?.text().filter(|text| !text.is_empty())
    }

    /// The fields of a map; none of anything else.
    pub(super) fn fields(&self) -> &[(Cow<'a, str>, Self)] {
        match self {
            Self::Map(fields) => fields,
            Self::Nothing | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Nothing | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// Where its first text stands that was borrowed from the file.
    fn offset(&self, file: &str) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => offset(text, file),
            Self::List(items) => items.iter().find_map(|item| item.offset(file)),
            Self::Map(fields) => {
                fields.iter().find_map(|(name, value)| offset(name, file).or_else(|| value.offset(file)))
            }
        }
    }

    fn of_toml(value: DeValue<'a>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text),
            DeValue::Integer(number) => Self::Text(number.as_str().to_owned().into()),
            DeValue::Float(number) => Self::Text(number.as_str().to_owned().into()),
            DeValue::Boolean(truth) => Self::Text(truth.to_string().into()),
            DeValue::Datetime(time) => Self::Text(time.to_string().into()),
            DeValue::Array(items) => {
                Self::List(items.into_iter().map(|item| Self::of_toml(item.into_inner())).collect())
            }
            DeValue::Table(table) => Self::of_table(table),
        }
    }

    fn of_table(table: DeTable<'a>) -> Self {
        let field = |(name, value): (toml::Spanned<Cow<'a, str>>, toml::Spanned<DeValue<'a>>)| {
            (name.into_inner(), Self::of_toml(value.into_inner()))
        };
        Self::Map(table.into_iter().map(field).collect())
    }
}

/// Where a text stands in the file that it was borrowed from.
fn offset(text: &str, file: &str) -> Option<usize> {
    let at = (text.as_ptr() as usize).checked_sub(file.as_ptr() as usize)?;
    (!text.is_empty() && at < file.len()).then_some(at)
}

/// A file that was read, and where things stand in it.
pub(super) struct Source<'a> {
    /// What the file holds.
    pub(super) root: Tree<'a>,
    text: &'a str,
    lines: Lines,
}

impl<'a> Source<'a> {
    /// Reads JSON whose root is an object.
    pub(super) fn json(files: &Files<'a>) -> Result<Self, Malformed> {
        let text = files.text()?;
        let root: Tree<'a> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        match root {
            Tree::Map(_) => Ok(Self { root, text, lines: Lines::of(text) }),
            Tree::Nothing | Tree::Text(_) | Tree::List(_) => {
                Err(Malformed { line: 1, column: 1, what: "not an object" })
            }
        }
    }

    /// Reads TOML.
    pub(super) fn toml(files: &Files<'a>) -> Result<Self, Malformed> {
        let text = files.text()?;
        let lines = Lines::of(text);
        // The parser's message may quote the file, so only the place is kept.
        let table = DeTable::parse(text)
            .map_err(|error| lines.malformed(error.span().map_or(0, |span| span.start), "not TOML"))?;
        Ok(Self { root: Tree::of_table(table.into_inner()), text, lines })
    }

    /// What can't be understood, with its place.
    pub(super) fn unclear(&self, entry: &Tree<'a>, what: &'static str) -> Malformed {
        self.lines.malformed(entry.offset(self.text).unwrap_or(0), what)
    }

    /// The same by the name of the field that holds it.
    pub(super) fn unclear_field(&self, name: &str, what: &'static str) -> Malformed {
        self.lines.malformed(offset(name, self.text).unwrap_or(0), what)
    }

    /// The packages of a list, and what of it can't be understood.
    pub(super) fn packages(
        &self,
        entries: &'_ [Tree<'a>],
        package: impl Fn(&Tree<'a>) -> Option<Package>,
    ) -> (Vec<Package>, Vec<Malformed>) {
        let (mut packages, mut unclear) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            match package(entry) {
                Some(package) => packages.push(package),
                None => unclear.push(self.unclear(entry, "a package without name or version")),
            }
        }
        (packages, unclear)
    }
}

/// `serde_json`'s message may quote the file, so only the place is kept.
fn not_json(error: &serde_json::Error) -> Malformed {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Data => "a name that stands twice in one object",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "not JSON",
    };
    Malformed { line: error.line().max(1), column: error.column().max(1), what }
}

/// Reads YAML whose root is a map.
pub(super) fn yaml(files: &Files<'_>) -> Result<yaml::Node, Malformed> {
    let text = files.text()?;
    let root = yaml::parse_within(text, yaml::Limit::LOCKED)?;
    if root.fields().is_empty() {
        return Err(Malformed { line: root.line.max(1), column: 1, what: "not a map" });
    }
    distinct(&root)?;
    Ok(root)
}

/// The text of a field that says something.
pub(super) fn said<'n>(node: &'n yaml::Node, name: &str) -> Option<&'n str> {
    node.get(name)?.text().filter(|text| !text.is_empty() && *text != "null" && *text != "~")
}

/// The packages of a map by their names, or of a list, and what of it can't be understood.
pub(super) fn packages_of<'n>(
    list: &'n yaml::Node,
    package: impl Fn(&'n str, &'n yaml::Node) -> Option<Package>,
) -> (Vec<Package>, Vec<Malformed>) {
    let (mut packages, mut unclear) = (Vec::new(), Vec::new());
    let fields = list.fields().iter().map(|(name, entry)| (name.as_str(), entry));
    for (name, entry) in fields.chain(list.items().iter().map(|entry| ("", entry))) {
        match package(name, entry) {
            Some(package) => packages.push(package),
            None => unclear.push(Malformed {
                line: entry.line.max(1),
                column: 1,
                what: "a package without name or version",
            }),
        }
    }
    (packages, unclear)
}

/// Refuses a name that stands twice in one map.
fn distinct(node: &yaml::Node) -> Result<(), Malformed> {
    let fields = node.fields();
    let mut names = HashSet::new();
    for (at, (name, value)) in fields.iter().enumerate() {
        let twice = if fields.len() < SEARCHED {
            fields.iter().take(at).any(|(other, _)| other == name)
        } else {
            !names.insert(name.as_str())
        };
        if twice {
            return Err(Malformed {
                line: value.line.max(1),
                column: 1,
                what: "a name that stands twice in one map",
            });
        }
        distinct(value)?;
    }
    node.items().iter().try_for_each(distinct)
}

impl<'a> Deserialize<'a> for Tree<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'a> Visitor<'a> for TreeVisitor {
    type Value = Tree<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Tree<'a>, E> {
        Ok(Tree::Nothing)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(if truth { "true" } else { "false" }.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(number.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(number.to_string().into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(text.to_owned().into()))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Tree<'a>, E> {
        Ok(Tree::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Tree<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Tree<'a>, A::Error> {
        let mut fields: Vec<(Cow<'a, str>, Tree<'a>)> = Vec::new();
        let mut names: HashSet<Cow<'a, str>> = HashSet::new();
        while let Some(Name(name)) = map.next_key()? {
            let twice = if fields.len() < SEARCHED {
                fields.iter().any(|(field, _)| *field == name)
            } else {
                if names.is_empty() {
                    names.extend(fields.iter().map(|(field, _)| field.clone()));
                }
                !names.insert(name.clone())
            };
            if twice {
                return Err(A::Error::custom("duplicate"));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Tree::Map(fields))
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'a> Visitor<'a> for NameVisitor {
    type Value = Name<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name<'a>, E> {
        Ok(Name(text.to_owned().into()))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Name<'a>, E> {
        Ok(Name(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(text: &str, kind: &str) -> Result<(), String> {
        let others = BTreeMap::new();
        let files = Files::new("x", text.as_bytes(), &others);
        let done = match kind {
            "json" => Source::json(&files).map(drop),
            "toml" => Source::toml(&files).map(drop),
            _ => yaml(&files).map(drop),
        };
        done.map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_refused_is_named_by_its_place() {
        let check = |kind: &str, text: &str, expected: &str| {
            assert_eq!(of(text, kind), Err(expected.to_owned()), "{kind} {text:.40}");
        };
        check("json", "", "1:1: ends too early");
        check("json", "{\"a\":\n 1,\n", "3:1: ends too early");
        check("json", "[]", "1:1: not an object");
        check("json", "{\"a\": hunter2}", "1:7: not JSON");
        check("json", &format!("{{\"a\":{}", "[".repeat(100_000)), "1:132: not JSON");
        check(
            "json",
            "{\"a\": 1,\n \"b\": {\"c\": 1,\n \"c\": 2}}",
            "3:4: a name that stands twice in one object",
        );
        let many: String = (0..40).map(|n| format!("\"k{n}\": 1,")).collect();
        check("json", &format!("{{{many}\n\"k7\": 1}}"), "2:4: a name that stands twice in one object");
        check("toml", "a = 1\nb = [", "2:6: not TOML");
        check("toml", "a = 1\na = 2\n", "2:1: not TOML");
        check("toml", &format!("a = {}", "[".repeat(100_000)), "1:85: not TOML");
        check("yaml", "", "1:1: not a map");
        check("yaml", "- 1\n", "1:1: not a map");
        check("yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", "4:1: a name that stands twice in one map");
        assert!(of(&format!("a: {}", "[".repeat(100_000)), "yaml").is_err());
        let mut bomb = "a0: &a0 [x, x]\n".to_owned();
        (1..60).for_each(|n| bomb.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)));
        assert!(of(&bomb, "yaml").is_err());
    }

    #[test]
    fn an_entry_knows_its_line() {
        let others = BTreeMap::new();
        let files = Files::new("x", b"{\"a\": [\n {\"\\u0041\": 1,\n  \"b\": \"c\"}]}", &others);
        let source = Source::json(&files).unwrap();
        let entry = source.root.get("a").unwrap().items().first().unwrap();
        assert_eq!(source.unclear(entry, "x").line, 3);
        let files = Files::new("x", b"[[a]]\nx = 1\n[[a]]\n\nname = 'x'\n", &others);
        let source = Source::toml(&files).unwrap();
        let entry = source.root.get("a").unwrap().items().get(1).unwrap();
        assert_eq!(source.unclear(entry, "x").line, 5);
    }
}
