//! From references to findings: what can move.

use parallax_collect::image::Reference;
use parallax_collect::reference::{self, Found, Kind, Written};
use parallax_collect::secret::redact_text;
use parallax_engine::boundary::Severity;
use parallax_model::Code;

use super::files::File;
use super::{Finding, Fix, Lint, Unread};

/// So many characters of a reference are shown.
const SHOWN: usize = 200;

/// Judges the references of a file.
pub(super) fn references(file: &File, out: &mut Lint) {
    let Some(format) = reference::by_path(&file.name) else { return };
    let Some(text) = file.text() else {
        // Lockfiles of requirements may be UTF-16; their reader knows.
        if format.id != "requirements" {
            out.unread.push(Unread { path: file.shown.clone(), why: "not UTF-8".to_owned() });
        }
        return;
    };
    match format.read(text) {
        Ok(found) => found.iter().for_each(|found| judge(file, found, out)),
        Err(error) => {
            let path = format!("{}:{}:{}", file.shown, error.line, error.column);
            out.unread.push(Unread { path, why: error.what.to_owned() });
        }
    }
}

fn judge(file: &File, found: &Found, out: &mut Lint) {
    let depends = found.text.contains('$') || found.text.contains("{{") || found.text.contains('%');
    if depends {
        let path = format!("{}:{}:{}", file.shown, found.line, found.column);
        out.untold
            .push(Unread { path, why: format!("`{}` is known only where it runs", shown(&found.text)) });
        return;
    }
    let told = match found.kind {
        Kind::Image => image(found),
        Kind::Action => action(found),
        Kind::Requirement => Some(requirement(found)),
    };
    out.findings.extend(told.map(|told| Finding {
        code: Code::FloatingTag,
        severity: told.severity,
        path: file.shown.clone(),
        line: found.line,
        column: found.column,
        message: told.message,
        why: told.why.to_owned(),
        mend: told.mend,
        fix: told.fix,
    }));
}

struct Told {
    severity: Severity,
    message: String,
    why: &'static str,
    mend: String,
    fix: Fix,
}

fn image(found: &Found) -> Option<Told> {
    let text = shown(&found.text);
    let reference: Reference = match found.text.parse() {
        Ok(reference) => reference,
        Err(error) => {
            return Some(Told {
                severity: Severity::Error,
                message: format!("`{text}` names no image: {error}"),
                why: "nothing can be pulled by this name",
                mend: "write it as name:tag@sha256:digest".to_owned(),
                fix: Fix::None,
            });
        }
    };
    if !reference.is_floating() {
        return None;
    }
    let (severity, message) = match reference.tag() {
        None => (Severity::Error, format!("`{text}` has neither tag nor digest, which means `latest`")),
        Some("latest") => (Severity::Error, format!("`{text}` is whatever was pushed last")),
        Some(_) => (Severity::Warning, format!("`{text}` has no digest, and its tag can be moved")),
    };
    let (mend, fix) = match &found.written {
        Written::Here(range) => (
            "parallax lint --fix writes the digest behind the tag".to_owned(),
            Fix::Image { reference, written: range.clone() },
        ),
        Written::Apart(why) => (why.clone(), Fix::Apart(why.clone())),
    };
    Some(Told { severity, message, why: "two builds of the same commit can run different images", mend, fix })
}

fn action(found: &Found) -> Option<Told> {
    let text = shown(&found.text);
    let why = "whoever moves the tag or branch runs their code with this workflow's token and secrets";
    let (path, revision) = found.text.split_once('@').unwrap_or((&found.text, ""));
    if revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    // Forgejo and Gitea name an action by its address, too.
    let path = path.strip_prefix("https://github.com/").unwrap_or(path);
    let elsewhere = path.contains("://");
    let mut parts = path.split('/');
    let repository = parts.next().zip(parts.next()).map(|(owner, name)| format!("{owner}/{name}"));
    if elsewhere && !revision.is_empty() {
        let message = format!("`{text}` is a tag or a branch, not a commit");
        let mend = "write the commit in place of it: git ls-remote tells which one it is now".to_owned();
        let fix = Fix::Apart(mend.clone());
        return Some(Told { severity: Severity::Warning, message, why, mend, fix });
    }
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
    };
    let Some(repository) = repository.filter(|name| is_plain(name) && is_plain(revision)) else {
        return Some(Told {
            severity: Severity::Error,
            message: format!("`{text}` names no action: it must be owner/name@revision"),
            why,
            mend: "write it as owner/name@commit # version".to_owned(),
            fix: Fix::None,
        });
    };
    let (mend, fix) = match &found.written {
        Written::Here(range) => (
            "parallax lint --fix writes the commit, and the version as a comment".to_owned(),
            Fix::Action { repository, revision: revision.to_owned(), written: range.clone() },
        ),
        Written::Apart(why) => (why.clone(), Fix::Apart(why.clone())),
    };
    let message = format!("`{text}` is a tag or a branch, not a commit");
    Some(Told { severity: Severity::Warning, message, why, mend, fix })
}

fn requirement(found: &Found) -> Told {
    let mend = match &found.written {
        Written::Apart(why) => why.clone(),
        Written::Here(_) => String::new(),
    };
    Told {
        severity: Severity::Warning,
        message: format!("`{}` may be any version", shown(&found.text)),
        why: "the next installation takes another one than the last",
        mend,
        fix: Fix::None,
    }
}

/// A text of the file, without what may be a credential.
fn shown(text: &str) -> String {
    let masked = redact_text(text);
    // `user:password@host/image` is no reference, but somebody may have written it.
    let masked = match masked.split_once('@') {
        Some((before, after)) if before.contains(':') && after.contains('/') => format!("REDACTED@{after}"),
        Some(_) | None => masked,
    };
    if masked.chars().count() > SHOWN {
        return masked.chars().take(SHOWN).chain(['…']).collect();
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::super::files::Origin;
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let file = File { shown: name.into(), name: name.into(), bytes: text.into(), origin: Origin::Found };
        let mut out = Lint::default();
        references(&file, &mut out);
        let told = |f: &Finding| format!("{:?} {}:{} {}", f.severity, f.line, f.column, f.message);
        let mut all: Vec<String> = out.findings.iter().map(told).collect();
        all.extend(out.untold.iter().chain(&out.unread).map(|u| format!("{}: {}", u.path, u.why)));
        assert_eq!(all, expected, "{text}");
    }

    #[test]
    fn images_that_can_move() {
        let digest = "0".repeat(64);
        check(
            "Dockerfile",
            "FROM node\n",
            &["Error 1:6 `node` has neither tag nor digest, which means `latest`"],
        );
        check("Dockerfile", "FROM a:latest\n", &["Error 1:6 `a:latest` is whatever was pushed last"]);
        check("Dockerfile", "FROM a:1\n", &["Warning 1:6 `a:1` has no digest, and its tag can be moved"]);
        check("Dockerfile", &format!("FROM a:1@sha256:{digest}\n"), &[]);
        check("Dockerfile", "FROM $A\n", &["Dockerfile:1:6: `$A` is known only where it runs"]);
        check(
            "Dockerfile",
            "FROM me:hunter2@h.example/a\n",
            &[
                "Error 1:6 `REDACTED@h.example/a` names no image: the digest is not an algorithm and its hexadecimal digits",
            ],
        );
        check("Dockerfile", "nonsense", &["Dockerfile:1:1: not a Dockerfile"]);
    }

    #[test]
    fn actions_that_can_move() {
        let uses = |text: &str| format!("jobs: {{a: {{steps: [{{uses: '{text}'}}]}}}}");
        let check = |text: &str, expected: &[&str]| check(".github/workflows/a.yml", &uses(text), expected);
        check("a/b@v4", &["Warning 1:28 `a/b@v4` is a tag or a branch, not a commit"]);
        check("a/b/c@main", &["Warning 1:28 `a/b/c@main` is a tag or a branch, not a commit"]);
        check(&format!("a/b@{}", "0a".repeat(20)), &[]);
        check(
            "https://github.com/a/b@v1",
            &["Warning 1:28 `https://github.com/a/b@v1` is a tag or a branch, not a commit"],
        );
        check(
            "https://h.example/a/b@v1",
            &["Warning 1:28 `https://h.example/a/b@v1` is a tag or a branch, not a commit"],
        );
        check("a/b", &["Error 1:28 `a/b` names no action: it must be owner/name@revision"]);
        check("a@v1", &["Error 1:28 `a@v1` names no action: it must be owner/name@revision"]);
        check("a/b@-x y", &["Error 1:28 `a/b@-x y` names no action: it must be owner/name@revision"]);
        check("./a", &[]);
    }
}
