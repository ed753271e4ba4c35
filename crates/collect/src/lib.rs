//! Sources: *where* (a [`machine::Machine`]) times *what* (a [`Collector`]).
//!
//! A collector reports what it saw, as resources and gaps. It never judges, stores or prints, and
//! it reaches files, processes, variables and the clock through its machine only.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests set up real files and servers"))]

pub mod document;
pub mod image;
pub mod lockfile;
pub mod machine;
pub mod secret;

mod collector;
mod environment;
mod host;
mod installed;
mod observe;
mod package;
pub mod project;
pub mod reference;
mod runtime;
mod yaml;

pub use collector::{Collected, Collector, Scope, Variables};
pub use host::{windows_path, windows_search_path};
pub use observe::{Observation, observe};

/// Every collector. To add one: its folder, its `mod` line above, its line here, and rows in the ontology.
pub const COLLECTORS: &[&Collector] = &[
    &host::COLLECTOR,
    &runtime::COLLECTOR,
    &environment::COLLECTOR,
    &project::COLLECTOR,
    &package::COLLECTOR,
];
