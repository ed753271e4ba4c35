//! What the machine runs in: a container, WSL, a virtual machine, or nothing. Inside a container the
//! container is what is told, whatever is around it.

use parallax_model::{GapKind, Key, Resource};

use super::facts::{self, Facts, Platform};
use super::parse;
use super::processor::Mac;
use crate::Collected;
use crate::machine::{ProbeError, VariableValue};

/// Whether the kernel is that of the Windows Subsystem for Linux.
pub(super) fn is_wsl(facts: &Facts) -> bool {
    wsl(facts.release()).is_some()
}

/// Which Windows Subsystem for Linux has a kernel of that release: the first calls itself `4.4.0-19041-Microsoft`,
/// the second `..-microsoft-standard` and later `..-WSL2`.
pub(super) fn wsl(release: &str) -> Option<&'static str> {
    let lower = release.to_ascii_lowercase();
    let is_second = lower.contains("wsl2") || release.contains("microsoft-standard");
    lower.contains("microsoft").then_some(if is_second { "wsl2" } else { "wsl1" })
}

/// What the machine runs in.
pub(super) fn virtualisation(out: &mut Collected, facts: &Facts, mac: &Mac) {
    let (kind, product) = match surroundings(facts, mac) {
        Ok(found) => found,
        Err((kind, why)) => return out.gap("host/virtualisation", kind, why),
    };
    let mut resource =
        Resource::new(Key::of(["host", "virtualisation"]), "virtualisation").with("kind", kind);
    if let Some(product) = product.filter(|p| parse::is_line(p)) {
        resource.attributes.set("product", product);
    }
    out.push(resource);
}

type Found = (&'static str, Option<String>);

fn surroundings(facts: &Facts, mac: &Mac) -> Result<Found, (GapKind, String)> {
    match facts.platform {
        Platform::Mac => {
            let told = mac.is_virtual.map(|is| (if is { "vm" } else { "none" }, None));
            told.ok_or_else(|| (GapKind::Unsupported, "sysctl kern.hv_vmm_present does not tell".to_owned()))
        }
        Platform::Linux => {
            if let Some(product) = container(facts) {
                return Ok(("container", Some(product)));
            }
            if let Some(gap) = marks_error(facts) {
                return Err(gap);
            }
            match wsl(facts.release()) {
                Some(product) => Ok(("wsl", Some(product.to_owned()))),
                None => virtual_machine(facts),
            }
        }
        Platform::Unknown => Err((GapKind::Unsupported, "the kernel is not known".to_owned())),
    }
}

/// The container's product, by the marks that container engines leave.
fn container(facts: &Facts) -> Option<String> {
    if facts.variable("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("kubernetes".to_owned());
    }
    if facts.hint(facts::DOCKER_MARK).is_some() {
        return Some("docker".to_owned());
    }
    if facts.hint(facts::PODMAN_MARK).is_some() {
        return Some("podman".to_owned());
    }
    let word = |text: &str| parse::is_word(text.trim(), "-_.").then(|| text.trim().to_owned());
    if let Some(product) = facts.hint(facts::SYSTEMD_MARK).and_then(word) {
        return Some(product);
    }
    if let Some(VariableValue::Plain(value)) = facts.variable("container") {
        return Some(word(value).unwrap_or_else(|| "unknown".to_owned()));
    }
    let text = facts.hint(facts::CGROUP)?;
    parse::cgroup(text).iter().find_map(|m| m.path.split('/').find_map(engine)).map(str::to_owned)
}

/// The engine that names its groups so. A service of that name (`docker.service`) is none.
pub(super) fn engine(segment: &str) -> Option<&'static str> {
    let is = |name: &str| segment == name || segment.starts_with(&format!("{name}-"));
    match segment {
        _ if segment.starts_with("kubepods") => Some("kubernetes"),
        _ if is("docker") => Some("docker"),
        _ if is("libpod") => Some("podman"),
        _ if is("cri-containerd") || is("crio") => Some("kubernetes"),
        _ if is("lxc") || segment.starts_with("lxc.payload") => Some("lxc"),
        _ => None,
    }
}

/// Where a mark may or may not be there, *no container* can't be told.
fn marks_error(facts: &Facts) -> Option<(GapKind, String)> {
    let marks = [facts::DOCKER_MARK, facts::PODMAN_MARK, facts::SYSTEMD_MARK, facts::CGROUP];
    marks.iter().find_map(|path| {
        let error = facts.file(path).err()?;
        error.gap_kind().map(|kind| (kind, format!("{path}: {error}")))
    })
}

/// Vendors and products of virtual machines, by what the firmware says.
const PRODUCTS: &[(&str, &str)] = &[
    ("Amazon EC2", "amazon-ec2"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google-compute-engine"),
    ("KVM", "kvm"),
    ("OpenStack", "openstack"),
    ("Parallels", "parallels"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VirtualBox", "virtualbox"),
    ("Virtual Machine", "hyper-v"),
    ("Xen", "xen"),
];

/// A virtual machine tells by the processor's flag (a physical machine of a cloud has its vendor's name
/// and no flag); where processors have no such flag, by the firmware.
fn virtual_machine(facts: &Facts) -> Result<Found, (GapKind, String)> {
    let firmware: Vec<&str> =
        [facts::VENDOR, facts::PRODUCT].iter().filter_map(|path| facts.hint(path)).map(str::trim).collect();
    let fits = |name: &str| firmware.iter().any(|text| text.contains(name));
    let known = PRODUCTS.iter().find(|(name, _)| fits(name)).map(|(_, product)| (*product).to_owned());
    let text = facts.file(facts::CPUINFO);
    let flags = text.as_ref().map(|text| parse::cpuinfo(text).flags).unwrap_or_default();
    if flags.contains(&"hypervisor") {
        let said = firmware.iter().find(|text| parse::is_line(text)).map(|text| (*text).to_owned());
        return Ok(("vm", known.or(said)));
    }
    match (known, text) {
        (_, Ok(_)) if !flags.is_empty() => Ok(("none", None)),
        (Some(product), _) => Ok(("vm", Some(product))),
        (None, Ok(_)) if firmware.iter().any(|text| parse::is_line(text)) => Ok(("none", None)),
        (None, Ok(_)) | (None, Err(ProbeError::NotFound)) => {
            Err((GapKind::Unsupported, "neither the processor nor the firmware tells".to_owned()))
        }
        (None, Err(error)) => {
            Err((error.gap_kind().unwrap_or(GapKind::Failed), format!("{}: {error}", facts::CPUINFO)))
        }
    }
}
