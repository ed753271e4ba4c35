//! Compose files: the images of services. Where a service is built, `image` names what is built. Variables take the default
//! that the file gives them. Pure.

use std::collections::BTreeMap;

use super::{Found, Kind, named};
use crate::lockfile::Malformed;
use crate::project::dockerfile::expand;
use crate::yaml::{Node, parse};

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let root = parse(text)?;
    let services = root.get("services").map(Node::fields).unwrap_or_default();
    let fetched = services.iter().filter(|(_, service)| service.get("build").is_none());
    Ok(fetched.filter_map(|(_, service)| image(text, service.get("image")?)).collect())
}

fn image(text: &str, node: &Node) -> Option<Found> {
    let written = named(node)?;
    if !written.contains('$') {
        return Found::of_node(Kind::Image, text, node);
    }
    let why = "it takes parts from variables: write the whole reference with its digest as the default";
    Some(Found::apart(Kind::Image, expand(written, &BTreeMap::new()), text, node.start(), why))
}
