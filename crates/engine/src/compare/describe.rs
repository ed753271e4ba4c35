//! The words of a difference: one line that says what differs and where, and lines of detail. All
//! observed text in it is made visible and short; a secret is never in it.

use parallax_model::{Attribute, AttributePath, Key, Resource, Snapshot, Value};

use super::Change;
use super::show::{sentence, short, short_pair, short_text, visible};
use crate::normalise::{Contrast, Version};

/// How many lines of detail a difference has at most.
const DETAIL_LINES: usize = 24;

/// A message and its details.
pub(super) struct Words {
    pub(super) message: String,
    pub(super) details: Vec<String>,
}

/// The resource that is spoken of.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) left: Option<&'a Resource>,
    pub(super) right: Option<&'a Resource>,
    pub(super) kind: &'a str,
}

/// Knows the two sides by name.
pub(super) struct Describe<'a> {
    left: &'a Snapshot,
    right: &'a Snapshot,
    places: Places,
}

/// Where the two sides are, in a sentence: `here`, `in staging`.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) left: String,
    pub(crate) right: String,
}

impl Places {
    pub(crate) fn of(left: &Snapshot, right: &Snapshot) -> Self {
        let (l, r) = (&left.header().environment, &right.header().environment);
        if l == r {
            // One environment at two times, or two files of the same name.
            return Self { left: "on the left".to_owned(), right: "on the right".to_owned() };
        }
        Self { left: place(l), right: place(r) }
    }
}

/// Where an environment is, in a sentence.
pub(crate) fn place(environment: &str) -> String {
    if environment == "local" { "here".to_owned() } else { format!("in {}", short_text(environment)) }
}

impl<'a> Describe<'a> {
    pub(super) fn new(left: &'a Snapshot, right: &'a Snapshot) -> Self {
        Self { left, right, places: Places::of(left, right) }
    }

    /// Both sides have the attribute, with other values.
    pub(super) fn changed(
        &self,
        subject: Subject<'_>,
        path: &AttributePath,
        values: (&Option<Value>, &Option<Value>),
        contrast: &Contrast,
        not_comparable: Option<&str>,
    ) -> Words {
        let what = what(subject, path);
        let Places { left: here, right: there } = &self.places;
        let message = match (not_comparable, &contrast.place, values) {
            (Some(why), _, _) => format!("{what} cannot be compared: {}", sentence(why)),
            (None, Some(place), _) => {
                format!("{what} differs at {}", sentence(place))
            }
            (None, None, (Some(Value::Secret(_)), Some(Value::Secret(_)))) => {
                format!("{what} is another secret {here} than {there}")
            }
            (None, None, (Some(left), Some(right))) if left.sort() != right.sort() => {
                let (l, r) = short_pair(left, right);
                format!("{what} {l} ({}) {here}, {r} ({}) {there}", left.sort(), right.sort())
            }
            (None, None, (Some(left), Some(right))) => {
                let (l, r) = short_pair(left, right);
                format!("{what} {l} {here}, {r} {there}")
            }
            (None, None, (None, _) | (_, None)) => format!("{what} differs"),
        };
        let mut details = contrast.details.clone();
        details.extend(self.context(subject));
        if subject.kind == "runtime" && path.as_str() == "version" {
            details.extend(self.pinned(subject, values));
        }
        bounded(message, &details)
    }

    /// Only one side has the attribute of a resource that both have.
    pub(super) fn single(&self, subject: Subject<'_>, attribute: &Attribute, change: Change) -> Words {
        let (with, without) = self.sides(change);
        let what = name(subject.kind, key_of(subject));
        let path = visible(attribute.path.as_str());
        let value = short(&attribute.value);
        if let Some(declared) = declared(key_of(subject), &attribute.path).filter(|_| subject.kind == "pin") {
            return bounded(format!("{declared} {value} {with}, not {without}"), &[]);
        }
        bounded(format!("{what} has {path} {value} {with}, none {without}"), &self.context(subject))
    }

    /// Only one side has the resource.
    pub(super) fn whole(&self, resource: &Resource, change: Change) -> Words {
        let (with, without) = self.sides(change);
        let what = name(&resource.kind, &resource.key);
        let value = |path: &str| resource.attributes.get(path).map(short);
        let message = match (&*resource.kind, value("version")) {
            ("env", _) => format!("{what} is set {with}, not {without}"),
            (_, Some(version)) => format!("{what} {version} {with}, not {without}"),
            (_, None) => format!("{what} is {with}, not {without}"),
        };
        let mut details = Vec::new();
        if &*resource.kind == "env" {
            details.extend(value("value").map(|value| format!("its value {with}: {value}")));
        }
        let one = Subject { left: Some(resource), right: None, kind: &resource.kind };
        details.extend(self.context(match change {
            Change::OnlyRight => Subject { left: None, right: Some(resource), kind: &resource.kind },
            Change::OnlyLeft | Change::Changed => one,
        }));
        bounded(message, &details)
    }

    /// Both sides have the key, as two kinds of thing.
    pub(super) fn kinds(&self, left: &Resource, right: &Resource) -> Words {
        let Places { left: here, right: there } = &self.places;
        let (l, r) = (short_text(&left.kind), short_text(&right.kind));
        bounded(format!("{} is a {l} {here}, a {r} {there}", visible(left.key.as_str())), &[])
    }

    fn sides(&self, change: Change) -> (&str, &str) {
        match change {
            Change::OnlyRight => (&self.places.right, &self.places.left),
            Change::OnlyLeft | Change::Changed => (&self.places.left, &self.places.right),
        }
    }

    /// Where a runtime is and what put it there.
    fn context(&self, subject: Subject<'_>) -> Vec<String> {
        if subject.kind != "runtime" {
            return Vec::new();
        }
        let side = |resource: Option<&Resource>, place: &str| {
            let attributes = &resource?.attributes;
            let path = attributes.get("path").or_else(|| attributes.get("resolved")).map(short)?;
            let manager = attributes.get("manager").map(|m| format!(" ({})", short(m))).unwrap_or_default();
            Some(format!("{path} {place}{manager}"))
        };
        let sides = [side(subject.left, &self.places.left), side(subject.right, &self.places.right)];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        if sides.is_empty() { Vec::new() } else { vec![format!("path: {}", sides.join(", "))] }
    }

    /// What the project's pins say, and which side moved away from them.
    fn pinned(&self, subject: Subject<'_>, values: (&Option<Value>, &Option<Value>)) -> Vec<String> {
        let tool = key_of(subject).after(1);
        let pins = Some(pins_of(self.left, tool)).filter(|pins| !pins.is_empty());
        let pins = pins.unwrap_or_else(|| pins_of(self.right, tool));
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_text).and_then(Version::parse);
        let (left, right) = (text(values.0), text(values.1));
        let mut out = Vec::new();
        for pin in pins.iter().flat_map(|p| p.attributes.iter()) {
            let (Some(from), Some(said)) = (pin_place(pin.path.as_str()), pin.value.as_text()) else {
                continue;
            };
            let matches = |version: &Option<Version>| {
                version.as_ref().zip(Version::parse(said)).is_some_and(|(v, said)| v.begins_with(&said))
            };
            let moved = match (matches(&left), matches(&right)) {
                (true, false) => format!(": {} moved", short_text(&self.right.header().environment)),
                (false, true) => format!(": {} moved", short_text(&self.left.header().environment)),
                (true, true) | (false, false) => String::new(),
            };
            out.push(format!("{} says {}{moved}", short_text(&from), short_text(said)));
        }
        out
    }
}

/// The tool that a pin is about: a sub-project's pin has its folder after it (`pin/node/web`).
pub(crate) fn pinned_tool(pin: &Key) -> &str {
    pin.segments().nth(1).unwrap_or_default()
}

/// All pins of a tool, the whole project's first.
pub(crate) fn pins_of<'a>(snapshot: &'a Snapshot, tool: &str) -> Vec<&'a Resource> {
    snapshot.under("pin").filter(|pin| pinned_tool(&pin.key) == tool).collect()
}

/// The place within `by[..]`.
fn pin_place(path: &str) -> Option<String> {
    path.strip_prefix("by[")?.strip_suffix(']').map(|place| place.trim_matches('"').to_owned())
}

fn key_of<'a>(subject: Subject<'a>) -> &'a Key {
    // One side always has the resource that is spoken of.
    match (subject.left, subject.right) {
        (Some(resource), _) | (None, Some(resource)) => &resource.key,
        (None, None) => {
            static NONE: std::sync::LazyLock<Key> = std::sync::LazyLock::new(|| Key::of(["_"]));
            &NONE
        }
    }
}

/// A resource's name in a sentence.
pub(crate) fn name(kind: &str, key: &Key) -> String {
    let text = match kind {
        "pin" => match key.after(2) {
            "" => format!("the pin of {}", pinned_tool(key)),
            folder => format!("the pin of {} in {folder}", pinned_tool(key)),
        },
        "dependency" | "package" => key.after(2).to_owned(),
        "image" => format!("image {}", key.after(1)),
        "runtime" | "env" | "lockfile" => key.after(1).to_owned(),
        _ if key.root() == "host" => key.after(1).to_owned(),
        _ => key.as_str().to_owned(),
    };
    sentence(if text.is_empty() { key.as_str() } else { &text })
}

/// `.nvmrc pins node`, for a pin's declaration in one place.
fn declared(key: &Key, path: &AttributePath) -> Option<String> {
    let place = pin_place(path.as_str())?;
    Some(format!("{} pins {}", short_text(&place), sentence(pinned_tool(key))))
}

/// A resource and its attribute; the attribute that a resource is all about goes without saying.
fn what(subject: Subject<'_>, path: &AttributePath) -> String {
    if let Some(declared) = declared(key_of(subject), path).filter(|_| subject.kind == "pin") {
        return declared;
    }
    let name = name(subject.kind, key_of(subject));
    match (subject.kind, path.as_str()) {
        ("env", "value") | ("runtime" | "dependency", "version") => name,
        (_, path) => format!("{name} {}", sentence(path)),
    }
}

fn bounded(message: String, details: &[String]) -> Words {
    let more = details.len().saturating_sub(DETAIL_LINES);
    let mut details: Vec<String> = details.iter().take(DETAIL_LINES).map(|line| sentence(line)).collect();
    if more > 0 {
        details.push(format!("and {more} more"));
    }
    Words { message, details }
}
