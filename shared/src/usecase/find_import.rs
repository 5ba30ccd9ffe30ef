//! How far an uploaded file is.

use crate::{
    domain::{access::Caller, id::ImportId, import::Import},
    ports::{Clock, ImportDesk, StoreError},
};

/// For those who [may import](Caller::may_import). None for one that there is not, or not any more.
///
/// # Errors
/// When the store does not answer.
pub async fn find_import(
    store: &impl ImportDesk,
    clock: &impl Clock,
    caller: &Caller,
    id: &ImportId,
) -> Result<Option<Import>, StoreError> {
    let found = store.find_import(&caller.scope, id).await?;
    // The store takes its time to forget.
    Ok(found.filter(|import| import.expires_at > clock.now().epoch_seconds()))
}
