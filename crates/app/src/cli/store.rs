//! `parallax store`: keeping house in the store of timelines.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Global;
use super::global::Format;
use super::output::draws_progress;
use super::progress::Bar;
use crate::error::{AppError, ErrorKind};
use crate::report::{self, Told};
use crate::usecase::{self, Context, Keep, Run};

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
    /// Read everything and list what is damaged; exit code 1 where something is
    Verify,
    /// Collect what need not be kept, and give the space back
    Gc(Gc),
    /// Bring the store to the schema that this version works with
    Migrate,
    /// Copy all timelines into another store; done again, only what is new
    Copy(Copy),
    /// Save what is whole of a damaged store file into a new one; exit code 1 where something is lost
    Salvage(Salvage),
}

#[derive(Debug, Args)]
struct Gc {
    /// Only say what would be collected.
    #[arg(long)]
    dry_run: bool,
    /// Keep every recording, whatever its age.
    #[arg(long)]
    keep_all: bool,
}

#[derive(Debug, Args)]
struct Copy {
    /// The other store: a file or a URL.
    #[arg(value_name = "URL")]
    to: String,
}

#[derive(Debug, Args)]
struct Salvage {
    /// The file that is made.
    #[arg(value_name = "NEW_FILE")]
    to: PathBuf,
}

impl StoreOf {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let (told, code) = match (&self.verb, self.verb.run(&context, global)) {
            // That it is damaged is what was asked for.
            (Verb::Verify, Err(error)) if error.kind == ErrorKind::Damaged => {
                super::tell(&[global.with_store(error)]);
                return Ok(ExitCode::from(1));
            }
            (_, done) => done?,
        };
        match global.format {
            Format::Text => global.output().text(&told.text)?,
            Format::Json => {
                global.output().bytes(|out| {
                    serde_json::to_writer_pretty(&mut *out, &told.json)?;
                    writeln!(out)
                })?;
            }
        }
        Ok(ExitCode::from(code))
    }
}

impl Verb {
    fn run(&self, context: &Context, global: &Global) -> Result<(Told, u8), AppError> {
        let bar = if draws_progress() && !global.quiet { Bar::drawn() } else { Bar::hidden() };
        let mut tell = |done, of| bar.tell(done, of);
        Ok(match self {
            Self::Stats => (report::store::stats(&usecase::stats(context)?), 0),
            Self::Verify => {
                let verified = usecase::verify(context, &mut tell)?;
                (report::store::verify(&verified), u8::from(!verified.problems.is_empty()))
            }
            Self::Gc(gc) => {
                let keep = if gc.keep_all { Keep::All } else { Keep::ByPolicy };
                let run = if gc.dry_run { Run::Dry } else { Run::Real };
                (report::store::tidy(&usecase::tidy(context, keep, run)?), 0)
            }
            Self::Migrate => (report::store::migrate(&usecase::migrate(context)?), 0),
            Self::Copy(Copy { to }) => {
                let copied = usecase::copy(context, to, &mut tell)?;
                let told = report::store::copy(&copied, &parallax_store::shown(to));
                (told, u8::from(!copied.problems.is_empty()))
            }
            Self::Salvage(Salvage { to }) => {
                let salvaged = usecase::salvage(context, to, &mut tell)?;
                let is_whole =
                    salvaged.lost_pages == 0 && salvaged.lost.is_empty() && salvaged.problems.is_empty();
                (report::store::salvage(&salvaged, &to.display().to_string()), u8::from(!is_whole))
            }
        })
    }
}
