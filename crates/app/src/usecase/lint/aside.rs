//! Comments that set a finding aside: `# parallax: ignore floating_tag because ...`, on the line or the one above. A reason
//! is required: without one the finding stays, and says so.

use super::files::File;
use super::{Finding, Lint, SetAside};

const MARK: &str = "parallax: ignore ";

/// Sets aside what comments name.
pub(super) fn set(files: &[File], out: &mut Lint) {
    for mut finding in std::mem::take(&mut out.findings) {
        let file = files.iter().find(|file| file.shown == finding.path);
        match file.and_then(File::text).map_or(Said::Nothing, |text| said(text, &finding)) {
            Said::Nothing => out.findings.push(finding),
            Said::Because(because) => out.set_aside.push(SetAside { finding, because }),
            Said::NoReason => {
                finding.mend = "the comment that sets it aside gives no reason: add `because ...`".to_owned();
                out.findings.push(finding);
            }
        }
    }
}

enum Said {
    Nothing,
    NoReason,
    Because(String),
}

fn said(text: &str, finding: &Finding) -> Said {
    let at = finding.line.saturating_sub(1);
    let own = text.lines().nth(at);
    // A comment above must be alone: one behind another finding speaks of that one.
    let alone = |line: &&str| line.trim_start().starts_with(['#', '/']);
    let above = at.checked_sub(1).and_then(|at| text.lines().nth(at)).filter(alone);
    let mut without = Said::Nothing;
    for line in own.into_iter().chain(above) {
        let Some((before, rest)) = line.split_once(MARK) else { continue };
        let is_comment = before.trim_end().ends_with('#') || before.trim_end().ends_with("//");
        let (code, reason) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
        if !is_comment || code != finding.code.as_str() {
            continue;
        }
        match reason.trim().strip_prefix("because ").map(str::trim).filter(|reason| !reason.is_empty()) {
            Some(reason) => return Said::Because(reason.to_owned()),
            None => without = Said::NoReason,
        }
    }
    without
}

#[cfg(test)]
mod tests {
    use parallax_engine::boundary::Severity;
    use parallax_model::Code;

    use super::super::Fix;
    use super::super::files::Origin;
    use super::*;

    #[test]
    fn comments() {
        let check = |text: &str, line: usize, expected: &str| {
            let file =
                File { shown: "a".into(), name: "a".into(), bytes: text.into(), origin: Origin::Found };
            let (message, why, mend) = (String::new(), String::new(), String::new());
            let (path, column) = ("a".to_owned(), 1);
            let (code, severity, fix) = (Code::FloatingTag, Severity::Error, Fix::None);
            let finding = Finding { code, severity, path, line, column, message, why, mend, fix };
            let mut out = Lint { findings: vec![finding], ..Lint::default() };
            set(&[file], &mut out);
            let told = match (out.set_aside.first(), out.findings.first()) {
                (Some(aside), _) => aside.because.clone(),
                (None, Some(finding)) => finding.mend.clone(),
                (None, None) => "lost".to_owned(),
            };
            assert_eq!(told, expected, "{text}");
        };
        check("x # parallax: ignore floating_tag because it is a test", 1, "it is a test");
        check("  # parallax: ignore floating_tag because y \nx", 2, "y");
        check("// parallax: ignore floating_tag because y\nx", 2, "y");
        check("x # parallax: ignore floating_tag because y\nx", 2, "");
        check("x # parallax: ignore pin_conflict because y", 1, "");
        check("x parallax: ignore floating_tag because y", 1, "");
        let unreasoned = "the comment that sets it aside gives no reason: add `because ...`";
        check("x # parallax: ignore floating_tag", 1, unreasoned);
        check("x # parallax: ignore floating_tag because", 1, unreasoned);
        check("", 7, "");
    }
}
