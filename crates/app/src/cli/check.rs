//! `parallax check`: the gate.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Global;
use super::global::Format;
use super::output::{Output, draws_progress};
use super::progress::Spinners;
use crate::error::AppError;
use crate::report;
use crate::usecase::{self, Comparison, Context, Progress, Quiet, Request};

/// Compare two environments under boundaries, and say whether they pass
///
/// The last line is `PARITY_CHECK_PASSED`, or begins with `PARITY_FAIL`. What was observed is recorded in its timeline;
/// where the whole comparison passes, both sides are marked as good (ENV@good).
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) sides: Sides,
    /// Fail on undeclared divergences and warnings too.
    #[arg(long)]
    strict: bool,
    /// `ci` adds a line for each violation: TIME [ERROR] CODE: MESSAGE.
    #[arg(long, value_enum, value_name = "MODE", hide_possible_values = true)]
    mode: Option<Mode>,
    /// List what was set aside, with its owner.
    #[arg(long)]
    show_suppressed: bool,
    /// Don't record what was observed, and mark nothing as good.
    #[arg(long)]
    no_record: bool,
}

/// What two commands compare.
#[derive(Debug, Args)]
pub(super) struct Sides {
    /// [LEFT] RIGHT; LEFT is `local` where one endpoint is given.
    #[arg(value_name = "ENDPOINT", num_args = 0..=2)]
    endpoints: Vec<String>,
    /// Only what this selects (a glob over `key#attribute`); may be repeated.
    #[arg(long, value_name = "SELECTOR")]
    only: Vec<String>,
    /// Not what this selects; may be repeated.
    #[arg(long, value_name = "SELECTOR")]
    ignore: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// For the log of a pipeline.
    Ci,
}

impl Sides {
    pub(super) fn request(&self, context: &Context) -> Result<Request, AppError> {
        if self.endpoints.len() == 2 && self.endpoints.iter().all(|endpoint| endpoint == "-") {
            return Err(AppError::usage("standard input can be one side, not both"));
        }
        let (left, right) = match self.endpoints.as_slice() {
            [] => ("local", only_other(context)?),
            [right] => ("local", right.clone()),
            [left, right, ..] => (left.as_str(), right.clone()),
        };
        Ok(Request {
            left: usecase::resolve(left, context)?,
            right: usecase::resolve(&right, context)?,
            filter: usecase::filter(&self.only, &self.ignore)?,
            strict: false,
        })
    }
}

/// With no endpoint named, the one environment besides `local`, if there is just one.
fn only_other(context: &Context) -> Result<String, AppError> {
    let names = context.config.names();
    let others: Vec<&str> = names.iter().copied().filter(|name| *name != "local").collect();
    match others.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] if context.config.path.is_some() => Err(AppError::usage("nothing to compare with")
            .hint("parallax.yaml names no environment but local: add one under `environments:`")
            .hint("or name a host directly: parallax check ssh://HOST/PATH")),
        [] => Err(AppError::usage("nothing to compare with")
            .hint("name an environment, or a host directly: parallax check ssh://HOST/PATH")
            .hint("`parallax init` writes a parallax.yaml to name them in")),
        many => Err(AppError::usage("name the environment to compare with")
            .hint(format!("one of: {}", many.join(", ")))),
    }
}

/// Runs a comparison, with spinners where they can be seen.
pub(super) fn with_progress(
    global: &Global,
    run: impl FnOnce(&dyn Progress) -> Result<Comparison, AppError>,
) -> Result<Comparison, AppError> {
    if draws_progress() && !global.quiet { run(&Spinners::default()) } else { run(&Quiet) }
}

/// The JSON report, with a line break at its end.
pub(super) fn json_text(comparison: &Comparison) -> Result<String, AppError> {
    let json = serde_json::to_string_pretty(&report::json(comparison))
        .map_err(|e| AppError::usage("the report could not be written as JSON").caused_by(e.to_string()))?;
    Ok(json + "\n")
}

impl Check {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let mut request = self.sides.request(&context)?;
        request.strict = self.strict;
        let comparison = with_progress(global, |progress| usecase::check(&request, &context, progress))?;
        let output = global.output();
        match global.format {
            Format::Json => output.bytes(|out| out.write_all(json_text_bytes(&comparison)?.as_slice()))?,
            Format::Text => output.text(&self.text(&comparison, global, &context))?,
        }
        if output.is_file() && !global.quiet {
            // The verdict is wanted on the screen even where the report goes to a file.
            let brief = report::Layout { detail: report::Detail::Brief, ..global.layout(context.now) };
            Output::new(None, global.color).text(&report::text(&comparison, &brief))?;
        }
        super::tell(&comparison.failures);
        if !self.no_record {
            remember(&comparison, &request, global, &context);
        }
        Ok(ExitCode::from(comparison.judgement.outcome().exit_code()))
    }

    fn text(&self, comparison: &Comparison, global: &Global, context: &Context) -> String {
        let mut layout = global.layout(context.now);
        layout.suppressed = self.show_suppressed;
        let text = report::text(comparison, &layout);
        if self.mode != Some(Mode::Ci) {
            return text;
        }
        let lines = report::ci_lines(comparison, context.now);
        let (body, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
        let ci: String = lines.iter().map(|line| crate::view::clean(line) + "\n").collect();
        let separator = if body.is_empty() { "" } else { "\n" };
        format!("{body}{separator}{ci}{last}\n")
    }
}

/// Records. What can't be recorded is told, and changes neither the verdict nor the exit code.
fn remember(comparison: &Comparison, request: &Request, global: &Global, context: &Context) {
    let remembered = usecase::remember(comparison, request, context);
    for failure in remembered.failures {
        super::say(&global.with_store(failure).warning());
    }
    for note in remembered.notes.iter().filter(|_| global.verbose) {
        super::say(&format!("note: {note}"));
    }
}

fn json_text_bytes(comparison: &Comparison) -> std::io::Result<Vec<u8>> {
    json_text(comparison).map(String::into_bytes).map_err(|e| std::io::Error::other(e.to_string()))
}
