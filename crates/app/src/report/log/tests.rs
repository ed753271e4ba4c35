//! What people and scripts see of a timeline, to the letter: real stores, a clock and a zone that stand still.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parallax_model::{Fingerprint, Gap, GapKind, Key, Resource, Snapshot, SnapshotHeader, Value};
use parallax_store::{Query, Store};

use super::*;
use crate::config::Config;
use crate::error::AppError;
use crate::report::{log_json, timelines, timelines_json};
use crate::usecase::{self, Context, HistoryRequest, StorePlace, parse_time};

const NOW: &str = "2026-11-21T02:10:00Z";

/// A project with a store, and what production is like at the moment.
struct Project {
    folder: tempfile::TempDir,
    resources: Vec<Resource>,
    gaps: Vec<Gap>,
    key_id: Option<String>,
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn variable(name: &str, value: impl Into<Value>) -> Resource {
    Resource::new(Key::of(["env", name]), "env").with("value", value)
}

fn node(version: &str) -> Resource {
    Resource::new(Key::of(["runtime", "node"]), "runtime")
        .with("version", version)
        .with("path", format!("/opt/node-{version}/bin/node"))
}

fn package(name: &str, version: &str) -> Resource {
    Resource::new(Key::of(["dependency", "npm", name]), "dependency")
        .with("version", version)
        .with("integrity", format!("sha512-{version}"))
}

fn secret(mac: u8) -> Value {
    Value::Secret(Fingerprint::Keyed { key_id: "00c0ffee".into(), mac: format!("{mac:032x}").into() })
}

impl Project {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            resources: Vec::new(),
            gaps: Vec::new(),
            key_id: Some("00c0ffee".into()),
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.place()).unwrap()
    }

    fn place(&self) -> String {
        self.folder.path().join("store.db").display().to_string()
    }

    fn context(&self) -> Context {
        Context {
            config: Config { folder: self.folder.path().to_owned(), ..Config::default() },
            folder: self.folder.path().to_owned(),
            zone: TimeZone::UTC,
            now: at(NOW),
            cache: None,
            store: StorePlace::Named(self.place()),
        }
    }

    fn set(&mut self, resource: Resource) {
        self.unset(resource.key.as_str());
        self.resources.push(resource);
    }

    fn unset(&mut self, key: &str) {
        self.resources.retain(|resource| resource.key.as_str() != key);
    }

    fn record(&self, environment: &str, time: &str) -> Entry {
        let header = SnapshotHeader {
            environment: environment.into(),
            captured_at: at(time),
            tool: "test".into(),
            key_id: self.key_id.clone(),
            sources: Vec::new(),
            gaps: self.gaps.clone(),
        };
        let snapshot = Snapshot::new(header, self.resources.clone());
        self.store().record(environment, &snapshot).unwrap().entry
    }

    /// A week of production, and what broke it.
    fn week() -> Self {
        let mut project = Self::new();
        project.set(node("18.19.0"));
        project.set(variable("LOG_LEVEL", "warn"));
        project.set(variable("DATABASE_PASSWORD", secret(1)));
        project.set(variable("SSH_CONNECTION", "10.0.0.1"));
        project.set(
            Resource::new(Key::of(["k8s", "apps", "Deployment", "shop", "checkout"]), "object")
                .with("spec.template.spec.containers[app].image", "shop:1.4.0")
                .with("spec.replicas", 3_u64),
        );
        (0..6).for_each(|n| project.set(package(&format!("lib-{n}"), "1.0.0")));
        for day in 14..20 {
            project.set(variable("SSH_CONNECTION", format!("10.0.0.{day}")));
            project.record("production", &format!("2026-11-{day}T08:00:00Z"));
            if day == 16 {
                (0..6).for_each(|n| project.set(package(&format!("lib-{n}"), "1.0.1")));
                project.unset("dependency/npm/lib-0");
            }
            let evening = project.record("production", &format!("2026-11-{day}T20:00:00Z"));
            if day == 18 {
                project.store().mark_good(&evening, at("2026-11-18T20:01:00Z")).unwrap();
            }
        }
        project.set(node("18.20.1"));
        project.set(variable("FEATURE_FAST_CART", "on"));
        project.record("production", "2026-11-20T21:40:00Z");
        project.set(variable("LOG_LEVEL", "debug"));
        project.set(variable("DATABASE_PASSWORD", secret(2)));
        project.set(variable("MOTD", "\u{1b}[31mred\u{202e}\nnew line"));
        project.record("production", "2026-11-21T01:58:00Z");
        let store = project.store();
        let query = Query { key: Some(Key::of(["env", "LOG_LEVEL"])), ..Query::of("production") };
        let change = store.changes(&query).unwrap().remove(0);
        let said = r#"{"who": {"name": "carol"}, "what": "kubectl edit", "how": "by hand"}"#;
        store.add_evidence("production", &change, said, Some(at("2026-11-21T01:51:13Z"))).unwrap();
        project
    }

    fn history(
        &self,
        part: Option<&str>,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Result<History, AppError> {
        let time = |text: Option<&str>| text.map(|text| parse_time(text, at(NOW), &clock().zone).unwrap());
        self.newest(part, (time(since), time(until)), 1000)
    }

    fn newest(
        &self,
        part: Option<&str>,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        most: usize,
    ) -> Result<History, AppError> {
        let part = part.map(ToOwned::to_owned);
        let request = HistoryRequest { environment: "production".into(), part, since, until, most };
        usecase::history(&request, &self.context())
    }

    fn log(&self, part: Option<&str>, since: Option<&str>, until: Option<&str>, detail: Detail) -> String {
        plain(&log(&self.history(part, since, until).unwrap(), &layout(detail)))
    }
}

fn clock() -> Clock {
    Clock { now: at(NOW), zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap() }
}

fn layout(detail: Detail) -> LogLayout {
    LogLayout { width: 100, detail, wrap: Wrap::Words, clock: clock(), limit: 40 }
}

/// As a stream without colours shows it; colours are all that is taken out, so a stray escape would be seen.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_week_and_what_broke_it() {
    insta::assert_snapshot!(Project::week().log(None, None, None, Detail::Usual));
}

#[test]
fn a_week_in_full() {
    insta::assert_snapshot!(Project::week().log(None, None, None, Detail::Full));
}

#[test]
fn parts_and_spans() {
    let week = Project::week();
    let mut all = String::new();
    let mut show = |part: Option<&str>, since: Option<&str>, until: Option<&str>| {
        let words: Vec<&str> = [part, since, until].into_iter().map(|word| word.unwrap_or("_")).collect();
        let log = match week.history(part, since, until) {
            Ok(history) => plain(&log(&history, &layout(Detail::Usual))),
            Err(error) => format!("{error}\n"),
        };
        all.push_str(&format!("$ {}\n{log}\n", words.join(" ")));
    };
    show(Some("node"), None, None);
    show(Some("runtime/node#path"), None, None);
    show(Some("Deployment/checkout#image"), None, None);
    show(Some("env/*"), None, Some("2026-11-21 02:00"));
    show(Some("dependency/npm"), Some("2026-11-16"), Some("2026-11-17"));
    show(Some("lib-0"), None, None);
    show(None, Some("today"), None);
    show(None, Some("5m"), None);
    show(None, None, Some("2026-11-01"));
    show(None, Some("2026-11-18T22:00"), Some("2026-11-18T23:00"));
    show(Some("runtime"), Some("1d"), None);
    show(Some("nodee"), None, None);
    show(Some("node#versoin"), None, None);
    show(Some("dependency/npm#version"), None, None);
    show(Some("env/**/"), None, None);
    insta::assert_snapshot!(all);
}

/// What broke it at 02:30 was first seen at 02:58: to leave it out would be to say that it did not happen.
#[test]
fn what_may_lie_in_a_span_is_in_it() {
    let week = Project::week();
    let keys = |since: &str, until: &str| -> Vec<String> {
        let history = week.history(None, Some(since), Some(until)).unwrap();
        history.changes.iter().map(|change| change.key.after(1).to_owned()).collect()
    };
    assert_eq!(keys("02:00", "02:30"), ["DATABASE_PASSWORD", "MOTD"]);
    assert_eq!(keys("02:00", "02:52"), ["DATABASE_PASSWORD", "LOG_LEVEL", "MOTD"]);
    assert_eq!(keys("02:59", "03:00"), [""; 0]);
    assert_eq!(keys("2026-11-20T22:39", "2026-11-20T22:40"), ["FEATURE_FAST_CART", "node", "node"]);
}

#[test]
fn what_was_hidden_for_a_while_may_lie_in_a_span_too() {
    let mut project = Project::new();
    project.set(variable("A", "1"));
    project.record("production", "2026-11-20T08:00:00Z");
    project.unset("env/A");
    project.gaps = vec![Gap::new("env/**", GapKind::Permission, "denied")];
    project.record("production", "2026-11-20T09:00:00Z");
    project.record("production", "2026-11-20T10:00:00Z");
    let blind = project.log(None, None, None, Detail::Usual);
    assert!(blind.contains("no change") && blind.contains("env/** (denied)"), "{blind}");
    project.gaps = Vec::new();
    project.set(variable("A", "2"));
    project.record("production", "2026-11-20T11:00:00Z");
    let history = project.history(None, None, Some("2026-11-20T08:30Z")).unwrap();
    assert_eq!(history.changes.len(), 1, "it may have been before 08:30");
    assert_eq!(history.entries.len(), 2, "the recording at 09:00 closes the span");
}

#[test]
fn nothing_to_tell() {
    let mut project = Project::new();
    let error = |project: &Project| project.history(None, None, None).unwrap_err().to_string();
    let mut all = format!("{}\n", error(&project));
    assert!(!project.folder.path().join("store.db").exists(), "reading makes no store");
    project.record("prodution", "2026-11-20T08:00:00Z");
    all.push_str(&format!("{}\n", error(&project)));
    project.set(variable("A", "1"));
    project.record("production", "2026-11-20T23:50:00Z");
    all.push_str(&project.log(None, None, None, Detail::Usual));
    project.record("production", "2026-11-21T00:10:00Z");
    all.push_str(&project.log(None, None, None, Detail::Usual));
    all.push_str(&project.log(Some("A"), Some("1d"), None, Detail::Usual));
    project.set(variable("SSH_TTY", "1"));
    project.record("production", "2026-11-21T00:20:00Z");
    all.push_str(&project.log(None, None, None, Detail::Usual));
    insta::assert_snapshot!(all);
}

#[test]
fn one_screen_and_what_is_beyond() {
    let history = Project::week().history(None, None, None).unwrap();
    let few = LogLayout { limit: 3, width: 60, ..layout(Detail::Usual) };
    let brief = LogLayout { limit: 1, ..layout(Detail::Brief) };
    let texts = [log(&history, &few), log(&history, &brief)].map(|text| plain(&text));
    insta::assert_snapshot!(view::ascii(&texts.join("\n")));
}

#[test]
fn the_newest_are_said_to_be_the_newest() {
    let week = Project::week();
    let request =
        HistoryRequest { environment: "production".into(), part: None, since: None, until: None, most: 7 };
    let newest = usecase::history(&request, &week.context()).unwrap();
    assert_eq!((newest.changes.len(), newest.entries.len(), newest.reach), (7, 4, Reach::Newest));
    assert!(serde_json::to_string(&log_json(&newest)).unwrap().contains("\"complete\":false"));
    insta::assert_snapshot!(plain(&log(&newest, &layout(Detail::Usual))));
}

#[test]
fn for_scripts() {
    let week = Project::week();
    let whole = week.history(None, Some("2026-11-16T12:00"), None).unwrap();
    let json = serde_json::to_string_pretty(&log_json(&whole)).unwrap();
    insta::assert_snapshot!(json);
}

#[test]
fn all_timelines() {
    let mut week = Project::week();
    week.resources.clear();
    week.record("never-changed", "2026-11-20T08:00:00Z");
    week.record("never-changed", "2026-11-21T00:00:00Z");
    week.record("once", "2026-11-21T00:00:00Z");
    let mut context = week.context();
    context.config.environments.push(crate::config::Environment {
        name: "staging".into(),
        sources: Vec::new(),
        recorded_as: None,
    });
    let found = usecase::timelines(&context).unwrap();
    let json = serde_json::to_string_pretty(&timelines_json(&found)).unwrap();
    insta::assert_snapshot!(format!("{}\n{json}", plain(&timelines(&found, &clock()))));
}

/// That only the presence of a secret is known is no sameness.
#[test]
fn a_secret_that_can_not_be_compared_is_named() {
    let check = |keys: [Option<&str>; 2], part: Option<&str>, expected: &str| {
        let mut project = Project::new();
        project.set(variable("LOG_LEVEL", "warn"));
        for (key, hour) in keys.into_iter().zip(["08", "09"]) {
            project.key_id = key.map(ToOwned::to_owned);
            let fingerprint = key.map_or(Fingerprint::Present, |key_id| Fingerprint::Keyed {
                key_id: key_id.into(),
                mac: "a".repeat(32).into(),
            });
            project.set(variable("DB_PASSWORD", Value::Secret(fingerprint)));
            project.record("production", &format!("2026-11-20T{hour}:00:00Z"));
        }
        let history = project.history(part, None, None).unwrap();
        let gaps = serde_json::to_value(log_json(&history)).unwrap()["gaps"].clone();
        let text = plain(&log(&history, &layout(Detail::Usual)));
        if expected.is_empty() {
            assert!(!text.contains("secret") && text.contains("no change "), "{text}");
            assert_eq!(gaps, serde_json::json!([]));
        } else {
            let line = "1 secret (env/DB_PASSWORD) not recorded with one key: changes there may not be seen";
            assert!(text.contains(line) && text.contains("no change seen"), "{text}");
            assert_eq!(gaps[0]["what"], "env/DB_PASSWORD#value");
            assert!(gaps[0]["why"].as_str().unwrap().contains(expected), "{gaps}");
        }
    };
    for part in [None, Some("DB_PASSWORD"), Some("DB_PASSWORD#value"), Some("env/DB_*")] {
        check([None, None], part, "only its presence");
        check([Some("0badcafe"), None], part, "only its presence");
        check([None, Some("0badcafe")], part, "another key");
        check([Some("0badcafe"), Some("00c0ffee")], part, "another key");
        check([Some("00c0ffee"), Some("00c0ffee")], part, "");
    }
    check([None, None], Some("LOG_LEVEL"), "");
}

#[test]
fn the_limit_counts_what_is_asked_for() {
    let mut project = Project::new();
    for (hour, a, b) in [(1, "1", "1"), (2, "2", "1"), (3, "2", "2"), (4, "2", "3")] {
        project.set(Resource::new(Key::of(["document", "x", "1"]), "item").with("a", a).with("b", b));
        project.record("production", &format!("2026-11-20T0{hour}:00:00Z"));
    }
    let newest = |part: &str, most| project.newest(Some(part), (None, None), most).unwrap();
    for (part, most, count, reach) in [
        ("document/x/1#a", 1, 1, Reach::Whole),
        ("document/x/1#b", 1, 1, Reach::Newest),
        ("document/x/1#b", 2, 2, Reach::Whole),
    ] {
        let found = newest(part, most);
        assert_eq!((found.changes.len(), found.reach), (count, reach), "{part} {most}");
    }
}

/// What was first seen after the span may not push out what was seen in it.
#[test]
fn a_span_with_an_end_keeps_its_own_changes() {
    let mut project = Project::new();
    let hidden = |n: usize| variable(&format!("HIDDEN_{n}"), "1");
    (0..10).for_each(|n| project.set(hidden(n)));
    project.set(variable("A", "0"));
    project.record("production", "2026-11-20T01:00:00Z");
    project.gaps = vec![Gap::new("env/HIDDEN_*", GapKind::Permission, "denied")];
    (0..10).for_each(|n| project.unset(&format!("env/HIDDEN_{n}")));
    for hour in 2..5 {
        project.set(variable("A", hour.to_string()));
        project.record("production", &format!("2026-11-20T0{hour}:00:00Z"));
    }
    project.gaps = Vec::new();
    (0..10).for_each(|n| project.set(variable(&format!("HIDDEN_{n}"), "2")));
    project.record("production", "2026-11-20T05:00:00Z");
    for (most, count) in [(1, 1), (2, 2), (5, 5), (100, 13)] {
        let history = project.newest(None, (None, Some(at("2026-11-20T03:30:00Z"))), most).unwrap();
        assert_eq!(history.changes.len(), count);
        let own = history.changes.iter().filter(|change| change.key.as_str() == "env/A").count();
        assert_eq!(own, most.min(3), "{most}");
        let text = plain(&log(&history, &layout(Detail::Usual)));
        assert!(!text.contains("from 2026-11-20 05:00") && text.contains("recorded "), "{text}");
    }
}

#[test]
fn what_a_session_leaves_is_not_the_last_change() {
    let mut project = Project::new();
    for (hour, client, version) in [(1, "1", "18"), (2, "2", "20"), (3, "3", "20"), (4, "4", "20")] {
        project.set(variable("SSH_CLIENT", format!("10.0.0.{client} 1 22")));
        project.set(node(version));
        project.record("production", &format!("2026-11-20T0{hour}:00:00Z"));
    }
    let told = || plain(&timelines(&usecase::timelines(&project.context()).unwrap(), &clock()));
    assert!(told().contains("runtime/node#version 18 → 20"), "{}", told());
}

#[test]
fn that_more_changed_than_is_read_is_told() {
    let mut project = Project::new();
    project.record("production", "2026-11-20T01:00:00Z");
    let many = (0..20_001).map(|n| Resource::new(Key::of(["document", "x", &format!("{n:05}")]), "item"));
    project.resources = many.collect();
    project.record("production", "2026-11-20T02:00:00Z");
    let told = plain(&timelines(&usecase::timelines(&project.context()).unwrap(), &clock()));
    assert!(told.contains("20000 ") && told.trim_end().ends_with(" and more"), "{told}");
}
