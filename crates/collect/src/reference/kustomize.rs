//! Kustomizations: the tags that `images` sets. A digest beside it fixes the image. Pure.

use super::{Found, Kind};
use crate::lockfile::Malformed;
use crate::yaml::{Node, parse};

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let root = parse(text)?;
    let images = root.get("images").map(Node::items).unwrap_or_default();
    Ok(images.iter().filter_map(|image| of_image(text, image)).collect())
}

fn of_image(text: &str, image: &Node) -> Option<Found> {
    let field = |name: &str| image.get(name).and_then(Node::text).filter(|text| !text.is_empty());
    let tag = image.get("newTag")?;
    let name = field("newName").or_else(|| field("name"))?;
    let digest = field("digest").map(|digest| format!("@{digest}")).unwrap_or_default();
    let reference = format!("{name}:{}{digest}", tag.text()?);
    let why = "a kustomization has the digest in a field of its own: write `digest:` in place of `newTag:`";
    Some(Found::apart(Kind::Image, reference, text, tag.start(), why))
}
