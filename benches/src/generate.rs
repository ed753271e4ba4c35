//! Makes two large JSON lists of Kubernetes-like objects that differ in known places: the input of `documents`, and the
//! oracle that the answer is held against. Deterministic; measures nothing.
//!
//! Each side is one JSON array of Deployments of about two kilobytes. On the right, all objects stand in another order, and
//! so do the members of each object and the items of each keyed list (containers, variables, ports, mounts, volumes);
//! that changes no meaning. Then 436 single changes are made, each to one attribute of one object, none to
//! two of the same object: a value of a variable, an image, a limit, the replicas, a label, and an
//! argument, in turn. Some more properties of real data are kept: few distinct field names, values of 5 to 60
//! bytes, numbers, booleans, lists without keys.

use std::fmt::Write as _;

/// How many attributes differ.
pub(crate) const CHANGES: usize = 436;

/// Two documents, and the paths of what differs, `key#path`, sorted.
#[derive(Debug)]
pub(crate) struct Generated {
    /// The left document.
    pub(crate) left: String,
    /// The right one: shuffled, and changed.
    pub(crate) right: String,
    /// Every change.
    pub(crate) changes: Vec<String>,
}

/// Xorshift64*: small, and the same on every machine.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A value that is written with or without its order kept.
#[derive(Debug, Clone)]
enum Json {
    Text(String),
    Number(u64),
    Bool(bool),
    Object(Vec<(&'static str, Self)>),
    /// A list whose items have a natural key.
    Keyed(Vec<Self>),
    /// A list whose order counts.
    Ordered(Vec<Self>),
}

/// Makes both documents, each of at least `bytes` bytes.
pub(crate) fn generate(bytes: usize) -> Generated {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut left = String::with_capacity(bytes + 8192);
    let mut rows = Vec::new();
    left.push('[');
    while left.len() < bytes {
        if !rows.is_empty() {
            left.push(',');
        }
        let row = deployment(rows.len(), &mut random);
        write(&mut left, &row);
        rows.push(row);
    }
    left.push(']');

    let mut changes = Vec::new();
    let stride = (rows.len() / CHANGES).max(1);
    for change in 0..CHANGES.min(rows.len()) {
        let number = change * stride;
        if let Some(row) = rows.get_mut(number) {
            changes.push(alter(row, number, change));
        }
    }
    changes.sort();

    random.shuffle(&mut rows);
    let mut right = String::with_capacity(left.len() + 8192);
    right.push('[');
    for (at, mut row) in rows.into_iter().enumerate() {
        if at > 0 {
            right.push(',');
        }
        shuffle(&mut row, &mut random);
        write(&mut right, &row);
    }
    right.push(']');
    Generated { left, right, changes }
}

fn text(text: impl Into<String>) -> Json {
    Json::Text(text.into())
}

fn namespace(number: usize) -> String {
    format!("team-{:02}", number % 40)
}

fn deployment(number: usize, random: &mut Random) -> Json {
    let name = format!("service-{number:05}");
    let labels = Json::Object(vec![
        ("app", text(name.as_str())),
        ("tier", text(["frontend", "backend", "batch"].get(number % 3).copied().unwrap_or_default())),
        ("release", text(format!("2026.{}.{}", 1 + random.below(12), random.below(30)))),
    ]);
    let containers = (0..2).map(|at| container(at, &name, random)).collect();
    let volumes = (0..3)
        .map(|at| {
            let source = Json::Object(vec![("name", text(format!("{name}-settings-{at}")))]);
            Json::Object(vec![("name", text(format!("volume-{at}"))), ("configMap", source)])
        })
        .collect();
    let pod = Json::Object(vec![
        ("containers", Json::Keyed(containers)),
        ("volumes", Json::Keyed(volumes)),
        ("serviceAccountName", text(format!("{name}-runner"))),
        ("terminationGracePeriodSeconds", Json::Number(30)),
        ("automountServiceAccountToken", Json::Bool(false)),
    ]);
    let template =
        Json::Object(vec![("metadata", Json::Object(vec![("labels", labels.clone())])), ("spec", pod)]);
    let metadata = Json::Object(vec![
        ("name", text(name.as_str())),
        ("namespace", text(namespace(number))),
        ("labels", labels),
        ("generation", Json::Number(random.next() % 400)),
    ]);
    let selector = Json::Object(vec![("matchLabels", Json::Object(vec![("app", text(name.as_str()))]))]);
    let spec = Json::Object(vec![
        ("replicas", Json::Number(1 + random.next() % 12)),
        ("selector", selector),
        ("template", template),
    ]);
    Json::Object(vec![
        ("apiVersion", text("apps/v1")),
        ("kind", text("Deployment")),
        ("metadata", metadata),
        ("spec", spec),
    ])
}

fn container(at: usize, name: &str, random: &mut Random) -> Json {
    let variables = (0..8)
        .map(|variable| {
            let host = format!("{name}-{}.internal.example.org:{}", random.below(9000), random.below(60000));
            Json::Object(vec![("name", text(format!("SETTING_{variable}"))), ("value", text(host))])
        })
        .collect();
    let ports = [("http", 8080), ("metrics", 9090)]
        .map(|(port, number)| {
            Json::Object(vec![
                ("name", text(port)),
                ("containerPort", Json::Number(number + random.next() % 9)),
            ])
        })
        .to_vec();
    let mounts = (0..3)
        .map(|volume| {
            Json::Object(vec![
                ("mountPath", text(format!("/etc/settings/{volume}"))),
                ("name", text(format!("volume-{volume}"))),
                ("readOnly", Json::Bool(true)),
            ])
        })
        .collect();
    let limits = Json::Object(vec![
        ("cpu", text(format!("{}m", 100 + random.below(1900)))),
        ("memory", text(format!("{}Mi", 64 + random.below(4000)))),
    ]);
    let arguments =
        (0..4).map(|argument| text(format!("--option-{argument}={}", random.below(1_000_000)))).collect();
    Json::Object(vec![
        ("name", text(format!("container-{at}"))),
        (
            "image",
            text(format!("registry.example.org/{name}/part-{at}:{}.{}", random.below(20), random.below(90))),
        ),
        ("args", Json::Ordered(arguments)),
        ("env", Json::Keyed(variables)),
        ("ports", Json::Keyed(ports)),
        ("volumeMounts", Json::Keyed(mounts)),
        ("resources", Json::Object(vec![("limits", limits.clone()), ("requests", limits)])),
    ])
}

/// Where one change of each sort is made: member names and list positions, and the path that says so.
const PLACES: [(&[Step], &str); 6] = {
    use Step::{Field as F, Item as I};
    [
        (
            &[F("spec"), F("template"), F("spec"), F("containers"), I(0), F("env"), I(3), F("value")],
            "spec.template.spec.containers[container-0].env[SETTING_3].value",
        ),
        (
            &[F("spec"), F("template"), F("spec"), F("containers"), I(1), F("image")],
            "spec.template.spec.containers[container-1].image",
        ),
        (
            &[
                F("spec"),
                F("template"),
                F("spec"),
                F("containers"),
                I(0),
                F("resources"),
                F("limits"),
                F("memory"),
            ],
            "spec.template.spec.containers[container-0].resources.limits.memory",
        ),
        (&[F("spec"), F("replicas")], "spec.replicas"),
        (&[F("metadata"), F("labels"), F("release")], "metadata.labels.release"),
        (
            &[F("spec"), F("template"), F("spec"), F("containers"), I(1), F("args"), I(2)],
            "spec.template.spec.containers[container-1].args[2]",
        ),
    ]
};

#[derive(Debug, Clone, Copy)]
enum Step {
    Field(&'static str),
    Item(usize),
}

fn alter(row: &mut Json, number: usize, change: usize) -> String {
    let Some((steps, path)) = PLACES.get(change % PLACES.len()) else { return String::new() };
    let mut place = Some(row);
    for step in *steps {
        place = place.and_then(|json| match (json, step) {
            (Json::Object(members), Step::Field(name)) => {
                members.iter_mut().find(|(other, _)| other == name).map(|(_, json)| json)
            }
            (Json::Keyed(items) | Json::Ordered(items), Step::Item(at)) => items.get_mut(*at),
            (Json::Object(_) | Json::Keyed(_) | Json::Ordered(_), _)
            | (Json::Text(_) | Json::Number(_) | Json::Bool(_), _) => None,
        });
    }
    match place {
        Some(Json::Text(text)) => text.push('9'),
        Some(Json::Number(number)) => *number += 100,
        Some(Json::Bool(_) | Json::Object(_) | Json::Keyed(_) | Json::Ordered(_)) | None => {}
    }
    format!("k8s/apps/Deployment/{}/service-{number:05}#{path}", namespace(number))
}

fn shuffle(json: &mut Json, random: &mut Random) {
    match json {
        Json::Text(_) | Json::Number(_) | Json::Bool(_) => {}
        Json::Object(members) => {
            random.shuffle(members);
            members.iter_mut().for_each(|(_, json)| shuffle(json, random));
        }
        Json::Keyed(items) => {
            random.shuffle(items);
            items.iter_mut().for_each(|json| shuffle(json, random));
        }
        Json::Ordered(items) => items.iter_mut().for_each(|json| shuffle(json, random)),
    }
}

/// Writes compact JSON. The texts that are made here need no escapes.
fn write(out: &mut String, json: &Json) {
    match json {
        Json::Text(text) => push_all(out, &["\"", text, "\""]),
        Json::Number(number) => _ = write!(out, "{number}"),
        Json::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Json::Object(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                push_all(out, &[if at > 0 { "," } else { "" }, "\"", name, "\":"]);
                write(out, value);
            }
            out.push('}');
        }
        Json::Keyed(items) | Json::Ordered(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(out, item);
            }
            out.push(']');
        }
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}
