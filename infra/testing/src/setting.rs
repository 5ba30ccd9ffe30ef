//! What a test is told by the environment: how long it runs, and from which seed.

use std::{fmt::Debug, str::FromStr};

/// None where the environment says nothing.
///
/// # Panics
/// When it says something else than a `T`.
#[must_use]
pub fn setting<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text:?}: {error:?}")))
}
