//! `parallax store`: keeping house in the store of timelines.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Global;
use crate::error::AppError;
use crate::usecase;

/// Look after the store of timelines
#[derive(Debug, Args)]
pub(super) struct StoreOf {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what is kept and what space it takes
    Stats,
}

impl StoreOf {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let store = usecase::open_store(&context)?;
        match self.verb {
            Verb::Stats => global.output().text(&format!("{} entries\n", store.stats()?.entries))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
