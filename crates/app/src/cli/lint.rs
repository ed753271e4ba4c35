//! `parallax lint`: what is wrong with a project's own files, and pins what can move.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use parallax_engine::boundary::Severity;
use parallax_model::Code;

use super::Global;
use super::global::Format;
use super::output::draws_progress;
use super::progress::RegistryBar;
use crate::error::AppError;
use crate::report::{self, LintLayout};
use crate::usecase::{self, Fixed, Lint, LintRequest, Network, NoRegistryProgress, Registries, Writing};

/// Find what can move in a project's files: floating tags, pins that disagree, outgrown lockfiles
///
/// Looks at Dockerfiles, compose files, workflows and pipelines, manifests, requirements, pins and lockfiles. An
/// environment file is checked against the schema where it is named. A comment `# parallax: ignore CODE because ...` on
/// the line or the one above sets a finding aside.
///
/// Exit codes: 0 nothing of weight, 1 errors (with --strict warnings too), 2 wrong usage or input, 3 something that --fix
/// needs could not be resolved.
#[derive(Debug, Args)]
pub(super) struct LintOf {
    /// Files and folders; by default the project's folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Pin images to digests and actions to commits; shows the patch, and writes it where git can undo it.
    #[arg(long)]
    fix: bool,
    /// Show what --fix would write, and write nothing.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Let --fix write files with changes that are not committed, or that git does not keep.
    #[arg(long, requires = "fix")]
    allow_dirty: bool,
    /// Hold each locked content hash against what its registry serves now (npm, Python, Cargo).
    #[arg(long)]
    registry: bool,
    /// Ask nothing over the network.
    #[arg(long)]
    offline: bool,
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
    /// Only findings of this code; may be repeated.
    #[arg(long, value_name = "CODE", value_parser = code)]
    only: Vec<Code>,
    /// Not findings of this code; may be repeated.
    #[arg(long, value_name = "CODE", value_parser = code)]
    ignore: Vec<Code>,
    /// `ci` writes a line for each finding: TIME [ERROR] CODE: PLACE: MESSAGE.
    #[arg(long, value_enum, value_name = "MODE", hide_possible_values = true)]
    mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// For the log of a pipeline.
    Ci,
}

fn code(text: &str) -> Result<Code, String> {
    let found = Code::ALL.iter().find(|code| code.as_str() == text);
    found.copied().ok_or_else(|| {
        let nearest = Code::ALL.iter().min_by_key(|code| strsim::damerau_levenshtein(code.as_str(), text));
        format!("no such code; did you mean `{}`?", nearest.map_or("", |code| code.as_str()))
    })
}

impl LintOf {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode, AppError> {
        let context = global.context()?;
        let request = self.request();
        let lint = if draws_progress() && !global.quiet {
            usecase::lint(&request, &context, &RegistryBar::new())?
        } else {
            usecase::lint(&request, &context, &NoRegistryProgress)?
        };
        let fixed =
            self.fix.then(|| usecase::fix(&lint, &context, request.network, self.writing())).transpose()?;
        let output = global.output();
        match global.format {
            Format::Json => {
                let json =
                    serde_json::to_string_pretty(&report::lint_json(&lint, fixed.as_ref())).map_err(|e| {
                        AppError::usage("the report could not be written as JSON").caused_by(e.to_string())
                    })?;
                output.bytes(|out| out.write_all((json + "\n").as_bytes()))?;
            }
            Format::Text => {
                let layout = LintLayout { detail: global.layout(context.now).detail };
                let ci = if self.mode == Some(Mode::Ci) {
                    report::lint_ci_lines(&lint, context.now)
                } else {
                    Vec::new()
                };
                let ci: String = ci.into_iter().map(|line| line + "\n").collect();
                output.text(&(report::lint_text(&lint, fixed.as_ref(), layout) + &ci))?;
            }
        }
        Ok(ExitCode::from(self.outcome(&lint, fixed.as_ref())))
    }

    fn request(&self) -> LintRequest {
        LintRequest {
            paths: self.paths.clone(),
            only: self.only.clone(),
            ignore: self.ignore.clone(),
            registry: if self.registry { Registries::Asked } else { Registries::LeftAlone },
            network: if self.offline { Network::Offline } else { Network::Allowed },
        }
    }

    fn writing(&self) -> Writing {
        match (self.dry_run, self.allow_dirty) {
            (true, _) => Writing::Dry,
            (false, true) => Writing::Anyway,
            (false, false) => Writing::Kept,
        }
    }

    fn outcome(&self, lint: &Lint, fixed: Option<&Fixed>) -> u8 {
        let written = fixed.map(|fixed| fixed.written.as_slice()).unwrap_or_default();
        // What was just pinned is no finding any more.
        let stands = |severity: Severity| {
            lint.findings.iter().any(|finding| {
                let mended = matches!(finding.fix, usecase::Fix::Image { .. } | usecase::Fix::Action { .. })
                    && written.contains(&finding.path);
                finding.severity == severity && !mended
            })
        };
        if fixed.is_some_and(|fixed| !fixed.unresolved.is_empty()) {
            return 3;
        }
        let blind = self.strict && lint.registry.as_ref().is_some_and(|registry| registry.unreached > 0);
        let fails = stands(Severity::Error) || (self.strict && stands(Severity::Warning)) || blind;
        u8::from(fails)
    }
}
