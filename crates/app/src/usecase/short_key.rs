//! Short keys: `node` for `runtime/node`, `Deployment/checkout` for `k8s/apps/Deployment/shop/checkout`, `#image` for the one
//! attribute that ends so. Pure; where a text could mean several things it is not guessed at.

use std::collections::BTreeMap;

use parallax_engine::compare::show::{short_text, visible};
use parallax_model::{AttributePath, Key, ontology};

use crate::error::AppError;

/// How many candidates an error lists.
const LISTED: usize = 8;
/// How many near names an error offers.
const OFFERED: usize = 3;
/// Longer texts are no slips of the fingers.
const LONGEST: usize = 200;

/// Why a short text stands for nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// It fits several, the nearest first.
    Ambiguous {
        /// The first few.
        candidates: Vec<String>,
        /// How many more there are.
        others: usize,
    },
    /// It fits none.
    Unknown {
        /// What is written much like it, the nearest first.
        nearest: Vec<String>,
    },
}

impl Unresolved {
    /// The error for a person, who wrote `text` where a `what` (`key`, `attribute`) was wanted; `place` says among
    /// which it was looked for (`production`).
    #[must_use]
    pub fn told(self, what: &str, text: &str, place: &str) -> AppError {
        let text = short_text(text);
        let listed = |names: Vec<String>| {
            names.iter().map(|name| format!("`{}`", visible(name))).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Ambiguous { candidates, others } => {
                let more = if others > 0 { format!(", and {others} more") } else { String::new() };
                let count = candidates.len() + others;
                AppError::usage(format!("`{text}` could be any of {count} {what}s in {place}"))
                    .hint(format!("write more of it: {}{more}", listed(candidates)))
            }
            Self::Unknown { nearest } => {
                let error = AppError::usage(format!("no {what} `{text}` is known in {place}"));
                if nearest.is_empty() {
                    return error;
                }
                error.hint(format!("did you mean {}?", listed(nearest)))
            }
        }
    }
}

/// Takes `KEY#ATTRIBUTE` apart.
#[must_use]
pub fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('#').map_or((text, None), |(key, attribute)| (key, Some(attribute)))
}

/// The one key that a text stands for: the key itself, or the only one that ends with the text's last segment and
/// has the others before it, in their order. Keys may come in any order and more than once.
///
/// A whole name goes before the end of a longer one (`node` is `runtime/node`, not `dependency/npm/@types/node`), and a
/// thing before its pin. Only where nothing fits otherwise, upper and lower case are the same.
///
/// # Errors
/// [`Unresolved`], with what the person may have meant.
pub fn resolve<'a>(text: &str, keys: impl Iterator<Item = &'a Key>) -> Result<Key, Unresolved> {
    let mut exactly = BTreeMap::new();
    let mut loosely = BTreeMap::new();
    let mut near = Near::of(text);
    let wanted: Vec<&str> = text.split('/').collect();
    for key in keys {
        if key.as_str() == text {
            return Ok(key.clone());
        }
        if fits(&wanted, key, |a, b| a == b) {
            exactly.insert(key, Fit::of(text, key));
        } else if fits(&wanted, key, str::eq_ignore_ascii_case) {
            loosely.insert(key, Fit::of(text, key));
        }
        near.hold(key.as_str(), '/');
    }
    let found = if exactly.is_empty() { loosely } else { exactly };
    let Some(best) = found.values().map(|fit| fit.class).min() else {
        return Err(Unresolved::Unknown { nearest: near.names() });
    };
    let mut found: Vec<(Fit, &Key)> = found.into_iter().map(|(key, fit)| (fit, key)).collect();
    found.sort();
    match found.as_slice() {
        [(_, only)] => Ok((*only).clone()),
        [(_, first), (second, _), ..] if second.class > best => Ok((*first).clone()),
        several => Err(ambiguous(several.iter().map(|(_, key)| key.as_str()))),
    }
}

/// The one attribute that a text stands for: the path itself, or the only one that ends with it where a segment begins.
///
/// # Errors
/// [`Unresolved`], with what the person may have meant.
pub fn resolve_attribute<'a>(
    text: &str,
    paths: impl Iterator<Item = &'a AttributePath>,
) -> Result<AttributePath, Unresolved> {
    let mut found = BTreeMap::new();
    let mut near = Near::of(text);
    for path in paths {
        if path.as_str() == text {
            return Ok(path.clone());
        }
        if ends_with(path.as_str(), text) {
            found.insert((path.as_str().len(), path.as_str()), path);
        }
        near.hold(path.as_str(), '.');
    }
    match found.values().next().filter(|_| found.len() == 1) {
        Some(only) => Ok((*only).clone()),
        None if found.is_empty() => Err(Unresolved::Unknown { nearest: near.names() }),
        None => Err(ambiguous(found.keys().map(|(_, path)| *path))),
    }
}

fn ambiguous<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Unresolved {
    let others = names.len().saturating_sub(LISTED);
    Unresolved::Ambiguous { candidates: names.take(LISTED).map(ToOwned::to_owned).collect(), others }
}

fn ends_with(path: &str, end: &str) -> bool {
    let begins = |before: &str| before.ends_with('.') || (end.starts_with('[') && !before.is_empty());
    !end.is_empty() && path.strip_suffix(end).is_some_and(begins)
}

/// Whether a key ends with the last segment that is wanted and has the others before it, in their order.
fn fits(wanted: &[&str], key: &Key, same: impl Fn(&str, &str) -> bool) -> bool {
    let mut segments = key.segments().rev();
    let mut wanted = wanted.iter().rev();
    let last = wanted.next().zip(segments.next()).is_some_and(|(wanted, segment)| same(wanted, segment));
    last && wanted.all(|wanted| segments.any(|segment| same(wanted, segment)))
}

/// How well a key fits a text; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    class: Class,
    /// How many segments are left to be guessed.
    unsaid: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// The whole name was written.
    Name,
    /// The whole name of what a pin speaks of.
    Pin,
    /// The end of a name.
    PartOfName,
}

impl Fit {
    fn of(text: &str, key: &Key) -> Self {
        let name = key.after(ontology::segments_before_name(key));
        let is_named = text.eq_ignore_ascii_case(name) || {
            let before = text.len().checked_sub(name.len()).and_then(|at| text.split_at_checked(at));
            before.is_some_and(|(before, end)| before.ends_with('/') && end.eq_ignore_ascii_case(name))
        };
        let class = match (is_named, key.root()) {
            (true, "pin") => Class::Pin,
            (true, _) => Class::Name,
            (false, _) => Class::PartOfName,
        };
        Self { class, unsaid: key.segments().count().saturating_sub(text.split('/').count()) }
    }
}

/// Gathers names that are written much like a text.
struct Near {
    text: String,
    most: usize,
    /// By distance, then by how many segments there are.
    found: Vec<(usize, usize, String)>,
}

impl Near {
    fn of(text: &str) -> Self {
        let is_usual = !text.is_empty() && text.len() <= LONGEST;
        let most = if is_usual { (text.chars().count() / 3).max(1) } else { 0 };
        Self { text: text.to_lowercase(), most, found: Vec::new() }
    }

    /// Holds a name, or as many of its last segments as the text has, against the text.
    fn hold(&mut self, name: &str, separator: char) {
        if self.most == 0 {
            return;
        }
        let count = self.text.split(separator).count();
        let end =
            name.rmatch_indices(separator).nth(count - 1).map_or(0, |(at, _)| at + separator.len_utf8());
        let end = name.get(end..).unwrap_or(name);
        if end.len().abs_diff(self.text.len()) > self.most * 2 {
            return;
        }
        let distance = strsim::osa_distance(&end.to_lowercase(), &self.text);
        if distance <= self.most {
            self.found.push((distance, name.split(separator).count(), name.to_owned()));
            if self.found.len() > 64 {
                self.keep_best();
            }
        }
    }

    fn keep_best(&mut self) {
        self.found.sort();
        self.found.dedup();
        self.found.truncate(OFFERED);
    }

    fn names(mut self) -> Vec<String> {
        self.keep_best();
        self.found.into_iter().map(|(_, _, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[&str] = &[
        "runtime/node",
        "pin/node",
        "pin/node/web",
        "pin/ruby",
        "dependency/npm/@types/node",
        "dependency/npm/undici",
        "dependency/npm/@types/ws",
        "env/DATABASE_URL",
        "env/LOG_LEVEL",
        "host/kernel",
        "lockfile/package-lock.json",
        "lockfile/web/package-lock.json",
        "k8s/apps/Deployment/shop/checkout",
        "k8s/core/Service/shop/checkout",
        "k8s/core/Secret/shop/db-creds",
        "k8s/core/ConfigMap/shop/settings",
        "k8s/core/ConfigMap/shop-staging/settings",
        "document/a/checkout-rules",
    ];

    /// The key; or `? a b` for candidates, `- a b` for names that are near.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let keys: Vec<Key> = KEYS.iter().chain(KEYS).map(|key| Key::parse(key).unwrap()).collect();
        let got = match resolve(text, keys.iter().rev()) {
            Ok(key) => key.to_string(),
            Err(Unresolved::Ambiguous { candidates, .. }) => format!("? {}", candidates.join(" ")),
            Err(Unresolved::Unknown { nearest }) => format!("- {}", nearest.join(" ")).trim_end().to_owned(),
        };
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn keys() {
        check("runtime/node", "runtime/node");
        check("pin/node", "pin/node");
        check("node", "runtime/node");
        check("types/node", "- dependency/npm/@types/node");
        check("@types/node", "dependency/npm/@types/node");
        check("npm/node", "dependency/npm/@types/node");
        check("ws", "dependency/npm/@types/ws");
        check("ruby", "pin/ruby");
        check("undici", "dependency/npm/undici");
        check("DATABASE_URL", "env/DATABASE_URL");
        check("database_url", "env/DATABASE_URL");
        check("kernel", "host/kernel");
        check("package-lock.json", "lockfile/package-lock.json");
        check("web/package-lock.json", "lockfile/web/package-lock.json");
        check("Deployment/checkout", "k8s/apps/Deployment/shop/checkout");
        check("deployment/checkout", "k8s/apps/Deployment/shop/checkout");
        check("k8s/checkout", "? k8s/apps/Deployment/shop/checkout k8s/core/Service/shop/checkout");
        check("checkout", "? k8s/apps/Deployment/shop/checkout k8s/core/Service/shop/checkout");
        check("settings", "? k8s/core/ConfigMap/shop-staging/settings k8s/core/ConfigMap/shop/settings");
        check("shop/settings", "k8s/core/ConfigMap/shop/settings");
        check("Secret/db-creds", "k8s/core/Secret/shop/db-creds");
    }

    #[test]
    fn what_is_unknown_or_hostile() {
        check("nod", "- pin/node runtime/node dependency/npm/@types/node");
        check("LOG_LEVLE", "- env/LOG_LEVEL");
        check("env/LOGLEVEL", "- env/LOG_LEVEL");
        check("checkout/Deployment", "-");
        check("nothing-like-it", "-");
        check("", "-");
        check("/", "-");
        check("node/", "-");
        check("/node", "-");
        check("node#version", "-");
        check("\u{1b}[31m", "-");
        check(&"a/".repeat(50_000), "-");
        assert_eq!(resolve("a", std::iter::empty()), Err(Unresolved::Unknown { nearest: Vec::new() }));
    }

    #[test]
    fn long_lists_are_cut_and_told() {
        let keys: Vec<Key> =
            (0..20).map(|n| Key::of(["k8s", "core", "Pod", &n.to_string(), "app"])).collect();
        let error = resolve("app", keys.iter()).unwrap_err().told("key", "app", "production").to_string();
        assert!(error.contains("any of 20 keys in production") && error.contains("and 12 more"), "{error}");
        let error = Unresolved::Unknown { nearest: vec!["a\u{202e}".into()] }.told("key", "\u{1b}x", "p");
        assert!(!error.to_string().contains(['\u{1b}', '\u{202e}']), "{error}");
    }

    #[test]
    fn attributes() {
        let paths =
            ["version", "spec.containers[app].image", "spec.containers[app].env[A].value", "spec.image"];
        let paths: Vec<AttributePath> = paths.iter().map(|path| AttributePath::new(path)).collect();
        let check = |text: &str, expected: Option<&str>| {
            let got = resolve_attribute(text, paths.iter()).ok();
            assert_eq!(got.as_ref().map(AttributePath::as_str), expected, "{text:?}");
        };
        check("version", Some("version"));
        check("sion", None);
        check("env[A].value", Some("spec.containers[app].env[A].value"));
        check("[A].value", Some("spec.containers[app].env[A].value"));
        check("image", None);
        check("spec.image", Some("spec.image"));
        check("", None);
        check("versoin", None);
        let near = resolve_attribute("versoin", paths.iter());
        assert_eq!(near, Err(Unresolved::Unknown { nearest: vec!["version".into()] }));
    }
}
