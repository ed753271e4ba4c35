//! Timelines as use cases need them: the store opened, entries found by a point in time, and read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parallax_model::ontology::SOURCES;
use parallax_model::{Digest, Resource, Snapshot, SnapshotHeader, SourceStatus, Timestamp};
use parallax_store::{Credentials, Entry, Store, StoreError};

use super::observe::{Provenance, Side};
use super::point::{self, Point};
use super::{Context, InTime, StorePlace};
use crate::config::Environment;
use crate::error::{AppError, ErrorKind};

/// How many entries an error names.
const NAMED: usize = 3;
/// How many digits of a hash a person is shown.
const DIGITS: usize = 12;
/// The environment that is here without being written.
const LOCAL: &str = "local";

/// Opens the store, which is made if it is not there.
///
/// # Errors
/// Where there is no place for one, or it can't be opened.
pub fn open_store(context: &Context) -> Result<Store, AppError> {
    if let StorePlace::Project(path) = &context.store
        && let Some(project) = path.parent().and_then(Path::parent)
    {
        super::initialise::own_folder(project)?;
    }
    opened(&context.store)
}

fn opened(place: &StorePlace) -> Result<Store, AppError> {
    match place {
        StorePlace::Named(place) => Ok(Store::open_with(place, &credentials())?),
        StorePlace::Project(path) | StorePlace::User(path) => Ok(Store::open(&path.display().to_string())?),
        StorePlace::Nowhere => Err(nowhere()),
    }
}

/// The error where nothing can be recorded, so nothing is.
pub(super) fn nowhere() -> AppError {
    AppError::usage("there is no place for a store: the account has no home")
        .hint("name one with --store FILE")
}

/// What `psql` would take from the variables of this process.
pub(super) fn credentials() -> Credentials {
    Credentials::from_variables(|name| std::env::var(name).ok())
}

/// Opens the store if there is one: nothing is made.
///
/// # Errors
/// Where it is there and can't be opened.
pub fn existing_store(context: &Context) -> Result<Option<Store>, AppError> {
    match &context.store {
        StorePlace::Named(place) => Ok(Store::open_existing(place, &credentials())?),
        StorePlace::Project(path) | StorePlace::User(path) => {
            Ok(Store::open_existing(&path.display().to_string(), &Credentials::default())?)
        }
        StorePlace::Nowhere => Ok(None),
    }
}

/// The name of an environment's timeline: its own, or the address that it was made up from. Outside of a project all
/// folders share the user's store, and what is `local` in one of them says nothing of another; in a store on a
/// server, `local` is another machine for everybody.
pub(super) fn of(environment: &Environment, context: &Context) -> String {
    match &environment.recorded_as {
        Some(name) => name.clone(),
        None if environment.name == LOCAL => local_in(&context.store, &context.config.folder),
        None => environment.name.clone(),
    }
}

/// What `local` of a folder is called in a store.
fn local_in(place: &StorePlace, folder: &Path) -> String {
    match place {
        StorePlace::User(_) => format!("{LOCAL}:{}", folder.display()),
        place if place.is_shared() => {
            let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
            format!("{LOCAL}:{machine}:{}", folder.display())
        }
        StorePlace::Named(_) | StorePlace::Project(_) | StorePlace::Nowhere => LOCAL.to_owned(),
    }
}

/// What the timelines of a store are called in another one: `local` follows the rule of each. A name that is another
/// timeline's already stays as it is.
pub(super) fn moved(names: &[String], to: &StorePlace, context: &Context) -> BTreeMap<String, String> {
    let (from, folder) = (&context.store, &context.config.folder);
    let mut moved = BTreeMap::new();
    for name in names {
        let path = name.strip_prefix("local:").filter(|path| path.starts_with('/'));
        let new = match (path, from) {
            _ if *name == local_in(from, folder) => local_in(to, folder),
            // Another folder of this account.
            (Some(path), StorePlace::User(_)) if to.is_shared() => local_in(to, Path::new(path)),
            (Some(_) | None, _) => continue,
        };
        if !names.contains(&new) {
            moved.insert(name.clone(), new);
        }
    }
    moved
}

/// Whether anything was recorded under that name.
pub(super) fn is_known(timeline: &str, context: &Context) -> Result<bool, AppError> {
    let Some(store) = existing_store(context)? else { return Ok(false) };
    Ok(store.environments()?.iter().any(|name| name == timeline))
}

/// The names of all timelines; none where there is no store that can be read.
pub(super) fn names(context: &Context) -> Vec<String> {
    let names = |store: Store| store.environments().ok();
    existing_store(context).ok().flatten().and_then(names).unwrap_or_default()
}

/// An environment as it was recorded.
pub(super) fn read(in_time: &InTime, context: &Context) -> Result<Side, AppError> {
    let (store, entry) = found(in_time, context)?;
    let snapshot = store.read(&entry)?;
    let header = snapshot.header().clone();
    Ok(side(in_time, &entry, header, snapshot.resources().to_vec(), context))
}

/// Two environments as they were recorded, without most of what is equal in both, and the count of the equal
/// attributes left out; `None` where that can't be told apart without reading everything.
pub(super) fn pair(
    left: &InTime,
    right: &InTime,
    context: &Context,
) -> Result<Option<(Side, Side, u64)>, AppError> {
    let (store, left_entry) = found(left, context)?;
    let (_, right_entry) = found(right, context)?;
    let headers = [store.header(&left_entry)?, store.header(&right_entry)?];
    // A secret of which only the presence is known is not equal to itself: all of them have to be read.
    let has_key = |header: &SnapshotHeader| header.key_id.is_some();
    let has_hash = |entry: &Entry| entry.snapshot.is_some();
    if !headers.iter().all(has_key) || !has_hash(&left_entry) || !has_hash(&right_entry) {
        return Ok(None);
    }
    let differing = store.diff(&left_entry, &right_entry)?;
    // How many packages there are is counted where such a lockfile differs.
    let is_uncounted = |r: &Resource| &*r.kind == "lockfile" && r.attributes.get("packages").is_none();
    if differing.left.iter().chain(&differing.right).any(is_uncounted) {
        return Ok(None);
    }
    let mut equal = differing.equal.attributes;
    let mut sides = [differing.left, differing.right];
    let differs: BTreeSet<_> = sides.iter().flatten().map(|resource| resource.key.clone()).collect();
    for prefix in looked_up(&headers) {
        let mut same = store.under(&left_entry, prefix)?;
        same.retain(|resource| !differs.contains(&resource.key));
        equal -= same.iter().map(|resource| resource.attributes.len() as u64).sum::<u64>();
        for side in &mut sides {
            side.extend(same.iter().cloned());
        }
    }
    let [left_header, right_header] = headers;
    let [left_resources, right_resources] = sides;
    let left = side(left, &left_entry, left_header, left_resources, context);
    let right = side(right, &right_entry, right_header, right_resources, context);
    Ok(Some((left, right, equal)))
}

/// Where a comparison looks at what is equal, too: pins explain what differs, a host that can't make fingerprints
/// tells only the presence of its variables, and a source that did not run may have left its regions empty.
fn looked_up(headers: &[SnapshotHeader; 2]) -> BTreeSet<&'static str> {
    let ran = |header: &SnapshotHeader, source: &str| {
        header.sources.iter().any(|report| {
            report.source == source && matches!(report.status, SourceStatus::Complete | SourceStatus::Partial)
        })
    };
    let idle = SOURCES.iter().filter(|row| headers.iter().any(|header| !ran(header, row.id)));
    let regions = idle.flat_map(|row| row.regions.iter().map(|region| prefix(region)));
    ["env", "pin"].into_iter().chain(regions).collect()
}

/// What all keys of a region begin with.
fn prefix(region: &'static str) -> &'static str {
    region.strip_suffix("/**").unwrap_or(region)
}

fn side(
    in_time: &InTime,
    entry: &Entry,
    mut header: SnapshotHeader,
    resources: Vec<Resource>,
    context: &Context,
) -> Side {
    header.environment.clone_from(&in_time.name);
    let place = format!("recorded {}", point::told(entry.captured_at, context.now, &context.zone));
    let origin = Provenance::Recorded(Box::new(entry.clone()));
    Side { place, snapshot: Snapshot::new(header, resources), origin }
}

/// Whether there is such a recording.
///
/// # Errors
/// Where there is none, with what there is instead.
pub(super) fn is_there(in_time: &InTime, context: &Context) -> Result<(), AppError> {
    found(in_time, context).map(|_| ())
}

fn found(in_time: &InTime, context: &Context) -> Result<(Store, Entry), AppError> {
    let timeline = &in_time.timeline;
    let Some(store) = existing_store(context)? else { return Err(nothing(in_time, &[])) };
    let finding = Finding { in_time, store: &store, context };
    let entry = match &in_time.point {
        Point::Time { at, digits } => match (store.as_of(timeline, *at)?, digits) {
            (Some(entry), _) => entry,
            (None, Some(digits)) => finding.by_digits(digits)?,
            (None, None) => return Err(finding.too_early()?),
        },
        Point::Digits(digits) => finding.by_digits(digits)?,
        Point::Good => match store.last_good(timeline)? {
            Some(entry) => entry,
            None => return Err(finding.never_good()?),
        },
    };
    Ok((store, entry))
}

/// Nothing is recorded under that name.
fn nothing(in_time: &InTime, known: &[String]) -> AppError {
    let called = in_time.called();
    let error = AppError::usage(format!("`{}`: nothing of `{called}` is recorded", in_time.text));
    let error = error.hint(format!("record it with: parallax capture {called}"));
    // The same host with another folder is another timeline.
    let alike = known.iter().find(|other| other.starts_with("ssh://") && other.starts_with(called));
    match alike {
        Some(other) => error.hint(format!("`{other}` is recorded")),
        None => error,
    }
}

struct Finding<'a> {
    in_time: &'a InTime,
    store: &'a Store,
    context: &'a Context,
}

impl Finding<'_> {
    /// All entries, newest first.
    fn all(&self) -> Result<Vec<Entry>, AppError> {
        let all = self.store.entries(&self.in_time.timeline, Timestamp::MIN, Timestamp::MAX)?;
        if all.is_empty() { Err(nothing(self.in_time, &self.store.environments()?)) } else { Ok(all) }
    }

    fn too_early(&self) -> Result<AppError, AppError> {
        let all = self.all()?;
        let first = all.last().map(|first| self.told(first)).unwrap_or_default();
        let (text, called) = (&self.in_time.text, self.in_time.called());
        Ok(AppError::usage(format!("`{text}`: nothing of `{called}` is recorded that early"))
            .hint(format!("its first recording: {first}")))
    }

    fn never_good(&self) -> Result<AppError, AppError> {
        self.all()?;
        let (text, called) = (&self.in_time.text, self.in_time.called());
        Ok(AppError::usage(format!("`{text}`: no recording of `{called}` was found good yet"))
            .hint("a `parallax check` that passes marks the two environments that it compared as good"))
    }

    /// The newest entry with the one content whose hash begins so; a tree's name counts where no content's does.
    fn by_digits(&self, digits: &str) -> Result<Entry, AppError> {
        let all = self.store.by_prefix(&self.in_time.timeline, digits)?;
        let begins = |digest: &Digest| digest.to_string().starts_with(digits);
        let is_of_content = all.iter().any(|entry| entry.snapshot.as_ref().is_some_and(begins));
        let name = |entry: &Entry| match is_of_content {
            true => entry.snapshot.filter(begins),
            false => Some(entry.tree),
        };
        let mut met = BTreeSet::new();
        let mut distinct: Vec<(Digest, &Entry)> =
            all.iter().filter_map(|entry| Some((name(entry)?, entry))).collect();
        distinct.retain(|(name, _)| met.insert(*name));
        match distinct.as_slice() {
            [(_, entry)] => Ok((*entry).clone()),
            [] => Err(self.unknown(digits)?),
            many => Err(self.ambiguous(digits, many)),
        }
    }

    fn unknown(&self, digits: &str) -> Result<AppError, AppError> {
        let (text, called) = (&self.in_time.text, self.in_time.called());
        let error = AppError::usage(format!("`{text}`: no snapshot of `{called}` begins with `{digits}`"));
        let named = |entry: &Entry| {
            let hash = entry.snapshot.unwrap_or(entry.tree).to_string();
            format!("{} {}", hash.get(..DIGITS).unwrap_or(&hash), self.told(entry))
        };
        let mut all = self.all()?;
        all.dedup_by_key(|entry| entry.snapshot.unwrap_or(entry.tree));
        let latest: Vec<String> = all.iter().take(NAMED).map(named).collect();
        Ok(error.hint(format!("the latest: {}", latest.join(", "))))
    }

    fn ambiguous(&self, digits: &str, many: &[(Digest, &Entry)]) -> AppError {
        let (text, called) = (&self.in_time.text, self.in_time.called());
        let mut error = AppError::usage(format!(
            "`{text}`: {} snapshots of `{called}` begin with `{digits}`",
            many.len()
        ));
        for (hash, entry) in many.iter().take(2 * NAMED) {
            let hash = hash.to_string();
            let shown = hash.get(..DIGITS.max(digits.len() + NAMED)).unwrap_or(&hash);
            error = error.hint(format!("{shown}: {}", self.told(entry)));
        }
        error
    }

    fn told(&self, entry: &Entry) -> String {
        point::told(entry.captured_at, self.context.now, &self.context.zone)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let mut told = Self::usage(error.to_string());
        if matches!(error, StoreError::Damaged { .. }) {
            told.kind = ErrorKind::Damaged;
        } else if matches!(error, StoreError::NoEntry { .. }) {
            told.kind = ErrorKind::Collected;
        }
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            told = told.caused_by(error.to_string());
            cause = error.source();
        }
        super::house::hint(&error).into_iter().fold(told, Self::hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn local_moves_by_the_rule_of_the_other_store() {
        let file = || StorePlace::Named("/srv/b.db".into());
        let shared = || StorePlace::Named("postgresql://db/x".into());
        let project = || StorePlace::Project("/srv/shop/.parallax/store.db".into());
        let user = || StorePlace::User("/home/ann/.local/state/parallax/store.db".into());
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let check = |from: StorePlace, names: &[&str], to: StorePlace, expected: &[&str]| {
            let config = Config { folder: "/srv/shop".into(), ..Config::default() };
            let folder = "/srv/shop/a".into();
            let zone = jiff::tz::TimeZone::UTC;
            let context = Context { config, folder, now: Timestamp::MIN, zone, cache: None, store: from };
            let names: Vec<String> = names.iter().map(|name| name.replace("MACHINE", &machine)).collect();
            let moved = moved(&names, &to, &context);
            let got: Vec<&String> = names.iter().map(|name| moved.get(name).unwrap_or(name)).collect();
            let expected: Vec<String> =
                expected.iter().map(|name| name.replace("MACHINE", &machine)).collect();
            assert_eq!(got, expected.iter().collect::<Vec<_>>());
        };
        check(project(), &["local", "staging"], shared(), &["local:MACHINE:/srv/shop", "staging"]);
        check(file(), &["local"], shared(), &["local:MACHINE:/srv/shop"]);
        check(shared(), &["local:MACHINE:/srv/shop", "local:bob:/b"], file(), &["local", "local:bob:/b"]);
        check(shared(), &["local:MACHINE:/srv/shop"], shared(), &["local:MACHINE:/srv/shop"]);
        check(project(), &["local"], file(), &["local"]);
        check(
            user(),
            &["local:/a", "local:/srv/shop"],
            shared(),
            &["local:MACHINE:/a", "local:MACHINE:/srv/shop"],
        );
        check(user(), &["local:/a", "local:/srv/shop"], file(), &["local:/a", "local"]);
        check(shared(), &["local", "local:MACHINE:/srv/shop"], file(), &["local", "local:MACHINE:/srv/shop"]);
        check(shared(), &[], file(), &[]);
    }
}
