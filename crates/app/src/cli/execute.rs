//! `parallax exec`: check the environment schema, then become the application.

use std::process::ExitCode;

use clap::Args;

use super::Global;
use crate::error::AppError;
use crate::usecase::{self, VariableCheck};

/// Check this process' environment against the schema, then become COMMAND
///
/// Fails with `env_invalid` before the application starts, instead of letting a default slip in. The schema is
/// `env_schema` of parallax.yaml, or derived from .env.example.
#[derive(Debug, Args)]
pub(super) struct Exec {
    /// The command and its arguments, after --.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

impl Exec {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        match usecase::check_process(&context)? {
            VariableCheck::Valid => become_command(&self.command),
            VariableCheck::Invalid(lines) => {
                let text: String =
                    lines.iter().map(|line| format!("env_invalid: {}\n", crate::view::clean(line))).collect();
                let mut stream = anstream::stderr();
                drop(std::io::Write::write_all(&mut stream, text.as_bytes()));
                Ok(ExitCode::from(1))
            }
        }
    }
}

/// Replaces this process; comes back only with a failure.
fn become_command(command: &[std::ffi::OsString]) -> Result<ExitCode, AppError> {
    use std::os::unix::process::CommandExt;
    let Some((program, arguments)) = command.split_first() else {
        return Err(
            AppError::usage("no command given").hint("write it after --: parallax exec -- node server.js")
        );
    };
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(AppError::io("start", program.to_string_lossy(), &error))
}
