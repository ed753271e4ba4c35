//! The processor as programs see it: architecture in one spelling, feature level, count, page size.
//! Does not measure anything.

use parallax_model::{GapKind, Key, Resource};

use super::facts::{CPUINFO, Facts, Platform, TIMEOUT, unseen};
use super::parse::{self, CpuInfo};
use crate::Collected;
use crate::machine::{Batch, Output, ProbeError, Replies, Run, Ticket};

/// The architecture in the one spelling that every collector uses.
pub(crate) fn architecture(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let one = match lower.as_str() {
        "x86_64" | "amd64" | "x64" | "x86-64" => "x86_64",
        "arm64" | "aarch64" | "arm64e" | "armv8" => "arm64",
        "i386" | "i486" | "i586" | "i686" | "i86pc" | "x86" => "i386",
        "armv7l" | "armv8l" | "armv7" | "armhf" => "armv7",
        "armv6l" | "armv6" | "armel" => "armv6",
        "ppc64le" | "ppc64el" | "powerpc64le" => "ppc64le",
        other => other,
    };
    parse::is_word(one, "_-.").then(|| one.to_owned())
}

/// The flags, by Linux's names, that each level of the x86-64 psABI adds to the one before.
const LEVELS: [(&str, &[&str]); 4] = [
    ("x86-64-v1", &["cmov", "cx8", "fpu", "fxsr", "mmx", "sse", "sse2", "syscall"]),
    ("x86-64-v2", &["cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"]),
    ("x86-64-v3", &["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"]),
    ("x86-64-v4", &["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"]),
];

/// The highest level whose flags, and those of all levels beneath, are there.
pub(super) fn level(flags: &[&str]) -> Option<&'static str> {
    let reached = LEVELS.iter().take_while(|(_, needed)| needed.iter().all(|flag| flags.contains(flag)));
    reached.last().map(|(name, _)| *name)
}

/// What only macOS tells, by `sysctl`.
#[derive(Debug, Default)]
pub(super) struct Mac {
    /// The processor is an Arm one, whatever programs see.
    is_arm: bool,
    /// The programs that looked are translated by Rosetta.
    is_translated: bool,
    /// Whether it is a virtual machine, where it tells.
    pub(super) is_virtual: Option<bool>,
    model: Option<String>,
    flags: Vec<String>,
    /// Why it could not be asked.
    pub(super) error: Option<ProbeError>,
}

const SYSCTL: &str = "/usr/sbin/sysctl";

const NAMES: &[&str] = &[
    "hw.optional.arm64",
    "kern.hv_vmm_present",
    "machdep.cpu.brand_string",
    "machdep.cpu.extfeatures",
    "machdep.cpu.features",
    "machdep.cpu.leaf7_features",
    "sysctl.proc_translated",
];

/// Asks what only macOS tells; nothing elsewhere.
pub(super) fn ask_mac(batch: &mut Batch, facts: &Facts) -> Option<Ticket<Output>> {
    (facts.platform == Platform::Mac).then(|| {
        // `-i`: a name that this Mac does not have is passed over.
        let argv = [SYSCTL, "-i"].iter().chain(NAMES).map(ToString::to_string).collect();
        batch.run(Run { argv, timeout: TIMEOUT, max_bytes: 16_384, depends_on: Vec::new() })
    })
}

/// Reads what macOS told; nothing elsewhere.
pub(super) fn read_mac(asked: &Option<Ticket<Output>>, replies: &Replies) -> Mac {
    let mut mac = Mac::default();
    let output = match asked.map(|ticket| replies.get(ticket)) {
        None => return mac,
        Some(Err(error)) => return Mac { error: Some(error), ..mac },
        Some(Ok(output)) => output,
    };
    for (name, value) in parse::sysctl(&String::from_utf8_lossy(&output.stdout)) {
        match name {
            "hw.optional.arm64" => mac.is_arm = value == "1",
            "sysctl.proc_translated" => mac.is_translated = value == "1",
            "kern.hv_vmm_present" => mac.is_virtual = ["0", "1"].contains(&value).then_some(value == "1"),
            "machdep.cpu.brand_string" => mac.model = parse::is_line(value).then(|| value.to_owned()),
            "machdep.cpu.features" | "machdep.cpu.extfeatures" | "machdep.cpu.leaf7_features" => {
                mac.flags.extend(value.split_ascii_whitespace().map(linux_flag));
            }
            _ => {}
        }
    }
    mac
}

/// A feature by the name that Linux gives it.
fn linux_flag(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "sse3" => "pni",
        "avx1.0" => "avx",
        "lzcnt" => "abm",
        "lahf" => "lahf_lm",
        _ => return lower.replace('.', "_"),
    }
    .to_owned()
}

/// The processor.
pub(super) fn processor(out: &mut Collected, facts: &Facts, mac: &Mac) {
    let system = match &facts.system {
        Ok(system) => system,
        Err(error) => return unseen(out, "host/cpu", "uname", error),
    };
    let text = facts.file(CPUINFO);
    let info = text.as_ref().map(|text| parse::cpuinfo(text)).unwrap_or_default();
    let mut resource = Resource::new(Key::of(["host", "cpu"]), "cpu");
    let seen = architecture(&system.machine);
    let true_one = hardware(seen.as_deref(), &info, mac);
    match true_one.or(seen.as_deref()) {
        Some(name) => resource.attributes.set("architecture", name),
        None => out.gap("host/cpu#architecture", GapKind::Unsupported, "uname -m does not tell"),
    }
    if let (Some(_), Some(seen)) = (true_one, &seen) {
        resource.attributes.set("emulated", seen.as_str());
    }
    for (path, value) in [("count", system.processors), ("page_size", system.page_size)] {
        if value == 0 {
            out.gap(format!("host/cpu#{path}"), GapKind::Unsupported, "the system does not tell");
        } else {
            resource.attributes.set(path, value);
        }
    }
    if let Some(model) = info.model.or(mac.model.as_deref()) {
        resource.attributes.set("model", model);
    }
    if seen.as_deref() == Some("x86_64") && true_one.is_none() {
        set_level(out, &mut resource, &info, mac, text.err());
    }
    if let Some(error) = &mac.error {
        // An Intel Mac and a Mac that translates look alike without it.
        unseen(out, "host/cpu", SYSCTL, error);
    }
    if resource.attributes.is_empty() {
        out.gap("host/cpu", GapKind::Unsupported, "nothing tells of the processor");
    } else {
        out.push(resource);
    }
}

/// The hardware's own architecture, where it is another than programs are told: Rosetta on macOS, and
/// Rosetta or qemu under Linux, whose `/proc/cpuinfo` gives the Arm processor away.
fn hardware(seen: Option<&str>, info: &CpuInfo<'_>, mac: &Mac) -> Option<&'static str> {
    let arm = mac.is_arm || mac.is_translated || info.is_arm || info.vendor == Some("VirtualApple");
    (arm && matches!(seen, Some("x86_64" | "i386"))).then_some("arm64")
}

fn set_level(
    out: &mut Collected,
    resource: &mut Resource,
    info: &CpuInfo<'_>,
    mac: &Mac,
    error: Option<ProbeError>,
) {
    let mut flags = info.flags.clone();
    flags.extend(mac.flags.iter().map(String::as_str));
    match (level(&flags), error) {
        (Some(level), _) => resource.attributes.set("level", level),
        (None, Some(error)) if flags.is_empty() => {
            unseen(out, "host/cpu#level", CPUINFO, &error);
        }
        (None, Some(_) | None) => {
            out.gap("host/cpu#level", GapKind::NotParsed, "the processor's flags tell no level of x86-64");
        }
    }
}
