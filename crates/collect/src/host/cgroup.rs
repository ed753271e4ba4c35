//! What the control group grants: memory and processors, by either version of the interface.
//!
//! Limits nest: the smallest on the way from the root to the own group applies. A container without a name
//! space of its own is told its path on the host, and sees its own group at the root; what does
//! not exist on the way is therefore passed over. Processor sets and weights are not read.

use parallax_model::{GapKind, Key, Resource};

use super::facts::{CGROUP, CGROUP_ROOT, Facts, LIMITS, Platform, unseen};
use super::parse::{self, Membership};
use crate::Collected;
use crate::machine::{Batch, Entry, FileContent, ProbeError, Replies, Ticket};

/// Deeper groups are not looked into.
const MAX_DEPTH: usize = 32;

/// A version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    V1,
    V2,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::Memory => "memory_limit",
            Self::Cpu => "cpu_limit",
        }
    }

    /// The files of a group that state its limit.
    fn files(self, interface: Interface) -> &'static [&'static str] {
        match (self, interface) {
            (Self::Memory, Interface::V1) => &["memory.limit_in_bytes"],
            (Self::Memory, Interface::V2) => &["memory.max"],
            (Self::Cpu, Interface::V1) => &["cpu.cfs_quota_us", "cpu.cfs_period_us"],
            (Self::Cpu, Interface::V2) => &["cpu.max"],
        }
    }
}

/// A limit: bytes, or thousandths of a processor. The smaller one applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    Of(u64),
    Unlimited,
}

/// One group on the way from the root to the own one: the folder, and its files.
type Level = (String, Vec<Ticket<FileContent>>);

/// What was asked of one controller.
#[derive(Debug)]
struct AskedController {
    controller: Controller,
    interface: Interface,
    /// The groups, or why they can't be looked into.
    levels: Result<Vec<Level>, String>,
}

/// What was asked of all controllers; nothing where the host has no control groups.
#[derive(Debug, Default)]
pub(super) struct AskedGroup(Vec<AskedController>);

/// Asks for the limits of the own group and those around it.
pub(super) fn ask(batch: &mut Batch, facts: &Facts) -> AskedGroup {
    let Ok(text) = facts.file(CGROUP) else { return AskedGroup::default() };
    let memberships = parse::cgroup(text);
    let root = facts.cgroup_root.as_deref().unwrap_or_default();
    let one = |controller| ask_controller(batch, controller, &memberships, root);
    AskedGroup([Controller::Memory, Controller::Cpu].into_iter().filter_map(one).collect())
}

fn ask_controller(
    batch: &mut Batch,
    controller: Controller,
    memberships: &[Membership<'_>],
    root: &[Entry],
) -> Option<AskedController> {
    let of_v1 = memberships.iter().find(|m| m.controllers.contains(&controller.name()));
    let unified = memberships.iter().find(|m| m.controllers.is_empty());
    let (membership, interface) = match (of_v1, unified) {
        (Some(membership), _) => (membership, Interface::V1),
        (None, Some(membership)) => (membership, Interface::V2),
        (None, None) => return None,
    };
    let levels = mount(controller, interface, root)
        .ok_or_else(|| format!("{CGROUP_ROOT}: the {} controller is not mounted there", controller.name()))
        .and_then(|base| groups(&base, membership.path))
        .map(|folders| {
            let ask = |folder: String| {
                let names = controller.files(interface).iter();
                let tickets = names.map(|name| batch.read(format!("{folder}/{name}"), 256)).collect();
                (folder, tickets)
            };
            folders.into_iter().map(ask).collect()
        });
    Some(AskedController { controller, interface, levels })
}

/// Where a controller's hierarchy is mounted, by what stands in the root.
fn mount(controller: Controller, interface: Interface, root: &[Entry]) -> Option<String> {
    let find = |fits: &dyn Fn(&str) -> bool| root.iter().find(|e| fits(&e.name)).map(|e| e.name.as_str());
    match interface {
        Interface::V1 => {
            let name = find(&|name| name.split(',').any(|part| part == controller.name()))?;
            Some(format!("{CGROUP_ROOT}/{name}"))
        }
        Interface::V2 if find(&|name| name == "cgroup.controllers").is_some() => Some(CGROUP_ROOT.to_owned()),
        Interface::V2 => find(&|name| name == "unified").map(|name| format!("{CGROUP_ROOT}/{name}")),
    }
}

/// The folders of a group and all around it, the root first.
fn groups(base: &str, path: &str) -> Result<Vec<String>, String> {
    let mut folders = vec![base.to_owned()];
    for segment in path.split('/').filter(|s| !s.is_empty()) {
        // A name with bytes that are no text would be asked for by another name.
        if segment == ".." || !parse::is_line(segment) || folders.len() > MAX_DEPTH {
            return Err(format!("{CGROUP}: the own group is out of sight, too deep, or its name is no text"));
        }
        let folder = format!("{}/{segment}", folders.last().map_or(base, String::as_str));
        folders.push(folder);
    }
    Ok(folders)
}

/// The control group.
pub(super) fn control_group(out: &mut Collected, facts: &Facts, asked: &AskedGroup, replies: &Replies) {
    match facts.file(CGROUP) {
        // A kernel without control groups has no such file; a system that does not show processes has
        // neither that nor the limits.
        Err(ProbeError::NotFound) if !matches!(facts.file(LIMITS), Err(ProbeError::NotFound)) => return,
        Err(ProbeError::NotFound) if facts.platform != Platform::Linux => return,
        Err(error) => {
            return unseen(out, "host/cgroup", CGROUP, &error);
        }
        Ok(_) => {}
    }
    if asked.0.is_empty() {
        return out.gap("host/cgroup", GapKind::NotParsed, format!("{CGROUP}: tells no group"));
    }
    let is_v1 = asked.0.iter().any(|a| a.interface == Interface::V1);
    let version = if is_v1 { "v1" } else { "v2" };
    let mut resource = Resource::new(Key::of(["host", "cgroup"]), "cgroup").with("version", version);
    for one in &asked.0 {
        match smallest(one, replies) {
            Ok(limit) => resource.attributes.set(one.controller.attribute(), shown(one.controller, limit)),
            Err((kind, why)) => out.gap(format!("host/cgroup#{}", one.controller.attribute()), kind, why),
        }
    }
    out.push(resource);
}

fn smallest(asked: &AskedController, replies: &Replies) -> Result<Limit, (GapKind, String)> {
    let levels = asked.levels.as_ref().map_err(|why| (GapKind::Unsupported, why.clone()))?;
    let mut limit = Limit::Unlimited;
    for (folder, tickets) in levels {
        let texts: Result<Vec<String>, ProbeError> =
            tickets.iter().map(|ticket| replies.get(*ticket).map(FileContent::text)).collect();
        match texts {
            Err(ProbeError::NotFound) => {}
            Err(error) => {
                let kind = error.gap_kind().unwrap_or(GapKind::Failed);
                return Err((kind, format!("{folder}: {error}")));
            }
            Ok(texts) => match read_limit(asked.controller, asked.interface, &texts) {
                Some(found) => limit = limit.min(found),
                None => return Err((GapKind::NotParsed, format!("{folder}: states no limit"))),
            },
        }
    }
    Ok(limit)
}

fn read_limit(controller: Controller, interface: Interface, texts: &[String]) -> Option<Limit> {
    let first = texts.first().map_or("", String::as_str);
    match (controller, interface) {
        (Controller::Memory, _) => memory(first),
        (Controller::Cpu, Interface::V2) => {
            let mut words = first.split_ascii_whitespace();
            cpu(words.next()?, words.next()?)
        }
        (Controller::Cpu, Interface::V1) => cpu(first.trim(), texts.get(1)?.trim()),
    }
}

/// Bytes, or unlimited: `max` in version 2, and in version 1 a number near the largest there is.
pub(super) fn memory(text: &str) -> Option<Limit> {
    let text = text.trim();
    if text == "max" {
        return Some(Limit::Unlimited);
    }
    let bytes: u64 = text.parse().ok()?;
    Some(if bytes >= 1 << 62 { Limit::Unlimited } else { Limit::Of(bytes) })
}

/// Thousandths of a processor, by the time that may be used in each period.
pub(super) fn cpu(quota: &str, period: &str) -> Option<Limit> {
    let period: u64 = period.parse().ok()?;
    if quota == "max" || quota == "-1" {
        return Some(Limit::Unlimited);
    }
    let quota: u64 = quota.parse().ok()?;
    quota.checked_mul(1000)?.checked_div(period).map(Limit::Of)
}

fn shown(controller: Controller, limit: Limit) -> String {
    match (limit, controller) {
        (Limit::Unlimited, _) => "unlimited".to_owned(),
        (Limit::Of(bytes), Controller::Memory) => bytes.to_string(),
        (Limit::Of(thousandths), Controller::Cpu) => {
            let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}
