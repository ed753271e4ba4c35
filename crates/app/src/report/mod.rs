//! Reports: a comparison as text for people or as JSON for scripts. One file per format.

mod ci;
mod json;
pub mod store;
mod text;

pub use ci::ci_lines;
pub use json::{DivergenceJson, GapJson, ReportJson, SideJson, SummaryJson, json, schema};
pub use store::Told;
pub use text::{Detail, Layout, Wrap, text};
