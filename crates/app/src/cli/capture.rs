//! `parallax capture`: observe and record, or write a snapshot file.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use parallax_model::{Gap, GapKind, SourceStatus};

use super::Global;
use super::global::Format;
use super::output::{Output, draws_progress};
use super::progress::Spinners;
use crate::error::{AppError, ErrorKind};
use crate::usecase::{self, Context, Endpoint, Kept, Observing, Provenance, Quiet, Side};
use crate::view;

/// Observe environments and record them; with -o, write one as a snapshot file instead
///
/// With -o FILE or --format json the snapshot is written, and nothing is recorded: ENV@2h -o FILE writes one that was
/// recorded before.
#[derive(Debug, Args)]
pub(super) struct Capture {
    /// The environments; `local` where none is named.
    #[arg(value_name = "ENV", default_value = "local")]
    endpoints: Vec<String>,
}

impl Capture {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let writes = global.output.is_some() || global.format == Format::Json;
        if writes && self.endpoints.len() > 1 {
            return Err(AppError::usage("name one environment: a snapshot file holds one")
                .hint("capture them one by one, each into a file of its own"));
        }
        let endpoints: Vec<Endpoint> =
            self.endpoints.iter().map(|text| usecase::resolve(text, &context)).collect::<Result<_, _>>()?;
        if !writes {
            self.endpoints.iter().zip(&endpoints).try_for_each(|(text, e)| may_be_recorded(text, e))?;
        }
        let mut code = ExitCode::SUCCESS;
        for endpoint in &endpoints {
            match one(endpoint, global, &context) {
                Ok(side) if is_complete(&side) => {}
                Ok(_) => code = ExitCode::from(3),
                // The others can be seen all the same.
                Err(error) if error.kind == ErrorKind::Unobserved && endpoints.len() > 1 => {
                    super::tell(std::slice::from_ref(&error));
                    code = ExitCode::from(3);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(code)
    }
}

/// Only an environment has a timeline.
fn may_be_recorded(text: &str, endpoint: &Endpoint) -> Result<(), AppError> {
    match endpoint {
        Endpoint::Environment(_) => Ok(()),
        Endpoint::Recorded(_) => Err(AppError::usage(format!("`{text}` is recorded already"))
            .hint(format!("to write it to a file: parallax capture {text} -o FILE"))),
        Endpoint::File(_) | Endpoint::StandardInput => {
            let what = format!("`{text}` is no environment, so it has no timeline to be recorded in");
            Err(AppError::usage(what).hint("in parallax.yaml a snapshot can stand for an environment: NAME: {sources: [{snapshot: FILE}]}"))
        }
    }
}

/// Whether no source failed. What was recorded already is as it is.
fn is_complete(side: &Side) -> bool {
    let failed = side.snapshot.header().sources.iter().any(|s| s.status == SourceStatus::Failed);
    !failed || matches!(side.origin, Provenance::Recorded(_))
}

fn one(endpoint: &Endpoint, global: &Global, context: &Context) -> Result<Side, AppError> {
    let with = Observing::new(context)?;
    let mut side = if draws_progress() && !global.quiet {
        usecase::observe(endpoint, &with, &Spinners::default())?
    } else {
        usecase::observe(endpoint, &with, &Quiet)?
    };
    // What is recorded is written as it is.
    if with.fingerprinter.key_id().is_none() && !matches!(side.origin, Provenance::Recorded(_)) {
        side.snapshot = side.snapshot.with_presence_only();
    }
    match endpoint {
        Endpoint::Environment(environment) if global.output.is_none() && global.format == Format::Text => {
            let kept = usecase::record(environment, &side, context)?;
            let called = environment.recorded_as.as_ref().unwrap_or(&environment.name);
            Output::new(None, global.color).text(&summary(&side, Some(&line(kept, called, context))))?;
        }
        Endpoint::Environment(_) | Endpoint::Recorded(_) | Endpoint::File(_) | Endpoint::StandardInput => {
            write(&side, global)?;
        }
    }
    Ok(side)
}

/// The snapshot itself, and on the screen what it holds in a few lines.
fn write(side: &Side, global: &Global) -> Result<(), AppError> {
    let output = global.output();
    output.bytes(|out| side.snapshot.write(out))?;
    if output.is_file() {
        Output::new(None, global.color).text(&summary(side, None))?;
    }
    Ok(())
}

/// What changed since the last recording.
fn line(kept: Kept, environment: &str, context: &Context) -> String {
    let since = |then| match usecase::ago(then, context.now) {
        Some(ago) => ago,
        None => usecase::told(then, context.now, &context.zone),
    };
    match kept {
        Kept::First => "first recording".to_owned(),
        Kept::Again => "recorded before".to_owned(),
        Kept::Unchanged(then) => format!("unchanged since {}", since(then)),
        Kept::NoneSeen(then) => {
            format!("no change seen since {}, but not all can be compared with then", since(then))
        }
        Kept::Changed(changes, then) => {
            let changes = if changes == 1 { "1 change".to_owned() } else { format!("{changes} changes") };
            format!("{changes} since {}: parallax log {environment}", since(then))
        }
    }
}

fn summary(side: &Side, recorded: Option<&str>) -> String {
    let header = side.snapshot.header();
    let hash = side.hash().to_string();
    let mut text = format!(
        "{}   {}   {} resources   {}\n",
        view::clean(&header.environment),
        view::clean(&side.place),
        side.resources(),
        hash.get(..12).unwrap_or(&hash),
    );
    for source in &header.sources {
        let why = source.why.as_ref().map_or_else(String::new, |why| format!(": {}", view::clean(why)));
        let status = match source.status {
            SourceStatus::Complete => "complete",
            SourceStatus::Partial => "partial",
            SourceStatus::Failed => "failed",
            SourceStatus::Skipped => "skipped",
        };
        text.push_str(&format!("  {:12} {status}{why}\n", source.source));
    }
    let (out, gaps): (Vec<&Gap>, Vec<&Gap>) =
        header.gaps.iter().partition(|gap| gap.kind == GapKind::NotApplicable);
    let out: BTreeSet<&str> = out.iter().map(|gap| &*gap.why).collect();
    for why in out {
        text.push_str(&format!("  left out: {}\n", view::clean(why)));
    }
    for gap in gaps {
        text.push_str(&format!("  gap: {}: {}\n", view::clean(&gap.what), view::clean(&gap.why)));
    }
    if let Some(line) = recorded {
        text.push_str(&format!("  {}\n", view::clean(line)));
    }
    text
}
