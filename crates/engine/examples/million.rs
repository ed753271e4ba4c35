//! Measures the comparison of two snapshots of 1,000,000 attributes of which 0.1 % differ, in memory and on one
//! core: `cargo run --release -p parallax-engine --example million`. Prints; asserts only that the answer is right.

use std::io::Write;
use std::time::Instant;

use parallax_engine::boundary::Rules;
use parallax_model::{Key, Resource, Snapshot, SnapshotHeader, Timestamp, Value};

/// Attributes of one resource, and how many attributes there are for each one that differs.
const PER_RESOURCE: usize = 10;
const RESOURCES: usize = 100_000;
const ONE_IN: usize = 1000;

fn snapshot(environment: &str, changed: &str) -> Snapshot {
    let resources = (0..RESOURCES).map(|at| {
        let name = format!("object-{at:06}");
        let mut resource = Resource::new(Key::of(["document", "cluster", &name]), "document");
        for field in 0..PER_RESOURCE {
            let differs = (at * PER_RESOURCE + field).is_multiple_of(ONE_IN);
            let text = format!("value {at} of {field}{}", if differs { changed } else { "" });
            resource.attributes.set(format!("spec.template.field{field}").as_str(), Value::from(text));
        }
        resource
    });
    let header = SnapshotHeader {
        environment: environment.to_owned(),
        captured_at: Timestamp::UNIX_EPOCH,
        tool: "measurement".to_owned(),
        key_id: None,
        sources: Vec::new(),
        gaps: Vec::new(),
    };
    Snapshot::new(header, resources.collect())
}

fn main() -> std::io::Result<()> {
    let (left, right) = (snapshot("local", ""), snapshot("staging", " changed"));
    let mut out = std::io::stdout();
    for round in 1..=5 {
        let start = Instant::now();
        let found = parallax_engine::compare(&left, &right);
        let compared = start.elapsed();
        assert_eq!(found.differences.len(), RESOURCES * PER_RESOURCE / ONE_IN, "every change is found");
        let start = Instant::now();
        let judgement = parallax_engine::judge(found, &left, &right, &Rules::default());
        let judged = start.elapsed();
        writeln!(
            out,
            "round {round}: compare {} ms, judge {} ms, {} equal, {} differ",
            compared.as_millis(),
            judged.as_millis(),
            judgement.equal,
            judgement.divergences.len()
        )?;
    }
    Ok(())
}
