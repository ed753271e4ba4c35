//! Flags that mean the same everywhere, and the context that they make.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use parallax_model::Timestamp;

use super::output::Output;
use crate::config;
use crate::error::AppError;
use crate::report::{Detail, Layout, Wrap};
use crate::usecase::{Context, StorePlace};

/// Flags that mean the same everywhere.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The configuration; by default parallax.yaml here or in a folder above.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// The form of the answer: text or json.
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = "Everywhere", hide_possible_values = true)]
    pub format: Format,
    /// Write here instead of standard output; - is standard output.
    #[arg(short = 'o', long, value_name = "FILE", global = true, help_heading = "Everywhere")]
    pub output: Option<PathBuf>,
    /// Show only what matters for the verdict.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Everywhere")]
    pub quiet: bool,
    /// Show everything.
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub verbose: bool,
    /// Where timelines are kept: a file or a URL; by default .parallax/store.db of the project.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "PARALLAX_STORE",
        hide_env_values = true,
        help_heading = "Everywhere"
    )]
    pub store: Option<String>,
    /// When to use colour: auto, always or never.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, global = true, help_heading = "Everywhere", hide_possible_values = true)]
    pub color: Color,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For scripts: one object.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Global {
    /// Reads the configuration, the clock, and where results of probes may be kept.
    pub(super) fn context(&self) -> Result<Context, AppError> {
        let folder = std::env::current_dir().map_err(|e| AppError::io("find the current folder", ".", &e))?;
        let config = config::load(self.config.as_deref(), &folder)?;
        let named = self.store.clone().filter(|place| !place.is_empty());
        let store = named.map_or_else(|| StorePlace::of(&config, state_folder()), StorePlace::Named);
        let zone = jiff::tz::TimeZone::system();
        Ok(Context { config, folder, now: clock(), zone, cache: cache_folder(), store })
    }

    /// The error with hints that lead to the store that was named: commands without `--store` would look after another one.
    pub(super) fn with_store(&self, mut error: AppError) -> AppError {
        if let Some(place) = self.store.as_deref().filter(|place| !place.is_empty()) {
            let named = format!(" --store {}`", quoted(&parallax_store::shown(place)));
            for verb in ["salvage NEW_FILE", "verify", "gc", "migrate"] {
                let (bare, whole) =
                    (format!("`parallax store {verb}`"), format!("`parallax store {verb}{named}"));
                error.hints.iter_mut().for_each(|hint| *hint = hint.replace(&bare, &whole));
            }
        }
        error
    }

    /// Where the answer goes.
    pub(super) fn output(&self) -> Output {
        Output::new(self.output.clone(), self.color)
    }

    /// How a report for people is laid out.
    pub(super) fn layout(&self, now: Timestamp) -> Layout {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Brief,
            (false, true) => Detail::Full,
            (false, false) => Detail::Usual,
        };
        let wrap = match std::io::stdout().is_terminal() && self.output.is_none() {
            true => Wrap::Words,
            false => Wrap::Never,
        };
        Layout { width: width(), detail, suppressed: false, gate: true, wrap, now }
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:=+,@%".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// The clock's reading, to the millisecond: what is finer tells nobody anything.
fn clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The terminal's columns, within what reads well; 100 where there is no terminal.
fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { 100 } else { columns.clamp(60, 140) }
}

/// `<cache folder>/parallax`, or nothing where the account has no home.
fn cache_folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let base = etcetera::choose_base_strategy().ok().filter(|base| base.home_dir().is_dir())?;
    Some(base.cache_dir().join("parallax"))
}

/// `<state folder>/parallax`, or nothing where the account has no home.
fn state_folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let base = etcetera::choose_base_strategy().ok().filter(|base| base.home_dir().is_dir())?;
    Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join("parallax"))
}
