//! Use cases: what the faces call. Each is one function from a request to an answer as data; none prints.

mod check;
mod documents;
mod endpoint;
mod execute;
mod house;
mod initialise;
mod key;
mod machine;
mod observe;
mod place;
mod timeline;

pub use check::{Comparison, Request, check, diff, filter};
pub use endpoint::{Endpoint, resolve};
pub use execute::{VariableCheck, check_process};
pub use house::{Keep, Migrated, Run, Stats, Tidied, copy, masked, migrate, salvage, stats, tidy, verify};
pub use initialise::{Initialised, initialise};
pub use observe::{Observing, Progress, Quiet, Side, observe};
pub use place::StorePlace;
pub use timeline::open_store;

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
