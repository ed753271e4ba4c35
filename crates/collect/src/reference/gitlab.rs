//! GitLab's pipelines: the images of jobs and of their services. Variables take their value from the file. Pure.

use super::{Found, Kind, named};
use crate::lockfile::Malformed;
use crate::project::gitlab::expand;
use crate::yaml::{Node, parse};

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let root = parse(text)?;
    let mut found = of_job(text, &root, &root);
    for (_, job) in root.fields() {
        found.extend(of_job(text, job, &root));
    }
    Ok(found)
}

fn of_job(text: &str, job: &Node, root: &Node) -> Vec<Found> {
    let services = job.get("services").map(Node::items).unwrap_or_default();
    let images = job.get("image").into_iter().chain(services);
    images.filter_map(|node| image(text, node.get("name").unwrap_or(node), [job, root])).collect()
}

fn image(text: &str, node: &Node, scopes: [&Node; 2]) -> Option<Found> {
    let written = named(node)?;
    if !written.contains('$') {
        return Found::of_node(Kind::Image, text, node);
    }
    let why = "it takes parts from `variables`: write the digest there";
    Some(Found::apart(Kind::Image, expand(written, &scopes), text, node.start(), why))
}
