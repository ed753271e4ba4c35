//! `parallax diff`: every difference, no verdict.

use std::process::ExitCode;

use clap::Args;

use super::Global;
use super::check::{Sides, json_text, with_progress};
use super::global::Format;
use crate::error::{AppError, ErrorKind};
use crate::report;
use crate::usecase;

/// Show every difference between two endpoints, without a verdict
#[derive(Debug, Args)]
pub(super) struct Diff {
    #[command(flatten)]
    sides: Sides,
    /// List what was set aside, with its owner.
    #[arg(long)]
    show_suppressed: bool,
    /// Exit with 1 where there are differences, as `git diff --exit-code` does.
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let request = self.sides.request(&context)?;
        let comparison = with_progress(global, |progress| usecase::diff(&request, &context, progress))?;
        let text = match global.format {
            Format::Json => json_text(&comparison)?,
            Format::Text => {
                let mut layout = global.layout(context.now);
                layout.gate = false;
                layout.suppressed = self.show_suppressed;
                report::text(&comparison, &layout)
            }
        };
        match global.format {
            Format::Json => global.output().bytes(|out| out.write_all(text.as_bytes()))?,
            Format::Text => global.output().text(&text)?,
        }
        super::tell(&comparison.failures);
        if comparison.failures.iter().any(|failure| failure.kind == ErrorKind::Unobserved) {
            return Ok(ExitCode::from(3));
        }
        let differs = !comparison.judgement.divergences.is_empty();
        Ok(if self.exit_code && differs { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}
