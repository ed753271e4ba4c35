//! Endpoints: what a person names on the command line, and the first thing that it fits.

use std::path::PathBuf;

use parallax_collect::machine::Place;

use super::point::Point;
use super::{Context, image, timeline};
use crate::config::{Environment, Host, Shell, Source};
use crate::error::AppError;

/// One side of a comparison, or something to capture.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// An environment, configured or made up from a URL.
    Environment(Environment),
    /// An environment as it was recorded.
    Recorded(InTime),
    /// A snapshot or a document, to be told apart by its content.
    File(PathBuf),
    /// The same, on standard input.
    StandardInput,
}

/// An environment at a point of its timeline. It need not be configured any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTime {
    /// What was written.
    pub text: String,
    /// The environment's name.
    pub name: String,
    /// The name of its timeline.
    pub timeline: String,
    /// Which recording.
    pub point: Point,
}

impl InTime {
    /// What a person calls the environment: an address that was never configured has no shorter name.
    #[must_use]
    pub fn called(&self) -> &str {
        if self.timeline.starts_with(SSH) { &self.timeline } else { &self.name }
    }
}

/// Schemes of endpoints that later versions read.
const LATER: &[&str] = &["kube:"];

const SSH: &str = "ssh://";

/// Finds what a text stands for: an environment of the configuration, now or in time, `ssh://..`, `-`, or a file.
///
/// # Errors
/// Where it fits none of these, with the nearest environment's name; or where it names a point in time that
/// can't be read.
pub fn resolve(text: &str, context: &Context) -> Result<Endpoint, AppError> {
    if text == "-" {
        return Ok(Endpoint::StandardInput);
    }
    if let Some(environment) = configured(text, context) {
        return Ok(Endpoint::Environment(environment));
    }
    // A digest is no point in time.
    if let Some(environment) = image::endpoint(text) {
        return environment.map(Endpoint::Environment);
    }
    if let Some(in_time) = in_time(text, context)? {
        return Ok(Endpoint::Recorded(in_time));
    }
    if text.starts_with(SSH) {
        return Ok(Endpoint::Environment(over_ssh(text)?));
    }
    let path = context.folder.join(text);
    if path.is_dir() {
        return Err(AppError::usage(format!("`{text}` is a folder")).hint(
            "to compare project folders, name each as {project: FOLDER} in an environment of parallax.yaml",
        ));
    }
    // Not only regular files: `<(command)` is a pipe.
    if path.exists() {
        return Ok(Endpoint::File(PathBuf::from(text)));
    }
    Err(unknown(text, context))
}

/// The environment of the configuration with that name, or whose timeline has it, as `parallax log` lists it.
pub(super) fn configured(text: &str, context: &Context) -> Option<Environment> {
    context.config.environment(text).or_else(|| {
        let local = context.config.environment("local")?;
        (timeline::of(&local, context) == text).then_some(local)
    })
}

/// The name of the timeline of what a person calls an environment: `staging`, `ssh://ann@staging/srv/shop`.
#[must_use]
pub fn timeline_name(text: &str, context: &Context) -> String {
    let environment = match configured(text, context) {
        Some(environment) => Some(environment),
        None => text.starts_with(SSH).then(|| over_ssh(text).ok()).flatten(),
    };
    environment.map_or_else(|| text.to_owned(), |environment| timeline::of(&environment, context))
}

fn in_time(text: &str, context: &Context) -> Result<Option<InTime>, AppError> {
    let Some((base, after)) = text.rsplit_once('@') else { return Ok(None) };
    let point = Point::parse(after, context.now, &context.zone);
    if base.starts_with(SSH) {
        return ssh_in_time(text, base, point, context);
    }
    let environment = configured(base, context);
    let timeline = environment.as_ref().map_or_else(|| base.to_owned(), |e| timeline::of(e, context));
    if environment.is_none() {
        match &point {
            // A name that has an `@` in it.
            Err(_) if !timeline::is_known(&timeline, context).unwrap_or(false) => return Ok(None),
            Err(_) => {}
            Ok(_) if timeline::is_known(&timeline, context)? => {}
            Ok(_) if context.folder.join(text).exists() => return Ok(None),
            Ok(_) => return Err(never_met(base, context)),
        }
    }
    Ok(Some(InTime { text: text.to_owned(), name: base.to_owned(), timeline, point: point? }))
}

/// In an address an `@` stands before the host, too: `ssh://ann@cafe` is Ann's account on `cafe`, unless a host
/// `ann` was recorded.
fn ssh_in_time(
    text: &str,
    base: &str,
    point: Result<Point, AppError>,
    context: &Context,
) -> Result<Option<InTime>, AppError> {
    let Ok(environment) = over_ssh(base) else { return Ok(None) };
    let timeline = timeline::of(&environment, context);
    let is_behind_a_host = base.strip_prefix(SSH).is_some_and(|rest| rest.contains(['@', '/']));
    let known = || timeline::is_known(&timeline, context);
    // A point of a host that was recorded with a folder lacks that folder; it names no host of its own.
    let below = format!("{base}/");
    let is_near = || timeline::names(context).iter().any(|name| name.starts_with(&below));
    let is_meant = match &point {
        Ok(Point::Time { .. } | Point::Good) => is_behind_a_host || known()? || is_near(),
        // A store that can't be read is no reason not to look at a host.
        Ok(Point::Digits(_)) => known().unwrap_or(false),
        Err(_) => is_behind_a_host && known().unwrap_or(false),
    };
    if !is_meant {
        return Ok(None);
    }
    Ok(Some(InTime { text: text.to_owned(), name: environment.name, timeline, point: point? }))
}

/// A point in time of something that is neither configured nor recorded.
fn never_met(name: &str, context: &Context) -> AppError {
    let error = AppError::usage(format!("`{name}` is neither configured nor recorded"));
    let mut names: Vec<String> = context.config.names().into_iter().map(str::to_owned).collect();
    names.extend(timeline::names(context));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("environments here: {}", context.config.names().join(", "))),
    }
}

fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(name, text);
    names.min_by_key(distance).filter(|name| distance(name) <= 2)
}

fn unknown(text: &str, context: &Context) -> AppError {
    let config = &context.config;
    if LATER.iter().any(|scheme| text.starts_with(scheme)) {
        return AppError::usage(format!("`{text}`: this version does not read such endpoints"));
    }
    let error = AppError::usage(format!("`{text}` is neither an environment nor a file"));
    if text.starts_with("local:") {
        return error
            .hint("a name that begins with `local:` is of another folder or machine: there it is `local`");
    }
    if text.contains('@') {
        return error
            .hint("for a host over ssh write ssh://user@host; for an environment at a point in time ENV@2h");
    }
    let names = config.names();
    match nearest(text, names.iter().copied()) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None if text.contains(['/', '.']) => error,
        None if config.path.is_none() => error.hint(format!(
            "there is no parallax.yaml here: `parallax init` writes one; `ssh://{text}` names a host directly"
        )),
        None => error.hint(format!("environments here: {}", names.join(", "))),
    }
}

/// `ssh://user@host[:port][/path]`: the path is the project's folder there, and the host's name the environment's.
fn over_ssh(text: &str) -> Result<Environment, AppError> {
    match text.parse::<Place>().map_err(|e| AppError::usage(e.to_string()))? {
        Place::Ssh(place) => {
            let recorded_as = Some(place.to_string());
            let at = Host { place: place.address(), shell: Shell::Plain };
            let sources = vec![Source::Host { at, project: place.path }];
            Ok(Environment { name: place.host, sources, recorded_as })
        }
        Place::Local => Err(AppError::usage(format!("`{text}` is no address"))),
    }
}

#[cfg(test)]
mod tests {
    use parallax_model::{Snapshot, SnapshotHeader};
    use parallax_store::Store;

    use super::*;
    use crate::usecase::StorePlace;

    /// A folder with `staging` configured, some timelines, and two files with an `@` in their names.
    fn context(folder: &std::path::Path) -> Context {
        let file = folder.join("store.db").display().to_string();
        let store = Store::open(&file).unwrap();
        for environment in ["gone", "ssh://ann", "ssh://ann@web/srv/shop", "ssh://box/srv/shop", "odd@name"] {
            let header = SnapshotHeader {
                environment: environment.to_owned(),
                captured_at: "2026-11-20T00:00:00Z".parse().unwrap(),
                tool: "test".to_owned(),
                key_id: None,
                sources: Vec::new(),
                gaps: Vec::new(),
            };
            store.record(environment, &Snapshot::new(header, Vec::new())).unwrap();
        }
        for name in ["web@2h", "web@2.json"] {
            std::fs::write(folder.join(name), "{}").unwrap();
        }
        let text = "version: 1\nenvironments: {staging: {sources: [{host: ssh://staging}]}}\n";
        Context {
            config: crate::config::parse(text, "parallax.yaml").unwrap(),
            folder: folder.to_path_buf(),
            now: "2026-11-21T00:00:00Z".parse().unwrap(),
            zone: jiff::tz::TimeZone::UTC,
            cache: None,
            store: StorePlace::Named(file),
        }
    }

    #[test]
    fn endpoints() {
        let folder = tempfile::tempdir().unwrap();
        let context = context(folder.path());
        let check = |text: &str, expected: &str| {
            let got = match resolve(text, &context) {
                Ok(Endpoint::Environment(e)) => {
                    format!("{} live", e.recorded_as.as_deref().unwrap_or(&e.name))
                }
                Ok(Endpoint::Recorded(in_time)) => format!("{} {:?}", in_time.timeline, in_time.point),
                Ok(Endpoint::File(path)) => format!("file {}", path.display()),
                Ok(Endpoint::StandardInput) => "standard input".to_owned(),
                Err(error) => error.message,
            };
            assert!(got.starts_with(expected), "{text}: {got}");
        };
        check("-", "standard input");
        check("staging", "staging live");
        check("staging@2h", "staging Time { at: 2026-11-20T22:00:00Z");
        check("local@good", "local Good");
        check("gone@beef", "gone Digits(\"beef\")");
        check("gone@2x", "`@2x` is no point in time");
        check("gone", "`gone` is neither an environment nor a file");
        check("never@2h", "`never` is neither configured nor recorded");
        check("odd@name@2h", "odd@name Time");
        check("odd@name", "`odd@name` is neither an environment nor a file");
        // Files whose names have an `@` in them.
        check("web@2h", "file web@2h");
        check("web@2.json", "file web@2.json");
        check("./web@2h", "file ./web@2h");
        // Addresses have an `@` of their own.
        check("ssh://ann@web", "ssh://ann@web live");
        check("ssh://ann@web/srv/shop", "ssh://ann@web/srv/shop live");
        check("ssh://ann@corp@web", "ssh://ann@corp@web live");
        check("ssh://bob@cafe", "ssh://bob@cafe live");
        check("ssh://bob@good", "ssh://bob@good live");
        check("ssh://ann@2h", "ssh://ann Time");
        check("ssh://ann@cafe", "ssh://ann Digits");
        check("ssh://ann@web@2h", "ssh://ann@web Time");
        check("ssh://ann@web/srv/shop@2h", "ssh://ann@web/srv/shop Time");
        check("ssh://ann@web/srv/shop@2x", "`@2x` is no point in time");
        check("ssh://bob@web/srv/shop@2x", "ssh://bob@web/srv/shop@2x live");
        check("ssh://box@2h", "ssh://box Time");
        check("ssh://box@good", "ssh://box Good");
        check("ssh://box@beef", "ssh://box@beef live");
        check("ssh://bo@2h", "ssh://bo@2h live");
        check("ssh://u:hunter2@web@2h", "an address with a password is not taken");
        check("", "``");
        check("@", "`@` is neither an environment nor a file");
        check("@2h", "`` is neither configured nor recorded");
        check("\u{1b}@\u{1b}", "`\u{1b}@\u{1b}` is neither");
    }

    #[test]
    fn a_damaged_store_hinders_no_observation() {
        let folder = tempfile::tempdir().unwrap();
        let context = context(folder.path());
        let file = folder.path().join("store.db");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let found = resolve("ssh://ann@beef", &context);
        assert!(matches!(found, Ok(Endpoint::Environment(_))), "{found:?}");
    }

    #[test]
    fn names_that_are_listed_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let mut context = context(folder.path());
        context.config.folder = "/srv/shop".into();
        context.store = StorePlace::User(folder.path().join("store.db"));
        for name in ["local", "local:/srv/shop"] {
            let found = resolve(name, &context);
            assert!(matches!(&found, Ok(Endpoint::Environment(e)) if e.name == "local"), "{found:?}");
            assert_eq!(timeline_name(name, &context), "local:/srv/shop");
        }
        let error = resolve("local:/srv/other", &context).unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("another folder")), "{error}");
    }

    #[test]
    fn timelines_have_names() {
        let folder = tempfile::tempdir().unwrap();
        let mut context = context(folder.path());
        assert_eq!(timeline_name("staging", &context), "staging");
        assert_eq!(timeline_name("local", &context), "local");
        assert_eq!(timeline_name("gone", &context), "gone");
        assert_eq!(timeline_name("ssh://ann@web:22/srv/shop", &context), "ssh://ann@web:22/srv/shop");
        assert_eq!(timeline_name("ssh://web/", &context), "ssh://web");
        context.config.folder = "/srv/shop".into();
        context.store = StorePlace::User("/home/ann/.local/state/parallax/store.db".into());
        assert_eq!(timeline_name("local", &context), "local:/srv/shop");
        assert_eq!(timeline_name("staging", &context), "staging");
    }
}
