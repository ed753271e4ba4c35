//! Keeping house in the store of timelines: what is kept, whether it is whole, what may go, and the ways from one store into
//! another.

use std::path::Path;

use parallax_store::{
    About, Collected, Copied, Entry, Policy, Salvaged, Sizes, Store, StoreError, Survey, Tell, Verified,
};

use super::timeline::{credentials, moved, nowhere};
use super::{Context, StorePlace, existing_store};
use crate::error::AppError;

/// What a store keeps, and where it is.
#[derive(Debug)]
pub struct Stats {
    /// Where it is, without a password.
    pub place: String,
    /// What it keeps.
    pub survey: Survey,
}

/// Which entries are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those that the retention policy does not keep.
    ByPolicy,
    /// None: only what nothing needs any more goes.
    All,
}

/// Whether anything is really done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// It is.
    Real,
    /// It is only told what would be done.
    Dry,
}

/// What was collected, or would be.
#[derive(Debug)]
pub struct Tidied {
    /// Whether it was.
    pub run: Run,
    /// The policy, where one was followed.
    pub policy: Option<Policy>,
    /// The entries that the policy does not keep.
    pub due: Vec<Entry>,
    /// How much went.
    pub collected: Collected,
    /// What took space before.
    pub before: Sizes,
    /// What takes space now.
    pub after: Sizes,
}

/// What brought the schema forward.
#[derive(Debug)]
pub struct Migrated {
    /// Where the store is, without a password.
    pub place: String,
    /// The schema that it had.
    pub from: i64,
    /// What it is now.
    pub about: About,
}

/// What a store keeps.
///
/// # Errors
/// Where there is no store, or it can't be read.
pub fn stats(context: &Context) -> Result<Stats, AppError> {
    let store = existing(context)?;
    Ok(Stats { place: shown_place(context), survey: store.survey()? })
}

/// Reads everything, and tells what is wrong.
///
/// # Errors
/// Where there is no store, or it can't be read at all.
pub fn verify(context: &Context, tell: &mut Tell<'_>) -> Result<Verified, AppError> {
    Ok(existing(context)?.verify_telling(tell)?)
}

/// Collects what need not be kept, and gives the space back.
///
/// # Errors
/// Where there is no store, or it can't be written; what was collected until then stays so.
pub fn tidy(context: &Context, keep: Keep, run: Run) -> Result<Tidied, AppError> {
    let store = existing(context)?;
    let before = store.stats()?;
    let policy = match keep {
        Keep::ByPolicy => Some(context.config.retention),
        Keep::All => None,
    };
    let due = policy.map(|policy| store.due(policy, context.now)).transpose()?.unwrap_or_default();
    let collected = match run {
        Run::Dry => store.gc_without(&due)?,
        Run::Real => {
            let retained = policy.map(|policy| store.retain(policy, context.now)).transpose()?;
            let collected = store.gc()?;
            store.shrink()?;
            Collected { entries: retained.unwrap_or_default().entries, ..collected }
        }
    };
    Ok(Tidied { run, policy, due, collected, before, after: store.stats()? })
}

/// Brings the store to the schema that this version works with.
///
/// # Errors
/// Where there is no store, or a later version wrote it.
pub fn migrate(context: &Context) -> Result<Migrated, AppError> {
    let place = match &context.store {
        StorePlace::Named(place) if context.store.is_shared() => place.clone(),
        StorePlace::Named(_) | StorePlace::Project(_) | StorePlace::User(_) | StorePlace::Nowhere => {
            drop(existing(context)?);
            context.store.file().map(|file| file.display().to_string()).unwrap_or_default()
        }
    };
    let from = Store::migrate(&place, &credentials())?.from;
    Ok(Migrated { place: shown_place(context), from, about: existing(context)?.about()? })
}

/// Copies the store into another one, which is made if it is not there.
///
/// # Errors
/// Where either can't be opened, or the other knows an environment by another history.
pub fn copy(context: &Context, to: &str, tell: &mut Tell<'_>) -> Result<Copied, AppError> {
    let store = existing(context)?;
    let target = StorePlace::Named(to.to_owned());
    let moved = moved(&store.environments()?, &target, context);
    let called_there = |name: &str| moved.get(name).map_or(name, String::as_str).to_owned();
    Ok(store.copy_to_as(&Store::open_with(to, &credentials())?, &called_there, tell)?)
}

/// Saves what is whole of a damaged file into a new store.
///
/// # Errors
/// Where the store is no file, nothing of it is a store's, or the new file can't be written.
pub fn salvage(context: &Context, new: &Path, tell: &mut Tell<'_>) -> Result<Salvaged, AppError> {
    let Some(path) = context.store.file() else {
        return Err(AppError::usage(format!(
            "`{}` is no file: only a file can be salvaged",
            shown_place(context)
        ))
        .hint("name one with --store FILE"));
    };
    Ok(Store::salvage(path, &context.folder.join(new), tell)?)
}

/// The store, if there is one: to look after it, none is made.
fn existing(context: &Context) -> Result<Store, AppError> {
    if context.store == StorePlace::Nowhere {
        return Err(nowhere());
    }
    let none = || {
        AppError::usage(format!("there is no store at `{}` yet", shown_place(context)))
            .hint("`parallax capture` records into one; --store FILE names another")
    };
    existing_store(context)?.ok_or_else(none)
}

/// Where the store is, as it may be shown.
fn shown_place(context: &Context) -> String {
    match &context.store {
        StorePlace::Named(place) => masked(place),
        StorePlace::Project(path) | StorePlace::User(path) => {
            let near = path.strip_prefix(&context.folder).unwrap_or(path);
            near.display().to_string()
        }
        StorePlace::Nowhere => "nowhere".to_owned(),
    }
}

/// A place that holds no password, as it is. Of a URL that might hold one only the scheme is shown: rather too much is
/// hidden than a part of one shown.
#[must_use]
pub fn masked(place: &str) -> String {
    if let Some(path) = place.strip_prefix("sqlite:") {
        return format!("sqlite:{}", masked_path(path));
    }
    let Some((scheme, rest)) = place.split_once("://") else {
        return masked_path(place);
    };
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(&*scheme, "postgresql" | "postgres") {
        return "...".to_owned();
    }
    let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.strip_suffix(":5432").unwrap_or(host);
    let is_plain = |text: &str, more: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    if is_plain(host, b".-_") && is_plain(database, b"-_") {
        format!("{scheme}://{rest}")
    } else {
        format!("{scheme}://...")
    }
}

/// A path; what looks like a URL without its scheme may hold a password.
fn masked_path(path: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    if first.contains([':', '@']) { "...".to_owned() } else { path.to_owned() }
}

/// What to do about a store that failed.
pub(super) fn hint(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Full { .. } => Some(
            "make room, or raise the limit or quota; `parallax store gc` gives back what need not be kept",
        ),
        StoreError::ReadOnly { .. } => {
            Some("ask for leave to write there, or name another with --store FILE")
        }
        StoreError::NotAStore { .. } => Some("the file was not touched; name another with --store FILE"),
        StoreError::Older { .. } => Some(
            "`parallax store migrate` brings it forward; earlier versions of `parallax` can't open it then",
        ),
        StoreError::Cut { .. } => Some("nothing was recorded in part; try again when the server answers"),
        StoreError::Newer { .. } => Some("or name another with --store FILE"),
        StoreError::Damaged { .. } => {
            Some("`parallax store salvage NEW_FILE` saves what is still whole into a new store")
        }
        StoreError::Tree(_) | StoreError::Unreadable { .. } => Some(
            "`parallax store verify` lists all that is damaged; `parallax store salvage NEW_FILE` saves the rest",
        ),
        StoreError::OtherHistory { .. } => Some("copy into a store that has no such environment"),
        StoreError::Busy { .. } => Some("try again when the other is done"),
        StoreError::Unreachable { .. }
        | StoreError::Backend { .. }
        | StoreError::NoEnvironment { .. }
        | StoreError::NoEntry { .. }
        | StoreError::UnknownUrl { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(place: &str, expected: &str) {
        assert_eq!(masked(place), expected);
    }

    #[test]
    fn no_password_is_shown() {
        check("/home/ann/store.db", "/home/ann/store.db");
        check("/home/ann@corp/a:b.db", "/home/ann@corp/a:b.db");
        check("sqlite:store.db", "sqlite:store.db");
        check("sqlite:/srv/store.db", "sqlite:/srv/store.db");
        check("postgresql://db.example.org/parallax", "postgresql://db.example.org/parallax");
        check("postgresql://db.example.org:5432/parallax", "postgresql://db.example.org:5432/parallax");
        check("postgresql://", "postgresql://");
        check("", "");
        for hidden in [
            "ann@db/parallax",
            "ann:pw@db:5432/parallax",
            "ann:p@w/o:r?d@db/x",
            "ann:@db/x",
            "ann:s3cret",
            "ann:12345",
            "ann:12/34",
            "db:5432/x?password=p@cret",
            "db/x?password=abc&cret",
            "db/x?pass%77ord=s3cret",
            "db/x?sslPassword=pw&a=b",
            "db/x#s3cret",
            "ann:p/s3cret#x",
            "h/a/s3cret#x",
            "%73ecret/x",
            "s3cr\u{e9}t/x",
        ] {
            check(&format!("postgresql://{hidden}"), "postgresql://...");
            check(&format!("POSTGRES://{hidden}"), "postgres://...");
            check(&format!("mysql://{hidden}"), "...");
        }
        check("ann1:s3cret@host/x", "...");
        check("s3cret@host/x", "...");
        check("postgresql:ann:s3cret@host/x", "...");
        check("sqlite:ann:s3cret@host/x", "sqlite:...");
    }
}
