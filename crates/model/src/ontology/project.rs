//! Kinds that a project's own files declare: pins, lockfiles, packages.

use super::{AttributeRow, Compare, KindRow, Role};
use crate::{Code, Layer};

const fn row(
    path: &'static str,
    help: &'static str,
    compare: Compare,
    role: Role,
    code: Code,
) -> AttributeRow {
    AttributeRow { path, help, compare, role, code }
}

pub(super) const KINDS: &[KindRow] = &[
    KindRow {
        id: "pin",
        title: "pin",
        help: "What a project's files say of the version of a tool; a sub-project's are under `pin/<tool>/<folder>`.",
        key: "pin/<tool>",
        layer: Layer::Runtime,
        missing: Code::ConfigDrift,
        attributes: &[
            row(
                "by[*]",
                "The version or range that one place declares, several joined by ` || `; the place is a file, or a file and a field.",
                Compare::Text,
                Role::Compared,
                Code::ConfigDrift,
            ),
            row(
                "at[*]",
                "The line of that declaration, from 1.",
                Compare::Number,
                Role::Context,
                Code::ConfigDrift,
            ),
        ],
        headline: &[],
    },
    KindRow {
        id: "lockfile",
        title: "lockfile",
        help: "A file that fixes the versions of a project's packages.",
        key: "lockfile/<path>",
        layer: Layer::Dependency,
        missing: Code::LockfileOutdated,
        attributes: &[
            row("sha256", "The SHA-256 of the file.", Compare::Text, Role::Compared, Code::LockfileOutdated),
            row(
                "format",
                "Which format it has: `npm-v3`, `yarn-v1` ...",
                Compare::Text,
                Role::Context,
                Code::LockfileOutdated,
            ),
            row(
                "ecosystem",
                "Whose packages it fixes: `npm`, `cargo` ...",
                Compare::Text,
                Role::Context,
                Code::LockfileOutdated,
            ),
            row(
                "packages",
                "How many packages and versions it fixes, where its format is read.",
                Compare::Number,
                Role::Context,
                Code::LockfileOutdated,
            ),
            row(
                "installed",
                "The hash of names and versions that are installed, where a tree of installed packages was read.",
                Compare::Text,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "selected",
                "Which of the locked packages its platform gets; made where the sides' platforms differ.",
                Compare::Text,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "tree",
                "Where its packages are installed.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
        ],
        headline: &["sha256"],
    },
    KindRow {
        id: "dependency",
        title: "package",
        help: "A package that a project's lockfile resolves to.",
        key: "dependency/<ecosystem>/<name>",
        layer: Layer::Dependency,
        missing: Code::DependencyDrift,
        attributes: &[
            row(
                "version",
                "Its version; a commit or a path where it comes from git or the disk.",
                Compare::Version,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "versions",
                "Its versions, separated by spaces, where several are there.",
                Compare::Set,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "installed",
                "The versions that are installed, separated by spaces.",
                Compare::Set,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "declared",
                "What the project's manifests ask for, each distinct one once, separated by ` | `.",
                Compare::Text,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "locked_for",
                "What the manifests asked for when the lockfile was made, where that tells.",
                Compare::Text,
                Role::Context,
                Code::LockfileOutdated,
            ),
            row(
                "integrity",
                "The content hashes that are locked, separated by spaces.",
                Compare::Set,
                Role::Compared,
                Code::IntegrityMismatch,
            ),
            row(
                "source",
                "Where it comes from, where that is not the ecosystem's own registry.",
                Compare::Set,
                Role::Compared,
                Code::DependencyDrift,
            ),
            row(
                "purl",
                "Its package URL, without a version.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
            row(
                "direct",
                "Whether the project itself asks for it.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
            row(
                "dev",
                "Whether only the project's development needs it.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
            row(
                "optional",
                "Whether an installation goes on without it.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
            row(
                "when",
                "The platforms that it is installed on, where not on all.",
                Compare::Text,
                Role::Context,
                Code::DependencyDrift,
            ),
        ],
        headline: &[],
    },
];
