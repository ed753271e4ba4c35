//! Timelines as use cases need them: the store opened, observations recorded, entries found by a point in time.

use parallax_store::{Credentials, Store, StoreError};

use super::{Context, StorePlace};
use crate::error::AppError;

/// Opens the store, which is made if it is not there.
///
/// # Errors
/// Where there is no place for one, or it can't be opened.
pub fn open_store(context: &Context) -> Result<Store, AppError> {
    let place = match &context.store {
        StorePlace::Named(place) => place.clone(),
        StorePlace::Project(path) | StorePlace::User(path) => path.display().to_string(),
        StorePlace::Nowhere => {
            return Err(AppError::usage("there is no place for a store: the account has no home")
                .hint("name one with --store FILE"));
        }
    };
    let credentials = Credentials::from_variables(|name| std::env::var(name).ok());
    Ok(Store::open_with(&place, &credentials)?)
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let mut told = Self::usage(error.to_string());
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            told = told.caused_by(error.to_string());
            cause = error.source();
        }
        told
    }
}
