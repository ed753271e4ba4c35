//! Relations: typed, directed edges from one resource to another.

use serde::{Deserialize, Serialize};

use crate::Key;

/// What sort of edge. The text form is the kebab-case name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// A workload mounts a volume's source.
    Mounts,
    /// Reads a secret.
    ReadsSecret,
    /// Selects others by label.
    Selects,
    /// Sends traffic to.
    RoutesTo,
    /// Calls as a client.
    Calls,
    /// Runs a container image.
    RunsImage,
    /// Is subject to a policy, quota or pin.
    GovernedBy,
    /// Has its permissions from.
    GrantedBy,
    /// Needs in order to work.
    DependsOn,
    /// Is declared in a file.
    DeclaredIn,
}

/// A directed edge from the resource that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation {
    /// What sort of edge.
    pub kind: RelationKind,
    /// Where it points; that resource may be absent (then it dangles).
    pub to: Key,
}
