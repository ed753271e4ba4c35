//! Kinds of the host layer.

use super::{AttributeRow, Compare, KindRow, Role};
use crate::{Code, Layer};

const fn row(path: &'static str, help: &'static str, compare: Compare, code: Code) -> AttributeRow {
    AttributeRow { path, help, compare, role: Role::Compared, code }
}

const fn context(path: &'static str, help: &'static str) -> AttributeRow {
    AttributeRow { path, help, compare: Compare::Text, role: Role::Context, code: Code::ConfigDrift }
}

/// The attributes that a reader knows a part of the host by.
const fn headline(id: &str) -> &'static [&'static str] {
    match id.as_bytes() {
        b"kernel" => &["release"],
        b"cpu" => &["architecture"],
        b"libc" => &["family", "version"],
        b"os" => &["id", "version"],
        _ => &[],
    }
}

const fn host(
    id: &'static str,
    title: &'static str,
    help: &'static str,
    key: &'static str,
    attributes: &'static [AttributeRow],
) -> KindRow {
    KindRow {
        id,
        title,
        help,
        key,
        layer: Layer::Host,
        missing: Code::ResourceMissing,
        attributes,
        headline: headline(id),
    }
}

pub(super) const KINDS: &[KindRow] = &[
    host(
        "kernel",
        "kernel",
        "The operating system's kernel.",
        "host/kernel",
        &[
            row("name", "Its name: `Linux`, `Darwin`.", Compare::Text, Code::KernelMismatch),
            row("release", "Its release, as `uname -r` gives it.", Compare::Version, Code::KernelMismatch),
            context("build", "The build's own text, as `uname -v` gives it."),
        ],
    ),
    host(
        "os",
        "operating system",
        "The distribution.",
        "host/os",
        &[
            row("id", "The distribution's id: `debian`, `macos`.", Compare::Text, Code::ConfigDrift),
            row("version", "Its version: `12`, `24.04`.", Compare::Version, Code::ConfigDrift),
            context("name", "Its name in words."),
        ],
    ),
    host(
        "libc",
        "C library",
        "The C library that programs load.",
        "host/libc",
        &[
            row("family", "`glibc`, `musl` or `libsystem`.", Compare::Text, Code::ConfigDrift),
            row("version", "Its version.", Compare::Version, Code::ConfigDrift),
        ],
    ),
    host(
        "cpu",
        "processor",
        "The processor as programs see it.",
        "host/cpu",
        &[
            row(
                "architecture",
                "The architecture: `x86_64`, `arm64`, in one spelling everywhere.",
                Compare::Text,
                Code::ArchMismatch,
            ),
            row(
                "emulated",
                "The architecture that an emulator (Rosetta, qemu) shows to programs; absent where there is none.",
                Compare::Text,
                Code::ArchMismatch,
            ),
            row(
                "level",
                "The feature level of x86-64: `x86-64-v1` to `x86-64-v4`.",
                Compare::Text,
                Code::ConfigDrift,
            ),
            row("page_size", "The size of a memory page in bytes.", Compare::Number, Code::ConfigDrift),
            row("count", "How many processors are online.", Compare::Number, Code::ConfigDrift),
            context("model", "The model's name."),
        ],
    ),
    host(
        "limits",
        "process limits",
        "The limits that processes start with.",
        "host/limits",
        &[
            // The kernel derives it from the machine's memory, and next to nothing runs into it.
            context("pending_signals.*", "How many signals may wait, soft and hard."),
            row(
                "*.soft",
                "The soft limit, in the resource's own unit, or `unlimited`.",
                Compare::Text,
                Code::ConfigDrift,
            ),
            row(
                "*.hard",
                "The hard limit, in the resource's own unit, or `unlimited`.",
                Compare::Text,
                Code::ConfigDrift,
            ),
        ],
    ),
    host(
        "cgroup",
        "control group",
        "What the control group grants.",
        "host/cgroup",
        &[
            row("version", "The version of the interface: `v1`, `v2`.", Compare::Text, Code::ConfigDrift),
            row(
                "memory_limit",
                "The memory limit in bytes, or `unlimited`.",
                Compare::Text,
                Code::ConfigDrift,
            ),
            row(
                "cpu_limit",
                "The processors granted, as a decimal number, or `unlimited`.",
                Compare::Text,
                Code::ConfigDrift,
            ),
        ],
    ),
    host(
        "locale",
        "locale",
        "The locale that programs start with.",
        "host/locale",
        &[row(
            "*",
            "The locale of all categories (`lang`), or of one that has another (`time`, `collate`).",
            Compare::Text,
            Code::ConfigDrift,
        )],
    ),
    host(
        "time",
        "time zone",
        "The time zone of the machine.",
        "host/time",
        &[
            row("zone", "The zone's name: `Europe/Rome`, `UTC`.", Compare::Text, Code::ConfigDrift),
            context("sha256", "The SHA-256 of the zone's file, where nothing names the zone."),
        ],
    ),
    host(
        "certificates",
        "CA bundle",
        "The certificate authorities that programs trust.",
        "host/certificates",
        &[
            row(
                "sha256",
                "The SHA-256 of the bundle; `missing` where a variable names a file that is not there.",
                Compare::Text,
                Code::ConfigDrift,
            ),
            context("path", "Where the bundle is."),
        ],
    ),
    host(
        "virtualisation",
        "virtualisation",
        "What the machine runs in.",
        "host/virtualisation",
        &[
            row("kind", "`none`, `container`, `vm` or `wsl`.", Compare::Text, Code::ConfigDrift),
            context("product", "The product, where it tells: `docker`, `kvm`."),
        ],
    ),
    host(
        "hostname",
        "host name",
        "The machine's name.",
        "host/name",
        &[context("name", "The name, as `hostname` gives it.")],
    ),
];
