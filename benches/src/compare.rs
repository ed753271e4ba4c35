//! `compare`: the engine alone, on two snapshots in memory.

use std::time::Instant;

use parallax_model::{AttributePath, Attributes, Key, Resource, Snapshot, SnapshotHeader, Timestamp, Value};

use crate::measure::{Cost, own_processor_seconds};
use crate::table::Table;
use crate::{Outcome, Setup};

const RESOURCES: usize = 20_000;
const ATTRIBUTES: usize = 50;
/// Every thousandth attribute differs.
const STRIDE: usize = 1000;

pub(crate) fn run(setup: &Setup) -> Outcome {
    let (left, right) = (snapshot("left", ""), snapshot("right", "9"));
    let expected = RESOURCES * ATTRIBUTES / STRIDE;
    let mut costs = Vec::new();
    for _ in 0..setup.runs {
        let (processor, start) = (own_processor_seconds(), Instant::now());
        let answer = parallax_engine::compare(&left, &right);
        let wall = start.elapsed().as_secs_f64();
        costs.push(Cost { processor: own_processor_seconds() - processor, wall, memory: 0.0 });
        if answer.differences.len() != expected {
            return Err(format!("{} differences instead of {expected}", answer.differences.len()));
        }
    }
    costs.sort_by(|a, b| a.processor.total_cmp(&b.processor));
    let mut table = Table::default();
    table.measured("engine::compare", costs.get(setup.runs / 2).copied().ok_or("no run")?);
    table.note(format!("all {expected} changes found; the goal is 0.2"));
    Ok(table)
}

fn snapshot(environment: &str, suffix: &str) -> Snapshot {
    let header = SnapshotHeader {
        environment: environment.to_owned(),
        captured_at: Timestamp::UNIX_EPOCH,
        tool: "bench".to_owned(),
        key_id: None,
        sources: Vec::new(),
        gaps: Vec::new(),
    };
    Snapshot::new(header, (0..RESOURCES).map(|number| resource(number, suffix)).collect())
}

fn resource(number: usize, suffix: &str) -> Resource {
    let name = format!("service-{number:05}");
    let mut resource = Resource::new(Key::of(["k8s", "apps", "Deployment", "shop", &name]), "object");
    let attributes = (0..ATTRIBUTES).map(|at| {
        let is_changed = (number * ATTRIBUTES + at).is_multiple_of(STRIDE);
        let value = format!("{name}-{at}.internal.example.org{}", if is_changed { suffix } else { "" });
        let path =
            AttributePath::new(&format!("spec.template.spec.containers[app].env[SETTING_{at:02}].value"));
        parallax_model::Attribute { path, value: Value::from(value) }
    });
    resource.attributes = Attributes::from_unsorted(attributes.collect());
    resource
}
