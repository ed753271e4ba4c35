//! What a command costs: processor seconds with all its children, wall seconds and peak memory. Each run is made by a
//! fresh process of this program, so that what one run cost is not mixed with another.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// The argument that makes this program measure one command.
pub(crate) const MEASURE: &str = "--measure-one";

/// What one run cost, or the median of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Processor seconds, user and system, children included.
    pub(crate) processor: f64,
    /// Wall seconds.
    pub(crate) wall: f64,
    /// Peak memory of the largest process, in megabytes.
    pub(crate) memory: f64,
}

/// A command line with the variables that it needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    words: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
}

impl Line {
    /// A program and its arguments.
    pub(crate) fn new<'a>(program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let words = std::iter::once(program.into()).chain(arguments.into_iter().map(OsString::from));
        Self { words: words.collect(), variables: Vec::new() }
    }

    /// A line for `sh -c`.
    pub(crate) fn shell(script: &str) -> Self {
        Self::new(Path::new("sh"), ["-c", script])
    }

    /// Adds a path as an argument.
    pub(crate) fn path(mut self, path: &Path) -> Self {
        self.words.push(path.into());
        self
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs it once and gives what it prints, whatever its exit code.
    pub(crate) fn output(&self) -> Result<std::process::Output, String> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err("no command".to_owned());
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).output().map_err(|e| format!("{}: {e}", program.to_string_lossy()))
    }
}

/// The median of `runs` runs of what `line` gives for each; by processor time.
pub(crate) fn median(runs: usize, mut line: impl FnMut(usize) -> Line) -> Result<Cost, String> {
    let mut costs = (0..runs).map(|run| once(line(run))).collect::<Result<Vec<_>, _>>()?;
    costs.sort_by(|a, b| a.processor.total_cmp(&b.processor));
    let walls = sorted(costs.iter().map(|cost| cost.wall));
    let middle = costs.get(runs / 2).copied().ok_or("no run")?;
    Ok(Cost { wall: walls.get(runs / 2).copied().unwrap_or(middle.wall), ..middle })
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn once(line: Line) -> Result<Cost, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let wrapped = Line {
        words: [own.into(), MEASURE.into()].into_iter().chain(line.words).collect(),
        variables: line.variables,
    };
    let output = wrapped.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [processor, wall, memory] => Ok(Cost { processor: *processor, wall: *wall, memory: *memory }),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Runs one command and says what it cost: processor seconds, wall seconds, megabytes.
pub(crate) fn measured(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("nothing to measure")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().map_err(|e| format!("{program}: {e}"))?;
    let wall = start.elapsed().as_secs_f64();
    if status.code().is_none_or(|code| code > 1) {
        return Err(format!("`{}` ended with {status}", words.join(" ")));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let memory = usage.max_rss() / 1000;
    Ok(format!("{} {wall} {memory}\n", processor_seconds(&usage)))
}

/// The processor seconds that this process has used so far.
pub(crate) fn own_processor_seconds() -> f64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| processor_seconds(&usage))
}

fn processor_seconds(usage: &nix::sys::resource::Usage) -> f64 {
    let time = |value: nix::sys::time::TimeVal| {
        let part = |number: i64| i32::try_from(number).map_or(0.0, f64::from);
        part(value.tv_sec()) + part(value.tv_usec()) / 1e6
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// Whether a program is on the search path and runs.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Line::shell(&format!("command -v {program}")).output();
    found.is_ok_and(|output| output.status.success())
}
