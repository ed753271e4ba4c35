//! `parallax init`: look around and write a first configuration.

use std::process::ExitCode;

use clap::Args;

use super::Global;
use crate::error::AppError;
use crate::usecase;

/// Look around and write parallax.yaml, with comments; nothing is overwritten
#[derive(Debug, Args)]
pub(super) struct Init;

impl Init {
    #[expect(clippy::unused_self, reason = "commands share one shape")]
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let folder = std::env::current_dir().map_err(|e| AppError::io("find the current folder", ".", &e))?;
        let done = usecase::initialise(&folder)?;
        let mut text = String::new();
        for line in &done.lines {
            text.push_str(&crate::view::clean(line));
            text.push('\n');
        }
        global.output().text(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
