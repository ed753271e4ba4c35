//! Reports: a comparison, or a timeline, as text for people or as JSON for scripts. One file per format.

mod ci;
mod json;
mod lint;
mod log;
mod log_json;
pub mod store;
mod text;
mod timelines;

pub use ci::ci_lines;
pub use json::{DivergenceJson, GapJson, ReportJson, SideJson, SummaryJson, json, schema};
pub use lint::{LintLayout, lint_ci_lines, lint_json, lint_text};
pub use log::{LogLayout, log};
pub use log_json::{log_json, timelines_json};
pub use store::Told;
pub use text::{Detail, Layout, Wrap, text};
pub use timelines::timelines;
