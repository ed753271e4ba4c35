//! Image references as pins: `node:20.11-alpine` pins node. Knows the images that carry one language and whose
//! tags begin with its version. Pure; asks no registry.

/// What an image's reference says of tools: tool and version text.
pub(super) fn versions(reference: &str) -> Vec<(&'static str, String)> {
    let reference = reference.trim();
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (name, None),
    };
    let Some(tool) = tool(path) else { return Vec::new() };
    match (tag, digest) {
        (Some(tag), _) => from_tag(tool, tag),
        // Fixed, though by another name than a version.
        (None, Some(digest)) => vec![(tool, digest.to_owned())],
        (None, None) => vec![(tool, "latest".to_owned())],
    }
}

/// Namespaces whose images are the official ones, or are tagged like them.
const NAMESPACES: &[&str] =
    &["library", "amd64", "arm64v8", "arm32v7", "i386", "bitnami", "cimg", "circleci", "hexpm"];

/// Images by their name alone, where they are official.
const OFFICIAL: &[(&str, &str)] = &[
    ("amazoncorretto", "java"),
    ("bun", "bun"),
    ("composer", "composer"),
    ("eclipse-temurin", "java"),
    ("elixir", "elixir"),
    ("erlang", "erl"),
    ("golang", "go"),
    ("gradle", "gradle"),
    ("ibm-semeru-runtimes", "java"),
    ("julia", "julia"),
    ("maven", "maven"),
    ("node", "node"),
    ("openjdk", "java"),
    ("perl", "perl"),
    ("php", "php"),
    ("python", "python"),
    ("ruby", "ruby"),
    ("rust", "rustc"),
    ("sapmachine", "java"),
    ("swift", "swift"),
];

/// Images by the end of their path.
const BY_PATH: &[(&str, &str)] = &[
    ("denoland/deno", "deno"),
    ("dotnet/aspnet", "dotnet"),
    ("dotnet/runtime", "dotnet"),
    ("dotnet/sdk", "dotnet"),
    ("hashicorp/terraform", "terraform"),
    ("openjdk/jdk", "java"),
    ("oven/bun", "bun"),
];

fn tool(path: &str) -> Option<&'static str> {
    let by_path = BY_PATH
        .iter()
        .find(|(end, _)| path.strip_suffix(end).is_some_and(|r| r.is_empty() || r.ends_with('/')));
    if let Some((_, tool)) = by_path {
        return Some(tool);
    }
    let (before, name) = path.rsplit_once('/').unwrap_or(("", path));
    let namespace = before.rsplit('/').next().unwrap_or_default();
    // `registry.example.org/node` is a copy; `someone/node` is not the official one.
    let copied = namespace.contains(['.', ':']) || namespace == "localhost";
    if !(namespace.is_empty() || copied || NAMESPACES.contains(&namespace)) {
        return None;
    }
    OFFICIAL.iter().find(|(image, _)| *image == name).map(|(_, tool)| *tool)
}

fn from_tag(tool: &'static str, tag: &str) -> Vec<(&'static str, String)> {
    let mut found = vec![(tool, version_of(tool, tag))];
    for (marker, second) in SECOND {
        if let Some((_, rest)) = tag.split_once(marker) {
            let version = leading_version(rest);
            if !version.is_empty() && tool != *second {
                found.push((second, version));
            }
        }
    }
    found.dedup_by(|later, earlier| later.0 == earlier.0);
    found
}

/// What a tag names besides: Maven's and Gradle's Java, Elixir's Erlang.
const SECOND: &[(&str, &str)] = &[
    ("-jdk-", "java"),
    ("-jdk", "java"),
    ("-temurin-", "java"),
    ("-corretto-", "java"),
    ("-otp-", "erl"),
    ("-erlang-", "erl"),
];

fn version_of(tool: &str, tag: &str) -> String {
    // `denoland/deno:alpine-2.0.0` has it behind.
    let tag = match tag.split_once('-') {
        Some((first, rest)) if tool == "deno" && leading_version(first).is_empty() => rest,
        Some(_) | None => tag,
    };
    if tag.starts_with('$') || tag.starts_with("sha256") {
        return tag.to_owned();
    }
    let version = leading_version(tag.strip_prefix('v').unwrap_or(tag));
    let first = tag.split('-').next().unwrap_or_default();
    match (version.is_empty(), first) {
        // What a tag may not hold, `+`, is written `_`: `17.0.9_9` is Java 17.0.9+9.
        (false, _) => version.replace('_', "+"),
        (true, "lts" | "current" | "nightly" | "stable" | "iron" | "hydrogen" | "jod" | "krypton") => {
            first.to_owned()
        }
        // `alpine`, `bookworm-slim`: a system is named, and of the language the latest.
        (true, _) => "latest".to_owned(),
    }
}

/// The version that a text begins with: up to the first `-`, if it begins with a digit.
fn leading_version(text: &str) -> String {
    let first = text.split('-').next().unwrap_or_default();
    if first.bytes().next().is_some_and(|b| b.is_ascii_digit()) { first.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let check = |reference: &str, expected: &[(&str, &str)]| {
            let found = versions(reference);
            let found: Vec<(&str, &str)> = found.iter().map(|(t, v)| (*t, v.as_str())).collect();
            assert_eq!(found, expected, "{reference}");
        };
        check("node:20.11.1-bookworm-slim", &[("node", "20.11.1")]);
        check("node", &[("node", "latest")]);
        check("node:alpine", &[("node", "latest")]);
        check("node:lts-alpine", &[("node", "lts")]);
        check("docker.io/library/python:3.12@sha256:ab", &[("python", "3.12")]);
        check("python@sha256:ab", &[("python", "sha256:ab")]);
        check("localhost:5000/golang:1.22", &[("go", "1.22")]);
        check("localhost:5000/golang", &[("go", "latest")]);
        check("eclipse-temurin:17.0.9_9-jdk", &[("java", "17.0.9+9")]);
        check("maven:3.9-eclipse-temurin-21", &[("maven", "3.9"), ("java", "21")]);
        check("gradle:8.5-jdk21", &[("gradle", "8.5"), ("java", "21")]);
        check("openjdk:8-jdk-slim", &[("java", "8")]);
        check("elixir:1.15-otp-26", &[("elixir", "1.15"), ("erl", "26")]);
        check("denoland/deno:alpine-2.0.0", &[("deno", "2.0.0")]);
        check("mcr.microsoft.com/dotnet/sdk:8.0", &[("dotnet", "8.0")]);
        check("node:${V}", &[("node", "${V}")]);
        for other in ["", ":", "@", "/", "debian:12", "someone/node:20", "nodejs:1", "scratch", "postgres:16"]
        {
            check(other, &[]);
        }
    }
}
