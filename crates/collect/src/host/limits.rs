//! The limits that processes start with: those of the process that observes, which inherits them as any
//! other does (over ssh, the far shell).

use parallax_model::{GapKind, Key, Resource};

use super::facts::{Facts, LIMITS, Platform, TIMEOUT, unseen};
use super::parse::{self, Limit};
use crate::Collected;
use crate::machine::{Batch, Output, Replies, Run, Ticket};

/// Asks a Mac's shell, as no file tells there; nothing elsewhere.
pub(super) fn ask_mac(batch: &mut Batch, facts: &Facts) -> Option<Ticket<Output>> {
    (facts.platform == Platform::Mac).then(|| {
        let argv = ["/bin/sh", "-c", "ulimit -Sa; echo --; ulimit -Ha"].map(str::to_owned).to_vec();
        batch.run(Run { argv, timeout: TIMEOUT, max_bytes: 16_384, depends_on: Vec::new() })
    })
}

/// The limits.
pub(super) fn limits(out: &mut Collected, facts: &Facts, asked: Option<Ticket<Output>>, replies: &Replies) {
    let (place, found) = match asked {
        Some(ticket) => {
            let output = replies.get(ticket);
            ("ulimit", output.map(|o| parse::ulimits(&String::from_utf8_lossy(&o.stdout))))
        }
        None => (LIMITS, facts.file(LIMITS).map(parse::limits)),
    };
    match found {
        Ok(found) if found.is_empty() => {
            out.gap("host/limits", GapKind::NotParsed, format!("{place}: tells no limit"));
        }
        Ok(found) => out.push(resource(found)),
        Err(error) => {
            // Every process has limits: a system without that file does not show them.
            unseen(out, "host/limits", place, &error);
        }
    }
}

fn resource(found: Vec<Limit>) -> Resource {
    let mut resource = Resource::new(Key::of(["host", "limits"]), "limits");
    for (name, soft, hard) in found {
        resource.attributes.set(format!("{name}.soft").as_str(), soft);
        resource.attributes.set(format!("{name}.hard").as_str(), hard);
    }
    resource
}
