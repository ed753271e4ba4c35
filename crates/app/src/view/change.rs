//! One change of a timeline in words: what it is of, before and after, and what is known of who and how. Everything observed is
//! made visible and short; a secret is never in it.

use parallax_engine::compare::show::{sentence, short, short_pair, short_text, visible};
use parallax_model::ontology::{self, KindRow};
use parallax_model::{Key, Relation, Resource, Value};
use parallax_store::{Change, Shape, What};
use serde_json::Value as Json;

/// How many relations that came or went are named.
const RELATIONS: usize = 3;

/// A change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it did.
    pub sign: Sign,
    /// Of what: `runtime/node#version`.
    pub name: String,
    /// Before and after.
    pub words: String,
}

/// What a change did to the thing that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// It was not there before.
    Appeared,
    /// It is not there any more.
    Vanished,
    /// It is otherwise.
    Changed,
}

impl Sign {
    /// As patches and plans mark it.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Appeared => '+',
            Self::Vanished => '-',
            Self::Changed => '~',
        }
    }

    /// As JSON names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
            Self::Changed => "changed",
        }
    }
}

/// What a change did.
#[must_use]
pub fn sign(what: &What) -> Sign {
    match what {
        What::Appeared(_) | What::Attribute { before: None, .. } => Sign::Appeared,
        What::Vanished(_) | What::Attribute { after: None, .. } => Sign::Vanished,
        What::Attribute { .. } | What::Shape { .. } => Sign::Changed,
    }
}

/// A change in words.
#[must_use]
pub fn change(change: &Change) -> Told {
    let key = visible(change.key.as_str());
    let name = match change.what.attribute() {
        Some(path) => format!("{key}#{}", sentence(path.as_str())),
        None => key,
    };
    Told { sign: sign(&change.what), name, words: words(&change.what) }
}

fn words(what: &What) -> String {
    match what {
        What::Appeared(resource) => whole(resource).unwrap_or_else(|| "appeared".to_owned()),
        What::Vanished(resource) => match whole(resource) {
            Some(text) => format!("was {text}"),
            None => "vanished".to_owned(),
        },
        What::Attribute { before: None, after: Some(value), .. } => short(value),
        What::Attribute { before: Some(value), after: None, .. } => format!("was {}", short(value)),
        What::Attribute { before: Some(before), after: Some(after), .. } => values(before, after),
        What::Attribute { before: None, after: None, .. } => "changed".to_owned(),
        What::Shape { before, after } => shape(before, after),
    }
}

fn values(before: &Value, after: &Value) -> String {
    if let (Value::Secret(before), Value::Secret(after)) = (before, after) {
        return match before.same_secret(after) {
            Some(_) => "a secret changed",
            None => "a secret; whether it changed cannot be told: it was fingerprinted with another key, or without",
        }
        .to_owned();
    }
    let (old, new) = short_pair(before, after);
    if old == new || before.sort() != after.sort() {
        return format!("{old} ({}) → {new} ({})", before.sort(), after.sort());
    }
    format!("{old} → {new}")
}

fn shape(before: &Shape, after: &Shape) -> String {
    let mut parts = Vec::new();
    if before.kind != after.kind {
        parts.push(format!("a {} → a {}", short_text(&before.kind), short_text(&after.kind)));
    }
    let edge = |mark: &str, relation: &Relation| {
        let kind = serde_json::to_value(relation.kind).ok();
        let kind = kind.as_ref().and_then(Json::as_str).unwrap_or("points at").replace('-', " ");
        format!("{mark} {kind} {}", short_text(relation.to.as_str()))
    };
    let gone = before.relations.iter().filter(|relation| !after.relations.contains(relation));
    let new = after.relations.iter().filter(|relation| !before.relations.contains(relation));
    let edges: Vec<String> = new.map(|r| edge("+", r)).chain(gone.map(|r| edge("-", r))).collect();
    parts.extend(edges.iter().take(RELATIONS).cloned());
    if edges.len() > RELATIONS {
        parts.push(format!("and {} more relations", edges.len() - RELATIONS));
    }
    parts.join(", ")
}

/// A resource by its version, its value, its image: by what says most of it.
fn whole(resource: &Resource) -> Option<String> {
    let row = ontology::kind(&resource.kind);
    let by_name = telling(row).and_then(|path| resource.attributes.get(path));
    let image = || resource.attributes.iter().find(|a| a.path.as_str().ends_with(".image")).map(|a| &a.value);
    let only = || match resource.attributes.as_slice() {
        [one] => Some(&one.value),
        _ => None,
    };
    by_name.or_else(image).or_else(only).map(short)
}

/// The attribute that says most of a resource of that kind.
#[must_use]
pub fn telling(row: Option<&KindRow>) -> Option<&'static str> {
    let row = row?;
    let known = |path: &str| row.attributes.iter().map(|a| a.path).find(|known| *known == path);
    let first = row.headline.first().copied();
    known("version").or(first).or_else(|| known("value"))
}

/// What evidence says of who, what and how: `by carol: kubectl edit, by hand`. Nothing where it is not told in these words.
#[must_use]
pub fn evidence(text: &str) -> Option<String> {
    let json: Json = serde_json::from_str(text).ok()?;
    let field = |name: &str, inner: &str| {
        let value = json.get(name)?;
        let text = value.as_str().or_else(|| value.get(inner)?.as_str())?;
        Some(short_text(text)).filter(|text| !text.trim().is_empty())
    };
    let who = field("who", "name").map(|who| format!("by {who}"));
    let rest: Vec<String> = [field("what", "text"), field("how", "method")].into_iter().flatten().collect();
    match (who, rest.is_empty()) {
        (Some(who), true) => Some(who),
        (Some(who), false) => Some(format!("{who}: {}", rest.join(", "))),
        (None, false) => Some(rest.join(", ")),
        (None, true) => None,
    }
}

/// The part of a key that says which of its sort it is: `@types/node` of `dependency/npm/@types/node`.
pub(super) fn own_name(key: &Key) -> &str {
    key.after(ontology::segments_before_name(key))
}

#[cfg(test)]
mod tests {
    use parallax_model::{AttributePath, Fingerprint, RelationKind, Timestamp};

    use super::*;
    use crate::usecase::noise;

    pub(crate) fn of(key: &str, what: What) -> Change {
        let at = Timestamp::UNIX_EPOCH;
        let key = Key::parse(key).unwrap();
        Change { entry: 2, key, what, after: at, not_after: at, at: None, evidence: Vec::new() }
    }

    fn attribute(path: &str, before: Option<Value>, after: Option<Value>) -> What {
        What::Attribute { path: AttributePath::new(path), before, after }
    }

    #[track_caller]
    fn check(key: &str, what: What, expected: &str) {
        let told = change(&of(key, what));
        assert_eq!(format!("{} {}  {}", told.sign.mark(), told.name, told.words), expected);
    }

    #[test]
    fn attributes() {
        let (old, new) = (Some(Value::from("18.19.0")), Some(Value::from("18.20.1")));
        check(
            "runtime/node",
            attribute("version", old.clone(), new.clone()),
            "~ runtime/node#version  18.19.0 → 18.20.1",
        );
        check("runtime/node", attribute("version", None, new), "+ runtime/node#version  18.20.1");
        check("runtime/node", attribute("version", old, None), "- runtime/node#version  was 18.19.0");
        check(
            "document/a/b",
            attribute("n", Some(1_u64.into()), Some("1".into())),
            "~ document/a/b#n  1 (number) → 1 (text)",
        );
        check(
            "env/A",
            attribute("value", Some("".into()), Some("\u{1b}[2J\n\u{202e}".into())),
            "~ env/A#value  \"\" → \\u{1b}[2J\\n\\u{202e}",
        );
    }

    #[test]
    fn secrets() {
        let keyed = |id: &str, mac: &str| {
            Some(Value::Secret(Fingerprint::Keyed { key_id: id.into(), mac: mac.into() }))
        };
        let present = Some(Value::Secret(Fingerprint::Present));
        check(
            "env/T",
            attribute("value", keyed("a", "1"), keyed("a", "2")),
            "~ env/T#value  a secret changed",
        );
        check(
            "env/T",
            attribute("value", keyed("a", "1"), Some("x".into())),
            "~ env/T#value  a secret (secret) → x (text)",
        );
        check("env/T", attribute("value", None, keyed("a", "1")), "+ env/T#value  a secret");
        for other in [keyed("b", "1"), present] {
            let told = change(&of("env/T", attribute("value", keyed("a", "1"), other)));
            assert!(told.words.contains("cannot be told"), "{told:?}");
        }
    }

    #[test]
    fn whole_resources_and_shapes() {
        let node = Resource::new(Key::of(["runtime", "node"]), "runtime")
            .with("path", "/x")
            .with("version", "20.1.0");
        check("runtime/node", What::Appeared(node.clone()), "+ runtime/node  20.1.0");
        check("runtime/node", What::Vanished(node), "- runtime/node  was 20.1.0");
        let pod = Resource::new(Key::of(["x"]), "object")
            .with("spec.containers[a].image", "shop:1")
            .with("n", 1_u64);
        check("k8s/x", What::Appeared(pod), "+ k8s/x  shop:1");
        let bare = Resource::new(Key::of(["x"]), "unheard-of").with("a", 1_u64).with("b", 1_u64);
        check("x", What::Appeared(bare.clone()), "+ x  appeared");
        check("x", What::Vanished(bare), "- x  vanished");
        let to = |name: &str| Relation { kind: RelationKind::ReadsSecret, to: Key::of([name]) };
        let before = Shape { kind: "a".into(), relations: vec![to("p"), to("q")] };
        let after = Shape { kind: "b".into(), relations: vec![to("q"), to("r"), to("s"), to("t")] };
        check(
            "x",
            What::Shape { before, after },
            "~ x  a a → a b, + reads secret r, + reads secret s, + reads secret t, and 1 more relations",
        );
    }

    #[test]
    fn evidence_in_words() {
        for (text, expected) in [
            (
                r#"{"who": "carol", "what": "kubectl edit", "how": "by hand"}"#,
                Some("by carol: kubectl edit, by hand"),
            ),
            (
                r#"{"who": {"name": "carol", "trust": "exact"}, "how": {"method": "git"}}"#,
                Some("by carol: git"),
            ),
            (r#"{"who": "a\u001b[2Jb"}"#, Some("by a\\u{1b}[2Jb")),
            (r#"{"what": "apt upgrade"}"#, Some("apt upgrade")),
            (r#"{"who": 5, "how": [], "x": "y"}"#, None),
            (r#"{"who": " "}"#, None),
            ("not JSON", None),
            ("", None),
        ] {
            assert_eq!(evidence(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_says_nothing() {
        let value = |path: &str| attribute(path, Some("1".into()), Some("2".into()));
        assert_eq!(noise(&of("env/SSH_CONNECTION", value("value"))), Some("session"));
        assert_eq!(noise(&of("env/AWS_REGION", value("value"))), None);
        assert_eq!(noise(&of("pin/node", value("at[.nvmrc]"))), Some("context"));
        assert_eq!(noise(&of("pin/node", value("by[.nvmrc]"))), None);
        assert_eq!(noise(&of("never/heard/of", value("x"))), None);
    }
}
