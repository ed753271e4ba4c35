//! `parallax log`: what changed in an environment, and when.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Global;
use super::global::Format;
use crate::error::AppError;
use crate::report::{self, LogLayout};
use crate::usecase::{self, Context, HistoryRequest};
use crate::view::{self, Clock};

/// How many lines of changes are shown, unless another number is asked for.
const LINES: usize = 40;
/// How many changes are read for a report of which people see the first lines; all of them are in the bar.
const READ: usize = 20_000;

/// Show what changed in an environment, newest first
///
/// A change lies between two recordings, or is exactly known where evidence says when it happened. One that may lie in the
/// span is shown. Without ENV, all timelines are listed.
///
/// A time is how long ago (2h, 3d, 1w), a date or a date and time (2026-11-19, 2026-11-19T03:00, or with Z), a time of the
/// day (03:00: the last time that it was), or `yesterday`.
#[derive(Debug, Args)]
pub(super) struct Log {
    /// The environment.
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// A key (`node` will do for runtime/node), one attribute of it (KEY#ATTRIBUTE), or a selector.
    #[arg(value_name = "KEY[#ATTR]")]
    part: Option<String>,
    /// Only what may have changed at or after this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only what may have changed at or before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Show at most so many lines of changes; 0 is all. By default 40, and all as JSON.
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
}

impl Log {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let clock = Clock { now: context.now, zone: context.zone.clone() };
        match &self.environment {
            Some(environment) => self.one(environment, global, &context, clock)?,
            None => {
                let timelines = usecase::timelines(&context)?;
                match global.format {
                    Format::Json => write_json(global, &report::timelines_json(&timelines))?,
                    Format::Text => write_text(global, &report::timelines(&timelines, &clock))?,
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn one(
        &self,
        environment: &str,
        global: &Global,
        context: &Context,
        clock: Clock,
    ) -> Result<(), AppError> {
        let all = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let limit = match (self.limit, global.format) {
            (Some(limit), _) => all(limit),
            (None, Format::Json) => usize::MAX,
            (None, Format::Text) => LINES,
        };
        let time = |text: &Option<String>| {
            text.as_deref().map(|text| usecase::parse_time(text, clock.now, &clock.zone)).transpose()
        };
        let request = HistoryRequest {
            environment: environment.to_owned(),
            part: self.part.clone(),
            since: time(&self.since)?,
            until: time(&self.until)?,
            most: match global.format {
                Format::Json => limit,
                Format::Text => limit.max(READ),
            },
        };
        if let (Some(since), Some(until)) = (request.since, request.until)
            && since > until
        {
            return Err(AppError::usage(format!("--since {since} is later than --until {until}")));
        }
        let history = usecase::history(&request, context)?;
        match global.format {
            Format::Json => write_json(global, &report::log_json(&history)),
            Format::Text => {
                let usual = global.layout(context.now);
                let layout =
                    LogLayout { width: usual.width, detail: usual.detail, wrap: usual.wrap, clock, limit };
                write_text(global, &report::log(&history, &layout))
            }
        }
    }
}

/// Written as it is made: a long timeline is many times larger as JSON.
fn write_json(global: &Global, json: &impl Serialize) -> Result<(), AppError> {
    global.output().bytes(|out| {
        serde_json::to_writer_pretty(&mut *out, json)?;
        writeln!(out)
    })
}

fn write_text(global: &Global, text: &str) -> Result<(), AppError> {
    if knows_unicode() { global.output().text(text) } else { global.output().text(&view::ascii(text)) }
}

/// Whether the locale, where one is set, has characters beyond ASCII.
fn knows_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let mut set = set.filter(|value| !value.is_empty());
    let Some(locale) = set.next() else { return true };
    let locale = locale.to_ascii_lowercase();
    !matches!(locale.as_str(), "c" | "posix") && (!locale.contains('.') || locale.contains("utf"))
}
