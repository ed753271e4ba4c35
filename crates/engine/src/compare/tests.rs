//! Messages as people see them, the algebra of comparison, and the account of every raw difference.

use std::collections::BTreeSet;

use parallax_model::{
    Code, Fingerprint, Gap, GapKind, Key, Number, Resource, Snapshot, SnapshotHeader, Value, ontology,
};
use proptest::prelude::*;

use super::*;
use crate::normalise::{self, Outcome};

fn snapshot(environment: &str, resources: Vec<Resource>, gaps: &[&str]) -> Snapshot {
    let gaps = gaps.iter().map(|what| Gap::new(*what, GapKind::TimedOut, "took too long")).collect();
    let header = SnapshotHeader {
        environment: environment.into(),
        captured_at: "2026-11-21T03:00:00Z".parse().unwrap(),
        tool: "test".into(),
        key_id: None,
        sources: Vec::new(),
        gaps,
    };
    Snapshot::new(header, resources)
}

fn resource(key: &str) -> Resource {
    let kind = match key.split('/').next().unwrap() {
        "host" => key.split('/').nth(1).unwrap(),
        root => root,
    };
    Resource::new(Key::parse(key).unwrap(), kind)
}

fn keyed(mac: &str) -> Value {
    Value::Secret(Fingerprint::Keyed { key_id: "00000001".into(), mac: mac.repeat(32).into() })
}

fn present() -> Value {
    Value::Secret(Fingerprint::Present)
}

fn sides(left: Vec<Resource>, right: Vec<Resource>) -> Differences {
    compare(&snapshot("local", left, &[]), &snapshot("staging", right, &[]))
}

/// One resource on either side; the message and its code.
#[track_caller]
fn check(left: Option<Resource>, right: Option<Resource>, expected: &str) {
    let found = sides(left.into_iter().collect(), right.into_iter().collect());
    let lines: Vec<String> = found.differences.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn messages_of_versions_and_variables() {
    let node = |version: &str| Some(resource("runtime/node").with("version", version));
    let env = |name: &str, value: Value| Some(resource(&format!("env/{name}")).with("value", value));
    check(node("18.19.0"), node("18.20.1"), "runtime_mismatch: node 18.19.0 here, 18.20.1 in staging");
    check(node("v18.19.0"), node("18.19.0"), "");
    check(
        node("system"),
        node("18.19.0"),
        "runtime_mismatch: node cannot be compared: `system` is not a version",
    );
    check(node("18.19.0"), None, "runtime_mismatch: node 18.19.0 here, not in staging");
    check(
        Some(resource("runtime/node").with("architecture", "x86_64")),
        Some(resource("runtime/node").with("architecture", "arm64")),
        "arch_mismatch: node architecture x86_64 here, arm64 in staging",
    );
    check(
        Some(resource("host/kernel").with("release", "6.1.0-13-amd64")),
        Some(resource("host/kernel").with("release", "5.15.0-91-generic")),
        "kernel_mismatch: kernel release 6.1.0-13-amd64 here, 5.15.0-91-generic in staging",
    );
    check(
        env("LD_LIBRARY_PATH", "/usr/local/lib/node".into()),
        env("LD_LIBRARY_PATH", "/opt/staging/lib".into()),
        "env_drift: LD_LIBRARY_PATH differs at position 1: /usr/local/lib/node, /opt/staging/lib",
    );
    check(None, env("NODE_ENV", "production".into()), "env_drift: NODE_ENV is set in staging, not here");
    check(
        env("LOG_LEVEL", "".into()),
        env("LOG_LEVEL", "debug".into()),
        "env_drift: LOG_LEVEL \"\" here, debug in staging",
    );
    check(
        env("A", "1".into()),
        env("A", Value::integer(1)),
        "env_drift: A 1 (text) here, 1 (number) in staging",
    );
    check(
        env("EVIL", "\u{1b}[2J\nx".into()),
        env("EVIL", "ok".into()),
        "env_drift: EVIL \\u{1b}[2J\\nx here, ok in staging",
    );
}

#[test]
fn messages_of_secrets_never_show_a_value() {
    let env = |value: Value| Some(resource("env/API").with("value", value));
    check(env(keyed("a")), env(keyed("a")), "");
    check(env(keyed("a")), env(keyed("b")), "secret_drift: API is another secret here than in staging");
    check(env(keyed("a")), env("hunter2".into()), "secret_drift: API is another secret here than in staging");
    check(env(keyed("a")), None, "secret_missing: API is set here, not in staging");
    check(
        env(present()),
        env(present()),
        "secret_drift: API cannot be compared: only the presence of a secret is known; observe both sides in \
         one run, or with the project's key (`parallax init` makes one)",
    );
    let plain = resource("env/API").with("value", "hunter2");
    let found = sides(vec![resource("env/API").with("value", keyed("a"))], vec![plain]);
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn messages_of_other_kinds() {
    let row =
        |value: Value| Some(Resource::new(Key::of(["document", "x", "1"]), "document").with("a.b", value));
    check(row("1".into()), row("2".into()), "config_drift: document/x/1 a.b 1 here, 2 in staging");
    check(row("1".into()), None, "resource_missing: document/x/1 is here, not in staging");
    check(
        Some(Resource::new(Key::of(["x"]), "new-kind").with("a", "1").with("b", "2")),
        Some(Resource::new(Key::of(["x"]), "new-kind").with("a", "1")),
        "config_drift: x has b 2 here, none in staging",
    );
    check(
        Some(Resource::new(Key::of(["x"]), "cat")),
        Some(Resource::new(Key::of(["x"]), "dog")),
        "resource_missing: x is a cat here, a dog in staging",
    );
    let same_name = compare(
        &snapshot("staging", vec![resource("runtime/node").with("version", "1.0.0")], &[]),
        &snapshot("staging", vec![resource("runtime/node").with("version", "2.0.0")], &[]),
    );
    assert_eq!(same_name.differences[0].message, "node 1.0.0 on the left, 2.0.0 on the right");
}

#[test]
fn details_of_a_runtime() {
    let node = |version: &str, path: &str, manager: &str| {
        resource("runtime/node").with("version", version).with("path", path).with("manager", manager)
    };
    let pin = || resource("pin/node").with("by[.nvmrc]", "18.19.0");
    let found = sides(
        vec![pin(), node("18.19.0", "/home/a/bin/node", "nvm")],
        vec![pin(), node("18.20.1", "/usr/bin/node", "system")],
    );
    let [difference] = found.differences.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        difference.details,
        [
            "path: /home/a/bin/node here (nvm), /usr/bin/node in staging (system)",
            ".nvmrc says 18.19.0: staging moved"
        ]
    );
    let owners: Vec<&str> = found.suppressed.iter().map(|s| s.owner).collect();
    assert_eq!(owners, ["context", "context"]);
}

fn lock(sha: &str) -> Resource {
    resource("lockfile/package-lock.json")
        .with("sha256", sha)
        .with("ecosystem", "npm")
        .with("packages", Value::integer(812))
}

fn package(name: &str, attribute: &str, value: &str) -> Resource {
    resource(&format!("dependency/npm/{name}")).with(attribute, value)
}

#[test]
fn packages_are_parts_of_their_lockfile() {
    let found = sides(
        vec![lock("a"), package("undici", "version", "5.26.4"), package("a", "version", "1.0.0")],
        vec![lock("b"), package("undici", "version", "5.28.4"), package("b", "versions", "1.0.0 2.0.0")],
    );
    let parent = found.differences.iter().find(|d| &*d.kind == "lockfile").unwrap();
    assert_eq!(
        parent.message,
        "package-lock.json differs in 3 of 812 packages: a only here, b only in staging, undici 5.26.4 → 5.28.4"
    );
    assert_eq!(parent.code, Code::LockfileOutdated);
    let parts = found.differences.iter().filter(|d| d.part_of.as_ref() == Some(&parent.id)).count();
    assert_eq!((parts, parent.details.len()), (3, 3));

    let many = |version: &str, sha: &str| {
        let packages = (0..30).map(|n| package(&format!("p{n:02}"), "version", version));
        packages.chain([lock(sha)]).collect::<Vec<_>>()
    };
    let found = sides(many("1.0.0", "a"), many("1.0.1", "b"));
    let parent = found.differences.iter().find(|d| &*d.kind == "lockfile").unwrap();
    assert!(
        parent.message.starts_with("package-lock.json differs in 30 of 812 packages: p00 1.0.0 → 1.0.1, ")
    );
    assert!(parent.message.ends_with("p02 1.0.0 → 1.0.1, ..."), "{}", parent.message);
    assert_eq!((parent.details.len(), parent.details[20].as_str()), (21, "and 10 more"));

    let found = sides(vec![lock("a")], vec![lock("b")]);
    assert_eq!(found.differences[0].message, "package-lock.json differs, but in no package");
}

#[test]
fn singular_and_plural_are_one() {
    let found = sides(vec![package("a", "version", "1.0.0")], vec![package("a", "versions", "1.0.0 2.0.0")]);
    let [difference] = found.differences.as_slice() else { panic!("{found:?}") };
    assert_eq!(difference.message, "a 1.0.0 here, 1.0.0 2.0.0 in staging");
    let found = sides(vec![package("a", "versions", "1.0.0")], vec![package("a", "version", "1.0.0")]);
    assert_eq!((found.differences.len(), found.equal), (0, 1));
}

#[test]
fn noise_has_an_owner() {
    let env = |name: &str, value: &str| resource(&format!("env/{name}")).with("value", value);
    let found = sides(
        vec![env("TERM", "xterm"), env("HOME", "/home/a"), env("SSH_TTY", "/dev/pts/1")],
        vec![env("TERM", "dumb"), env("HOME", "/root")],
    );
    let owned: Vec<(&str, &str)> = found.suppressed.iter().map(|s| (s.key.as_str(), s.owner)).collect();
    assert_eq!(owned, [("env/HOME", "account"), ("env/SSH_TTY", "session"), ("env/TERM", "session")]);
    assert!(found.differences.is_empty());
}

#[test]
fn content_of_another_version_is_no_finding() {
    let package = |version: &str, hash: &str| package("a", "version", version).with("integrity", hash);
    let found = sides(vec![package("1.0.0", "x")], vec![package("1.0.1", "y")]);
    assert_eq!((found.differences.len(), found.suppressed.len()), (1, 1));
    let found = sides(vec![package("1.0.0", "x")], vec![package("1.0.0", "y")]);
    assert_eq!(found.differences[0].code, Code::IntegrityMismatch);
}

/// What is hidden, as `environment gap: keys`.
#[track_caller]
fn check_gaps(
    left: (Vec<Resource>, &[&str]),
    right: (Vec<Resource>, &[&str]),
    differences: usize,
    expected: &[&str],
) {
    let found = compare(&snapshot("local", left.0, left.1), &snapshot("staging", right.0, right.1));
    let unknown: Vec<String> = found
        .unknown
        .iter()
        .map(|u| {
            let keys: Vec<&str> = u.hidden.iter().map(Key::as_str).collect();
            format!("{} {}: {}", u.environment, u.gap.what, keys.join(" "))
        })
        .collect();
    assert_eq!(
        (found.differences.len(), unknown),
        (differences, expected.iter().map(|s| (*s).to_owned()).collect())
    );
}

#[test]
fn gaps_hide_absence_and_nothing_else() {
    let node = || resource("runtime/node").with("version", "18.19.0").with("architecture", "x86_64");
    let bare = || resource("runtime/node").with("architecture", "x86_64");
    let other = || resource("runtime/node").with("version", "20.0.0").with("architecture", "x86_64");
    check_gaps((vec![node()], &[]), (vec![], &["runtime/node"]), 0, &["staging runtime/node: runtime/node"]);
    check_gaps(
        (vec![node()], &[]),
        (vec![], &["runtime/node#version"]),
        0,
        &["staging runtime/node#version: runtime/node"],
    );
    check_gaps((vec![node()], &["runtime/node"]), (vec![], &[]), 1, &["local runtime/node: "]);
    check_gaps(
        (vec![node()], &[]),
        (vec![bare()], &["runtime/node"]),
        0,
        &["staging runtime/node: runtime/node"],
    );
    check_gaps(
        (vec![node()], &[]),
        (vec![bare()], &["runtime/node#path"]),
        1,
        &["staging runtime/node#path: "],
    );
    check_gaps((vec![node()], &[]), (vec![other()], &["runtime/**"]), 1, &["staging runtime/**: "]);
    check_gaps(
        (vec![bare()], &["runtime/node"]),
        (vec![bare()], &["runtime/node"]),
        0,
        &["local runtime/node: ", "staging runtime/node: "],
    );
    check_gaps((vec![node()], &[]), (vec![], &["**"]), 0, &["staging **: runtime/node"]);
    check_gaps((vec![node()], &[]), (vec![], &["a//b"]), 0, &["staging a//b: runtime/node"]);
    check_gaps((vec![node()], &[]), (vec![], &["env/**"]), 1, &["staging env/**: "]);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[ab12]{1,2}(\\.0)?".prop_map(Value::from),
        2 => "(/[ab]:?/?){0,3}".prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => prop::sample::select(vec!["1", "1.0", "10", "1e1"]).prop_map(|n| Value::Number(Number::parse(n).unwrap())),
        1 => prop::sample::select(vec!["a", "b"]).prop_map(keyed),
        1 => Just(present()),
    ]
}

fn any_resource() -> impl Strategy<Value = Resource> {
    let keys = vec![
        ("runtime/node", "runtime"),
        ("runtime/npm", "runtime"),
        ("env/A", "env"),
        ("env/PATH", "env"),
        ("env/TERM", "env"),
        ("env/HOME", "env"),
        ("dependency/npm/a", "dependency"),
        ("dependency/npm/b", "dependency"),
        ("lockfile/package-lock.json", "lockfile"),
        ("host/limits", "limits"),
        ("x/y", "what"),
        ("x/y", "else"),
    ];
    let paths = vec![
        "version",
        "versions",
        "path",
        "value",
        "integrity",
        "sha256",
        "nofile.soft",
        "ecosystem",
        "a.b",
    ];
    (prop::sample::select(keys), prop::collection::vec((prop::sample::select(paths), any_value()), 0..5))
        .prop_map(|((key, kind), attributes)| {
            let mut resource = Resource::new(Key::parse(key).unwrap(), kind);
            attributes.into_iter().for_each(|(path, value)| resource.attributes.set(path, value));
            resource
        })
}

fn any_snapshot(environment: &'static str) -> impl Strategy<Value = Snapshot> {
    let gap = prop::sample::select(vec![
        "runtime/node",
        "runtime/*#version",
        "env/**",
        "x/y#a.b",
        "",
        "dependency/**",
    ]);
    (prop::collection::vec(any_resource(), 0..10), prop::collection::vec(gap, 0..3))
        .prop_map(move |(resources, gaps)| snapshot(environment, resources, &gaps))
}

fn mirrored(change: Change) -> Change {
    match change {
        Change::Changed => Change::Changed,
        Change::OnlyLeft => Change::OnlyRight,
        Change::OnlyRight => Change::OnlyLeft,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn comparing_with_itself_is_empty_but_for_presence_only(a in any_snapshot("local")) {
        let found = compare(&a, &a);
        let attributes: usize = a.resources().iter().map(|r| r.attributes.len()).sum();
        let blind = found.differences.iter().chain(&[]).filter(|d| d.not_comparable.is_some()).count();
        prop_assert_eq!(blind, found.differences.len());
        prop_assert!(found.differences.iter().all(|d| d.left == Some(present())));
        prop_assert!(found.suppressed.iter().all(|s| s.left == Some(present())));
        prop_assert!(found.unknown.iter().all(|u| u.hidden.is_empty()));
        let total = usize::try_from(found.equal).unwrap() + found.differences.len() + found.suppressed.len();
        prop_assert_eq!(total, attributes);
    }

    #[test]
    fn swapping_sides_mirrors(a in any_snapshot("local"), b in any_snapshot("staging")) {
        let (one, two) = (compare(&a, &b), compare(&b, &a));
        prop_assert_eq!(one.equal, two.equal);
        prop_assert_eq!(&one.unknown, &two.unknown);
        let view = |d: &Difference| (d.key.clone(), d.attribute.clone(), d.kind.clone(), d.code, d.layer,
            d.not_comparable.clone(), d.rules.clone(), d.part_of.is_some());
        prop_assert_eq!(one.differences.len(), two.differences.len());
        for (x, y) in one.differences.iter().zip(&two.differences) {
            prop_assert_eq!(view(x), view(y));
            prop_assert_eq!((x.change, &x.left, &x.right), (mirrored(y.change), &y.right, &y.left));
            prop_assert_eq!((&x.normalised.0, &x.normalised.1), (&y.normalised.1, &y.normalised.0));
        }
        for (x, y) in one.suppressed.iter().zip(&two.suppressed) {
            prop_assert_eq!((&x.key, &x.attribute, x.owner, &x.left, &x.right), (&y.key, &y.attribute, y.owner, &y.right, &y.left));
        }
        prop_assert_eq!(one.suppressed.len(), two.suppressed.len());
    }

    #[test]
    fn order_of_input_is_irrelevant(a in any_snapshot("local"), b in any_snapshot("staging")) {
        let reversed = |s: &Snapshot| {
            let mut resources = s.resources().to_vec();
            resources.reverse();
            Snapshot::new(s.header().clone(), resources)
        };
        prop_assert_eq!(compare(&a, &b), compare(&reversed(&a), &reversed(&b)));
    }

    #[test]
    fn every_raw_difference_is_accounted_for(a in any_snapshot("local"), b in any_snapshot("staging")) {
        let found = compare(&a, &b);
        let differs: BTreeSet<(&str, Option<&str>)> =
            found.differences.iter().map(|d| (d.key.as_str(), d.attribute.as_ref().map(AttributePath::as_str))).collect();
        let suppressed: BTreeSet<(&str, Option<&str>)> =
            found.suppressed.iter().map(|d| (d.key.as_str(), d.attribute.as_ref().map(AttributePath::as_str))).collect();
        let hidden: BTreeSet<&str> = found.unknown.iter().flat_map(|u| u.hidden.iter().map(Key::as_str)).collect();
        let keys: BTreeSet<&Key> = a.resources().iter().chain(b.resources()).map(|r| &r.key).collect();
        let mut equal = 0;
        for key in keys {
            let (l, r) = (a.get(key), b.get(key));
            let paths: BTreeSet<&str> = l.into_iter().chain(r).flat_map(|x| x.attributes.iter().map(|a| a.path.as_str())).collect();
            let kind = l.into_iter().chain(r).map(|x| &*x.kind).min().unwrap();
            for path in paths {
                let get = |x: Option<&Resource>| x.and_then(|x| x.attributes.get(path)).cloned();
                // The plural counts under the singular's name.
                let twin = match path { "version" => "versions", "versions" => "version", _ => "" };
                let joined = kind == "dependency" && !twin.is_empty() && {
                    let has = |x: Option<&Resource>, p: &str| x.is_some_and(|x| x.attributes.get(p).is_some());
                    (has(l, path), has(r, path)) != (true, true)
                        && (has(l, path) != has(l, twin)) && (has(r, path) != has(r, twin)) && has(l, path) == has(r, twin)
                };
                let (left, right) = if joined {
                    if path == "versions" { continue }
                    let either = |x: Option<&Resource>| get(x).or_else(|| x.and_then(|x| x.attributes.get(twin)).cloned());
                    (either(l), either(r))
                } else { (get(l), get(r)) };
                let rule = if joined { ontology::Compare::Set } else {
                    ontology::compare_rule(kind, key, &AttributePath::new(path))
                };
                let same = match (&left, &right) {
                    // What is literally equal needs no rule, but for a secret of which only the presence is known.
                    (Some(x), Some(y)) if x == y => *x != present(),
                    (Some(x), Some(y)) => normalise::compare(rule, x, y).1 == Outcome::Same,
                    _ => false,
                };
                let at = (key.as_str(), Some(path));
                let places = [same, differs.contains(&at) || differs.contains(&(key.as_str(), None)) && (l.is_none() || r.is_none()),
                    suppressed.contains(&at), !same && hidden.contains(key.as_str()) && (left.is_none() || right.is_none())
                        && !suppressed.contains(&at) && !differs.contains(&at)];
                prop_assert_eq!(places.iter().filter(|p| **p).count(), 1, "{:?} {:?}", at, places);
                equal += u64::from(same);
            }
        }
        prop_assert_eq!(found.equal, equal);
    }

    #[test]
    fn any_text_gives_one_visible_line(left in ".*", right in ".*", key in ".*", env in ".*") {
        let make = |value: &str| vec![Resource::new(Key::of(["env", key.as_str()]), "env").with("value", value)];
        let found = compare(&snapshot("local", make(&left), &[]), &snapshot(&env, make(&right), &[]));
        for d in &found.differences {
            prop_assert!(!d.message.chars().any(char::is_control), "{}", d.message);
            prop_assert!(!d.details.iter().any(|l| l.chars().any(char::is_control)));
        }
    }
}
