//! Reads `parallax.yaml`. Every mistake is told with its line and the nearest thing that would be right.

use std::path::{Path, PathBuf};

use parallax_collect::image::Platform;
use parallax_engine::boundary::{
    Origin, Profile, Requirement, Rule, Severity, VariableSchema, VariableShape,
};
use parallax_model::selector::Selector;
use parallax_store::Policy;
use regex_lite::Regex;
use serde_saphyr::{Error as YamlError, Location, Spanned};

use super::file::{
    BoundaryFile, EnvironmentFile, File, HostFile, ImageFile, MustFile, ProfileFile, RetentionFile,
    SeverityFile, ShellFile, SourceFile, VariableFile, VariableType,
};
use super::{Config, Environment, Host, Image, ImageAt, Shell, Source};
use crate::error::AppError;

/// The names that the file may have.
const NAMES: [&str; 2] = ["parallax.yaml", "parallax.yml"];

/// What a source may be in later versions; named so that the message can say more than "unknown".
const LATER: &[&str] = &[
    "kubernetes",
    "manifests",
    "helm",
    "terraform",
    "aws",
    "azure",
    "gcloud",
    "vault",
    "names",
    "policies",
    "decisions",
    "owner",
    "face",
];

/// Looks for the configuration in a folder and those above it, up to the top of the version-controlled
/// tree or the file system.
#[must_use]
pub fn find(from: &Path) -> Option<PathBuf> {
    for folder in from.ancestors() {
        if let Some(found) = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
            return Some(found);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Reads the configuration that was named, or that was found from the folder, or else the defaults.
///
/// # Errors
/// Where a file is there and is wrong or can't be read.
pub fn load(named: Option<&Path>, folder: &Path) -> Result<Config, AppError> {
    let Some(path) = named.map(Path::to_path_buf).or_else(|| find(folder)) else {
        return Ok(Config { folder: project_root(folder), ..Config::default() });
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|e| AppError::io("read the configuration", path.display(), &e))?;
    let shown = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
    let mut config = parse(&text, &shown)?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    config.folder = if parent.is_absolute() { parent.to_path_buf() } else { folder.join(parent) };
    config.path = Some(path);
    Ok(config)
}

/// Without a configuration the project is the version-controlled tree that the folder is in, if any.
fn project_root(folder: &Path) -> PathBuf {
    folder.ancestors().find(|f| f.join(".git").exists()).unwrap_or(folder).to_path_buf()
}

/// Reads a configuration from text; `path` is for messages and for the origin of rules.
///
/// # Errors
/// With line and mend for each sort of mistake.
pub fn parse(text: &str, path: &str) -> Result<Config, AppError> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|e| yaml_error(&e, path))?;
    let reader = Reader { path };
    if file.version.value != 1 {
        let what = format!("version {} is not known to this version of Parallax", file.version.value);
        return Err(reader.wrong(file.version.referenced, &what).hint("write `version: 1`"));
    }
    let mut environments = Vec::new();
    for (name, environment) in &file.environments {
        environments.push(reader.environment(name, environment)?);
    }
    let known: Vec<&str> = file.environments.keys().map(String::as_str).chain(["local"]).collect();
    let boundaries: Vec<Rule> =
        file.boundaries.iter().map(|b| reader.boundary(b, &known)).collect::<Result<_, _>>()?;
    let env_schema: Vec<VariableSchema> =
        file.env_schema.iter().map(|(name, v)| reader.variable(name, v)).collect::<Result<_, _>>()?;
    let profile = match file.profile {
        ProfileFile::Recommended => Profile::Recommended,
        ProfileFile::Strict => Profile::Strict,
        ProfileFile::None => Profile::None,
    };
    let variables = file.variables.map(|named| with_demanded(named, &boundaries, &env_schema));
    let store = file.store.map(|store| reader.store(&store)).transpose()?;
    let retention = file.retention.map(|kept| reader.retention(&kept)).transpose()?.unwrap_or_default();
    Ok(Config {
        path: None,
        folder: PathBuf::new(),
        environments,
        boundaries,
        profile,
        env_schema,
        variables,
        store,
        retention,
    })
}

/// The variables that are named, and those that the file itself makes demands of.
fn with_demanded(mut named: Vec<String>, boundaries: &[Rule], schema: &[VariableSchema]) -> Vec<String> {
    named.extend(schema.iter().map(|variable| variable.name.clone()));
    named.extend(boundaries.iter().filter_map(|rule| {
        let name = rule.select.as_str().split('#').next()?.strip_prefix("env/")?;
        (!name.contains('*')).then(|| name.to_owned())
    }));
    named.sort();
    named.dedup();
    named
}

struct Reader<'a> {
    path: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, at: Location, what: &str) -> AppError {
        AppError::usage(format!("{}:{}: {what}", self.path, at.line()))
    }

    fn origin(&self, at: Location) -> Origin {
        Origin::File { path: self.path.to_owned(), line: usize::try_from(at.line()).unwrap_or(0) }
    }

    fn environment(&self, name: &str, file: &Spanned<EnvironmentFile>) -> Result<Environment, AppError> {
        if name.is_empty() || name.contains(['@', '/', ':', '\n']) || name == "-" {
            let what = format!(
                "`{name}` can't be an environment's name: it may not be `-` nor hold `@`, `/` or `:`"
            );
            return Err(self.wrong(file.referenced, &what));
        }
        if file.value.sources.is_empty() {
            return Err(self
                .wrong(file.referenced, &format!("environment `{name}` has no source"))
                .hint("give it one, such as {host: ssh://staging, project: /srv/app}"));
        }
        let sources = file.value.sources.iter().map(|s| self.source(s)).collect::<Result<_, _>>()?;
        Ok(Environment { name: name.to_owned(), sources, recorded_as: None })
    }

    fn store(&self, place: &Spanned<String>) -> Result<String, AppError> {
        let text = place.value.trim();
        if text.is_empty() {
            return Err(self
                .wrong(place.referenced, "`store` names nothing")
                .hint("write a file, such as `store: ../timelines.db`, or a URL; without it, .parallax/store.db is used"));
        }
        Ok(text.to_owned())
    }

    /// Each number counts from now, so a later one that is smaller would say nothing. What is not written fits
    /// itself between what is.
    fn retention(&self, file: &Spanned<RetentionFile>) -> Result<Policy, AppError> {
        let usual = Policy::default();
        let RetentionFile { all_days, hourly_days, daily_days } = file.value;
        let at_most = |days: Option<u32>| days.unwrap_or(u32::MAX);
        let all = all_days.unwrap_or(usual.all_days.min(at_most(hourly_days)).min(at_most(daily_days)));
        let hourly = hourly_days.unwrap_or(usual.hourly_days.max(all).min(at_most(daily_days)));
        let daily = daily_days.unwrap_or(usual.daily_days.max(hourly));
        let kept = (("all_days", all), ("hourly_days", hourly), ("daily_days", daily));
        for ((before, least), (name, days)) in [(kept.0, kept.2), (kept.0, kept.1), (kept.1, kept.2)] {
            if days < least {
                let what = format!("`{name}: {days}` says nothing beside `{before}: {least}`");
                return Err(self.wrong(file.referenced, &what).hint(
                    "all three count from now, such as {all_days: 7, hourly_days: 30, daily_days: 365}",
                ));
            }
        }
        Ok(Policy { all_days: all, hourly_days: hourly, daily_days: daily })
    }

    fn source(&self, file: &Spanned<SourceFile>) -> Result<Source, AppError> {
        let at = file.referenced;
        let SourceFile { host, project, snapshot, documents, image } = &file.value;
        if let Some(image) = image {
            return match (host, snapshot, documents) {
                (None, None, None) => self.image(image, project.clone(), at),
                _ => Err(self.not_together(at)),
            };
        }
        match (host, project, snapshot, documents) {
            (Some(host), project, None, None) => {
                Ok(Source::Host { at: self.host(host, at)?, project: project.clone() })
            }
            (None, Some(project), None, None) => {
                let local = Host { place: "local".to_owned(), shell: Shell::Plain };
                Ok(Source::Host { at: local, project: Some(project.clone()) })
            }
            (None, None, Some(snapshot), None) => Ok(Source::Snapshot(snapshot.path().into())),
            (None, None, None, Some(documents)) => Ok(Source::Documents(documents.path().into())),
            (None, None, None, None) => Err(self
                .wrong(at, "this source says nothing")
                .hint("a source is one of {host: .., project: ..}, {image: REFERENCE}, {snapshot: FILE}, {documents: FILE}")),
            _ => Err(self.not_together(at)),
        }
    }

    fn not_together(&self, at: Location) -> AppError {
        self.wrong(at, "only `host` or `image` goes together with `project` in one source")
            .hint("write the others as sources of their own, each in its own braces")
    }

    fn image(&self, file: &ImageFile, project: Option<String>, at: Location) -> Result<Source, AppError> {
        let (reference, platform) = match file {
            ImageFile::Short(reference) => (reference, None),
            ImageFile::Long(long) => (&long.reference, long.platform.as_deref()),
        };
        let read = |text: &str| {
            let what = format!("`{text}` is no platform");
            Platform::parse(text).ok_or_else(|| self.wrong(at, &what).hint("write it as `linux/amd64`"))
        };
        let platform = platform.map(read).transpose()?;
        let place = reference.parse::<ImageAt>().map_err(|why| self.wrong(at, &why))?;
        Ok(Source::Image(Image { at: place, platform, project }))
    }

    fn host(&self, host: &HostFile, at: Location) -> Result<Host, AppError> {
        let (place, shell) = match host {
            HostFile::Short(place) => (place, Shell::Plain),
            HostFile::Long(long) => match long.shell {
                ShellFile::Plain => (&long.at, Shell::Plain),
                ShellFile::Login => (&long.at, Shell::Login),
            },
        };
        if place != "local" && !place.starts_with("ssh://") {
            return Err(self
                .wrong(at, &format!("`{place}` is not a host"))
                .hint(format!("write `local`, or `ssh://{place}` for a host over ssh")));
        }
        Ok(Host { place: place.clone(), shell })
    }

    fn boundary(&self, file: &Spanned<BoundaryFile>, known: &[&str]) -> Result<Rule, AppError> {
        let BoundaryFile { select, must, may, between, because, severity } = &file.value;
        let selector =
            Selector::parse(&select.value).map_err(|e| self.wrong(select.referenced, &e.to_string()))?;
        let requirement = match (must, may) {
            (Some(must), None) => self.requirement(must)?,
            (None, Some(_)) => Requirement::MayDiffer,
            (None, None) => {
                return Err(self
                    .wrong(file.referenced, &format!("the boundary for `{}` demands nothing", select.value))
                    .hint("add `must: equal` or `may: differ`"));
            }
            (Some(_), Some(_)) => {
                return Err(self.wrong(file.referenced, "a boundary says `must` or `may`, not both"));
            }
        };
        Ok(Rule {
            select: selector,
            requirement,
            between: between.as_ref().map(|b| self.pair(b, known)).transpose()?,
            because: because.clone(),
            severity: severity.map(|s| match s {
                SeverityFile::Info => Severity::Info,
                SeverityFile::Warning => Severity::Warning,
                SeverityFile::Error => Severity::Error,
            }),
            origin: self.origin(file.referenced),
        })
    }

    fn pair(&self, between: &Spanned<Vec<String>>, known: &[&str]) -> Result<(String, String), AppError> {
        if let Some(name) = between.value.iter().find(|name| !known.contains(&name.as_str())) {
            let what = format!("`between` names `{name}`, which is no environment here");
            let error = self.wrong(between.referenced, &what);
            return Err(error.hint(format!("environments here: {}", known.join(", "))));
        }
        match between.value.as_slice() {
            [a, b] => Ok((a.clone(), b.clone())),
            other => Err(self.wrong(
                between.referenced,
                &format!("`between` names two environments, not {}", other.len()),
            )),
        }
    }

    fn requirement(&self, must: &Spanned<MustFile>) -> Result<Requirement, AppError> {
        let at = must.referenced;
        Ok(match &must.value {
            MustFile::Equal => Requirement::Equal,
            MustFile::Compatible => Requirement::Compatible,
            MustFile::Present => Requirement::Present,
            MustFile::Pinned => Requirement::Pinned,
            MustFile::OneOf(list) => Requirement::OneOf(list.clone()),
            MustFile::Matches(pattern) => Requirement::Matches(self.regex(pattern, at)?),
            MustFile::Within(text) => {
                let number = text.trim().strip_suffix('%').and_then(|n| n.trim().parse::<f64>().ok());
                let percent = number.filter(|n| n.is_finite() && *n >= 0.0).ok_or_else(|| {
                    self.wrong(at, &format!("`within` takes a percentage such as `2%`, not `{text}`"))
                })?;
                Requirement::WithinPercent(percent)
            }
        })
    }

    /// A regular expression that has to match from start to end.
    fn regex(&self, pattern: &str, at: Location) -> Result<Regex, AppError> {
        Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|e| self.wrong(at, &format!("`{pattern}` is not a regular expression: {e}")))
    }

    fn variable(&self, name: &str, file: &Spanned<VariableFile>) -> Result<VariableSchema, AppError> {
        let VariableFile { kind, required, one_of, matches } = &file.value;
        let shape = match (kind, one_of, matches) {
            (None, None, None) => VariableShape::Any,
            (Some(kind), None, None) => shape(*kind),
            (None | Some(VariableType::String), Some(list), None) => VariableShape::OneOf(list.clone()),
            (None | Some(VariableType::String), None, Some(pattern)) => {
                VariableShape::Matches(self.regex(&pattern.value, pattern.referenced)?)
            }
            _ => {
                let what = format!("`{name}` has more than one of `type`, `one_of`, `matches`");
                return Err(self.wrong(file.referenced, &what).hint("keep the narrowest"));
            }
        };
        let origin = self.origin(file.referenced);
        Ok(VariableSchema { name: name.to_owned(), required: *required, shape, origin })
    }
}

fn shape(kind: VariableType) -> VariableShape {
    match kind {
        VariableType::String => VariableShape::NonEmpty,
        VariableType::Url => VariableShape::Url,
        VariableType::Integer => VariableShape::Integer,
        VariableType::Number => VariableShape::Number,
        VariableType::Boolean => VariableShape::Boolean,
        VariableType::Port => VariableShape::Port,
        VariableType::Email => VariableShape::Email,
    }
}

fn yaml_error(error: &YamlError, path: &str) -> AppError {
    let error = error.without_snippet();
    let line = error.location().map_or(1, |l| l.line());
    let at = format!("{path}:{line}");
    if let YamlError::SerdeUnknownField { field, expected, .. } = error {
        return unknown("field", field, expected, &at);
    }
    if let YamlError::SerdeUnknownVariant { variant, expected, .. } = error {
        return unknown("word", variant, expected, &at);
    }
    if let YamlError::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or("a key");
        return AppError::usage(format!("{at}: `{key}` stands twice")).hint("keep one of them");
    }
    AppError::usage(format!("{at}: {error}"))
        .hint("`parallax schema config` prints the schema that editors can check against")
}

fn unknown(what: &str, found: &str, expected: &[&'static str], at: &str) -> AppError {
    let error = AppError::usage(format!("{at}: unknown {what} `{found}`"));
    if LATER.contains(&found) {
        return error
            .hint(format!("`{found}` is not in this version; here one may write {}", listed(expected)));
    }
    let nearest = expected.iter().min_by_key(|known| strsim::damerau_levenshtein(known, found));
    match nearest.filter(|known| strsim::damerau_levenshtein(known, found) <= 3) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error.hint(format!("here one may write {}", listed(expected))),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
version: 1
environments:
  local: {sources: [{host: local, project: .}]}
  staging: {sources: [{host: ssh://staging, project: /srv/shop}, {documents: settings.json}]}
  cron: {sources: [{host: {at: local, shell: login}}, {documents: {path: x.json}}]}
boundaries:
  - {select: 'runtime/*#version', must: equal}
  - {select: 'env/DATABASE_URL', may: differ, because: each environment has its own database}
  - {select: 'x/**', must: {within: 2%}, between: [local, staging], severity: warning}
  - {select: 'y', must: {one_of: [a, 2]}}
profile: strict
env_schema: {DATABASE_URL: {type: url, required: true}, LOG_LEVEL: {one_of: [debug, info]}}
";

    #[test]
    fn reads_what_the_interface_shows() {
        let config = parse(WHOLE, "parallax.yaml").unwrap();
        assert_eq!(config.names(), ["cron", "local", "staging"]);
        assert_eq!(config.boundaries.len(), 4);
        assert_eq!(config.boundaries[1].origin, Origin::File { path: "parallax.yaml".into(), line: 8 });
        assert_eq!(config.boundaries[1].because.as_deref(), Some("each environment has its own database"));
        assert!(
            matches!(config.boundaries[2].requirement, Requirement::WithinPercent(p) if (p - 2.0).abs() < 1e-9)
        );
        assert_eq!(config.profile, Profile::Strict);
        assert!(config.env_schema.iter().any(|v| v.name == "DATABASE_URL" && v.required));
    }

    #[test]
    fn the_store_and_how_long_it_keeps() {
        let read = |text: &str| parse(&format!("version: 1\n{text}\n"), "p.yaml").unwrap();
        let check = |text: &str, expected: [u32; 3]| {
            let Policy { all_days, hourly_days, daily_days } = read(text).retention;
            assert_eq!([all_days, hourly_days, daily_days], expected, "{text}");
        };
        check("", [7, 30, 365]);
        check("retention: {}", [7, 30, 365]);
        check("retention: {all_days: 1, hourly_days: 2, daily_days: 3}", [1, 2, 3]);
        check("retention: {all_days: 0, hourly_days: 0, daily_days: 0}", [0, 0, 0]);
        check("retention: {all_days: 60}", [60, 60, 365]);
        check("retention: {all_days: 400}", [400, 400, 400]);
        check("retention: {daily_days: 20}", [7, 20, 20]);
        check("retention: {daily_days: 2}", [2, 2, 2]);
        check("retention: {hourly_days: 3}", [3, 3, 365]);
        assert_eq!(read("store: ../timelines.db").store.as_deref(), Some("../timelines.db"));
        assert_eq!(
            read("store: postgresql://db/parallax").store.as_deref(),
            Some("postgresql://db/parallax")
        );
        assert_eq!(read("").store, None);
        refused("version: 1\nstore: ' '\n", &["p.yaml:2: `store` names nothing"]);
        refused("version: 1\nstore: {url: x}\n", &["p.yaml:2"]);
        refused("version: 1\nretention: {all: 7}\n", &["p.yaml:2: unknown field `all`"]);
        for days in ["-1", "1.5", "seven", "99999999999"] {
            let text = format!("version: 1\nretention: {{all_days: {days}}}\n");
            refused(&text, &["p.yaml:2", "whole days, 0 or more"]);
        }
        refused("version: 1\nretention: 7\n", &["p.yaml:2"]);
        refused(
            "version: 1\nretention: {all_days: 7, hourly_days: 6}\n",
            &["p.yaml:2: `hourly_days: 6` says nothing beside `all_days: 7`", "count from now"],
        );
        refused(
            "version: 1\nretention: {all_days: 9, daily_days: 8}\n",
            &["`daily_days: 8` says nothing beside"],
        );
        refused("version: 1\nretention: {hourly_days: 9, daily_days: 8}\n", &["beside `hourly_days: 9`"]);
    }

    #[track_caller]
    fn refused(text: &str, expected: &[&str]) {
        let error = parse(text, "p.yaml").unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "`{part}` is not in:\n{error}");
        }
    }

    #[test]
    fn mistakes_name_line_and_mend() {
        refused(
            "version: 1\nboundarys: []\n",
            &["p.yaml:2: unknown field `boundarys`", "did you mean `boundaries`?"],
        );
        refused("version: 2\n", &["p.yaml:1: version 2", "write `version: 1`"]);
        refused("environments: {}\n", &["p.yaml:1", "version"]);
        refused(
            "version: 1\nenvironments:\n  a: {sources: [{kubernetes: {}}]}\n",
            &["p.yaml:3", "`kubernetes` is not in this version"],
        );
        refused(
            "version: 1\nenvironments:\n  a: {sources: []}\n",
            &["p.yaml:3: environment `a` has no source"],
        );
        refused("version: 1\nenvironments:\n  a@b: {sources: [{host: local}]}\n", &["`a@b` can't be"]);
        refused(
            "version: 1\nenvironments:\n  a: {sources: [{host: web1}]}\n",
            &["`web1` is not a host", "ssh://web1"],
        );
        refused(
            "version: 1\nenvironments:\n  a: {sources: [{snapshot: x, documents: y}]}\n",
            &["p.yaml:3: only `host` or `image`"],
        );
        refused(
            "version: 1\nboundaries:\n  - {select: a}\n",
            &["p.yaml:3: the boundary for `a` demands nothing"],
        );
        refused(
            "version: 1\nboundaries:\n  - {select: a, must: equl}\n",
            &["p.yaml:3: unknown word `equl`", "`equal`"],
        );
        refused("version: 1\nboundaries:\n  - {select: a//b, must: equal}\n", &["p.yaml:3", "empty segment"]);
        refused(
            "version: 1\nboundaries:\n  - {select: a, must: {matches: '('}}\n",
            &["p.yaml:3", "regular expression"],
        );
        refused("version: 1\nboundaries:\n  - {select: a, must: {within: lots}}\n", &["p.yaml:3", "`2%`"]);
        refused(
            "version: 1\nboundaries:\n  - {select: a, must: equal, between: [local]}\n",
            &["names two environments"],
        );
        refused(
            "version: 1\nboundaries:\n  - {select: a, must: equal, between: [local, prod]}\n",
            &["`prod`", "no environment here"],
        );
        refused("version: 1\nversion: 1\n", &["p.yaml:2: `version` stands twice"]);
        refused("", &["p.yaml:1"]);
        refused("- a\n", &["p.yaml:1"]);
    }

    #[test]
    fn a_hundred_thousand_mutations_are_read_or_refused() {
        // A small generator of its own: the same inputs in every run.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        };
        let seeds: Vec<&str> = WHOLE.lines().filter(|line| !line.is_empty()).collect();
        for _ in 0..100_000 {
            let mut text = "version: 1\n".to_owned();
            text.push_str(seeds[next(seeds.len())]);
            let mut bytes = text.into_bytes();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                bytes[at] = b" {}[]:,'\"#&*!|>-\n\t\x00\xff"[next(20)];
            }
            if let Err(error) = parse(&String::from_utf8_lossy(&bytes), "p.yaml") {
                assert!(error.message.starts_with("p.yaml:"), "{error}");
            }
        }
    }
}
