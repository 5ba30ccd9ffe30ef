//! The members of an organization, all of them.

use super::{Ledger, keys};
use crate::{
    domain::{organization::Member, scope::OrgScope},
    ports::{MemberList, StoreError},
};

impl MemberList for Ledger {
    async fn list_members(&self, scope: &OrgScope) -> Result<Vec<Member>, StoreError> {
        self.rows_under("listing members", keys::organization_partition(scope), keys::MEMBER).await
    }
}
