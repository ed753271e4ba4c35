//! What rules, profiles, pins and schemas make of two environments: tables, and the algebra of verdicts.

use parallax_model::{
    AttributePath, Fingerprint, Gap, GapKind, Key, Resource, Snapshot, SnapshotHeader, Value,
};
use proptest::prelude::*;
use regex_lite::Regex;

use super::*;
use crate::compare::compare;

pub(super) fn snapshot(environment: &str, resources: Vec<Resource>, gaps: &[&str]) -> Snapshot {
    let gaps = gaps.iter().map(|what| Gap::new(*what, GapKind::Permission, "not allowed")).collect();
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

/// Resources from lines: `runtime/node version=18.19.0 path=/usr/bin/node`; a value `?` is a secret of
/// which the presence is known, `!x` one with a fingerprint; `~` stands for a space.
pub(super) fn resources(lines: &str) -> Vec<Resource> {
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(one).collect()
}

fn one(line: &str) -> Resource {
    let mut words = line.split(' ');
    let key = Key::parse(words.next().unwrap()).unwrap();
    let kind = match (key.root(), key.after(1)) {
        ("host", "name") => "hostname".to_owned(),
        ("host", name) => name.to_owned(),
        (root, _) => root.to_owned(),
    };
    let mut resource = Resource::new(key, kind);
    for word in words {
        let (path, value) = word.split_once('=').unwrap();
        let value = match (value, value.strip_prefix('!')) {
            ("?", _) => Value::Secret(Fingerprint::Present),
            (_, Some(mac)) => {
                Value::Secret(Fingerprint::Keyed { key_id: "00000001".into(), mac: mac.repeat(32).into() })
            }
            (text, None) if path.starts_with("at[") => Value::integer(text.parse().unwrap()),
            (text, None) => Value::from(text.replace('~', " ")),
        };
        resource.attributes.set(path, value);
    }
    resource
}

pub(super) fn rule(select: &str, requirement: Requirement) -> Rule {
    Rule {
        select: Selector::parse(select).unwrap(),
        requirement,
        between: None,
        because: None,
        severity: None,
        origin: Origin::File { path: "parallax.yaml".into(), line: 7 },
    }
}

pub(super) fn judged(left: &Snapshot, right: &Snapshot, rules: &Rules) -> Judgement {
    judge(compare(left, right), left, right, rules)
}

/// `violation runtime_mismatch runtime/node#version`, one a line; warnings, folded and unobserved say so.
pub(super) fn lines(judgement: &Judgement) -> String {
    let mut out: Vec<String> = Vec::new();
    for d in &judgement.divergences {
        let verdict = match (d.verdict, d.severity) {
            (Verdict::Violation, Severity::Error) => "violation",
            (Verdict::Violation, Severity::Warning | Severity::Info) => "warning",
            (Verdict::Approved, _) => "approved",
            (Verdict::Allowed, _) => "allowed",
            (Verdict::Undeclared, Severity::Error) => "undeclared!",
            (Verdict::Undeclared, Severity::Warning | Severity::Info) => "undeclared",
        };
        let folded = if d.folded { " folded" } else { "" };
        let attribute = d.difference.attribute.as_ref().map(|a| format!("#{a}")).unwrap_or_default();
        out.push(format!("{verdict} {} {}{attribute}{folded}", d.difference.code, d.difference.key));
    }
    out.extend(
        judgement
            .unobserved
            .iter()
            .map(|u| format!("unobserved {} {}", u.unknown.environment, u.unknown.gap.what)),
    );
    out.join("\n")
}

#[track_caller]
fn check_rules(boundaries: Vec<Rule>, left: &str, right: &str, expected: &str) {
    let rules = Rules { profile: Profile::None, boundaries, ..Rules::default() };
    let judgement =
        judged(&snapshot("local", resources(left), &[]), &snapshot("staging", resources(right), &[]), &rules);
    assert_eq!(lines(&judgement), expected, "{left} | {right}");
}

#[track_caller]
fn check_one(select: &str, requirement: Requirement, left: &str, right: &str, expected: &str) {
    check_rules(vec![rule(select, requirement)], left, right, expected);
}

#[test]
fn requirements() {
    use Requirement as R;
    let node = |version: &str| format!("runtime/node version={version}");
    let (a, b) = (node("18.19.0"), node("18.20.1"));
    let level = |value: &str| format!("env/LEVEL value={value}");
    let list = || R::OneOf(vec!["debug".into(), "info".into()]);
    let drift = "runtime_mismatch runtime/node#version";
    let is = |verdict: &str| format!("{verdict} {drift}");
    check_one("env/**", R::Equal, &a, &b, &is("undeclared"));
    check_one("runtime/*", R::MayDiffer, &a, &b, &is("allowed"));
    check_one("runtime/*", R::MayDiffer, &a, "", "allowed runtime_mismatch runtime/node");
    check_one("runtime/*#version", R::Equal, &a, &b, &is("violation"));
    check_one("runtime/*#version", R::Equal, &a, &node("v18.19.0"), "");
    check_one("runtime/*#version", R::Equal, &a, "", "violation runtime_mismatch runtime/node");
    check_one("runtime/*#version", R::Equal, "", &a, "violation runtime_mismatch runtime/node");
    check_one("runtime/*#path", R::Equal, &a, "", "undeclared runtime_mismatch runtime/node");
    check_one("runtime/*#version", R::MayDiffer, &a, "", "allowed runtime_mismatch runtime/node");
    check_one("runtime/*#architecture", R::MayDiffer, &a, "", "undeclared runtime_mismatch runtime/node");
    check_one("runtime/*#version", R::Equal, &node("system"), &a, "unobserved staging runtime/node#version");
    check_one("runtime/*#version", R::MayDiffer, &node("system"), &a, &is("allowed"));
    check_one("runtime/*#version", R::Compatible, &a, &b, &is("allowed"));
    check_one("runtime/*#version", R::Compatible, &a, &node("20.0.0"), &is("violation"));
    check_one("runtime/*#version", R::Compatible, &node("0.4.1"), &node("0.5.0"), &is("violation"));
    check_one("runtime/*#version", R::Compatible, &node("0.4.1"), &node("0.4.9"), &is("allowed"));
    check_one("runtime/*#version", R::Compatible, &a, "", "violation runtime_mismatch runtime/node");
    check_one(
        "env/*",
        R::Compatible,
        &level("1.0.0"),
        &level("1.0.1"),
        "violation env_drift env/LEVEL#value",
    );
    check_one("runtime/*", R::Present, &a, &b, &is("allowed"));
    check_one("runtime/*", R::Present, &a, "", "violation runtime_mismatch runtime/node");
    check_one("env/NEED", R::Present, &a, &a, "violation env_drift env/NEED");
    check_one("runtime/*#version", R::Pinned, &a, &b, &is("allowed"));
    check_one("runtime/*#version", R::Pinned, &a, &node("18"), &is("violation"));
    check_one(
        "runtime/*#version",
        R::Pinned,
        &node("18"),
        &node("18"),
        "violation floating_tag runtime/node#version",
    );
    check_one("runtime/*#version", R::Pinned, &a, &a, "");
    check_one(
        "env/N",
        R::WithinPercent(2.0),
        "env/N value=100",
        "env/N value=101",
        "allowed env_drift env/N#value",
    );
    check_one(
        "env/N",
        R::WithinPercent(2.0),
        "env/N value=100",
        "env/N value=103",
        "violation env_drift env/N#value",
    );
    check_one(
        "env/N",
        R::WithinPercent(2.0),
        "env/N value=-100",
        "env/N value=100",
        "violation env_drift env/N#value",
    );
    check_one(
        "env/N",
        R::WithinPercent(2.0),
        "env/N value=many",
        "env/N value=100",
        "unobserved staging env/N#value",
    );
    check_one("env/LEVEL", list(), &level("debug"), &level("info"), "allowed env_drift env/LEVEL#value");
    check_one("env/LEVEL", list(), &level("debug"), &level("trace"), "violation env_drift env/LEVEL#value");
    check_one("env/LEVEL", list(), &level("trace"), &level("trace"), "violation env_drift env/LEVEL#value");
    check_one("env/LEVEL", list(), &level("info"), &level("info"), "");
    check_one("env/LEVEL", list(), &level("info"), "", "violation env_drift env/LEVEL");
    check_one("env/LEVEL", list(), &level("!a"), &level("!a"), "unobserved local env/LEVEL#value");
    check_one("runtime/*#version", R::OneOf(vec!["18.19.0".into()]), &node("v18.19.0"), &a, "");
    let regex = || R::Matches(Regex::new("in|info").unwrap());
    check_one("env/LEVEL", regex(), &level("info"), &level("in"), "allowed env_drift env/LEVEL#value");
    check_one("env/LEVEL", regex(), &level("infos"), &level("in"), "violation env_drift env/LEVEL#value");
    check_one("env/LEVEL", regex(), &level("warn"), &level("warn"), "violation env_drift env/LEVEL#value");
    check_one("env/S", R::Equal, "env/S value=!a", "env/S value=!b", "violation secret_drift env/S#value");
    check_one("env/S", R::Equal, "env/S value=!a", "", "violation secret_missing env/S");
    check_one("env/S", R::Equal, "env/S value=?", "env/S value=!b", "unobserved local env/S#value");
    check_one("env/S", R::Equal, "env/S value=!a", "env/S value=?", "unobserved staging env/S#value");
    check_one("env/S", R::Present, "env/S value=?", "env/S value=?", "allowed secret_drift env/S#value");
    check_one("env/T", R::Equal, "env/S value=?", "env/S value=?", "undeclared secret_drift env/S#value");
    check_one("x/y", R::Present, "x/y a=1", "x/y a=2", "allowed config_drift x/y#a");
}

#[test]
fn the_last_rule_decides() {
    use Requirement as R;
    let (left, right) = ("env/A value=1\nenv/B value=1", "env/A value=2\nenv/B value=2");
    let both = |a: &str, b: &str| format!("{a} env_drift env/A#value\n{b} env_drift env/B#value");
    let all = || rule("env/**", R::Equal);
    check_rules(vec![all(), rule("env/A", R::MayDiffer)], left, right, &both("allowed", "violation"));
    check_rules(vec![rule("env/A", R::MayDiffer), all()], left, right, &both("violation", "violation"));
    let between =
        |a: &str, b: &str| Rule { between: Some((a.into(), b.into())), ..rule("env/A", R::MayDiffer) };
    check_rules(vec![all(), between("staging", "local")], left, right, &both("allowed", "violation"));
    check_rules(vec![all(), between("staging", "production")], left, right, &both("violation", "violation"));
    let warning = Rule { severity: Some(Severity::Warning), ..rule("env/A", R::Equal) };
    check_rules(vec![all(), warning], left, right, &both("warning", "violation"));
    // Leave for an allowed value is not a demand on those that a later rule frees.
    let list = || rule("env/**", R::OneOf(vec!["9".into()]));
    check_rules(vec![list(), rule("env/A", R::MayDiffer)], "env/A value=1", "env/A value=1", "");
}

#[test]
fn what_was_set_aside_comes_back_when_named() {
    use Requirement as R;
    let (left, right) = ("env/HOME value=/a\nruntime/x path=/a", "env/HOME value=/b\nruntime/x path=/b");
    let check =
        |select: &str, requirement, expected: &str| check_one(select, requirement, left, right, expected);
    check("env/HOME", R::Equal, "violation env_drift env/HOME#value");
    check("env/HOME#value", R::Equal, "violation env_drift env/HOME#value");
    check("runtime/x#path", R::Equal, "violation runtime_mismatch runtime/x#path");
    check("runtime/*#path", R::Equal, "violation runtime_mismatch runtime/x#path");
    check("env/HOME", R::MayDiffer, "");
    check("env/*", R::Equal, "");
    check("env/**", R::OneOf(vec!["x".into()]), "");
    check("runtime/x", R::Equal, "");
    check_one("env/HOME", R::Equal, "env/HOME value=/a", "", "violation env_drift env/HOME#value");
    let lifted = vec![rule("env/HOME", R::Equal), rule("env/*", R::MayDiffer)];
    check_rules(lifted, left, right, "");
}

/// The recommended profile's verdicts.
#[track_caller]
fn check_profile(left: &str, right: &str, expected: &str) {
    let rules = Rules::default();
    let judgement =
        judged(&snapshot("local", resources(left), &[]), &snapshot("staging", resources(right), &[]), &rules);
    assert_eq!(lines(&judgement), expected, "{left} | {right}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, a row a line")]
fn recommended_profile() {
    let both = |left: &str, right: &str, expected: &str| check_profile(left, right, expected);
    both(
        "host/cpu architecture=x86_64",
        "host/cpu architecture=arm64",
        "violation arch_mismatch host/cpu#architecture",
    );
    both("host/cpu level=x86-64-v3", "host/cpu level=x86-64-v4", "undeclared config_drift host/cpu#level");
    both("host/kernel name=Linux", "host/kernel name=Darwin", "violation kernel_mismatch host/kernel#name");
    both(
        "host/kernel release=6.1.0-1",
        "host/kernel release=6.8.0-2",
        "allowed kernel_mismatch host/kernel#release",
    );
    both(
        "host/kernel release=6.1.0",
        "host/kernel release=5.15.0",
        "warning kernel_mismatch host/kernel#release",
    );
    both("host/libc family=glibc", "host/libc family=musl", "violation config_drift host/libc#family");
    both("host/libc version=2.36", "host/libc version=2.31", "undeclared config_drift host/libc#version");
    both(
        "host/virtualisation kind=none",
        "host/virtualisation kind=vm",
        "undeclared config_drift host/virtualisation#kind",
    );
    both("host/name name=a", "host/name name=b", "");
    // Nothing tells what the project uses: every language runtime that both sides have counts.
    both(
        "runtime/node version=18.19.0",
        "runtime/node version=18.20.1",
        "violation runtime_mismatch runtime/node#version",
    );
    both(
        "runtime/perl version=5.36.0",
        "runtime/perl version=5.34.0",
        "undeclared runtime_mismatch runtime/perl#version",
    );
    both("runtime/ruby version=3.2.2", "", "undeclared runtime_mismatch runtime/ruby");
    both(
        "runtime/git version=2.39.5",
        "runtime/git version=2.34.1",
        "undeclared runtime_mismatch runtime/git#version",
    );
    both("runtime/git version=2.39.5", "", "undeclared runtime_mismatch runtime/git");
    both(
        "runtime/node architecture=x86_64",
        "runtime/node architecture=arm64",
        "violation arch_mismatch runtime/node#architecture",
    );
    both("runtime/node path=/a", "runtime/node path=/b", "");
    // A lockfile tells.
    let lock = "lockfile/package-lock.json sha256=a ecosystem=npm format=npm-v3\n";
    let with = |left: &str, right: &str, expected: &str| {
        check_profile(&format!("{lock}{left}"), &format!("{lock}{right}"), expected);
    };
    with(
        "runtime/node version=18.19.0",
        "runtime/node version=18.20.1",
        "violation runtime_mismatch runtime/node#version",
    );
    with("runtime/node version=18.19.0", "", "violation runtime_mismatch runtime/node");
    with(
        "runtime/java version=17.0.9",
        "runtime/java version=21.0.1",
        "warning runtime_mismatch runtime/java#version",
    );
    with("runtime/java version=17.0.9", "", "undeclared runtime_mismatch runtime/java");
    with(
        "runtime/npm version=10.2.3",
        "runtime/npm version=10.8.0",
        "allowed runtime_mismatch runtime/npm#version",
    );
    with(
        "runtime/npm version=9.1.0",
        "runtime/npm version=10.8.0",
        "violation runtime_mismatch runtime/npm#version",
    );
    with("runtime/npm version=9.1.0", "", "warning runtime_mismatch runtime/npm");
    with(
        "runtime/yarn version=1.22.0",
        "runtime/yarn version=4.0.0",
        "undeclared runtime_mismatch runtime/yarn#version",
    );
    // Lockfiles and pins, where both sides hold the project.
    both(
        "lockfile/Cargo.lock sha256=a",
        "lockfile/Cargo.lock sha256=b",
        "violation lockfile_outdated lockfile/Cargo.lock#sha256",
    );
    both("lockfile/a/Cargo.lock sha256=a", "", "undeclared lockfile_outdated lockfile/a/Cargo.lock");
    with("lockfile/a/Cargo.lock sha256=a", "", "violation lockfile_outdated lockfile/a/Cargo.lock");
    both("pin/node by[.nvmrc]=18", "pin/node by[.nvmrc]=20", "violation config_drift pin/node#by[.nvmrc]");
    both("pin/node by[.nvmrc]=18 at[.nvmrc]=1", "pin/node by[.nvmrc]=18 at[.nvmrc]=2", "");
    // Variables.
    for name in [
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "SSL_CERT_FILE",
    ] {
        let [left, right] = ["/a", "/b"].map(|value| format!("env/{name} value={value}"));
        both(&left, &right, &format!("violation env_drift env/{name}#value"));
        both(&left, "", &format!("violation env_drift env/{name}"));
    }
    for name in ["PATH", "NODE_ENV", "MALLOC_ARENA_MAX", "JAVA_HOME", "LANG"] {
        let [left, right] = ["/a", "/b"].map(|value| format!("env/{name} value={value}"));
        both(&left, &right, &format!("undeclared env_drift env/{name}#value"));
    }
}

#[test]
fn strict_and_none() {
    let left = snapshot("local", resources("env/A value=1\nenv/TERM value=a"), &[]);
    let right = snapshot("staging", resources("env/A value=2\nenv/TERM value=b"), &[]);
    let with = |profile, strict| {
        let judgement = judged(&left, &right, &Rules { profile, strict, ..Rules::default() });
        (lines(&judgement), judgement.verdict(), judgement.summary().suppressed)
    };
    let drift = "env_drift env/A#value";
    assert_eq!(with(Profile::None, false), (format!("undeclared {drift}"), Gate::Pass, 1));
    assert_eq!(with(Profile::None, true), (format!("undeclared! {drift}"), Gate::Fail, 1));
    assert_eq!(with(Profile::Recommended, false), (format!("undeclared {drift}"), Gate::Pass, 1));
    assert_eq!(with(Profile::Strict, false), (format!("violation {drift}"), Gate::Fail, 1));
}

#[test]
fn packages_are_counted_with_their_lockfile() {
    let side = |sha: &str, version: &str| {
        resources(&format!(
            "lockfile/package-lock.json sha256={sha} ecosystem=npm\ndependency/npm/a version={version}\n\
             dependency/npm/b version={version}"
        ))
    };
    let (left, right) =
        (snapshot("local", side("a", "1.0.0"), &[]), snapshot("staging", side("b", "2.0.0"), &[]));
    let judgement = judged(&left, &right, &Rules::default());
    let parts = |b: &str| {
        format!(
            "violation dependency_drift dependency/npm/a#version folded\n{b}\n\
             violation lockfile_outdated lockfile/package-lock.json#sha256"
        )
    };
    assert_eq!(lines(&judgement), parts("violation dependency_drift dependency/npm/b#version folded"));
    let summary = judgement.summary();
    assert_eq!((summary.violations, summary.folded), (1, 2));
    let boundaries = vec![rule("dependency/npm/b", Requirement::MayDiffer)];
    let judgement = judged(&left, &right, &Rules { boundaries, ..Rules::default() });
    assert_eq!(lines(&judgement), parts("allowed dependency_drift dependency/npm/b#version"));
    assert_eq!((judgement.summary().allowed, judgement.summary().folded), (1, 1));
}

/// Gaps of staging, against a laptop that has node, an unrelated tool and a variable.
#[track_caller]
fn check_gap(profile: Profile, boundaries: Vec<Rule>, gap: &str, expected: &str) {
    let left = "runtime/node version=18.19.0\nruntime/git version=2.39.5\nenv/A value=1";
    let rules = Rules { profile, boundaries, ..Rules::default() };
    let (left, right) = (snapshot("local", resources(left), &[]), snapshot("staging", Vec::new(), &[gap]));
    let judgement = judged(&left, &right, &rules);
    let unobserved: Vec<String> =
        judgement.unobserved.iter().map(|u| format!("{}: {}", u.unknown.gap.what, u.rule.rule)).collect();
    assert_eq!(unobserved.join("\n"), expected, "{gap}");
    assert_eq!(judgement.unobserved.len() + judgement.unknown.len(), 1);
    let outcome = if judgement.divergences.iter().any(Divergence::fails) {
        1
    } else {
        u8::from(!expected.is_empty()) * 3
    };
    assert_eq!(judgement.outcome().exit_code(), outcome);
}

#[test]
fn gaps_that_boundaries_speak_of() {
    use Requirement as R;
    let none = Vec::new;
    check_gap(Profile::None, none(), "runtime/node", "");
    check_gap(Profile::None, none(), "**", "**: ** must be observed");
    check_gap(Profile::Recommended, none(), "runtime/node", "runtime/node: runtime/node#version must equal");
    check_gap(
        Profile::Recommended,
        none(),
        "runtime/node#version",
        "runtime/node#version: runtime/node#version must equal",
    );
    check_gap(Profile::Recommended, none(), "runtime/**", "runtime/**: runtime/node#version must equal");
    check_gap(Profile::Recommended, none(), "runtime/git", "");
    check_gap(Profile::Recommended, none(), "runtime/ruby", "");
    check_gap(Profile::Recommended, none(), "env/A", "");
    check_gap(Profile::Strict, none(), "env/A", "env/A: ** must equal");
    let own = || vec![rule("env/*", R::Equal)];
    check_gap(Profile::None, own(), "env/A", "env/A: env/* must equal");
    check_gap(Profile::None, own(), "env/NOWHERE", "env/NOWHERE: env/* must equal");
    check_gap(Profile::None, own(), "runtime/node", "");
    let version = || vec![rule("runtime/*#version", R::Equal)];
    // Staging has no node at all, which the gap in a part of it may explain.
    check_gap(
        Profile::None,
        version(),
        "runtime/node#path",
        "runtime/node#path: runtime/*#version must equal",
    );
    check_gap(
        Profile::None,
        version(),
        "runtime/node#version",
        "runtime/node#version: runtime/*#version must equal",
    );
    check_gap(Profile::None, version(), "runtime/node", "runtime/node: runtime/*#version must equal");
    let lifted = || vec![rule("env/*", R::Equal), rule("env/A", R::MayDiffer)];
    check_gap(Profile::None, lifted(), "env/A", "");
    check_gap(Profile::None, lifted(), "env/**", "env/**: env/* must equal");
    check_gap(Profile::Recommended, vec![rule("runtime/node", R::MayDiffer)], "runtime/node", "");
}

#[test]
fn a_gap_in_a_part_matters_to_rules_on_that_part() {
    let left = snapshot("local", resources("runtime/node version=1.0.0 architecture=a"), &[]);
    let check = |gap: &str, right: &str, expected: usize| {
        let boundaries = vec![rule("runtime/*#version", Requirement::Equal)];
        let rules = Rules { profile: Profile::None, boundaries, ..Rules::default() };
        let judgement = judged(&left, &snapshot("staging", resources(right), &[gap]), &rules);
        assert_eq!(judgement.unobserved.len(), expected, "{gap}");
    };
    check("runtime/node#architecture", "runtime/node version=1.0.0", 0);
    check("runtime/node#version", "runtime/node architecture=a", 1);
    check("runtime/node#path", "runtime/node version=1.0.0 architecture=a", 0);
}

/// Findings within one environment, with the recommended profile.
#[track_caller]
fn check_pins(left: &str, expected: &str) {
    let judgement = judged(
        &snapshot("staging", resources(left), &[]),
        &snapshot("local", resources(left), &[]),
        &Rules::default(),
    );
    let found = |environment: &str| -> Vec<String> {
        let own = judgement.divergences.iter().filter(|d| d.within.as_deref() == Some(environment));
        own.map(|d| format!("{}: {}", d.difference.code, d.difference.message)).collect()
    };
    let here: Vec<String> = expected.lines().map(|line| format!("pin_conflict: {line} here")).collect();
    let there: Vec<String> =
        expected.lines().map(|line| format!("pin_conflict: {line} in staging")).collect();
    assert_eq!((found("local"), found("staging")), (here, there));
}

#[test]
fn pins_agree_with_each_other_and_with_what_runs() {
    let node = |pins: &str, version: &str| format!("pin/node {pins}\nruntime/node version={version}");
    check_pins(&node("by[.nvmrc]=18.19.0 at[.nvmrc]=1", "18.19.0"), "");
    check_pins(
        &node("by[.nvmrc]=18.19.0 at[.nvmrc]=1", "20.11.0"),
        ".nvmrc:1 says 18.19.0, but node 20.11.0 answers",
    );
    check_pins(
        &node("by[.nvmrc]=18 by[Dockerfile]=20", "18.19.0"),
        "Dockerfile says 20, but node 18.19.0 answers",
    );
    check_pins(
        "pin/node by[.nvmrc]=18.19.0 at[.nvmrc]=1 by[.tool-versions]=20.11.0 at[.tool-versions]=3",
        ".nvmrc:1 says 18.19.0, but .tool-versions:3 says 20.11.0",
    );
    let field = "pin/node by[\"package.json#engines.node\"]=>=20 at[\"package.json#engines.node\"]=12 by[.nvmrc]=18.19.0";
    check_pins(field, ".nvmrc says 18.19.0, but package.json:12 (engines.node) says >=20");
    check_pins(&node("by[.nvmrc]=lts/hydrogen by[mise.toml]=18", "18.19.0"), "");
    check_pins("pin/go by[go.mod]=1.22\nruntime/go version=1.23.4", "");
    check_pins(
        "pin/go by[go.mod]=1.22\nruntime/go version=1.21.0",
        "go.mod says 1.22, but go 1.21.0 answers",
    );
    check_pins("pin/rustc by[rust-toolchain.toml]=stable\nruntime/rustc version=1.89.0", "");
    check_pins("pin/python by[pyproject.toml]=>=3.9,<4\nruntime/python version=3.12.1", "");
    check_pins("pin/node by[a]=18 by[b]=20", "");
    check_pins("pin/node by[a]=18.0.0 by[b]=\u{1b}[2J", "");
    check_pins("pin/node by[a]=?\nruntime/node version=1.0.0", "");
}

#[test]
fn pins_may_be_let_go_and_none_is_none() {
    let side = || resources("pin/node by[.nvmrc]=18.19.0\nruntime/node version=20.11.0");
    let (left, right) = (snapshot("local", side(), &[]), snapshot("staging", side(), &[]));
    let count = |rules: &Rules| judged(&left, &right, rules).summary();
    assert_eq!(count(&Rules::default()).violations, 2);
    assert_eq!(count(&Rules { profile: Profile::None, ..Rules::default() }).violations, 0);
    let boundaries = vec![rule("pin/node", Requirement::MayDiffer)];
    assert_eq!(count(&Rules { boundaries, ..Rules::default() }).allowed, 2);
}

#[test]
fn a_derived_schema_warns_where_its_variables_are_used() {
    let variable = |name: &str| VariableSchema {
        name: name.into(),
        required: true,
        shape: VariableShape::Any,
        origin: Origin::File { path: ".env.example".into(), line: 1 },
    };
    let env_example = vec![variable("SESSION_NAME"), variable("QUEUE")];
    let rules = Rules { profile: Profile::None, env_example, ..Rules::default() };
    let left = snapshot("local", resources("env/LANG value=C"), &[]);
    let right = snapshot("staging", resources("env/QUEUE value=mail"), &[]);
    let judgement = judged(&left, &right, &rules);
    let found: Vec<_> = judgement.divergences.iter().filter(|d| d.within.is_some()).collect();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].within.as_deref(), found[0].severity), (Some("staging"), Severity::Warning));
    assert!(found[0].difference.message.contains("SESSION_NAME"), "{}", found[0].difference.message);
    assert_eq!(judgement.outcome(), Outcome::Parity);
}

#[test]
fn what_is_wrong_at_two_times_is_told_once() {
    let side =
        || snapshot("staging", resources("pin/node by[.nvmrc]=18.19.0\nruntime/node version=20.11.0"), &[]);
    assert_eq!(judged(&side(), &side(), &Rules::default()).summary().violations, 1);
}

#[test]
fn pins_that_what_runs_has_left_are_told_by_the_runtime() {
    let left = snapshot("local", resources("pin/node by[.nvmrc]=18.19.0\nruntime/node version=18.19.0"), &[]);
    let right =
        snapshot("staging", resources("pin/node by[.nvmrc]=18.19.0\nruntime/node version=18.20.1"), &[]);
    let judgement = judged(&left, &right, &Rules::default());
    let summary = judgement.summary();
    assert_eq!((summary.violations, summary.folded), (1, 1), "{:?}", judgement.divergences);
}

#[test]
fn the_schema_is_checked_in_each_environment() {
    let variable = |name: &str, shape| VariableSchema {
        name: name.into(),
        required: true,
        shape,
        origin: Origin::File { path: "parallax.yaml".into(), line: 3 },
    };
    let env_schema = vec![
        variable("LOG_LEVEL", VariableShape::OneOf(vec!["debug".into(), "info".into()])),
        variable("DATABASE_URL", VariableShape::Url),
        variable("PORT", VariableShape::Port),
    ];
    let rules = Rules { profile: Profile::None, env_schema, ..Rules::default() };
    let left = "env/LOG_LEVEL value=verbose\nenv/DATABASE_URL value=?\nenv/PORT value=80";
    let right = "env/LOG_LEVEL value=info\nenv/PORT value=80";
    let messages = |left: &str, right: &str, gaps: &[&str]| -> Vec<String> {
        let judgement = judged(
            &snapshot("local", resources(left), &[]),
            &snapshot("staging", resources(right), gaps),
            &rules,
        );
        let within = judgement.divergences.iter().filter(|d| d.within.is_some());
        let found = within.map(|d| format!("{} {}", d.difference.code, d.difference.message));
        let unobserved =
            judgement.unobserved.iter().map(|u| format!("{} {}", u.unknown.gap.what, u.rule.rule));
        found.chain(unobserved).collect()
    };
    assert_eq!(
        messages(left, right, &[]),
        [
            "env_invalid DATABASE_URL is not set in staging",
            "env_invalid LOG_LEVEL is not one of debug, info here"
        ]
    );
    assert_eq!(
        messages(left, right, &["env/DATABASE_URL"]),
        [
            "env_invalid LOG_LEVEL is not one of debug, info here",
            "env/DATABASE_URL env/DATABASE_URL must be set, to an absolute URL"
        ]
    );
    assert_eq!(messages(left, "", &[]).len(), 1 + 3, "nobody looked at staging's variables");
}

#[test]
fn the_schema_does_not_pass_what_it_can_not_see() {
    let check = |shape: VariableShape, left: &str, right: &str, gap: &str, expected: &str| {
        let origin = Origin::File { path: "parallax.yaml".into(), line: 3 };
        let env_schema = vec![VariableSchema { name: "A".into(), required: false, shape, origin }];
        let rules = Rules { profile: Profile::None, env_schema, ..Rules::default() };
        let (left, right) =
            (snapshot("local", resources(left), &[]), snapshot("staging", resources(right), &[gap]));
        assert_eq!(lines(&judged(&left, &right, &rules)), expected, "{left:?}");
    };
    let token = || VariableShape::Matches(Regex::new("tok_.*").unwrap());
    let unobserved = "unobserved local env/A#value\nunobserved staging env/A#value";
    check(token(), "env/A value=!a", "env/A value=!a", "x", unobserved);
    check(VariableShape::Url, "env/A value=!a", "env/A value=!a", "x", "");
    check(
        token(),
        "env/A value=tok_1",
        "env/B value=1",
        "env/A",
        "undeclared env_drift env/B\nunobserved staging env/A",
    );
    check(VariableShape::Any, "env/A value=tok_1\nenv/B value=1", "env/B value=1", "env/A", "");
    check(token(), "env/B value=1", "env/B value=1", "env/A", "");
}

#[test]
fn no_two_findings_share_an_id() {
    let left = resources("pin/node by[.nvmrc]=18.19.0\nruntime/node version=20.0.0");
    let right = resources("pin/node by[.node-version]=20.0.0\nruntime/node version=20.0.0");
    let judgement =
        judged(&snapshot("local", left, &[]), &snapshot("staging", right, &[]), &Rules::default());
    let ids: std::collections::BTreeSet<_> = judgement.divergences.iter().map(|d| &d.difference.id).collect();
    assert_eq!((ids.len(), judgement.divergences.len()), (3, 3), "{judgement:?}");
}

#[test]
fn order_of_the_report_and_exit_codes() {
    let left = snapshot(
        "local",
        resources("env/A value=1\nruntime/node version=1.0.0\nhost/cpu architecture=a"),
        &[],
    );
    let right = snapshot(
        "staging",
        resources("env/A value=2\nruntime/node version=2.0.0\nhost/cpu architecture=b"),
        &[],
    );
    let judgement = judged(&left, &right, &Rules::default());
    let keys: Vec<&str> = judgement.divergences.iter().map(|d| d.difference.key.as_str()).collect();
    assert_eq!(keys, ["host/cpu", "runtime/node", "env/A"]);
    assert_eq!((judgement.outcome(), judgement.outcome().exit_code()), (Outcome::Violations, 1));
    assert_eq!(judged(&left, &left, &Rules::default()).outcome().exit_code(), 0);
    let hidden = snapshot("staging", Vec::new(), &["**"]);
    assert_eq!(judged(&left, &hidden, &Rules::default()).outcome().exit_code(), 3);
}

fn any_side() -> impl Strategy<Value = Vec<Resource>> {
    let line = prop::sample::select(vec![
        "runtime/node version=1.0.0",
        "runtime/node version=1.1.0 architecture=a",
        "env/A value=1",
        "env/A value=?",
        "env/LD_PRELOAD value=/a",
        "env/TERM value=x",
        "lockfile/package-lock.json sha256=a ecosystem=npm",
        "lockfile/package-lock.json sha256=b ecosystem=npm",
        "dependency/npm/a version=1.0.0",
        "dependency/npm/a versions=1.0.0~2.0.0",
        "pin/node by[.nvmrc]=1.0.0 by[b]=2",
    ]);
    prop::collection::vec(line.prop_map(one), 0..8)
}

proptest! {
    #[test]
    fn nothing_is_lost_between_compare_and_judge(
        left in any_side(),
        right in any_side(),
        gap in prop::sample::select(vec!["x/**", "runtime/node", "env/**", "**"]),
        profile in prop::sample::select(vec![Profile::None, Profile::Recommended, Profile::Strict]),
        strict in any::<bool>(),
    ) {
        let (left, right) = (snapshot("local", left, &[]), snapshot("staging", right, &[gap]));
        let found = compare(&left, &right);
        let (differences, unknown) = (found.differences.len(), found.unknown.len());
        let judgement = judge(found, &left, &right, &Rules { profile, strict, ..Rules::default() });
        let own = judgement.divergences.iter().filter(|d| d.within.is_none()).count();
        prop_assert_eq!(own + judgement.unobserved.len() + judgement.unknown.len(), differences + unknown);
        let s = judgement.summary();
        let counted = s.violations + s.warnings + s.approved + s.allowed + s.undeclared + s.folded;
        prop_assert_eq!(counted, judgement.divergences.len() as u64);
        // Strict fails whatever fails without it.
        let lax = judge(compare(&left, &right), &left, &right, &Rules { profile, ..Rules::default() });
        prop_assert!(!strict || lax.verdict() == Gate::Pass || judgement.verdict() == Gate::Fail);
    }
}

#[test]
fn a_rule_with_an_item_path_selects_pins() {
    let path = AttributePath::new("by[.nvmrc]");
    assert!(Selector::parse("pin/*#by[*]").unwrap().selects(&Key::of(["pin", "node"]), Some(&path)));
}
