//! Use cases: what the faces call. Each is one function from a request to an answer as data; none prints.

mod check;
mod documents;
mod endpoint;
mod execute;
mod fix;
mod initialise;
mod integrity;
mod key;
mod lint;
mod machine;
mod observe;
mod parallel;
mod place;
mod registry;
mod timeline;

pub use check::{Comparison, Request, check, diff, filter};
pub use endpoint::{Endpoint, resolve};
pub use execute::{VariableCheck, check_process};
pub use fix::{Fixed, Unfixed, Writing, fix};
pub use initialise::{Initialised, initialise};
pub use integrity::{Integrity, RegistryProgress};
pub use lint::{Finding, Fix, Lint, LintRequest, Registries, SetAside, Unread, lint};
pub use observe::{Observing, Progress, Quiet, Side, observe};
pub use place::StorePlace;
pub use timeline::open_store;

/// Whether anything may be asked over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Allowed,
    /// `--offline` was given.
    Offline,
}

/// Says nothing while registries are asked.
#[derive(Debug, Clone, Copy)]
pub struct NoRegistryProgress;

impl RegistryProgress for NoRegistryProgress {
    fn begin(&self, _packages: usize) {}
    fn step(&self) {}
    fn end(&self) {}
}

/// What every use case is handed: the configuration, where the user stands, and the clock's reading.
#[derive(Debug)]
pub struct Context {
    /// The configuration.
    pub config: crate::config::Config,
    /// The folder that the user stands in.
    pub folder: std::path::PathBuf,
    /// When this run began.
    pub now: parallax_model::Timestamp,
    /// Where results of version probes may be kept; `None` keeps nothing.
    pub cache: Option<std::path::PathBuf>,
    /// Where timelines are kept.
    pub store: StorePlace,
}
