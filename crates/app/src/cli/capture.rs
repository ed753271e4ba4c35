//! `parallax capture`: observe, and write a snapshot file.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use parallax_model::{Gap, GapKind, SourceStatus};

use super::Global;
use super::global::Format;
use super::output::{Output, draws_progress};
use super::progress::Spinners;
use crate::error::AppError;
use crate::usecase::{self, Context, Observing, Quiet, Side};
use crate::view;

/// Observe environments; with -o, write one as a snapshot file
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
        let mut code = ExitCode::SUCCESS;
        for text in &self.endpoints {
            let side = one(text, global, &context)?;
            if side.snapshot.header().sources.iter().any(|s| s.status == SourceStatus::Failed) {
                code = ExitCode::from(3);
            }
            write(&side, global)?;
        }
        Ok(code)
    }
}

fn one(text: &str, global: &Global, context: &Context) -> Result<Side, AppError> {
    let endpoint = usecase::resolve(text, &context.config, &context.folder)?;
    let with = Observing::new(context)?;
    let mut side = if draws_progress() && !global.quiet {
        usecase::observe(&endpoint, &with, &Spinners::default())?
    } else {
        usecase::observe(&endpoint, &with, &Quiet)?
    };
    if with.fingerprinter.key_id().is_none() {
        side.snapshot = side.snapshot.with_presence_only();
    }
    Ok(side)
}

/// The snapshot itself where it was asked for (`-o`, `--format json`), else what it holds in a few lines.
fn write(side: &Side, global: &Global) -> Result<(), AppError> {
    let output = global.output();
    if global.output.is_some() || global.format == Format::Json {
        output.bytes(|out| side.snapshot.write(out))?;
    }
    if output.is_file() || (global.output.is_none() && global.format == Format::Text) {
        Output::new(None, global.color).text(&summary(side, !output.is_file()))?;
    }
    Ok(())
}

fn summary(side: &Side, unkept: bool) -> String {
    let header = side.snapshot.header();
    let hash = side.snapshot.hash().to_string();
    let mut text = format!(
        "{}   {}   {} resources   {}\n",
        view::clean(&header.environment),
        view::clean(&side.place),
        side.snapshot.resources().len(),
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
    if unkept {
        text.push_str("  not kept: `-o FILE` writes it\n");
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
    text
}
