//! Groups of a report: what a reader looks for together.

use parallax_engine::boundary::Divergence;
use parallax_model::Layer;

/// A group of divergences under one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Runtimes, tools and their pins.
    Runtime,
    /// Lockfiles and packages.
    Lockfile,
    /// Environment variables.
    Environment,
    /// Settings of other sorts.
    Configuration,
    /// Secrets' bindings.
    Secret,
    /// Policies.
    Policy,
    /// Images.
    Image,
    /// Infrastructure.
    Infrastructure,
    /// The host.
    Host,
}

impl Group {
    /// All groups, in the order of reports: what fails most often first.
    pub const ALL: [Self; 9] = [
        Self::Runtime,
        Self::Lockfile,
        Self::Environment,
        Self::Configuration,
        Self::Secret,
        Self::Policy,
        Self::Image,
        Self::Infrastructure,
        Self::Host,
    ];

    /// The label in the first column.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Lockfile => "lockfile",
            Self::Environment => "env",
            Self::Configuration => "config",
            Self::Secret => "secret",
            Self::Policy => "policy",
            Self::Image => "image",
            Self::Infrastructure => "infra",
            Self::Host => "host",
        }
    }

    /// Whether a divergence belongs here.
    #[must_use]
    pub fn holds(self, divergence: &Divergence) -> bool {
        let difference = &divergence.difference;
        let group = match difference.layer {
            Layer::Host => Self::Host,
            Layer::Runtime => Self::Runtime,
            Layer::Dependency => Self::Lockfile,
            Layer::Configuration if difference.key.root() == "env" => Self::Environment,
            Layer::Configuration => Self::Configuration,
            Layer::Secret => Self::Secret,
            Layer::Policy => Self::Policy,
            Layer::Image => Self::Image,
            Layer::Infrastructure => Self::Infrastructure,
        };
        group == self
    }
}
