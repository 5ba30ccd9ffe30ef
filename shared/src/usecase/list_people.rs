//! The people of the caller's organization, newest first. Every member sees them all: they are one address book.

use crate::{
    domain::{access::Caller, person::Person},
    ports::{Page, PersonReader, Position, StoreError},
};

/// # Errors
/// When the store does not answer.
pub async fn list_people(
    store: &impl PersonReader,
    caller: &Caller,
    after: Option<&Position>,
    limit: u32,
) -> Result<Page<Person>, StoreError> {
    store.list_people(&caller.scope, after, limit).await
}
