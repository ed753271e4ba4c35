//! `parallax completions`: completions for a shell.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::Global;
use crate::error::AppError;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "parallax", &mut script);
        global.output().bytes(|out| out.write_all(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
