//! Patches, byte for byte.

use std::path::Path;

use parallax_collect::image::Reference;

use super::*;
use crate::usecase::lint::{LintRequest, Registries, lint};
use crate::usecase::{NoRegistryProgress, StorePlace};

/// Knows one image, two actions, and nothing else.
struct Known;

impl Resolver for Known {
    fn image(&self, reference: &Reference) -> Result<String, String> {
        match reference.repository() {
            "library/gone" => Err("registry.example.org has no image `gone`".to_owned()),
            _ => Ok(format!("sha256:{}", "5".repeat(64))),
        }
    }

    fn commit(&self, _: &str, _: &str) -> Result<String, String> {
        Ok("c".repeat(40))
    }
}

fn fixed(folder: &Path, writing: Writing) -> Result<Fixed, AppError> {
    let config = crate::config::Config { folder: folder.to_owned(), ..Default::default() };
    let now = parallax_model::Timestamp::UNIX_EPOCH;
    let (cache, zone) = (None, jiff::tz::TimeZone::UTC);
    let context = Context { config, folder: folder.to_owned(), now, cache, store: StorePlace::Nowhere, zone };
    let request = LintRequest {
        paths: Vec::new(),
        only: Vec::new(),
        ignore: Vec::new(),
        registry: Registries::LeftAlone,
        network: Network::Offline,
    };
    let found = lint(&request, &context, &NoRegistryProgress).unwrap();
    fix_with(&found, &context, writing, &Known)
}

#[track_caller]
fn check(name: &str, before: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, before).unwrap();
    let fixed = fixed(folder.path(), Writing::Anyway).unwrap();
    let short = |text: String| text.replace(&"5".repeat(64), "5").replace(&"c".repeat(40), "c");
    assert_eq!(short(std::fs::read_to_string(&path).unwrap()), expected, "{:?}", fixed.unfixed);
}

#[test]
fn no_other_byte_changes() {
    check(
        "Dockerfile",
        "\u{feff}FROM node\r\nRUN a\r\nFROM b:1 AS c\r\nFROM c",
        "\u{feff}FROM node:latest@sha256:5\r\nRUN a\r\nFROM b:1@sha256:5 AS c\r\nFROM c",
    );
    check(
        "Dockerfile",
        "ARG B=node:20\nFROM $B\nFROM ${B}\n",
        "ARG B=node:20@sha256:5\nFROM $B\nFROM ${B}\n",
    );
    check("Dockerfile", "ARG V=20\nFROM node:$V\n", "ARG V=20\nFROM node:$V\n");
    check(
        "compose.yaml",
        "services: {a: {image: 'redis:7'}} # ü\n",
        "services: {a: {image: 'redis:7@sha256:5'}} # ü\n",
    );
    let ci = ".github/workflows/ci.yml";
    check(
        ci,
        "jobs:\n  a:\n    steps:\n    - uses: a/b@v4\n    - uses: \"a/c/d@v1\"   # why\r\n    - {uses: a/b@v4, x: y}\n",
        "jobs:\n  a:\n    steps:\n    - uses: a/b@c # v4\n    - uses: \"a/c/d@c\" # v1   # why\r\n    - {uses: a/b@c, x: y}\n",
    );
    check(
        ci,
        "jobs: {a: {container: \"ü:1\", steps: [{uses: docker://x:1}]}}",
        "jobs: {a: {container: \"ü:1\", steps: [{uses: docker://x:1@sha256:5}]}}",
    );
    // What a comment sets aside stays.
    check(
        "Dockerfile",
        "# parallax: ignore floating_tag because it is ours\nFROM a:1\n",
        "# parallax: ignore floating_tag because it is ours\nFROM a:1\n",
    );
}

#[test]
fn nothing_is_written_unless_all_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "FROM a:1\nFROM gone:1\n").unwrap();
    let fixed = fixed(folder.path(), Writing::Anyway).unwrap();
    assert_eq!(fixed.written, Vec::<String>::new());
    assert_eq!(fixed.unresolved[0].why, "registry.example.org has no image `gone`");
    assert_eq!(std::fs::read_to_string(folder.path().join("Dockerfile")).unwrap(), "FROM a:1\nFROM gone:1\n");
}

#[test]
fn what_git_does_not_keep_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "FROM a:1\n").unwrap();
    let error = fixed(folder.path(), Writing::Kept).unwrap_err().to_string();
    assert!(error.contains("git does not keep it"), "{error}");
    let git = |words: &[&str]| {
        let name = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        let done =
            std::process::Command::new("git").current_dir(folder.path()).args(name).args(words).output();
        assert!(done.unwrap().status.success(), "{words:?}");
    };
    git(&["init", "-q"]);
    let error = fixed(folder.path(), Writing::Kept).unwrap_err().to_string();
    assert!(error.contains("not committed"), "{error}");
    git(&["add", "."]);
    git(&["commit", "-qm", "a"]);
    let dry = fixed(folder.path(), Writing::Dry).unwrap();
    assert_eq!((dry.written.len(), dry.pinned), (0, 1));
    std::fs::write(folder.path().join("patch"), &dry.patch).unwrap();
    git(&["apply", "--check", "patch"]);
    assert_eq!(fixed(folder.path(), Writing::Kept).unwrap().written, ["Dockerfile"]);
    git(&["apply", "--reverse", "--check", "patch"]);
}

#[test]
fn a_patch() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "# one\nFROM node:20\nRUN x").unwrap();
    let patch = fixed(folder.path(), Writing::Dry).unwrap().patch.replace(&"5".repeat(64), "5");
    assert_eq!(
        patch,
        "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,3 +1,3 @@\n # one\n-FROM node:20\n+FROM node:20@sha256:5\n RUN x\n\\ No newline at end of file\n"
    );
}
