//! The region in which the caller's organization writes numbers without `+`.

use crate::{
    domain::{access::Caller, phone::Region},
    ports::{MemberDirectory, StoreError},
};

/// # Errors
/// When the store does not answer, or knows no such organization.
pub async fn find_region(directory: &impl MemberDirectory, caller: &Caller) -> Result<Region, StoreError> {
    let organization = directory.find_organization(&caller.scope).await?;
    organization.map(|organization| organization.default_region).ok_or_else(|| StoreError::Failed {
        operation: "reading an organization",
        reason: "the caller's organization is unknown".to_owned(),
    })
}
