//! The ontology: the table of kinds. What layer a kind belongs to, how each attribute is compared, what
//! is noise, what is sensitive, and which code a finding has. Data; the engine acts on it.

mod document;
mod environment;
mod host;
mod image;
mod project;
mod runtime;
mod source;

use serde::Serialize;

pub use environment::{SEARCH_PATH_VARIABLES, SESSION_VARIABLES};
pub use source::{Reach, SOURCES, SourceRow, source, source_of};

use crate::selector::Selector;
use crate::{AttributePath, Code, Key, Layer};

/// How two values of an attribute are compared. Each rule is one file of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Literally, after Unicode is taken as it is.
    Text,
    /// As versions: `v18.19.0` is `18.19.0`; build metadata is ignored.
    Version,
    /// As numbers: `1.0` is `1`.
    Number,
    /// As an ordered search path of `:`-separated folders; the first position that differs is named.
    SearchPath,
    /// As a set of members separated by white space; order and repetition do not count.
    Set,
}

/// What part an attribute plays in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It is compared, and a difference is a divergence.
    Compared,
    /// It explains others (a path, a line number). A difference goes to the ledger, owner `context`.
    Context,
}

/// One attribute of a kind.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct AttributeRow {
    /// A pattern of attribute paths, as after `#` in a selector.
    pub path: &'static str,
    /// One sentence on what it is.
    pub help: &'static str,
    /// How it is compared.
    pub compare: Compare,
    /// Whether it is compared.
    pub role: Role,
    /// The code of a difference in it.
    pub code: Code,
}

/// One kind of resource.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct KindRow {
    /// Its id, as in a resource's `kind`.
    pub id: &'static str,
    /// Its name in a sentence.
    pub title: &'static str,
    /// One sentence on what it is.
    pub help: &'static str,
    /// The shape of its keys, with `<..>` for what varies.
    pub key: &'static str,
    /// The layer that it belongs to.
    pub layer: Layer,
    /// The code of a whole resource that one side lacks.
    pub missing: Code,
    /// Its attributes. The first row whose path pattern fits decides.
    pub attributes: &'static [AttributeRow],
    /// The attributes that a reader knows it by, in their order: shown where both sides agree.
    pub headline: &'static [&'static str],
}

/// All kinds, in the order of the reference.
pub fn kinds() -> impl Iterator<Item = &'static KindRow> {
    [host::KINDS, runtime::KINDS, environment::KINDS, project::KINDS, image::KINDS, document::KINDS]
        .into_iter()
        .flatten()
}

/// The row of a kind; `None` for a kind that this version does not know.
#[must_use]
pub fn kind(id: &str) -> Option<&'static KindRow> {
    kinds().find(|row| row.id == id)
}

/// The row of the kind that keys of this shape have (`runtime/<name>`), for where a key is all that is known;
/// `None` where no kind has such keys. The last `<..>` of a shape stands for all that is left of a key; of several shapes the
/// longest counts (`package/<manager>/<name>` before `package/<manager>`).
#[must_use]
pub fn kind_by_key(key: &Key) -> Option<&'static KindRow> {
    kinds().filter(|row| has_shape(row.key, key)).max_by_key(|row| row.key.split('/').count())
}

fn has_shape(shape: &str, key: &Key) -> bool {
    let is_open = shape.ends_with('>');
    let mut segments = key.segments();
    let fits = shape.split('/').all(|part| {
        let segment = segments.next();
        segment.is_some_and(|segment| part.starts_with('<') || part == segment)
    });
    fits && (is_open || segments.next().is_none())
}

/// How many segments a key has before its name: `dependency/npm` of `dependency/npm/@types/node`. All but the
/// last, where no kind has such keys.
#[must_use]
pub fn segments_before_name(key: &Key) -> usize {
    let (whole, own) = match kind_by_key(key) {
        Some(row) => (row.key.split('/').count(), row.key.ends_with('>')),
        None => (key.segments().count(), true),
    };
    if own { whole.saturating_sub(1) } else { 1.min(whole) }
}

/// The row that speaks of an attribute; `None` where the kind or the attribute is not known, which
/// is compared as text.
#[must_use]
pub fn attribute(kind: &str, path: &AttributePath) -> Option<&'static AttributeRow> {
    let row = self::kind(kind)?;
    // Most rows are plain names; patterns are the exception, and slower.
    row.attributes
        .iter()
        .find(|a| a.path == path.as_str() || (a.path.contains('*') && selects_path(a.path, path)))
}

fn selects_path(pattern: &str, path: &AttributePath) -> bool {
    let key = Key::of(["_"]);
    Selector::parse(&format!("_#{pattern}")).is_ok_and(|s| s.selects(&key, Some(path)))
}

/// How an attribute of that resource is compared: the kind's row, but for environment variables
/// that hold search paths by their name.
#[must_use]
pub fn compare_rule(kind: &str, key: &Key, path: &AttributePath) -> Compare {
    if kind == "env" && environment::is_search_path(key.after(1)) {
        return Compare::SearchPath;
    }
    attribute(kind, path).map_or(Compare::Text, |row| row.compare)
}

/// Who owns differences of a whole resource that say nothing: the session that observed (`TERM`,
/// `SSH_CONNECTION`) or the account (`HOME`). `None` for everything else.
#[must_use]
pub fn noise_owner(kind: &str, key: &Key) -> Option<&'static str> {
    if kind == "env" { environment::noise_owner(key.after(1)) } else { None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_keep_their_invariants() {
        let mut seen = BTreeSet::new();
        for row in kinds() {
            assert!(seen.insert(row.id), "kind `{}` stands twice", row.id);
            assert!(row.help.ends_with('.'), "{}", row.id);
            assert!(Key::parse(&row.key.replace(['<', '>'], "")).is_ok(), "{}", row.key);
            let mut paths = BTreeSet::new();
            for attribute in row.attributes {
                assert!(paths.insert(attribute.path), "{}#{} stands twice", row.id, attribute.path);
                assert!(attribute.help.ends_with('.'), "{}#{}", row.id, attribute.path);
            }
            for headline in row.headline {
                let shown = row.attributes.iter().find(|a| a.path == *headline);
                assert!(shown.is_some_and(|a| a.role == Role::Compared), "{}#{headline}", row.id);
            }
        }
    }

    #[test]
    fn kinds_and_names_by_key() {
        let check = |text: &str, expected: Option<&str>, before: usize| {
            let key = Key::parse(text).unwrap();
            assert_eq!(kind_by_key(&key).map(|row| row.id), expected, "{text}");
            assert_eq!(segments_before_name(&key), before, "{text}");
        };
        check("runtime/node", Some("runtime"), 1);
        check("env/HOME", Some("env"), 1);
        check("host/kernel", Some("kernel"), 1);
        check("host/kernel/deeper", None, 2);
        check("dependency/npm/@types/node", Some("dependency"), 2);
        check("dependency/npm", None, 1);
        check("pin/node/web", Some("pin"), 1);
        check("k8s/apps/Deployment/shop/checkout", Some("object"), 4);
        check("runtime", None, 0);
        check("other/a/b", None, 2);
        for row in kinds() {
            let key = Key::parse(&row.key.replace(['<', '>'], "")).unwrap();
            assert_eq!(kind_by_key(&key).map(|found| found.id), Some(row.id), "two kinds have such keys");
        }
    }

    #[test]
    fn environment_variables_by_name() {
        let path = AttributePath::new("value");
        let rule = |name: &str| compare_rule("env", &Key::of(["env", name]), &path);
        assert_eq!(rule("LD_LIBRARY_PATH"), Compare::SearchPath);
        assert_eq!(rule("APP_PATH_PREFIX"), Compare::Text);
        assert_eq!(noise_owner("env", &Key::of(["env", "SSH_CONNECTION"])), Some("session"));
        assert_eq!(noise_owner("env", &Key::of(["env", "HOME"])), Some("account"));
        assert_eq!(noise_owner("env", &Key::of(["env", "AWS_REGION"])), None);
    }
}
