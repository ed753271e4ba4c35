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
        StorePlace::Named(place) => parallax_store::shown(place),
        StorePlace::Project(path) | StorePlace::User(path) => {
            let near = path.strip_prefix(&context.folder).unwrap_or(path);
            near.display().to_string()
        }
        StorePlace::Nowhere => "nowhere".to_owned(),
    }
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
