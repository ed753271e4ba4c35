//! `parallax lint` end to end: a loopback server that serves documents in the shape of npm's, Python's and Cargo's
//! registries, and a real git repository for an action.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::support::Ran;

const CANARY: &str = "c4n4ryT0kenDoNotLeak77";

/// A project, and the home of who works on it.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new(files: &[(&str, &str)]) -> Self {
        let shop = Self { folder: tempfile::tempdir_in("/tmp").unwrap() };
        std::fs::create_dir_all(shop.home()).unwrap();
        files.iter().for_each(|(name, text)| shop.write(name, text));
        shop
    }

    fn home(&self) -> std::path::PathBuf {
        self.folder.path().join("home")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("shop").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.current_dir(self.folder.path().join("shop")).env_clear().env("HOME", self.home());
        command.env("PATH", "/usr/bin:/bin").args(arguments).envs(variables.iter().copied());
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    }

    fn lint(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["lint"], arguments].concat(), &[])
    }
}

fn git(folder: &Path, words: &[&str]) -> String {
    let name = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ];
    let done = Command::new("git").current_dir(folder).args(name).args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_can_move_is_found() {
    let shop = Shop::new(&[
        (
            "Dockerfile",
            "FROM node\nFROM python:3.12-slim AS b\nFROM b\nFROM ${X}\n# parallax: ignore floating_tag because it is built here\nFROM own:1\n",
        ),
        (".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"),
        (".nvmrc", "20.1.0\n"),
        (".node-version", "18.19.0\n"),
        ("broken/compose.yml", "services: [\n"),
        ("node_modules/x/Dockerfile", "FROM skipped\n"),
    ]);
    let ran = shop.lint(&["--color", "never", "--verbose"]).exits(1);
    insta::assert_snapshot!(ran.stdout);
    shop.lint(&["--ignore", "floating_tag", "--ignore", "pin_conflict"]).exits(0).says(&["nothing found"]);
    shop.lint(&[".github"]).exits(0);
    shop.lint(&[".github", "--strict"]).exits(1);
    shop.lint(&["--mode", "ci"])
        .exits(1)
        .says(&["[ERROR] floating_tag: Dockerfile:1:6: `node`", "[WARNING] floating_tag"]);
    let json: serde_json::Value =
        serde_json::from_str(&shop.lint(&["--format", "json"]).exits(1).stdout).unwrap();
    assert_eq!((&json["schema"], json["summary"]["errors"].as_u64()), (&"parallax.lint/1".into(), Some(2)));
    assert_eq!(json["set_aside"][0]["because"], "it is built here");
    shop.lint(&["no/such"]).exits(2).says(&["no/such"]);
    shop.lint(&["--only", "floating_tags"]).exits(2).says(&["did you mean `floating_tag`"]);
}

#[test]
fn environment_files_are_checked_where_they_are_named() {
    let secret = format!("TOKEN={CANARY}\nPORT=http-{CANARY}\n");
    let shop = Shop::new(&[
        (
            "parallax.yaml",
            "version: 1\nenv_schema: {PORT: {type: port, required: true}, MODE: {one_of: [a, b], required: true}}\n",
        ),
        (".env", &secret),
        (".env.example", "PORT=\nMODE=c\n"),
    ]);
    let ran = shop.lint(&[".env", "--verbose"]).exits(1).says(&[
        "env_invalid",
        ".env:2:1",
        "PORT is not a port",
        "MODE is not set",
    ]);
    assert!(!format!("{ran:?}").contains("c4n4ry"), "{ran:?}");
    shop.lint(&[]).exits(1).says(&[".env.example:2:1", "MODE is not one of a, b"]);
}

#[test]
fn actions_are_pinned_to_the_commit_of_their_tag() {
    let workflow =
        "jobs:\r\n  a:\r\n    steps:\r\n      - uses: acme/tool/sub@v1.2   # kept\r\n      - uses: ./local";
    let shop = Shop::new(&[(".github/workflows/ci.yml", workflow)]);
    let upstream = shop.folder.path().join("github/acme/tool");
    std::fs::create_dir_all(&upstream).unwrap();
    git(&upstream, &["init", "-q"]);
    git(&upstream, &["commit", "-q", "--allow-empty", "-m", "a"]);
    git(&upstream, &["tag", "-a", "-m", "a", "v1.2"]);
    let commit = git(&upstream, &["rev-parse", "HEAD"]);
    let base = shop.folder.path().join("github").display().to_string();
    std::fs::write(
        shop.home().join(".gitconfig"),
        format!("[url \"file://{base}/\"]\n insteadOf = https://github.com/\n"),
    )
    .unwrap();
    let project = shop.folder.path().join("shop");
    git(&project, &["init", "-q"]);
    shop.lint(&["--fix"]).exits(2).says(&["not committed", "--dry-run"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-qm", "a"]);
    shop.lint(&["--fix", "--offline"]).exits(3).says(&["--offline was given", "nothing was written"]);
    let shown = shop.lint(&["--fix", "--dry-run", "--color", "never"]).exits(0);
    assert!(
        shown.stdout.contains(&format!("+      - uses: acme/tool/sub@{commit} # v1.2   # kept")),
        "{}",
        shown.stdout
    );
    assert_eq!(std::fs::read_to_string(shop.path(".github/workflows/ci.yml")).unwrap(), workflow);
    shop.lint(&["--fix"])
        .exits(0)
        .says(&["1 reference pinned in 1 file", "git restore .github/workflows/ci.yml"]);
    let pinned = workflow.replace("@v1.2", &format!("@{commit} # v1.2"));
    assert_eq!(std::fs::read_to_string(shop.path(".github/workflows/ci.yml")).unwrap(), pinned);
    shop.lint(&["--strict"]).exits(0).says(&["nothing found"]);
}

#[test]
fn images_are_pinned_to_what_their_registry_has() {
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let documents = [("/v2/", "{}"), ("/v2/team/app/manifests/1.0", index)];
    let documents = documents.map(|(path, body)| (path.to_owned(), body.to_owned()));
    let (address, _) = serve(documents.into());
    let dockerfile = format!("# base\nFROM {address}/team/app:1.0 AS base\nFROM base\n");
    let shop = Shop::new(&[("Dockerfile", &dockerfile)]);
    let project = shop.folder.path().join("shop");
    git(&project, &["init", "-q"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-qm", "a"]);
    std::fs::write(shop.home().join("index"), index).unwrap();
    let sum = Command::new("sha256sum").arg(shop.home().join("index")).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let digest = format!("sha256:{}", sum.split(' ').next().unwrap());
    shop.lint(&["--fix"]).exits(0).says(&["1 reference pinned in 1 file", &digest]);
    let pinned = dockerfile.replace("app:1.0", &format!("app:1.0@{digest}"));
    assert_eq!(std::fs::read_to_string(shop.path("Dockerfile")).unwrap(), pinned);
    shop.lint(&["--strict"]).exits(0).says(&["nothing found"]);
    // Nobody there: nothing is written.
    shop.write("Dockerfile", "FROM 127.0.0.1:1/app:2\n");
    git(&project, &["commit", "-qam", "b"]);
    shop.lint(&["--fix"]).exits(3).says(&["could not be reached", "nothing was written"]);
}

/// What the server was asked: path and `authorization`.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Serves documents by their path; what is not there is 404, and each path is too busy when it is first asked for.
fn serve(documents: BTreeMap<String, String>) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Asked = Arc::default();
    let (documents, seen) = (Arc::new(documents), Arc::clone(&asked));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (documents, seen) = (Arc::clone(&documents), Arc::clone(&seen));
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let path = lines
                    .next()
                    .and_then(|line| Some(line.split(' ').nth(1)?.to_owned()))
                    .unwrap_or_default();
                let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let authorization = headers.iter().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
                });
                let is_first = {
                    let mut seen = seen.lock().unwrap();
                    let is_first = !seen.iter().any(|(before, _)| *before == path);
                    seen.push((path.clone(), authorization.unwrap_or_default()));
                    is_first
                };
                let (status, body) = match documents.get(&path) {
                    _ if is_first => ("429 Too Many Requests\r\nRetry-After: 0", "busy"),
                    Some(body) => ("200 OK", body.as_str()),
                    None => ("404 Not Found", "{}"),
                };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                drop((&stream).write_all(answer.as_bytes()));
            });
        }
    });
    (address, asked)
}

/// One package of each registry, in its own shape: npm's document of a version, Python's JSON API, Cargo's sparse index.
fn registries() -> (String, Asked) {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let npm = |hash: &str| {
        format!(
            r#"{{"name":"ms","version":"2.1.3","dist":{{"shasum":"{}","integrity":"sha512-{hash}==","tarball":"https://registry.example.org/ms.tgz"}}}}"#,
            "0".repeat(40)
        )
    };
    let pypi = format!(
        r#"{{"info":{{"name":"click","version":"8.1.7"}},"urls":[{{"filename":"click-8.1.7.tar.gz","digests":{{"md5":"0","sha256":"{a}"}},"yanked":false}}]}}"#
    );
    let crates = format!(
        "{{\"name\":\"serde\",\"vers\":\"1.0.0\",\"deps\":[],\"cksum\":\"{b}\",\"features\":{{}},\"yanked\":true}}\n"
    );
    let documents = [
        ("/npm/ms/2.1.3", npm("AAAA")),
        ("/npm/@s%2fx/1.0.0", npm("AAAA").replace("2.1.3", "1.0.0")),
        ("/py/pypi/click/8.1.7/json", pypi),
        ("/crates/se/rd/serde", crates),
    ];
    serve(documents.into_iter().map(|(path, body)| (path.to_owned(), body)).collect())
}

/// A lockfile of npm with one hash to choose.
fn lock(hash: &str) -> String {
    format!(
        "{{\"name\": \"x\", \"lockfileVersion\": 3, \"packages\": {{\"\": {{}},\n\"node_modules/ms\": {{\"version\": \"2.1.3\", \"integrity\": \"sha512-{hash}==\"}},\n\"node_modules/gone\": {{\"version\": \"1.0.0\", \"integrity\": \"sha512-CCCC==\"}},\n\"node_modules/@s/x\": {{\"version\": \"1.0.0\", \"integrity\": \"sha512-BBBB==\"}}}}}}\n"
    )
}

/// A project that locks packages of all three, with the installers' configuration.
fn shop_of(address: &str) -> Shop {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    Shop::new(&[
        ("package-lock.json", &lock("AAAA")),
        (".npmrc", &format!("registry=http://{address}/npm/\n//{address}/npm/:_authToken=${{NPM_TOKEN}}\n")),
        ("requirements.txt", &format!("click==8.1.7 \\\n  --hash=sha256:{a}\n")),
        (
            "Cargo.lock",
            &format!(
                "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{b}\"\n"
            ),
        ),
        (
            ".cargo/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+http://{address}/crates/\"\n"
            ),
        ),
    ])
}

#[test]
fn what_is_locked_is_held_against_what_is_served() {
    let (address, asked) = registries();
    let shop = shop_of(&address);
    let index = format!("http://me:{CANARY}@{address}/py/simple");
    let variables = [("NPM_TOKEN", CANARY), ("PIP_INDEX_URL", index.as_str()), ("PARALLAX_LOG", "trace")];
    let lint = |arguments: &[&str]| {
        shop.run(&[&["lint", "--registry", "--color", "never"], arguments].concat(), &variables)
    };
    let ran = lint(&[]).exits(1);
    insta::assert_snapshot!(ran.stdout);
    let seen = asked.lock().unwrap().clone();
    let of = |path: &str| seen.iter().filter(|(asked, _)| asked == path).cloned().collect::<Vec<_>>();
    assert_eq!(of("/npm/ms/2.1.3").len(), 2, "it is asked again when it was busy: {seen:?}");
    assert_eq!(of("/npm/ms/2.1.3")[1].1, format!("Bearer {CANARY}"));
    assert!(of("/py/pypi/click/8.1.7/json")[1].1.starts_with("Basic "));
    assert_eq!(of("/crates/se/rd/serde")[1].1, "");
    // What was answered is kept; what is absent is asked for again.
    let again = lint(&["--format", "json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (json["registry"]["kept"].as_u64(), json["registry"]["packages"].as_u64()),
        (Some(4), Some(5))
    );
    let kept = std::fs::read_to_string(shop.home().join(".cache/parallax/registry-answers.json")).unwrap();
    for text in [format!("{ran:?}"), format!("{again:?}"), kept] {
        assert!(!text.contains(CANARY), "{text}");
    }
    // A lockfile that was tampered with.
    shop.write("package-lock.json", &lock("DDDD"));
    lint(&[]).exits(1).says(&["package-lock.json:2:1: error integrity_mismatch: ms 2.1.3"]);
}

#[test]
fn without_a_network_it_says_so() {
    let shop =
        Shop::new(&[("requirements.txt", &format!("click==8.1.7 --hash=sha256:{}\n", "a".repeat(64)))]);
    shop.lint(&["--registry", "--offline"])
        .exits(0)
        .says(&["REGISTRIES NOT ASKED: --offline was given", "1 packages"]);
    let nobody = [("PIP_INDEX_URL", "http://127.0.0.1:1/simple")];
    let ran = shop.run(&["lint", "--registry"], &nobody).exits(0);
    assert!(ran.stdout.contains("REGISTRIES NOT ASKED: no registry could be reached"), "{}", ran.stdout);
    shop.run(&["lint", "--registry", "--strict"], &nobody).exits(1);
}
