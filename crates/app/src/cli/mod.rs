//! The command line: one file per command. Reads arguments, calls a use case, writes what it answered.
//! Standard output is data; everything else goes to standard error.

mod capture;
mod check;
mod completions;
mod diff;
mod execute;
mod global;
mod init;
mod lint;
mod log;
mod ontology;
mod output;
mod progress;
mod schema;
mod store;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use global::Global;

use crate::error::AppError;

/// Two environments should behave the same; which difference broke it?
///
/// An endpoint is an environment of parallax.yaml (`local` is always there), ssh://[user@]host[:port][/path],
/// a snapshot file, a JSON document, or - for standard input. ENV@2h, ENV@2026-11-19T03:00, ENV@good and ENV@4f2a91
/// name an environment as it was recorded.
///
/// Exit codes: 0 parity or done, 1 violations, 2 wrong usage, configuration or input, 3 something could not be
/// observed.
#[derive(Debug, Parser)]
#[command(
    name = "parallax",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Capture(capture::Capture),
    Check(check::Check),
    Diff(diff::Diff),
    Lint(lint::LintOf),
    Exec(execute::Exec),
    Log(log::Log),
    Store(store::StoreOf),
    Schema(schema::SchemaOf),
    Ontology(ontology::Ontology),
    Completions(completions::Completions),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // A wrong command line ends here with clap's own message and exit code 2.
    let arguments = Arguments::parse();
    start_log();
    let global = arguments.global.clone();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            let error = global.with_store(error);
            tell(std::slice::from_ref(&error));
            error.exit_code()
        }
    }
}

/// Tells failures on standard error.
fn tell(failures: &[AppError]) {
    for error in failures {
        say(&error.to_string());
    }
}

/// Says something on standard error.
fn say(text: &str) {
    let mut stream = anstream::AutoStream::auto(std::io::stderr());
    let shown = text.split('\n').map(crate::view::clean).collect::<Vec<_>>().join("\n");
    // There is nowhere left to report a failure to report.
    drop(std::io::Write::write_all(&mut stream, format!("{shown}\n").as_bytes()));
}

fn run(arguments: Arguments) -> Result<ExitCode, AppError> {
    let global = arguments.global;
    match arguments.command {
        Command::Init(command) => command.run(&global),
        Command::Capture(command) => command.run(&global),
        Command::Check(command) => command.run(&global),
        Command::Diff(command) => command.run(&global),
        Command::Lint(command) => command.run(&global),
        Command::Exec(command) => command.run(&global),
        Command::Log(command) => command.run(&global),
        Command::Store(command) => command.run(&global),
        Command::Schema(command) => command.run(&global),
        Command::Ontology(command) => command.run(&global),
        Command::Completions(command) => command.run(&global),
    }
}

/// The whole command line, for completions and for the reference.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

/// `PARALLAX_LOG=debug` tells on standard error what is done; nothing observed is ever logged.
fn start_log() {
    let level = match std::env::var("PARALLAX_LOG").as_deref() {
        Ok("trace") => tracing::Level::TRACE,
        Ok("debug") => tracing::Level::DEBUG,
        Ok("info") => tracing::Level::INFO,
        Ok(_) | Err(_) => return,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
}
