//! What a lint found: text for people, lines for a pipeline's log, JSON (`parallax.lint/1`).

use std::fmt::Write;

use owo_colors::OwoColorize;
use parallax_engine::boundary::Severity;
use parallax_model::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::Detail;
use crate::usecase::{Finding, Fixed, Integrity, Lint, Unfixed, Unread};
use crate::view::clean;

/// How many files that could not be looked at are named, unless everything is asked for.
const FEW: usize = 5;

/// How a lint is told.
#[derive(Debug, Clone, Copy)]
pub struct LintLayout {
    /// How much is shown.
    pub detail: Detail,
}

/// The report for people: a line a finding, why and mend beneath, and a last line that counts.
#[must_use]
pub fn lint_text(lint: &Lint, fixed: Option<&Fixed>, layout: LintLayout) -> String {
    let mut out = String::new();
    for finding in &lint.findings {
        tell(finding, layout, &mut out);
    }
    if layout.detail == Detail::Full {
        for aside in &lint.set_aside {
            let place = place(&aside.finding);
            line(&mut out, &format!("{place}: set aside {}: {}", aside.finding.code, aside.because));
        }
    }
    if layout.detail != Detail::Brief {
        few("not looked at", &lint.unread, layout, &mut out);
        few("not told", &lint.untold, layout, &mut out);
    }
    if let Some(registry) = &lint.registry {
        registries(registry, &mut out);
    }
    if let Some(fixed) = fixed {
        mended(fixed, &mut out);
    }
    line(&mut out, &summary(lint));
    out
}

fn tell(finding: &Finding, layout: LintLayout, out: &mut String) {
    let level = match finding.severity {
        Severity::Error => "error".red().bold().to_string(),
        Severity::Warning => "warning".yellow().to_string(),
        Severity::Info => "info".to_owned(),
    };
    let (place, message) = (clean(&place(finding)), clean(&finding.message));
    // Writing into a String cannot fail.
    _ = writeln!(out, "{place}: {level} {}: {message}", finding.code);
    if layout.detail != Detail::Brief {
        _ = writeln!(out, "    why:  {}", clean(&finding.why));
        _ = writeln!(out, "    mend: {}", clean(&finding.mend));
    }
}

fn few(what: &str, all: &[Unread], layout: LintLayout, out: &mut String) {
    let most = if layout.detail == Detail::Full { all.len() } else { FEW };
    for one in all.iter().take(most) {
        line(out, &format!("{what}: {}: {}", one.path, one.why));
    }
    if all.len() > most {
        line(out, &format!("{what}: {} more (--verbose names them)", all.len() - most));
    }
}

fn registries(registry: &Integrity, out: &mut String) {
    if let Some(why) = &registry.skipped {
        line(
            out,
            &format!(
                "REGISTRIES NOT ASKED: {why}; the content of {} packages is not checked",
                registry.packages
            ),
        );
        return;
    }
    let mut told = format!(
        "registries: {} of {} packages are served as they are locked",
        registry.agreed, registry.packages
    );
    let counts = [
        (registry.unreached, "could not be asked about"),
        (registry.incomparable, "have a hash of another kind than the registry tells"),
        (registry.elsewhere, "come from elsewhere"),
        (registry.kept, "answers of this week were kept"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        _ = write!(told, " · {count} {what}");
    }
    line(out, &told);
}

fn mended(fixed: &Fixed, out: &mut String) {
    if !fixed.patch.is_empty() {
        for text in fixed.patch.lines() {
            let shown = clean(text.trim_end_matches('\r'));
            let coloured = match shown.chars().next() {
                Some('+') => shown.green().to_string(),
                Some('-') => shown.red().to_string(),
                Some(_) | None => shown,
            };
            _ = writeln!(out, "{coloured}");
        }
    }
    let unfixed = |all: &[Unfixed], what: &str, out: &mut String| {
        for one in all {
            line(out, &format!("{what}: {}: {}", one.place, one.why));
        }
    };
    unfixed(&fixed.unfixed, "not pinned", out);
    unfixed(&fixed.unresolved, "not resolved", out);
    let told = match (fixed.unresolved.is_empty(), fixed.written.as_slice()) {
        (false, _) => "nothing was written: not all could be resolved".to_owned(),
        (true, []) if fixed.patch.is_empty() => "nothing to pin".to_owned(),
        (true, []) => format!("{} would be pinned; nothing was written", count(fixed.pinned, "reference")),
        (true, files) => {
            let names = files.join(" ");
            format!(
                "{} pinned in {}; undo with: git restore {names}",
                count(fixed.pinned, "reference"),
                count(files.len(), "file")
            )
        }
    };
    line(out, &told);
}

fn summary(lint: &Lint) -> String {
    let (errors, warnings) = (lint.count(Severity::Error), lint.count(Severity::Warning));
    let files = count(lint.files, "file");
    let mut told = match errors + warnings {
        0 => format!("nothing found in {files}"),
        _ => format!("{}, {} in {files}", count(errors, "error"), count(warnings, "warning")),
    };
    let more = [
        (lint.set_aside.len(), "set aside"),
        (lint.unread.len(), "not looked at"),
        (lint.untold.len(), "not told"),
    ];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        _ = write!(told, " · {count} {what}");
    }
    told
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn place(finding: &Finding) -> String {
    format!("{}:{}:{}", finding.path, finding.line, finding.column)
}

fn line(out: &mut String, text: &str) {
    out.push_str(&clean(text));
    out.push('\n');
}

/// `<RFC 3339> [ERROR] <code>: <place>: <message>` for each finding.
#[must_use]
pub fn lint_ci_lines(lint: &Lint, now: Timestamp) -> Vec<String> {
    let told = |finding: &Finding| {
        let level = match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Info => "INFO",
        };
        clean(&format!("{now} [{level}] {}: {}: {}", finding.code, place(finding), finding.message))
    };
    lint.findings.iter().map(told).collect()
}

/// The report for scripts, in the order in which it is written.
#[derive(Serialize)]
struct LintJson {
    schema: &'static str,
    summary: Value,
    findings: Vec<Value>,
    set_aside: Vec<Value>,
    unread: Vec<Value>,
    untold: Vec<Value>,
    registry: Option<Value>,
    fix: Option<Value>,
}

/// The report for scripts.
#[must_use]
pub fn lint_json(lint: &Lint, fixed: Option<&Fixed>) -> impl Serialize {
    let unread =
        |all: &[Unread]| all.iter().map(|one| json!({"path": one.path, "why": one.why})).collect::<Vec<_>>();
    let unfixed = |all: &[Unfixed]| {
        all.iter().map(|one| json!({"place": one.place, "why": one.why})).collect::<Vec<_>>()
    };
    let aside = lint.set_aside.iter().map(|aside| {
        let mut told = finding_json(&aside.finding);
        told["because"] = json!(aside.because);
        told
    });
    LintJson {
        schema: "parallax.lint/1",
        summary: json!({
            "errors": lint.count(Severity::Error),
            "warnings": lint.count(Severity::Warning),
            "files": lint.files,
            "set_aside": lint.set_aside.len(),
        }),
        findings: lint.findings.iter().map(finding_json).collect(),
        set_aside: aside.collect(),
        unread: unread(&lint.unread),
        untold: unread(&lint.untold),
        registry: lint.registry.as_ref().map(|registry| {
            json!({
                "packages": registry.packages, "agreed": registry.agreed, "kept": registry.kept,
                "incomparable": registry.incomparable, "elsewhere": registry.elsewhere,
                "unreached": registry.unreached, "skipped": registry.skipped,
            })
        }),
        fix: fixed.map(|fixed| {
            json!({
                "patch": fixed.patch, "pinned": fixed.pinned, "written": fixed.written,
                "unfixed": unfixed(&fixed.unfixed), "unresolved": unfixed(&fixed.unresolved),
            })
        }),
    }
}

fn finding_json(finding: &Finding) -> Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    json!({
        "code": finding.code, "severity": severity, "path": finding.path, "line": finding.line,
        "column": finding.column, "message": finding.message, "why": finding.why, "mend": finding.mend,
    })
}
