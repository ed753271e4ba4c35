//! `parallax log`: what changed in an environment, and when.

use std::process::ExitCode;

use clap::Args;

use super::Global;
use crate::error::AppError;
use crate::usecase;

/// Show what changed in an environment, newest first
#[derive(Debug, Args)]
pub(super) struct Log {
    /// The environment.
    #[arg(value_name = "ENV")]
    environment: String,
}

impl Log {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let store = usecase::open_store(&context)?;
        let changes = store.changes(&parallax_store::Query::of(&self.environment))?;
        global.output().text(&format!("{} changes\n", changes.len()))?;
        Ok(ExitCode::SUCCESS)
    }
}
