//! `parallax ontology`: the table of kinds, as it is.

use std::process::ExitCode;

use clap::Args;
use parallax_model::ontology::{self, Compare, KindRow, Role};

use super::Global;
use super::global::Format;
use crate::error::AppError;

/// Show what is observed, how each attribute is compared, and what is set aside
#[derive(Debug, Args)]
pub(super) struct Ontology {
    /// Only this kind.
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

impl Ontology {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let rows: Vec<&KindRow> =
            ontology::kinds().filter(|row| self.kind.as_ref().is_none_or(|kind| kind == row.id)).collect();
        if rows.is_empty() {
            let known: Vec<&str> = ontology::kinds().map(|row| row.id).collect();
            return Err(AppError::usage(format!("no kind `{}`", self.kind.as_deref().unwrap_or_default()))
                .hint(format!("kinds: {}", known.join(", "))));
        }
        let text = match global.format {
            Format::Json => {
                serde_json::to_string_pretty(&rows).map_err(|e| {
                    AppError::usage("the ontology could not be written").caused_by(e.to_string())
                })? + "\n"
            }
            Format::Text => rows.iter().map(|row| kind(row)).collect::<Vec<_>>().join("\n"),
        };
        global.output().bytes(|out| out.write_all(text.as_bytes()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn kind(row: &KindRow) -> String {
    let mut text = format!("{}   {}   layer {}\n  {}\n", row.id, row.key, row.layer.as_str(), row.help);
    for a in row.attributes {
        let how = match (a.role, a.compare) {
            (Role::Context, _) => "context",
            (Role::Compared, Compare::Text) => "text",
            (Role::Compared, Compare::Version) => "version",
            (Role::Compared, Compare::Number) => "number",
            (Role::Compared, Compare::SearchPath) => "search path",
            (Role::Compared, Compare::Set) => "set",
        };
        text.push_str(&format!("  {:16} {how:12} {:20} {}\n", a.path, a.code.as_str(), a.help));
    }
    text
}
