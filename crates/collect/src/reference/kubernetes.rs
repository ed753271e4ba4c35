//! Manifests of Kubernetes: the images of containers, wherever an object holds them. Other YAML has none. Pure.

use super::{Found, Kind};
use crate::lockfile::Malformed;
use crate::yaml::{Content, Limit, Node, documents};

/// Where objects have containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    // Most YAML is none; what can't be one is not parsed.
    if !text.contains("apiVersion") || !text.contains("image") {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for document in documents(text, Limit::WRITTEN)? {
        if document.get("apiVersion").is_some() && document.get("kind").is_some() {
            walk(text, &document, &mut found);
        }
    }
    Ok(found)
}

/// The tree's depth is bounded where it was read.
fn walk(text: &str, node: &Node, found: &mut Vec<Found>) {
    match &node.content {
        Content::Map(fields) => {
            for (name, value) in fields {
                if CONTAINERS.contains(&name.as_str()) {
                    let images = value.items().iter().filter_map(|container| container.get("image"));
                    found.extend(images.filter_map(|image| Found::of_node(Kind::Image, text, image)));
                } else if name == "image" {
                    // A volume that is an image.
                    found.extend(
                        value.get("reference").and_then(|image| Found::of_node(Kind::Image, text, image)),
                    );
                }
                walk(text, value, found);
            }
        }
        Content::List(items) => items.iter().for_each(|item| walk(text, item, found)),
        Content::Nothing | Content::Text(_) => {}
    }
}
