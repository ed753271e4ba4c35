//! Layers: where in the stack a resource belongs.

use serde::{Deserialize, Serialize};

/// The layer that a kind belongs to. Reports group by it, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Kernel, distribution, processor, limits.
    Host,
    /// Language runtimes and tools.
    Runtime,
    /// Packages that the software is built from.
    Dependency,
    /// Settings: environment variables, files, manifests.
    Configuration,
    /// Secrets and what binds them.
    Secret,
    /// What is allowed: admission, network, permissions.
    Policy,
    /// Container images.
    Image,
    /// Machines, networks and services of a provider.
    Infrastructure,
}

impl Layer {
    /// All layers, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Host,
        Self::Runtime,
        Self::Dependency,
        Self::Configuration,
        Self::Secret,
        Self::Policy,
        Self::Image,
        Self::Infrastructure,
    ];

    /// The lower-case name, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Runtime => "runtime",
            Self::Dependency => "dependency",
            Self::Configuration => "configuration",
            Self::Secret => "secret",
            Self::Policy => "policy",
            Self::Image => "image",
            Self::Infrastructure => "infrastructure",
        }
    }
}
