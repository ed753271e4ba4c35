//! Kinds of images, and of the packages that operating systems keep lists of.

use super::{AttributeRow, Compare, KindRow, Role};
use crate::{Code, Layer};

const fn row(path: &'static str, help: &'static str, compare: Compare) -> AttributeRow {
    AttributeRow { path, help, compare, role: Role::Compared, code: Code::ImageDrift }
}

const fn context(path: &'static str, help: &'static str) -> AttributeRow {
    AttributeRow { path, help, compare: Compare::Text, role: Role::Context, code: Code::ImageDrift }
}

const fn package(path: &'static str, help: &'static str, role: Role) -> AttributeRow {
    // Not as versions: a distribution's revision is behind a `+`, and is another package.
    AttributeRow { path, help, compare: Compare::Text, role, code: Code::DependencyDrift }
}

pub(super) const KINDS: &[KindRow] = &[
    KindRow {
        id: "image",
        title: "image",
        help: "A container image, for one platform.",
        key: "image/<repository>",
        layer: Layer::Image,
        missing: Code::ImageDrift,
        attributes: &[
            row("digest", "The digest of the manifest for the platform: what runs.", Compare::Text),
            row(
                "id",
                "The digest of the configuration: equal where only the manifest's form or the compression of layers differs.",
                Compare::Text,
            ),
            // A platform that is added makes another index, and changes nothing for the others.
            context("index", "The digest of the index, where the name stands for several platforms."),
            context("platforms", "The platforms that the name stands for."),
            context("registry", "The registry that it is from."),
            context("tag", "The tag, as it was asked for."),
            context("created", "When it was built."),
            row("os", "The operating system that it is for.", Compare::Text),
            row(
                "architecture",
                "The architecture that it is for, as images spell it: `amd64`.",
                Compare::Text,
            ),
            row("variant", "The variant of the architecture: `v8`.", Compare::Text),
            row("user", "The user that its process runs as.", Compare::Text),
            row("entrypoint", "The words before the command.", Compare::Text),
            row("cmd", "The command, or the entry point's arguments.", Compare::Text),
            row("working_dir", "The folder where its process starts.", Compare::Text),
            row("ports", "The ports that it says it listens on.", Compare::Set),
            row("volumes", "The folders that are meant to be mounted.", Compare::Set),
            row("stop_signal", "The signal that stops it.", Compare::Text),
            // Notes of the build: they differ with each one, and name what made it.
            context("labels[org.opencontainers.image.*]", "A note of the build on itself."),
            context("labels[org.label-schema.*]", "A note of the build on itself."),
            row("labels[*]", "A label.", Compare::Text),
        ],
        headline: &["digest"],
    },
    KindRow {
        id: "packages",
        title: "list of OS packages",
        help: "The packages that the operating system's package manager has installed, as a whole.",
        key: "package/<manager>",
        layer: Layer::Host,
        missing: Code::DependencyDrift,
        attributes: &[
            package(
                "sha256",
                "The hash over names, versions and architectures of all packages.",
                Role::Compared,
            ),
            package("packages", "How many packages there are.", Role::Context),
        ],
        headline: &[],
    },
    KindRow {
        id: "package",
        title: "OS package",
        help: "A package that the operating system's package manager has installed.",
        key: "package/<manager>/<name>",
        layer: Layer::Host,
        missing: Code::DependencyDrift,
        attributes: &[
            package("version", "Its version, with the distribution's revision.", Role::Compared),
            package(
                "architecture",
                "The architecture that it is for; `all` where it is for each.",
                Role::Compared,
            ),
            package("source", "The source package that it was built from.", Role::Context),
        ],
        headline: &[],
    },
];
