//! Kinds for plain documents: any JSON list becomes resources.

use super::KindRow;
use crate::{Code, Layer};

pub(super) const KINDS: &[KindRow] = &[
    KindRow {
        id: "document",
        title: "document row",
        help: "One item of a document's list, or a document that is no list.",
        key: "document/<name>/<row>",
        layer: Layer::Configuration,
        missing: Code::ResourceMissing,
        attributes: &[],
        headline: &[],
    },
    KindRow {
        id: "object",
        title: "Kubernetes object",
        help: "An object with `apiVersion`, `kind` and `metadata.name`.",
        key: "k8s/<group>/<Kind>/<namespace>/<name>",
        layer: Layer::Configuration,
        missing: Code::ResourceMissing,
        attributes: &[],
        headline: &[],
    },
];
