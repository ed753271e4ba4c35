//! `parallax schema`: the JSON Schema of what users may rely on.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Global;
use crate::error::AppError;
use crate::{config, report};

/// Print the JSON Schema of the configuration, the report or the snapshot file
#[derive(Debug, Args)]
pub(super) struct SchemaOf {
    #[arg(value_enum)]
    of: Subject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// parallax.yaml
    Config,
    /// `--format json` of check and diff
    Report,
    /// A line of a snapshot file: the header, or a resource
    Snapshot,
}

/// The header or a resource; written by hand, as the model's own reader is stricter than a schema can say.
const SNAPSHOT: &str = include_str!("../report/snapshot.schema.json");

impl SchemaOf {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let text = match self.of {
            Subject::Config => pretty(&config::schema())?,
            Subject::Report => pretty(&report::schema())?,
            Subject::Snapshot => SNAPSHOT.to_owned(),
        };
        global.output().bytes(|out| out.write_all(text.as_bytes()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn pretty(schema: &schemars::Schema) -> Result<String, AppError> {
    let text = serde_json::to_string_pretty(schema)
        .map_err(|e| AppError::usage("the schema could not be written").caused_by(e.to_string()))?;
    Ok(text + "\n")
}
