//! Pins within one environment: they must agree with each other and with the runtime that answers.
//! One finding for each tool; what else conflicts is in its details.

use parallax_model::{AttributePath, Key, Resource, Snapshot, Value};

use super::constraint::Constraint;
use crate::compare::show::{short_text, visible};
use crate::compare::{pinned_tool, pins_of};
use crate::normalise::Version;

/// Pins that disagree.
pub(super) struct Conflict {
    pub(super) key: Key,
    /// The pin that is named first.
    pub(super) attribute: AttributePath,
    /// What it says.
    pub(super) value: Value,
    pub(super) message: String,
    pub(super) details: Vec<String>,
    /// Whether the pins agree with each other, and only what answers to the name does not.
    pub(super) only_with_runtime: bool,
}

struct Pin<'a> {
    path: &'a AttributePath,
    value: &'a Value,
    said: &'a str,
    /// File, line and field, as they are shown.
    place: String,
    constraint: Constraint,
}

/// The conflicts of one environment, by key.
pub(super) fn conflicts(snapshot: &Snapshot) -> Vec<Conflict> {
    snapshot.under("pin").filter_map(|resource| conflict(snapshot, resource)).collect()
}

fn conflict(snapshot: &Snapshot, resource: &Resource) -> Option<Conflict> {
    let tool = pinned_tool(&resource.key);
    let pins = pins(resource);
    let mut found: Vec<(&Pin<'_>, String)> = Vec::new();
    if let Some(answers) = answering(snapshot, tool).filter(|a| !is_anothers(snapshot, resource, a)) {
        for pin in pins.iter().filter(|pin| pin.constraint.admits(&answers) == Some(false)) {
            let shown = short_text(&answers.in_words());
            found.push((pin, format!("{}, but {} {shown} answers", pin.in_words(), visible(tool))));
        }
    }
    let with_runtime = found.len();
    for (at, pin) in pins.iter().enumerate() {
        let later = pins.iter().skip(at + 1);
        for other in later.filter(|other| pin.constraint.conflicts_with(&other.constraint)) {
            // The exact one is what people mean; a range is named second.
            let exact = |pin: &Pin<'_>| matches!(pin.constraint, Constraint::Exact(_));
            let (first, second) = if exact(pin) { (pin, other) } else { (other, pin) };
            found.push((first, format!("{}, but {}", first.in_words(), second.in_words())));
        }
    }
    let mut lines = found.iter().map(|(_, line)| line.clone());
    let (first, _) = found.first()?;
    Some(Conflict {
        key: resource.key.clone(),
        attribute: first.path.clone(),
        value: first.value.clone(),
        message: lines.next()?,
        details: lines.take(20).collect(),
        only_with_runtime: with_runtime == found.len(),
    })
}

fn pins(resource: &Resource) -> Vec<Pin<'_>> {
    resource.attributes.iter().filter_map(|a| pin(resource, &a.path, &a.value)).collect()
}

/// Whether what answers was chosen by the pins of another folder than that of a sub-project: the
/// sub-project may have its own, which answers there.
fn is_anothers(snapshot: &Snapshot, resource: &Resource, answers: &Version) -> bool {
    let chosen = |other: &&Resource| {
        other.key != resource.key
            && pins(other).iter().all(|pin| pin.constraint.admits(answers) != Some(false))
    };
    !resource.key.after(2).is_empty() && pins_of(snapshot, pinned_tool(&resource.key)).iter().any(chosen)
}

fn answering(snapshot: &Snapshot, tool: &str) -> Option<Version> {
    let runtime = snapshot.get(&Key::of(["runtime", tool]))?;
    Version::parse(runtime.attributes.get("version")?.as_text()?)
}

fn pin<'a>(resource: &'a Resource, path: &'a AttributePath, value: &'a Value) -> Option<Pin<'a>> {
    let bracketed = path.as_str().strip_prefix("by")?;
    let inner = bracketed.strip_prefix('[')?.strip_suffix(']')?.trim_matches('"');
    let line = match resource.attributes.get(&format!("at{bracketed}")) {
        Some(Value::Number(line)) => format!(":{}", line.as_str()),
        Some(Value::Null | Value::Bool(_) | Value::Text(_) | Value::Secret(_)) | None => String::new(),
    };
    let (file, field) = inner.split_once([' ', '#']).unwrap_or((inner, ""));
    let field = if field.is_empty() { String::new() } else { format!(" ({field})") };
    let said = value.as_text()?;
    let place = visible(&format!("{file}{line}{field}"));
    Some(Pin { path, value, said, place, constraint: Constraint::read(said, file) })
}

impl Pin<'_> {
    fn in_words(&self) -> String {
        format!("{} says {}", self.place, short_text(self.said))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::super::tests::{judged, lines, resources, snapshot};

    #[test]
    fn a_sub_projects_pin_is_of_its_tool() {
        let side = |environment: &str, text: &str| snapshot(environment, resources(text), &[]);
        let check = |left: &str, right: &str, expected: &str| {
            let judgement = judged(&side("local", left), &side("staging", right), &Rules::default());
            assert_eq!(lines(&judgement), expected, "{left} | {right}");
        };
        let web =
            |version: &str| format!("pin/node/web by[web/.nvmrc]=18.19.0\nruntime/node version={version}");
        let drift = "violation runtime_mismatch runtime/node#version";
        let folded = "violation pin_conflict pin/node/web#by[web/.nvmrc] folded";
        let moved = format!("{folded}\n{drift}");
        check(&web("18.19.0"), &web("18.20.1"), &moved);
        let detail =
            judged(&side("local", &web("18.19.0")), &side("staging", &web("18.20.1")), &Rules::default());
        let runtime = detail.divergences.iter().find(|d| d.difference.key.root() == "runtime").unwrap();
        assert!(
            runtime.difference.details.iter().any(|d| d == "web/.nvmrc says 18.19.0: staging moved"),
            "{runtime:?}"
        );
        let conflict = "violation pin_conflict pin/node/web#by[web/.nvmrc]";
        check(&web("20.11.0"), &web("20.11.0"), &format!("{conflict}\n{conflict}"));
        // What answers here was chosen by another folder.
        let both = format!("pin/node by[.nvmrc]=20.11.0\n{}", web("20.11.0"));
        check(&both, &both, "");
        let ids =
            judged(&side("local", &web("20.11.0")), &side("staging", &web("20.11.0")), &Rules::default());
        assert_ne!(ids.divergences[0].difference.id, ids.divergences[1].difference.id);
    }
}
