//! One person of the caller's organization.

use crate::{
    domain::{access::Caller, id::PersonId, person::Person},
    ports::{PersonReader, StoreError},
};

/// None for an unknown id and another organization's: the two cannot be told apart.
///
/// # Errors
/// When the store does not answer.
pub async fn find_person(
    store: &impl PersonReader,
    caller: &Caller,
    id: &PersonId,
) -> Result<Option<Person>, StoreError> {
    store.find_person(&caller.scope, id).await
}
