//! GitHub's workflows: the images of containers and services, and what `uses` names. An expression takes its values from
//! the matrix or from `env` of the file. Pure.

use super::{Found, Kind, is_yaml, named};
use crate::lockfile::Malformed;
use crate::project::files::WORKFLOWS;
use crate::project::workflow::values;
use crate::yaml::{Node, parse};

pub(super) fn fits(path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // Gitea and Forgejo read the same files from their own folders.
    let folders = [WORKFLOWS, ".gitea/workflows", ".forgejo/workflows"];
    is_yaml(path, &["*"]) && folders.iter().any(|one| folder == *one || folder.ends_with(&format!("/{one}")))
}

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let workflow = parse(text)?;
    let mut found = Vec::new();
    for (_, job) in workflow.get("jobs").map(Node::fields).unwrap_or_default() {
        let services = job.get("services").map(Node::fields).unwrap_or_default();
        let containers = job.get("container").into_iter().chain(services.iter().map(|(_, service)| service));
        for container in containers {
            image(text, container.get("image").unwrap_or(container), &workflow, job, &mut found);
        }
        // A job may be another workflow as a whole.
        found.extend(job.get("uses").and_then(|node| uses(text, node)));
        found.extend(steps(text, job));
    }
    Ok(found)
}

/// What the steps of a job, or of a composite action, use.
pub(super) fn steps(text: &str, of: &Node) -> Vec<Found> {
    let steps = of.get("steps").map(Node::items).unwrap_or_default();
    steps.iter().filter_map(|step| uses(text, step.get("uses")?)).collect()
}

fn image(text: &str, node: &Node, workflow: &Node, job: &Node, found: &mut Vec<Found>) {
    let Some(written) = named(node) else { return };
    if !written.contains("${{") {
        found.extend(Found::of_node(Kind::Image, text, node));
        return;
    }
    for value in values(written, workflow, job) {
        let why = "it takes its value from the matrix or `env`: write the digest there";
        found.push(Found::apart(Kind::Image, value, text, node.start(), why));
    }
}

/// An action, or an image after `docker://`; what is in the same repository is neither.
pub(super) fn uses(text: &str, node: &Node) -> Option<Found> {
    let written = named(node)?;
    if written.starts_with("./") || written.starts_with("../") {
        return None;
    }
    let Some(image) = written.strip_prefix("docker://") else {
        return Found::of_node(Kind::Action, text, node);
    };
    Some(match node.verbatim(text) {
        Some(range) => Found::here(Kind::Image, text, range.start + "docker://".len()..range.end),
        None => Found::apart(Kind::Image, image, text, node.start(), super::ESCAPED),
    })
}
