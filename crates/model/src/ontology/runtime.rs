//! Kinds of the runtime layer.

use super::{AttributeRow, Compare, KindRow, Role};
use crate::{Code, Layer};

const fn context(path: &'static str, help: &'static str) -> AttributeRow {
    AttributeRow { path, help, compare: Compare::Text, role: Role::Context, code: Code::RuntimeMismatch }
}

pub(super) const KINDS: &[KindRow] = &[KindRow {
    id: "runtime",
    title: "runtime",
    help: "A language runtime or tool that a bare command name reaches.",
    key: "runtime/<name>",
    layer: Layer::Runtime,
    missing: Code::RuntimeMismatch,
    attributes: &[
        AttributeRow {
            path: "version",
            help: "The version of what answers to the name.",
            compare: Compare::Version,
            role: Role::Compared,
            code: Code::RuntimeMismatch,
        },
        AttributeRow {
            path: "architecture",
            help: "The architecture that the binary is built for.",
            compare: Compare::Text,
            role: Role::Compared,
            code: Code::ArchMismatch,
        },
        context("path", "Where the command is found, as the search path gives it."),
        context("resolved", "The file that it resolves to, links followed."),
        context("candidates[*]", "Every place where the search path has the command, in order."),
        context("manager", "What put it there: `system`, `nvm`, `pyenv`, `rustup` ..."),
        context("from", "Where the version was read."),
    ],
    headline: &["version"],
}];
