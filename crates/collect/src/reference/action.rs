//! Actions of a project's own (`action.yml`): what a composite one uses, and the image of one that is a container. Pure.

use super::{Found, workflow};
use crate::lockfile::Malformed;
use crate::yaml::parse;

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let action = parse(text)?;
    let Some(runs) = action.get("runs") else { return Ok(Vec::new()) };
    let mut found = workflow::steps(text, runs);
    // `Dockerfile` is built; only `docker://image` is one that is fetched.
    let image =
        runs.get("image").filter(|node| node.text().is_some_and(|text| text.starts_with("docker://")));
    found.extend(image.and_then(|node| workflow::uses(text, node)));
    Ok(found)
}
