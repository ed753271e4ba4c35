//! Use cases: what the faces call. Each is one function from a request to an answer as data; none prints.

mod check;
mod documents;
mod endpoint;
mod execute;
mod fix;
mod history;
mod house;
mod image;
mod initialise;
mod integrity;
mod key;
mod lint;
mod machine;
mod noise;
mod observe;
mod parallel;
mod place;
mod point;
mod registry;
mod remember;
mod scope;
mod secrets;
pub mod short_key;
mod timeline;
mod when;

pub use check::{Comparison, Request, check, diff, filter};
pub use endpoint::{Endpoint, InTime, resolve, timeline_name};
pub use execute::{VariableCheck, check_process};
pub use fix::{Fixed, Unfixed, Writing, fix};
pub use history::{History, HistoryRequest, Reach, Timeline, history, timelines};
pub use house::{Keep, Migrated, Run, Stats, Tidied, copy, migrate, salvage, stats, tidy, verify};
pub use initialise::{Initialised, initialise};
pub use integrity::{Integrity, RegistryProgress};
pub use lint::{Finding, Fix, Lint, LintRequest, Registries, SetAside, Unread, lint};
pub use noise::{change_kind, noise};
pub use observe::{Observing, Progress, Projects, Provenance, Quiet, Side, observe};
pub use place::StorePlace;
pub use point::{Point, ago, told};
pub use remember::{Kept, Remembered, record, remember};
pub use scope::Scope;
pub use timeline::{existing_store, open_store};
pub use when::parse_time;

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
    /// The user's time zone, in which times are written and read.
    pub zone: jiff::tz::TimeZone,
    /// Where results of version probes may be kept; `None` keeps nothing.
    pub cache: Option<std::path::PathBuf>,
    /// Where timelines are kept.
    pub store: StorePlace,
}
