//! What readers find, and that no input breaks one.

use super::{FORMATS, Kind, Written, by_path};

fn told(path: &str, text: &str) -> Vec<String> {
    let found = match by_path(path).unwrap().read(text) {
        Ok(found) => found,
        Err(error) => return vec![format!("malformed {error}")],
    };
    found
        .into_iter()
        .map(|one| {
            let kind = match one.kind {
                Kind::Image => "",
                Kind::Action => "action ",
                Kind::Requirement => "open ",
            };
            let apart = match &one.written {
                Written::Here(range) => {
                    assert_eq!(text.get(range.clone()), Some(one.text.as_str()), "{path}");
                    ""
                }
                Written::Apart(_) => " apart",
            };
            format!("{kind}{} @{}:{}{apart}", one.text, one.line, one.column)
        })
        .collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(told(path, text), expected, "{path}\n{text}");
}

#[test]
fn by_name() {
    let check = |path: &str, expected: &str| {
        assert_eq!(by_path(path).map_or("", |format| format.id), expected, "{path}");
    };
    check("Dockerfile", "dockerfile");
    check("a/Containerfile.dev", "dockerfile");
    check("Dockerfile.md", "");
    check("docker-compose.override.yml", "compose");
    check("compose.yaml", "compose");
    check(".github/workflows/ci.yml", "workflow");
    check("sub/.github/workflows/ci.yaml", "workflow");
    check(".github/actions/a/action.yml", "action");
    check(".gitlab-ci.yml", "gitlab");
    check("k/kustomization.yaml", "kustomize");
    check("Kustomization", "kustomize");
    check(".devcontainer/devcontainer.json", "devcontainer");
    check("requirements-dev.txt", "requirements");
    check("deploy/web.yaml", "kubernetes");
    check("package.json", "");
    check("", "");
}

#[test]
fn of_dockerfiles() {
    let check = |text: &str, expected: &[&str]| check("Dockerfile", text, expected);
    check("FROM node:20\n", &["node:20 @1:6"]);
    check("\u{feff}FROM node:20", &["node:20 @1:6"]);
    check("FROM scratch\r\nCOPY --from=nginx:1.25 /a /a\r\n", &["nginx:1.25 @2:13"]);
    check(
        "FROM --platform=linux/amd64 a/b AS Build\nFROM build\nCOPY --from=build a b\nCOPY --from=0 a b\n",
        &["a/b @1:29"],
    );
    check("ARG BASE=node:20\nFROM $BASE\nFROM ${BASE} AS x\n", &["node:20 @2:6", "node:20 @3:6"]);
    check("ARG A=1 B=\"node:20\"\nFROM ${B}", &["node:20 @2:6"]);
    check("ARG V=20\nFROM node:${V}-alpine\n", &["node:20-alpine @2:6 apart"]);
    check("FROM ${B:-node:18}\n", &["node:18 @1:6 apart"]);
    check("FROM $UNKNOWN\n", &["$UNKNOWN @1:6"]);
    check("FROM a:1\nRUN --mount=type=bind,from=b:2,target=/x true\n", &["a:1 @1:6", "b:2 @2:28"]);
    check("FROM \\\n  ruby:3.2\n", &["ruby:3.2 @2:3"]);
    check("FROM ru\\\nby:3.2\n", &["ruby:3.2 @1:6 apart"]);
    check("FROM debian:12\nRUN <<EOF\nFROM node:1\nEOF\n", &["debian:12 @1:6"]);
    check("ARG A0=aa\nARG A1=$A0$A0\nFROM $A1\n", &["aaaa @3:6 apart"]);
    check("", &["malformed 1:1: not a Dockerfile"]);
    check("FROM", &["malformed 1:1: not a Dockerfile"]);
}

#[test]
fn of_workflows() {
    let check = |text: &str, expected: &[&str]| check(".github/workflows/ci.yml", text, expected);
    check(
        "jobs:\n  a:\n    container: node:20\n    services: {db: {image: \"postgres:16\"}}\n    steps:\n      - uses: actions/checkout@v4 # keep\n      - uses: docker://alpine:3.20\n      - uses: ./local\n",
        &["node:20 @3:16", "postgres:16 @4:29", "action actions/checkout@v4 @6:15", "alpine:3.20 @7:24"],
    );
    check(
        "jobs:\n  a:\n    strategy: {matrix: {v: [18, 20]}}\n    container: {image: 'node:${{ matrix.v }}'}\n",
        &["node:18 @4:24 apart", "node:20 @4:24 apart"],
    );
    check(
        "jobs: {r: {uses: o/r/.github/workflows/x.yml@main}}",
        &["action o/r/.github/workflows/x.yml@main @1:18"],
    );
    check("jobs: {a: {steps: [{uses: [x]}, {uses: }, x]}}", &[]);
    check("jobs: [", &["malformed 1:7: not YAML"]);
    check("", &[]);
    super::tests::check(
        "action.yml",
        "runs:\n  using: composite\n  steps: [{uses: a/b@v1}]\n",
        &["action a/b@v1 @3:18"],
    );
    super::tests::check("action.yml", "runs: {using: docker, image: Dockerfile}", &[]);
    super::tests::check("action.yml", "runs: {using: docker, image: 'docker://a:1'}", &["a:1 @1:40"]);
}

#[test]
fn of_compose_and_gitlab() {
    check(
        "compose.yaml",
        "services:\n  a: {image: redis}\n  b:\n    image: \"${REG:-ghcr.io}/x:1\"\n  c: {image: mine, build: .}\n  d: {image: &i nginx:1}\n  e: {image: *i}\n  f: {image: \"a\\x3a1\"}\n  g: {image: ''}\n",
        &["redis @2:14", "ghcr.io/x:1 @4:12 apart", "nginx:1 @6:17", "a:1 @8:14 apart"],
    );
    check(
        ".gitlab-ci.yml",
        "variables: {V: '20'}\nimage: node:$V\nt:\n  image: {name: golang:1.22}\n  services: [postgres:16, {name: 'redis:7'}]\n",
        &["node:20 @2:8 apart", "golang:1.22 @4:17", "postgres:16 @5:14", "redis:7 @5:35"],
    );
    for text in ["services: [a]", "services: {a: b}", "- x", "services: {a: {image: [x]}}"] {
        check("compose.yml", text, &[]);
    }
}

#[test]
fn of_manifests() {
    check(
        "web.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ü/a:1\n  - {name: x, image: 'b:2'}\n  volumes: [{image: {reference: c:3}}]\n---\napiVersion: apps/v1\nkind: List\nitems: [{spec: {initContainers: [{image: d}]}}]\n---\nimage: none\n",
        &["ü/a:1 @5:12", "b:2 @6:23", "c:3 @7:33", "d @11:42"],
    );
    check("values.yaml", "image: node:20\n", &[]);
    check("templates/web.yaml", "{{- if x }}\napiVersion: v1\nimage: a\n", &["malformed 1:3: not YAML"]);
    check(
        "kustomization.yaml",
        "images:\n- {name: a, newTag: '1.2'}\n- name: b\n  newName: c/b\n  newTag: v1\n  digest: sha256:00\n- {name: d, digest: sha256:00}\n- x\n",
        &["a:1.2 @2:21 apart", "c/b:v1@sha256:00 @5:11 apart"],
    );
    check(
        "devcontainer.json",
        "{\n\t// \"image\": \"no\"\n\t/* \"x\" **/ \"image\": \"mcr/x:1\", \"url\": \"http://a//b\",\n}\n",
        &["mcr/x:1 @3:23"],
    );
    check("devcontainer.json", "{\"build\": {}}", &[]);
    check(
        "requirements.txt",
        "flask\nclick==8.1 # x\n-r other.txt\nsix>=1 \\\n  --hash=sha256:00\n./local\na @ https://h/a-1.whl\n",
        &["open flask @1:1 apart", "open six @4:1 apart"],
    );
}

/// How many damaged inputs each reader is fed; `PARALLAX_MUTATIONS=100000` for a thorough run.
fn mutations() -> u64 {
    std::env::var("PARALLAX_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

/// One whole and varied example of each format.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nARG BASE=node:20\nFROM --platform=x ${BASE} AS b\nRUN --mount=type=bind,from=b:2 <<EOF\nx\nEOF\nFROM a:${V:-1}\nCOPY --from=nginx:1 a b\n",
    ),
    (
        ".github/workflows/ci.yml",
        "env: {V: x}\njobs:\n  a:\n    strategy: {matrix: {v: [18, 20]}}\n    container: {image: 'node:${{ matrix.v }}'}\n    services: {db: {image: \"p:1\"}}\n    steps:\n      - uses: a/b@v4 # c\n      - uses: docker://alpine:3\n",
    ),
    ("action.yml", "runs:\n  using: docker\n  image: 'docker://a:1'\n  steps: [{uses: a/b@v1}]\n"),
    (
        ".gitlab-ci.yml",
        "variables: {V: '20'}\nimage: node:$V\nt:\n  image: {name: golang:1.22}\n  services: [postgres:16, {name: 'redis:7'}]\n",
    ),
    ("kustomization.yaml", "images:\n- {name: a, newTag: '1.2'}\n- name: b\n  newName: c/b\n  newTag: v1\n"),
    (
        "compose.yaml",
        "x: &i {image: a:1}\nservices:\n  a: {<<: *i}\n  b:\n    image: \"${REG:-ghcr.io}/x:1\"\n  c: {image: \"ü\\x3a1\"}\n",
    ),
    ("devcontainer.json", "{\n\t// c\n\t/* x **/ \"image\": \"mcr/x:1\", \"u\": \"h//b\\\"\",\n}\n"),
    (
        "requirements.txt",
        "flask\nclick==8.1 # x\nsix>=1 \\\n  --hash=sha256:00\na[b] @ https://h/a-1.whl ; x\n",
    ),
    (
        "web.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ü/a:1\n  - {name: x, image: 'b:2'}\n---\napiVersion: v1\nkind: List\nitems: [{spec: {initContainers: [{image: >-\n  d}]}}]\n",
    ),
];

#[test]
fn every_format_has_an_example() {
    for format in FORMATS {
        let example = EXAMPLES.iter().find(|(path, _)| by_path(path).is_some_and(|f| f.id == format.id));
        let (_, text) = example.unwrap_or_else(|| panic!("no example of {}", format.id));
        drop(format.read(text));
    }
}

/// What a reader says is written stands there, whatever the input.
#[test]
fn no_damaged_input_breaks_a_reader() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for (path, whole) in EXAMPLES {
        let format = by_path(path).unwrap();
        for _ in 0..mutations() {
            let mut text: Vec<char> = whole.chars().collect();
            for _ in 0..=next(4) {
                let (at, other) = (next(text.len()), next(text.len()));
                match next(5) {
                    0 => text.truncate(at),
                    1 => text.insert(
                        at,
                        ['\0', '\n', '"', '{', '[', ':', ',', ' ', '-', '@', '#', '$', '\\', '}', 'ü']
                            [next(15)],
                    ),
                    2 => drop(text.drain(at.min(other)..at.max(other))),
                    3 => {
                        let part = text[at.min(other)..at.max(other)].to_vec();
                        text.splice(at..at, part);
                    }
                    _ => text.insert(at, char::from(u8::try_from(next(256)).unwrap())),
                }
                if text.is_empty() {
                    break;
                }
            }
            let text: String = text.into_iter().collect();
            for one in format.read(&text).into_iter().flatten() {
                if let Written::Here(range) = &one.written {
                    assert_eq!(text.get(range.clone()), Some(one.text.as_str()), "{path}: {text:?}");
                }
            }
        }
    }
}

#[test]
fn yaml_that_multiplies_is_refused() {
    let mut text = "apiVersion: v1\nkind: Pod\nimage: x\na0: &a0 [x, x]\n".to_owned();
    for n in 1..40 {
        text.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
    }
    assert!(by_path("a.yaml").unwrap().read(&text).is_err());
    assert!(by_path("compose.yaml").unwrap().read(&"[".repeat(100_000)).is_err());
    assert_eq!(by_path("a.yaml").unwrap().read("").unwrap(), []);
}
