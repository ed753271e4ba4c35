//! Reports: a comparison as text for people or as JSON for scripts. One file per format.

mod ci;
mod json;
mod lint;
mod text;

pub use ci::ci_lines;
pub use json::{DivergenceJson, GapJson, ReportJson, SideJson, SummaryJson, json, schema};
pub use lint::{LintLayout, lint_ci_lines, lint_json, lint_text};
pub use text::{Detail, Layout, Wrap, text};
